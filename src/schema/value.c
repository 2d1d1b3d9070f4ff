/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying, comparing and hashing described structs. The three must agree on what a value is: a
 * new kind is a case in each. C shapes that look alike (a string and ANY) share theirs.
 */
#include <string.h>

#include "base/hash.h"
#include "base/macro.h"
#include "schema/schema.h"
#include "schema/walk.h"

static bool struct_is_zero(const struct type *t, const void *obj)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		if (!value_is_zero(&t->fields[i], field_of(obj, &t->fields[i])))
			return false;
	}
	return true;
}

bool value_is_zero(const struct field *f, const void *value)
{
	switch (f->kind) {
	case K_BOOL:
		return !*(const bool *)value;
	case K_I32:
		return !*(const int32_t *)value;
	case K_ENUM:
		return !*(const unsigned *)value;
	case K_I64:
	case K_TIME:
		return !*(const int64_t *)value;
	case K_STR:
	case K_ANY:
	case K_OBJ:
		return !*(void *const *)value;
	case K_QTY:
		return !((const struct quantity *)value)->text;
	case K_INTSTR:
		return !((const struct intstr *)value)->str && !((const struct intstr *)value)->num;
	case K_INLINE:
		return struct_is_zero(f->sub, value);
	case K_LIST:
	case K_STRS:
	case K_INTS:
	case K_MAP:
	case K_QMAP:
	case K_BMAP:
		return !((const struct list *)value)->n;
	}
	return true;
}

static void copy_fields(struct arena *a, const struct type *t, void *obj);

static void *clone(struct arena *a, const void *p, size_t n)
{
	return n ? memcpy(arena_alloc(a, n), p, n) : NULL;
}

static void copy_list(struct arena *a, const struct type *t, struct list *l)
{
	l->v = clone(a, l->v, l->n * t->size);
	for (uint32_t i = 0; i < l->n; i++)
		copy_fields(a, t, list_at(l, t, i));
}

static void copy_strs(struct arena *a, struct strs *l)
{
	l->v = clone(a, l->v, l->n * sizeof(*l->v));
	for (uint32_t i = 0; i < l->n; i++)
		l->v[i] = arena_strdup(a, l->v[i]);
}

static void copy_ints(struct arena *a, struct ints *l)
{
	l->v = clone(a, l->v, l->n * sizeof(*l->v));
}

static void copy_map(struct arena *a, struct strmap *m)
{
	m->v = clone(a, m->v, m->n * sizeof(*m->v));
	for (uint32_t i = 0; i < m->n; i++) {
		m->v[i].k = arena_strdup(a, m->v[i].k);
		m->v[i].v = arena_strdup(a, m->v[i].v);
	}
}

static void copy_qmap(struct arena *a, struct qtymap *m)
{
	m->v = clone(a, m->v, m->n * sizeof(*m->v));
	for (uint32_t i = 0; i < m->n; i++) {
		m->v[i].k = arena_strdup(a, m->v[i].k);
		m->v[i].v.text = arena_strdup(a, m->v[i].v.text);
	}
}

static void copy_bmap(struct arena *a, struct bytemap *m)
{
	m->v = clone(a, m->v, m->n * sizeof(*m->v));
	for (uint32_t i = 0; i < m->n; i++) {
		m->v[i].k = arena_strdup(a, m->v[i].k);
		m->v[i].v.data = clone(a, m->v[i].v.data, m->v[i].v.len);
	}
}

static void copy_obj(struct arena *a, const struct type *t, void **obj)
{
	if (*obj)
		*obj = schema_copy(a, t, *obj);
}

/* The member still points into the original: gives it its own. */
static void copy_value(struct arena *a, const struct field *f, void *value)
{
	switch (f->kind) {
	case K_BOOL:
	case K_I32:
	case K_I64:
	case K_ENUM:
	case K_TIME:
		break;
	case K_STR:
	case K_ANY:
	case K_QTY:	/* begins with its text */
	case K_INTSTR:	/* likewise */
		*(const char **)value = arena_strdup(a, *(const char **)value);
		break;
	case K_OBJ:
		copy_obj(a, f->sub, value);
		break;
	case K_INLINE:
		copy_fields(a, f->sub, value);
		break;
	case K_LIST:
		copy_list(a, f->sub, value);
		break;
	case K_STRS:
		copy_strs(a, value);
		break;
	case K_INTS:
		copy_ints(a, value);
		break;
	case K_MAP:
		copy_map(a, value);
		break;
	case K_QMAP:
		copy_qmap(a, value);
		break;
	case K_BMAP:
		copy_bmap(a, value);
		break;
	}
}

