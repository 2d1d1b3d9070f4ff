/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about ReplicaSets, Deployments, StatefulSets and DaemonSets: how many pods there may be,
 * which of them may be made and taken, and how many have to stay available meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>

#include "oracle.h"

static int32_t living(const struct scene *c, const char *uid)
{
	int32_t n = 0;

	for (uint32_t i = 0; i < c->sim->pods.n; i++)
		n += scene_owned(&c->sim->pods.v[i]->object, uid) &&
		     scene_lives(c->sim->pods.v[i]);
	return n;
}

static bool available(const struct scene *c, const struct observed_pod *p, int32_t min_ready)
{
	return p->ready_since && p->stage == POD_UP && !p->stopped_at &&
	       c->sim->now >= p->ready_since + min_ready * NSEC;
}

/* Whoever has to go for somebody else, or for a taint, was not taken by its controller. */
static bool stays(const struct wanted_pod *w)
{
	return w && (!w->stop || (w->why && (strstr(w->why, "preempted") ||
					     strstr(w->why, "a taint of the node"))));
}

/* ---- Deployments, when a pass has decided ---- */

struct tally {
	int32_t before, after;		/* pods that are available, of those that stay */
	int32_t was, sum;		/* of what the ReplicaSets should have had, and have now */
	bool grows, overdue;		/* one grows; one has more than an earlier pass gave it */
};

static void count_pods(const struct scene *c, const struct object *d, const struct object *rs,
		       struct tally *t)
{
	const struct object *stored = scene_record(&c->o->derived, KIND_REPLICASET, rs->meta->uid);
	int32_t members = 0;

	for (uint32_t i = 0; i < c->o->npods; i++) {
		const struct observed_pod *p = &c->o->pods[i];
		const struct wanted_pod *w;

		if (!scene_owned(p->object, rs->meta->uid) || p->stopped_at || p->stage > POD_UP)
			continue;
		members++;
		if (!available(c, p, d->deployment->spec.min_ready_seconds))
			continue;
		w = scene_wanted(c, p->object);
		t->before++;
		t->after += stays(w);
	}
	t->was += stored ? stored->replicaset->spec.replicas : 0;
	t->sum += rs->replicaset->spec.replicas;
	t->grows |= rs->replicaset->spec.replicas >
		    (stored ? stored->replicaset->spec.replicas : 0);
	t->overdue |= stored && members > stored->replicaset->spec.replicas;
}

static void bounds(const struct deployment_spec *s, int32_t *surge, int32_t *unavailable)
{
	const struct rolling_update *u = s->strategy.rolling_update;
	static const struct intstr quarter = { .str = "25%" };

	*surge = intstr_scale(u ? &u->max_surge : &quarter, s->replicas, true);
	*unavailable = intstr_scale(u ? &u->max_unavailable : &quarter, s->replicas, false);
	if (!*surge && !*unavailable)
		*unavailable = 1;
	if (s->strategy.type == STRATEGY_RECREATE)
		*surge = 0;
}

static struct oracle_reached *reached(struct oracle *k, const char *uid)
{
	for (uint32_t i = 0; i < k->reached.n; i++)
		if (streq(k->reached.v[i].uid, uid))
			return &k->reached.v[i];
	struct oracle_reached *r = arena_push(&k->arena, &k->reached);
	snprintf(r->uid, sizeof(r->uid), "%s", uid);
	r->replicas = -1;
	return r;
}

/* Records that were lost with the disk full leave pods behind that belong to nobody. */
static void check_deployment(const struct scene *c, const struct object *d)
{
	const struct deployment_spec spec = scene_deployment(c, &c->w->derived, d), *s = &spec;
	struct oracle_reached *size = reached(c->oracle, d->meta->uid);
	struct tally t = { 0 };
	int32_t surge, unavailable;

	bounds(s, &surge, &unavailable);
	if (size->replicas != s->replicas)
		size->replicas = -1;	/* until a pass for them was carried out */
	for (uint32_t i = 0; i < c->w->derived.n; i++) {
		const struct object *rs = &c->w->derived.v[i];

		if (rs->kind->id == KIND_REPLICASET && scene_owned(rs, d->meta->uid))
			count_pods(c, d, rs, &t);
	}
	if (t.grows && t.sum > s->replicas + surge)
		sim_broken(c->sim, "surge", "deployment %s: %d pods, allowed are %d + %d",
			   d->meta->name, t.sum, s->replicas, surge);
	/* https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling */
	if (s->paused && t.was > s->replicas + surge)
		return;
	if (t.after < t.before && !t.overdue && s->strategy.type != STRATEGY_RECREATE &&
	    size->replicas == s->replicas && t.after < s->replicas - unavailable)
		sim_broken(c->sim, "available", "deployment %s: of %d available pods %d stay, "
			   "promised are %d - %d", d->meta->name, t.before, t.after, s->replicas,
			   unavailable);
}

