/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output: aligned rows, JSON, YAML, and the part of kubectl's jsonpath that scripts use:
 * {.a.b}, [0], [-1], [*], ['key'], {range ...}{end}, {"text"}, escaped dots in keys.
 * https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
#include <stdio.h>

#include "base/macro.h"
#include "cli/cli.h"
#include "schema/schema.h"

const char *json_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

json_t *json_path(json_t *o, const char *path)
{
	char key[128];

	while (o && *path) {
		size_t n = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)MIN(n, sizeof(key) - 1), path);
		o = json_object_get(o, key);
		path += n + (path[n] == '.');
	}
	return o;
}

void print_json(const json_t *o)
{
	char *text = json_dumps(o, JSON_INDENT(4) | JSON_ENCODE_ANY);

	puts(text);
	free(text);
}

void print_yaml(const json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY);
	BUF_AUTO out = { 0 };

	json_to_yaml(text, &out);
	fputs(buf_str(&out), stdout);
	free(text);
}

void rows_add(struct rows *r, unsigned ncols, const char *const *cells)
{
	r->ncols = ncols;
	r->cells = realloc(r->cells, sizeof(char *) * ncols * (r->nrows + 1));
	if (!r->cells)
		abort();
	for (unsigned i = 0; i < ncols; i++)
		r->cells[r->nrows * ncols + i] = strdup(cells[i] ? cells[i] : "");
	r->nrows++;
}

void rows_print(struct rows *r)
{
	size_t *width = calloc(r->ncols + 1, sizeof(*width));

	if (!width)
		abort();
	for (unsigned i = 0; i < r->nrows * r->ncols; i++)
		width[i % r->ncols] = MAX(width[i % r->ncols], strlen(r->cells[i]));
	for (unsigned i = 0; i < r->nrows * r->ncols; i++) {
		bool last = i % r->ncols == r->ncols - 1;

		if (last)
			printf("%s\n", r->cells[i]);
		else
			printf("%-*s", (int)MAX(width[i % r->ncols], (size_t)3) + 3, r->cells[i]);
		free(r->cells[i]);
	}
	free(r->cells);
	free(width);
	*r = (struct rows){ 0 };
}

/* jsonpath: a list of nodes goes through one step after the other. */

struct nodes { json_t **v; uint32_t n; };

static void push(struct arena *a, struct nodes *l, json_t *o)
{
	if (o)
		*arena_push(a, l) = o;
}

static void step_key(struct arena *a, const struct nodes *in, const char *key, struct nodes *out)
{
	for (uint32_t i = 0; i < in->n; i++)
		push(a, out, json_object_get(in->v[i], key));
}

static void push_all(struct arena *a, json_t *o, struct nodes *out)
{
	const char *key;
	json_t *v;
	size_t i;

	json_array_foreach(o, i, v)
		push(a, out, v);
	json_object_foreach(o, key, v)
		push(a, out, v);
}

/* What stands between brackets: *, 'key', or an index. */
static void step_bracket(struct arena *a, const struct nodes *in, const char *inside, struct nodes *out)
{
	size_t n = strlen(inside);

	for (uint32_t i = 0; i < in->n; i++) {
		json_t *o = in->v[i];

		if (streq(inside, "*")) {
			push_all(a, o, out);
		} else if (*inside == '\'' && n >= 2) {
			push(a, out, json_object_get(o, arena_strndup(a, inside + 1, n - 2)));
		} else {
			long at = strtol(inside, NULL, 10);

			at += at < 0 ? (long)json_array_size(o) : 0;
			push(a, out, at < 0 ? NULL : json_array_get(o, (size_t)at));
		}
	}
}

/* ".metadata.labels.app\.kubernetes\.io/name" up to the next unescaped . or [ */
static const char *take_key(struct arena *a, const char *p, const char **ret)
{
	BUF_AUTO key = { 0 };

	while (*p && *p != '.' && *p != '[') {
		if (*p == '\\' && p[1])
			p++;
		buf_putc(&key, *p++);
	}
	*ret = arena_strdup(a, buf_str(&key));
	return p;
}

