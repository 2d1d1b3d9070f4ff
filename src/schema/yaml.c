/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libyaml's events to trees. Collections being built are a stack of frames; their values wait on
 * another stack until the collection ends and takes them. libyaml bounds neither depth nor what
 * aliases expand to, and takes duplicate keys: all of that is counted and refused here, event by
 * event, before it costs anything. An alias shares the tree of its anchor, so the weight of a tree
 * (its nodes, aliases expanded) is kept beside it.
 */
#include "schema/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/hash.h"
#include "base/macro.h"
#include "schema/scalar.h"
#include "schema/yaml_hint.h"
#include "schema/yaml_text.h"

#define ANCHORS_MAX 1000
#define ERRORS_MAX 100		/* told per file */
#define FEW_KEYS 12		/* so many are compared each with each */
#define WEIGHT_BYTES 32		/* so many bytes of a scalar count as one more node */
#define RESCAN_MAX (64u << 20)	/* bytes of text to be parsed once more after repairs */

struct anchor {
	const char *name;
	uint32_t hash;
	struct ynode *node;
	uint32_t weight, height;
	bool open;	/* its collection has not ended */
};

struct frame {
	struct ynode *node, *key;	/* key: waits for its value */
	uint32_t first;			/* of its values among the pending */
	uint32_t weight, height;
	bool anchored;
	bool merges;			/* has a << key */
};

struct parse {
	struct arena *a;
	const char *file;
	struct msgs *m;
	struct frame stack[YAML_MAX_DEPTH];
	unsigned depth;
	struct { struct ynode **v; uint32_t n, cap; } pending;	/* a map's: key, value, key, ... */
	struct ynode *root;
	uint32_t total;			/* weight of everything so far */
	struct { struct anchor *v; uint32_t n; } anchors;
	struct yaml_doc doc;
	struct yaml_docs docs;
	struct yaml_text text;
	size_t scanned;			/* bytes, all attempts together */
	struct char_cursor cursor;	/* in the text as it was given */
	unsigned errors;
};

/* The path of the value that comes next. */
static void path_here(const struct parse *p, struct buf *out)
{
	for (unsigned i = 0; i < p->depth; i++) {
		const struct frame *f = &p->stack[i];
		if (f->node->kind == Y_SEQ)
			buf_printf(out, "[%u]", f->node->n);
		else if (f->key)
			buf_printf(out, "%s%.60s", out->len ? "." : "", f->key->text);
	}
}

