/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers from pools: cluster addresses and node ports follow the same rules. All claims are
 * settled together, in four rounds, so that the result does not depend on which object came first:
 *
 *	1. fixed numbers that were theirs before	3. numbers remembered for the others
 *	2. other fixed numbers				4. new numbers
 *
 * A new number is looked for from a place that a hash of the name gives, first above the band
 * that is left to fixed numbers, then in it: the same name tends to get the same number.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"

struct pool {
	uint32_t first, count;	/* the numbers first .. first + count - 1 */
	uint32_t band;		/* this many of the lowest are left to fixed numbers */
};

enum claim_result {
	CLAIM_GRANTED,		/* value */
	CLAIM_MOVED,		/* value, but not the one remembered: owner has that (NULL: not in the pool) */
	CLAIM_TAKEN,		/* fixed, and owner has it */
	CLAIM_OUTSIDE,		/* fixed, and not in the pool */
	CLAIM_EXHAUSTED,	/* nothing left */
};

struct claim {
	const struct pool *pool;
	unsigned space;			/* equal numbers of different spaces do not clash; 0 to 255 */
	uint32_t fixed, remembered;	/* 0: none */
	uint64_t hash;
	uint32_t value;			/* when refused: the remembered number when it is free, else 0 */
	enum claim_result result;
	const struct claim *owner;
};

void claims_settle(struct claim *claims, uint32_t n, struct arena *scratch);
