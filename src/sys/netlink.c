/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages are built by libnl and copied out as bytes; nothing is connected while building.
 * Sending uses one raw socket per call: the kernel works through a batch in order and answers
 * each request with exactly one NLMSG_ERROR, so the n-th answer belongs to the n-th request,
 * and a request that fails does not stop those behind it (netlink(7)).
 */
#include "sys/netlink.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/macro.h"

#define ADD_FLAGS (NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE)
#define BATCH_MAX (32 * 1024)
#define BATCH_MESSAGES 64	/* the answers of one batch must fit into the receive buffer */

static struct nl_msg *msg_new(int type, int flags, void *head, size_t n)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, flags);

	if (!m || nlmsg_append(m, head, n, NLMSG_ALIGNTO))
		abort();
	return m;
}

/* The default message of libnl is a page; ours are a few hundred bytes. */
static void msg_put(struct nl_msg *m, int attr, const void *data, size_t n)
{
	if (nla_put(m, attr, (int)n, data))
		abort();
}

static void msg_put_u32(struct nl_msg *m, int attr, uint32_t v)
{
	msg_put(m, attr, &v, sizeof(v));
}

static void msg_put_ip(struct nl_msg *m, int attr, uint32_t ip)
{
	msg_put_u32(m, attr, htonl(ip));
}

static void msg_put_str(struct nl_msg *m, int attr, const char *s)
{
	msg_put(m, attr, s, strlen(s) + 1);
}

static struct nlattr *msg_nest(struct nl_msg *m, int attr)
{
	struct nlattr *nest = nla_nest_start(m, attr);

	if (!nest)
		abort();
	return nest;
}

static void msg_finish(struct nl_msg *m, struct buf *out)
{
	static const char zero[NLMSG_ALIGNTO];
	const struct nlmsghdr *h = nlmsg_hdr(m);

	buf_add(out, h, h->nlmsg_len);
	buf_add(out, zero, NLMSG_ALIGN(h->nlmsg_len) - h->nlmsg_len);
	nlmsg_free(m);
}

static void put_link_common(struct nl_msg *m, const char *name, const uint8_t mac[6], unsigned mtu)
{
	msg_put_str(m, IFLA_IFNAME, name);
	msg_put(m, IFLA_ADDRESS, mac, 6);
	msg_put_u32(m, IFLA_NUM_TX_QUEUES, 1);
	msg_put_u32(m, IFLA_NUM_RX_QUEUES, 1);
	if (mtu)
		msg_put_u32(m, IFLA_MTU, mtu);
}

/* The peer cannot be born up: it is configured before the ends are joined (ENOTCONN). */
static void put_veth_peer(struct nl_msg *m, const struct nl_veth *v)
{
	struct ifinfomsg peer = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)v->peer_ifindex,
	};
	struct nlattr *nest = msg_nest(m, VETH_INFO_PEER);

	if (nlmsg_append(m, &peer, sizeof(peer), NLMSG_ALIGNTO))
		abort();
	put_link_common(m, v->peer_name, v->peer_mac, v->mtu);
	msg_put_u32(m, IFLA_NET_NS_FD, (uint32_t)v->peer_netns_fd);
	nla_nest_end(m, nest);
}

void nl_veth(struct buf *out, const struct nl_veth *v)
{
	struct ifinfomsg head = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)v->ifindex,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct nl_msg *m = msg_new(RTM_NEWLINK, ADD_FLAGS | NLM_F_EXCL, &head, sizeof(head));

	put_link_common(m, v->name, v->mac, v->mtu);
	if (v->group)
		msg_put_u32(m, IFLA_GROUP, v->group);

	struct nlattr *info = msg_nest(m, IFLA_LINKINFO);

	msg_put_str(m, IFLA_INFO_KIND, "veth");

	struct nlattr *data = msg_nest(m, IFLA_INFO_DATA);

	put_veth_peer(m, v);
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	msg_finish(m, out);
}

void nl_link_up(struct buf *out, unsigned ifindex)
{
	struct ifinfomsg head = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)ifindex,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};

	msg_finish(msg_new(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, &head, sizeof(head)), out);
}