static int fail(struct parse *p, uint32_t line, uint32_t col, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static int fail(struct parse *p, uint32_t line, uint32_t col, const char *fmt, ...)
{
	BUF_AUTO path = { 0 };
	BUF_AUTO text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (++p->errors == ERRORS_MAX)
		buf_puts(&text, "; further errors of this file are left out");
	path_here(p, &path);
	msgs_add(p->m, false, p->file, line, col, buf_str(&path), "%s", buf_str(&text));
	return -EINVAL;
}

static int fail_at(struct parse *p, const struct ynode *n, const char *what)
{
	return fail(p, n->line, n->col, "%s", what);
}

static int count(struct parse *p, const struct ynode *n, uint32_t weight)
{
	p->total += weight;
	if (p->total <= YAML_MAX_NODES)
		return 0;
	return fail_at(p, n, "too many values; do aliases multiply them?");
}

/* extra: bytes behind the node. */
static struct ynode *new_node(struct parse *p, enum ynode_kind kind, const yaml_mark_t *at,
			      size_t extra)
{
	struct ynode *n = arena_alloc(p->a, sizeof(*n) + extra);

	n->kind = kind;
	n->line = (uint32_t)at->line + 1;
	n->col = (uint32_t)at->column + 1;
	return n;
}

static void push(struct parse *p, struct ynode *n)
{
	if (p->pending.n == p->pending.cap) {
		p->pending.cap = p->pending.cap ? p->pending.cap * 2 : 256;
		p->pending.v = realloc(p->pending.v, p->pending.cap * sizeof(*p->pending.v));
		if (!p->pending.v)
			abort();
	}
	p->pending.v[p->pending.n++] = n;
}

static int take_key(struct parse *p, struct frame *f, struct ynode *key)
{
	if (key->kind == Y_SEQ)
		return fail_at(p, key, "a key must be a string, not a list");
	if (key->kind == Y_MAP)
		return fail_at(p, key, "a key must be a string; if this was meant to be {{ ... }}, "
				       "it looks like an unrendered template");
	if (strlen(key->text) != key->len)
		return fail_at(p, key, "a key contains a NUL character");
	f->key = key;
	f->merges |= key->plain && streq(key->text, "<<");
	return 0;
}

static int attach(struct parse *p, struct ynode *n, uint32_t weight, uint32_t height)
{
	if (!p->depth) {
		p->root = n;
		return 0;
	}
	struct frame *f = &p->stack[p->depth - 1];
	f->weight += weight;
	f->height = MAX(f->height, height + 1);
	push(p, n);
	if (f->node->kind == Y_MAP && !f->key)
		return take_key(p, f, n);
	f->key = NULL;
	f->node->n++;
	return 0;
}

/* The values that waited for the end of their collection. */
static void take_values(struct parse *p, struct frame *f)
{
	struct ynode *n = f->node;
	bool map = n->kind == Y_MAP;

	p->pending.n = f->first;
	if (!n->n)
		return;
	struct ynode **from = p->pending.v + f->first;
	n->values = arena_array(p->a, struct ynode *, map ? 2 * n->n : n->n);
	if (!map) {
		memcpy(n->values, from, n->n * sizeof(*from));
		return;
	}
	n->keys = n->values + n->n;
	for (uint32_t i = 0; i < n->n; i++) {
		n->keys[i] = from[2 * i];
		n->values[i] = from[2 * i + 1];
	}
}

static struct anchor *anchor_find(struct parse *p, const char *name)
{
	uint32_t hash = fnv32(name, strlen(name));

	for (uint32_t i = p->anchors.n; i-- > 0;) {
		if (p->anchors.v[i].hash == hash && streq(p->anchors.v[i].name, name))
			return &p->anchors.v[i];
	}
	return NULL;
}

static int anchor_add(struct parse *p, const yaml_char_t *name, struct anchor anchor)
{
	if (!name)
		return 0;
	if (p->anchors.n == ANCHORS_MAX)
		return fail_at(p, anchor.node, "more than 1000 anchors in a document");
	anchor.name = arena_strdup(p->a, (const char *)name);
	anchor.hash = fnv32(anchor.name, strlen(anchor.name));
	*(struct anchor *)arena_push(p->a, &p->anchors) = anchor;
	return 0;
}

/* Tags that say what resolution finds anyway, or that force a string; no other is taken. */
static int apply_tag(struct parse *p, struct ynode *n, const char *tag)
{
	static const struct { const char *tag; enum scalar_type type; } forced[] = {
		{ YAML_NULL_TAG, SCALAR_NULL }, { YAML_BOOL_TAG, SCALAR_BOOL },
		{ YAML_INT_TAG, SCALAR_INT }, { YAML_FLOAT_TAG, SCALAR_FLOAT },
	};

	if (!tag || streq(tag, "!") || streq(tag, YAML_STR_TAG)) {
		n->plain = n->plain && !tag;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forced); i++) {
		if (!streq(tag, forced[i].tag))
			continue;
		n->plain = true;
		enum scalar_type type = scalar_resolve(n).type;
		if (type == SCALAR_INT && forced[i].type == SCALAR_FLOAT)
			type = SCALAR_FLOAT;
		if (type == forced[i].type)
			return 0;
		return fail(p, n->line, n->col, "\"%s\" is not what its tag %s says", n->text, tag);
	}
	return fail(p, n->line, n->col, "tag %s is not supported", tag);
}

static int collection_tag(struct parse *p, const struct ynode *n, const yaml_char_t *tag,
			  const char *wanted)
{
	const char *t = (const char *)tag;

	if (!t || streq(t, "!") || streq(t, wanted))
		return 0;
	return fail(p, n->line, n->col, "tag %s is not supported", t);
}

static int on_scalar(struct parse *p, const yaml_event_t *e)
{
	size_t len = e->data.scalar.length;
	struct ynode *n = new_node(p, Y_SCALAR, &e->start_mark, len + 1);
	char *text = memcpy(n + 1, e->data.scalar.value, len);
	uint32_t weight = 1 + (uint32_t)(len / WEIGHT_BYTES);

	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->len = (uint32_t)(p->text.repaired ? yaml_text_strip(text, len) : len);
	n->text = text;
	int r = apply_tag(p, n, (const char *)e->data.scalar.tag);
	if (r == 0)
		r = count(p, n, weight);
	if (r == 0)
		r = anchor_add(p, e->data.scalar.anchor,
			       (struct anchor){ .node = n, .weight = weight, .height = 1 });
	return r < 0 ? r : attach(p, n, weight, 1);
}

