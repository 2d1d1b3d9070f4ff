/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claims on numbers: who gets what does not depend on the order of the claims. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/macro.h"
#include "store/allocate.h"

static const struct pool pool = { .first = 100, .count = 50, .band = 10 };

static void settle(struct claim *c, uint32_t n)
{
	struct arena a = { 0 };

	claims_settle(c, n, &a);
	arena_release(&a);
}

static void test_new_above_the_band(void **state)
{
	struct claim c[40] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 40; i++)
		c[i] = (struct claim){ .pool = &pool, .hash = i * 7919 };
	settle(c, 40);
	for (uint32_t i = 0; i < 40; i++) {
		assert_int_equal(c[i].result, CLAIM_GRANTED);
		assert_in_range(c[i].value, 110, 149);
		for (uint32_t k = 0; k < i; k++)
			assert_int_not_equal(c[i].value, c[k].value);
	}
}

static void test_band_is_the_last_resort(void **state)
{
	struct claim c[51] = { 0 };
	unsigned low = 0, none = 0;

	(void)state;
	for (uint32_t i = 0; i < 51; i++)
		c[i] = (struct claim){ .pool = &pool, .hash = i };
	settle(c, 51);
	for (uint32_t i = 0; i < 51; i++) {
		low += c[i].value && c[i].value < 110;
		none += c[i].result == CLAIM_EXHAUSTED;
	}
	assert_int_equal(low, 10);
	assert_int_equal(none, 1);
}

static void test_same_name_same_number(void **state)
{
	struct claim one = { .pool = &pool, .hash = 4711 };
	struct claim again[2] = { { .pool = &pool, .hash = 99 }, { .pool = &pool, .hash = 4711 } };

	(void)state;
	settle(&one, 1);
	settle(again, 2);
	assert_int_equal(again[1].value, one.value);
}

static void test_fixed_wins_over_remembered(void **state)
{
	struct claim c[2] = {
		{ .pool = &pool, .remembered = 120 }, { .pool = &pool, .fixed = 120 },
	};

	(void)state;
	settle(c, 2);
	assert_int_equal(c[1].value, 120);
	assert_int_equal(c[1].result, CLAIM_GRANTED);
	assert_int_equal(c[0].result, CLAIM_MOVED);
	assert_int_not_equal(c[0].value, 120);
	assert_int_not_equal(c[0].value, 0);
	assert_ptr_equal(c[0].owner, &c[1]);
}

static void test_two_fixed(void **state)
{
	for (unsigned kept = 0; kept < 2; kept++) {
		struct claim c[2] = { { .pool = &pool, .fixed = 120 }, { .pool = &pool, .fixed = 120 } };

		(void)state;
		c[kept].remembered = 120;
		c[!kept].remembered = 130;
		settle(c, 2);
		assert_int_equal(c[kept].value, 120);
		assert_int_equal(c[!kept].result, CLAIM_TAKEN);
		assert_ptr_equal(c[!kept].owner, &c[kept]);
		assert_int_equal(c[!kept].value, 130);	/* what it had */
	}
}

static void test_outside(void **state)
{
	struct claim c[4] = {
		{ .pool = &pool, .fixed = 99 }, { .pool = &pool, .fixed = 150 },
		{ .pool = &pool, .remembered = 99 }, { .pool = &pool, .fixed = 149 },
	};

	(void)state;
	settle(c, 4);
	assert_int_equal(c[0].result, CLAIM_OUTSIDE);
	assert_int_equal(c[0].value, 0);
	assert_int_equal(c[1].result, CLAIM_OUTSIDE);
	assert_int_equal(c[2].result, CLAIM_MOVED);
	assert_in_range(c[2].value, 110, 148);
	assert_null(c[2].owner);
	assert_int_equal(c[3].value, 149);
}

static void test_spaces(void **state)
{
	struct claim c[2] = {
		{ .pool = &pool, .fixed = 120, .space = 1 }, { .pool = &pool, .fixed = 120, .space = 2 },
	};

	(void)state;
	settle(c, 2);
	assert_int_equal(c[0].value, 120);
	assert_int_equal(c[1].value, 120);
}

static void test_empty_pool(void **state)
{
	static const struct pool empty = { .first = 5, .count = 0 };
	struct claim c = { .pool = &empty, .remembered = 5 };

	(void)state;
	settle(&c, 1);
	assert_int_equal(c.result, CLAIM_EXHAUSTED);
	assert_int_equal(c.value, 0);
	settle(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_above_the_band),
		cmocka_unit_test(test_band_is_the_last_resort),
		cmocka_unit_test(test_same_name_same_number),
		cmocka_unit_test(test_fixed_wins_over_remembered),
		cmocka_unit_test(test_two_fixed),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_spaces),
		cmocka_unit_test(test_empty_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
