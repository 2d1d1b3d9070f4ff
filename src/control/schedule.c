/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scheduling onto the one node. A pod of which something was started has its place and keeps it, but
 * for NoExecute taints; the others are asked in the order of their priority, and who finds no place
 * says why in the words of Kubernetes' scheduler and waits, without containers, until a pass finds
 * one. https://kubernetes.io/docs/concepts/scheduling-eviction/
 */
#include "control/schedule.h"

#include "control/affinity.h"
#include "control/disruption.h"
#include "control/node.h"
#include "control/resize.h"

#define GATED "Scheduling is blocked due to non-empty scheduling gates"

static bool is_bound(const struct member *m)
{
	for (uint32_t i = 0; m->seen && i < m->seen->ncontainers; i++)
		if (m->seen->containers[i].phase != RUN_CREATED || m->seen->containers[i].pending)
			return true;
	return false;
}

/* ---- who has to go ---- */

static void heed_taints(struct pass *p, struct member *m)
{
	const struct meta *meta = m->want.object.meta;
	int64_t at;

	if (m->want.stop || m->finished || !p->node.taints.n)
		return;
	at = node_evicts_at(p, &m->want.object.pod->spec, m->seen->created_at);
	if (!at)
		return;
	if (p->in->now < at) {
		pass_wake(p, at);
		return;
	}
	disruption_stop(p, m, DISRUPTED_BY_TAINT, "it does not tolerate a taint of the node");
	pass_event(p, &m->want.object, false, "TaintManagerEviction",
		   arena_printf(p->a, "Marking for deletion Pod %s/%s", meta->namespace, meta->name));
}

/* ---- who may come ---- */

static const char *node_reason(struct pass *p, const struct member *m)
{
	const struct pod_spec *s = &m->want.object.pod->spec;
	const struct taint *t = node_repels(p, s, true);

	if (t && streq(t->key, UNSCHEDULABLE_TAINT))
		return "node(s) were unschedulable";
	if (t)
		return arena_printf(p->a, "node(s) had untolerated taint {%s: %s}", t->key,
				    t->value ? t->value : "");
	return node_suits(p, s) ? NULL : "node(s) didn't match Pod's node affinity/selector";
}

void schedule_obstacles(struct pass *p, const struct member *m, const struct room *r,
			const struct room_need *n, struct strs *ret)
{
	bool final = false;
	const char *why;

	*ret = (struct strs){ 0 };
	room_lacks(p, r, n, ret);
	if (ret->n)
		return;
	why = spread_reason(p, m, &final);
	if (!why)
		why = affinity_reason(p, m);
	if (why)
		*arena_push(p->a, ret) = why;
}

static const char *reasons(struct arena *a, const struct strs *l)
{
	const char *text = "";

	for (uint32_t i = 0; i < l->n; i++)
		text = arena_printf(a, "%s%s1 %s", text, i ? ", " : "", l->v[i]);
	return text;
}

static void wait_with(struct pass *p, struct member *m, const char *why, const char *preemption)
{
	m->unscheduled = arena_printf(p->a, "0/1 nodes are available: %s%s%s", why,
				      preemption ? " preemption: " : "",
				      preemption ? preemption : "");
}

/* What no pod that goes can change. */
static bool is_out_of_question(struct pass *p, struct member *m)
{
	static const char *const no_help =
		"0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
	bool final = false;
	const char *why = node_reason(p, m);

	if (!why) {
		why = spread_reason(p, m, &final);
		if (!final)
			return false;
	}
	wait_with(p, m, arena_printf(p->a, "1 %s.", why), no_help);
	return true;
}

static void place(struct pass *p, struct member *m, struct room *r,
		  const struct budget_list *budgets)
{
	struct room_need n = room_need(p, &m->want.object.pod->spec);
	struct strs obstacles;
	const char *why;

	if (m->want.object.pod->spec.scheduling_gates.n) {
		m->gated = true;
		m->unscheduled = GATED;
		return;
	}
	if (is_out_of_question(p, m))
		return;
	schedule_obstacles(p, m, r, &n, &obstacles);
	if (obstacles.n) {
		why = preempt_for(p, m, &n, budgets);
		wait_with(p, m, arena_printf(p->a, "%s.", reasons(p->a, &obstacles)), why);
	} else if ((why = storage_waits(p, m))) {
		wait_with(p, m, why, NULL);
		return;
	} else {
		m->placed = true;
	}
	if (m->placed || m->nominated)		/* nobody less important takes its place */
		room_take(p, r, &n);
}

static int64_t born(const struct member *m)
{
	return m->seen ? m->seen->created_at : INT64_MAX;
}

static int by_right(const void *x, const void *y)
{
	const struct member *a = *(struct member *const *)x, *b = *(struct member *const *)y;
	int32_t pa = a->want.object.pod->spec.priority, pb = b->want.object.pod->spec.priority;

	if (pa != pb)
		return pa > pb ? -1 : 1;
	if (born(a) != born(b))
		return born(a) < born(b) ? -1 : 1;
	return object_cmp(&a->want.object, &b->want.object);
}

void schedule_run(struct pass *p)
{
	/* what is kept is bound, but a taint may be new */
	const struct member_list *l = p->node.taints.n ? &p->members : &p->fresh;
	struct member_list queue = { 0 };
	struct budget_list budgets;
	struct room room;

	for (uint32_t i = 0; i < l->n; i++) {
		struct member *m = l->v[i];

		m->bound = m->placed = is_bound(m) && !m->lost;
		if (m->bound)
			heed_taints(p, m);
		else if (!m->want.stop && !m->lost && !m->finished)
			*arena_push(p->a, &queue) = m;
	}
	resizes_decide(p);
	budgets_count(p, &budgets);
	if (!queue.n)
		return;
	qsort(queue.v, queue.n, sizeof(*queue.v), by_right);
	room_measure(p, true, &room);
	for (uint32_t i = 0; i < queue.n; i++)
		place(p, queue.v[i], &room, &budgets);
}
