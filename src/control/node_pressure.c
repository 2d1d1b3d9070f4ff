/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the node is short of, as others see it: conditions in the words of kubelet, and the taints
 * that keep new pods away: https://kubernetes.io/docs/reference/labels-annotations-taints/
 */
#include "control/node.h"

static const struct {
	const char *type, *taint;
	const char *bad, *bad_text, *good, *good_text;
} pressures[PRESSURES] = {
	[PRESSURE_MEMORY] = { "MemoryPressure", MEMORY_PRESSURE_TAINT,
			      "KubeletHasInsufficientMemory",
			      "kubelet has insufficient memory available",
			      "KubeletHasSufficientMemory",
			      "kubelet has sufficient memory available" },
	[PRESSURE_DISK] = { "DiskPressure", "node.kubernetes.io/disk-pressure",
			    "KubeletHasDiskPressure", "kubelet has disk pressure",
			    "KubeletHasNoDiskPressure", "kubelet has no disk pressure" },
	[PRESSURE_PID] = { "PIDPressure", "node.kubernetes.io/pid-pressure",
			   "KubeletHasInsufficientPID", "kubelet has insufficient PID available",
			   "KubeletHasSufficientPID", "kubelet has sufficient PID available" },
};

struct object node_reference(struct pass *p)
{
	char uid[37];

	if (p->node.declared)
		return *p->node.declared;
	struct object o = object_new(p->a, KIND_NODE, NULL, p->in->node_name);
	name_uid_below(p->in->node_name, "node", uid);
	o.meta->uid = arena_strdup(p->a, uid);
	return o;
}

/* Told while it is new; that all is well from the beginning is no news. */
static void tell(struct pass *p, int i)
{
	const struct eviction_state *e = p->in->eviction;
	const char *word = e->on[i] ? pressures[i].bad : pressures[i].good;

	if (!e->seen[i] || p->in->now - e->since[i] >= TELL_WINDOW)
		return;
	struct object node = node_reference(p);
	pass_event_at(p, &node, false, word,
		      arena_printf(p->a, "Node %s status is now: %s", p->in->node_name, word),
		      e->since[i]);
}

void node_pressure_taints(struct pass *p)
{
	const struct eviction_state *e = p->in->eviction;

	for (int i = 0; e && i < PRESSURES; i++) {
		tell(p, i);
		if (e->on[i])
			*arena_push(p->a, &p->node.taints) = (struct taint){
				.key = pressures[i].taint, .effect = TAINT_NO_SCHEDULE,
				.time_added = whole_seconds(e->since[i]),
			};
	}
}

void node_pressure_conditions(struct pass *p, struct node_status *s)
{
	const struct eviction_state *e = p->in->eviction;
	const struct observed_node *n = p->in->observed->node;

	for (int i = 0; e && n && i < PRESSURES; i++) {
		bool on = e->on[i];

		condition_add(p->a, &s->conditions, &(struct condition){
			.type = pressures[i].type, .status = on ? "True" : "False",
			.reason = on ? pressures[i].bad : pressures[i].good,
			.message = on ? pressures[i].bad_text : pressures[i].good_text,
			.last_transition_time = whole_seconds(e->since[i]),
			.last_heartbeat_time = whole_seconds(e->since[i]),
		});
	}
}
