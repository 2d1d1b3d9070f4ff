/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers of a pod that stays: which should run now, which have to be killed because a probe
 * failed, which wait for their back-off or for a ConfigMap or Secret that is not there. A
 * container that could not be started is treated as one that failed at once. Init containers run
 * one after the other, each to its end, before all others start; sidecars among them stay and are
 * ended last: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
 */
#include "control/container.h"

#include "control/pass.h"

/* After the first refusal 500 ms, after the eighth and later ones 128 s. */
#define REFUSED_FIRST (250 * MSEC)
#define REFUSED_DOUBLED 9u

int64_t backoff_delay(unsigned restarts, int64_t max)
{
	int64_t d = BACKOFF_FIRST;

	if (!restarts)
		return 0;
	for (unsigned i = 1; i < restarts && d < max; i++)
		d *= 2;
	return MIN(d, max);
}

static int64_t longest_backoff(const struct member *m)
{
	const char *s = strmap_get(&m->want.object.meta->annotations, BACKOFF_MAX_ANNOTATION);
	int64_t max;

	return s && duration_parse(s, &max) == 0 && max >= NSEC ? max : BACKOFF_MAX;
}

/* When it ended. A start that failed may leave no time: then the delays before it add up from
 * the pod's creation. */
static int64_t ended_at(const struct member *m, const struct observed_container *c, int64_t max)
{
	int64_t t = m->seen->created_at;

	if (c->end.finished_at)
		return c->end.finished_at;
	if (c->started_at)
		return c->started_at;
	for (uint32_t i = 1; i <= c->backoff && i < 32; i++)
		t += backoff_delay(i, max);
	return t;
}

/* An init container that succeeded is done with, a sidecar goes on until the pod is over. */
static enum restart_policy policy_of(const struct member *m, const char *name)
{
	const struct pod_spec *s = &m->want.object.pod->spec;
	int i = pod_container_find(s, name);
	enum container_role role = i < 0 ? ROLE_MAIN : pod_container_role(s, (uint32_t)i);
	enum restart_policy own = i < 0 ? restart_policy_unset :
					  pod_container(s, (uint32_t)i)->restart_policy;

	if (m->expired || m->evicted)
		return RESTART_NEVER;
	if (role == ROLE_SIDECAR)
		return m->over ? RESTART_NEVER : RESTART_ALWAYS;
	if (!own)
		own = s->restart_policy;
	return role == ROLE_INIT && own != RESTART_NEVER ? RESTART_ON_FAILURE : own;
}

static bool policy_restarts(enum restart_policy policy, const struct observed_container *c)
{
	if (policy == RESTART_NEVER)
		return false;
	return policy != RESTART_ON_FAILURE || observed_container_failed(c);
}

struct restart container_restart(const struct member *m, const struct observed_container *c)
{
	int64_t max = longest_backoff(m);
	bool clean = c->phase == RUN_ENDED &&
		     c->end.finished_at - c->end.started_at >= BACKOFF_RESET;
	uint32_t before = clean ? 0 : c->backoff;
	int64_t delay = backoff_delay(before, max);

	if (c->outdated && policy_of(m, c->name) != RESTART_NEVER)
		return (struct restart){ .wanted = true, .at = ended_at(m, c, max),
					 .backoff = c->backoff };
	return (struct restart){
		.wanted = policy_restarts(policy_of(m, c->name), c),
		.at = ended_at(m, c, max) + delay,
		.delay = delay,
		.backoff = before + 1,
	};
}

static bool probe_failed(const struct observed_container *c, enum probe_kind k)
{
	return c->configured[k] && c->decided[k] && !c->passed[k];
}

static void kill_for(struct wanted_container *w, uint32_t grace_s, const char *why)
{
	w->kill = true;
	w->grace_s = grace_s;
	w->why = why;
}