_Static_assert(offsetof(struct quantity, text) == 0 && offsetof(struct intstr, str) == 0,
	       "copied and compared as what begins with a string");

static void copy_fields(struct arena *a, const struct type *t, void *obj)
{
	for (unsigned i = 0; i < t->nfields; i++)
		copy_value(a, &t->fields[i], field_at(obj, &t->fields[i]));
}

void *schema_copy(struct arena *a, const struct type *t, const void *obj)
{
	void *ret = obj ? clone(a, obj, t->size) : NULL;

	if (ret)
		copy_fields(a, t, ret);
	return ret;
}

static bool same_text(const char *x, const char *y)
{
	return x == y || (x && y && streq(x, y));
}

static bool same_intstr(const struct intstr *x, const struct intstr *y)
{
	return same_text(x->str, y->str) && (x->str || x->num == y->num);
}

static bool same_list(const struct type *t, const struct list *x, const struct list *y)
{
	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++) {
		if (!schema_equal(t, list_at(x, t, i), list_at(y, t, i)))
			return false;
	}
	return true;
}

static bool same_strs(const struct strs *x, const struct strs *y)
{
	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++) {
		if (!streq(x->v[i], y->v[i]))
			return false;
	}
	return true;
}

static bool same_ints(const struct ints *x, const struct ints *y)
{
	return x->n == y->n && (!x->n || memcmp(x->v, y->v, x->n * sizeof(*x->v)) == 0);
}

static bool same_map(const struct strmap *x, const struct strmap *y)
{
	return x->n == y->n && strmap_contains(x, y);
}

static bool same_qmap(const struct qtymap *x, const struct qtymap *y)
{
	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++) {
		if (!streq(x->v[i].k, y->v[i].k) || !same_text(x->v[i].v.text, y->v[i].v.text))
			return false;
	}
	return true;
}

static bool same_bmap(const struct bytemap *x, const struct bytemap *y)
{
	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++) {
		const struct bytepair *p = &x->v[i], *q = &y->v[i];
		if (!streq(p->k, q->k) || p->v.len != q->v.len ||
		    (p->v.len && memcmp(p->v.data, q->v.data, p->v.len)))
			return false;
	}
	return true;
}

static bool same_obj(const struct type *t, const void *x, const void *y)
{
	return x == y || (x && y && schema_equal(t, x, y));
}

bool value_equal(const struct field *f, const void *x, const void *y)
{
	switch (f->kind) {
	case K_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case K_I32:
		return *(const int32_t *)x == *(const int32_t *)y;
	case K_ENUM:
		return *(const unsigned *)x == *(const unsigned *)y;
	case K_I64:
	case K_TIME:
		return *(const int64_t *)x == *(const int64_t *)y;
	case K_STR:
	case K_ANY:
	case K_QTY:
		return same_text(*(const char *const *)x, *(const char *const *)y);
	case K_INTSTR:
		return same_intstr(x, y);
	case K_OBJ:
		return same_obj(f->sub, *(const void *const *)x, *(const void *const *)y);
	case K_INLINE:
		return schema_equal(f->sub, x, y);
	case K_LIST:
		return same_list(f->sub, x, y);
	case K_STRS:
		return same_strs(x, y);
	case K_INTS:
		return same_ints(x, y);
	case K_MAP:
		return same_map(x, y);
	case K_QMAP:
		return same_qmap(x, y);
	case K_BMAP:
		return same_bmap(x, y);
	}
	return false;
}

bool row_equal(const struct type *t, unsigned row, const void *x, const void *y)
{
	const struct field *f = &t->fields[row];

	if ((f->flags & F_ZERO) && field_set(x, row) != field_set(y, row))
		return false;
	return value_equal(f, field_of(x, f), field_of(y, f));
}

