/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of kubectl's jsonpath that scripts use: {.a.b}, {..b}, [0], [-1], [0:2], [*], ['key'],
 * [?(@.type=="Ready")], {range ...}{end}, {"text"}, escaped dots in keys. A list of nodes goes
 * through one step after the other; what is missing gives nothing. The rest is refused.
 * https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
#include <stdio.h>

#include "base/macro.h"
#include "cli/print.h"

struct nodes { json_t **v; uint32_t n; };

static int evaluate(struct arena *a, json_t *root, const char *p, struct nodes *ret);

static void push(struct arena *a, struct nodes *l, json_t *o)
{
	if (o)
		*arena_push(a, l) = o;
}

static void push_children(struct arena *a, json_t *o, struct nodes *out)
{
	const char *key;
	json_t *v;
	size_t i;

	json_array_foreach(o, i, v)
		push(a, out, v);
	json_object_foreach(o, key, v)
		push(a, out, v);
}

static void push_tree(struct arena *a, json_t *o, struct nodes *out)
{
	struct nodes children = { 0 };

	push(a, out, o);
	push_children(a, o, &children);
	for (uint32_t i = 0; i < children.n; i++)
		push_tree(a, children.v[i], out);
}

/* The end of a text up to one of the characters of stop, outside of quotes. */
static size_t span(const char *p, const char *stop)
{
	char quote = 0;
	size_t n = 0;

	for (; p[n] && (quote || !strchr(stop, p[n])); n++) {
		if (p[n] == '\\' && p[n + 1])
			n++;
		else if (quote ? p[n] == quote : p[n] == '\'' || p[n] == '"')
			quote = quote ? 0 : p[n];
	}
	return n;
}

static const char *trimmed(struct arena *a, const char *p, size_t n)
{
	for (; n && *p == ' '; n--)
		p++;
	while (n && p[n - 1] == ' ')
		n--;
	return arena_strndup(a, p, n);
}

static bool is_quoted(const char *s)
{
	size_t n = strlen(s);

	return n >= 2 && (*s == '\'' || *s == '"') && s[n - 1] == *s;
}

/* The comparison of a filter: which characters, and what a three-way result must be. */
static const struct comparison { const char *sign; bool less, equal, more; } comparisons[] = {
	{ "==", false, true, false }, { "!=", true, false, true }, { "<=", true, true, false },
	{ ">=", false, true, true }, { "<", true, false, false }, { ">", false, false, true },
};

static const struct comparison *find_comparison(const char *filter, size_t *ret_at)
{
	*ret_at = span(filter, "=!<>");
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++)
		if (strncmp(filter + *ret_at, comparisons[i].sign, strlen(comparisons[i].sign)) ==
		    0)
			return &comparisons[i];
	return NULL;
}

/* Three-way: numbers as numbers, all else as text. */
static int compare(struct arena *a, const json_t *v, const char *literal)
{
	if (is_quoted(literal))
		return strcmp(json_any(a, v), arena_strndup(a, literal + 1, strlen(literal) - 2));
	if (json_is_number(v)) {
		double x = json_number_value(v), y = strtod(literal, NULL);

		return x < y ? -1 : x > y;
	}
	return strcmp(json_any(a, v), literal);
}

/* filter: @.type=="Ready", or @.ready for what exists. 1 chosen, 0 not, or -EINVAL. */
static int chosen(struct arena *a, json_t *o, const char *filter)
{
	size_t at;
	const struct comparison *how = find_comparison(filter, &at);
	const char *path = trimmed(a, filter, at);
	struct nodes l = { 0 };

	if (*path != '@' || (filter[at] && !how) || evaluate(a, o, path + 1, &l) < 0)
		return -EINVAL;
	if (!how || !l.n)
		return how ? 0 : l.n > 0;
	const char *literal = filter + at + strlen(how->sign);
	int r = compare(a, l.v[0], trimmed(a, literal, strlen(literal)));
	return r < 0 ? how->less : r ? how->more : how->equal;
}

static int step_filter(struct arena *a, json_t *o, const char *filter, struct nodes *out)
{
	struct nodes all = { 0 };

	push_children(a, o, &all);
	for (uint32_t i = 0; i < all.n; i++) {
		int r = chosen(a, all.v[i], filter);

		if (r < 0)
			return r;
		push(a, out, r ? all.v[i] : NULL);
	}
	return 0;
}

