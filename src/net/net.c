/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts together addresses, links and services, and owns what the node itself needs: forwarding,
 * its address on lo, and two routes. Service addresses are routed to lo with the node's address
 * as source, so that a process of the host can connect to them (the output hook then translates
 * and routes anew); pod addresses without a pod are unreachable instead of being somebody else's.
 */
#include "net/net.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"
#include "net/addresses.h"
#include "net/flows.h"
#include "net/link.h"
#include "net/services.h"
#include "sys/netlink.h"
#include "sys/nft.h"

#define SECOND "_next"		/* behind the name of the table, while it is written anew */
#define IP_FORWARD "/proc/sys/net/ipv4/ip_forward"

struct net {
	struct cidr4 pods, vips;
	char *table;
	uint32_t node_ip;
	struct nft *nft;
	struct addresses addresses;
	struct services services;	/* what the table holds */
	bool known;			/* the table was written by us, and not refused since */
	uint64_t handle;		/* of the table, while known */
	int watch;
};

/* Links of this node's pods, for taking leftovers away in one request. */
static unsigned net_group(const struct net *n)
{
	return n->pods.base & 0x7fffffffu;
}

/* Writing is left out when it is on already, as /proc/sys may be read-only in a container. */
static int forwarding_enable(struct err *err)
{
	BUF_AUTO now = { 0 };
	int r = file_read(IP_FORWARD, 0, &now, err);

	if (r || strncmp(buf_str(&now), "1", 1) == 0)
		return r;
	return file_write(IP_FORWARD, "1", 1, 0, err);
}

static void node_messages(const struct net *n, struct buf *out, bool add)
{
	nl_addr(out, add, LINK_LO, n->node_ip, 32);
	nl_route(out, add, n->vips.base, n->vips.bits, 0, LINK_LO, add ? n->node_ip : 0);
	nl_unreachable(out, add, n->pods.base, n->pods.bits);
}

static int node_configure(const struct net *n, struct err *err)
{
	BUF_AUTO msgs = { 0 };
	int r = forwarding_enable(err);

	if (r)
		return r;
	nl_link_up(&msgs, LINK_LO);
	node_messages(n, &msgs, true);
	return nl_send_all(&msgs, err);
}

/* A table that is there already goes on serving until net_services replaces it. */
static int table_ensure(struct net *n, struct err *err)
{
	BUF_AUTO list = { 0 };
	BUF_AUTO commands = { 0 };
	char line[64];
	int r = nft_run(n->nft, "list tables ip", &list, err);

	if (r)
		return r;
	snprintf(line, sizeof(line), "table ip %s\n", n->table);
	if (strstr(buf_str(&list), line))
		return 0;
	services_table(&commands, n->table, n->pods, n->vips, n->node_ip);
	r = nft_run(n->nft, commands.data, NULL, err);
	if (r == 0)
		r = nft_table_handle(n->nft, n->table, &n->handle, err);
	n->known = r == 0;
	return r;
}

int net_new(const struct net_settings *s, struct net **ret, struct err *err)
{
	struct net *n = calloc(1, sizeof(*n));
	int r;

	if (!n || !(n->table = strdup(s->table))) {
		free(n);
		return err_sys(err, -ENOMEM, "network");
	}
	n->pods = s->pod_cidr;
	n->vips = s->service_cidr;
	n->node_ip = s->pod_cidr.base + 1;
	n->watch = -1;
	r = addresses_init(&n->addresses, s->pod_cidr);
	if (r)
		err_sys(err, r, "pod addresses of a /%u", s->pod_cidr.bits);
	if (r == 0)
		r = nft_new(&n->nft, err);
	if (r == 0)
		r = n->watch = nft_watch_open(err);
	if (r >= 0)
		r = node_configure(n, err);
	if (r == 0)
		r = table_ensure(n, err);
	if (r) {
		net_free(n);
		return r;
	}
	*ret = n;
	return 0;
}

void net_free(struct net *n)
{
	if (!n)
		return;
	services_release(&n->services);
	addresses_release(&n->addresses);
	nft_free(n->nft);
	if (n->watch >= 0)
		close(n->watch);
	free(n->table);
	free(n);
}

uint32_t net_node_ip(const struct net *n)
{
	return n->node_ip;
}

int net_addr_alloc(struct net *n, uint32_t *ret_ip, struct err *err)
{
	int r = addresses_take(&n->addresses, ret_ip);

	return r ? err_set(err, r, "all %u pod addresses are in use", n->addresses.size - 3) : 0;
}

int net_addr_claim(struct net *n, uint32_t ip)
{
	return addresses_claim(&n->addresses, ip);
}

