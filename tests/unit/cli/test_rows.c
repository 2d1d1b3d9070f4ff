/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aligned text: rows as kubectl get prints them, tabs as kubectl describe does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/print.h"
#include "base/macro.h"

#define CELLS(...) (const char *const[]){ __VA_ARGS__ }

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	struct rows r = { 0 };
	BUF_AUTO out = { 0 };

	(void)state;
	rows_add(&r, 3, CELLS("A", "NAME", "AGE"));
	rows_add(&r, 3, CELLS("1", "a-long-name", "5s"));
	rows_print(&r, &out);
	assert_string_equal(out.data, "A     NAME          AGE\n1     a-long-name   5s\n");
}

static void characters_count_not_bytes(void **state)
{
	struct rows r = { 0 };
	BUF_AUTO out = { 0 };

	(void)state;
	rows_add(&r, 2, CELLS("gr\xc3\xbc\xc3\x9f", "x"));
	rows_add(&r, 2, CELLS("abcd", "y"));
	rows_print(&r, &out);
	assert_string_equal(out.data, "gr\xc3\xbc\xc3\x9f   x\nabcd   y\n");
}

static void a_cell_is_one_line(void **state)
{
	struct rows r = { 0 };
	BUF_AUTO out = { 0 };

	(void)state;
	rows_add(&r, 2, CELLS("a\tb", "first\nsecond"));
	rows_print(&r, &out);
	assert_string_equal(out.data, "a b   first...\n");
}

static void widths_are_remembered(void **state)
{
	struct rows r = { 0 };
	BUF_AUTO out = { 0 };

	(void)state;
	rows_add(&r, 2, CELLS("a-long-name", "1"));
	rows_print(&r, &out);
	rows_add(&r, 2, CELLS("b", "2"));
	rows_print(&r, &out);
	rows_print(&r, &out);	/* nothing more */
	assert_string_equal(out.data, "a-long-name   1\nb             2\n");
}

static void tabs_stretch(void **state)
{
	static const struct { const char *text, *expected;
	} cases[] = {
		{ "Name:\tweb\nNamespace:\tshop\n", "Name:       web\nNamespace:  shop\n" },
		/* a line without a tab ends a column */
		{ "A:\tx\nHead\nLonger:\ty\n", "A:  x\nHead\nLonger:  y\n" },
		{ "a\tb\tc\nlong\tlonger\tc\n", "a     b       c\nlong  longer  c\n" },
		/* the second column is as wide as the lines need that have it, one after the other */
		{ "a\tlonger\tc\nb\tx\nc\ty\tz\n", "a  longer  c\nb  x\nc  y  z\n" },
		{ "", "" },
		{ "no end", "no end" },
		{ "a\tb", "a  b" },
		{ "\tb\nk:\tc\n", "    b\nk:  c\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		BUF_AUTO out = { 0 };

		tabs_align(cases[i].text, 2, &out);
		assert_string_equal(buf_str(&out), cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(characters_count_not_bytes),
		cmocka_unit_test(a_cell_is_one_line),
		cmocka_unit_test(widths_are_remembered),
		cmocka_unit_test(tabs_stretch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
