/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of sandboxes, and what belongs to every one of them. */
#include <stdarg.h>
#include <stdio.h>

#include "base/macro.h"
#include "runtime/ephemeral.h"
#include "runtime/files.h"
#include "runtime/sandbox.h"

static int compare(const struct sandbox *p, const char *ns, const char *name)
{
	int r = strcmp(p->object.meta->namespace, ns);

	return r ? r : strcmp(p->object.meta->name, name);
}

/* First place whose pod is not before ns/name. */
static uint32_t place(const struct runtime *r, const char *ns, const char *name)
{
	uint32_t lo = 0, hi = r->nsandboxes;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (compare(r->sandboxes[mid], ns, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct sandbox *sandbox_find(struct runtime *r, const char *ns, const char *name)
{
	uint32_t i = place(r, ns, name);

	if (i == r->nsandboxes || compare(r->sandboxes[i], ns, name) != 0)
		return NULL;
	return r->sandboxes[i];
}

void sandbox_insert(struct sandbox *p)
{
	struct runtime *r = p->rt;
	uint32_t i = place(r, p->object.meta->namespace, p->object.meta->name);

	if (r->nsandboxes == r->room) {
		r->room = r->room ? r->room * 2 : 64;
		r->sandboxes = realloc(r->sandboxes, r->room * sizeof(*r->sandboxes));
		if (!r->sandboxes)
			abort();
	}
	memmove(r->sandboxes + i + 1, r->sandboxes + i,
		(r->nsandboxes - i) * sizeof(*r->sandboxes));
	r->sandboxes[i] = p;
	r->nsandboxes++;
}

void sandbox_take_out(struct sandbox *p)
{
	struct runtime *r = p->rt;
	uint32_t i = place(r, p->object.meta->namespace, p->object.meta->name);

	r->nsandboxes--;
	memmove(r->sandboxes + i, r->sandboxes + i + 1,
		(r->nsandboxes - i) * sizeof(*r->sandboxes));
}

/* The containers keep their state: of the specification of a pod only resources ever change. */
void sandbox_set_object(struct sandbox *p, const struct object *o)
{
	struct arena old = p->object_arena;

	p->object_arena = (struct arena){ 0 };
	p->object = object_copy(&p->object_arena, o);
	p->object.stamp = ++p->rt->stamps;
	for (uint32_t i = 0; i < p->nruns; i++)
		p->runs[i].spec = pod_container(&p->object.pod->spec, i);
	ephemerals_show(p);
	sweep_arena(&p->rt->sweep, &old);
}

static void make_runs(struct sandbox *p)
{
	const struct pod_spec *s = &p->object.pod->spec;

	p->nruns = pod_container_count(s);
	p->runs = arena_array(&p->arena, struct container_run, p->nruns);
	for (uint32_t i = 0; i < p->nruns; i++) {
		struct container_run *run = &p->runs[i];

		run->spec = pod_container(s, i);
		run->role = pod_container_role(s, i);
		snprintf(run->st.name, sizeof(run->st.name), "%s", run->spec->name);
	}
}

struct sandbox *sandbox_new(struct runtime *r, const struct object *o)
{
	const struct runtime_settings *s = &r->s;
	struct sandbox *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	struct arena *a = &p->arena;
	p->rt = r;
	p->object = object_copy(&p->object_arena, o);
	p->object.stamp = ++r->stamps;
	p->uid = arena_strdup(a, o->meta->uid);
	p->run_dir = arena_printf(a, "%s/pods/%s", s->run_dir, p->uid);
	p->state_dir = arena_printf(a, "%s/pods/%s", s->state_dir, p->uid);
	p->log_dir = arena_printf(a, "%s/%s_%s_%s", s->log_dir, o->meta->namespace, o->meta->name,
				  p->uid);
	p->cgroup = arena_printf(a, "pod%s", p->uid);
	p->host_name = files_host_name(a, o, s->node_name, s->cluster_domain);
	make_runs(p);
	ephemerals_restore(p);
	p->usage.volumes = arena_array(a, int64_t, o->pod->spec.volumes.n);
	p->usage.containers = arena_array(a, int64_t, p->nruns);
	link_init(&p->link, r->loop, arena_printf(a, "%s/shim.sock", p->run_dir));
	return p;
}

void sandbox_free(struct sandbox *p)
{
	loop_timer_cancel(p->rt->loop, &p->overdue);
	free(p->evicted);
	for (uint32_t i = 0; i < p->nruns; i++)
		free(p->runs[i].last_words);
	link_release(&p->link);
	for (uint32_t i = 0; i < p->nruns; i++)
		free(p->runs[i].image_id);
	for (struct ephemeral *e = p->ephemerals; e; e = e->next) {
		free(e->run.image_id);
		free(e->run.last_words);
	}
	arena_release(&p->object_arena);
	arena_release(&p->arena);
	free(p);
}

struct container_run *sandbox_run(struct sandbox *p, const char *name)
{
	for (uint32_t i = 0; i < p->nruns; i++)
		if (streq(p->runs[i].spec->name, name))
			return &p->runs[i];
	for (struct ephemeral *e = p->ephemerals; e; e = e->next)
		if (streq(e->spec.name, name))
			return &e->run;
	return NULL;
}

bool sandbox_runs_anything(const struct sandbox *p)
{
	for (uint32_t i = 0; i < p->nruns; i++)
		if (p->runs[i].starting || p->runs[i].st.phase == SHIM_RUNNING)
			return true;
	for (const struct ephemeral *e = p->ephemerals; e; e = e->next)
		if (e->run.starting || e->run.st.phase == SHIM_RUNNING)
			return true;
	return false;
}

/* What was ordered and has not been answered never will be. */
void sandbox_forget_orders(struct sandbox *p)
{
	for (uint32_t i = 0; i < p->nruns; i++)
		p->runs[i].starting = p->runs[i].killing = false;
	for (struct ephemeral *e = p->ephemerals; e; e = e->next)
		e->run.starting = false;
}

void sandbox_break(struct sandbox *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->message, sizeof(p->message), fmt, ap);
	va_end(ap);
	p->stage = p->stopped_at ? POD_DOWN : POD_BROKEN;
	sandbox_forget_orders(p);
}

void sandbox_answered(struct sandbox *p)
{
	if (!p->adopting)
		return;
	p->adopting = false;
	if (--p->rt->unsettled == 0)
		loop_timer_cancel(p->rt->loop, &p->rt->patience);
}

static bool ready(const struct sandbox *p)
{
	for (uint32_t i = 0; i < p->nruns; i++) {
		struct observed_container c = observe_run(&p->runs[i]);

		if (p->runs[i].role != ROLE_INIT && !observed_container_ready(&c))
			return false;
	}
	return p->stage == POD_UP && p->nruns;
}

/* After an adoption nobody knows since when it was ready: since all run is the best guess. */
static int64_t ready_from(const struct sandbox *p)
{
	int64_t t = 0;

	for (uint32_t i = 0; p->adopting && i < p->nruns; i++)
		t = MAX(t, p->runs[i].st.started_at);
	return t ? t : time_now();
}

void sandbox_changed(struct sandbox *p)
{
	if (!ready(p))
		p->ready_since = 0;
	else if (!p->ready_since)
		p->ready_since = ready_from(p);
	p->rt->ev.changed(p->rt->ev.data);
}
