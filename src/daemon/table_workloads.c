/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of pods and of what makes them. */
#include "daemon/table_cells.h"

#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"

static bool pod_condition(const struct pod_status *s, const char *type)
{
	for (uint32_t i = 0; i < s->conditions.n; i++)
		if (streq(s->conditions.v[i].type, type))
			return streq(s->conditions.v[i].status, "True");
	return false;
}

/* Sidecars count like containers proper, other init containers do not. */
static void pod_ready(struct cell *c, const struct object *o)
{
	const struct pod_status *s = &o->pod->status;
	unsigned ready = 0, all = o->pod->spec.containers.n;

	for (uint32_t i = 0; i < s->container_statuses.n; i++)
		ready += s->container_statuses.v[i].ready;
	for (uint32_t i = 0; i < o->pod->spec.init_containers.n; i++) {
		if (pod_container_role(&o->pod->spec, i) != ROLE_SIDECAR)
			continue;
		all++;
		ready += i < s->init_container_statuses.n && s->init_container_statuses.v[i].ready;
	}
	cell_put_ratio(c, ready, all);
}

/* Why a container has ended, in a word; a reason of NULL says how. */
static const char *end_word(struct arena *a, const struct state_terminated *end)
{
	if (end->reason)
		return end->reason;
	return end->signal ? arena_printf(a, "Signal:%d", end->signal) :
			     arena_printf(a, "ExitCode:%d", end->exit_code);
}

/* What holds initialization back; NULL: nothing does. */
static const char *init_word(const struct object *o, struct arena *a)
{
	const struct container_status_list *l = &o->pod->status.init_container_statuses;

	for (uint32_t i = 0; i < l->n && !pod_condition(&o->pod->status, "Initialized"); i++) {
		const struct container_status *s = &l->v[i];
		const struct container_state *state = s->state;
		const struct state_waiting *waiting = state ? state->waiting : NULL;
		bool sidecar = pod_container_role(&o->pod->spec, i) == ROLE_SIDECAR;

		if (sidecar ? s->started : s->ready)
			continue;
		if (state && state->terminated)
			return arena_printf(a, "Init:%s", end_word(a, state->terminated));
		if (waiting && waiting->reason && !streq(waiting->reason, "PodInitializing"))
			return arena_printf(a, "Init:%s", waiting->reason);
		return arena_printf(a, "Init:%u/%u", i, l->n);
	}
	return NULL;
}

/* The reason of the last container that has one; running ones have none. */
static const char *container_reason(const struct object *o, struct arena *a, bool *ret_running)
{
	const struct container_status_list *l = &o->pod->status.container_statuses;
	const char *reason = NULL;

	*ret_running = false;
	for (uint32_t i = l->n; i-- > 0;) {
		const struct container_state *state = l->v[i].state;

		if (!state)
			continue;
		if (state->waiting && state->waiting->reason)
			reason = state->waiting->reason;
		else if (state->terminated)
			reason = end_word(a, state->terminated);
		else if (l->v[i].ready && state->running)
			*ret_running = true;
	}
	return reason;
}

static bool pod_ended(const struct pod_status *s)
{
	return s->phase && (streq(s->phase, "Succeeded") || streq(s->phase, "Failed"));
}

static bool is_gated(const struct pod_status *s)
{
	for (uint32_t i = 0; i < s->conditions.n; i++) {
		const struct condition *c = &s->conditions.v[i];

		if (streq(c->type, "PodScheduled") && c->reason &&
		    streq(c->reason, "SchedulingGated"))
			return true;
	}
	return false;
}

static const char *pod_word(struct cell *c, const struct object *o)
{
	const struct pod_status *s = &o->pod->status;
	bool running;
	const char *init = init_word(o, &c->arena);
	const char *reason = container_reason(o, &c->arena, &running);
	const char *word = s->reason ? s->reason : s->phase;

	if (o->meta->deletion_timestamp && !pod_ended(s))
		return "Terminating";
	if (init)
		return init;
	if (reason)
		word = reason;
	if (is_gated(s))
		word = "SchedulingGated";
	if (reason && streq(reason, "Completed") && running)
		word = pod_condition(s, "Ready") ? "Running" : "NotReady";
	return word ? word : "Pending";
}

static void pod_status_word(struct cell *c, const struct object *o)
{
	json_str(c->j, pod_word(c, o));
}

static void count_restarts(const struct container_status *s, int *restarts, int64_t *last)
{
	*restarts += s->restart_count;
	if (s->last_state && s->last_state->terminated)
		*last = MAX(*last, s->last_state->terminated->finished_at);
}

/* Of init containers until they are done with, then of all that go on. */
static void pod_restarts(struct cell *c, const struct object *o)
{
	const struct pod_status *s = &o->pod->status;
	bool done = !init_word(o, &c->arena);
	int restarts = 0;
	int64_t last = 0;
	char ago[16];

	for (uint32_t i = 0; i < s->init_container_statuses.n; i++) {
		if (!done || pod_container_role(&o->pod->spec, i) == ROLE_SIDECAR)
			count_restarts(&s->init_container_statuses.v[i], &restarts, &last);
	}
	for (uint32_t i = 0; done && i < s->container_statuses.n; i++)
		count_restarts(&s->container_statuses.v[i], &restarts, &last);
	duration_human(c->now - last, ago);
	json_str(c->j, restarts && last ? arena_printf(&c->arena, "%d (%s ago)", restarts, ago) :
					  arena_printf(&c->arena, "%d", restarts));
}

const struct column pod_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Ready", "string", 0, "Ready containers of all", .print = pod_ready },
	{ "Status", "string", 0, "State in one word", .print = pod_status_word },
	{ "Restarts", "string", 0, "Restarts of all containers", .print = pod_restarts },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "IP", "string", 1, "Address", .path = "status.podIP", .absent = "<none>" },
	{ "Node", "string", 1, "Node", .path = "spec.nodeName", .absent = "<none>" },
	{ "Nominated Node", "string", 1, "Always none", .print = cell_none },
	{ "Readiness Gates", "string", 1, "Always none", .print = cell_none },
	{ 0 },
};

/* Workloads */

const struct column deployment_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Ready", "string", 0, "Ready pods of those wanted", .print = cell_ready },
	{ "Up-to-date", "integer", 0, "Pods of the current template", .path = "status.updatedReplicas" },
	{ "Available", "integer", 0, "Available pods", .path = "status.availableReplicas" },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "Containers", "string", 1, "Containers of the template", .print = cell_containers },
	{ "Images", "string", 1, "Images of the template", .print = cell_images },
	{ "Selector", "string", 1, "Selector", .print = cell_selector },
	{ 0 },
};

const struct column replicaset_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Desired", "integer", 0, "Pods wanted", .path = "spec.replicas" },
	{ "Current", "integer", 0, "Pods", .path = "status.replicas" },
	{ "Ready", "integer", 0, "Ready pods", .path = "status.readyReplicas" },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "Containers", "string", 1, "Containers of the template", .print = cell_containers },
	{ "Images", "string", 1, "Images of the template", .print = cell_images },
	{ "Selector", "string", 1, "Selector", .print = cell_selector },
	{ 0 },
};
