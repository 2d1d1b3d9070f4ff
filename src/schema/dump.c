/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Described structs as JSON: what an API server would answer, or just what was written. */
#include <string.h>

#include "base/macro.h"
#include "schema/schema.h"
#include "schema/walk.h"

static bool anything_shown(const struct type *t, const void *obj, unsigned flags)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		if (field_shown(t, i, obj, flags))
			return true;
	}
	return false;
}

/* Has it a value that JSON can show? Numbers always do; NULL strings, quantities, times 0 not. */
static bool has_value(const struct field *f, const void *value)
{
	static const unsigned nullable = 1u << K_STR | 1u << K_ENUM | 1u << K_QTY | 1u << K_TIME |
					 1u << K_OBJ | 1u << K_ANY;

	return !(nullable >> f->kind & 1) || !value_is_zero(f, value);
}

bool field_shown(const struct type *t, unsigned row, const void *obj, unsigned flags)
{
	const struct field *f = &t->fields[row];
	const void *value = field_of(obj, f);

	if ((flags & DUMP_WRITTEN) && (f->flags & F_SERVER))
		return false;
	if (f->kind == K_INLINE)
		return anything_shown(f->sub, value, flags);
	if (field_set(obj, row))
		return has_value(f, value);
	if ((flags & DUMP_WRITTEN) || (f->flags & F_NOTED))
		return false;
	return !value_is_zero(f, value) || (f->dflt && has_value(f, value));
}

static void put_list(struct json *j, const struct type *t, const struct list *l, unsigned flags)
{
	json_begin_array(j);
	for (uint32_t i = 0; i < l->n; i++)
		schema_json_value(j, t, list_at(l, t, i), flags);
	json_end_array(j);
}

static void put_strs(struct json *j, const struct strs *l)
{
	json_begin_array(j);
	for (uint32_t i = 0; i < l->n; i++)
		json_str(j, l->v[i]);
	json_end_array(j);
}

static void put_ints(struct json *j, const struct ints *l)
{
	json_begin_array(j);
	for (uint32_t i = 0; i < l->n; i++)
		json_int(j, l->v[i]);
	json_end_array(j);
}

static void put_map(struct json *j, const struct strmap *m)
{
	json_begin_object(j);
	for (uint32_t i = 0; i < m->n; i++)
		json_kstr(j, m->v[i].k, m->v[i].v);
	json_end_object(j);
}

static void put_qmap(struct json *j, const struct qtymap *m)
{
	json_begin_object(j);
	for (uint32_t i = 0; i < m->n; i++)
		json_kstr(j, m->v[i].k, m->v[i].v.text);
	json_end_object(j);
}

static void put_bmap(struct json *j, const struct bytemap *m)
{
	struct arena scratch = { 0 };

	json_begin_object(j);
	for (uint32_t i = 0; i < m->n; i++)
		json_kstr(j, m->v[i].k, base64_encode(&scratch, m->v[i].v.data, m->v[i].v.len));
	json_end_object(j);
	arena_release(&scratch);
}

static void put_intstr(struct json *j, const struct intstr *v)
{
	if (v->str)
		json_str(j, v->str);
	else
		json_int(j, v->num);
}

static void put_time(struct json *j, int64_t ns)
{
	char text[32];

	time_format(ns, text);
	json_str(j, text);
}

static void put_any(struct json *j, const char *text)
{
	if (text)
		json_raw(j, text);
	else
		json_put_null(j);
}

void json_value(struct json *j, const struct field *f, const void *value, unsigned flags)
{
	switch (f->kind) {
	case K_BOOL:
		return json_bool(j, *(const bool *)value);
	case K_I32:
		return json_int(j, *(const int32_t *)value);
	case K_I64:
		return json_int(j, *(const int64_t *)value);
	case K_STR:
	case K_QTY:	/* begins with its text */
		return json_str(j, *(const char *const *)value);
	case K_ENUM:
		return json_str(j, f->values->values[*(const unsigned *)value]);
	case K_INTSTR:
		return put_intstr(j, value);
	case K_TIME:
		return put_time(j, *(const int64_t *)value);
	case K_OBJ:
		return schema_json_value(j, f->sub, *(const void *const *)value, flags);
	case K_INLINE:
		return schema_json_value(j, f->sub, value, flags);
	case K_LIST:
		return put_list(j, f->sub, value, flags);
	case K_STRS:
		return put_strs(j, value);
	case K_INTS:
		return put_ints(j, value);
	case K_MAP:
		return put_map(j, value);
	case K_QMAP:
		return put_qmap(j, value);
	case K_BMAP:
		return put_bmap(j, value);
	case K_ANY:
		return put_any(j, *(const char *const *)value);
	}
}

void schema_json(struct json *j, const struct type *t, const void *obj, unsigned flags)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];

		if (!field_shown(t, i, obj, flags))
			continue;
		json_key(j, f->key);
		json_value(j, f, field_of(obj, f), flags);
	}
}

void schema_json_value(struct json *j, const struct type *t, const void *obj, unsigned flags)
{
	json_begin_object(j);
	schema_json(j, t, obj, flags);
	json_end_object(j);
}
