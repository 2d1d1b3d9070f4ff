/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables: one array of columns per kind, each with the function that prints its cell. Words and
 * rules are kubectl's, which took them from the API server's printers.
 */
#include "daemon/table_cells.h"

#include "base/macro.h"
#include "base/units.h"
#include "schema/schema.h"

void cell_put_age(struct cell *c, int64_t since)
{
	char age[16];

	if (!since) {
		json_str(c->j, "<unknown>");
		return;
	}
	duration_human(c->now - since, age);
	json_str(c->j, age);
}

void cell_put_labels(struct cell *c, const struct strmap *m)
{
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < m->n; i++)
		buf_printf(&b, "%s%s=%s", i ? "," : "", m->v[i].k, m->v[i].v);
	json_str(c->j, m->n ? buf_str(&b) : "<none>");
}

void cell_put_selector(struct cell *c, const struct label_selector *s)
{
	BUF_AUTO b = { 0 };

	if (s)
		selector_print(s, &b);
	json_str(c->j, b.len ? buf_str(&b) : "<none>");
}

void cell_name(struct cell *c, const struct object *o)
{
	json_str(c->j, o->meta->name);
}

void cell_age(struct cell *c, const struct object *o)
{
	cell_put_age(c, o->meta->creation_timestamp);
}

void cell_none(struct cell *c, const struct object *o)
{
	(void)o;
	json_str(c->j, "<none>");
}

static void cm_data(struct cell *c, const struct object *o)
{
	json_int(c->j, o->configmap->data.n + o->configmap->binary_data.n);
}

static const struct column configmap_columns[] = {
	{ "Name", "string", 0, "Name", cell_name },
	{ "Data", "integer", 0, "Number of keys", cm_data },
	{ "Age", "string", 0, "Time since creation", cell_age },
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
	{ "Name", "string", 0, "Name", cell_name },
	{ "Type", "string", 0, "Type", secret_kind },
	{ "Data", "integer", 0, "Number of keys", secret_data },
	{ "Age", "string", 0, "Time since creation", cell_age },
	{ 0 },
};

static void ns_phase(struct cell *c, const struct object *o)
{
	json_str(c->j, o->namespace->status.phase ? o->namespace->status.phase : "Active");
}

static const struct column namespace_columns[] = {
	{ "Name", "string", 0, "Name", cell_name },
	{ "Status", "string", 0, "Phase", ns_phase },
	{ "Age", "string", 0, "Time since creation", cell_age },
	{ 0 },
};

static void ev_last(struct cell *c, const struct object *o)
{
	cell_put_age(c, o->event->last_timestamp);
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
	{ "Name", "string", 1, "Name of the event", cell_name },
	{ 0 },
};

static const struct column plain_columns[] = {
	{ "Name", "string", 0, "Name", cell_name },
	{ "Age", "string", 0, "Time since creation", cell_age },
	{ 0 },
};

static const struct column *columns_of(enum kind_id kind)
{
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
	return columns[kind] ? columns[kind] : plain_columns;
}

void table_columns(struct json *j, enum kind_id kind)
{
	json_key(j, "columnDefinitions");
	json_begin_array(j);
	for (const struct column *c = columns_of(kind); c->name; c++) {
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
	for (const struct column *col = columns_of(o->kind->id); col->name; col++)
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
