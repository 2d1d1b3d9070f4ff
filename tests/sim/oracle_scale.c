/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about autoscalers: what they choose is within their bounds, does not change faster than
 * their policies say, and once nothing changes any more is what the pods' use asks for.
 */
#include <stdio.h>
#include <stdlib.h>

#include "oracle.h"
#include "schema/schema.h"

#define PRECISION NSEC		/* of the times at which steps are recorded */

static int32_t *said(const struct object *o)
{
	switch (o->kind->id) {
	case KIND_DEPLOYMENT: return &o->deployment->spec.replicas;
	case KIND_REPLICASET: return &o->replicaset->spec.replicas;
	case KIND_STATEFULSET: return &o->statefulset->spec.replicas;
	case KIND_REPLICATIONCONTROLLER: return &o->replication_controller->spec.replicas;
	default: return NULL;
	}
}

static bool is_target(const struct object *hpa, const struct object *o)
{
	const struct cross_version_object_reference *r = hpa->hpa->spec.scale_target_ref;

	return streq(r->kind, o->kind->name) && streq(r->name, o->meta->name);
}

int32_t scene_replicas(const struct scene *c, const struct object_list *records,
		       const struct object *o)
{
	struct object_list l = set_kind(c->sim->set, KIND_HPA);

	for (uint32_t i = 0; i < l.n; i++) {
		const struct object *r = scene_record(records, KIND_HPA, l.v[i].meta->uid);

		if (r && is_target(&l.v[i], o))
			return r->hpa->status.desired_replicas;
	}
	return said(o) ? *said(o) : -1;
}

bool oracle_same_but_scaled(const struct sim *s, const struct object *a, const struct object *b)
{
	struct object_list l = set_kind(s->set, KIND_HPA);
	struct arena scratch = { 0 };
	bool scaled = false, same;

	for (uint32_t i = 0; i < l.n; i++)
		scaled |= is_target(&l.v[i], b);
	if (!scaled || !said(b))
		return false;
	struct object copy = object_copy(&scratch, b);
	*said(&copy) = *said(a);
	copy.meta->generation = a->meta->generation;
	same = schema_equal(a->kind->type, a->body, copy.body);
	arena_release(&scratch);
	return same;
}

struct deployment_spec scene_deployment(const struct scene *c, const struct object_list *records,
					const struct object *o)
{
	struct deployment_spec s = o->deployment->spec;

	s.replicas = scene_replicas(c, records, o);
	return s;
}

struct statefulset_spec scene_statefulset(const struct scene *c, const struct object_list *records,
					  const struct object *o)
{
	struct statefulset_spec s = { 0 };

	if (!o)
		return s;
	s = o->statefulset->spec;
	s.replicas = scene_replicas(c, records, o);
	return s;
}

static const struct object *target_of(const struct scene *c, const struct object *hpa)
{
	for (uint32_t i = 0; i < c->sim->set->objects.n; i++)
		if (is_target(hpa, &c->sim->set->objects.v[i]))
			return &c->sim->set->objects.v[i];
	return NULL;
}

/* ---- how fast ---- */

/* The sizes of one autoscaler around a moment: the least and the most; the first one it had when
 * that was later. */
static void size_at(const struct oracle *k, const char *uid, int64_t t, int32_t *least,
		    int32_t *most)
{
	bool any = false;

	for (uint32_t i = 0; i < k->sizes.n; i++) {
		const struct oracle_size *z = &k->sizes.v[i];

		if (!streq(z->uid, uid) || (any && z->at > t + PRECISION))
			continue;
		*least = any && z->at > t ? MIN(*least, z->n) : z->n;
		*most = any && z->at > t ? MAX(*most, z->n) : z->n;
		any = true;
	}
}

static int64_t reach(const struct hpa_scaling_policy *p, int64_t from, bool up)
{
	if (p->type == SCALING_PERCENT)
		return up ? (from * (100 + p->value) + 99) / 100 :
			    from * MAX(100 - p->value, (int64_t)0) / 100;
	return up ? from + p->value : from - p->value;
}

/* Any of several policies may be the one that counts. */
static bool in_time(const struct scene *c, const struct object *hpa,
		    const struct hpa_scaling_rules *r, int32_t n, bool up)
{
	if (!r || !r->policies.n)
		return true;
	for (uint32_t i = 0; i < r->policies.n; i++) {
		const struct hpa_scaling_policy *p = &r->policies.v[i];
		int32_t least = n, most = n;

		size_at(c->oracle, hpa->meta->uid, c->sim->now - p->period_seconds * NSEC, &least,
			&most);
		if (up ? n <= reach(p, most, true) : n >= reach(p, least, false))
			return true;
	}
	return false;
}

static void check_rate(const struct scene *c, const struct object *hpa, int32_t before, int32_t n)
{
	const struct hpa_behavior *b = hpa->hpa->spec.behavior;
	bool up = n > before;
	const struct hpa_scaling_rules *r = !b ? NULL : up ? b->scale_up : b->scale_down;

	if (n == before || n == (up ? hpa->hpa->spec.min_replicas : hpa->hpa->spec.max_replicas))
		return;
	if (r && r->select_policy == SCALING_DISABLED)
		sim_broken(c->sim, "scale-rate", "%s goes from %d to %d, which is disabled",
			   hpa->meta->name, before, n);
	else if (!in_time(c, hpa, r, n, up))
		sim_broken(c->sim, "scale-rate", "%s goes from %d to %d too fast", hpa->meta->name,
			   before, n);
}

