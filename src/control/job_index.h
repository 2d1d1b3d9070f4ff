/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of completion indexes as Jobs write them: "0,2-4,7". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct index_range { int64_t from, to; };
struct indexes { struct index_range *v; uint32_t n; };	/* rising, with gaps between them */

void indexes_parse(struct arena *a, const char *text, struct indexes *ret);	/* NULL: empty */
const char *indexes_text(struct arena *a, const struct indexes *s);
void indexes_add(struct arena *a, struct indexes *s, int64_t i);
/* The range that i is in; NULL: none. */
const struct index_range *indexes_find(const struct indexes *s, int64_t i);
/* How many of s are below limit and, when among is not NULL, in it. */
int64_t indexes_count(const struct indexes *s, const struct indexes *among, int64_t limit);
