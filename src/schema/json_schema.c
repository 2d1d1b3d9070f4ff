/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows as JSON Schema, draft 7, which editors read: one definition per type, members by their
 * shape. What only code checks is left out, so that a schema never refuses what orch accepts.
 * null is as if a field were not there, so every shape allows it, but for required ones.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "schema/schema.h"

#define QUANTITY "^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
#define BASE64 "^[A-Za-z0-9+/=\\r\\n]*$"
#define REFERENCE "#/definitions/"

struct writer {
	struct json *j;
	check_pattern pattern;
};

static void put_reference(struct json *j, const struct type *t)
{
	BUF_AUTO ref = { 0 };

	buf_printf(&ref, REFERENCE "%s", t->name);
	json_kstr(j, "$ref", buf_str(&ref));
}

/* The type, or either of two; null as well. */
static void put_type(struct json *j, const char *type, const char *other, bool nullable)
{
	json_key(j, "type");
	if (!other && !nullable) {
		json_str(j, type);
		return;
	}
	json_begin_array(j);
	json_str(j, type);
	if (other)
		json_str(j, other);
	if (nullable)
		json_str(j, "null");
	json_end_array(j);
}

static void put_text_rules(struct writer *w, const struct field *f)
{
	unsigned max = 0;
	const char *pattern = f->check ? w->pattern(f->check, &max) : NULL;

	if (pattern)
		json_kstr(w->j, "pattern", pattern);
	if (max)
		json_kint(w->j, "maxLength", max);
}

static void put_bounds(struct json *j, const struct field *f)
{
	if (!f->max)
		return;
	json_kint(j, "minimum", f->min);
	if (f->max < INT32_MAX)
		json_kint(j, "maximum", f->max);
}

static void put_words(struct json *j, const struct field *f, bool nullable)
{
	json_key(j, "enum");
	json_begin_array(j);
	for (unsigned i = 1; f->values->values[i]; i++)
		json_str(j, f->values->values[i]);
	if (nullable) {
		json_str(j, "");
		json_put_null(j);
	}
	json_end_array(j);
}

static void put_values(struct writer *w, const struct field *f)
{
	static const char *const pattern[] = { [K_QMAP] = QUANTITY, [K_BMAP] = BASE64 };
	struct json *j = w->j;

	put_type(j, "object", NULL, true);
	json_key(j, "additionalProperties");
	json_begin_object(j);
	put_type(j, "string", f->kind == K_QMAP ? "number" : NULL, f->kind != K_QMAP);
	if (f->kind != K_MAP)
		json_kstr(j, "pattern", pattern[f->kind]);
	json_end_object(j);
}

static void put_items(struct writer *w, const struct field *f, bool nullable)
{
	struct json *j = w->j;

	put_type(j, "array", NULL, nullable);
	json_key(j, "items");
	json_begin_object(j);
	if (f->kind == K_LIST) {
		put_reference(j, f->sub);
	} else if (f->kind == K_INTS) {
		json_kstr(j, "type", "integer");
		put_bounds(j, f);
	} else {
		json_kstr(j, "type", "string");
		put_text_rules(w, f);
	}
	json_end_object(j);
}

static void put_sub(struct json *j, const struct field *f, bool nullable)
{
	if (!nullable) {
		put_reference(j, f->sub);
		return;
	}
	json_key(j, "anyOf");		/* beside a $ref, draft 7 reads nothing */
	json_begin_array(j);
	json_begin_object(j);
	put_reference(j, f->sub);
	json_end_object(j);
	json_begin_object(j);
	json_kstr(j, "type", "null");
	json_end_object(j);
	json_end_array(j);
}

