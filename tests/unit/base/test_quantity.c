/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quantities against values that Kubernetes' own parser gives. The expected values and the
 * canonical text that comes out are decoded here a second time, in a simpler way.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/macro.h"
#include "base/units.h"
#include "quantity_vectors.h"

typedef __int128 i128;

static i128 power(int base, int n)
{
	i128 v = 1;

	while (n-- > 0)
		v *= base;
	return v;
}

/* "10243584e-2" in nano units; the vectors have no value below one nano. */
static i128 nano_of(const char *value)
{
	char *end;
	i128 v = (i128)strtoull(value, &end, 10);
	int e = atoi(end + 1) + 9;

	assert_int_equal(*end, 'e');
	assert_true(e >= 0);
	return v * power(10, e);
}

/* The value of canonical text: a whole number and a suffix. */
static i128 nano_of_text(const char *text)
{
	static const struct { const char *suffix; int base, power; } known[] = {
		{ "", 10, 9 }, { "n", 10, 0 }, { "u", 10, 3 }, { "m", 10, 6 }, { "k", 10, 12 },
		{ "M", 10, 15 }, { "G", 10, 18 }, { "T", 10, 21 }, { "P", 10, 24 }, { "E", 10, 27 },
		{ "Ki", 2, 10 }, { "Mi", 2, 20 }, { "Gi", 2, 30 }, { "Ti", 2, 40 }, { "Pi", 2, 50 },
		{ "Ei", 2, 60 },
	};
	char *end;
	i128 v = (i128)strtoull(text, &end, 10);

	if (*end == 'e')
		return v * power(10, atoi(end + 1) + 9);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (streq(known[i].suffix, end))
			return v * power(known[i].base, known[i].power) *
			       (known[i].base == 2 ? power(10, 9) : 1);
	}
	fail_msg("%s is no canonical quantity", text);
	return 0;
}

static int64_t milli_of(i128 nano)
{
	i128 milli = (nano + 999999) / 1000000;

	return milli > INT64_MAX ? INT64_MAX : (int64_t)milli;
}

static void check_family(const char *text, const char *family)
{
	char last = text[strlen(text) - 1];

	if (streq(family, "DecimalSI"))
		assert_true(last != 'i' && !strchr(text, 'e'));
	if (streq(family, "DecimalExponent"))
		assert_true(last >= '0' && last <= '9');
}

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(quantity_values); i++) {
		const char *in = quantity_values[i].in, *value = quantity_values[i].value;
		struct arena a = { 0 };
		struct quantity q = { "untouched", 42 }, again;
		int r = quantity_parse(&a, in, &q);
		if (!value) {
			if (r != -EINVAL)
				fail_msg("%s is %s, not refused", in, q.text);
			assert_int_equal(q.milli, 42);
			arena_release(&a);
			continue;
		}
		assert_int_equal(r, 0);
		if (nano_of_text(q.text) != nano_of(value))
			fail_msg("%s is %s, not %s", in, q.text, value);
		assert_int_equal(q.milli, milli_of(nano_of(value)));
		check_family(q.text, quantity_values[i].family);
		assert_int_equal(quantity_parse(&a, q.text, &again), 0);
		assert_string_equal(again.text, q.text);
		assert_int_equal(again.milli, q.milli);
		arena_release(&a);
	}
}

static void expect_text(const char *in, const char *text)
{
	struct arena a = { 0 };
	struct quantity q;

	if (quantity_parse(&a, in, &q) < 0)
		fail_msg("%s is refused", in);
	if (!streq(q.text, text))
		fail_msg("%s is %s, not %s", in, q.text, text);
	arena_release(&a);
}

static void test_canonical(void **state)
{
	static const struct { const char *in, *text; } more[] = {
		{ "1.5Gi", "1536Mi" }, { "-0.5", "-500m" }, { "+3", "3" }, { "-0", "0" },
		{ "0Ki", "0" }, { "1000Ki", "1000Ki" }, { "1023", "1023" }, { "0.5Ki", "512" },
		{ "0.9765625Ki", "1k" },
		{ "1e28", "10e27" }, { "1e-100", "1e-9" }, { "-1e-100", "-1e-9" },
		{ "0e99999999999999", "0" }, { "1000E", "1000E" },
		{ "0.00000000000000000000000000000000000000000000001", "1n" },
		{ "1.000000000000000000000000000000000000000001", "1000000001n" },
		{ "00000000000000000000000000000000000000000000000000001", "1" },
		{ "0.3333333333333333333333Ei", "384307168202282325333294903n" },
		{ "170141183460469231731687303715", "170141183460469231731687303715" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(quantity_texts); i++)
		expect_text(quantity_texts[i].in, quantity_texts[i].text);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		expect_text(more[i].in, more[i].text);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"", ".", "+", "-", "+.", "1K", "1KB", "1Kb", "1kb", "1mi", "1e", "1E+", "1e+-3",
		"--1",
		"+-1", "1 Gi", "1Gi ", "\n1", "0x10", "1,5", "1_000", "NaN", "inf", "1e3Ki",
		"1Kie3",
		"1e40", "1e2147483648", "1e99999999999999999999", "١",
		"999999999999999999999999999999999999999999",
	};
	struct arena a = { 0 };
	struct quantity q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (quantity_parse(&a, bad[i], &q) != -EINVAL)
			fail_msg("%s is not refused", bad[i]);
	}
	arena_release(&a);
}

static void test_value(void **state)
{
	static const struct { int64_t milli, value; const char *text; } cases[] = {
		{ 0, 0, "0" }, { 1, 1, "1m" }, { 1000, 1, "1" }, { 1001, 2, "1001m" },
		{ -1, -1, "-1m" }, { -1000, -1, "-1" }, { -1500, -2, "-1500m" }, { 250, 1, "250m" },
		{ 2000000, 2000, "2k" },
		{ INT64_MAX, INT64_MAX / 1000 + 1, "9223372036854775807m" },
		{ INT64_MIN, INT64_MIN / 1000 - 1, "-9223372036854775808m" },
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct quantity q = quantity_from_milli(&a, cases[i].milli);
		assert_int_equal(q.milli, cases[i].milli);
		assert_string_equal(q.text, cases[i].text);
		assert_int_equal(quantity_value(&q), cases[i].value);
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
