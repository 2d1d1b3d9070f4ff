/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>

#include "net/flows.h"

#define VIP 0x0a600001u
#define POD(n) (0x0af40000u + (n))
#define CLIENT 0xc0000202u
#define HOST 0xc0000201u

static const struct cidr4 pods = { 0x0af40000, 16 }, vips = { 0x0a600000, 16 };

static void fill(struct services *s, const struct endpoint *e, uint32_t n, uint8_t proto)
{
	static const struct services none;
	struct service_entry v = { .ip = VIP, .proto = proto, .port = 53, .node_port = 30053,
				   .endpoints = e, .count = n };

	services_next(&none, &v, 1, s);
}

static struct flow udp(uint32_t dst, uint16_t dport, uint32_t reply_src, uint16_t reply_sport)
{
	return (struct flow){ .proto = IPPROTO_UDP, .src = CLIENT, .sport = 4000, .dst = dst,
			      .dport = dport, .reply_src = reply_src, .reply_sport = reply_sport };
}

static bool stale(const struct services *s, struct flow f)
{
	return flow_is_stale(s, pods, vips, &f);
}

static void test_which_flows(void **state)
{
	struct endpoint e[] = { { POD(2), 5353 } };
	struct services s;

	(void)state;
	fill(&s, e, 1, IPPROTO_UDP);
	assert_false(stale(&s, udp(VIP, 53, POD(2), 5353)));
	assert_true(stale(&s, udp(VIP, 53, POD(3), 5353)));
	assert_true(stale(&s, udp(VIP, 53, POD(2), 53)));
	assert_true(stale(&s, udp(VIP, 54, POD(2), 5353)));
	assert_false(stale(&s, udp(HOST, 30053, POD(2), 5353)));
	assert_true(stale(&s, udp(HOST, 30053, POD(3), 5353)));
	/* not by a service; another's translation */
	assert_false(stale(&s, udp(POD(3), 53, POD(3), 53)));
	assert_false(stale(&s, udp(HOST, 30053, CLIENT, 53)));
	services_release(&s);
}

static void test_when(void **state)
{
	struct endpoint e[] = { { POD(2), 1 }, { POD(3), 1 } };
	struct services none = { 0 }, one, two, tcp;

	(void)state;
	fill(&one, e, 1, IPPROTO_UDP);
	fill(&two, e, 2, IPPROTO_UDP);
	fill(&tcp, e, 2, IPPROTO_TCP);
	assert_false(flows_stale(&none, &one));
	assert_false(flows_stale(&one, &two));
	assert_true(flows_stale(&two, &one));
	assert_true(flows_stale(&one, &none));
	assert_false(flows_stale(&tcp, &none));
	assert_true(flows_stale(NULL, &one));
	assert_false(flows_stale(NULL, &tcp));
	services_release(&one);
	services_release(&two);
	services_release(&tcp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_flows), cmocka_unit_test(test_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
