/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settling claims. Who has which number is kept in an open-addressing table at most half full:
 * a round is one pass over the claims, whatever the size of the pools.
 */
#include "store/allocate.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

struct owners {
	struct claim **slots;
	uint32_t mask;
};

static struct owners owners_new(struct arena *a, uint32_t n)
{
	uint32_t size = 16;

	while (size < n * 2)
		size *= 2;
	return (struct owners){ arena_array(a, struct claim *, size), size - 1 };
}

/* Where the owner of a number is or would be. */
static struct claim **owner_slot(const struct owners *o, unsigned space, uint32_t value)
{
	uint32_t i = (value * 2654435761u + space * 40503u) & o->mask;

	while (o->slots[i] && (o->slots[i]->space != space || o->slots[i]->value != value))
		i = (i + 1) & o->mask;
	return &o->slots[i];
}

static const struct claim *owner(const struct owners *o, const struct claim *c, uint32_t value)
{
	return *owner_slot(o, c->space, value);
}

static void grant(const struct owners *o, struct claim *c, uint32_t value)
{
	struct claim **slot = owner_slot(o, c->space, value);

	c->value = value;
	*slot = c;
}

static bool in_pool(const struct pool *p, uint32_t value)
{
	return value >= p->first && value - p->first < p->count;
}

static void settle_kept(struct claim *c, const struct owners *o)
{
	if (c->fixed && c->fixed == c->remembered && in_pool(c->pool, c->fixed) &&
	    !owner(o, c, c->fixed))
		grant(o, c, c->fixed);
}

static void settle_fixed(struct claim *c, const struct owners *o)
{
	if (!c->fixed || c->value)
		return;
	c->owner = owner(o, c, c->fixed);
	if (!in_pool(c->pool, c->fixed))
		c->result = CLAIM_OUTSIDE;
	else if (c->owner)
		c->result = CLAIM_TAKEN;
	else
		grant(o, c, c->fixed);
}

static void settle_remembered(struct claim *c, const struct owners *o)
{
	if (c->value || !c->remembered)
		return;
	bool usable = in_pool(c->pool, c->remembered);
	const struct claim *other = usable ? owner(o, c, c->remembered) : NULL;
	if (usable && !other) {
		grant(o, c, c->remembered);
	} else if (!c->fixed) {
		c->result = CLAIM_MOVED;
		c->owner = other;
	}
}

/* First free number of part, beginning at a place that the hash chooses; 0: none. */
static uint32_t free_in(const struct claim *c, const struct owners *o, uint32_t first, uint32_t count)
{
	uint32_t start = count ? (uint32_t)(c->hash % count) : 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t value = first + (start + i < count ? start + i : start + i - count);
		if (!owner(o, c, value))
			return value;
	}
	return 0;
}

static void settle_new(struct claim *c, const struct owners *o)
{
	const struct pool *p = c->pool;
	uint32_t value;

	if (c->value || c->fixed)
		return;
	value = free_in(c, o, p->first + p->band, p->count - p->band);
	if (!value)
		value = free_in(c, o, p->first, p->band);
	if (value)
		grant(o, c, value);
	else
		c->result = CLAIM_EXHAUSTED;
}

void claims_settle(struct claim *claims, uint32_t n, struct arena *scratch)
{
	static void (*const rounds[])(struct claim *, const struct owners *) = {
		settle_kept, settle_fixed, settle_remembered, settle_new,
	};
	struct owners o = owners_new(scratch, n);

	for (size_t r = 0; r < ARRAY_SIZE(rounds); r++) {
		for (uint32_t i = 0; i < n; i++)
			rounds[r](&claims[i], &o);
	}
}
