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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_refused_names),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