bool schema_equal(const struct type *t, const void *x, const void *y)
{
	for (unsigned i = 0; i < t->nfields; i++)
		if (!row_equal(t, i, x, y))
			return false;
	return true;
}

static uint64_t hash_int(uint64_t h, int64_t v)
{
	return fnv64(h, &v, sizeof(v));
}

static uint64_t hash_text(uint64_t h, const char *s)
{
	return fnv64_str(h, s ? s : "");
}

static uint64_t hash_list(uint64_t h, const struct type *t, const struct list *l)
{
	h = hash_int(h, l->n);
	for (uint32_t i = 0; i < l->n; i++)
		h = hash_int(h, (int64_t)schema_hash(t, list_at(l, t, i), FNV64_INIT));
	return h;
}

static uint64_t hash_strs(uint64_t h, const struct strs *l)
{
	h = hash_int(h, l->n);
	for (uint32_t i = 0; i < l->n; i++)
		h = hash_text(h, l->v[i]);
	return h;
}

static uint64_t hash_ints(uint64_t h, const struct ints *l)
{
	h = hash_int(h, l->n);
	for (uint32_t i = 0; i < l->n; i++)
		h = hash_int(h, l->v[i]);
	return h;
}

static uint64_t hash_map(uint64_t h, const struct strmap *m)
{
	h = hash_int(h, m->n);
	for (uint32_t i = 0; i < m->n; i++)
		h = hash_text(hash_text(h, m->v[i].k), m->v[i].v);
	return h;
}

static uint64_t hash_qmap(uint64_t h, const struct qtymap *m)
{
	h = hash_int(h, m->n);
	for (uint32_t i = 0; i < m->n; i++)
		h = hash_text(hash_text(h, m->v[i].k), m->v[i].v.text);
	return h;
}

static uint64_t hash_bmap(uint64_t h, const struct bytemap *m)
{
	h = hash_int(h, m->n);
	for (uint32_t i = 0; i < m->n; i++) {
		h = hash_int(hash_text(h, m->v[i].k), (int64_t)m->v[i].v.len);
		h = fnv64(h, m->v[i].v.data, m->v[i].v.len);
	}
	return h;
}

static uint64_t hash_value(uint64_t h, const struct field *f, const void *value)
{
	switch (f->kind) {
	case K_BOOL:
		return hash_int(h, *(const bool *)value);
	case K_I32:
		return hash_int(h, *(const int32_t *)value);
	case K_ENUM:
		return hash_text(h, f->values->values[*(const unsigned *)value]);
	case K_I64:
	case K_TIME:
		return hash_int(h, *(const int64_t *)value);
	case K_STR:
	case K_ANY:
	case K_QTY:
		return hash_text(h, *(const char *const *)value);
	case K_INTSTR:
		h = hash_int(h, ((const struct intstr *)value)->num);
		return hash_text(h, ((const struct intstr *)value)->str);
	case K_OBJ:
		value = *(const void *const *)value;
		return value ? hash_int(h, (int64_t)schema_hash(f->sub, value, FNV64_INIT)) : h;
	case K_INLINE:
		return hash_int(h, (int64_t)schema_hash(f->sub, value, FNV64_INIT));
	case K_LIST:
		return hash_list(h, f->sub, value);
	case K_STRS:
		return hash_strs(h, value);
	case K_INTS:
		return hash_ints(h, value);
	case K_MAP:
		return hash_map(h, value);
	case K_QMAP:
		return hash_qmap(h, value);
	case K_BMAP:
		return hash_bmap(h, value);
	}
	return h;
}

/* An INLINE counts by what is in it. */
static uint64_t hash_inline(uint64_t h, const struct field *f, const void *value)
{
	uint64_t sub = schema_hash(f->sub, value, FNV64_INIT);

	return sub == FNV64_INIT ? h : hash_int(fnv64_str(h, f->key), (int64_t)sub);
}

uint64_t schema_hash(const struct type *t, const void *obj, uint64_t h)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];

		if (f->flags & F_SERVER)
			continue;
		if (f->kind == K_INLINE)
			h = hash_inline(h, f, field_of(obj, f));
		else if (field_set(obj, i))
			h = hash_value(fnv64_str(h, f->key), f, field_of(obj, f));
	}
	return h;
}
