/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables: one array of columns per kind, each with the function that prints its cell. Words and
 * rules are kubectl's, which took them from the API server's printers.
 */
#include "daemon/table.h"

#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "schema/schema.h"

struct cell {
	struct arena arena;
	int64_t now;
	struct json *j;
};

struct column {
	const char *name, *type;
	int priority;		/* 1: -o wide only */
	const char *doc;
	void (*print)(struct cell *c, const struct object *o);
};

static void put_age(struct cell *c, int64_t since)
{
	char age[16];

	if (!since) {
		json_str(c->j, "<unknown>");
		return;
	}
	duration_human(c->now - since, age);
	json_str(c->j, age);
}

static void put_labels(struct cell *c, const struct strmap *m)
{
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < m->n; i++)
		buf_printf(&b, "%s%s=%s", i ? "," : "", m->v[i].k, m->v[i].v);
	json_str(c->j, m->n ? buf_str(&b) : "<none>");
}

static void put_selector(struct cell *c, const struct label_selector *s)
{
	BUF_AUTO b = { 0 };

	if (s)
		selector_print(s, &b);
	json_str(c->j, b.len ? buf_str(&b) : "<none>");
}

static void name(struct cell *c, const struct object *o)
{
	json_str(c->j, o->meta->name);
}

static void age(struct cell *c, const struct object *o)
{
	put_age(c, o->meta->creation_timestamp);
}

/* Pods */

static const struct container_status *status_of(const struct object *o, uint32_t i)
{
	return &o->pod->status.container_statuses.v[i];
}

static void pod_ready(struct cell *c, const struct object *o)
{
	char text[32];
	unsigned ready = 0;

	for (uint32_t i = 0; i < o->pod->status.container_statuses.n; i++)
		ready += status_of(o, i)->ready;
	snprintf(text, sizeof(text), "%u/%u", ready, o->pod->spec.containers.n);
	json_str(c->j, text);
}

/* The reason of the last container that has one; running ones have none. */
static const char *container_reason(const struct object *o, struct arena *a, bool *ret_running)
{
	const char *reason = NULL;

	*ret_running = false;
	for (uint32_t i = o->pod->status.container_statuses.n; i-- > 0;) {
		const struct container_status *s = status_of(o, i);
		const struct container_state *state = s->state;

		if (!state)
			continue;
		if (state->waiting && state->waiting->reason)
			reason = state->waiting->reason;
		else if (state->terminated && state->terminated->reason)
			reason = state->terminated->reason;
		else if (state->terminated)
			reason = state->terminated->signal ?
				arena_printf(a, "Signal:%d", state->terminated->signal) :
				arena_printf(a, "ExitCode:%d", state->terminated->exit_code);
		else if (s->ready && state->running)
			*ret_running = true;
	}
	return reason;
}

static const char *pod_word(struct cell *c, const struct object *o)
{
	const struct pod_status *s = &o->pod->status;
	bool running;
	const char *reason = container_reason(o, &c->arena, &running);
	const char *word = s->reason ? s->reason : s->phase;

	if (o->meta->deletion_timestamp)
		return "Terminating";
	if (reason)
		word = reason;
	if (reason && streq(reason, "Completed") && running)
		word = "Running";
	return word ? word : "Pending";
}

static void pod_status_word(struct cell *c, const struct object *o)
{
	json_str(c->j, pod_word(c, o));
}