/* ---- StatefulSets, when a pass has decided ---- */

static int64_t ordinal(const struct object *pod)
{
	const char *dash = strrchr(pod->meta->name, '-');

	return dash ? strtoll(dash + 1, NULL, 10) : -1;
}

static int32_t start_of(const struct statefulset_spec *s)
{
	return s->ordinals ? s->ordinals->start : 0;
}

static bool in_range(const struct statefulset_spec *s, int64_t i)
{
	return i >= start_of(s) && i < (int64_t)start_of(s) + s->replicas;
}

static void check_statefulset(const struct scene *c, const struct object *o)
{
	const struct statefulset_spec spec = scene_statefulset(c, &c->w->derived, o), *s = &spec;
	const struct statefulset_rolling_update *r = s->update_strategy.rolling_update;
	int32_t most = r ? intstr_scale(&r->max_unavailable, s->replicas, false) : 1;
	int32_t before = 0, after = 0;

	for (uint32_t i = 0; i < c->o->npods; i++) {
		const struct observed_pod *p = &c->o->pods[i];
		const struct wanted_pod *w;

		if (!scene_owned(p->object, o->meta->uid) || !in_range(s, ordinal(p->object)) ||
		    !available(c, p, s->min_ready_seconds))
			continue;
		w = scene_wanted(c, p->object);
		before++;
		after += stays(w);
	}
	if (after < before && after < s->replicas - MAX(most, 1))
		sim_broken(c->sim, "available", "statefulset %s: of %d available pods %d stay, "
			   "promised are %d - %d", o->meta->name, before, after, s->replicas,
			   MAX(most, 1));
}

/* ---- DaemonSets, when a pass has decided ---- */

/* The node does not suit any more: it takes its pod itself. */
static bool repels(const struct scene *c)
{
	struct object_list l = set_kind(c->sim->set, KIND_NODE);

	return l.n && l.v[0].node->spec.taints.n;
}

static void check_daemonset(const struct scene *c, const struct object *o)
{
	const struct daemonset_spec *s = &o->daemonset->spec;
	const struct daemonset_rolling_update *r = s->update_strategy.rolling_update;
	bool surges = r && intstr_scale(&r->max_surge, 1, true) > 0;
	int32_t before = 0, after = 0;

	for (uint32_t i = 0; i < c->o->npods; i++) {
		const struct observed_pod *p = &c->o->pods[i];
		const struct wanted_pod *w = scene_wanted(c, p->object);

		if (!scene_owned(p->object, o->meta->uid) ||
		    !available(c, p, s->min_ready_seconds))
			continue;
		before++;
		after += stays(w);
	}
	if (surges && before && !after && !repels(c))
		sim_broken(c->sim, "available", "daemonset %s: its last available pod goes",
			   o->meta->name);
}

void oracle_decided(const struct scene *c)
{
	static const struct {
		enum kind_id kind;
		void (*check)(const struct scene *c, const struct object *o);
	} checks[] = {
		{ KIND_DEPLOYMENT, check_deployment },
		{ KIND_STATEFULSET, check_statefulset },
		{ KIND_DAEMONSET, check_daemonset },
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct object_list l = set_kind(c->sim->set, checks[i].kind);

		for (uint32_t k = 0; k < l.n; k++)
			checks[i].check(c, &l.v[k]);
	}
}

/* ---- one pod is made ---- */

static void makes_of_replicaset(const struct scene *c, const struct object *pod,
				const struct owner_reference *r)
{
	const struct object *rs = scene_record(&c->w->derived, KIND_REPLICASET, r->uid);
	const struct object *rc = scene_declared(c, KIND_REPLICATIONCONTROLLER, r->uid);
	int32_t most = rs ? rs->replicaset->spec.replicas :
		       rc ? scene_replicas(c, &c->w->derived, rc) : 0;

	if (living(c, r->uid) >= most)
		sim_broken(c->sim, "replicas", "pod %s is made, %s has its %d", pod->meta->name,
			   r->name, most);
}

