/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/capability.h>

#include "sys/privilege.h"

static void test_names(void **state)
{
	uint64_t bits = 0;

	(void)state;
	assert_int_equal(cap_parse("NET_ADMIN", &bits), 0);
	assert_true(bits == 1ULL << CAP_NET_ADMIN);
	assert_int_equal(cap_parse("CAP_SYS_PTRACE", &bits), 0);
	assert_true(bits == 1ULL << CAP_SYS_PTRACE);
	assert_int_equal(cap_parse("ALL", &bits), 0);
	assert_true(bits == (1ULL << (CAP_LAST_CAP + 1)) - 1);
}

static void test_refused_names(void **state)
{
	uint64_t bits = 42;

	(void)state;
	assert_int_equal(cap_parse("NET_ADMINS", &bits), -EINVAL);
	assert_int_equal(cap_parse("12", &bits), -EINVAL);
	assert_int_equal(cap_parse("", &bits), -EINVAL);
	assert_true(bits == 42);
}

static void test_defaults(void **state)
{
	uint64_t bits = cap_default_set();

	(void)state;
	assert_true(bits & 1ULL << CAP_CHOWN);
	assert_true(bits & 1ULL << CAP_NET_BIND_SERVICE);
	assert_false(bits & 1ULL << CAP_SYS_ADMIN);
	assert_false(bits & 1ULL << CAP_NET_ADMIN);
	assert_false(bits & 1ULL << CAP_SYS_PTRACE);
	assert_int_equal(__builtin_popcountll(bits), 14);
}

static void test_words(void **state)
{
	struct arena a = { 0 };
	uint64_t bits = 0;

	(void)state;
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++) {
		assert_int_equal(cap_parse(cap_name(&a, cap), &bits), 0);
		assert_true(bits == 1ULL << cap);
	}
	assert_string_equal(cap_name(&a, CAP_NET_ADMIN), "CAP_NET_ADMIN");
	arena_release(&a);
}

static void test_permitted(void **state)
{
	uint64_t bits = cap_permitted();
	cap_t own = cap_get_proc();

	(void)state;
	assert_int_equal(cap_clear_flag(own, CAP_PERMITTED), 0);
	assert_int_equal(cap_clear_flag(own, CAP_EFFECTIVE), 0);
	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (bits >> cap & 1)
			assert_int_equal(cap_set_flag(own, CAP_PERMITTED, 1, &cap, CAP_SET), 0);
	assert_int_equal(cap_set_proc(own), 0);		/* nobody may give what he has not */
	assert_true(cap_permitted() == bits);
	assert_int_equal(cap_clear(own), 0);
	assert_int_equal(cap_set_proc(own), 0);
	assert_true(cap_permitted() == 0);
	cap_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_refused_names),
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_words),
		cmocka_unit_test(test_permitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
