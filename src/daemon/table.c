/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables: one array of columns per kind, each with the function that prints its cell. Words and
 * rules are kubectl's, which took them from the API server's printers.
 */
#include "daemon/table_cells.h"

#include <stdio.h>

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

void cell_put_ratio(struct cell *c, int64_t part, int64_t all)
{
	json_str(c->j, arena_printf(&c->arena, "%lld/%lld", (long long)part, (long long)all));
}

void cell_ready(struct cell *c, const struct object *o)
{
	cell_put_ratio(c, cell_number(o, "status.readyReplicas"), cell_number(o, "spec.replicas"));
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

const void *cell_find(const struct object *o, const char *path, const struct field **ret_field)
{
	const struct type *t = o->kind->type;
	const char *at = o->body;
	char key[64];

	for (;;) {
		size_t n = strcspn(path, ".");
		const struct field *f;

		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		f = t ? schema_field(t, key) : NULL;
		if (!f)
			return NULL;
		at += f->offset;
		if (f->kind == K_OBJ)
			at = *(const char *const *)at;
		*ret_field = f;
		if (!at || !path[n])
			return at;
		t = f->sub;
		path += n + 1;
	}
}

int64_t cell_number(const struct object *o, const char *path)
{
	const struct field *f;
	const void *value = cell_find(o, path, &f);

	if (!value)
		return 0;
	return f->kind == K_I32 ? *(const int32_t *)value : *(const int64_t *)value;
}

const char *cell_text(struct cell *c, const struct object *o, const char *path, const char *absent)
{
	const struct field *f;
	const void *value = cell_find(o, path, &f);
	const struct intstr *i = value;
	const char *text = NULL;

	if (!value)
		return absent;
	switch (f->kind) {
	case K_STR:
		text = *(const char *const *)value;
		break;
	case K_ENUM:
		text = f->values->values[*(const unsigned *)value];
		break;
	case K_BOOL:
		return *(const bool *)value ? "true" : "false";
	case K_INTSTR:
		return i->str ? i->str : arena_printf(&c->arena, "%d", i->num);
	case K_I32:
	case K_I64:
		return arena_printf(&c->arena, "%lld", (long long)cell_number(o, path));
	default:
		break;
	}
	return text && *text ? text : absent;
}

static void put_field(struct cell *c, const struct column *col, const struct object *o)
{
	if (streq(col->type, "integer"))
		json_int(c->j, cell_number(o, col->path));
	else
		json_str(c->j, cell_text(c, o, col->path, col->absent ? col->absent : ""));
}

void cell_selector(struct cell *c, const struct object *o)
{
	const struct field *f;
	const void *value = cell_find(o, "spec.selector", &f);

	if (value && f->kind == K_MAP)
		cell_put_labels(c, value);
	else
		cell_put_selector(c, value);
}

const struct pod_template *cell_template(const struct object *o)
{
	static const char *const paths[] = { "spec.template", "spec.jobTemplate.spec.template",
					     "template" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct field *f;
		const void *value = cell_find(o, paths[i], &f);

		if (value && f->sub == &pod_template_type)
			return value;
	}
	return NULL;
}

static void put_containers(struct cell *c, const struct object *o, bool images)
{
	const struct pod_template *t = cell_template(o);
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; t && i < t->spec.containers.n; i++) {
		const struct container *k = &t->spec.containers.v[i];
		const char *word = images ? k->image : k->name;

		buf_printf(&b, "%s%s", i ? "," : "", word ? word : "");
	}
	json_str(c->j, buf_str(&b));
}

void cell_containers(struct cell *c, const struct object *o)
{
	put_containers(c, o, false);
}

void cell_images(struct cell *c, const struct object *o)
{
	put_containers(c, o, true);
}

static void cm_data(struct cell *c, const struct object *o)
{
	json_int(c->j, o->configmap->data.n + o->configmap->binary_data.n);
}

static const struct column configmap_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Data", "integer", 0, "Number of keys", .print = cm_data },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
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
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Type", "string", 0, "Type", .print = secret_kind },
	{ "Data", "integer", 0, "Number of keys", .print = secret_data },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};

static void ns_phase(struct cell *c, const struct object *o)
{
	json_str(c->j, o->namespace->status.phase ? o->namespace->status.phase : "Active");
}

static const struct column namespace_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Status", "string", 0, "Phase", .print = ns_phase },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
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
	{ "Last Seen", "string", 0, "Time since it happened last", .print = ev_last },
	{ "Type", "string", 0, "Normal or Warning", .print = ev_type },
	{ "Reason", "string", 0, "Why", .print = ev_reason },
	{ "Object", "string", 0, "To what", .print = ev_object },
	{ "Message", "string", 0, "What happened", .print = ev_message },
	{ "Count", "integer", 1, "How often", .print = ev_count },
	{ "Name", "string", 1, "Name of the event", .print = cell_name },
	{ 0 },
};

static const struct column plain_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
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
		[KIND_INGRESS] = ingress_columns,
		[KIND_INGRESSCLASS] = ingressclass_columns,
		[KIND_NETWORKPOLICY] = networkpolicy_columns,
		[KIND_STATEFULSET] = statefulset_columns,
		[KIND_DAEMONSET] = daemonset_columns,
		[KIND_REPLICATIONCONTROLLER] = replicaset_columns,
		[KIND_PODTEMPLATE] = podtemplate_columns,
		[KIND_CONTROLLERREVISION] = controllerrevision_columns,
		[KIND_JOB] = job_columns,
		[KIND_CRONJOB] = cronjob_columns,
		[KIND_HPA] = hpa_columns,
		[KIND_PDB] = pdb_columns,
		[KIND_NODE] = node_columns,
		[KIND_PRIORITYCLASS] = priorityclass_columns,
		[KIND_RUNTIMECLASS] = runtimeclass_columns,
		[KIND_SERVICEACCOUNT] = serviceaccount_columns,
		[KIND_LIMITRANGE] = limitrange_columns,
		[KIND_RESOURCEQUOTA] = resourcequota_columns,
		[KIND_PV] = pv_columns,
		[KIND_PVC] = pvc_columns,
		[KIND_STORAGECLASS] = storageclass_columns,
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
	for (const struct column *col = columns_of(o->kind->id); col->name; col++) {
		if (col->print)
			col->print(&c, o);
		else
			put_field(&c, col, o);
	}
	json_end_array(j);
	json_key(j, "object");
	if (full)
		object_json(j, o, 0);
	else
		partial(j, o);
	json_end_object(j);
	arena_release(&c.arena);
}