void nl_link_del_group(struct buf *out, unsigned group)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nl_msg *m = msg_new(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, &head, sizeof(head));

	msg_put_u32(m, IFLA_GROUP, group);
	msg_finish(m, out);
}

void nl_addr(struct buf *out, bool add, unsigned ifindex, uint32_t ip, unsigned bits)
{
	struct ifaddrmsg head = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = (uint8_t)bits,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = ifindex,
	};
	struct nl_msg *m = msg_new(add ? RTM_NEWADDR : RTM_DELADDR,
				   add ? ADD_FLAGS | NLM_F_EXCL : NLM_F_REQUEST | NLM_F_ACK,
				   &head, sizeof(head));

	msg_put_ip(m, IFA_LOCAL, ip);
	msg_put_ip(m, IFA_ADDRESS, ip);
	msg_finish(m, out);
}

static struct nl_msg *route_new(bool add, uint8_t type, uint8_t scope, uint32_t dst, unsigned bits)
{
	struct rtmsg head = {
		.rtm_family = AF_INET,
		.rtm_dst_len = (uint8_t)bits,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = scope,
		.rtm_type = type,
	};
	struct nl_msg *m = msg_new(add ? RTM_NEWROUTE : RTM_DELROUTE,
				   add ? ADD_FLAGS | NLM_F_REPLACE : NLM_F_REQUEST | NLM_F_ACK,
				   &head, sizeof(head));

	if (bits)
		msg_put_ip(m, RTA_DST, dst);
	return m;
}

void nl_route(struct buf *out, bool add, uint32_t dst, unsigned bits, uint32_t gateway,
	      unsigned ifindex, uint32_t src)
{
	uint8_t scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	struct nl_msg *m = route_new(add, RTN_UNICAST, scope, dst, bits);

	if (gateway)
		msg_put_ip(m, RTA_GATEWAY, gateway);
	msg_put_u32(m, RTA_OIF, ifindex);
	if (src)
		msg_put_ip(m, RTA_PREFSRC, src);
	msg_finish(m, out);
}

void nl_unreachable(struct buf *out, bool add, uint32_t dst, unsigned bits)
{
	msg_finish(route_new(add, RTN_UNREACHABLE, RT_SCOPE_UNIVERSE, dst, bits), out);
}

void nl_neigh(struct buf *out, unsigned ifindex, uint32_t ip, const uint8_t mac[6])
{
	struct ndmsg head = {
		.ndm_family = AF_INET,
		.ndm_ifindex = (int)ifindex,
		.ndm_state = NUD_PERMANENT,
	};
	struct nl_msg *m = msg_new(RTM_NEWNEIGH, ADD_FLAGS | NLM_F_REPLACE, &head, sizeof(head));

	msg_put_ip(m, NDA_DST, ip);
	msg_put(m, NDA_LLADDR, mac, 6);
	msg_finish(m, out);
}

/* What each kind of request is called, and which refusals mean "already so". A link that exists
 * is not: it may be another one, or about to go with its namespace. */
static const struct request {
	uint16_t type;
	const char *name;
	int fine[3];
} requests[] = {
	{ RTM_NEWLINK, "new link", { 0 } },
	{ RTM_DELLINK, "delete link", { ENODEV } },
	{ RTM_NEWADDR, "new address", { EEXIST } },
	{ RTM_DELADDR, "delete address", { EADDRNOTAVAIL, ENODEV } },
	{ RTM_NEWROUTE, "new route", { EEXIST } },
	{ RTM_DELROUTE, "delete route", { ESRCH, ENODEV } },
	{ RTM_NEWNEIGH, "new neighbour", { EEXIST } },
};

static const struct request *request_find(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		if (requests[i].type == type)
			return &requests[i];
	return NULL;
}

static bool request_fine(const struct request *q, int error)
{
	for (size_t i = 0; q && i < ARRAY_SIZE(q->fine); i++)
		if (q->fine[i] == error && error)
			return true;
	return false;
}

