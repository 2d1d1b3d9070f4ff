/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measuring; see usage.h. What a pod has is a row of places, each the root of a walk: its
 * volumes, then for each container the writable layer and the logs.
 */
#include "runtime/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "runtime/sandbox.h"
#include "runtime/volume.h"

#define PERIOD (10 * NSEC)
#define STEP 500		/* entries between two pauses */
#define OTHER 10		/* what anything else is worth in entries */
#define PAUSE (1 * MSEC)

static bool on_disk(const struct volume *v)
{
	return v->empty_dir && !volume_is_memory(v);
}

static bool has_limits(const struct sandbox *p)
{
	const struct pod_spec *s = &p->object.pod->spec;

	for (uint32_t i = 0; i < s->volumes.n; i++)
		if (on_disk(&s->volumes.v[i]) &&
		    quantity_value(&s->volumes.v[i].empty_dir->size_limit) > 0)
			return true;
	for (uint32_t i = 0; i < p->nruns; i++)
		if (container_resources(p->runs[i].spec).storage_limit)
			return true;
	return false;
}

static bool is_measured(const struct sandbox *p)
{
	return !p->evicted && (p->rt->usage.all || has_limits(p));
}

/* ---- places ---- */

static uint32_t places(const struct sandbox *p)
{
	return p->object.pod->spec.volumes.n + 2 * p->nruns;
}

/* Where the place begins; NULL: it is not one on disk. */
static const char *place_path(struct arena *a, const struct sandbox *p, uint32_t place)
{
	const struct volume_list *l = &p->object.pod->spec.volumes;

	if (place < l->n)
		return on_disk(&l->v[place]) ?
			arena_printf(a, "%s/volumes/%s", p->state_dir, l->v[place].name) : NULL;
	const struct container_run *run = &p->runs[(place - l->n) / 2];
	if ((place - l->n) % 2)
		return arena_printf(a, "%s/%s", p->log_dir, run->spec->name);
	return arena_printf(a, "%s.upper", layer_path(a, p, run->spec->name, run->attempt));
}

static void note(struct usage *u, int64_t *at, int64_t bytes)
{
	u->differs |= *at != bytes;
	*at = bytes;
}

static void place_done(struct usage *u, struct sandbox *p)
{
	uint32_t volumes = p->object.pod->spec.volumes.n, place = u->place - volumes;

	if (u->place < volumes)
		note(u, &p->usage.volumes[u->place], u->bytes);
	else if (place % 2)
		note(u, &p->usage.containers[place / 2], u->layer + u->bytes);
	u->layer = u->bytes;
}

static void pod_done(struct usage *u, struct sandbox *p)
{
	note(u, &p->usage.inodes, u->inodes);
	if (!p->measured || u->differs) {
		p->measured = true;
		sandbox_changed(p);
	}
}

/* ---- walking ---- */

static void push(struct usage *u, int fd)
{
	DIR *d = fd < 0 || u->depth == USAGE_DEPTH ? NULL : fdopendir(fd);

	if (d)
		u->dirs[u->depth++] = d;
	else if (fd >= 0)
		close(fd);
}

/* Links are counted, not followed. */
static void count(struct usage *u, DIR *d, const char *name)
{
	struct stat st;

	if (fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	u->bytes += st.st_blocks * 512;
	u->inodes++;
	if (S_ISDIR(st.st_mode))
		push(u, openat(dirfd(d), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

static void step(struct usage *u, int *budget)
{
	for (; u->depth && *budget > 0; --*budget) {
		DIR *d = u->dirs[u->depth - 1];
		struct dirent *e = readdir(d);

		if (!e) {
			closedir(d);
			u->depth--;
		} else if (!streq(e->d_name, ".") && !streq(e->d_name, "..")) {
			count(u, d, e->d_name);
		}
	}
}

/* ---- rounds ---- */

static void begin_pod(struct usage *u, const struct sandbox *p)
{
	snprintf(u->uid, sizeof(u->uid), "%s", p->uid);
	u->place = 0;
	u->inodes = 0;
	u->differs = false;
}

static void begin_place(struct usage *u, const struct sandbox *p)
{
	struct arena a = { 0 };
	const char *path = place_path(&a, p, u->place);

	u->bytes = 0;
	u->walking = true;
	if (path)
		push(u, open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	arena_release(&a);
}

/* One thing to do: a pod, a place of it, a part of that; false: the round is over. */
static bool go_on(struct usage *u, int *budget)
{
	struct sandbox *p = u->pod < u->rt->nsandboxes ? u->rt->sandboxes[u->pod] : NULL;
	bool same = p && streq(p->uid, u->uid);

	*budget -= OTHER;
	if (u->walking && u->depth) {
		step(u, budget);
	} else if (u->walking) {
		if (same)
			place_done(u, p);
		u->walking = false;
		u->place++;
	} else if (same && u->place < places(p)) {
		begin_place(u, p);
	} else {
		if (same) {
			pod_done(u, p);
			u->pod++;
		}
		u->uid[0] = '\0';
		while (u->pod < u->rt->nsandboxes && !is_measured(u->rt->sandboxes[u->pod]))
			u->pod++;
		if (u->pod == u->rt->nsandboxes)
			return false;
		begin_pod(u, u->rt->sandboxes[u->pod]);
	}
	return true;
}

static bool anything(const struct runtime *r)
{
	for (uint32_t i = 0; i < r->nsandboxes; i++)
		if (is_measured(r->sandboxes[i]))
			return true;
	return false;
}

static void arm(struct usage *u, int64_t in);

static void on_time(struct loop_timer *t)
{
	struct usage *u = container_of(t, struct usage, timer);
	int budget = STEP;
	bool more = true;

	while (more && budget > 0)
		more = go_on(u, &budget);
	if (!more)
		u->pod = 0;
	u->armed = false;
	if (more || anything(u->rt))
		arm(u, more ? PAUSE : PERIOD);
}

static void arm(struct usage *u, int64_t in)
{
	u->armed = true;
	loop_timer_at(u->rt->loop, &u->timer, time_mono() + in, on_time);
}

void usage_watch(struct sandbox *p)
{
	struct usage *u = &p->rt->usage;

	if (u->armed || !is_measured(p))
		return;
	u->rt = p->rt;
	arm(u, PERIOD);
}

/* What is known of a pod that was not measured for a while is not worth knowing. */
void usage_of_all(struct runtime *r, bool all)
{
	struct usage *u = &r->usage;

	if (u->all == all)
		return;
	u->all = all;
	u->rt = r;
	for (uint32_t i = 0; all && i < r->nsandboxes; i++)
		r->sandboxes[i]->measured &= has_limits(r->sandboxes[i]);
	if (all)
		arm(u, PAUSE);
}

void usage_release(struct usage *u)
{
	while (u->depth)
		closedir(u->dirs[--u->depth]);
	if (u->armed)
		loop_timer_cancel(u->rt->loop, &u->timer);
}
