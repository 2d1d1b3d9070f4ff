/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orchctl get. Tables come from the server; other formats take the objects themselves, one kind's
 * list as it is, several kinds as one List.
 */
#include <stdio.h>

#include "base/macro.h"
#include "cli/cli.h"

#define TABLE "application/json;as=Table;v=v1;g=meta.k8s.io"

static const char *query_path(struct cli *c, const struct target *t, bool watch, const char *version)
{
	BUF_AUTO p = { 0 };
	const struct { const char *key, *value; } terms[] = {
		{ "labelSelector", t->name ? NULL : c->opt.selector },
		{ "fieldSelector", t->name && watch ?
			arena_printf(&c->arena, "metadata.name=%s", t->name) : c->opt.field_selector },
		{ "watch", watch ? "true" : NULL },
		{ "resourceVersion", version },
		{ "includeObject", c->opt.show_labels ? "Metadata" : NULL },
	};
	struct target list = { t->kind, NULL };
	char sep = '?';

	buf_puts(&p, target_path(c, watch ? &list : t));
	for (size_t i = 0; i < ARRAY_SIZE(terms); i++) {
		if (!terms[i].value)
			continue;
		buf_printf(&p, "%c%s=", sep, terms[i].key);
		url_encode(&p, terms[i].value);
		sep = '&';
	}
	return arena_strdup(&c->arena, buf_str(&p));
}

static bool is_table(const struct cli *c)
{
	return !c->opt.output || streq(c->opt.output, "table") || streq(c->opt.output, "wide");
}

static bool wide(const struct cli *c)
{
	return c->opt.output && streq(c->opt.output, "wide");
}

static const char *cell_text(struct cli *c, json_t *cell)
{
	if (json_is_string(cell))
		return json_string_value(cell);
	char *text = json_dumps(cell, JSON_ENCODE_ANY);
	const char *kept = arena_strdup(&c->arena, text);
	free(text);
	return kept;
}

