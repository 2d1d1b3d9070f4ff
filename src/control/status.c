/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pod's status, in the shapes and words of kubelet. Nothing is remembered from pass to pass, so
 * every time comes from what is observed: creation, starts, ends, and since when it is ready.
 */
#include <stdio.h>

#include "control/disruption.h"
#include "control/resize.h"

/* As Go prints a duration of whole seconds: 20s, 1m20s, 5m0s. */
static const char *go_duration(struct arena *a, int64_t ns)
{
	long long s = ns / NSEC;

	return s < 60 ? arena_printf(a, "%llds", s) : arena_printf(a, "%lldm%llds", s / 60, s % 60);
}

static const char *container_id(struct pass *p, const struct member *m, const char *name,
				uint32_t attempt)
{
	return arena_printf(p->a, "orch://%s/%s/%u", m->want.object.meta->uid, name, attempt);
}

static struct container_state *state_waiting(struct arena *a, const char *reason, const char *text)
{
	struct container_state *s = arena_new(a, struct container_state);

	s->waiting = arena_new(a, struct state_waiting);
	s->waiting->reason = reason;
	s->waiting->message = text;
	return s;
}

static struct container_state *state_ended(struct arena *a, int code, const char *reason,
					   const char *text, const char *id)
{
	struct container_state *s = arena_new(a, struct container_state);

	s->terminated = arena_new(a, struct state_terminated);
	s->terminated->exit_code = code;
	MARK(s->terminated, state_terminated, exit_code);
	s->terminated->reason = reason;
	s->terminated->message = text;
	s->terminated->container_id = id;
	return s;
}

static struct container_state *state_of_end(struct arena *a, const struct observed_container *c,
					    const struct run_end *e, const char *id)
{
	int code = e->signal ? 128 + e->signal : e->exit_code;
	const char *reason = e->oom_killed ? "OOMKilled" : code ? "Error" : "Completed";
	struct container_state *s = state_ended(a, code, reason, NULL, id);

	s->terminated->message = e == (c->phase == RUN_ENDED ? &c->end : &c->last) ? c->last_words : NULL;
	s->terminated->signal = e->signal;
	s->terminated->started_at = e->started_at;
	s->terminated->finished_at = e->finished_at;
	return s;
}

static const char *back_off_text(struct pass *p, const struct member *m, const char *name,
				 int64_t delay)
{
	const struct meta *meta = m->want.object.meta;

	return arena_printf(p->a, "back-off %s restarting failed container=%s pod=%s_%s(%s)",
			    go_duration(p->a, delay), name, meta->name, meta->namespace, meta->uid);
}

/* A volume that can't be mounted leaves the container as it was, which before its first start is
 * "creating". */
static struct container_state *state_refused(struct arena *a, const struct start_refusal *r,
					     const char *as_before)
{
	static const char *const reasons[] = {
		[FAULT_CONFIG] = "CreateContainerConfigError",
		[FAULT_CREATE] = "CreateContainerError",
	};

	return state_waiting(a, r->fault == FAULT_MOUNT ? as_before : reasons[r->fault],
			     r->message);
}

/* Ended, or could not be started. */
static void show_ended(struct pass *p, const struct member *m, const struct container *spec,
		       const struct observed_container *c, const struct waiting *image,
		       struct container_status *s)
{
	struct restart r = container_restart(m, c);
	bool stays = m->want.stop || m->lost || !r.wanted;
	struct container_state *end = c->phase == RUN_ENDED ?
		state_of_end(p->a, c, &c->end, s->container_id) :
		state_ended(p->a, 128, "StartError", c->message, s->container_id);
	const char *lacks;

