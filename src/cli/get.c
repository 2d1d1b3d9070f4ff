/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orchctl get and events. Tables come from the server; other formats take the objects themselves,
 * several as one List. A watch is a list, and then what changes after it.
 */
#include <stdio.h>

#include "base/macro.h"
#include "cli/objects.h"
#include "cli/table.h"

/* Path and query of a target; since: watch from this resourceVersion on, NULL: no watch. */
static const char *query_path(struct cli *c, const struct target *t, const char *since)
{
	struct target list = { t->kind, NULL, t->ns };
	bool one = t->name && since;
	const struct { const char *key, *value; } terms[] = {
		{ "labelSelector", t->name ? NULL : c->opt.selector },
		{ "fieldSelector", one ? arena_printf(&c->arena, "metadata.name=%s", t->name) :
				   t->name ? NULL : c->opt.field_selector },
		{ "watch", since ? "true" : NULL },
		{ "resourceVersion", since },
		{ "includeObject", c->opt.sort_by && format_is_table(c) ? "Object" : NULL },
	};
	BUF_AUTO p = { 0 };
	char sep = '?';

	if (one && t->kind->namespaced)
		list.ns = t->ns ? t->ns : namespace_of(c);
	buf_puts(&p, target_path(c, since ? &list : t));
	for (size_t i = 0; i < ARRAY_SIZE(terms); i++) {
		if (!terms[i].value)
			continue;
		buf_printf(&p, "%c%s=", sep, terms[i].key);
		url_encode(&p, terms[i].value);
		sep = '&';
	}
	return arena_strdup(&c->arena, buf_str(&p));
}

static bool has_several_kinds(const struct targets *t)
{
	for (uint32_t i = 1; i < t->n; i++)
		if (t->v[i].kind != t->v[0].kind)
			return true;
	return false;
}

static int none_found(const struct cli *c, const struct targets *t)
{
	bool namespaced = false;

	for (uint32_t i = 0; i < t->n; i++)
		namespaced |= t->v[i].kind->namespaced;
	if (c->opt.all_namespaces || !namespaced)
		fprintf(stderr, "No resources found\n");
	else
		fprintf(stderr, "No resources found in %s namespace.\n", namespace_of(c));
	return EXIT_DONE;
}

/* One table for each run of targets of a kind, with an empty line between. */
static int get_tables(struct cli *c, const struct targets *t)
{
	struct table table = { .c = c, .prefix = has_several_kinds(t) };
	unsigned shown = 0;
	int status = EXIT_DONE;

	for (uint32_t i = 0; i < t->n; i++) {
		int one;
		json_t *answer = fetch(c, "GET", query_path(c, &t->v[i], NULL), TABLE, &one);

		if (t->v[i].kind != table.kind) {
			rows_flush(&table.rows);
			table.rows = (struct rows){ 0 };
			table.kind = t->v[i].kind;
			table.headers = !c->opt.no_headers;
			if (shown && json_array_size(json_object_get(answer, "rows")))
				putchar('\n');
		}
		shown += answer ? table_add(&table, answer) : 0;
		json_decref(answer);
		status = one ? one : status;
		if (one == EXIT_UNREACHABLE)
			break;
	}
	rows_flush(&table.rows);
	return shown || status ? status : none_found(c, t);
}

static int get_objects(struct cli *c, const struct targets *t)
{
	json_t *items = json_array();
	bool one = t->n == 1 && t->v[0].name;
	int status = EXIT_DONE;

	for (uint32_t i = 0; i < t->n && status != EXIT_UNREACHABLE; i++) {
		int failed;
		json_t *v = fetch(c, "GET", query_path(c, &t->v[i], NULL), NULL, &failed);

		if (t->v[i].name && v)
			json_array_append(items, v);
		else
			json_array_extend(items, json_object_get(v, "items"));
		json_decref(v);
		status = failed ? failed : status;
	}
	if (c->opt.sort_by) {
		json_t *sorted = sort_objects(c, items, "");

		json_decref(items);
		items = sorted;
	}
	/* what was found is printed, even though something was not; a list of nothing, if it is empty */
	if (!status || (!one && status != EXIT_UNREACHABLE)) {
		int printed = objects_print(c, items, one);

		status = status ? status : printed;
	}
	json_decref(items);
	return status;
}

