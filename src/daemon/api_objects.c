/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list and get of any kind; a list that shall be watched is api_watch.c's. */
#include <stdio.h>

#include "base/macro.h"
#include "daemon/query.h"
#include "daemon/table.h"

static void list_head(struct json *j, const struct query *y, uint64_t version)
{
	char kind[64], text[24];

	snprintf(kind, sizeof(kind), "%sList", y->kind->name);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)version);
	json_begin_object(j);
	json_kstr(j, "kind", y->table ? "Table" : kind);
	json_kstr(j, "apiVersion", y->table ? "meta.k8s.io/v1" : y->kind->api_version);
	json_key(j, "metadata");
	json_begin_object(j);
	json_kstr(j, "resourceVersion", text);
	json_end_object(j);
	if (y->table)
		table_columns(j, y->kind->id);
	json_key(j, y->table ? "rows" : "items");
	json_begin_array(j);
}

static void put_item(struct json *j, const struct query *y, const struct object *o, int64_t now)
{
	if (y->table)
		table_row(j, o, y->full, now);
	else
		object_json(j, o, 0);
}

static void list(struct request *q, struct query *y, struct reply *r)
{
	uint32_t n;
	struct view_entry **v = view_list(q->d->view, y->kind->id, &n);
	int64_t now = time_now();
	struct json j;

	json_init(&j, &r->body, false);
	list_head(&j, y, view_version(q->d->view));
	for (uint32_t i = 0; i < n; i++)
		if (query_matches(y, &v[i]->object))
			put_item(&j, y, &v[i]->object, now);
	json_end_array(&j);
	json_end_object(&j);
}

/* args: [namespace,] plural */
void api_list(struct request *q, struct reply *r)
{
	struct query y = { 0 };
	const char *ns = q->args[1] ? q->args[0] : NULL;

	if (query_init(q, &y, q->args[1] ? q->args[1] : q->args[0], ns, r) == 0) {
		if (request_flag(q, "sendInitialEvents"))
			reply_status(r, 422, "Invalid", "sendInitialEvents is not supported");
		else if (request_flag(q, "watch"))
			watch_start(q, &y, r);
		else
			list(q, &y, r);
	}
	query_release(&y);
}

static void table_of_one(struct query *y, const struct object *o, struct reply *r)
{
	struct json j;

	json_init(&j, &r->body, false);
	list_head(&j, y, strtoull(o->meta->resource_version, NULL, 10));
	table_row(&j, o, y->full, time_now());
	json_end_array(&j);
	json_end_object(&j);
}

/* args: [namespace,] plural, name */
void api_get(struct request *q, struct reply *r)
{
	struct query y = { 0 };
	bool namespaced = q->args[2] != NULL;
	const char *name = q->args[namespaced ? 2 : 1];
	const struct view_entry *e = NULL;
	struct json j;

	if (query_init(q, &y, q->args[namespaced ? 1 : 0], namespaced ? q->args[0] : NULL, r) < 0)
		goto out;
	if (y.kind->namespaced == namespaced)
		e = view_get(q->d->view, y.kind->id, y.ns, name);
	if (!e) {
		reply_not_found(r, y.kind, name);
	} else if (y.table) {
		table_of_one(&y, &e->object, r);
	} else {
		json_init(&j, &r->body, false);
		object_json(&j, &e->object, 0);
	}
out:
	query_release(&y);
}