static void pod_restarts(struct cell *c, const struct object *o)
{
	int restarts = 0;
	int64_t last = 0;
	char ago[16];

	for (uint32_t i = 0; i < o->pod->status.container_statuses.n; i++) {
		const struct container_status *s = status_of(o, i);

		restarts += s->restart_count;
		if (s->last_state && s->last_state->terminated)
			last = MAX(last, s->last_state->terminated->finished_at);
	}
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

static void none(struct cell *c, const struct object *o)
{
	(void)o;
	json_str(c->j, "<none>");
}

static const struct column pod_columns[] = {
	{ "Name", "string", 0, "Name", name },
	{ "Ready", "string", 0, "Ready containers of all", pod_ready },
	{ "Status", "string", 0, "State in one word", pod_status_word },
	{ "Restarts", "string", 0, "Restarts of all containers", pod_restarts },
	{ "Age", "string", 0, "Time since creation", age },
	{ "IP", "string", 1, "Address", pod_ip },
	{ "Node", "string", 1, "Node", pod_node },
	{ "Nominated Node", "string", 1, "Always none", none },
	{ "Readiness Gates", "string", 1, "Always none", none },
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
	put_selector(c, o->deployment->spec.selector);
}

static const struct column deployment_columns[] = {
	{ "Name", "string", 0, "Name", name },
	{ "Ready", "string", 0, "Ready pods of those wanted", deployment_ready },
	{ "Up-to-date", "integer", 0, "Pods of the current template", deployment_updated },
	{ "Available", "integer", 0, "Available pods", deployment_available },
	{ "Age", "string", 0, "Time since creation", age },
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
	put_selector(c, o->replicaset->spec.selector);
}

static const struct column replicaset_columns[] = {
	{ "Name", "string", 0, "Name", name },
	{ "Desired", "integer", 0, "Pods wanted", rs_desired },
	{ "Current", "integer", 0, "Pods", rs_current },
	{ "Ready", "integer", 0, "Ready pods", rs_ready },
	{ "Age", "string", 0, "Time since creation", age },
	{ "Containers", "string", 1, "Containers of the template", rs_containers },
	{ "Images", "string", 1, "Images of the template", rs_images },
	{ "Selector", "string", 1, "Selector", rs_selector },
	{ 0 },
};

/* Services and what is behind them */

static void svc_type(struct cell *c, const struct object *o)
{
	json_str(c->j, service_type_values.values[o->service->spec.type]);
}

static void svc_ip(struct cell *c, const struct object *o)
{
	json_str(c->j, o->service->spec.cluster_ip ? o->service->spec.cluster_ip : "<none>");
}

static void svc_ports(struct cell *c, const struct object *o)
{
	const struct service_spec *s = &o->service->spec;
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < s->ports.n; i++) {
		const struct service_port *p = &s->ports.v[i];

		buf_printf(&b, "%s%d", i ? "," : "", p->port);
		if (p->node_port)
			buf_printf(&b, ":%d", p->node_port);
		buf_printf(&b, "/%s", protocol_values.values[p->protocol]);
	}
	json_str(c->j, b.len ? buf_str(&b) : "<none>");
}

static void svc_selector(struct cell *c, const struct object *o)
{
	put_labels(c, &o->service->spec.selector);
}

static const struct column service_columns[] = {
	{ "Name", "string", 0, "Name", name },
	{ "Type", "string", 0, "Type", svc_type },
	{ "Cluster-IP", "string", 0, "Address", svc_ip },
	{ "External-IP", "string", 0, "Always none", none },
	{ "Port(s)", "string", 0, "Ports", svc_ports },
	{ "Age", "string", 0, "Time since creation", age },
	{ "Selector", "string", 1, "Labels of the pods", svc_selector },
	{ 0 },
};

static void ep_addresses(struct cell *c, const struct object *o)
{
	BUF_AUTO b = { 0 };
	unsigned n = 0;

	for (uint32_t s = 0; s < o->endpoints->subsets.n; s++) {
		const struct endpoint_subset *sub = &o->endpoints->subsets.v[s];

		for (uint32_t p = 0; p < sub->ports.n; p++)
			for (uint32_t a = 0; a < sub->addresses.n; a++, n++)
				if (n < 3)
					buf_printf(&b, "%s%s:%d", n ? "," : "",
						   sub->addresses.v[a].ip, sub->ports.v[p].port);
	}
	if (n > 3)
		buf_printf(&b, " + %u more...", n - 3);
	json_str(c->j, n ? buf_str(&b) : "<none>");
}

static const struct column endpoints_columns[] = {
	{ "Name", "string", 0, "Name", name },
	{ "Endpoints", "string", 0, "Addresses", ep_addresses },
	{ "Age", "string", 0, "Time since creation", age },
	{ 0 },
};

static void slice_type(struct cell *c, const struct object *o)
{
	json_str(c->j, o->endpointslice->address_type);
}

static void slice_ports(struct cell *c, const struct object *o)
{
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < o->endpointslice->ports.n; i++)
		buf_printf(&b, "%s%d", i ? "," : "", o->endpointslice->ports.v[i].port);
	json_str(c->j, b.len ? buf_str(&b) : "<unset>");
}

static void slice_endpoints(struct cell *c, const struct object *o)
{
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < o->endpointslice->endpoints.n; i++)
		buf_printf(&b, "%s%s", i ? "," : "",
			   o->endpointslice->endpoints.v[i].addresses.v[0]);
	json_str(c->j, b.len ? buf_str(&b) : "<unset>");
}

static const struct column endpointslice_columns[] = {
	{ "Name", "string", 0, "Name", name },
	{ "AddressType", "string", 0, "Kind of addresses", slice_type },
	{ "Ports", "string", 0, "Ports", slice_ports },
	{ "Endpoints", "string", 0, "Addresses", slice_endpoints },
	{ "Age", "string", 0, "Time since creation", age },
	{ 0 },
};

/* Configuration and the rest */

