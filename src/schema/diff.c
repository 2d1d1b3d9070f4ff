/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The difference of two described structs as a flat list of values. Where one side has nothing
 * (a new container, a volume source that went) what was written on the other side is listed.
 * What a change does depends on where the field stands, too: below a template that starts a
 * rollout everything does, below one that is only used for new pods nothing restarts, and below one
 * that cannot change nothing can.
 */
#include <inttypes.h>
#include <string.h>

#include "base/macro.h"
#include "schema/schema.h"
#include "schema/walk.h"

struct differ {
	struct arena *a;
	struct diff *ret;
	struct buf path;
};

struct reach reach_below(struct reach above, const struct field *f)
{
	if (above.frame == E_NONE)
		above.frame = f->effect;
	if (f->effect != E_NONE)
		above.nearest = f->effect;
	above.secret |= (f->flags & F_SECRET) != 0;
	return above;
}

enum effect effect_at(struct reach above, const struct field *f)
{
	enum effect e = f->effect != E_NONE ? f->effect : above.nearest;

	if (above.frame == E_LIVE)
		return e > E_LIVE ? E_LIVE : e;
	if (above.frame == E_ROLLOUT)	/* pods are replaced: nothing of them is immutable */
		return E_ROLLOUT;
	return MAX(e, above.frame);
}

static const char *as_json(struct differ *d, const struct field *f, const void *value)
{
	BUF_AUTO text = { 0 };
	struct json j;

	json_init(&j, &text, false);
	json_value(&j, f, value, 0);
	return arena_strdup(d->a, buf_str(&text));
}

static const char *json_text(struct differ *d, const char *s)
{
	BUF_AUTO text = { 0 };
	struct json j;

	json_init(&j, &text, false);
	json_str(&j, s);
	return arena_strdup(d->a, buf_str(&text));
}

/* y: the struct on the new side that holds the value, for its position. */
static void entry(struct differ *d, const struct field *f, struct reach r, const char *old,
		  const char *new, const struct node *y)
{
	bool secret = r.secret || (f->flags & F_SECRET);
	struct diff_entry *e = arena_push(d->a, d->ret);

	*e = (struct diff_entry){
		.path = arena_strdup(d->a, buf_str(&d->path)),
		.old = old && secret ? "(hidden)" : old,
		.new = new && secret ? "(hidden)" : new,
		.field = f,
		.effect = effect_at(r, f),
		.line = new && y ? y->line : 0,
		.col = new && y ? y->col : 0,
	};
}

/* One entry of any map as JSON; NULL when the map (or its i-th pair) is not there. */
static const char *pair_json(struct differ *d, const struct field *f, const void *map, uint32_t i)
{
	if (f->kind == K_MAP)
		return json_text(d, ((const struct strmap *)map)->v[i].v);
	if (f->kind == K_QMAP)
		return json_text(d, ((const struct qtymap *)map)->v[i].v.text);
	const struct bytes *b = &((const struct bytemap *)map)->v[i].v;
	return json_text(d, base64_encode(d->a, b->data, b->len));
}

static const char *pair_key(const struct field *f, const struct list *map, uint32_t i)
{
	size_t size = f->kind == K_MAP ? sizeof(struct strpair) :
		      f->kind == K_QMAP ? sizeof(struct qtypair) : sizeof(struct bytepair);

	return *(const char *const *)((const char *)map->v + i * size);
}

/* Both maps are sorted: one walk over the two. */
static void diff_map(struct differ *d, const struct field *f, struct reach r, const void *x,
		     const void *y, const struct node *y_node)
{
	static const struct list none = { 0 };
	const struct list *mx = x ? x : &none, *my = y ? y : &none;

	for (uint32_t i = 0, k = 0; i < mx->n || k < my->n;) {
		int order = i == mx->n ? 1 : k == my->n ? -1 :
			    strcmp(pair_key(f, mx, i), pair_key(f, my, k));
		const char *key = order <= 0 ? pair_key(f, mx, i) : pair_key(f, my, k);
		const char *old = order <= 0 ? pair_json(d, f, mx, i++) : NULL;
		const char *new = order >= 0 ? pair_json(d, f, my, k++) : NULL;

		if (old && new && streq(old, new))
			continue;
		size_t before = path_entry(&d->path, key);
		entry(d, f, r, old, new, y_node);
		path_cut(&d->path, before);
	}
}

static void diff_struct(struct differ *d, const struct type *t, struct reach r, const void *x,
			const void *y);

/* A struct that may be on one side only; {} stands for one in which nothing was written. */
static void diff_sub(struct differ *d, const struct field *f, struct reach r, const void *x,
		     const void *y)
{
	uint32_t before = d->ret->n;

	diff_struct(d, f->sub, reach_below(r, f), x, y);
	if (d->ret->n == before && !x != !y)
		entry(d, f, r, x ? "{}" : NULL, y ? "{}" : NULL, y);
}