struct watching {
	struct cli *c;
	struct table table;
	struct buf line;
	bool failed;
};

/* One object, in whatever format. */
static void print_changed(struct watching *w, json_t *o)
{
	if (format_is_table(w->c)) {
		table_add(&w->table, o);
		rows_flush(&w->table.rows);
	} else {
		json_t *items = json_pack("[O]", o);

		if (output_is(w->c, "yaml"))
			puts("---");
		objects_print(w->c, items, true);
		json_decref(items);
	}
	fflush(stdout);
}

static void print_event(struct watching *w, const char *text, size_t n)
{
	json_t *e = json_loadb(text, n, 0, NULL);
	json_t *o = json_object_get(e, "object");

	if (streq(json_text(e, "type"), "ERROR")) {
		fprintf(stderr, "error: %s\n", json_text(o, "message"));
		w->failed = true;
	} else if (o && !streq(json_text(e, "type"), "BOOKMARK")) {
		print_changed(w, o);
	}
	json_decref(e);
}

static bool on_watch(void *data, const char *p, size_t n)
{
	struct watching *w = data;
	const char *nl;

	while (n && (nl = memchr(p, '\n', n))) {
		buf_add(&w->line, p, (size_t)(nl - p));
		if (w->line.len)
			print_event(w, w->line.data, w->line.len);
		buf_reset(&w->line);
		n -= (size_t)(nl - p) + 1;
		p = nl + 1;
	}
	buf_add(&w->line, p, n);
	return !w->failed;
}

/* What there is now; the resourceVersion that it is of, NULL after saying why not. */
static const char *print_now(struct watching *w, const struct target *t, int *ret_status)
{
	struct cli *c = w->c;
	bool table = format_is_table(c);
	json_t *v = fetch(c, "GET", query_path(c, t, NULL), table ? TABLE : NULL, ret_status), *o;
	const char *version =
		v ? json_text(json_object_get(v, "metadata"), "resourceVersion") : NULL;
	size_t i;

	version = arena_strdup(&c->arena, version);
	if (v && (table || t->name))
		print_changed(w, v);
	else
		json_array_foreach(json_object_get(v, "items"), i, o)
			print_changed(w, o);
	json_decref(v);
	return version;
}

static int watch(struct cli *c, const struct target *t)
{
	struct watching w = { .c = c,
			      .table = { .c = c, .kind = t->kind, .headers = !c->opt.no_headers } };
	struct response r = { 0 };
	struct err err = { 0 };
	int status;
	const char *version = print_now(&w, t, &status);

	if (version && client_stream(&c->client, query_path(c, t, version),
				     format_is_table(c) ? TABLE : NULL, on_watch, &w, &r, &err) < 0)
		status = unreachable(&err);
	else if (version && r.code >= 300)
		status = refused(&r);
	buf_release(&w.line);
	response_release(&r);
	return w.failed ? EXIT_ERROR : status;
}

static int get(struct cli *c, const struct targets *t)
{
	int r = format_check(c);

	if (r)
		return r;
	if (c->opt.watch && t->n != 1) {
		fprintf(stderr, "error: you may only specify a single resource type for a watch\n");
		return EXIT_ERROR;
	}
	if (c->opt.watch)
		return watch(c, &t->v[0]);
	return format_is_table(c) ? get_tables(c, t) : get_objects(c, t);
}

int verb_get(struct cli *c)
{
	struct targets t;
	int r = targets_parse(c, 0, &t);

	return r ? r : get(c, &t);
}

/* As get, oldest first. */
int verb_events(struct cli *c)
{
	struct target events = { &kinds[KIND_EVENT], NULL, NULL };
	struct targets t = { &events, 1 };

	if (!c->opt.sort_by)
		c->opt.sort_by = ".lastTimestamp";
	return get(c, &t);
}