static void put_shape(struct writer *w, const struct field *f)
{
	bool nullable = !(f->flags & F_REQUIRED);
	struct json *j = w->j;

	switch (f->kind) {
	case K_BOOL:
		put_type(j, "boolean", NULL, nullable);
		break;
	case K_I32:
	case K_I64:
		put_type(j, "integer", NULL, nullable);
		put_bounds(j, f);
		break;
	case K_STR:
		put_type(j, "string", NULL, nullable);
		put_text_rules(w, f);
		break;
	case K_ENUM:
		put_words(j, f, nullable);
		break;
	case K_QTY:
		put_type(j, "string", "number", nullable);
		json_kstr(j, "pattern", QUANTITY);
		break;
	case K_INTSTR:
		put_type(j, "integer", "string", nullable);
		break;
	case K_TIME:
		put_type(j, "string", NULL, nullable);
		json_kstr(j, "format", "date-time");
		break;
	case K_OBJ:
	case K_INLINE:
		put_sub(j, f, nullable);
		break;
	case K_LIST:
	case K_STRS:
	case K_INTS:
		put_items(w, f, nullable);
		break;
	case K_MAP:
	case K_QMAP:
	case K_BMAP:
		put_values(w, f);
		break;
	case K_ANY:
		break;
	}
}

static void put_default(struct json *j, const struct field *f)
{
	char *end;
	long long n = strtoll(f->dflt, &end, 10);

	json_key(j, "default");
	if (f->kind == K_BOOL)
		json_bool(j, streq(f->dflt, "true"));
	else if (f->kind <= K_I64 || (f->kind == K_INTSTR && *f->dflt && !*end))
		json_int(j, n);
	else
		json_str(j, f->dflt);
}

/* What the server sets may be anything, what is refused only nothing. */
static void put_member(struct writer *w, const struct field *f)
{
	BUF_AUTO doc = { 0 };
	struct json *j = w->j;

	buf_printf(&doc, "%s%s", f->doc, f->flags & F_NOTED ? " Not acted on by orch." :
			   f->flags & F_REFUSED ? " Not supported by orch." : "");
	json_key(j, f->key);
	json_begin_object(j);
	json_kstr(j, "description", buf_str(&doc));
	if (f->flags & F_REFUSED) {
		json_key(j, "enum");
		json_raw(j, "[null,\"\",[]]");
	} else if (!(f->flags & F_SERVER)) {
		put_shape(w, f);
	}
	if (f->dflt && !(f->flags & (F_REFUSED | F_SERVER)))
		put_default(j, f);
	json_end_object(j);
}

static void put_required(struct json *j, const struct type *t, const char *const *fixed)
{
	json_key(j, "required");
	json_begin_array(j);
	for (; *fixed; fixed += 2)
		json_str(j, fixed[0]);
	for (unsigned i = 0; i < t->nfields; i++) {
		if (t->fields[i].flags & F_REQUIRED)
			json_str(j, t->fields[i].key);
	}
	json_end_array(j);
}

void json_schema_members(struct json *j, const struct type *t, const char *const *fixed,
			 check_pattern pattern)
{
	struct writer w = { .j = j, .pattern = pattern };

	json_kstr(j, "description", t->doc);
	json_kstr(j, "type", "object");
	json_key(j, "properties");
	json_begin_object(j);
	for (const char *const *p = fixed; *p; p += 2) {
		json_key(j, p[0]);
		json_begin_object(j);
		json_kstr(j, "const", p[1]);
		json_end_object(j);
	}
	for (unsigned i = 0; i < t->nfields; i++)
		put_member(&w, &t->fields[i]);
	json_end_object(j);
	put_required(j, t, fixed);
	json_key(j, "additionalProperties");
	json_bool(j, false);
}

struct types { const struct type **v; uint32_t n; };

/* The types below t; t itself only when it is one of them. */
static void collect(struct arena *a, struct types *all, const struct type *t)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		bool met = !f->sub || (f->flags & (F_SERVER | F_REFUSED));

		for (uint32_t k = 0; k < all->n && !met; k++)
			met = all->v[k] == f->sub;
		if (met)
			continue;
		*arena_push(a, all) = f->sub;
		collect(a, all, f->sub);
	}
}

void json_schema_types(struct json *j, const struct type *const *roots, unsigned n,
		       check_pattern pattern)
{
	static const char *const none[] = { NULL };
	struct arena a = { 0 };
	struct types all = { 0 };

	for (unsigned i = 0; i < n; i++)
		collect(&a, &all, roots[i]);
	for (uint32_t i = 0; i < all.n; i++) {
		json_key(j, all.v[i]->name);
		json_begin_object(j);
		json_schema_members(j, all.v[i], none, pattern);
		json_end_object(j);
	}
	arena_release(&a);
}