/* https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-execution */
static void decide_hook_failed(struct pass *p, struct member *m, const struct observed_container *c,
			       struct wanted_container *w)
{
	kill_for(w, m->want.grace_s, "its postStart hook failed");
	pass_event(p, &m->want.object, true, "FailedPostStartHook",
		   arena_printf(p->a, "PostStartHook failed: %s",
				c->hook_message[0] ? c->hook_message[0] : ""));
}

/* Another run of it has the resources that it has now. */
static void decide_outdated(struct pass *p, struct member *m, const struct observed_container *c,
			    struct wanted_container *w)
{
	kill_for(w, m->want.grace_s, "its resources changed");
	pass_event(p, &m->want.object, false, "Killing",
		   arena_printf(p->a, "Container %s resize requires restart", c->name));
}

static void decide_unhealthy(struct pass *p, struct member *m, const struct observed_container *c,
			     const struct probe *probe, bool startup, struct wanted_container *w)
{
	const char *name = startup ? "startup" : "liveness";
	const char *said = c->probe_message[startup ? PROBE_STARTUP : PROBE_LIVENESS];
	bool own_grace = probe && HAS(probe, probe, termination_grace_period_seconds);

	kill_for(w, own_grace ? (uint32_t)probe->termination_grace_period_seconds : m->want.grace_s,
		 arena_printf(p->a, "%s probe failed", name));
	pass_event(p, &m->want.object, true, "Unhealthy",
		   arena_printf(p->a, "%s probe failed: %s", startup ? "Startup" : "Liveness",
				said ? said : ""));
	pass_event(p, &m->want.object, false, "Killing",
		   arena_printf(p->a, "Container %s failed %s probe, will be restarted", c->name,
				name));
}

/* What runs goes on, unless there is a reason to kill it and that is not being done. */
static void decide_running(struct pass *p, struct member *m, const struct container *spec,
			   const struct observed_container *c, struct wanted_container *w)
{
	w->run = true;
	w->attempt = c->attempt;
	w->backoff = c->backoff;
	if (c->pending)
		return;
	if (c->hook_failed)
		decide_hook_failed(p, m, c, w);
	else if (c->outdated)
		decide_outdated(p, m, c, w);
	else if (probe_failed(c, PROBE_STARTUP))
		decide_unhealthy(p, m, c, spec->startup_probe, true, w);
	else if (probe_failed(c, PROBE_LIVENESS))
		decide_unhealthy(p, m, c, spec->liveness_probe, false, w);
}

static void decide_restart(struct pass *p, struct member *m, const struct observed_container *c,
			   struct wanted_container *w)
{
	struct restart r = container_restart(m, c);

	w->attempt = c->attempt;
	w->backoff = c->backoff;
	if (!r.wanted)
		return;
	if (p->in->now < r.at) {
		pass_wake(p, r.at);
		return;
	}
	w->run = true;
	w->attempt = c->attempt + 1;
	w->backoff = r.backoff;
	w->why = c->outdated ? "its resources changed" :
		 c->phase == RUN_FAILED ? "its start failed" :
		 c->end.oom_killed	? "it was killed for lack of memory" :
		 c->end.signal		? arena_printf(p->a, "it was killed by signal %d",
						       c->end.signal) :
					  arena_printf(p->a, "it ended with exit code %d",
						       c->end.exit_code);
}

/* What runs in a pod that is over ends. Sidecars end last and in reverse: when nothing after them
 * runs any more. */
static void decide_farewell(struct member *m, uint32_t index, const struct observed_container *c,
			    struct wanted_container *w)
{
	const struct pod_spec *s = &m->want.object.pod->spec;
	bool last = pod_container_role(s, index) == ROLE_SIDECAR;

	for (uint32_t i = index + 1; last && i < pod_container_count(s); i++) {
		const struct observed_container *later =
			member_container(m, pod_container(s, i)->name);

		if (later && later->phase == RUN_RUNNING)
			return;
	}
	if (!c->pending)
		kill_for(w, m->evicted ? MIN(m->want.grace_s, m->evict_grace) : m->want.grace_s,
			 m->evicted ? "the pod is evicted" :
			 m->expired ? "its deadline is over" :
				      "the pod's other containers have ended");
}