static void remember(struct oracle *k, const char *uid, int32_t n)
{
	struct oracle_size *z = arena_push(&k->arena, &k->sizes);

	snprintf(z->uid, sizeof(z->uid), "%s", uid);
	z->at = k->sim->now;
	z->n = n;
}

static void forget(struct oracle *k, const char *uid)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k->sizes.n; i++)
		if (!streq(k->sizes.v[i].uid, uid))
			k->sizes.v[n++] = k->sizes.v[i];
	k->sizes.n = n;
}

/* Of two records. */
static bool same_target(const struct object *x, const struct object *y)
{
	const struct cross_version_object_reference *a = x->hpa->spec.scale_target_ref;
	const struct cross_version_object_reference *b = y->hpa->spec.scale_target_ref;

	return streq(a->kind, b->kind) && streq(a->name, b->name);
}

static void check(const struct scene *c, const struct object *hpa)
{
	const struct object *was = scene_record(&c->o->derived, KIND_HPA, hpa->meta->uid);
	const struct object *is = scene_record(&c->w->derived, KIND_HPA, hpa->meta->uid);
	int32_t n = is ? is->hpa->status.desired_replicas : 0;

	if (!is || !was || !same_target(was, is)) {
		was = NULL;
		forget(c->oracle, hpa->meta->uid);
	}
	if (!is)
		return;
	if (n < hpa->hpa->spec.min_replicas || n > hpa->hpa->spec.max_replicas)
		sim_broken(c->sim, "scale-range", "%s asks for %d, allowed are %d to %d",
			   hpa->meta->name, n, hpa->hpa->spec.min_replicas,
			   hpa->hpa->spec.max_replicas);
	if (was && !c->oracle->clock_back && !c->oracle->lossy)
		check_rate(c, hpa, was->hpa->status.desired_replicas, n);
	if (!was || was->hpa->status.desired_replicas != n)
		remember(c->oracle, hpa->meta->uid, n);
}

void oracle_scales(const struct scene *c)
{
	struct object_list l = set_kind(c->sim->set, KIND_HPA);

	c->oracle->lossy |= c->sim->disk_full;
	for (uint32_t i = 0; i < l.n; i++)
		check(c, &l.v[i]);
}

/* ---- how many, in the end ---- */

struct use { int64_t is, goal; uint32_t pods; bool unknown; };

static int64_t goal_of(const struct metric_target *t, const struct container *c,
		       const char *resource)
{
	const struct resource_requirements *r = c->resources;
	const struct quantity *q = r ? qtymap_get(&r->requests, resource) : NULL;

	if (t->type != TARGET_UTILIZATION)
		return t->average_value.milli;
	return q ? q->milli * t->average_utilization / 100 : 0;
}

static void add_pod(const struct metric_spec *m, const struct observed_pod *p, struct use *u)
{
	bool whole = m->type == METRIC_RESOURCE;
	const char *name = whole ? m->resource->name : m->container_resource->name;
	const struct metric_target *t = whole ? m->resource->target : m->container_resource->target;
	const struct container_use *used = &p->containers[0].used;
	int64_t goal = goal_of(t, &p->object->pod->spec.containers.v[0], name);

	u->is += streq(name, "cpu") ? used->cpu_milli : used->memory * 1000;
	u->goal += goal;
	u->pods++;
	u->unknown |= !goal || !used->at || !p->ready_since;
}

/* Its Deployment's pods carry the name of a ReplicaSet. */
static bool belongs(const struct scene *c, const struct object *pod, const struct object *target)
{
	const struct owner_reference *r = scene_owner(pod);
	const struct object *rs = r ? scene_record(&c->o->derived, KIND_REPLICASET, r->uid) : NULL;

	return scene_owned(pod, target->meta->uid) || (rs && scene_owned(rs, target->meta->uid));
}

static int64_t wanted(const struct use *u, const struct hpa_spec *s, int64_t n)
{
	const struct hpa_scaling_rules *down = s->behavior ? s->behavior->scale_down : NULL;
	int64_t ask = (u->is * u->pods + u->goal - 1) / u->goal;

	if (labs(u->is - u->goal) * 10 <= u->goal)
		return n;
	if (ask < n && down && down->select_policy == SCALING_DISABLED)
		return n;
	return MAX(MIN(ask, (int64_t)s->max_replicas), (int64_t)s->min_replicas);
}

void oracle_scaled(const struct scene *c)
{
	struct object_list l = set_kind(c->sim->set, KIND_HPA);

	for (uint32_t i = 0; i < l.n; i++) {
		const struct object *r = scene_record(&c->o->derived, KIND_HPA, l.v[i].meta->uid);
		const struct object *target = target_of(c, &l.v[i]);
		struct use u = { 0 };

		for (uint32_t k = 0; r && target && k < c->o->npods; k++)
			if (belongs(c, c->o->pods[k].object, target))
				add_pod(&l.v[i].hpa->spec.metrics.v[0], &c->o->pods[k], &u);
		if (!u.pods || u.unknown)
			continue;
		int32_t n = r->hpa->status.desired_replicas;
		int64_t ask = wanted(&u, &l.v[i].hpa->spec, n);
		if (ask != n)
			sim_broken(c->sim, "scaled", "%s has chosen %d, the use of %u pods asks "
				   "for %d", l.v[i].meta->name, n, u.pods, (int)ask);
	}
}
