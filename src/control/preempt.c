/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preemption: a pod that finds no place may have less important ones stopped. First all of them are
 * thought away; if that helps, as many as possible are let back in, first those that a
 * PodDisruptionBudget can't spare, then the most important, and the rest goes. Pods that are going
 * already are waited for instead.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
#include "control/disruption.h"
#include "control/schedule.h"

static int32_t priority(const struct member *m)
{
	return m->want.object.pod->spec.priority;
}

static bool fits(struct pass *p, const struct member *m, const struct room_need *n)
{
	struct strs obstacles;
	struct room r;

	room_measure(p, false, &r);
	for (uint32_t i = 0; i < p->members.n; i++) {
		const struct member *o = p->members.v[i];

		if (o == m || !o->nominated || priority(o) < priority(m))
			continue;
		struct room_need reserved = room_need(p, &o->want.object.pod->spec);
		room_take(p, &r, &reserved);
	}
	schedule_obstacles(p, m, &r, n, &obstacles);
	return !obstacles.n;
}

static void set_leaving(const struct member_list *l, bool leaves)
{
	for (uint32_t i = 0; i < l->n; i++)
		l->v[i]->leaves = leaves;
}

/* The most important first, of equal ones the older. */
static int by_importance(const void *x, const void *y)
{
	const struct member *a = *(struct member *const *)x, *b = *(struct member *const *)y;

	if (priority(a) != priority(b))
		return priority(a) > priority(b) ? -1 : 1;
	if (a->seen->created_at != b->seen->created_at)
		return a->seen->created_at < b->seen->created_at ? -1 : 1;
	return object_cmp(&a->want.object, &b->want.object);
}

static void choose(struct pass *p, const struct member *m, struct member_list *ret_lower,
		   struct member_list *ret_going)
{
	for (uint32_t i = 0; i < p->members.n; i++) {
		struct member *o = p->members.v[i];

		if (!o->bound || o->finished || o->lost)
			continue;
		if (o->want.stop)
			*arena_push(p->a, ret_going) = o;
		else if (priority(o) < priority(m))
			*arena_push(p->a, ret_lower) = o;
	}
	if (ret_lower->n)
		qsort(ret_lower->v, ret_lower->n, sizeof(*ret_lower->v), by_importance);
}

static void stop(struct pass *p, const struct member *m, struct member *victim)
{
	const struct meta *by = m->want.object.meta;

	disruption_stop(p, victim, DISRUPTED_BY_PREEMPTION,
			arena_printf(p->a, "preempted by %s/%s", by->namespace, by->name));
	pass_event(p, &victim->want.object, false, "Preempted",
		   arena_printf(p->a, "Preempted by pod %s on node %s", by->uid, p->in->node_name));
}

/* Those that budgets can't spare come first; the order is kept otherwise. */
static struct member_list by_budget(struct pass *p, const struct member_list *l,
				    const struct budget_list *budgets)
{
	struct budget_list left = { arena_array(p->a, struct budget, budgets->n + 1), budgets->n };
	struct member_list first = { 0 }, rest = { 0 };

	for (uint32_t i = 0; i < budgets->n; i++)
		left.v[i] = budgets->v[i];
	for (uint32_t i = 0; i < l->n; i++) {
		struct member_list *to = budgets_spend(&left, l->v[i]) ? &rest : &first;

		*arena_push(p->a, to) = l->v[i];
	}
	for (uint32_t i = 0; i < rest.n; i++)
		*arena_push(p->a, &first) = rest.v[i];
	return first;
}

const char *preempt_for(struct pass *p, struct member *m, const struct room_need *n,
			const struct budget_list *budgets)
{
	struct member_list lower = { 0 }, going = { 0 };
	bool helps;

	choose(p, m, &lower, &going);
	set_leaving(&going, true);
	m->nominated = going.n && fits(p, m, n);
	if (m->nominated || m->want.object.pod->spec.preemption_policy == PREEMPT_NEVER) {
		set_leaving(&going, false);
		return m->nominated ? NULL : "not eligible due to preemptionPolicy=Never.";
	}
	set_leaving(&lower, true);
	helps = lower.n && fits(p, m, n);
	lower = by_budget(p, &lower, budgets);
	for (uint32_t i = 0; helps && i < lower.n; i++) {
		lower.v[i]->leaves = false;
		if (fits(p, m, n))
			continue;
		lower.v[i]->leaves = true;
		stop(p, m, lower.v[i]);
		budgets_spend(budgets, lower.v[i]);
	}
	set_leaving(&lower, false);
	set_leaving(&going, false);
	m->nominated = helps;
	return helps ? NULL :
		"0/1 nodes are available: 1 No preemption victims found for incoming pod.";
}
