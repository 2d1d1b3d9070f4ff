/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends have the same two hardware addresses in every pod: each link is a wire between two,
 * so they need not differ, and permanent neighbour entries on both sides make ARP needless.
 */
#include "net/link.h"

#include <stdio.h>
#include <string.h>

#include "sys/netlink.h"

static const uint8_t mac_host[6] = { 0x02, 0x6f, 0x72, 0x63, 0x68, 0x01 };
static const uint8_t mac_pod[6] = { 0x02, 0x6f, 0x72, 0x63, 0x68, 0x02 };

void link_name(uint32_t ip, char ret[16])
{
	snprintf(ret, 16, "orch%08x", ip);
}

/* The kernel numbers interfaces from 1 upwards; nobody gets here by counting. Indexes are
 * positive ints, so 28 bits of the address remain, which no two pods of a node share. */
unsigned link_index(uint32_t ip)
{
	return 0x10000000u | (ip & 0x0fffffffu);
}

void link_host(struct buf *out, uint32_t ip, uint32_t node_ip, unsigned group, int netns_fd)
{
	char name[16];
	struct nl_veth v = {
		.name = name,
		.peer_name = "eth0",
		.ifindex = link_index(ip),
		.peer_ifindex = LINK_POD,
		.group = group,
		.peer_netns_fd = netns_fd,
	};

	link_name(ip, name);
	memcpy(v.mac, mac_host, sizeof(v.mac));
	memcpy(v.peer_mac, mac_pod, sizeof(v.peer_mac));
	nl_veth(out, &v);
	nl_route(out, true, ip, 32, 0, v.ifindex, node_ip);
	nl_neigh(out, v.ifindex, ip, mac_pod);
}

void link_pod(struct buf *out, uint32_t ip)
{
	nl_link_up(out, LINK_LO);
	nl_link_up(out, LINK_POD);
	nl_addr(out, true, LINK_POD, ip, 32);
	nl_route(out, true, LINK_GATEWAY, 32, 0, LINK_POD, 0);
	nl_route(out, true, 0, 0, LINK_GATEWAY, LINK_POD, 0);
	nl_neigh(out, LINK_POD, LINK_GATEWAY, mac_host);
}