static const char *upper(struct arena *a, const char *s)
{
	char *u = arena_strdup(a, s);

	for (char *p = u; *p; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	return u;
}

static const char *labels_text(struct cli *c, json_t *labels)
{
	BUF_AUTO b = { 0 };
	const char *k;
	json_t *v;

	json_object_foreach(labels, k, v)
		buf_printf(&b, "%s%s=%s", b.len ? "," : "", k, json_string_value(v));
	return b.len ? arena_strdup(&c->arena, buf_str(&b)) : "<none>";
}

struct view_of {
	struct cli *c;
	const struct kind *kind;
	bool prefix;		/* several kinds: names as kind/name */
	bool headers;
};

static void add_row(const struct view_of *o, struct rows *r, json_t *defs, json_t *row)
{
	const char *cells[32];
	unsigned n = 0;
	json_t *def, *meta = json_path(row, "object.metadata");
	size_t i;

	if (o->c->opt.all_namespaces && o->kind->namespaced)
		cells[n++] = row ? json_text(meta, "namespace") : "NAMESPACE";
	json_array_foreach(defs, i, def) {
		if (json_integer_value(json_object_get(def, "priority")) > 0 && !wide(o->c))
			continue;
		cells[n] = row ? cell_text(o->c, json_array_get(json_object_get(row, "cells"), i)) :
				 upper(&o->c->arena, json_text(def, "name"));
		if (row && o->prefix && i == 0)
			cells[n] = arena_printf(&o->c->arena, "%s%s/%s", o->kind->singular,
						strchr(o->kind->api_version, '/') ? ".apps" : "", cells[n]);
		if (++n == ARRAY_SIZE(cells) - 2)
			break;
	}
	if (o->c->opt.show_labels)
		cells[n++] = row ? labels_text(o->c, json_object_get(meta, "labels")) : "LABELS";
	rows_add(r, n, cells);
}

static unsigned print_table(const struct view_of *o, json_t *table)
{
	json_t *defs = json_object_get(table, "columnDefinitions"), *row;
	json_t *all = json_object_get(table, "rows");
	struct rows r = { 0 };
	size_t i;

	if (json_array_size(all) && o->headers)
		add_row(o, &r, defs, NULL);
	json_array_foreach(all, i, row)
		add_row(o, &r, defs, row);
	if (r.nrows)
		rows_print(&r);
	return (unsigned)json_array_size(all);
}

static int get_tables(struct cli *c, const struct targets *t)
{
	unsigned shown = 0;
	int status = EXIT_DONE;
	bool several = false;

	for (uint32_t i = 1; i < t->n; i++)
		several |= t->v[i].kind != t->v[0].kind;
	for (uint32_t i = 0; i < t->n; i++) {
		bool same = i && t->v[i].kind == t->v[i - 1].kind;
		struct view_of o = { c, t->v[i].kind, several, !c->opt.no_headers && !same };
		int one;
		json_t *table = fetch(c, "GET", query_path(c, &t->v[i], false, NULL), TABLE, &one);

		if (table && several && !same && shown && json_array_size(json_object_get(table, "rows")))
			putchar('\n');
		if (table)
			shown += print_table(&o, table);
		json_decref(table);
		status = one ? one : status;
	}
	if (!shown && !status)
		fprintf(stderr, c->opt.all_namespaces ? "No resources found\n" :
			"No resources found in %s namespace.\n", namespace_of(c));
	return status;
}

/* The objects, each with kind and apiVersion, as kubectl would have them. */
static int collect(struct cli *c, const struct targets *t, json_t *items)
{
	for (uint32_t i = 0; i < t->n; i++) {
		int status;
		size_t k;
		json_t *v = fetch(c, "GET", query_path(c, &t->v[i], false, NULL), NULL, &status), *item;

		if (!v)
			return status;
		if (t->v[i].name)
			json_array_append(items, v);
		json_array_foreach(json_object_get(v, "items"), k, item)
			json_array_append(items, item);
		json_decref(v);
	}
	return EXIT_DONE;
}

static void print_names(json_t *items)
{
	json_t *o;
	size_t i;

	json_array_foreach(items, i, o) {
		const struct kind *k = kind_find(json_text(o, "apiVersion"), json_text(o, "kind"));

		printf("%s%s/%s\n", k ? k->singular : "", k && strchr(k->api_version, '/') ? ".apps" : "",
		       json_text(json_object_get(o, "metadata"), "name"));
	}
}

/* "NAME:.metadata.name,IP:.status.podIP" */
static int print_custom(struct cli *c, json_t *items, const char *spec)
{
	const char *heads[32], *paths[32], *cells[32];
	unsigned n = 0;
	struct rows r = { 0 };
	json_t *o;
	size_t i;

	for (const char *p = spec; *p && n < ARRAY_SIZE(heads); n++) {
		size_t len = strcspn(p, ","), head = strcspn(p, ":,");

		heads[n] = arena_strndup(&c->arena, p, head);
		paths[n] = head < len ? arena_strndup(&c->arena, p + head + 1, len - head - 1) : "";
		p += len + (p[len] == ',');
	}
	if (!c->opt.no_headers)
		rows_add(&r, n, heads);
	json_array_foreach(items, i, o) {
		for (unsigned k = 0; k < n; k++) {
			BUF_AUTO text = { 0 };

			if (jsonpath(c, o, paths[k], &text))
				return EXIT_ERROR;
			cells[k] = text.len ? arena_strdup(&c->arena, text.data) : "<none>";
		}
		rows_add(&r, n, cells);
	}
	if (r.nrows)
		rows_print(&r);
	return EXIT_DONE;
}

static int print_objects(struct cli *c, json_t *items, bool one)
{
	const char *format = c->opt.output;
	json_t *whole = one ? json_incref(json_array_get(items, 0)) :
			      json_pack("{s:s, s:s, s:O, s:{}}", "kind", "List", "apiVersion", "v1",
					"items", items, "metadata");
	int status = EXIT_DONE;

	if (streq(format, "json")) {
		print_json(whole);
	} else if (streq(format, "yaml")) {
		print_yaml(whole);
	} else if (streq(format, "name")) {
		print_names(items);
	} else if (strncmp(format, "jsonpath=", 9) == 0) {
		BUF_AUTO text = { 0 };

		status = jsonpath(c, whole, format + 9, &text);
		fputs(buf_str(&text), stdout);
	} else if (strncmp(format, "custom-columns=", 15) == 0) {
		status = print_custom(c, items, format + 15);
	} else {
		fprintf(stderr, "error: unknown output format \"%s\"\n", format);
		status = EXIT_ERROR;
	}
	json_decref(whole);
	return status;
}

static int get_objects(struct cli *c, const struct targets *t)
{
	json_t *items = json_array();
	int status = collect(c, t, items);

	if (!status)
		status = print_objects(c, items, t->n == 1 && t->v[0].name);
	json_decref(items);
	return status;
}

struct watching {
	struct view_of view;
	struct buf line;
};

static void print_event(struct watching *w, const char *text, size_t n)
{
	json_t *e = json_loadb(text, n, 0, NULL);
	json_t *o = json_object_get(e, "object");

	if (o && is_table(w->view.c)) {
		print_table(&w->view, o);
		w->view.headers = false;
	} else if (o) {
		json_t *items = json_pack("[O]", o);

		print_objects(w->view.c, items, true);
		json_decref(items);
	}
	json_decref(e);
	fflush(stdout);
}

static bool on_watch(void *data, const char *p, size_t n)
{
	struct watching *w = data;
	const char *nl;

	while (n && (nl = memchr(p, '\n', n))) {
		buf_add(&w->line, p, (size_t)(nl - p));
		print_event(w, buf_str(&w->line), w->line.len);
		buf_reset(&w->line);
		n -= (size_t)(nl - p) + 1;
		p = nl + 1;
	}
	buf_add(&w->line, p, n);
	return true;
}

static int watch(struct cli *c, const struct target *t)
{
	struct watching w = { .view = { c, t->kind, false, !c->opt.no_headers } };
	struct response r = { 0 };
	struct err err = { 0 };
	int status = EXIT_DONE;

	if (client_stream(&c->client, query_path(c, t, true, NULL), is_table(c) ? TABLE : NULL,
			  on_watch, &w, &r, &err) < 0)
		status = unreachable(&err);
	else if (r.code >= 300)
		status = refused(&r);
	buf_release(&w.line);
	response_release(&r);
	return status;
}

int verb_get(struct cli *c)
{
	struct targets t;
	int r = targets_parse(c, 0, &t);

	if (r)
		return r;
	if (c->opt.watch && t.n != 1) {
		fprintf(stderr, "error: a watch takes one type\n");
		return EXIT_ERROR;
	}
	if (c->opt.watch)
		return watch(c, &t.v[0]);
	return is_table(c) ? get_tables(c, &t) : get_objects(c, &t);
}

int verb_events(struct cli *c)
{
	struct targets t = { 0 };
	struct target *e = arena_push(&c->arena, &t);

	e->kind = &kinds[KIND_EVENT];
	e->name = NULL;
	if (c->opt.watch)
		return watch(c, e);
	return is_table(c) ? get_tables(c, &t) : get_objects(c, &t);
}
