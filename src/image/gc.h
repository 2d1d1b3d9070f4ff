/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which images the collector takes: pure, so that the rules can be tested without a disk. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gc_image {
	const char *ref;
	int64_t used_at;	/* seconds */
	bool in_use;		/* pinned, or wanted by somebody */
};

struct gc_rules {
	bool all;
	unsigned high, low;	/* per cent of the disk; high 0: space does not matter */
	int64_t now, min_age_s;
};

/* Bytes that have to go so that a disk that is fuller than high is no fuller than low; else 0. */
uint64_t gc_excess(const struct gc_rules *r, uint64_t disk, uint64_t free_bytes);

/* Sorts those that may go to the front, the least recently used first; how many they are. */
unsigned gc_candidates(struct gc_image *v, unsigned n, const struct gc_rules *r);