static const struct observed_pod *numbered(const struct scene *c, const char *uid, int64_t i)
{
	for (uint32_t k = 0; k < c->o->npods; k++)
		if (scene_owned(c->o->pods[k].object, uid) && ordinal(c->o->pods[k].object) == i)
			return &c->o->pods[k];
	return NULL;
}

static void makes_of_statefulset(const struct scene *c, const struct object *pod,
				 const struct owner_reference *r)
{
	const struct object *o = scene_declared(c, KIND_STATEFULSET, r->uid);
	const struct statefulset_spec spec = scene_statefulset(c, &c->w->derived, o), *s = &spec;

	if (!o || !in_range(s, ordinal(pod))) {
		sim_broken(c->sim, "replicas", "pod %s is made beyond its set", pod->meta->name);
		return;
	}
	if (s->pod_management_policy == MANAGEMENT_PARALLEL)
		return;
	for (int64_t i = start_of(s); i < ordinal(pod); i++) {
		const struct observed_pod *before = numbered(c, r->uid, i);

		if (!before || !available(c, before, s->min_ready_seconds))
			sim_broken(c->sim, "in-order", "pod %s is made before number %d is "
				   "available", pod->meta->name, (int)i);
	}
}

static void makes_of_daemonset(const struct scene *c, const struct object *pod,
			       const struct owner_reference *r)
{
	const struct object *o = scene_declared(c, KIND_DAEMONSET, r->uid);
	const struct daemonset_rolling_update *u =
		o ? o->daemonset->spec.update_strategy.rolling_update : NULL;
	bool surges = u && intstr_scale(&u->max_surge, 1, true) > 0;

	if (living(c, r->uid) >= 1 + surges)
		sim_broken(c->sim, "replicas", "pod %s is made, %s has %d", pod->meta->name, r->name,
			   living(c, r->uid));
}

void oracle_makes(const struct scene *c, const struct object *pod)
{
	static const struct {
		const char *kind;
		void (*check)(const struct scene *c, const struct object *pod,
			      const struct owner_reference *r);
	} checks[] = {
		{ "ReplicaSet", makes_of_replicaset },
		{ "ReplicationController", makes_of_replicaset },
		{ "StatefulSet", makes_of_statefulset },
		{ "DaemonSet", makes_of_daemonset },
		{ "Job", oracle_makes_of_job },
	};
	const struct owner_reference *r = scene_owner(pod);

	for (size_t i = 0; r && i < ARRAY_SIZE(checks); i++)
		if (streq(checks[i].kind, r->kind))
			checks[i].check(c, pod, r);
}

/* ---- one pod is stopped ---- */

/* Taken away from the top, one after the other; others take whom they want. */
void oracle_stops(const struct scene *c, const struct sim_pod *p)
{
	const struct owner_reference *r = scene_owner(&p->object);
	const struct object *o = r ? scene_declared(c, KIND_STATEFULSET, r->uid) : NULL;
	const struct statefulset_spec spec = scene_statefulset(c, &c->w->derived, o), *s = &spec;
	int64_t mine = ordinal(&p->object);

	if (!o || s->pod_management_policy == MANAGEMENT_PARALLEL || in_range(s, mine) ||
	    !scene_lives(p) || stays(scene_wanted(c, &p->object)))
		return;
	for (uint32_t i = 0; i < c->sim->pods.n; i++) {
		const struct sim_pod *other = c->sim->pods.v[i];

		if (scene_owned(&other->object, r->uid) && ordinal(&other->object) > mine &&
		    !in_range(s, ordinal(&other->object)))
			sim_broken(c->sim, "in-order", "pod %s goes while %s is there",
				   p->object.meta->name, other->object.meta->name);
	}
}

void oracle_sets_passed(const struct scene *c)
{
	struct object_list l = set_kind(c->sim->set, KIND_DEPLOYMENT);

	for (uint32_t i = 0; i < l.n; i++)
		reached(c->oracle, l.v[i].meta->uid)->replicas =
			scene_replicas(c, &c->w->derived, &l.v[i]);
}
