/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services as text for nft(8). What a table holds is a value (struct services); the difference
 * between it and what is wanted is a list of commands for one transaction. Pure: no kernel here.
 *
 * The table (family ip): map vip is protocol . address . port -> chain vip_N, where N is the
 * number of endpoints; that chain draws an index and goes to chain vip_pick_INDEX, which looks
 * protocol . address . port up in map vip_ep_INDEX and translates. So a packet costs two look-ups
 * whatever the number of services, and a change of one service is a change of some elements.
 * vip_N_sticky draws by the hash of the source address. node, node_N... are the same for node
 * ports, without the address. Chains and maps come with their first user and go with the last.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/units.h"
#include "model/endpoints.h"

struct service_slots {
	uint32_t ip;
	uint16_t port, node_port;
	uint8_t proto;
	bool sticky;
	struct endpoint *slots;		/* by index; an endpoint keeps its index while it can */
	uint32_t count;
};

struct services {
	struct arena arena;
	struct service_slots *v;	/* sorted by ip, proto, port */
	uint32_t n;
	uint32_t *addrs;		/* every endpoint's address once, sorted */
	uint32_t naddrs;
};

/* The commands that make an empty table, taking an earlier one away. */
void services_table(struct buf *out, const char *table, struct cidr4 pods, struct cidr4 vips,
		    uint32_t node_ip);

/* What the table shall hold after old (v as in net_services; of equal keys the first counts). */
void services_next(const struct services *old, const struct service_entry *v, uint32_t count,
		   struct services *ret);

/*
 * The commands that lead there, in three transactions, each of which may be empty: make what is
 * new, switch, take away what is old. One would not do: a packet under way reads the rules of the
 * generation it started in, but elements of the generation at the moment of the look-up, so in
 * between it must find both old and new (nft_do_chain of the kernel; seen as five refused
 * connections in a thousand changes under load). Replacing one element by another is safe.
 */
enum services_phase { SERVICES_MAKE, SERVICES_SWITCH, SERVICES_CLEAN, SERVICES_PHASES };
void services_diff(struct buf out[SERVICES_PHASES], const char *table, const struct services *old,
		   const struct services *next);
void services_release(struct services *s);