void net_addr_free(struct net *n, uint32_t ip)
{
	addresses_give(&n->addresses, ip);
}

void net_pod_link(struct net *n, uint32_t ip, int netns_fd, struct buf *ret_host,
		  struct buf *ret_pod)
{
	link_host(ret_host, ip, n->node_ip, net_group(n), netns_fd);
	link_pod(ret_pod, ip);
}

void net_pod_ifname(struct net *n, uint32_t ip, char ret[16])
{
	(void)n;
	link_name(ip, ret);
}

/* The whole table as one transaction. */
static int table_write(struct net *n, const char *table, const struct services *s, struct err *err)
{
	static const struct services none;
	struct buf phases[SERVICES_PHASES] = { 0 };
	BUF_AUTO commands = { 0 };

	services_table(&commands, table, n->pods, n->vips, n->node_ip);
	services_diff(phases, table, &none, s);
	for (int p = 0; p < SERVICES_PHASES; p++) {
		buf_puts(&commands, buf_str(&phases[p]));
		buf_release(&phases[p]);
	}
	return nft_run(n->nft, commands.data, NULL, err);
}

static int table_drop(struct net *n, const char *table, struct err *err)
{
	BUF_AUTO commands = { 0 };

	/* "add" first: deleting what is not there fails. */
	buf_printf(&commands, "add table ip %s\ndelete table ip %s\n", table, table);
	return nft_run(n->nft, commands.data, NULL, err);
}

/* A second table serves while the first is written anew: of several nat chains on a hook the
 * kernel asks one after the other until one translates, so no connection is refused meanwhile. */
static int services_rewrite(struct net *n, const struct services *next, struct err *err)
{
	char second[128];
	int r;

	snprintf(second, sizeof(second), "%s" SECOND, n->table);
	r = table_write(n, second, next, err);
	if (r == 0)
		r = table_write(n, n->table, next, err);
	if (r == 0)
		r = nft_table_handle(n->nft, n->table, &n->handle, err);
	return r ? r : table_drop(n, second, err);
}

static int services_change(struct net *n, const struct services *next, struct err *err)
{
	struct buf phases[SERVICES_PHASES] = { 0 };
	int r = 0;

	services_diff(phases, n->table, &n->services, next);
	for (int p = 0; p < SERVICES_PHASES; p++) {
		if (r == 0 && phases[p].len)
			r = nft_run(n->nft, phases[p].data, NULL, err);
		buf_release(&phases[p]);
	}
	return r;
}

struct stale {
	const struct net *net;
	const struct services *next;
};

static bool match_stale(const struct flow *f, void *arg)
{
	const struct stale *s = arg;

	return flow_is_stale(s->next, s->net->pods, s->net->vips, f);
}

/* After the maps have changed, or the next datagram would go the old way again. */
static int flows_clean(struct net *n, const struct services *next, bool anew, struct err *err)
{
	struct stale s = { n, next };

	if (!flows_stale(anew ? NULL : &n->services, next))
		return 0;
	return conntrack_delete(IPPROTO_UDP, match_stale, &s, err);
}

int net_services(struct net *n, const struct service_entry *v, unsigned count, bool reset,
		 struct err *err)
{
	bool anew = reset || !n->known;
	struct services next;
	int r;

	services_next(&n->services, v, count, &next);
	r = anew ? services_rewrite(n, &next, err) : services_change(n, &next, err);
	/* Refused although it is a difference to what we wrote: somebody changed the table. */
	if (r && !anew)
		r = services_rewrite(n, &next, err);
	if (r == 0)
		r = flows_clean(n, &next, anew, err);
	if (r) {
		services_release(&next);
		n->known = false;
		return r;
	}
	services_release(&n->services);
	n->services = next;
	n->known = true;
	return 0;
}

int net_watch_fd(const struct net *n)
{
	return n->watch;
}

bool net_lost(struct net *n)
{
	uint64_t handle = 0;

	if (!nft_watch_read(n->watch) || !n->known)
		return false;
	if (nft_table_handle(n->nft, n->table, &handle, NULL) == 0 && handle == n->handle)
		return false;
	n->known = false;
	return true;
}

int net_clear(struct net *n, struct err *err)
{
	BUF_AUTO msgs = { 0 };
	char second[128];
	int r;

	snprintf(second, sizeof(second), "%s" SECOND, n->table);
	nl_link_del_group(&msgs, net_group(n));
	node_messages(n, &msgs, false);
	r = nl_send_all(&msgs, err);
	if (r == 0)
		r = table_drop(n, second, err);
	if (r == 0)
		r = table_drop(n, n->table, err);
	services_release(&n->services);
	n->known = false;
	return r;
}
