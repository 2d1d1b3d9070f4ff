/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of the requests, read back attribute by attribute, and what the kernel answers to
 * an unprivileged sender. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "sys/netlink.h"

static const struct rtattr *attr(const void *p, size_t n, unsigned short type)
{
	const struct rtattr *a = p;
	int left = (int)n;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

static const struct rtattr *msg_attr(const struct nlmsghdr *h, size_t head, unsigned short type)
{
	size_t skip = NLMSG_ALIGN(head);

	return attr((const char *)NLMSG_DATA(h) + skip, h->nlmsg_len - NLMSG_HDRLEN - skip, type);
}

static const struct rtattr *nested(const struct rtattr *a, unsigned short type)
{
	assert_non_null(a);
	return attr(RTA_DATA(a), RTA_PAYLOAD(a), type);
}

static uint32_t u32(const struct rtattr *a)
{
	uint32_t v;

	assert_non_null(a);
	assert_int_equal(RTA_PAYLOAD(a), 4);
	memcpy(&v, RTA_DATA(a), 4);
	return v;
}

static const struct nlmsghdr *message(const struct buf *b, unsigned index)
{
	size_t at = 0;

	for (;;) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(b->data + at);

		assert_true(at + sizeof(*h) <= b->len);
		assert_true(h->nlmsg_flags & NLM_F_ACK);
		if (index-- == 0)
			return h;
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
}

static void test_veth(void **state)
{
	struct nl_veth v = {
		.name = "host0", .peer_name = "eth0", .ifindex = 0x10000007, .peer_ifindex = 2,
		.mac = { 2, 0, 0, 0, 0, 1 }, .peer_mac = { 2, 0, 0, 0, 0, 2 },
		.group = 77, .peer_netns_fd = 9,
	};
	BUF_AUTO b = { 0 };

	(void)state;
	nl_veth(&b, &v);

	const struct nlmsghdr *h = message(&b, 0);
	const struct ifinfomsg *i = NLMSG_DATA(h);

	assert_int_equal(h->nlmsg_type, RTM_NEWLINK);
	assert_int_equal(NLMSG_ALIGN(h->nlmsg_len), b.len);
	assert_int_equal(i->ifi_index, 0x10000007);
	assert_true(i->ifi_flags & IFF_UP);
	assert_string_equal(RTA_DATA(msg_attr(h, sizeof(*i), IFLA_IFNAME)), "host0");
	assert_int_equal(u32(msg_attr(h, sizeof(*i), IFLA_GROUP)), 77);

	const struct rtattr *info = msg_attr(h, sizeof(*i), IFLA_LINKINFO);

	assert_string_equal(RTA_DATA(nested(info, IFLA_INFO_KIND)), "veth");

	const struct rtattr *peer = nested(nested(info, IFLA_INFO_DATA), VETH_INFO_PEER);
	const struct ifinfomsg *pi = RTA_DATA(peer);
	const char *rest = (const char *)(pi + 1);
	size_t n = RTA_PAYLOAD(peer) - sizeof(*pi);

	assert_int_equal(pi->ifi_index, 2);
	assert_false(pi->ifi_flags & IFF_UP);
	assert_string_equal(RTA_DATA(attr(rest, n, IFLA_IFNAME)), "eth0");
	assert_int_equal(u32(attr(rest, n, IFLA_NET_NS_FD)), 9);
	assert_memory_equal(RTA_DATA(attr(rest, n, IFLA_ADDRESS)), v.peer_mac, 6);
	assert_null(attr(rest, n, IFLA_MTU));
}

static void test_routes(void **state)
{
	BUF_AUTO b = { 0 };

	(void)state;
	nl_route(&b, true, 0x0a000002, 32, 0, 5, 0x0a000001);
	nl_route(&b, true, 0, 0, 0xa9fe0101, 2, 0);
	nl_unreachable(&b, false, 0x0a000000, 8);

	const struct nlmsghdr *h = message(&b, 0);
	const struct rtmsg *r = NLMSG_DATA(h);

	assert_int_equal(h->nlmsg_type, RTM_NEWROUTE);
	assert_int_equal(r->rtm_scope, RT_SCOPE_LINK);
	assert_int_equal(r->rtm_dst_len, 32);
	assert_int_equal(ntohl(u32(msg_attr(h, sizeof(*r), RTA_DST))), 0x0a000002);
	assert_int_equal(ntohl(u32(msg_attr(h, sizeof(*r), RTA_PREFSRC))), 0x0a000001);
	assert_int_equal(u32(msg_attr(h, sizeof(*r), RTA_OIF)), 5);

	h = message(&b, 1);
	r = NLMSG_DATA(h);
	assert_int_equal(r->rtm_scope, RT_SCOPE_UNIVERSE);
	assert_null(msg_attr(h, sizeof(*r), RTA_DST));
	assert_null(msg_attr(h, sizeof(*r), RTA_PREFSRC));
	assert_int_equal(ntohl(u32(msg_attr(h, sizeof(*r), RTA_GATEWAY))), 0xa9fe0101);

	h = message(&b, 2);
	r = NLMSG_DATA(h);
	assert_int_equal(h->nlmsg_type, RTM_DELROUTE);
	assert_int_equal(r->rtm_type, RTN_UNREACHABLE);
}

static void test_addr_and_neighbour(void **state)
{
	const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 };
	BUF_AUTO b = { 0 };

	(void)state;
	nl_addr(&b, true, 2, 0x0a000009, 32);
	nl_neigh(&b, 2, 0xa9fe0101, mac);

	const struct nlmsghdr *h = message(&b, 0);
	const struct ifaddrmsg *i = NLMSG_DATA(h);

	assert_int_equal(h->nlmsg_type, RTM_NEWADDR);
	assert_int_equal(i->ifa_index, 2);
	assert_int_equal(i->ifa_prefixlen, 32);
	assert_int_equal(ntohl(u32(msg_attr(h, sizeof(*i), IFA_LOCAL))), 0x0a000009);

	h = message(&b, 1);

	const struct ndmsg *d = NLMSG_DATA(h);

	assert_int_equal(d->ndm_state, NUD_PERMANENT);
	assert_memory_equal(RTA_DATA(msg_attr(h, sizeof(*d), NDA_LLADDR)), mac, 6);
}