	if (stays) {
		s->state = end;
	} else if (c->refused.fault) {
		s->state = state_refused(p->a, &c->refused, "CrashLoopBackOff");
		s->last_state = end;
	} else if (c->outdated) {
		s->state = state_waiting(p->a, "ContainerCreating", NULL);
		s->last_state = end;
	} else if (c->phase == RUN_FAILED && p->in->now < c->end.finished_at + SHOW_ERROR) {
		pass_wake(p, c->end.finished_at + SHOW_ERROR);
		s->state = state_waiting(p->a, "RunContainerError", c->message);
		s->last_state = end;
	} else if (p->in->now < r.at) {
		s->state = state_waiting(p->a, "CrashLoopBackOff",
					 back_off_text(p, m, spec->name, r.delay));
		s->last_state = end;
	} else if ((lacks = config_missing(p, m->want.object.meta->namespace, spec))) {
		s->state = state_waiting(p->a, "CreateContainerConfigError", lacks);
		s->last_state = end;
	} else if (image && image->reason) {
		s->state = state_waiting(p->a, image->reason, image->message);
		s->last_state = end;
	} else {
		s->state = end;
	}
}

static void show_running(struct pass *p, const struct member *m, const struct observed_container *c,
			 struct container_status *s)
{
	if (m->lost) {
		s->state = state_ended(p->a, 137, "ContainerStatusUnknown",
				       "The container could not be "
				       "located when the pod was terminated", s->container_id);
		return;
	}
	s->state = arena_new(p->a, struct container_state);
	s->state->running = arena_new(p->a, struct state_running);
	s->state->running->started_at = c->started_at;
	s->started = observed_container_started(c);
	s->ready = m->seen->stage == POD_UP && observed_container_ready(c);
}

static void show_created(struct pass *p, const struct member *m, const struct container *spec,
			 const struct observed_container *c, const struct waiting *image,
			 struct container_status *s)
{
	const struct object *o = &m->want.object;
	const char *text = config_missing_volume(p, o->meta->namespace, &o->pod->spec);
	const char *creating = o->pod->spec.init_containers.n ? "PodInitializing" :
								"ContainerCreating";

	if (!text && m->lost)
		text = m->seen->message;
	if (!text && (text = config_missing(p, o->meta->namespace, spec)))
		s->state = state_waiting(p->a, "CreateContainerConfigError", text);
	else if (!text && image && image->reason)
		s->state = state_waiting(p->a, image->reason, image->message);
	else if (!text && c && c->refused.fault)
		s->state = state_refused(p->a, &c->refused, creating);
	else
		s->state = state_waiting(p->a, creating, text);
}

static void show_container(struct pass *p, const struct member *m, uint32_t index,
			   struct container_status *s)
{
	const struct container *spec = pod_container(&m->want.object.pod->spec, index);
	const struct observed_container *c = member_container(m, spec->name);
	const struct waiting *image = m->images ? &m->images[index] : NULL;

	s->name = spec->name;
	s->image = spec->image;
	resize_show_container(p, m, index, s);
	s->image_id = !c || c->phase == RUN_CREATED ? "" : c->image_id ? c->image_id : spec->image;
	if (!c || c->phase == RUN_CREATED) {
		show_created(p, m, spec, c, image, s);
		return;
	}
	s->restart_count = (int32_t)c->attempt;
	s->container_id = container_id(p, m, spec->name, c->attempt);
	if (c->last.finished_at && c->attempt)
		s->last_state = state_of_end(p->a, c, &c->last,
					     container_id(p, m, spec->name, c->attempt - 1));
	if (c->phase == RUN_RUNNING)
		show_running(p, m, c, s);
	else
		show_ended(p, m, spec, c, image, s);
	if (pod_container_role(&m->want.object.pod->spec, index) == ROLE_INIT)
		s->ready = s->state->terminated && !s->state->terminated->exit_code;
}

/* Never started again, so its end is its end. */
static void show_ephemeral(struct pass *p, const struct member *m, const struct observed_container *c,
			   const char *image, struct container_status *s)
{
	s->name = c->name;
	s->image = image;
	s->image_id = c->image_id ? c->image_id : "";
	s->container_id = container_id(p, m, c->name, c->attempt);
	if (c->phase == RUN_CREATED)
		s->state = state_waiting(p->a, "ContainerCreating", NULL);
	else if (c->phase == RUN_RUNNING)
		show_running(p, m, c, s);
	else if (c->phase == RUN_ENDED)
		s->state = state_of_end(p->a, c, &c->end, s->container_id);
	else
		s->state = state_ended(p->a, 128, "StartError", c->message, s->container_id);
	s->ready = s->started = false;
}

