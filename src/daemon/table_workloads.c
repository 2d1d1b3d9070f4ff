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
	char text[32];

	for (uint32_t i = 0; i < s->container_statuses.n; i++)
		ready += s->container_statuses.v[i].ready;
	for (uint32_t i = 0; i < o->pod->spec.init_containers.n; i++) {
		if (pod_container_role(&o->pod->spec, i) != ROLE_SIDECAR)
			continue;
		all++;
		ready += i < s->init_container_statuses.n && s->init_container_statuses.v[i].ready;
	}
	snprintf(text, sizeof(text), "%u/%u", ready, all);
	json_str(c->j, text);
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

static void pod_ip(struct cell *c, const struct object *o)
{
	json_str(c->j, o->pod->status.pod_ip ? o->pod->status.pod_ip : "<none>");
}

static void pod_node(struct cell *c, const struct object *o)
{
	json_str(c->j, o->pod->spec.node_name ? o->pod->spec.node_name : "<none>");
}

const struct column pod_columns[] = {
	{ "Name", "string", 0, "Name", cell_name },
	{ "Ready", "string", 0, "Ready containers of all", pod_ready },
	{ "Status", "string", 0, "State in one word", pod_status_word },
	{ "Restarts", "string", 0, "Restarts of all containers", pod_restarts },
	{ "Age", "string", 0, "Time since creation", cell_age },
	{ "IP", "string", 1, "Address", pod_ip },
	{ "Node", "string", 1, "Node", pod_node },
	{ "Nominated Node", "string", 1, "Always none", cell_none },
	{ "Readiness Gates", "string", 1, "Always none", cell_none },
	{ 0 },
};

/* Workloads */

static void put_containers(struct cell *c, const struct pod_template *t, bool images)
{
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; t && i < t->spec.containers.n; i++) {
		const struct container *k = &t->spec.containers.v[i];

		buf_printf(&b, "%s%s", i ? "," : "", images ? k->image : k->name);
	}
	json_str(c->j, buf_str(&b));
}

static void deployment_ready(struct cell *c, const struct object *o)
{
	char text[32];

	snprintf(text, sizeof(text), "%d/%d", o->deployment->status.ready_replicas,
		 o->deployment->spec.replicas);
	json_str(c->j, text);
}

static void deployment_updated(struct cell *c, const struct object *o)
{
	json_int(c->j, o->deployment->status.updated_replicas);
}

static void deployment_available(struct cell *c, const struct object *o)
{
	json_int(c->j, o->deployment->status.available_replicas);
}

static void deployment_containers(struct cell *c, const struct object *o)
{
	put_containers(c, o->deployment->spec.template, false);
}

static void deployment_images(struct cell *c, const struct object *o)
{
	put_containers(c, o->deployment->spec.template, true);
}

static void deployment_selector(struct cell *c, const struct object *o)
{
	cell_put_selector(c, o->deployment->spec.selector);
}

const struct column deployment_columns[] = {
	{ "Name", "string", 0, "Name", cell_name },
	{ "Ready", "string", 0, "Ready pods of those wanted", deployment_ready },
	{ "Up-to-date", "integer", 0, "Pods of the current template", deployment_updated },
	{ "Available", "integer", 0, "Available pods", deployment_available },
	{ "Age", "string", 0, "Time since creation", cell_age },
	{ "Containers", "string", 1, "Containers of the template", deployment_containers },
	{ "Images", "string", 1, "Images of the template", deployment_images },
	{ "Selector", "string", 1, "Selector", deployment_selector },
	{ 0 },
};

static void rs_desired(struct cell *c, const struct object *o)
{
	json_int(c->j, o->replicaset->spec.replicas);
}

static void rs_current(struct cell *c, const struct object *o)
{
	json_int(c->j, o->replicaset->status.replicas);
}

static void rs_ready(struct cell *c, const struct object *o)
{
	json_int(c->j, o->replicaset->status.ready_replicas);
}

static void rs_containers(struct cell *c, const struct object *o)
{
	put_containers(c, o->replicaset->spec.template, false);
}

static void rs_images(struct cell *c, const struct object *o)
{
	put_containers(c, o->replicaset->spec.template, true);
}

static void rs_selector(struct cell *c, const struct object *o)
{
	cell_put_selector(c, o->replicaset->spec.selector);
}

const struct column replicaset_columns[] = {
	{ "Name", "string", 0, "Name", cell_name },
	{ "Desired", "integer", 0, "Pods wanted", rs_desired },
	{ "Current", "integer", 0, "Pods", rs_current },
	{ "Ready", "integer", 0, "Ready pods", rs_ready },
	{ "Age", "string", 0, "Time since creation", cell_age },
	{ "Containers", "string", 1, "Containers of the template", rs_containers },
	{ "Images", "string", 1, "Images of the template", rs_images },
	{ "Selector", "string", 1, "Selector", rs_selector },
	{ 0 },
};