static int evaluate(struct arena *a, json_t *root, const char *p, struct nodes *ret)
{
	struct nodes now = { 0 };

	push(a, &now, root);
	p += *p == '$';
	while (*p) {
		struct nodes next = { 0 };
		const char *key;

		if (*p == '.') {
			p = take_key(a, p + 1, &key);
			if (*key && !streq(key, "*"))
				step_key(a, &now, key, &next);
			else if (*key)
				step_bracket(a, &now, "*", &next);
			else
				next = now;
		} else if (*p == '[') {
			size_t n = strcspn(p, "]");

			if (!p[n])
				return -EINVAL;
			step_bracket(a, &now, arena_strndup(a, p + 1, n - 1), &next);
			p += n + 1;
		} else {
			return -EINVAL;
		}
		now = next;
	}
	*ret = now;
	return 0;
}

static void put_value(const json_t *o, struct buf *out)
{
	char *text;

	if (json_is_string(o)) {
		buf_puts(out, json_string_value(o));
		return;
	}
	text = json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY);
	buf_puts(out, text);
	free(text);
}

static void put_literal(const char *s, size_t n, struct buf *out)
{
	for (size_t i = 1; i + 1 < n; i++) {
		if (s[i] != '\\' || i + 2 >= n) {
			buf_putc(out, s[i]);
			continue;
		}
		i++;
		buf_putc(out, s[i] == 'n' ? '\n' : s[i] == 't' ? '\t' : s[i]);
	}
}

/* The {end} that belongs to the {range} before t; NULL when there is none. */
static const char *find_end(const char *t)
{
	int depth = 1;

	for (const char *p = t; (p = strchr(p, '{')); p++) {
		depth += strncmp(p, "{range", 6) == 0;
		depth -= strncmp(p, "{end}", 5) == 0;
		if (!depth)
			return p;
	}
	return NULL;
}

static int put_template(struct arena *a, json_t *root, const char *t, const char *end,
			struct buf *out);

static int put_range(struct arena *a, json_t *root, const char *path, const char *body,
		     const char *end, struct buf *out)
{
	struct nodes l;

	if (evaluate(a, root, path, &l) < 0)
		return -EINVAL;
	for (uint32_t i = 0; i < l.n; i++)
		if (put_template(a, l.v[i], body, end, out) < 0)
			return -EINVAL;
	return 0;
}

static int put_path(struct arena *a, json_t *root, const char *path, struct buf *out)
{
	struct nodes l;

	if (evaluate(a, root, *path == '@' ? path + 1 : path, &l) < 0)
		return -EINVAL;
	for (uint32_t i = 0; i < l.n; i++) {
		if (i)
			buf_putc(out, ' ');
		put_value(l.v[i], out);
	}
	return 0;
}

static int put_template(struct arena *a, json_t *root, const char *t, const char *end,
			struct buf *out)
{
	while (t < end) {
		if (*t != '{') {
			buf_putc(out, *t++);
			continue;
		}
		size_t n = strcspn(t, "}");
		if (!t[n])
			return -EINVAL;
		const char *inside = arena_strndup(a, t + 1, n - 1);
		t += n + 1;
		if (strncmp(inside, "range ", 6) == 0) {
			const char *stop = find_end(t);

			if (!stop || put_range(a, root, inside + 6, t, stop, out) < 0)
				return -EINVAL;
			t = stop + 5;
		} else if (*inside == '"') {
			put_literal(inside, strlen(inside), out);
		} else if (put_path(a, root, inside, out) < 0) {
			return -EINVAL;
		}
	}
	return 0;
}

int jsonpath(struct cli *c, json_t *o, const char *template, struct buf *out)
{
	const char *t = strchr(template, '{') ? template : arena_printf(&c->arena, "{%s}", template);

	if (put_template(&c->arena, o, t, t + strlen(t), out) == 0)
		return EXIT_DONE;
	fprintf(stderr, "error: can't read the jsonpath template %s\n", template);
	return EXIT_ERROR;
}
