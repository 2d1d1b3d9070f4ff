/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples of the control groups of containers whose workload is scaled by an autoscaler. Processor time
 * is a counter, so that a rate is known from the second sample on. Each round makes a new list from the
 * one before; what has gone is not in it.
 */
#include "daemon/metrics.h"

#include "base/macro.h"
#include "sys/cgroup.h"

struct sample {
	const char *uid, *container;
	uint64_t cpu_ns;
	int64_t taken;			/* time_mono() */
	struct container_use use;
};

struct metrics {
	struct daemon *d;
	struct loop_timer due;
	struct arena arena;
	struct { struct sample *v; uint32_t n; } samples;
};

static const struct sample *find(const struct metrics *m, const char *uid, const char *container)
{
	for (uint32_t i = 0; i < m->samples.n; i++)
		if (streq(m->samples.v[i].uid, uid) && streq(m->samples.v[i].container, container))
			return &m->samples.v[i];
	return NULL;
}

/* Is it, or a ReplicaSet with a hash behind its name, the controller of the pod? */
static bool controls(const struct cross_version_object_reference *to, const struct meta *pod)
{
	for (uint32_t i = 0; i < pod->owner_references.n; i++) {
		const struct owner_reference *r = &pod->owner_references.v[i];
		const char *dash = strrchr(r->name, '-');

		if (!r->controller)
			continue;
		if (streq(r->kind, to->kind) && streq(r->name, to->name))
			return true;
		if (streq(to->kind, "Deployment") && streq(r->kind, "ReplicaSet") && dash &&
		    strlen(to->name) == (size_t)(dash - r->name) &&
		    strncmp(to->name, r->name, strlen(to->name)) == 0)
			return true;
	}
	return false;
}

static bool is_scaled(const struct daemon *d, const struct object *pod)
{
	struct object_list l = set_kind(d->applied, KIND_HPA);

	for (uint32_t i = 0; i < l.n; i++) {
		const struct cross_version_object_reference *to = l.v[i].hpa->spec.scale_target_ref;

		if (to && streq(l.v[i].meta->namespace, pod->meta->namespace) &&
		    controls(to, pod->meta))
			return true;
	}
	return false;
}

/* The counter begins anew with the container. */
static void rate(struct sample *s, const struct sample *before)
{
	int64_t elapsed = before ? s->taken - before->taken : 0;

	if (elapsed <= 0 || s->cpu_ns < before->cpu_ns)
		return;
	s->use.at = time_now();
	s->use.window = elapsed;
	s->use.cpu_milli = (int64_t)((double)(s->cpu_ns - before->cpu_ns) * 1000 / (double)elapsed);
}

static void sample_pod(struct metrics *m, const struct metrics *before, const struct object *o)
{
	for (uint32_t i = 0; i < pod_container_count(&o->pod->spec); i++) {
		const char *name = pod_container(&o->pod->spec, i)->name;
		struct cgroup_usage u;
		struct sample *s;

		if (runtime_usage(m->d->runtime, o->meta->namespace, o->meta->name, name, &u, NULL) < 0)
			continue;
		s = arena_push(&m->arena, &m->samples);
		*s = (struct sample){
			.uid = arena_strdup(&m->arena, o->meta->uid),
			.container = arena_strdup(&m->arena, name),
			.cpu_ns = u.cpu_ns, .taken = time_mono(),
			.use.memory = (int64_t)(u.memory - MIN(u.memory_inactive_file, u.memory)),
		};
		rate(s, find(before, s->uid, name));
	}
}

static void on_due(struct loop_timer *t);

static void round_of(struct metrics *m)
{
	struct metrics before = *m;
	uint32_t n;
	struct view_entry **v = view_list(m->d->view, KIND_POD, &n);

	m->arena = (struct arena){ 0 };
	m->samples.v = NULL;
	m->samples.n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (is_scaled(m->d, &v[i]->object))
			sample_pod(m, &before, &v[i]->object);
	arena_release(&before.arena);
	loop_timer_at(m->d->loop, &m->due, time_mono() + m->d->settings->hpa_period * NSEC, on_due);
}

static void on_due(struct loop_timer *t)
{
	struct metrics *m = container_of(t, struct metrics, due);

	round_of(m);
	daemon_dirty(m->d);
}

void metrics_free(struct daemon *d)
{
	if (!d->metrics)
		return;
	loop_timer_cancel(d->loop, &d->metrics->due);
	arena_release(&d->metrics->arena);
	free(d->metrics);
	d->metrics = NULL;
}

static void switch_on(struct daemon *d)
{
	d->metrics = calloc(1, sizeof(*d->metrics));
	if (!d->metrics)
		abort();
	d->metrics->d = d;
	round_of(d->metrics);
}

void metrics_observe(struct daemon *d, struct observed *o)
{
	bool wanted = d->applied && set_kind(d->applied, KIND_HPA).n;

	if (wanted && !d->metrics)
		switch_on(d);
	else if (!wanted)
		metrics_free(d);
	for (uint32_t i = 0; d->metrics && i < o->npods; i++) {
		const struct observed_pod *p = &o->pods[i];

		for (uint32_t k = 0; k < p->ncontainers; k++) {
			const struct sample *s = find(d->metrics, p->object->meta->uid,
						      p->containers[k].name);

			if (s)
				p->containers[k].used = s->use;
		}
	}
}
