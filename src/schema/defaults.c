/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Defaults: what a field that nobody wrote is. A value that is not zero stays, set bit or not, so
 * that objects made by control keep what they were given.
 */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "schema/schema.h"
#include "schema/walk.h"

static unsigned word_index(const struct enum_type *e, const char *word)
{
	for (unsigned i = 1; e->values[i]; i++) {
		if (streq(e->values[i], word))
			return i;
	}
	return 0;
}

static struct intstr intstr_from(const char *text)
{
	char *end;
	long num = strtol(text, &end, 10);

	if (*text && !*end)
		return (struct intstr){ .num = (int32_t)num };
	return (struct intstr){ .str = text };
}

void default_from_text(struct arena *a, const struct field *f, void *value)
{
	switch (f->kind) {
	case K_BOOL:
		*(bool *)value = streq(f->dflt, "true");
		break;
	case K_I32:
		*(int32_t *)value = (int32_t)strtol(f->dflt, NULL, 10);
		break;
	case K_I64:
		*(int64_t *)value = strtoll(f->dflt, NULL, 10);
		break;
	case K_STR:
	case K_ANY:
		*(const char **)value = f->dflt;
		break;
	case K_ENUM:
		*(unsigned *)value = word_index(f->values, f->dflt);
		break;
	case K_QTY:
		quantity_parse(a, f->dflt, value);
		break;
	case K_INTSTR:
		*(struct intstr *)value = intstr_from(f->dflt);
		break;
	case K_TIME:
		time_parse(f->dflt, value);
		break;
	case K_OBJ:
	case K_INLINE:
	case K_LIST:
	case K_STRS:
	case K_INTS:
	case K_MAP:
	case K_QMAP:
	case K_BMAP:
		break;	/* absent and empty are the same */
	}
}

static void below(struct arena *a, const struct field *f, void *value)
{
	if (f->kind == K_INLINE)
		schema_defaults(a, f->sub, value);
	if (f->kind == K_OBJ && *(void **)value)
		schema_defaults(a, f->sub, *(void **)value);
	if (f->kind == K_LIST) {
		const struct list *l = value;
		for (uint32_t i = 0; i < l->n; i++)
			schema_defaults(a, f->sub, list_at(l, f->sub, i));
	}
}

void schema_defaults(struct arena *a, const struct type *t, void *obj)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		void *value = field_at(obj, f);

		if (f->sub)
			below(a, f, value);
		else if (f->dflt && !field_set(obj, i) && value_is_zero(f, value))
			default_from_text(a, f, value);
	}
}
