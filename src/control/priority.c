/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PriorityClasses, resolved when a pod is made: its class gives it a number, and that number is what
 * counts from then on. https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
#include "control/admit.h"

#define NODE_CRITICAL 2000001000
#define CLUSTER_CRITICAL 2000000000

static const struct priority_class critical[] = {
	{ .metadata.name = "system-node-critical", .value = NODE_CRITICAL,
	  .preemption_policy = PREEMPT_LOWER_PRIORITY },
	{ .metadata.name = "system-cluster-critical", .value = CLUSTER_CRITICAL,
	  .preemption_policy = PREEMPT_LOWER_PRIORITY },
};

static const struct priority_class *find(struct pass *p, const char *name)
{
	const struct object *o = set_find(p->in->set, KIND_PRIORITYCLASS, "", name);

	for (size_t i = 0; i < ARRAY_SIZE(critical); i++)
		if (streq(critical[i].metadata.name, name))
			return &critical[i];
	return o ? o->priority_class : NULL;
}

/* Of several defaults the least important one. */
static const struct priority_class *find_default(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_PRIORITYCLASS);
	const struct priority_class *best = NULL;

	for (uint32_t i = 0; i < l.n; i++) {
		const struct priority_class *c = l.v[i].priority_class;

		if (c->global_default && (!best || c->value < best->value))
			best = c;
	}
	return best;
}

const char *priority_admit(struct pass *p, struct pod_spec *s)
{
	bool named = s->priority_class_name && *s->priority_class_name;
	const struct priority_class *c = named ? find(p, s->priority_class_name) : find_default(p);
	int32_t value = c ? c->value : 0;

	if (named && !c)
		return arena_printf(p->a, "no PriorityClass with name %s was found",
				    s->priority_class_name);
	if (HAS(s, pod_spec, priority) && s->priority != value)
		return arena_printf(p->a, "the integer value of priority (%d) must not be provided in "
				    "pod spec; priority admission controller computed %d from the given "
				    "PriorityClass name", s->priority, value);
	if (!c)
		return NULL;
	if (HAS(s, pod_spec, preemption_policy) && s->preemption_policy != c->preemption_policy)
		return arena_printf(p->a, "the string value of PreemptionPolicy (%s) must not be "
				    "provided in pod spec; priority admission controller computed %s from "
				    "the given PriorityClass name",
				    preemption_policy_values.values[s->preemption_policy],
				    preemption_policy_values.values[c->preemption_policy]);
	s->priority_class_name = c->metadata.name;
	s->priority = value;
	s->preemption_policy = c->preemption_policy;
	MARK(s, pod_spec, priority_class_name);
	MARK(s, pod_spec, priority);
	MARK(s, pod_spec, preemption_policy);
	return NULL;
}
