/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PodDisruptionBudgets. Whoever makes room on this node spends them; updates of a workload do not,
 * as in Kubernetes: they have bounds of their own. What a percentage and maxUnavailable are of is what
 * the controllers of the pods want: https://kubernetes.io/docs/tasks/run-application/configure-pdb/
 */
#include "control/budget.h"

#include <string.h>

#include "control/scale.h"

struct count {
	int32_t pods, healthy, wanted;
	const char *fault;		/* a pod that nobody wants in a number; NULL: none */
	struct strs owners;		/* uids of controllers that were counted */
};

static bool covers(const struct object *budget, const struct member *m)
{
	const struct meta *meta = m->want.object.meta;

	return streq(budget->meta->namespace, meta->namespace) &&
	       selector_matches(budget->pdb->spec.selector, &meta->labels);
}

static const struct owner_reference *controller_of(const struct meta *m)
{
	for (uint32_t i = 0; i < m->owner_references.n; i++)
		if (m->owner_references.v[i].controller)
			return &m->owner_references.v[i];
	return NULL;
}

static bool known(const struct strs *l, const char *uid)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i], uid))
			return true;
	return false;
}

static void count_wanted(struct pass *p, const struct member *m, struct count *c)
{
	const struct meta *meta = m->want.object.meta;
	const struct owner_reference *r = controller_of(meta);
	int32_t replicas;

	if (!r) {
		c->fault = arena_printf(p->a, "found no controllers for pod \"%s\"", meta->name);
		return;
	}
	if (known(&c->owners, r->uid))
		return;
	*arena_push(p->a, &c->owners) = r->uid;
	if (scale_of_owner(p, meta->namespace, r, &replicas))
		c->wanted += replicas;
	else
		c->fault = arena_printf(p->a, "%s \"%s\" does not implement the scale subresource",
					r->kind, r->name);
}

static void count(struct pass *p, const struct object *o, struct count *c)
{
	*c = (struct count){ 0 };
	for (uint32_t i = 0; i < p->members.n; i++) {
		const struct member *m = p->members.v[i];

		if (!covers(o, m) || m->finished)
			continue;
		c->pods++;
		c->healthy += m->ready && !m->want.stop;
		count_wanted(p, m, c);
	}
}

/* How many have to be healthy; *ret_expected: how many there should be. */
static int32_t desired(const struct pdb_spec *s, const struct count *c, int32_t *ret_expected)
{
	*ret_expected = c->wanted;
	if (HAS(s, pdb_spec, max_unavailable))
		return MAX(c->wanted - intstr_scale(&s->max_unavailable, c->wanted, true), 0);
	if (!HAS(s, pdb_spec, min_available) || s->min_available.str)
		return intstr_scale(&s->min_available, c->wanted, true);
	*ret_expected = c->pods;
	return s->min_available.num;
}

static bool needs_scale(const struct pdb_spec *s)
{
	return HAS(s, pdb_spec, max_unavailable) || s->min_available.str;
}

static void show(struct pass *p, const struct object *o, struct pdb_status *s, const char *fault)
{
	bool enough = s->disruptions_allowed > 0;

	condition_add(p->a, &s->conditions, &(struct condition){
		.type = "DisruptionAllowed", .status = enough ? "True" : "False",
		.reason = fault ? "SyncFailed" : enough ? "SufficientPods" : "InsufficientPods",
		.message = fault,
		.observed_generation = o->meta->generation,
		.last_transition_time = o->meta->creation_timestamp,
	});
	if (fault)
		pass_event(p, o, true, "CalculateExpectedPodCountFailed",
			   arena_printf(p->a, "Failed to calculate the number of expected pods: %s",
					fault));
	s->observed_generation = o->meta->generation;
	pass_status(p, o, s);
}

static int32_t evaluate(struct pass *p, const struct object *o)
{
	const struct pdb_spec *spec = &o->pdb->spec;
	struct pdb_status *s = arena_new(p->a, struct pdb_status);
	struct count c;

	count(p, o, &c);
	s->current_healthy = c.healthy;
	if (!needs_scale(spec))
		c.fault = NULL;
	if (!c.fault) {
		s->desired_healthy = desired(spec, &c, &s->expected_pods);
		s->disruptions_allowed = s->expected_pods > 0 ?
			MAX(c.healthy - s->desired_healthy, 0) : 0;
	}
	show(p, o, s, c.fault);
	return s->disruptions_allowed;
}

void budgets_count(struct pass *p, struct budget_list *ret)
{
	struct object_list l = set_kind(p->in->set, KIND_PDB);

	*ret = (struct budget_list){ 0 };
	for (uint32_t i = 0; i < l.n; i++)
		*arena_push(p->a, ret) = (struct budget){ &l.v[i], evaluate(p, &l.v[i]) };
}

/* A pod that is not ready is no loss where enough others are, or where that never matters. */
static bool is_free(const struct budget *b, const struct member *m)
{
	const struct pdb_spec *s = &b->object->pdb->spec;

	return !m->ready && (s->unhealthy_pod_eviction_policy == UNHEALTHY_ALWAYS || b->allowed > 0);
}

bool budgets_spend(const struct budget_list *l, const struct member *m)
{
	bool enough = true;

	for (uint32_t i = 0; i < l->n; i++) {
		if (!covers(l->v[i].object, m) || is_free(&l->v[i], m))
			continue;
		enough &= l->v[i].allowed > 0;
		l->v[i].allowed--;
	}
	return enough;
}
