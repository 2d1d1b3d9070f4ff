/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list, get and watch of any kind. A watch is a stream with a cursor into the view: each time
 * anything changed it writes what lies after the cursor and moves on.
 */
#include <stdio.h>
#include <strings.h>

#include "base/macro.h"
#include "daemon/request.h"
#include "daemon/table.h"
#include "schema/schema.h"

struct field_term {
	const struct field *field;
	size_t offset;			/* in the object */
	const char *value;
	bool differs;
};

/* What a list or watch asks for. */
struct query {
	struct arena arena;
	const struct kind *kind;
	const char *ns;			/* NULL: all */
	bool has_labels, table, full;
	struct label_selector labels;
	struct { struct field_term *v; uint32_t n; } fields;
};

/* "/api/v1/..." or "/apis/GROUP/v1/..." */
static bool path_has_version(const char *path, const char *api_version)
{
	const char *p = strncmp(path, "/apis/", 6) == 0 ? path + 6 : path + 5;
	size_t n = strlen(api_version);

	return strncmp(p, api_version, n) == 0 && p[n] == '/';
}

static const struct kind *kind_of(const char *plural, const char *path)
{
	for (int k = 0; k < KIND_COUNT; k++)
		if (streq(kinds[k].plural, plural) && path_has_version(path, kinds[k].api_version))
			return &kinds[k];
	return NULL;
}

/* A plain field by its path in the API; NULL when there is none that one could select by. */
static const struct field *find_field(const struct type *t, const char *path, size_t *offset)
{
	char key[64];
	size_t n = strcspn(path, ".");

	snprintf(key, sizeof(key), "%.*s", (int)MIN(n, sizeof(key) - 1), path);
	const struct field *f = schema_field(t, key);
	if (!f)
		return NULL;
	*offset += f->offset;
	if (f->kind == K_INLINE && path[n])
		return find_field(f->sub, path + n + 1, offset);
	return !path[n] && (f->kind == K_STR || f->kind == K_ENUM) ? f : NULL;
}

static const char *field_text(const struct field_term *t, const struct object *o)
{
	const void *member = (const char *)o->body + t->offset;
	const char *text = t->field->kind == K_STR ? *(const char *const *)member :
						     t->field->values->values[*(const int *)member];

	return text ? text : "";
}

static int parse_term(struct query *y, char *term, struct err *err)
{
	char *eq = strchr(term, '=');

	if (!eq)
		return err_set(err, -EINVAL, "invalid selector: '%s'; can't understand it", term);
	struct field_term *t = arena_push(&y->arena, &y->fields);
	t->differs = eq > term && eq[-1] == '!';
	t->value = eq + 1 + (eq[1] == '=');
	eq[t->differs ? -1 : 0] = '\0';
	t->field = find_field(y->kind->type, term, &t->offset);
	return t->field ? 0 : err_set(err, -EINVAL, "field label not supported: %s", term);
}

/* "a=b,c!=d" */
static int parse_fields(struct query *y, const char *text, struct err *err)
{
	int r = 0;

	while (text && *text && r == 0) {
		size_t n = strcspn(text, ",");

		r = parse_term(y, arena_strndup(&y->arena, text, n), err);
		text += n + (text[n] == ',');
	}
	return r;
}

static bool query_matches(const struct query *y, const struct object *o)
{
	if (y->ns && o->kind->namespaced && !streq(o->meta->namespace, y->ns))
		return false;
	if (y->has_labels && !selector_matches(&y->labels, &o->meta->labels))
		return false;
	for (uint32_t i = 0; i < y->fields.n; i++) {
		const struct field_term *t = &y->fields.v[i];

		if (streq(field_text(t, o), t->value) == t->differs)
			return false;
	}
	return true;
}

static int query_init(struct request *q, struct query *y, const char *plural, const char *ns,
		      struct reply *r)
{
	const char *labels = request_query(q, "labelSelector");
	const char *accept = request_header(q, "Accept");
	struct err err = { 0 };