static int on_alias(struct parse *p, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	uint32_t line = (uint32_t)e->start_mark.line + 1, col = (uint32_t)e->start_mark.column + 1;
	struct anchor *x = anchor_find(p, name);

	if (!x)
		return fail(p, line, col, "alias *%.60s has no anchor &%.60s before it", name,
			    name);
	if (x->open)
		return fail(p, line, col, "alias *%.60s stands inside the value of &%.60s", name,
			    name);
	if (p->depth + x->height > YAML_MAX_DEPTH)
		return fail(p, line, col, "nested more than %d levels deep", YAML_MAX_DEPTH);
	struct ynode at = { .line = line, .col = col };
	int r = count(p, &at, x->weight);
	return r < 0 ? r : attach(p, x->node, x->weight, x->height);
}

static int open_frame(struct parse *p, struct ynode *n, const yaml_char_t *anchor)
{
	if (p->depth == YAML_MAX_DEPTH)
		return fail(p, n->line, n->col, "nested more than %d levels deep", YAML_MAX_DEPTH);
	int r = count(p, n, 1);
	if (r == 0)
		r = anchor_add(p, anchor, (struct anchor){ .node = n, .open = true });
	if (r < 0)
		return r;
	p->stack[p->depth++] = (struct frame){
		.node = n,
		.first = p->pending.n,
		.weight = 1,
		.height = 1,
		.anchored = anchor != NULL,
	};
	return 0;
}

static int on_map_start(struct parse *p, const yaml_event_t *e)
{
	struct ynode *n = new_node(p, Y_MAP, &e->start_mark, 0);
	int r = collection_tag(p, n, e->data.mapping_start.tag, YAML_MAP_TAG);

	return r < 0 ? r : open_frame(p, n, e->data.mapping_start.anchor);
}

static int on_seq_start(struct parse *p, const yaml_event_t *e)
{
	struct ynode *n = new_node(p, Y_SEQ, &e->start_mark, 0);
	int r = collection_tag(p, n, e->data.sequence_start.tag, YAML_SEQ_TAG);

	return r < 0 ? r : open_frame(p, n, e->data.sequence_start.anchor);
}

static int close_frame(struct parse *p)
{
	struct frame f = p->stack[--p->depth];

	for (uint32_t i = 0; f.anchored && i < p->anchors.n; i++) {
		struct anchor *x = &p->anchors.v[i];
		if (x->node == f.node) {
			x->weight = f.weight;
			x->height = f.height;
			x->open = false;
		}
	}
	return attach(p, f.node, f.weight, f.height);
}

static int on_seq_end(struct parse *p, const yaml_event_t *e)
{
	(void)e;
	take_values(p, &p->stack[p->depth - 1]);
	return close_frame(p);
}

/* Equal keys stand together, the first of them first. */
static int by_key(const void *a, const void *b)
{
	struct ynode **const *x = a, **const *y = b;
	int r = strcmp((**x)->text, (**y)->text);

	return r ? r : (*x > *y) - (*x < *y);
}

/* The places of n keys (there are some) in the order of by_key; to be freed. */
static struct ynode ***sort_keys(struct ynode **keys, uint32_t n)
{
	struct ynode ***sorted = malloc(n * sizeof(*sorted));

	if (!sorted)
		abort();
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = &keys[i];
	qsort(sorted, n, sizeof(*sorted), by_key);
	return sorted;
}

static bool few_and_unique(const struct ynode *map)
{
	for (uint32_t i = 1; i < map->n; i++) {
		const struct ynode *k = map->keys[i];
		for (uint32_t before = 0; before < i; before++) {
			const struct ynode *other = map->keys[before];
			if (other->len == k->len && !memcmp(other->text, k->text, k->len))
				return false;
		}
	}
	return true;
}

/* Tells every duplicate with the place of the first; parsing goes on. */
static void refuse_duplicates(struct parse *p, const struct ynode *map)
{
	if (map->n <= FEW_KEYS && few_and_unique(map))
		return;
	struct ynode ***sorted = sort_keys(map->keys, map->n);
	const struct ynode *first = *sorted[0];
	for (uint32_t i = 1; i < map->n && p->errors < ERRORS_MAX; i++) {
		const struct ynode *k = *sorted[i];
		if (streq(first->text, k->text))
			fail(p, k->line, k->col, "duplicate key \"%.60s\", first at %u:%u",
			     k->text, first->line, first->col);
		else
			first = k;
	}
	free(sorted);
}

