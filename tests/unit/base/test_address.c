/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 addresses and prefixes, against inet_ntop where it can say something; base64. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/macro.h"
#include "base/units.h"

static void test_ip(void **state)
{
	static const char *const good[] = {
		"0.0.0.0", "10.42.0.1", "127.0.0.1", "255.255.255.255",
	};
	static const char *const bad[] = {
		"", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "256.0.0.1", "1.2.3.256",
		"01.2.3.4",
		"1.2.3.00", " 1.2.3.4", "1.2.3.4 ", "1..2.3", "-1.2.3.4", "0x1.2.3.4", "::1",
		"4294967297.0.0.1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint32_t ip, net;
		char text[16], libc[16];
		assert_int_equal(ip4_parse(good[i], &ip), 0);
		ip4_format(ip, text);
		net = htonl(ip);
		assert_non_null(inet_ntop(AF_INET, &net, libc, sizeof(libc)));
		assert_string_equal(text, good[i]);
		assert_string_equal(libc, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint32_t ip = 7;
		if (ip4_parse(bad[i], &ip) != -EINVAL || ip != 7)
			fail_msg("%s", bad[i]);
	}
}

static void test_cidr(void **state)
{
	static const char *const bad[] = {
		"10.42.0.0", "10.42.0.0/", "10.42.0.0/33", "10.42.0.1/24", "10.42.0.0/08",
		"10.42.0.0/16 ",
		"0.0.0.1/0", "/8", "10.42.0.0/-1", "10.42.0.0/16/16",
	};
	struct cidr4 c;

	(void)state;
	assert_int_equal(cidr4_parse("10.42.0.0/16", &c), 0);
	assert_int_equal(c.bits, 16);
	assert_int_equal(cidr4_size(c), 65536);
	assert_true(cidr4_contains(c, 0x0a2a0000) && cidr4_contains(c, 0x0a2affff));
	assert_false(cidr4_contains(c, 0x0a2b0000) || cidr4_contains(c, 0x0a29ffff));
	assert_int_equal(cidr4_parse("0.0.0.0/0", &c), 0);
	assert_int_equal(cidr4_size(c), UINT32_MAX);
	assert_true(cidr4_contains(c, 0) && cidr4_contains(c, UINT32_MAX));
	assert_int_equal(cidr4_parse("192.0.2.7/32", &c), 0);
	assert_int_equal(cidr4_size(c), 1);
	assert_true(cidr4_contains(c, 0xc0000207));
	assert_false(cidr4_contains(c, 0xc0000206));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (cidr4_parse(bad[i], &c) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
}

/* RFC 4648, section 10 */
static void test_base64(void **state)
{
	static const struct { const char *plain, *text; } cases[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }, { "\xff\xfe\xfd?>", "//79Pz4=" },
	};
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "Zg==Zg==", "=", "====", "Z===", "Zm9v=", "Zm9-",
		"Zm 9v", "Zg=v",
		"Zm8=\nZ", "Zm9v\t",
	};
	struct arena a = { 0 };
	void *out;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = strlen(cases[i].plain);
		assert_string_equal(base64_encode(&a, cases[i].plain, len), cases[i].text);
		const char *text = cases[i].text;
		assert_int_equal(base64_decode(&a, text, strlen(text), &out, &n), 0);
		assert_int_equal(n, len);
		assert_memory_equal(out, cases[i].plain, len + 1);	/* and a NUL */
	}
	assert_int_equal(base64_decode(&a, "Zm9v\r\nYg==\n", 11, &out, &n), 0);
	assert_string_equal(out, "foob");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (base64_decode(&a, bad[i], strlen(bad[i]), &out, &n) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
	arena_release(&a);
}

static void test_base64_bytes(void **state)
{
	unsigned char all[256];
	struct arena a = { 0 };

	(void)state;
	for (unsigned i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	for (size_t len = 0; len <= sizeof(all); len++) {
		void *out;
		size_t n;
		char *text = base64_encode(&a, all, len);
		assert_int_equal(base64_decode(&a, text, strlen(text), &out, &n), 0);
		assert_int_equal(n, len);
		assert_memory_equal(out, all, len);
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_cidr),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