	y->kind = kind_of(plural, q->path);
	if (!y->kind || (ns && !y->kind->namespaced)) {
		reply_status(r, 404, "NotFound", "the server could not find the requested resource");
		return -ENOENT;
	}
	y->ns = arena_strdup(&y->arena, ns);
	y->table = accept && strcasestr(accept, "as=Table");
	y->full = streq(request_query(q, "includeObject") ?: "", "Object");
	y->has_labels = labels && *labels;
	if ((y->has_labels && selector_parse(&y->arena, labels, &y->labels, &err) < 0) ||
	    parse_fields(y, request_query(q, "fieldSelector"), &err) < 0) {
		reply_status(r, 400, "BadRequest", "%s", err.msg);
		return -EINVAL;
	}
	return 0;
}

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

/* Watches */

struct watch_stream {
	struct stream stream;
	struct daemon *d;
	struct query query;
	uint64_t cursor;
	bool from_list;		/* begin with everything there is */
	bool expired;
	struct loop_timer timer;
};

static void put_event(struct buf *out, const char *type, const struct query *y,
		      const struct object *o)
{
	struct json j;

	json_init(&j, out, false);
	json_begin_object(&j);
	json_kstr(&j, "type", type);
	json_key(&j, "object");
	if (y->table) {
		json_begin_object(&j);
		json_kstr(&j, "kind", "Table");
		json_kstr(&j, "apiVersion", "meta.k8s.io/v1");
		json_key(&j, "metadata");
		json_begin_object(&j);
		json_kstr(&j, "resourceVersion", o->meta->resource_version);
		json_end_object(&j);
		table_columns(&j, y->kind->id);
		json_key(&j, "rows");
		json_begin_array(&j);
		table_row(&j, o, y->full, time_now());
		json_end_array(&j);
		json_end_object(&j);
	} else {
		object_json(&j, o, 0);
	}
	json_end_object(&j);
	buf_putc(out, '\n');
}

static void put_all(struct watch_stream *w, struct buf *out)
{
	uint32_t n;
	struct view_entry **v = view_list(w->d->view, w->query.kind->id, &n);

	for (uint32_t i = 0; i < n; i++)
		if (query_matches(&w->query, &v[i]->object))
			put_event(out, "ADDED", &w->query, &v[i]->object);
	w->cursor = view_version(w->d->view);
	w->from_list = false;
}

static bool put_expired(struct buf *out)
{
	buf_puts(out, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\","
		      "\"metadata\":{},\"status\":\"Failure\",\"message\":\"too old resource version\","
		      "\"reason\":\"Expired\",\"code\":410}}\n");
	return false;
}

static bool watch_more(struct stream *s, struct buf *out)
{
	struct watch_stream *w = container_of(s, struct watch_stream, stream);
	enum kind_id kind = w->query.kind->id;
	struct view_entry *e;

	if (w->from_list)
		put_all(w, out);
	uint64_t before = w->cursor;
	if (view_changes(w->d->view, kind, before, &e) < 0)
		return put_expired(out);
	/* what others changed is behind us, too: the cursor must not grow old */
	w->cursor = view_version(w->d->view);
	for (; e; e = view_next_change(w->d->view, e, kind)) {
		if (!query_matches(&w->query, &e->object))
			continue;
		put_event(out, e->deleted ? "DELETED" : e->created > before ? "ADDED" : "MODIFIED",
			  &w->query, &e->object);
	}
	return !w->expired;
}

static void watch_free_stream(struct stream *s)
{
	struct watch_stream *w = container_of(s, struct watch_stream, stream);

	loop_timer_cancel(w->d->loop, &w->timer);
	arena_release(&w->query.arena);
	free(w);
}

static void on_timeout(struct loop_timer *t)
{
	struct watch_stream *w = container_of(t, struct watch_stream, timer);

	w->expired = true;
	http_wake(&w->stream);
}

static void start_watch(struct request *q, struct query *y, struct reply *r)
{
	const char *from = request_query(q, "resourceVersion");
	int64_t seconds = request_int(q, "timeoutSeconds", 0);
	struct watch_stream *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->stream = (struct stream){ watch_more, watch_free_stream, NULL };
	w->d = q->d;
	w->query = *y;
	*y = (struct query){ 0 };
	w->from_list = !from || !*from || streq(from, "0");
	w->cursor = w->from_list ? 0 : strtoull(from, NULL, 10);
	if (seconds > 0)
		loop_timer_at(q->d->loop, &w->timer, time_mono() + seconds * NSEC, on_timeout);
	r->stream = &w->stream;
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
			start_watch(q, &y, r);
		else
			list(q, &y, r);
	}
	arena_release(&y.arena);
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
	arena_release(&y.arena);
}
