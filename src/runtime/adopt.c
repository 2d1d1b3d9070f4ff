/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adoption: every directory below RUN/pods becomes a sandbox again, or is swept away when orchd
 * had not come as far as recording it. The state file tells what the shim knew last; a shim that
 * lives is connected to and tells the rest. What lies below STATE/pods or in our control groups
 * without such a directory is left of a pod from before, as after a reboot.
 */
#include <dirent.h>
#include <stdio.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/device.h"
#include "runtime/sandbox.h"

#define PATIENCE (5 * NSEC)

static void sweep_away(struct runtime *r, const char *uid)
{
	struct arena a = { 0 };
	const char *run = arena_printf(&a, "%s/pods/%s", r->s.run_dir, uid);
	const char *state = arena_printf(&a, "%s/pods/%s", r->s.state_dir, uid);

	sweep_add(&r->sweep, arena_printf(&a, "pod%s", uid), 0, 0,
		  (const char *const[SWEEP_DIRS]){ run, state });
	arena_release(&a);
}

static enum pod_stage stage_from(const struct sandbox *p)
{
	if (p->stopped_at)
		return POD_STOPPING;
	for (uint32_t i = 0; i < p->nruns; i++)
		if (p->runs[i].st.phase == SHIM_RUNNING || p->runs[i].st.phase == SHIM_EXITED_PHASE)
			return POD_UP;
	return POD_STARTING;
}

static void adopt_dead(struct sandbox *p)
{
	cgroup_kill(p->rt->cg, p->cgroup, NULL);
	sandbox_containers_lost(p);
	sandbox_break(p, "the pod's shim ended while orchd was away");
}

static void adopt_process(struct sandbox *p)
{
	int pidfd = -1;
	pid_t pid = 0;

	record_read_state(p, &pid, &pidfd);
	p->stage = stage_from(p);
	if (!pid || link_watch(&p->link, pid, pidfd) < 0) {
		adopt_dead(p);
		return;
	}
	if (!resize_restore(p))
		sandbox_limit(p, NULL);	/* somebody may have changed them; what runs goes on anyway */
	p->adopting = true;
	p->rt->unsettled++;
	p->rt->adopted++;
	link_reconnect(&p->link);
}

static struct sandbox *from_record(struct runtime *r, const struct record *rec)
{
	struct sandbox *p = sandbox_new(r, &rec->object);

	p->ip = rec->ip;
	p->ids = rec->ids;
	p->handler = *rec->handler ? arena_strdup(&p->arena, rec->handler) : NULL;
	if (p->ids)
		userns_claim(&r->userns, p->ids);
	p->created_at = rec->created_at;
	p->stopped_at = rec->stopped_at;
	p->config_digest = rec->config_digest;
	if (!p->object.pod->spec.host_network)
		net_addr_claim(r->net, p->ip);
	evict_restore(p);
	sandbox_insert(p);
	usage_watch(p);
	return p;
}

static int adopt(struct runtime *r, const char *uid)
{
	struct arena a = { 0 };
	struct record rec;
	int code = record_read(arena_printf(&a, "%s/pods/%s", r->s.run_dir, uid), &a, &rec, NULL);
	const struct meta *m = code == 0 ? rec.object.meta : NULL;

	if (m && (rec.object.kind->id != KIND_POD || !m->uid || !streq(m->uid, uid) ||
		  sandbox_find(r, m->namespace, m->name)))
		code = -EBADMSG;
	if (code == 0)
		adopt_process(from_record(r, &rec));
	arena_release(&a);
	return code;
}

static void out_of_patience(struct loop_timer *t)
{
	struct runtime *r = container_of(t, struct runtime, patience);

	for (uint32_t i = 0; i < r->nsandboxes; i++)
		sandbox_answered(r->sandboxes[i]);
	r->ev.changed(r->ev.data);
}

/* Names of the directories below dir. */
static void list(struct arena *a, const char *dir, struct strs *ret)
{
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.')
			*arena_push(a, ret) = arena_strdup(a, e->d_name);
	if (d)
		closedir(d);
}

static bool contains(const struct strs *l, const char *s)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i], s))
			return true;
	return false;
}

/* Groups and durable directories of pods that have no run directory any more. */
static void sweep_unknown(struct runtime *r, struct arena *a, const struct strs *known)
{
	struct strs state = { 0 };
	char **groups = NULL;
	unsigned n = 0;

	list(a, arena_printf(a, "%s/pods", r->s.state_dir), &state);
	for (uint32_t i = 0; i < state.n; i++)
		if (!contains(known, state.v[i]))
			sweep_away(r, state.v[i]);
	if (cgroup_list(r->cg, "", a, &groups, &n, NULL) < 0)
		return;
	for (unsigned i = 0; i < n; i++)
		if (strncmp(groups[i], "pod", 3) == 0 && !contains(known, groups[i] + 3) &&
		    !contains(&state, groups[i] + 3))
			sweep_away(r, groups[i] + 3);
}

int adopt_all(struct runtime *r, struct err *err)
{
	struct strs uids = { 0 };
	struct arena a = { 0 };
	const char *run = arena_printf(&a, "%s/pods", r->s.run_dir);
	int code = file_mkdir_p(run, 0700, err);

	if (code == 0)
		code = file_mkdir_p(arena_printf(&a, "%s/pods", r->s.state_dir), 0700, err);
	list(&a, run, &uids);
	for (uint32_t i = 0; code == 0 && i < uids.n; i++)
		if (adopt(r, uids.v[i]) < 0)
			sweep_away(r, uids.v[i]);
	if (code == 0) {
		sweep_unknown(r, &a, &uids);
		devices_release(r);
	}
	if (r->unsettled)
		loop_timer_at(r->loop, &r->patience, time_mono() + PATIENCE, out_of_patience);
	arena_release(&a);
	return code;
}