/* More than one batch; nobody may configure index 0x7ffffff0, so every one of them fails. */
static void test_failure_is_told(void **state)
{
	BUF_AUTO b = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 2000; i++)
		nl_link_up(&b, 0x7ffffff0);
	assert_true(nl_send_all(&b, &err) < 0);
	assert_non_null(strstr(err.msg, "netlink: new link: "));
}

/* Deleting what is not there is success: ENODEV (as root), refused otherwise. */
static void test_delete_absent(void **state)
{
	BUF_AUTO b = { 0 };
	struct err err = { 0 };
	int r;

	(void)state;
	nl_link_del_group(&b, 0x7ffffff1);
	r = nl_send_all(&b, &err);
	assert_true(r == 0 || r == -EPERM);
}

static void test_list_links(void **state)
{
	struct arena a = { 0 };
	struct nl_link *v = NULL;
	struct err err = { 0 };
	unsigned n = 0;
	bool lo = false;

	(void)state;
	assert_int_equal(nl_links(&a, 0, &v, &n, &err), 0);
	for (unsigned i = 0; i < n; i++)
		lo = lo || (v[i].ifindex == 1 && streq(v[i].name, "lo"));
	assert_true(lo);
	assert_int_equal(nl_links(&a, 0x7ffffff1, &v, &n, &err), 0);
	assert_int_equal(n, 0);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_veth), cmocka_unit_test(test_routes),
		cmocka_unit_test(test_addr_and_neighbour), cmocka_unit_test(test_failure_is_told),
		cmocka_unit_test(test_delete_absent), cmocka_unit_test(test_list_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
