/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables as the server makes them (meta.k8s.io/v1 Table), shown as kubectl shows them. */
#pragma once

#include "cli/print.h"

#define TABLE "application/json;as=Table;v=v1;g=meta.k8s.io"

/* A table that grows: rows of one kind, from one answer or several. */
struct table {
	struct cli *c;
	const struct kind *kind;
	bool prefix;		/* several kinds: names as kind/name */
	bool headers;		/* still to be said */
	struct rows rows;
};
unsigned table_add(struct table *t, json_t *answer);	/* how many rows came */

/* A new array in the order of --sort-by; member: where in an element the object is, or "". */
json_t *sort_objects(struct cli *c, json_t *list, const char *member);
