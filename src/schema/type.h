/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors: what a C struct means as a Kubernetes object. A struct is described once, in a
 * .def file of the model, one row per field; schema/rows.h expands the rows to the struct, to an
 * index per field, and to this table. Everything else (decoding, defaults, checks, equality,
 * diff, YAML and JSON output, explain) walks the table, so a new field is one row.
 *
 * Every described struct begins with a struct node: which fields the user wrote (bit i is row
 * i; defaults leave it clear, so "unset" differs from zero and hashes cover only what was
 * written) and where its mapping begins in the file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

struct node {
	uint64_t set;
	uint32_t line, col;	/* 0 when it came from no file */
};

/* The C shapes of values. Strings are never NULL inside lists and maps; a STR field is NULL when
 * it has no value. Maps are sorted by key, keys are unique. */
struct strs { const char **v; uint32_t n; };
struct ints { int64_t *v; uint32_t n; };
struct strpair { const char *k, *v; };
struct strmap { struct strpair *v; uint32_t n; };
struct qtypair { const char *k; struct quantity v; };
struct qtymap { struct qtypair *v; uint32_t n; };
struct bytes { const void *data; size_t len; };
struct bytepair { const char *k; struct bytes v; };
struct bytemap { struct bytepair *v; uint32_t n; };
struct intstr {			/* IntOrString: str NULL means num */
	const char *str;
	int32_t num;
};
struct list { void *v; uint32_t n; };	/* how the schema sees every T_list */

enum field_kind {
	K_BOOL,		/* bool */
	K_I32,		/* int32_t */
	K_I64,		/* int64_t */
	K_STR,		/* const char * */
	K_ENUM,		/* int: index into sub's values, 0 is unset */
	K_QTY,		/* struct quantity */
	K_INTSTR,	/* struct intstr */
	K_TIME,		/* int64_t, ns since the epoch; RFC 3339, whole seconds in output */
	K_OBJ,		/* pointer to sub, NULL when absent */
	K_INLINE,	/* sub embedded */
	K_LIST,		/* sub_list */
	K_STRS,		/* struct strs */
	K_INTS,		/* struct ints; min and max are of each */
	K_MAP,		/* struct strmap */
	K_QMAP,		/* struct qtymap */
	K_BMAP,		/* struct bytemap: base64 in the file, bytes in memory */
	K_ANY,		/* const char *: any YAML value, kept as compact JSON text */
};

/* What changing a field of a running object does. */
enum effect {
	E_NONE,		/* nothing outside the daemon */
	E_LIVE,		/* takes effect without a restart */
	E_RESTART,	/* the object's containers restart */
	E_ROLLOUT,	/* pods are replaced */
	E_IMMUTABLE,	/* refused */
};

enum {
	F_REQUIRED = 1,
	F_SERVER = 2,	/* set by the server: accepted in a manifest and ignored; part of output */
	F_NOTED = 4,	/* known to Kubernetes, not acted on: a warning when it asks for something
			 * (not for its default, false, or nothing), output only when written */
	F_REFUSED = 8,	/* known to Kubernetes, ignoring it would be wrong or unsafe: an error */
	F_SECRET = 16,	/* values are masked in diffs and plans */
	F_ZERO = 32,	/* 0 or false, written, is something else than nothing */
};

struct field;
struct type;
struct check;	/* schema/check.h */

/* A check looks at one value (a pointer to the member, or for lists to each element of STRS and
 * INTS, for maps to each struct strpair, qtypair or bytepair) and reports through check_fail(). */
typedef void (*field_check)(struct check *c, const void *value);
/* A type's check looks at the whole struct, after its fields and defaults. */
typedef void (*type_check)(struct check *c, const void *obj);

struct enum_type {
	const char *name;
	const char *const *values;	/* [0] is "" (unset), then the words, NULL at the end */
};

struct field {
	const char *key;	/* name in the manifest */
	const char *doc;
	enum field_kind kind;
	enum effect effect;
	unsigned flags;
	uint32_t offset;
	const struct type *sub;		/* OBJ, INLINE, LIST */
	const struct enum_type *values;	/* ENUM */
	const char *dflt;		/* as text; NULL: none */
	const char *list_key;		/* LIST: the field that identifies an element */
	int64_t min, max;		/* numbers, when max is not 0 */
	field_check check;
};

struct type {
	const char *name;	/* C name: "container" */
	const char *doc;
	const struct field *fields;
	unsigned nfields;
	size_t size;
	type_check check;	/* NULL: none */
};

/* Did the user write this field? */
#define HAS(p, T, member) (((p)->node.set >> T##_##member##_row) & 1)
/* Marks it as written (for objects that control makes). */
#define MARK(p, T, member) ((p)->node.set |= UINT64_C(1) << T##_##member##_row)