/* The kernel's own words about a refusal (NETLINK_EXT_ACK), or "". */
static const char *ack_text(const struct nlmsghdr *h)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	int head = (int)sizeof(struct nlmsgerr);

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    nlmsg_parse((struct nlmsghdr *)h, head, tb, NLMSGERR_ATTR_MAX, NULL) < 0)
		return "";
	return tb[NLMSGERR_ATTR_MSG] ? nla_get_string(tb[NLMSGERR_ATTR_MSG]) : "";
}

static int ack_check(const struct nlmsghdr *h, const struct nlmsghdr *request, struct err *err)
{
	const struct nlmsgerr *e = nlmsg_data(h);
	const struct request *q = request_find(request->nlmsg_type);
	const char *name = q ? q->name : "request";

	if (e->error == 0 || request_fine(q, -e->error))
		return 0;

	const char *text = ack_text(h);

	if (*text)
		return err_set(err, e->error, "netlink: %s: %s", name, text);
	return err_sys(err, e->error, "netlink: %s", name);
}

static int nl_open(struct err *err)
{
	int on = 1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return err_sys(err, -errno, "netlink socket");
	/* Answers without a copy of the request, with a text: missing on old kernels is fine. */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	return fd;
}

/* Waits for the answers of the requests in [p, p+n); remembers the first failure. */
static int nl_acks(int fd, const char *p, size_t n, struct err *err)
{
	char answer[8192] __attribute__((aligned(8)));
	int code = 0;

	while (n) {
		ssize_t got = recv(fd, answer, sizeof(answer), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, -errno, "netlink");

		int left = (int)got;
		struct nlmsghdr *h = (struct nlmsghdr *)answer;

		for (; n && nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
			const struct nlmsghdr *q = (const struct nlmsghdr *)p;
			size_t len = NLMSG_ALIGN(q->nlmsg_len);

			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			if (code == 0)
				code = ack_check(h, q, err);
			p += len;
			n -= len;
		}
	}
	return code;
}

/* How many bytes of whole messages fit into one batch. */
static size_t batch_size(const char *p, size_t n)
{
	size_t size = 0;

	for (unsigned i = 0; size < n && i < BATCH_MESSAGES; i++) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(p + size);
		size_t len = NLMSG_ALIGN(h->nlmsg_len);

		if (size && size + len > BATCH_MAX)
			break;
		size += len;
	}
	return size;
}

int nl_send_all(const struct buf *msgs, struct err *err)
{
	FD_AUTO fd = nl_open(err);
	int code = 0;

	if (fd < 0)
		return fd;
	for (size_t at = 0; at < msgs->len && code == 0;) {
		size_t n = batch_size(msgs->data + at, msgs->len - at);

		if (send(fd, msgs->data + at, n, 0) < 0)
			return err_sys(err, -errno, "netlink");
		code = nl_acks(fd, msgs->data + at, n, err);
		at += n;
	}
	return code;
}

struct link_list {
	struct nl_link *v;
	unsigned n;
};

static void links_collect(struct nl_cache *cache, struct arena *a, unsigned group,
			  struct link_list *list)
{
	for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o)) {
		struct rtnl_link *l = (struct rtnl_link *)o;
		struct nl_link *e;

		if (rtnl_link_get_group(l) != group)
			continue;
		e = arena_push(a, list);
		e->ifindex = (unsigned)rtnl_link_get_ifindex(l);
		snprintf(e->name, sizeof(e->name), "%s", rtnl_link_get_name(l));
	}
}

int nl_links(struct arena *a, unsigned group, struct nl_link **ret, unsigned *ret_n,
	     struct err *err)
{
	struct link_list list = { 0 };
	struct nl_sock *sock = nl_socket_alloc();
	struct nl_cache *cache = NULL;
	int r = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

	if (r == 0)
		r = rtnl_link_alloc_cache(sock, AF_UNSPEC, &cache);
	if (r == 0) {
		links_collect(cache, a, group, &list);
		nl_cache_free(cache);
	}
	nl_socket_free(sock);
	if (r)
		return err_set(err, -EIO, "netlink: list links: %s", nl_geterror(r));
	*ret = list.v;
	*ret_n = list.n;
	return 0;
}
