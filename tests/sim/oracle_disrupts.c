/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about preemption: only for somebody more important who may do it, and a
 * PodDisruptionBudget is spent beyond what it can spare only where pods of no budget can't make the
 * room.
 */
#include "oracle.h"

#include <stdio.h>

static const struct observed_pod *seen(const struct scene *c, const struct wanted_pod *w)
{
	return observed_find(c->o, w->object.meta->namespace, w->object.meta->name);
}

static int32_t priority(const struct object *pod)
{
	return pod->pod->spec.priority;
}

static int64_t cpu_of(const struct object *pod)
{
	const struct container_list *l = &pod->pod->spec.containers;
	int64_t sum = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct resource_requirements *r = l->v[i].resources;
		const struct quantity *q = r ? qtymap_get(&r->requests, "cpu") : NULL;

		sum += q ? q->milli : 0;
	}
	return sum;
}

static bool started(const struct observed_pod *p)
{
	return p && p->ncontainers && p->containers[0].phase != RUN_CREATED;
}

/* Told to go in this pass, for somebody. */
static bool is_victim(const struct scene *c, const struct wanted_pod *w)
{
	const struct observed_pod *p = seen(c, w);

	return w->stop && w->why && strncmp(w->why, "preempted by ", 13) == 0 && p &&
	       !p->stopped_at && p->stage <= POD_UP;
}

static const struct wanted_pod *beneficiary(const struct scene *c, const struct wanted_pod *victim)
{
	for (uint32_t i = 0; i < c->w->pods.n; i++) {
		const struct meta *m = c->w->pods.v[i].object.meta;
		char why[600];

		snprintf(why, sizeof(why), "preempted by %s/%s", m->namespace, m->name);
		if (streq(why, victim->why))
			return &c->w->pods.v[i];
	}
	return NULL;
}

static void check_victim(const struct scene *c, const struct wanted_pod *w,
			 const struct wanted_pod *by)
{
	const char *name = w->object.meta->name;

	if (!by)
		sim_broken(c->sim, "preemption", "%s has to go for nobody", name);
	else if (priority(&by->object) <= priority(&w->object))
		sim_broken(c->sim, "preemption", "%s has to go for %s, which is not more important",
			   name, by->object.meta->name);
	else if (by->object.pod->spec.preemption_policy == PREEMPT_NEVER || by->stop ||
		 started(seen(c, by)))
		sim_broken(c->sim, "preemption", "%s has to go for %s, which may not ask for it",
			   name, by->object.meta->name);
}

/* ---- budgets ---- */

static bool covers(const struct object *pdb, const struct object *pod)
{
	return selector_matches(pdb->pdb->spec.selector, &pod->meta->labels);
}

static bool is_covered(const struct scene *c, const struct object *pod)
{
	struct object_list l = set_kind(c->sim->set, KIND_PDB);

	for (uint32_t i = 0; i < l.n; i++)
		if (covers(&l.v[i], pod))
			return true;
	return false;
}

/* Who it counts for: a Deployment in place of its ReplicaSet. NULL: nobody with replicas. */
static const struct object *workload(const struct scene *c, const struct object *pod)
{
	static const enum kind_id kinds_[] = {
		KIND_DEPLOYMENT, KIND_REPLICASET, KIND_STATEFULSET, KIND_REPLICATIONCONTROLLER,
	};
	const struct owner_reference *r = scene_owner(pod);
	const struct object *rs = r ? scene_record(&c->w->derived, KIND_REPLICASET, r->uid) : NULL;

	if (rs && scene_owner(rs))
		r = scene_owner(rs);
	for (size_t i = 0; r && i < ARRAY_SIZE(kinds_); i++) {
		const struct object *o = scene_declared(c, kinds_[i], r->uid);

		if (o)
			return o;
	}
	return NULL;
}

/* How many healthy pods of it may go. Its selector has pods of one workload. */
static int32_t spare(const struct scene *c, const struct object *pdb)
{
	const struct pdb_spec *s = &pdb->pdb->spec;
	const struct object *of = NULL;
	int32_t healthy = 0, expected;

	for (uint32_t i = 0; i < c->o->npods; i++) {
		const struct observed_pod *p = &c->o->pods[i];

		if (!covers(pdb, p->object))
			continue;
		of = of ? of : workload(c, p->object);
		healthy += p->ready_since && p->stage == POD_UP && !p->stopped_at;
	}
	if (HAS(s, pdb_spec, min_available) && !s->min_available.str)
		return healthy - s->min_available.num;
	if (!of)
		return 0;
	expected = scene_replicas(c, &c->w->derived, of);
	if (HAS(s, pdb_spec, max_unavailable))
		return healthy - (expected - intstr_scale(&s->max_unavailable, expected, true));
	return healthy - intstr_scale(&s->min_available, expected, true);
}

/* Would the room do without any pod of a budget? What is on its way to a place counts as there. */
static bool others_suffice(const struct scene *c, const struct wanted_pod *by)
{
	int64_t cpu = cpu_of(&by->object);
	uint32_t n = 1;

	for (uint32_t i = 0; i < c->w->pods.n; i++) {
		const struct wanted_pod *w = &c->w->pods.v[i];
		const struct observed_pod *p = seen(c, w);
		bool lower = priority(&w->object) < priority(&by->object);

		if (w == by || (w->stop && !is_victim(c, w)))
			continue;
		if (lower && started(p) && !is_covered(c, &w->object))
			continue;
		n++;
		cpu += cpu_of(&w->object);
	}
	return n <= c->sim->room && cpu <= (int64_t)c->sim->room * SIM_CPU;
}

static void check_budget(const struct scene *c, const struct object *pdb,
			 const struct wanted_pod *by)
{
	int32_t gone = 0, left = spare(c, pdb);

	for (uint32_t i = 0; i < c->w->pods.n; i++) {
		const struct wanted_pod *w = &c->w->pods.v[i];
		const struct observed_pod *p = seen(c, w);

		gone += is_victim(c, w) && covers(pdb, &w->object) && p->ready_since;
	}
	if (gone && gone > left && others_suffice(c, by))
		sim_broken(c->sim, "budget", "%d pods have to go for %s, the budget %s spares %d, "
			   "and others would do", gone, by->object.meta->name, pdb->meta->name, left);
}

void oracle_disrupts(const struct scene *c)
{
	struct object_list l = set_kind(c->sim->set, KIND_PDB);
	const struct wanted_pod *only = NULL;
	bool several = false;

	for (uint32_t i = 0; i < c->w->pods.n; i++) {
		const struct wanted_pod *w = &c->w->pods.v[i], *by;

		if (!is_victim(c, w))
			continue;
		by = beneficiary(c, w);
		check_victim(c, w, by);
		several |= only && by != only;
		only = by;
	}
	for (uint32_t i = 0; only && !several && i < l.n; i++)
		check_budget(c, &l.v[i], only);
}