/* "3", "-1", "1:3", ":2", "2:" */
static int step_index(struct arena *a, json_t *o, const char *s, struct nodes *out)
{
	long size = (long)json_array_size(o), to;
	char *end;
	long from = strtol(s, &end, 10);

	if (end == s && *end != ':')
		return -EINVAL;
	from += from < 0 ? size : 0;
	to = from + 1;
	if (*end == ':') {
		to = end[1] ? strtol(end + 1, &end, 10) : size;
		to += to < 0 ? size : 0;
		end += *end == ':';
	}
	if (*end)
		return -EINVAL;
	for (long i = MAX(from, 0L); i < MIN(to, size); i++)
		push(a, out, json_array_get(o, (size_t)i));
	return 0;
}

/* What stands between brackets, for one node. */
static int step_bracket(struct arena *a, json_t *o, const char *inside, struct nodes *out)
{
	size_t n = strlen(inside);

	if (streq(inside, "*")) {
		push_children(a, o, out);
		return 0;
	}
	if (is_quoted(inside) && span(inside, ",") == n) {
		push(a, out, json_object_getn(o, inside + 1, n - 2));
		return 0;
	}
	if (inside[0] == '?' && inside[1] == '(' && inside[n - 1] == ')')
		return step_filter(a, o, arena_strndup(a, inside + 2, n - 3), out);
	return step_index(a, o, inside, out);
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

/* One step for all nodes; NULL for what can't be read. */
static const char *step(struct arena *a, const struct nodes *now, const char *p, struct nodes *next)
{
	const char *key;
	size_t n;

	if (p[0] == '.' && p[1] == '.') {
		for (uint32_t i = 0; i < now->n; i++)
			push_tree(a, now->v[i], next);
		return p[2] == '[' ? p + 2 : p + 1;
	}
	if (*p == '.') {
		p = take_key(a, p + 1, &key);
		for (uint32_t i = 0; i < now->n; i++) {
			if (streq(key, "*"))
				push_children(a, now->v[i], next);
			else
				push(a, next, *key ? json_object_get(now->v[i], key) : now->v[i]);
		}
		return p;
	}
	n = *p == '[' ? span(p, "]") : 0;
	if (!n || !p[n])
		return NULL;
	for (uint32_t i = 0; i < now->n; i++)
		if (step_bracket(a, now->v[i], trimmed(a, p + 1, n - 1), next) < 0)
			return NULL;
	return p + n + 1;
}

static int evaluate(struct arena *a, json_t *root, const char *p, struct nodes *ret)
{
	struct nodes now = { 0 };

	push(a, &now, root);
	p += *p == '$' || *p == '@';
	while (*p) {
		struct nodes next = { 0 };

		p = step(a, &now, p, &next);
		if (!p)
			return -EINVAL;
		now = next;
	}
	*ret = now;
	return 0;
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

	if (evaluate(a, root, path, &l) < 0)
		return -EINVAL;
	for (uint32_t i = 0; i < l.n; i++) {
		if (i)
			buf_putc(out, ' ');
		buf_puts(out, json_any(a, l.v[i]));
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
		size_t n = span(t, "}");
		if (!t[n])
			return -EINVAL;
		const char *inside = trimmed(a, t + 1, n - 1);
		t += n + 1;
		if (strncmp(inside, "range ", 6) == 0) {
			const char *path = trimmed(a, inside + 6, strlen(inside + 6));
			const char *stop = find_end(t);

			if (!stop || put_range(a, root, path, t, stop, out) < 0)
				return -EINVAL;
			t = stop + 5;
		} else if (is_quoted(inside)) {
			put_literal(inside, strlen(inside), out);
		} else if (put_path(a, root, inside, out) < 0) {
			return -EINVAL;
		}
	}
	return 0;
}

int jsonpath(struct cli *c, json_t *o, const char *template, struct buf *out)
{
	const char *t =
		strchr(template, '{') ? template : arena_printf(&c->arena, "{%s}", template);

	if (put_template(&c->arena, o, t, t + strlen(t), out) == 0)
		return EXIT_DONE;
	fprintf(stderr, "error: can't read the jsonpath template %s\n", template);
	return EXIT_ERROR;
}