/* The maps that << names, one or a list, and how many keys they have. */
static int merge_sources(struct parse *p, struct ynode *const *v, struct ynode *const **ret,
			 uint32_t *ret_n, uint32_t *ret_keys)
{
	*ret = (*v)->kind == Y_SEQ ? (*v)->values : v;
	*ret_n = (*v)->kind == Y_SEQ ? (*v)->n : 1;
	*ret_keys = 0;
	for (uint32_t i = 0; i < *ret_n; i++) {
		if ((*ret)[i]->kind != Y_MAP)
			return fail_at(p, (*ret)[i], "<< wants a mapping or a list of mappings");
		*ret_keys += (*ret)[i]->n;
	}
	return 0;
}

static void add_entries(struct ynode *into, const struct ynode *from)
{
	for (uint32_t i = 0; i < from->n; i++) {
		into->keys[into->n] = from->keys[i];
		into->values[into->n++] = from->values[i];
	}
}

/* Leaves of equal keys the first. */
static void drop_repeated(struct ynode *map)
{
	struct ynode ***sorted = sort_keys(map->keys, map->n);
	uint32_t kept = 0;

	for (uint32_t i = map->n - 1; i > 0; i--) {
		if (streq((*sorted[i])->text, (*sorted[i - 1])->text))
			*sorted[i] = NULL;
	}
	for (uint32_t i = 0; i < map->n; i++) {
		if (!map->keys[i])
			continue;
		map->keys[kept] = map->keys[i];
		map->values[kept++] = map->values[i];
	}
	map->n = kept;
	free(sorted);
}

static void remove_entry(struct ynode *map, uint32_t i)
{
	map->n--;
	memmove(map->keys + i, map->keys + i + 1, (map->n - i) * sizeof(*map->keys));
	memmove(map->values + i, map->values + i + 1, (map->n - i) * sizeof(*map->values));
}

/* The map's own keys win wherever << stands; of several merged maps the first wins. */
static int merge(struct parse *p, struct ynode *map)
{
	struct ynode *const *sources = NULL;
	struct ynode *value = NULL, whole = *map;
	uint32_t n = 0, keys = 0, at = 0;

	while (!map->keys[at]->plain || !streq(map->keys[at]->text, "<<"))
		at++;
	value = map->values[at];
	int r = merge_sources(p, &value, &sources, &n, &keys);
	if (r < 0)
		return r;
	remove_entry(map, at);
	whole.n = 0;
	whole.keys = arena_array(p->a, struct ynode *, map->n + keys);
	whole.values = arena_array(p->a, struct ynode *, map->n + keys);
	add_entries(&whole, map);
	for (uint32_t i = 0; i < n; i++)
		add_entries(&whole, sources[i]);
	if (whole.n)
		drop_repeated(&whole);
	*map = whole;
	return 0;
}

static int on_map_end(struct parse *p, const yaml_event_t *e)
{
	struct frame *f = &p->stack[p->depth - 1];

	(void)e;
	take_values(p, f);
	refuse_duplicates(p, f->node);
	int r = f->merges ? merge(p, f->node) : 0;
	return r < 0 ? r : close_frame(p);
}

static int on_doc_start(struct parse *p, const yaml_event_t *e)
{
	p->root = NULL;
	p->anchors.v = NULL;
	p->anchors.n = 0;
	p->doc = (struct yaml_doc){
		.start = char_cursor_to(&p->cursor, e->start_mark.index),
		.line = (uint32_t)e->start_mark.line + 1,
	};
	return 0;
}

static int on_doc_end(struct parse *p, const yaml_event_t *e)
{
	if (!p->root || ynode_is_null(p->root))
		return 0;
	p->doc.root = p->root;
	p->doc.end = char_cursor_to(&p->cursor, e->end_mark.index);
	*(struct yaml_doc *)arena_push(p->a, &p->docs) = p->doc;
	return 0;
}

