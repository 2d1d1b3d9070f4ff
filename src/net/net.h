/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pod network of this node: routed, no bridge. Each pod has one veth pair whose host end
 * carries a /32 route; inside, a link-local gateway 169.254.1.1 with a permanent neighbour entry.
 * The first address of the pod CIDR is the node's own, on lo: the source of what the host itself
 * sends to pods. Services are maps of our own nft table, changed by elements, one transaction a
 * call. Nothing here knows pods or services as objects: values in, kernel state out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/units.h"
#include "model/endpoints.h"

struct net;

struct net_settings {
	struct cidr4 pod_cidr, service_cidr;
	const char *table;	/* of nft: "orch" */
};

/* Sets forwarding, node address, routes and the table; idempotent. Services already in the
 * table of an earlier orchd keep working until the first net_services. */
int net_new(const struct net_settings *s, struct net **ret, struct err *err);
void net_free(struct net *n);			/* leaves the kernel as it is */
int net_clear(struct net *n, struct err *err);	/* takes all of ours away, but forwarding */
uint32_t net_node_ip(const struct net *n);

/* Addresses of pods, handed out round-robin so that one is not reused at once. */
int net_addr_alloc(struct net *n, uint32_t *ret_ip, struct err *err);	/* -ENOSPC */
int net_addr_claim(struct net *n, uint32_t ip);		/* adopt; -EEXIST, -ERANGE */
void net_addr_free(struct net *n, uint32_t ip);

/* The netlink messages that make a pod's link: host side first (netns_fd is the number of the
 * pod's namespace in the process that sends), then pod side. The kernel takes the link away with
 * the pod's namespace. */
void net_pod_link(struct net *n, uint32_t ip, int netns_fd, struct buf *ret_host,
		  struct buf *ret_pod);
void net_pod_ifname(struct net *n, uint32_t ip, char ret[16]);

/* Makes the maps hold exactly these (sorted by ip, protocol, port): only what differs from the
 * last call is sent. reset: forget what was sent and write the whole table anew. A service that
 * has endpoints before and after has some at every moment between, and once this returns no
 * new connection goes to an endpoint that is not in v. */
int net_services(struct net *n, const struct service_entry *v, unsigned count, bool reset,
		 struct err *err);

/* Others may take our table away ("nft flush ruleset"). The descriptor becomes readable when
 * the rule set changed; then net_lost says whether the table is still the one written last. If
 * not, the next net_services writes it anew whatever it is given. */
int net_watch_fd(const struct net *n);
bool net_lost(struct net *n);
