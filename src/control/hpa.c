/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HorizontalPodAutoscalers. What one decides is recorded, with what it needs to remember, and stands
 * in place of the replicas of its target's manifest from then on: a scale subresource. They decide
 * before workloads are looked at, from the metrics that were taken last.
 * https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
 */
#include "control/hpa.h"

#include <stdio.h>

#include "control/scale.h"

#define RECOMMENDED_ANNOTATION "orch/recommendations"
#define STEPS_ANNOTATION "orch/scale-steps"
#define LONGEST_PERIOD 1800		/* of policies, seconds */

/* ---- the record ---- */

static bool same_target(const struct object *record, const struct object *hpa)
{
	const struct cross_version_object_reference *then = record->hpa->spec.scale_target_ref;
	const struct cross_version_object_reference *now = hpa->hpa->spec.scale_target_ref;

	return !then || (now && streq(then->kind, now->kind) && streq(then->name, now->name));
}

/* What was decided about another target is of no interest to this one. */
static const struct object *record_of(struct pass *p, const struct object *hpa)
{
	const struct object_list *l = &p->in->observed->derived;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct object *o = &l->v[i];

		if (o->kind->id == KIND_HPA && object_cmp(o, hpa) == 0 && o->meta->uid &&
		    hpa->meta->uid && streq(o->meta->uid, hpa->meta->uid))
			return same_target(o, hpa) ? o : NULL;
	}
	return NULL;
}

/* "SECONDS:N SECONDS:N". A clock that went back makes nothing later than now. */
static void read_notes(struct autoscaler *h, const struct object *record, const char *key,
		       struct hpa_notes *ret)
{
	int64_t now = whole_seconds(h->p->in->now);
	const char *s = strmap_get(&record->meta->annotations, key);
	long long at;
	int n, used;

	while (s && sscanf(s, "%lld:%d %n", &at, &n, &used) == 2) {
		*arena_push(h->p->a, ret) = (struct hpa_note){ MIN(at * NSEC, now), n };
		s += used;
	}
}

static void write_notes(struct autoscaler *h, struct object *record, const char *key,
			const struct hpa_notes *l)
{
	const char *text = "";

	for (uint32_t i = 0; i < l->n; i++)
		text = arena_printf(h->p->a, "%s%lld:%d ", text, (long long)(l->v[i].at / NSEC),
				    l->v[i].n);
	if (*text)
		strmap_set(h->p->a, &record->meta->annotations, key, text);
}

static void load(struct autoscaler *h)
{
	const struct object *r = record_of(h->p, h->object);

	if (!r)
		return;
	h->last_scaled = MIN(r->hpa->status.last_scale_time, whole_seconds(h->p->in->now));
	read_notes(h, r, RECOMMENDED_ANNOTATION, &h->recommended);
	read_notes(h, r, STEPS_ANNOTATION, &h->steps);
}

static void save(struct autoscaler *h, int32_t replicas)
{
	const struct meta *m = h->object->meta;
	struct object o = object_new(h->p->a, KIND_HPA, m->namespace, m->name);

	o.meta->uid = arena_strdup(h->p->a, m->uid);
	write_notes(h, &o, RECOMMENDED_ANNOTATION, &h->recommended);
	write_notes(h, &o, STEPS_ANNOTATION, &h->steps);
	MARK(o.meta, meta, annotations);
	o.hpa->spec.scale_target_ref = schema_copy(h->p->a, &cross_version_object_reference_type,
						   h->spec->scale_target_ref);
	MARK(&o.hpa->spec, hpa_spec, scale_target_ref);
	MARK(o.hpa, hpa, spec);
	o.hpa->status.desired_replicas = replicas;
	o.hpa->status.last_scale_time = h->last_scaled;
	*arena_push(h->p->a, &h->p->out->derived) = o;
}

/* ---- the target ---- */

static bool is_target(const struct object *hpa, const struct object *o)
{
	const struct cross_version_object_reference *r = hpa->hpa->spec.scale_target_ref;

	return r && streq(r->kind, o->kind->name) && streq(r->name, o->meta->name) &&
	       streq(hpa->meta->namespace, o->meta->namespace);
}

