/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on described structs (schema/type.h). All of them walk the rows; none knows a kind.
 * Objects live in an arena, so decode and copy take one and nothing is freed singly.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "schema/msgs.h"
#include "schema/type.h"
#include "schema/yaml.h"

/*
 * Decodes a mapping into *dst (zeroed, t->size bytes): fields, bounds, checks, defaults, then the
 * type's check, bottom-up. path is the prefix of messages. 0, or -EINVAL after adding to m at
 * least one error. skip: top-level keys that are no fields ("apiVersion", "kind"), ended by NULL.
 */
int schema_decode(struct arena *a, const struct type *t, const char *file, const struct ynode *n,
		  const char *path, const char *const *skip, void *dst, struct msgs *m);

/*
 * The same for text that schema_json wrote: F_SERVER fields count (schema_decode accepts and
 * ignores them), what was once admitted is not checked again, and unknown fields are skipped.
 */
int schema_decode_record(struct arena *a, const struct type *t, const char *file,
			 const struct ynode *n, const char *path, const char *const *skip,
			 void *dst, struct msgs *m);

/* Gives fields that are unset and zero their defaults, all the way down; no OBJ is made. */
void schema_defaults(struct arena *a, const struct type *t, void *obj);

/* Deep; NULL gives NULL. */
void *schema_copy(struct arena *a, const struct type *t, const void *obj);

/* Equal values; ignores positions and set bits, so that a written default equals an absent one. */
bool schema_equal(const struct type *t, const void *x, const void *y);

/* FNV-1a over the fields that the user wrote, by key name and value in row order: stable when
 * rows are added or defaults change. F_SERVER fields never count; an INLINE counts by what is in
 * it, whether or not its own bit is set. */
uint64_t schema_hash(const struct type *t, const void *obj, uint64_t h);

struct diff_entry {
	const char *path;	/* "spec.template.spec.containers[web].image" */
	const char *old, *new;	/* compact JSON, NULL: absent; "(hidden)" when F_SECRET */
	const struct field *field;
	enum effect effect;	/* of the field where it stands: what is above it counts */
	uint32_t line, col;	/* of the mapping around it in the new file, 0 when removed */
};
struct diff { struct diff_entry *v; uint32_t n; };
/* Lists with a key field are matched by it. x or y may be NULL: all added or removed. F_SERVER
 * fields are left out. */
void schema_diff(struct arena *a, const struct type *t, const void *x, const void *y,
		 const char *path, struct diff *ret);

enum {
	DUMP_WRITTEN = 1,	/* only what the user wrote: no defaults, no server fields */
};
/* Writes the fields of obj into the open JSON object (the caller opens and closes it, and
 * may add "apiVersion" and "kind"). */
void schema_json(struct json *j, const struct type *t, const void *obj, unsigned flags);
/* The value itself, with braces. */
void schema_json_value(struct json *j, const struct type *t, const void *obj, unsigned flags);
/* YAML of any JSON text, keys in the order given: used for -o yaml. 0 or -EINVAL. */
int json_to_yaml(const char *json, struct buf *out);

/* What explaining begins with. */
struct explain {
	const char *kind;	/* "Deployment" */
	const char *version;	/* "apps/v1" */
	const char *unused;	/* why nothing acts on the kind; NULL: something does */
	bool recursive;		/* the names and shapes of all fields below, without descriptions */
};
/* path is like "spec.template.spec.containers". Text like kubectl explain, with type, default,
 * bounds and effect. -ENOENT (with a suggestion in err) for an unknown field. */
int schema_explain(const struct type *t, const struct explain *e, const char *path,
		   struct buf *out, struct err *err);

/*
 * JSON Schema (draft 7) of rows, for editors. pattern gives the regular expression of a check on
 * strings, NULL when it has none; ret_max its greatest length, 0 for none.
 */
typedef const char *(*check_pattern)(field_check check, unsigned *ret_max);
/* Every type that the given ones lead to, each by its name, into the open object "definitions". */
void json_schema_types(struct json *j, const struct type *const *roots, unsigned n,
		       check_pattern pattern);
/* The members of one type in an open schema: properties, required, additionalProperties. fixed are
 * pairs of a key and its only value, ended by NULL. */
void json_schema_members(struct json *j, const struct type *t, const char *const *fixed,
			 check_pattern pattern);
const struct field *schema_field(const struct type *t, const char *key);
const char *effect_name(enum effect e);

/* Helpers for the map and list shapes. */
const char *strmap_get(const struct strmap *m, const char *k);	/* NULL when absent */
void strmap_set(struct arena *a, struct strmap *m, const char *k, const char *v);
void strmap_del(struct strmap *m, const char *k);
const struct quantity *qtymap_get(const struct qtymap *m, const char *k);
void qtymap_set(struct arena *a, struct qtymap *m, const char *k, struct quantity v);
bool strmap_contains(const struct strmap *all, const struct strmap *part);	/* selector match */