static void show_ephemerals(struct pass *p, const struct member *m, struct pod_status *s)
{
	for (uint32_t i = 0; m->seen && i < m->seen->ephemerals.n; i++)
		show_ephemeral(p, m, &m->seen->ephemerals.v[i],
			       m->seen->object->pod->spec.ephemeral_containers.v[i].image,
			       arena_push(p->a, &s->ephemeral_container_statuses));
}

struct tally { unsigned waiting, running, ended, succeeded; };

static bool initialized(const struct member *m)
{
	for (uint32_t i = 0; i < m->want.object.pod->spec.init_containers.n; i++) {
		if (!container_lets_pass(m, i))
			return false;
	}
	return true;
}

/* Init containers that still hold back what follows them, by name. */
static const char *uninitialized(struct arena *a, const struct member *m)
{
	const struct pod_spec *s = &m->want.object.pod->spec;
	const char *names = "";

	for (uint32_t i = 0; i < s->init_containers.n; i++) {
		if (!container_lets_pass(m, i))
			names = arena_printf(a, "%s%s%s", names, *names ? " " : "",
					     s->init_containers.v[i].name);
	}
	return names;
}

static void count(struct tally *t, const struct container_status *s)
{
	const struct state_terminated *end = s->state->terminated;

	if (s->state->running)
		t->running++;
	else if (s->state->waiting && !s->last_state)
		t->waiting++;
	else
		t->ended++;
	if (end && !end->exit_code)
		t->succeeded++;
}

/* kubelet's getPhase */
static const char *phase(const struct member *m, const struct pod_status *s)
{
	enum restart_policy policy = m->want.object.pod->spec.restart_policy;
	struct tally t = { 0 };

	for (uint32_t i = 0; i < s->container_statuses.n; i++)
		count(&t, &s->container_statuses.v[i]);
	if (m->lost && !m->finished && t.running + t.ended)
		return "Failed";
	if (!initialized(m))
		return m->over ? "Failed" : "Pending";
	if (t.waiting || !(t.running + t.ended))
		return "Pending";
	if (t.running || (m->over && !m->finished) || policy == RESTART_ALWAYS ||
	    policy == restart_policy_unset)
		return "Running";
	if (t.ended == t.succeeded)
		return "Succeeded";
	return policy == RESTART_NEVER ? "Failed" : "Running";
}

static const char *unready(struct arena *a, const struct member *m, const struct pod_status *s)
{
	const struct pod_spec *spec = &m->want.object.pod->spec;
	uint32_t inits = s->init_container_statuses.n;
	const char *names = NULL;

	for (uint32_t i = 0; i < inits + s->container_statuses.n; i++) {
		const struct container_status *c = i < inits ? &s->init_container_statuses.v[i] :
							       &s->container_statuses.v[i - inits];

		if (!c->ready && pod_container_role(spec, i) != ROLE_INIT)
			names = arena_printf(a, "%s%s%s", names ? names : "", names ? " " : "",
					     c->name);
	}
	return names;
}

/* When the pod last stopped being ready, as far as its containers tell. */
static int64_t unready_since(const struct member *m, int64_t created)
{
	int64_t t = created;

	for (uint32_t i = 0; m->seen && i < m->seen->ncontainers; i++) {
		const struct observed_container *c = &m->seen->containers[i];

		t = MAX(t, c->started_at);
		t = MAX(t, c->end.finished_at);
		t = MAX(t, c->last.finished_at);
	}
	return whole_seconds(t);
}