static void take_pods(struct autoscaler *h, const char *uid)
{
	struct member_list l = members_owned_by(h->p, uid);

	for (uint32_t i = 0; i < l.n; i++)
		*arena_push(h->p->a, &h->pods) = l.v[i];
}

static void collect_pods(struct autoscaler *h)
{
	const struct object_list *l = &h->p->in->observed->derived;

	take_pods(h, h->target->meta->uid);
	for (uint32_t i = 0; h->target->kind->id == KIND_DEPLOYMENT && i < l->n; i++)
		if (l->v[i].kind->id == KIND_REPLICASET &&
		    owned_by(l->v[i].meta, h->target->meta->uid))
			take_pods(h, l->v[i].meta->uid);
}

/* ---- conditions ---- */

static void condition(struct autoscaler *h, const char *type, bool yes, const char *reason,
		      const char *message)
{
	struct condition_list *l = &h->status->conditions;
	struct condition c = {
		.type = type, .status = yes ? "True" : "False", .reason = reason, .message = message,
		.last_transition_time = h->object->meta->creation_timestamp,
	};

	for (uint32_t i = 0; i < l->n; i++) {
		if (!streq(l->v[i].type, type))
			continue;
		l->v[i] = c;
		return;
	}
	condition_add(h->p->a, l, &c);
}

/* ---- deciding ---- */

static const struct metric_spec *cpu_by_default(struct arena *a)
{
	struct metric_spec *m = arena_new(a, struct metric_spec);

	m->type = METRIC_RESOURCE;
	m->resource = arena_new(a, struct resource_metric_source);
	m->resource->name = "cpu";
	m->resource->target = arena_new(a, struct metric_target);
	m->resource->target->type = TARGET_UTILIZATION;
	m->resource->target->average_utilization = 80;
	return m;
}

static void fail_metrics(struct autoscaler *h, const struct hpa_proposal *x)
{
	const char *text = arena_printf(h->p->a, "the HPA was unable to compute the replica count: %s",
					x->message);

	condition(h, "ScalingActive", false, x->reason, text);
	pass_event(h->p, h->object, true, x->reason, x->message);
}

/* The most that a metric asks for; what can't be read lets nothing shrink. False: nothing is known. */
static bool ask_metrics(struct autoscaler *h, int32_t *ret, const char **ret_why)
{
	const struct metric_spec *fallback = h->spec->metrics.n ? NULL : cpu_by_default(h->p->a);
	struct hpa_proposal best = { 0 }, broken = { 0 };

	for (uint32_t i = 0; i < (fallback ? 1 : h->spec->metrics.n); i++) {
		struct hpa_proposal x = hpa_metric(h, fallback ? fallback : &h->spec->metrics.v[i]);

		if (!x.valid)
			broken = broken.reason ? broken : x;
		else if (!best.valid || x.replicas > best.replicas)
			best = x;
	}
	if (!best.valid || (broken.reason && best.replicas < h->current)) {
		fail_metrics(h, &broken);
		return false;
	}
	*ret = best.replicas;
	*ret_why = best.replicas > h->current ? arena_printf(h->p->a, "%s above target", best.name) :
						"All metrics below target";
	condition(h, "ScalingActive", true, "ValidMetricFound",
		  arena_printf(h->p->a, "the HPA was able to successfully calculate a replica count "
			       "from %s", best.name));
	return true;
}

static int32_t normalize(struct autoscaler *h, int32_t wanted)
{
	const char *reason = "ReadyForNewScale", *message = "recommended size matches current size";
	struct hpa_limited limited;
	int32_t n = hpa_stabilize(h, wanted, &reason, &message);

	condition(h, "AbleToScale", true, reason, message);
	n = hpa_limit(h, n, &limited);
	condition(h, "ScalingLimited", limited.limited, limited.reason, limited.message);
	return n;
}

