/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has just become of a pod and its containers, as events in the words of kubelet. Each pass
 * says it again with the time it happened, which is how the same thing is known to be the same;
 * what is older than TELL_WINDOW was told by an earlier pass.
 */
#include "control/pass.h"

static bool fresh(const struct pass *p, int64_t when)
{
	return when && p->in->now - when <= TELL_WINDOW;
}

/* What kubelet says of each attempt is said here of each verdict. */
static void tell_probes(struct pass *p, struct member *m, const struct observed_container *c)
{
	static const char *const names[PROBE_KINDS] = {
		[PROBE_READINESS] = "Readiness", [PROBE_LIVENESS] = "Liveness",
		[PROBE_STARTUP] = "Startup",
	};

	for (enum probe_kind k = 0; k < PROBE_KINDS; k++) {
		bool unready = k == PROBE_READINESS && c->configured[k] && c->decided[k] &&
			       !c->passed[k];
		int64_t when = c->probe_told_at[k];

		if ((!unready && !c->warned[k]) || !fresh(p, when))
			continue;
		pass_event_at(p, &m->want.object, true, unready ? "Unhealthy" : "ProbeWarning",
			      arena_printf(p->a, "%s probe %s: %s", names[k],
					   unready ? "failed" : "warning",
					   c->probe_message[k] ? c->probe_message[k] : ""), when);
	}
}

static void tell_refused(struct pass *p, struct member *m, const struct observed_container *c)
{
	const struct start_refusal *r = &c->refused;

	if (!r->fault || !fresh(p, r->at))
		return;
	if (r->fault == FAULT_MOUNT)
		pass_event_at(p, &m->want.object, true, "FailedMount", r->message, r->at);
	else
		pass_event_at(p, &m->want.object, true, "Failed",
			      arena_printf(p->a, "Error: %s", r->message), r->at);
}

static void tell_start(struct pass *p, struct member *m, const struct observed_container *c)
{
	int64_t when = c->phase == RUN_RUNNING ? c->started_at : c->end.started_at;

	pass_event_at(p, &m->want.object, false, "Created",
		      arena_printf(p->a, "Created container: %s", c->name), when);
	if (c->phase == RUN_FAILED)
		pass_event_at(p, &m->want.object, true, "Failed",
			      arena_printf(p->a, "Error: %s", c->message ? c->message : "start failed"),
			      when);
	else
		pass_event_at(p, &m->want.object, false, "Started",
			      arena_printf(p->a, "Started container %s", c->name), when);
}

static void tell_pre_stop(struct pass *p, const struct member *m,
			  const struct observed_container *c, int64_t when)
{
	if (c->hook_message[1])
		pass_event_at(p, &m->want.object, true, "FailedPreStopHook",
			      arena_printf(p->a, "PreStopHook failed: %s", c->hook_message[1]), when);
}

void tell_container(struct pass *p, struct member *m, const struct observed_container *c)
{
	bool running = c->phase == RUN_RUNNING;
	int64_t when = running ? c->started_at : c->end.finished_at;

	tell_refused(p, m, c);
	if (running)
		tell_probes(p, m, c);
	if (c->phase == RUN_CREATED || !fresh(p, when))
		return;
	tell_start(p, m, c);
	tell_pre_stop(p, m, c, when);
	if (!running && !c->outdated && container_restart(m, c).wanted)
		pass_event_at(p, &m->want.object, true, "BackOff",
			      arena_printf(p->a, "Back-off restarting failed container %s", c->name),
			      when);
}

void tell_stopping(struct pass *p, const struct member *m)
{
	for (uint32_t i = 0; m->seen && i < m->seen->ncontainers; i++) {
		const struct observed_container *c = &m->seen->containers[i];

		if (c->phase == RUN_ENDED && fresh(p, c->end.finished_at))
			tell_pre_stop(p, m, c, c->end.finished_at);
	}
}

void tell_pod(struct pass *p, const struct member *m)
{
	const struct object *o = &m->want.object;

	if (m->seen && !m->unscheduled && fresh(p, m->seen->created_at))
		pass_event_at(p, o, false, "Scheduled",
			      arena_printf(p->a, "Successfully assigned %s/%s to %s",
					   o->meta->namespace, o->meta->name, p->in->node_name),
			      m->seen->created_at);
}
