/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "net/addresses.h"

#define BASE 0x0af40000u	/* 10.244.0.0 */

static void test_exhaustion(void **state)
{
	struct addresses a;
	bool seen[16] = { false };
	uint32_t ip;

	(void)state;
	assert_int_equal(addresses_init(&a, (struct cidr4){ BASE, 28 }), 0);
	for (int i = 0; i < 13; i++) {
		assert_int_equal(addresses_take(&a, &ip), 0);
		assert_in_range(ip, BASE + 2, BASE + 14);
		assert_false(seen[ip - BASE]);
		seen[ip - BASE] = true;
	}
	assert_int_equal(addresses_take(&a, &ip), -ENOSPC);
	addresses_give(&a, BASE + 5);
	assert_int_equal(addresses_take(&a, &ip), 0);
	assert_int_equal(ip, BASE + 5);
	addresses_release(&a);
}

static void test_round_robin(void **state)
{
	struct addresses a;
	uint32_t first, second;

	(void)state;
	assert_int_equal(addresses_init(&a, (struct cidr4){ BASE, 24 }), 0);
	assert_int_equal(addresses_take(&a, &first), 0);
	addresses_give(&a, first);
	assert_int_equal(addresses_take(&a, &second), 0);
	assert_int_not_equal(first, second);
	addresses_release(&a);
}

static void test_claim(void **state)
{
	struct addresses a;
	uint32_t ip;

	(void)state;
	assert_int_equal(addresses_init(&a, (struct cidr4){ BASE, 24 }), 0);
	assert_int_equal(addresses_claim(&a, BASE + 9), 0);
	assert_int_equal(addresses_claim(&a, BASE + 9), -EEXIST);
	assert_int_equal(addresses_claim(&a, BASE + 256), -ERANGE);
	assert_int_equal(addresses_claim(&a, BASE + 1), -ERANGE);
	assert_int_equal(addresses_claim(&a, BASE + 255), -ERANGE);
	assert_int_equal(addresses_take(&a, &ip), 0);
	assert_int_equal(ip, BASE + 10);
	addresses_give(&a, BASE + 9);
	assert_int_equal(addresses_claim(&a, BASE + 9), 0);
	addresses_release(&a);
}

static void test_prefixes(void **state)
{
	struct addresses a;

	(void)state;
	assert_int_equal(addresses_init(&a, (struct cidr4){ BASE, 30 }), -EINVAL);
	assert_int_equal(addresses_init(&a, (struct cidr4){ 0, 4 }), -EINVAL);
	assert_int_equal(addresses_init(&a, (struct cidr4){ 0x0a000000, 8 }), 0);
	addresses_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exhaustion), cmocka_unit_test(test_round_robin),
		cmocka_unit_test(test_claim), cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