static void add(struct pass *p, struct pod_status *s, const char *type, bool yes,
		const char *reason,
		const char *text, int64_t at)
{
	struct condition c = {
		.type = type,
		.status = yes ? "True" : "False",
		.reason = yes ? NULL : reason,
		.message = yes ? NULL : text,
		.last_transition_time = at,
	};

	condition_add(p->a, &s->conditions, &c);
}

static void conditions(struct pass *p, const struct member *m, struct pod_status *s)
{
	int64_t created = s->start_time;
	const char *names = unready(p->a, m, s);
	const char *reason = m->finished ? "PodCompleted" : "ContainersNotReady";
	const char *text = m->finished || !names ? NULL :
		arena_printf(p->a, "containers with unready status: [%s]", names);
	const char *first = initialized(m) ? NULL :
		arena_printf(p->a, "containers with incomplete status: [%s]", uninitialized(p->a, m));
	const char *gates = m->containers_ready && !m->ready ?
			    member_closed_gates(p->a, &m->want.object.pod->spec) : NULL;
	int64_t at = m->ready ? whole_seconds(m->ready_since) : unready_since(m, created);
	bool up = m->seen && m->seen->stage == POD_UP;

	disruption_show(p, m, s);
	if (m->unscheduled) {
		add(p, s, "PodScheduled", false, m->gated ? "SchedulingGated" : "Unschedulable",
		    m->unscheduled, created);
		return;
	}
	add(p, s, "PodReadyToStartContainers", up, NULL, NULL, created);
	add(p, s, "Initialized", !first, "ContainersNotInitialized", first, created);
	add(p, s, "Ready", m->ready, gates ? "ReadinessGatesNotReady" : reason, gates ? gates : text, at);
	add(p, s, "ContainersReady", m->containers_ready, reason, text, at);
	add(p, s, "PodScheduled", true, NULL, NULL, created);
	resize_show(p, m, s);
}

static void addresses(struct pass *p, const struct member *m, struct pod_status *s)
{
	char ip[16];

	if (p->in->node_ip) {
		ip4_format(p->in->node_ip, ip);
		s->host_ip = arena_strdup(p->a, ip);
		arena_push(p->a, &s->host_ips)->ip = s->host_ip;
	}
	if (m->seen && m->seen->ip) {
		ip4_format(m->seen->ip, ip);
		s->pod_ip = arena_strdup(p->a, ip);
		arena_push(p->a, &s->pod_ips)->ip = s->pod_ip;
	}
}

void pod_status_make(struct pass *p, struct member *m)
{
	const struct pod_spec *spec = &m->want.object.pod->spec;
	struct pod_status *s = &m->want.object.pod->status;

	*s = (struct pod_status){ 0 };
	s->start_time = whole_seconds(m->seen ? m->seen->created_at : p->in->now);
	if (m->nominated)
		s->nominated_node_name = p->in->node_name;
	for (uint32_t i = 0; !m->unscheduled && i < pod_container_count(spec); i++) {
		bool init = pod_container_role(spec, i) != ROLE_MAIN;

		show_container(p, m, i, arena_push(p->a, init ? &s->init_container_statuses :
							       &s->container_statuses));
	}
	show_ephemerals(p, m, s);
	s->phase = phase(m, s);
	if (m->evicted) {
		s->phase = "Failed";
		s->reason = "Evicted";
		s->message = m->evicted;
		pass_event_at(p, &m->want.object, true, "Evicted", m->evicted, m->seen->created_at);
	} else if (m->expired) {
		s->phase = "Failed";
		s->reason = "DeadlineExceeded";
		s->message = "Pod was active on the node longer than the specified deadline";
	}
	if (m->lost && !m->finished && !m->want.stop) {
		s->reason = streq(s->phase, "Failed") ? "SandboxLost" : "FailedCreatePodSandBox";
		s->message = m->seen->message;
	}
	s->qos_class = pod_qos(spec);
	s->observed_generation = m->want.object.meta->generation;
	conditions(p, m, s);
	m->want.status = s;
	m->want.unscheduled = m->unscheduled;
	if (m->unscheduled)
		s->start_time = 0;
	else
		addresses(p, m, s);
}
