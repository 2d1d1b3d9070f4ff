/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output that several verbs share: JSON, YAML, jsonpath, columns. Text is aligned in two ways, as
 * kubectl does: rows of cells with common columns, and tabs that stretch (describe).
 */
#pragma once

#include "cli/cli.h"

const char *json_text(const json_t *o, const char *key);	/* "" when it is no string */
json_t *json_path(json_t *o, const char *path);			/* "a.b.c", NULL when absent */
long long json_number(const json_t *o, const char *key);	/* 0 when it is no integer */
const char *json_any(struct arena *a, const json_t *v); /* strings as they are, else compact JSON */
void print_json(const json_t *o);
void print_yaml(const json_t *o);
/* "{.items[*].metadata.name}"; 0, or EXIT_ERROR after saying so. */
int jsonpath(struct cli *c, json_t *o, const char *template, struct buf *out);

/* Rows of cells. Widths are remembered from print to print, so that a watch stays aligned. */
#define COLUMNS_MAX 32
struct rows {
	char **cells;		/* nrows * ncols */
	unsigned ncols, nrows;
	size_t width[COLUMNS_MAX];
};
void rows_add(struct rows *r, unsigned ncols, const char *const *cells);
void rows_print(struct rows *r, struct buf *out);	/* and releases the cells */
void rows_flush(struct rows *r);			/* to standard output */

/* Text whose cells end with tabs: each run of lines that have a cell in a column is aligned there,
 * padding blanks after the widest. */
void tabs_align(const char *text, unsigned padding, struct buf *out);
