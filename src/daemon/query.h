/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a list or watch asks for: kind, namespace, selectors, and in which shape. */
#pragma once

#include "daemon/request.h"

struct field_term {
	const struct field *field;
	size_t offset;			/* in the object */
	const char *value;
	bool differs;
};

struct query {
	struct arena arena;
	const struct kind *kind;
	const char *ns;			/* NULL: all */
	bool has_labels, table, full;
	struct label_selector labels;
	struct { struct field_term *v; uint32_t n; } fields;
};

/* 0; or -errno after the reply was made. ns NULL: all namespaces, or a kind without. */
int query_init(struct request *q, struct query *y, const char *plural, const char *ns,
	       struct reply *r);
/* The same of a kind that the path does not tell. */
int query_init_kind(struct request *q, struct query *y, const struct kind *kind, const char *ns,
		    struct reply *r);
void query_release(struct query *y);
bool query_matches(const struct query *y, const struct object *o);

/* api_watch.c: makes the reply a stream; takes y. */
void watch_start(struct request *q, struct query *y, struct reply *r);
