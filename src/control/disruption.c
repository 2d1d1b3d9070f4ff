/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disruptions: pods that have to go for somebody else's sake, with the condition DisruptionTarget.
 * Why is written into the pod before it is told to stop, as the policies of its Job ask for it later.
 * https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
 */
#include "control/disruption.h"

#define DISRUPTION_ANNOTATION "orch/disruption"

static const struct { const char *reason, *message; } reasons[] = {
	[DISRUPTED_BY_PREEMPTION] = { "PreemptionByScheduler",
		"default-scheduler: preempting to accommodate a higher priority pod" },
	[DISRUPTED_BY_TAINT] = { "DeletionByTaintManager",
		"Taint manager: deleting due to NoExecute taint" },
	[DISRUPTED_BY_NODE] = { "TerminationByKubelet", NULL },
};

void disruption_stop(struct pass *p, struct member *m, enum disruption by, const char *why)
{
	member_stop(p, m, why);
	m->disrupted = by;
	member_own(p, m);
	strmap_set(p->a, &m->want.object.meta->annotations, DISRUPTION_ANNOTATION,
		   reasons[by].reason);
	MARK(m->want.object.meta, meta, annotations);
}

enum disruption disruption_of(const struct observed_pod *seen)
{
	const char *reason = strmap_get(&seen->object->meta->annotations, DISRUPTION_ANNOTATION);
	bool told = seen->stage == POD_STOPPING || seen->stopped_at;

	if (seen->evicted && strncmp(seen->evicted, NODE_WAS_LOW, strlen(NODE_WAS_LOW)) == 0)
		return DISRUPTED_BY_NODE;
	for (size_t i = 1; told && reason && i < ARRAY_SIZE(reasons); i++)
		if (streq(reasons[i].reason, reason))
			return (enum disruption)i;
	return NOT_DISRUPTED;
}

void disruption_show(struct pass *p, const struct member *m, struct pod_status *s)
{
	int64_t at = m->seen && m->seen->stopped_at ? m->seen->stopped_at : p->in->now;

	if (!m->disrupted)
		return;
	if (m->disrupted == DISRUPTED_BY_NODE)
		at = m->seen->created_at;
	condition_add(p->a, &s->conditions, &(struct condition){
		.type = "DisruptionTarget", .status = "True",
		.reason = reasons[m->disrupted].reason,
		.message = m->disrupted == DISRUPTED_BY_NODE ? m->evicted :
							       reasons[m->disrupted].message,
		.last_transition_time = whole_seconds(at),
	});
}
