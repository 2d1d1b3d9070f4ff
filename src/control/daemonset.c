/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DaemonSets: one pod on each node, here on this one. A new template replaces the pod: with maxSurge
 * the new one comes first and the old one goes when it is available, else the old one goes first and
 * is waited for: https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/
 * A node whose labels or taints do not suit gets none; its state is tolerated, and so is a cordon.
 */
#include "control/node.h"
#include "control/revision.h"
#include "control/unit.h"

struct daemons {
	struct pass *p;
	const struct object *object;
	const struct daemonset_spec *spec;
	struct revisions revisions;
	const char *hash;
	struct owned pods;
	struct pod_template template;	/* with the tolerations of daemons */
	bool suits;			/* this node should have a pod */
	struct member *current, *old;	/* at most one of each stays */
	bool surplus;			/* there was more than one of a template */
};

static bool surges(const struct daemons *d)
{
	const struct daemonset_rolling_update *r = d->spec->update_strategy.rolling_update;

	return r && intstr_scale(&r->max_surge, 1, true) > 0;
}

static bool available(const struct daemons *d, const struct member *m)
{
	return member_available(d->p, m, d->spec->min_ready_seconds);
}

/* One of each template stays: the first that is available, else the first. One that has ended is
 * replaced. */
static void choose(struct daemons *d)
{
	for (uint32_t i = 0; i < d->pods.active.n; i++) {
		struct member *m = d->pods.active.v[i];
		struct member **place = owned_is_current(m, d->hash) ? &d->current : &d->old;

		struct member *other = *place;

		if (!other || (available(d, m) && !available(d, other)))
			*place = m;
		if (!other)
			continue;
		owned_stop(d->p, d->object, *place == m ? other : m, "one pod is enough");
		d->surplus = true;
	}
	for (uint32_t i = 0; i < d->pods.finished.n; i++)
		owned_stop(d->p, d->object, d->pods.finished.v[i], "finished");
}

/* Nothing stands in the way of a new pod; one whose sandbox was lost does not. */
static bool place_is_free(const struct daemons *d)
{
	if (d->current || d->old)
		return false;
	return d->pods.replaced.n || !(d->pods.stopping.n + d->pods.finished.n);
}

static void create(struct daemons *d)
{
	const struct member *lost = d->pods.replaced.n ? d->pods.replaced.v[0] : NULL;
	const struct meta *m = d->object->meta;

	d->current = owned_create(d->p, d->object, &d->template, d->hash,
				  name_pod(d->p, m->namespace, m->name), lost);
}

/* With OnDelete nothing surges: of two pods that a rollout left behind, the old one stays. */
static void keep_one(struct daemons *d)
{
	struct member **goes = d->old && !available(d, d->old) ? &d->old : &d->current;

	if (!d->old || !d->current)
		return;
	owned_stop(d->p, d->object, *goes, "one pod is enough");
	*goes = NULL;
}

static void roll(struct daemons *d)
{
	bool wait = d->spec->update_strategy.type == UPDATE_ON_DELETE;

	if (!d->current && d->old && !wait && surges(d) && !d->surplus)
		create(d);
	else if (place_is_free(d))
		create(d);
	if (wait)
		keep_one(d);
	if (!d->old || wait)
		return;
	if (!surges(d))
		owned_stop(d->p, d->object, d->old, "replaced: its template changed");
	else if (d->current && available(d, d->current))
		owned_stop(d->p, d->object, d->old, "replaced: its template changed");
	if (d->old->want.stop)
		d->old = NULL;
}

/* https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations */
static void add_tolerations(struct pass *p, struct pod_spec *s)
{
	static const struct toleration all[] = {
		{ .key = "node.kubernetes.io/not-ready", .effect = TAINT_NO_EXECUTE },
		{ .key = "node.kubernetes.io/unreachable", .effect = TAINT_NO_EXECUTE },
		{ .key = "node.kubernetes.io/disk-pressure", .effect = TAINT_NO_SCHEDULE },
		{ .key = MEMORY_PRESSURE_TAINT, .effect = TAINT_NO_SCHEDULE },
		{ .key = "node.kubernetes.io/pid-pressure", .effect = TAINT_NO_SCHEDULE },
		{ .key = UNSCHEDULABLE_TAINT, .effect = TAINT_NO_SCHEDULE },
		{ .key = "node.kubernetes.io/network-unavailable", .effect = TAINT_NO_SCHEDULE },
	};
	struct toleration_list l = { 0 };

	for (uint32_t i = 0; i < s->tolerations.n; i++)
		*arena_push(p->a, &l) = s->tolerations.v[i];
	for (size_t i = 0; i < ARRAY_SIZE(all) - !s->host_network; i++) {
		struct toleration *t = arena_push(p->a, &l);

		*t = all[i];
		t->op = TOLERATION_EXISTS;
		MARK(t, toleration, key);
		MARK(t, toleration, op);
		MARK(t, toleration, effect);
	}
	s->tolerations = l;
	MARK(s, pod_spec, tolerations);
}

/* A pod that runs stays when only new ones are kept away. */
static void leave(struct daemons *d)
{
	bool stays = node_suits(d->p, &d->template.spec) &&
		     !node_repels(d->p, &d->template.spec, false);

	for (uint32_t i = 0; !stays && i < d->pods.active.n; i++)
		owned_stop(d->p, d->object, d->pods.active.v[i], "the node does not suit it any more");
	if (!stays)
		d->current = d->old = NULL;
}

static void make_status(struct daemons *d)
{
	struct daemonset_status *s = arena_new(d->p->a, struct daemonset_status);
	const struct member *m = d->current ? d->current : d->old;
	const struct member *serving = d->old && d->old->ready ? d->old : m;

	s->desired_number_scheduled = d->suits;
	s->current_number_scheduled = d->suits && m;
	s->number_misscheduled = !d->suits && m;
	s->updated_number_scheduled = d->suits && d->current;
	s->number_ready = serving && serving->ready;
	s->number_available = serving && available(d, serving);
	s->number_unavailable = d->suits && !s->number_available;
	s->observed_generation = d->object->meta->generation;
	if (!d->old && (!d->suits || (d->current && s->number_available)))
		revisions_complete(d->p, &d->revisions);
	for (uint32_t i = 0; d->old && i < d->revisions.n; i++)
		d->revisions.v[i].used |= owned_is_current(d->old, d->revisions.v[i].hash);
	d->revisions.current = d->revisions.update;	/* an older one is history */
	revisions_put(d->p, &d->revisions, d->spec->revision_history_limit);
	pass_status(d->p, d->object, s);
}

static void daemonset_run(struct pass *p, const struct object *o)
{
	struct daemons d = { .p = p, .object = o, .spec = &o->daemonset->spec };

	revisions_load(p, o, d.spec->template, &d.revisions);
	d.hash = d.revisions.update->hash;
	owned_collect(p, o->meta->uid, &d.pods);
	choose(&d);
	d.template = *d.spec->template;
	add_tolerations(p, &d.template.spec);
	d.suits = node_suits(p, &d.template.spec) && !node_repels(p, &d.template.spec, true);
	if (d.suits)
		roll(&d);
	else
		leave(&d);
	make_status(&d);
}

void daemonsets_run(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_DAEMONSET);

	for (uint32_t i = 0; i < l.n; i++)
		unit_run(p, &l.v[i], daemonset_run);
}