/* The text of the key field, NULL for lists without one. */
static const char *element_key(struct differ *d, const struct field *f, const void *element)
{
	const struct field *k = f->list_key ? schema_field(f->sub, f->list_key) : NULL;

	if (!k)
		return NULL;
	const void *value = field_of(element, k);
	if (k->kind != K_STR)
		return as_json(d, k, value);
	const char *text = *(const char *const *)value;
	return text ? text : "";
}

struct elements {
	const struct list *list;
	const char **keys;	/* NULL: matched by place */
	bool *matched;
};

static struct elements elements(struct differ *d, const struct field *f, const struct list *l)
{
	static const struct list none = { 0 };
	struct elements ret = { .list = l ? l : &none };

	ret.matched = arena_array(d->a, bool, ret.list->n);
	if (f->list_key)
		ret.keys = arena_array(d->a, const char *, ret.list->n);
	for (uint32_t i = 0; ret.keys && i < ret.list->n; i++)
		ret.keys[i] = element_key(d, f, list_at(ret.list, f->sub, i));
	return ret;
}

/* The partner in x of element i of y, -1 when it has none. Equal keys pair up in order. */
static int64_t partner(const struct elements *x, const struct elements *y, uint32_t i)
{
	if (!y->keys)
		return i < x->list->n ? (int64_t)i : -1;
	for (uint32_t k = 0; k < x->list->n; k++) {
		if (!x->matched[k] && streq(x->keys[k], y->keys[i]))
			return k;
	}
	return -1;
}

static void diff_element(struct differ *d, const struct field *f, struct reach r,
			 const struct elements *of, uint32_t i, const void *x, const void *y)
{
	size_t before = of->keys ? path_entry(&d->path, of->keys[i]) : path_index(&d->path, i);

	diff_sub(d, f, r, x, y);
	path_cut(&d->path, before);
}

static const char *keys_json(struct differ *d, const struct elements *e)
{
	BUF_AUTO text = { 0 };
	struct json j;

	json_init(&j, &text, false);
	json_begin_array(&j);
	for (uint32_t i = 0; i < e->list->n; i++)
		json_str(&j, e->keys[i]);
	json_end_array(&j);
	return arena_strdup(d->a, buf_str(&text));
}

static void diff_list(struct differ *d, const struct field *f, struct reach r, const void *x,
		      const void *y, const struct node *y_node)
{
	struct elements ex = elements(d, f, x), ey = elements(d, f, y);
	int64_t last = -1;
	bool moved = false;

	for (uint32_t i = 0; i < ey.list->n; i++) {
		int64_t k = partner(&ex, &ey, i);
		if (k >= 0)
			ex.matched[k] = true;
		moved |= k >= 0 && k < last;
		last = MAX(last, k);
		diff_element(d, f, r, &ey, i, k < 0 ? NULL : list_at(ex.list, f->sub, (uint32_t)k),
			     list_at(ey.list, f->sub, i));
	}
	for (uint32_t k = 0; k < ex.list->n; k++) {
		if (!ex.matched[k])
			diff_element(d, f, r, &ex, k, list_at(ex.list, f->sub, k), NULL);
	}
	if (moved)
		entry(d, f, r, keys_json(d, &ex), keys_json(d, &ey), y_node);
}

static void diff_field(struct differ *d, const struct type *t, unsigned row, struct reach r,
		       const void *x, const void *y)
{
	const struct field *f = &t->fields[row];
	const void *vx = x ? field_of(x, f) : NULL, *vy = y ? field_of(y, f) : NULL;

	if (x && y && row_equal(t, row, x, y))
		return;
	switch (f->kind) {
	case K_OBJ:
		vx = vx ? *(const void *const *)vx : NULL;
		vy = vy ? *(const void *const *)vy : NULL;
		if (vx || vy)
			diff_sub(d, f, r, vx, vy);
		return;
	case K_INLINE:
		diff_struct(d, f->sub, reach_below(r, f), vx, vy);
		return;
	case K_LIST:
		diff_list(d, f, r, vx, vy, y);
		return;
	case K_MAP:
	case K_QMAP:
	case K_BMAP:
		diff_map(d, f, r, vx, vy, y);
		return;
	default:
		break;
	}
	unsigned flags = x && y ? 0 : DUMP_WRITTEN;
	const char *old = x && field_shown(t, row, x, flags) ? as_json(d, f, vx) : NULL;
	const char *new = y && field_shown(t, row, y, flags) ? as_json(d, f, vy) : NULL;
	if (old || new)
		entry(d, f, r, old, new, y);
}

static void diff_struct(struct differ *d, const struct type *t, struct reach r, const void *x,
			const void *y)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		if (t->fields[i].flags & F_SERVER)
			continue;
		size_t before = path_key(&d->path, t->fields[i].key);
		diff_field(d, t, i, r, x, y);
		path_cut(&d->path, before);
	}
}

void schema_diff(struct arena *a, const struct type *t, const void *x, const void *y,
		 const char *path, struct diff *ret)
{
	struct differ d = { .a = a, .ret = ret };

	*ret = (struct diff){ 0 };
	buf_puts(&d.path, path ? path : "");
	diff_struct(&d, t, (struct reach){ 0 }, x, y);
	buf_release(&d.path);
}