/* -1: it stays as it is, as nothing is known */
static int32_t decide(struct autoscaler *h, const char **ret_why)
{
	int32_t wanted;

	if (h->current > h->max) {
		*ret_why = "Current number of replicas above Spec.MaxReplicas";
		return h->max;
	}
	if (h->current < h->min) {
		*ret_why = "Current number of replicas below Spec.MinReplicas";
		return h->min;
	}
	return ask_metrics(h, &wanted, ret_why) ? normalize(h, wanted) : -1;
}

static void note_step(struct autoscaler *h, int32_t by)
{
	int64_t oldest = h->p->in->now - LONGEST_PERIOD * NSEC;
	uint32_t keep = 0;

	for (uint32_t i = 0; i < h->steps.n; i++)
		if (h->steps.v[i].at > oldest)
			h->steps.v[keep++] = h->steps.v[i];
	h->steps.n = keep;
	h->last_scaled = whole_seconds(h->p->in->now);
	*arena_push(h->p->a, &h->steps) = (struct hpa_note){ h->last_scaled, by };
}

static void rescale(struct autoscaler *h, int32_t to, const char *why)
{
	note_step(h, to - h->current);
	condition(h, "AbleToScale", true, "SucceededRescale",
		  arena_printf(h->p->a, "the HPA controller was able to update the target scale to %d",
			       to));
	pass_event(h->p, h->object, false, "SuccessfulRescale",
		   arena_printf(h->p->a, "New size: %d; reason: %s", to, why));
}

static void run_target(struct autoscaler *h)
{
	const char *why = NULL;
	int32_t to;

	collect_pods(h);
	condition(h, "AbleToScale", true, "SucceededGetScale",
		  "the HPA controller was able to get the target's current scale");
	if (!scale_declared(h->target) && h->min) {
		condition(h, "ScalingActive", false, "ScalingDisabled",
			  "scaling is disabled since the replica count of the target is zero");
		return;
	}
	to = decide(h, &why);
	if (to >= 0 && to != h->current)
		rescale(h, to, why);
	to = to < 0 ? h->current : to;
	h->status->desired_replicas = to;
	h->status->current_replicas = h->current;
	h->status->last_scale_time = h->last_scaled;
	*arena_push(h->p->a, &h->p->scales) = (struct scale){ h->target, to };
	save(h, to);
}

static void run(struct pass *p, const struct object *o)
{
	const struct cross_version_object_reference *r = o->hpa->spec.scale_target_ref;
	struct autoscaler h = {
		.p = p, .object = o, .spec = &o->hpa->spec, .min = o->hpa->spec.min_replicas,
		.max = o->hpa->spec.max_replicas, .status = arena_new(p->a, struct hpa_status),
		.target = r ? scale_target(p, o->meta->namespace, r->kind, r->name) : NULL,
	};

	h.status->observed_generation = o->meta->generation;
	if (h.target) {
		const struct object *was = record_of(p, o);

		h.current = was ? was->hpa->status.desired_replicas : scale_declared(h.target);
		load(&h);
		run_target(&h);
	} else {
		condition(&h, "AbleToScale", false, "FailedGetScale",
			  arena_printf(p->a, "the HPA controller was unable to get the target's current "
				       "scale: %s \"%s\" not found", r ? r->kind : "", r ? r->name : ""));
	}
	pass_status(p, o, h.status);
}

/* Of several for one target the first decides. */
static bool is_taken(struct pass *p, const struct object *hpa)
{
	for (uint32_t i = 0; i < p->scales.n; i++)
		if (is_target(hpa, p->scales.v[i].target))
			return true;
	return false;
}

static void refuse(struct pass *p, const struct object *o)
{
	struct autoscaler h = { .p = p, .object = o, .status = arena_new(p->a, struct hpa_status) };

	condition(&h, "ScalingActive", false, "AmbiguousSelector",
		  "the target is already scaled by another HPA");
	pass_status(p, o, h.status);
}

void autoscalers_run(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_HPA);

	for (uint32_t i = 0; i < l.n; i++) {
		if (is_taken(p, &l.v[i]))
			refuse(p, &l.v[i]);
		else
			run(p, &l.v[i]);
	}
}
