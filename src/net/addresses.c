/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bitmap over the prefix. Round-robin, so that an address rests for a while after its pod:
 * connections of others to the old pod time out rather than meet the new one.
 */
#include "net/addresses.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

static bool is_used(const struct addresses *a, uint32_t i)
{
	return a->used[i / 64] >> (i % 64) & 1;
}

static bool is_reserved(const struct addresses *a, uint32_t i)
{
	return i < 2 || i >= a->size - 1;
}

int addresses_init(struct addresses *a, struct cidr4 cidr)
{
	uint32_t size = cidr4_size(cidr);

	if (cidr.bits < 8 || cidr.bits > 29)
		return -EINVAL;
	*a = (struct addresses){
		.cidr = cidr,
		.used = calloc(size / 64 + 1, sizeof(uint64_t)),
		.size = size,
		.next = 2,
	};
	return a->used ? 0 : -ENOMEM;
}

void addresses_release(struct addresses *a)
{
	free(a->used);
	a->used = NULL;
}

int addresses_take(struct addresses *a, uint32_t *ret_ip)
{
	for (uint32_t n = 0; n < a->size; n++) {
		uint32_t i = a->next;

		a->next = i + 1 < a->size ? i + 1 : 0;
		if (is_reserved(a, i) || is_used(a, i))
			continue;
		a->used[i / 64] |= 1ULL << (i % 64);
		*ret_ip = a->cidr.base + i;
		return 0;
	}
	return -ENOSPC;
}

int addresses_claim(struct addresses *a, uint32_t ip)
{
	uint32_t i = ip - a->cidr.base;

	if (!cidr4_contains(a->cidr, ip) || is_reserved(a, i))
		return -ERANGE;
	if (is_used(a, i))
		return -EEXIST;
	a->used[i / 64] |= 1ULL << (i % 64);
	/* Adopted pods are older than the next one: go on behind them. */
	if (i >= a->next)
		a->next = i + 1;
	return 0;
}

void addresses_give(struct addresses *a, uint32_t ip)
{
	uint32_t i = ip - a->cidr.base;

	if (cidr4_contains(a->cidr, ip))
		a->used[i / 64] &= ~(1ULL << (i % 64));
}
