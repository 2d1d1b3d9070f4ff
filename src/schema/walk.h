/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What everything that walks rows shares: places of members, set bits, paths. */
#pragma once

#include "base/buf.h"
#include "schema/schema.h"

static inline void *field_at(void *obj, const struct field *f)
{
	return (char *)obj + f->offset;
}

static inline const void *field_of(const void *obj, const struct field *f)
{
	return (const char *)obj + f->offset;
}

static inline bool field_set(const void *obj, unsigned row)
{
	return ((const struct node *)obj)->set >> row & 1;
}

/* Element i of a LIST. */
static inline void *list_at(const struct list *l, const struct type *t, uint32_t i)
{
	return (char *)l->v + i * t->size;
}

bool value_is_zero(const struct field *f, const void *value);
bool value_equal(const struct field *f, const void *x, const void *y);
/* The values of one row of two structs; where it matters, whether they were written at all. */
bool row_equal(const struct type *t, unsigned row, const void *x, const void *y);
/* Would schema_json write the field? */
bool field_shown(const struct type *t, unsigned row, const void *obj, unsigned flags);
void json_value(struct json *j, const struct field *f, const void *value, unsigned flags);

/* Fills a member from the text of its default. */
void default_from_text(struct arena *a, const struct field *f, void *value);

/* What the rows above a field make of the effect of changing it. */
struct reach {
	enum effect nearest;	/* the nearest that has one */
	enum effect frame;	/* the outermost LIVE, RESTART or ROLLOUT */
	bool secret;
};
struct reach reach_below(struct reach above, const struct field *f);
enum effect effect_at(struct reach above, const struct field *f);

/* Appends to a path; the length before is what path_cut takes. */
size_t path_key(struct buf *path, const char *key);
size_t path_entry(struct buf *path, const char *key);
size_t path_index(struct buf *path, uint32_t i);
void path_cut(struct buf *path, size_t len);