static int (*const handlers[])(struct parse *p, const yaml_event_t *e) = {
	[YAML_DOCUMENT_START_EVENT] = on_doc_start,
	[YAML_DOCUMENT_END_EVENT] = on_doc_end,
	[YAML_ALIAS_EVENT] = on_alias,
	[YAML_SCALAR_EVENT] = on_scalar,
	[YAML_SEQUENCE_START_EVENT] = on_seq_start,
	[YAML_SEQUENCE_END_EVENT] = on_seq_end,
	[YAML_MAPPING_START_EVENT] = on_map_start,
	[YAML_MAPPING_END_EVENT] = on_map_end,
};

static int syntax_error(struct parse *p, const yaml_parser_t *y)
{
	const yaml_mark_t *at = &y->problem_mark;
	struct yaml_problem problem = {
		.text = p->text.data,
		.n = p->text.n,
		.what = y->problem ? y->problem : "not YAML",
		.line = at->line,
		.col = at->column,
	};
	const char *hint = yaml_hint(&problem);
	BUF_AUTO what = { 0 };

	buf_puts(&what, problem.what);
	if (y->context && y->context_mark.line != at->line)
		buf_printf(&what, " (%s that began in line %zu)", y->context,
			   y->context_mark.line + 1);
	if (hint)
		buf_printf(&what, "; %s", hint);
	p->depth = 0;
	return fail(p, (uint32_t)at->line + 1, (uint32_t)at->column + 1, "%s", buf_str(&what));
}

/* Did the parser stop at an escape that can be replaced? */
static bool repair(struct parse *p, const yaml_parser_t *y)
{
	if (!y->problem || !strstr(y->problem, "escape") || p->scanned > RESCAN_MAX)
		return false;
	return yaml_text_repair(&p->text, y->context_mark.index, (unsigned)y->flow_level);
}

/* 0, -EINVAL, or -EAGAIN when the text was repaired. */
static int run(struct parse *p, yaml_parser_t *y)
{
	for (bool more = true; more && p->errors < ERRORS_MAX;) {
		yaml_event_t e;
		int r = 0;

		if (!yaml_parser_parse(y, &e))
			return repair(p, y) ? -EAGAIN : syntax_error(p, y);
		if (e.type < ARRAY_SIZE(handlers) && handlers[e.type])
			r = handlers[e.type](p, &e);
		more = e.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
		if (r < 0)
			return r;
	}
	return p->errors ? -EINVAL : 0;
}

static int run_from_start(struct parse *p)
{
	yaml_parser_t y;

	if (!yaml_parser_initialize(&y))
		abort();
	yaml_parser_set_encoding(&y, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y, (const unsigned char *)p->text.data, p->text.n);
	p->scanned += p->text.n;
	int r = run(p, &y);
	yaml_parser_delete(&y);
	return r;
}

static void start_over(struct parse *p, const char *text, size_t n)
{
	p->depth = 0;
	p->pending.n = 0;
	p->total = 0;
	p->docs = (struct yaml_docs){ 0 };
	p->m->n -= p->errors;
	p->m->errors -= p->errors;
	p->errors = 0;
	char_cursor_init(&p->cursor, text, n, p->text.ascii);
}

int yaml_parse(struct arena *a, const char *file, const char *text, size_t n,
	       struct yaml_docs *ret, struct msgs *m)
{
	struct parse p = { .a = a, .file = file, .m = m };
	struct yaml_flaw flaw = { 0 };
	int r = yaml_text_init(&p.text, text, n, &flaw);

	if (r < 0)
		fail(&p, flaw.line, flaw.col, "%s", flaw.what);
	for (bool again = r == 0; again; again = r == -EAGAIN) {
		start_over(&p, text, n);
		r = run_from_start(&p);
	}
	yaml_text_release(&p.text);
	free(p.pending.v);
	*ret = p.docs;
	return r;
}

struct ynode *ynode_get(const struct ynode *map, const char *key)
{
	if (!map || map->kind != Y_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->n; i++) {
		if (streq(map->keys[i]->text, key))
			return map->values[i];
	}
	return NULL;
}

bool ynode_is_null(const struct ynode *n)
{
	return !n || (n->kind == Y_SCALAR && scalar_resolve(n).type == SCALAR_NULL);
}

bool ynode_bool(const struct ynode *n, bool *ret)
{
	if (!n || n->kind != Y_SCALAR)
		return false;
	struct scalar s = scalar_resolve(n);
	if (s.type == SCALAR_BOOL)
		*ret = s.b;
	return s.type == SCALAR_BOOL;
}
