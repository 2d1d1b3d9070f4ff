/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of one prefix, one bit each; handed out round-robin. */
#pragma once

#include <stdint.h>

#include "base/units.h"

struct addresses {
	struct cidr4 cidr;
	uint64_t *used;
	uint32_t size, next;	/* next: where the search goes on */
};

/* Network, first (the node's own) and broadcast address are never handed out. */
int addresses_init(struct addresses *a, struct cidr4 cidr);
void addresses_release(struct addresses *a);
int addresses_take(struct addresses *a, uint32_t *ret_ip);	/* -ENOSPC */
int addresses_claim(struct addresses *a, uint32_t ip);		/* -EEXIST, -ERANGE */
void addresses_give(struct addresses *a, uint32_t ip);
