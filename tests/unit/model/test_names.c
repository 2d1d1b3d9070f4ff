/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kubernetes' rules for names, at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/macro.h"
#include "model/names.h"

#define S10 "aaaaaaaaaa"
#define S63 S10 S10 S10 S10 S10 S10 "aaa"
#define S253 S63 "." S63 "." S63 "." S10 S10 S10 S10 S10 S10 "a"

static const struct { enum name_rule rule; const char *good[12], *bad[12]; } cases[] = {
	{ NAME_LABEL, { "a", "0", "a-1", "1--a--b", S63 },
	  { "", "A", "-", "a-", "-a", "a_b", "a.b", " a", "a ", "a\n", S63 "a" } },
	{ NAME_SUBDOMAIN, { "a", "a.b", "0.0.c", "a-b.c--d", S253, S63 "a" },
	  { "", ".", "a.", ".a", "a..b", "a.-b", "a-.b", "A.a", "a_b", S253 "a" } },
	{ NAME_LABEL_1035, { "a", "a1", "a--1", S63 }, { "", "0", "1a", "a-", "A", "a.b", S63 "a" } },
	{ NAME_QUALIFIED, { "a", "A.b_c-d", "1", "a.b/C", "kubernetes.io/metadata.name", S63, S253 "/" S63 },
	  { "", "/", "a/", "/a", "a/b/c", "A.b/c", "-a", "a b", "a_", S63 "a", S253 "a/b", "a..b/c" } },
	{ NAME_LABEL_VALUE, { "", "a", "A-b_c.d", "1.2.3", S63 }, { "-", "a b", "a/b", "_a", "a.", S63 "a" } },
	{ NAME_CONFIG_KEY, { "a", ".a", "-", "_", "A.b-c_d", ".a.", S253 },
	  { "", ".", "..", "..a", "a b", "a/b", "a:b", S253 "a" } },
	{ NAME_ENV, { "A", "a b", "1", "a-b.c", "~", "$" }, { "", "=", "a=b", "a\tb", "\xc3\xa4", "\x7f" } },
	{ NAME_PORT, { "a", "http", "http-2", "1a", "a23456789012345" },
	  { "", "80", "-a", "a-", "a--b", "A", "a_b", "a234567890123456" } },
	{ NAME_HTTP_HEADER, { "A", "X-Y", "-" }, { "", "a b", "a:", "a_b", "a\n" } },
	{ NAME_PERCENT, { "0%", "25%", "100%", "1000%" }, { "", "%", "25", "-1%", "1.5%", "25%%", " 5%" } },
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t k = 0; k < 12 && cases[i].good[k]; k++)
			if (!name_ok(cases[i].rule, cases[i].good[k]))
				fail_msg("rule %d refuses \"%s\"", cases[i].rule, cases[i].good[k]);
		for (size_t k = 0; k < 12 && cases[i].bad[k]; k++)
			if (name_ok(cases[i].rule, cases[i].bad[k]))
				fail_msg("rule %d takes \"%s\"", cases[i].rule, cases[i].bad[k]);
	}
}

static void test_lengths(void **state)
{
	(void)state;
	assert_int_equal(strlen(S253), 253);
	assert_string_equal(name_problem(NAME_LABEL, S63 "a"), "must be at most 63 characters");
	assert_null(name_problem(NAME_LABEL, S63));
}

static void test_dotdot(void **state)
{
	(void)state;
	assert_true(path_has_dotdot("..") && path_has_dotdot("/a/../b") && path_has_dotdot("a/.."));
	assert_false(path_has_dotdot("") || path_has_dotdot("/a/...") || path_has_dotdot("..a/b..") ||
		     path_has_dotdot("/./."));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules), cmocka_unit_test(test_lengths), cmocka_unit_test(test_dotdot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
