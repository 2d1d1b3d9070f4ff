/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which lines of /proc/net/tcp count as inbound connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/macro.h"
#include "shim/drain.h"

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
#define REST " 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100"
#define V4(local, remote, state) "   0: " local " " remote " " state REST
#define POD "0209090A"		/* 10.9.9.2 */
#define PEER "0109090A"
#define LOOP "0100007F"
#define ANY "00000000"
#define MAPPED "0000000000000000FFFF0000"
#define ANY6 "00000000000000000000000000000000"
#define LOOP6 "00000000000000000000000001000000"
#define POD6 "B80D0120000000000000000002000000"
#define PEER6 "B80D0120000000000000000001000000"

static unsigned count(const char *const *lines, size_t n)
{
	struct drain_scan d = { 0 };

	for (size_t i = 0; i < n; i++)
		drain_line(&d, lines[i]);
	return d.inbound;
}

#define COUNT(...) count((const char *const[]){ __VA_ARGS__ },                                 \
			 sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

#define LISTEN V4(ANY ":1F90", ANY ":0000", "0A")

static void test_inbound_counts(void **state)
{
	(void)state;
	assert_int_equal(COUNT(HEAD, LISTEN, V4(POD ":1F90", PEER ":C350", "01")), 1);
	assert_int_equal(COUNT(HEAD, LISTEN, V4(POD ":1F90", PEER ":C350", "01"),
			       V4(POD ":1F90", PEER ":C351", "01")), 2);
}

static void test_others_do_not(void **state)
{
	(void)state;
	/* outbound: nobody listens on its local port */
	assert_int_equal(COUNT(HEAD, LISTEN, V4(POD ":C350", PEER ":1F90", "01")), 0);
	/* from the pod itself */
	assert_int_equal(COUNT(HEAD, LISTEN, V4(LOOP ":1F90", LOOP ":C350", "01")), 0);
	assert_int_equal(COUNT(HEAD, LISTEN, V4(POD ":1F90", POD ":C350", "01")), 0);
	/* on its way out: FIN_WAIT, TIME_WAIT, CLOSE_WAIT, LAST_ACK */
	assert_int_equal(COUNT(HEAD, LISTEN, V4(POD ":1F90", PEER ":C350", "04"),
			       V4(POD ":1F90", PEER ":C351", "06"),
			       V4(POD ":1F90", PEER ":C352", "08"),
			       V4(POD ":1F90", PEER ":C353", "09")), 0);
}

static void test_ipv6_and_mapped(void **state)
{
	(void)state;
#define LISTEN6 V4(ANY6 ":1F90", ANY6 ":0000", "0A")
	assert_int_equal(COUNT(HEAD, LISTEN6, V4(POD6 ":1F90", PEER6 ":C350", "01")), 1);
	assert_int_equal(COUNT(HEAD, LISTEN6, V4(MAPPED POD ":1F90", MAPPED PEER ":C350", "01")), 1);
	assert_int_equal(COUNT(HEAD, LISTEN6, V4(MAPPED LOOP ":1F90", MAPPED LOOP ":C350", "01")), 0);
	assert_int_equal(COUNT(HEAD, LISTEN6, V4(LOOP6 ":1F90", LOOP6 ":C350", "01")), 0);
}

static void test_garbage_counts_for_nothing(void **state)
{
	(void)state;
	assert_int_equal(COUNT("", ":", "0: ", "0: 0100007F", "0: 0100007F:1F9 0:0 01",
			       "0: 0100007:1F90 0209090A:0000 0A", "0: " POD ":1F90 " PEER ":0000 0"), 0);
}

static void test_sockets_in_use(void **state)
{
	(void)state;
	static const char text[] = "sockets: used 15\nTCP: inuse 0 orphan 3 tw 0 alloc 1 mem 229\n"
				   "UDP: inuse 4 mem 0\nTCP6: inuse 12\nRAW6: inuse 0\n";

	assert_false(drain_in_use(text, "TCP: inuse "));
	assert_true(drain_in_use(text, "UDP: inuse "));
	assert_true(drain_in_use(text, "TCP6: inuse "));
	assert_false(drain_in_use(text, "RAW6: inuse "));
	assert_true(drain_in_use("", "TCP: inuse "));
	assert_true(drain_in_use("sockets: used 15\n", "TCP: inuse "));
	assert_false(drain_in_use("TCP: inuse 0", "TCP: inuse "));
}

static void test_lines_as_the_kernel_writes_them(void **state)
{
	(void)state;
	assert_true(drain_inbound() < 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inbound_counts),
		cmocka_unit_test(test_others_do_not),
		cmocka_unit_test(test_ipv6_and_mapped),
		cmocka_unit_test(test_garbage_counts_for_nothing),
		cmocka_unit_test(test_sockets_in_use),
		cmocka_unit_test(test_lines_as_the_kernel_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