static void cm_data(struct cell *c, const struct object *o)
{
	json_int(c->j, o->configmap->data.n + o->configmap->binary_data.n);
}

static const struct column configmap_columns[] = {
	{ "Name", "string", 0, "Name", name },
	{ "Data", "integer", 0, "Number of keys", cm_data },
	{ "Age", "string", 0, "Time since creation", age },
	{ 0 },
};

static void secret_kind(struct cell *c, const struct object *o)
{
	json_str(c->j, o->secret->type);
}

static void secret_data(struct cell *c, const struct object *o)
{
	json_int(c->j, o->secret->data.n);
}

static const struct column secret_columns[] = {
	{ "Name", "string", 0, "Name", name },
	{ "Type", "string", 0, "Type", secret_kind },
	{ "Data", "integer", 0, "Number of keys", secret_data },
	{ "Age", "string", 0, "Time since creation", age },
	{ 0 },
};

static void ns_phase(struct cell *c, const struct object *o)
{
	json_str(c->j, o->namespace->status.phase ? o->namespace->status.phase : "Active");
}

static const struct column namespace_columns[] = {
	{ "Name", "string", 0, "Name", name },
	{ "Status", "string", 0, "Phase", ns_phase },
	{ "Age", "string", 0, "Time since creation", age },
	{ 0 },
};

static void ev_last(struct cell *c, const struct object *o)
{
	put_age(c, o->event->last_timestamp);
}

static void ev_type(struct cell *c, const struct object *o)
{
	json_str(c->j, o->event->type);
}

static void ev_reason(struct cell *c, const struct object *o)
{
	json_str(c->j, o->event->reason);
}

static void ev_object(struct cell *c, const struct object *o)
{
	const struct object_reference *r = &o->event->involved_object;
	const struct kind *k = kind_find(r->api_version, r->kind);

	json_str(c->j, arena_printf(&c->arena, "%s/%s", k ? k->singular : r->kind, r->name));
}

static void ev_message(struct cell *c, const struct object *o)
{
	json_str(c->j, o->event->message);
}

static void ev_count(struct cell *c, const struct object *o)
{
	json_int(c->j, o->event->count);
}

static const struct column event_columns[] = {
	{ "Last Seen", "string", 0, "Time since it happened last", ev_last },
	{ "Type", "string", 0, "Normal or Warning", ev_type },
	{ "Reason", "string", 0, "Why", ev_reason },
	{ "Object", "string", 0, "To what", ev_object },
	{ "Message", "string", 0, "What happened", ev_message },
	{ "Count", "integer", 1, "How often", ev_count },
	{ "Name", "string", 1, "Name of the event", name },
	{ 0 },
};

static const struct column *const columns[KIND_COUNT] = {
	[KIND_NAMESPACE] = namespace_columns,
	[KIND_CONFIGMAP] = configmap_columns,
	[KIND_SECRET] = secret_columns,
	[KIND_SERVICE] = service_columns,
	[KIND_POD] = pod_columns,
	[KIND_REPLICASET] = replicaset_columns,
	[KIND_DEPLOYMENT] = deployment_columns,
	[KIND_ENDPOINTS] = endpoints_columns,
	[KIND_EVENT] = event_columns,
	[KIND_ENDPOINTSLICE] = endpointslice_columns,
};

void table_columns(struct json *j, enum kind_id kind)
{
	json_key(j, "columnDefinitions");
	json_begin_array(j);
	for (const struct column *c = columns[kind]; c->name; c++) {
		json_begin_object(j);
		json_kstr(j, "name", c->name);
		json_kstr(j, "type", c->type);
		json_kstr(j, "format", streq(c->name, "Name") ? "name" : "");
		json_kstr(j, "description", c->doc);
		json_kint(j, "priority", c->priority);
		json_end_object(j);
	}
	json_end_array(j);
}

static void partial(struct json *j, const struct object *o)
{
	json_begin_object(j);
	json_kstr(j, "kind", "PartialObjectMetadata");
	json_kstr(j, "apiVersion", "meta.k8s.io/v1");
	json_key(j, "metadata");
	schema_json_value(j, &meta_type, o->meta, 0);
	json_end_object(j);
}

void table_row(struct json *j, const struct object *o, bool full, int64_t now)
{
	struct cell c = { .now = now, .j = j };

	json_begin_object(j);
	json_key(j, "cells");
	json_begin_array(j);
	for (const struct column *col = columns[o->kind->id]; col->name; col++)
		col->print(&c, o);
	json_end_array(j);
	json_key(j, "object");
	if (full)
		object_json(j, o, 0);
	else
		partial(j, o);
	json_end_object(j);
	arena_release(&c.arena);
}