/* A start that was refused is tried again as kubelet does a mount: often at first. */
static bool refused_lately(struct pass *p, const struct observed_container *c)
{
	const struct start_refusal *r = &c->refused;
	int64_t again = r->at + (REFUSED_FIRST << MIN(r->times, REFUSED_DOUBLED));

	if (!r->fault || p->in->now >= again)
		return false;
	pass_wake(p, again);
	return true;
}

static void decide_one(struct pass *p, struct member *m, uint32_t index, bool blocked)
{
	const struct container *spec = pod_container(&m->want.object.pod->spec, index);
	const struct observed_container *c = member_container(m, spec->name);
	struct wanted_container *w = &m->want.containers[m->want.ncontainers++];

	w->name = spec->name;
	if (c)
		tell_container(p, m, c);
	if (c && c->phase == RUN_RUNNING) {
		if (m->over)
			decide_farewell(m, index, c, w);
		else
			decide_running(p, m, spec, c, w);
		return;
	}
	if (c && c->phase != RUN_CREATED) {
		decide_restart(p, m, c, w);
	} else {
		w->run = !blocked && !m->over;
		w->attempt = c ? c->attempt : 0;
		w->backoff = c ? c->backoff : 0;
		w->why = "first start";
	}
	if (w->run && (config_missing(p, m->want.object.meta->namespace, spec) ||
		       (c && refused_lately(p, c))))
		w->run = false;
	if (!w->run || (c && c->pending))
		return;
	m->images[index] = image_decide(p, m, spec);
	if (!m->images[index].reason)
		m->images[index] = image_decide_volumes(p, m, spec);
	w->run = !m->images[index].reason;
}

/* Once a container proper was started, init containers are history: sidecars come and go. */
static bool initialized(const struct member *m, const struct pod_spec *s)
{
	for (uint32_t i = 0; i < s->containers.n; i++) {
		const struct observed_container *c = member_container(m, s->containers.v[i].name);

		if (c && (c->phase != RUN_CREATED || c->pending))
			return true;
	}
	return false;
}

bool container_lets_pass(const struct member *m, uint32_t index)
{
	const struct pod_spec *s = &m->want.object.pod->spec;
	const struct observed_container *c = member_container(m, pod_container(s, index)->name);

	switch (pod_container_role(s, index)) {
	case ROLE_MAIN:
		return true;
	case ROLE_SIDECAR:
		return initialized(m, s) || (c && observed_container_started(c));
	case ROLE_INIT:
		return c && c->phase == RUN_ENDED && !observed_container_failed(c);
	}
	return true;
}

void container_decide(struct pass *p, struct member *m)
{
	const struct pod_spec *s = &m->want.object.pod->spec;
	const char *lacks;

	if (m->want.stop)
		tell_stopping(p, m);
	if (m->want.stop || m->lost)
		return;
	tell_pod(p, m);
	storage_of_pod(p, m);
	lacks = config_missing_volume(p, m->want.object.meta->namespace, s);
	if (lacks && !m->seen)
		pass_event(p, &m->want.object, true, "FailedMount", lacks);
	if (!lacks && m->cannot_mount)
		lacks = m->cannot_mount;
	if (m->unscheduled && !m->gated)
		pass_event_at(p, &m->want.object, true, "FailedScheduling", m->unscheduled,
			      m->seen ? m->seen->created_at : p->in->now);
	bool blocked = lacks || m->unscheduled;
	m->want.containers = arena_array(p->a, struct wanted_container, pod_container_count(s));
	m->images = arena_array(p->a, struct waiting, pod_container_count(s));
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		decide_one(p, m, i, blocked);
		blocked |= !container_lets_pass(m, i);
	}
}
