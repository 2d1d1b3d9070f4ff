/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probe thresholds as stories: one letter per result, and where the verdict changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macro.h"
#include "shim/verdict.h"

struct story {
	uint32_t success, failure;
	const char *results;	/* + and - */
	const char *changes;	/* P passed, F failed, . no change */
};

static const struct story stories[] = {
	{ 1, 3, "+", "P" },
	{ 1, 3, "---", "..F" },
	{ 1, 3, "--+--+---", "..P.....F" },
	{ 1, 3, "+---+", "P..FP" },
	{ 2, 1, "+-++-", ".F.PF" },
	{ 3, 2, "++-+++--", ".....P.F" },
	{ 1, 1, "-+-+--++", "FPFPF.P." },
	{ 0, 0, "+-", "PF" },		/* unset thresholds count as 1 */
	{ 1, 3, "------", "..F..." },
};

static void test_stories(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
		const struct story *s = &stories[i];
		struct verdict v = { 0 };
		for (size_t k = 0; s->results[k]; k++) {
			bool changed = verdict_add(&v, s->results[k] == '+', s->success, s->failure);
			char got = !changed ? '.' : v.passed ? 'P' : 'F';
			if (got != s->changes[k] || (changed && !v.decided))
				fail_msg("story %zu, result %zu: %c", i, k, got);
		}
	}
}

static void test_undecided_before_the_threshold(void **state)
{
	struct verdict v = { 0 };

	(void)state;
	assert_false(verdict_add(&v, false, 1, 2));
	assert_false(v.decided || v.passed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_undecided_before_the_threshold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
