/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of the server as aligned rows; see table.h. */
#include "cli/table.h"

#include "base/macro.h"

static const char *upper(struct arena *a, const char *s)
{
	char *u = arena_strdup(a, s);

	for (char *p = u; *p; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	return u;
}

static const char *labels_text(struct arena *a, json_t *labels)
{
	BUF_AUTO b = { 0 };
	const char *k;
	json_t *v;

	json_object_foreach(labels, k, v)
		buf_printf(&b, "%s%s=%s", b.len ? "," : "", k, json_string_value(v));
	return b.len ? arena_strdup(a, buf_str(&b)) : "<none>";
}

static const char *cell_text(const struct table *t, json_t *row, size_t i)
{
	json_t *cell = json_array_get(json_object_get(row, "cells"), i);
	const char *text = json_is_null(cell) ? "<none>" : json_any(&t->c->arena, cell);

	if (i || !t->prefix)
		return text;
	return arena_printf(&t->c->arena, "%s/%s",
			    target_resource(t->c, t->kind, t->kind->singular), text);
}

/* row NULL: the headers. */
static void add_row(struct table *t, json_t *defs, json_t *row)
{
	struct cli *c = t->c;
	const char *cells[COLUMNS_MAX];
	unsigned n = 0;
	json_t *def, *meta = json_path(row, "object.metadata");
	size_t i;

	if (c->opt.all_namespaces && t->kind->namespaced)
		cells[n++] = row ? json_text(meta, "namespace") : "NAMESPACE";
	json_array_foreach(defs, i, def) {
		if (n == COLUMNS_MAX - 1)
			break;
		if (json_number(def, "priority") > 0 && !output_is(c, "wide"))
			continue;
		cells[n++] = row ? cell_text(t, row, i) : upper(&c->arena, json_text(def, "name"));
	}
	if (c->opt.show_labels)
		cells[n++] =
			row ? labels_text(&c->arena, json_object_get(meta, "labels")) : "LABELS";
	rows_add(&t->rows, n, cells);
}

struct sorted { json_t *value; const char *key; double number; };

static int by_key(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->key, y->key);
}

json_t *sort_objects(struct cli *c, json_t *list, const char *member)
{
	size_t n = json_array_size(list), i;
	struct sorted *v = arena_array(&c->arena, struct sorted, n + 1);
	json_t *ret = json_array(), *o;

	json_array_foreach(list, i, o) {
		BUF_AUTO key = { 0 };
		char *end;

		if (jsonpath(c, *member ? json_object_get(o, member) : o, c->opt.sort_by, &key))
			break;
		v[i] = (struct sorted){ o, arena_strdup(&c->arena, buf_str(&key)), 0 };
		v[i].number = strtod(v[i].key, &end);
		v[i].number = *end ? 0 : v[i].number;
	}
	qsort(v, i, sizeof(*v), by_key);
	for (size_t k = 0; k < i; k++)
		json_array_append(ret, v[k].value);
	return ret;
}

unsigned table_add(struct table *t, json_t *answer)
{
	json_t *defs = json_object_get(answer, "columnDefinitions"), *row;
	json_t *all = json_object_get(answer, "rows");
	size_t i;

	all = t->c->opt.sort_by ? sort_objects(t->c, all, "object") : json_incref(all);
	if (json_array_size(all) && t->headers) {
		add_row(t, defs, NULL);
		t->headers = false;
	}
	json_array_foreach(all, i, row)
		add_row(t, defs, row);
	json_decref(all);
	return (unsigned)i;
}
