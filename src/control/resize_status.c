/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a pod's status and its events say of changes of its resources, in kubelet's words: asked for
 * and not granted (PodResizePending), or granted and not yet in force (PodResizeInProgress).
 */
#include "control/resize.h"

/* ---- events ---- */

static void put_list(struct json *j, const char *key, const struct container_list *l)
{
	if (!l->n)
		return;
	json_key(j, key);
	json_begin_array(j);
	for (uint32_t i = 0; i < l->n; i++) {
		json_begin_object(j);
		json_kstr(j, "name", l->v[i].name);
		if (l->v[i].resources) {
			json_key(j, "resources");
			schema_json_value(j, &resource_requirements_type, l->v[i].resources, 0);
		}
		json_end_object(j);
	}
	json_end_array(j);
}

static const char *summary(struct arena *a, const char *what, const struct pod_spec *s,
			   int64_t generation, const char *error)
{
	BUF_AUTO out = { 0 };
	struct json j;

	json_init(&j, &out, false);
	json_begin_object(&j);
	put_list(&j, "initContainers", &s->init_containers);
	put_list(&j, "containers", &s->containers);
	json_kint(&j, "generation", generation);
	if (error)
		json_kstr(&j, "error", error);
	json_end_object(&j);
	return arena_printf(a, "Pod resize %s: %s", what, buf_str(&out));
}

static void tell(struct pass *p, const struct member *m, bool warning, const char *reason,
		 const char *text, int64_t when)
{
	if (when && p->in->now - when <= TELL_WINDOW)
		pass_event_at(p, &m->want.object, warning, reason, text, when);
}

static void tell_progress(struct pass *p, const struct member *m, const struct observed_resize *r)
{
	const struct pod_spec *s = &m->want.object.pod->spec;

	tell(p, m, false, "ResizeStarted", summary(p->a, "started", s, r->generation, NULL),
	     r->started_at);
	if (r->done_at)
		tell(p, m, false, "ResizeCompleted",
		     summary(p->a, "completed", s, r->generation, NULL), r->done_at);
	else if (r->error)
		tell(p, m, true, "ResizeError",
		     summary(p->a, "error", s, r->generation, r->error), r->failed_at);
}

/* ---- conditions ---- */

static void add(struct pass *p, struct pod_status *s, const char *type, const char *reason,
		const char *message, int64_t since, int64_t generation)
{
	condition_add(p->a, &s->conditions, &(struct condition){
		.type = type, .status = "True", .reason = reason, .message = message,
		.last_transition_time = whole_seconds(since), .observed_generation = generation,
	});
}

void resize_show(struct pass *p, const struct member *m, struct pod_status *s)
{
	const struct observed_resize *r = m->seen ? m->seen->resize : NULL;
	const struct resize *asked = m->resize;
	int64_t generation = m->want.object.meta->generation;

	if (asked && asked->reason) {
		add(p, s, "PodResizePending", asked->reason, asked->message, asked->since,
		    generation);
		tell(p, m, true, streq(asked->reason, "Deferred") ? "ResizeDeferred" :
								     "ResizeInfeasible",
		     summary(p->a, asked->reason, &asked->desired, generation, asked->message),
		     asked->since);
	}
	if (r && !m->finished)
		tell_progress(p, m, r);
	if (r && !r->done_at && !m->finished)
		add(p, s, "PodResizeInProgress", r->error ? "Error" : NULL, r->error, r->started_at,
		    r->generation);
	else if (m->want.resize && !m->finished)
		add(p, s, "PodResizeInProgress", NULL, NULL, p->in->now, generation);
}

/* ---- containers ---- */

static void put_cpu(struct arena *a, struct qtymap *m, int64_t milli)
{
	if (milli)
		qtymap_set(a, m, "cpu", quantity_from_milli(a, milli));
}

static void put_memory(struct arena *a, struct qtymap *m, int64_t bytes)
{
	struct quantity q = { 0 };

	if (!bytes)
		return;
	quantity_parse(a, bytes % 1024 ? arena_printf(a, "%lld", (long long)bytes) :
					 arena_printf(a, "%lldKi", (long long)bytes / 1024), &q);
	qtymap_set(a, m, "memory", q);
}

static struct qtymap others(struct arena *a, const struct qtymap *of)
{
	struct qtymap m = { 0 };

	for (uint32_t i = 0; i < of->n; i++)
		if (!streq(of->v[i].k, "cpu") && !streq(of->v[i].k, "memory"))
			qtymap_set(a, &m, of->v[i].k, of->v[i].v);
	return m;
}

static struct resource_requirements *in_force(struct arena *a,
					      const struct resource_requirements *of,
					      const struct container_resources *r)
{
	struct resource_requirements *is = arena_new(a, struct resource_requirements);

	if (of) {
		is->limits = others(a, &of->limits);
		is->requests = others(a, &of->requests);
	}
	put_cpu(a, &is->limits, r->cpu_limit_milli);
	put_memory(a, &is->limits, r->memory_limit);
	put_cpu(a, &is->requests, r->cpu_request_milli);
	put_memory(a, &is->requests, r->memory_request);
	return is;
}

/* What this pass grants is in force when it is over, and the pod's record is another one then. */
static struct resource_requirements *present(struct pass *p, const struct member *m, uint32_t index)
{
	bool changes = m->seen && m->want.resize;
	const struct pod_spec *s = changes ? &m->seen->object->pod->spec :
					     &m->want.object.pod->spec;
	struct resource_requirements *r = pod_container(s, index)->resources;

	return changes && r ? schema_copy(p->a, &resource_requirements_type, r) : r;
}

void resize_show_container(struct pass *p, const struct member *m, uint32_t index,
			   struct container_status *s)
{
	const struct container *spec = pod_container(&m->want.object.pod->spec, index);
	const struct observed_container *c = member_container(m, spec->name);

	if (spec->resources)
		s->allocated_resources = spec->resources->requests;
	s->resources = present(p, m, index);
	if (c && c->in_force)
		s->resources = in_force(p->a, spec->resources, c->in_force);
}
