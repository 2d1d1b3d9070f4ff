/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink(7) messages by libnl: each function appends one complete request (NLM_F_ACK) to a
 * buffer. The buffer goes to nl_send_all() here, or into a program that the shim executes in
 * another namespace. Addresses are host byte order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct nl_veth {
	const char *name, *peer_name;
	unsigned ifindex;		/* of the host end; chosen by us, so that what follows can name it */
	unsigned peer_ifindex;
	uint8_t mac[6], peer_mac[6];
	unsigned group;			/* IFLA_GROUP of the host end */
	int peer_netns_fd;		/* number in the process that sends */
	unsigned mtu;			/* 0: the kernel's default */
};

/* The pair in one RTM_NEWLINK, host end up, peer born (down) in its namespace; one queue each. */
void nl_veth(struct buf *out, const struct nl_veth *v);
void nl_link_up(struct buf *out, unsigned ifindex);
void nl_link_del_group(struct buf *out, unsigned group);
void nl_addr(struct buf *out, bool add, unsigned ifindex, uint32_t ip, unsigned bits);
/* gateway 0: a link-scope route; src 0: none */
void nl_route(struct buf *out, bool add, uint32_t dst, unsigned bits, uint32_t gateway,
	      unsigned ifindex, uint32_t src);
/* An address of ours that nobody has: refused here instead of sent to the default route. */
void nl_unreachable(struct buf *out, bool add, uint32_t dst, unsigned bits);
void nl_neigh(struct buf *out, unsigned ifindex, uint32_t ip, const uint8_t mac[6]);	/* permanent */

/* Sends the requests and waits for every acknowledgement. EEXIST of an address, route or
 * neighbour, and ENODEV, ESRCH or EADDRNOTAVAIL of a delete count as success. */
int nl_send_all(const struct buf *msgs, struct err *err);

/* Links of this network namespace in a group. */
struct nl_link {
	unsigned ifindex;
	char name[16];
};
int nl_links(struct arena *a, unsigned group, struct nl_link **ret, unsigned *ret_n,
	     struct err *err);
