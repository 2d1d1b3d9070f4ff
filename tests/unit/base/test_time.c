/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times against the C library's calendar, ages against kubectl's, durations against Go's syntax. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "base/macro.h"
#include "base/units.h"

static void test_format(void **state)
{
	char text[40];

	(void)state;
	time_format(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	time_format_nano(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999999Z");
	time_format_nano(1795255200123456789, text);
	assert_string_equal(text, "2026-11-21T10:00:00.123456789Z");
	time_format(1795255200999999999, text);
	assert_string_equal(text, "2026-11-21T10:00:00Z");
}

/* Every day that fits has the date gmtime_r gives it, and comes back. */
static void test_calendar(void **state)
{
	const int64_t day = 86400, end = INT64_MAX / NSEC / day;

	(void)state;
	for (int64_t d = -end; d <= end; d++) {
		time_t t = (time_t)(d * day + (d * 7919 % day + day) % day);
		struct tm tm;
		char ours[32], libc[32];
		int64_t back;
		if (t > INT64_MAX / NSEC || t < INT64_MIN / NSEC + 1)
			continue;
		time_format(t * NSEC, ours);
		strftime(libc, sizeof(libc), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
		if (!streq(ours, libc))
			fail_msg("%s is %s", libc, ours);
		assert_int_equal(time_parse(ours, &back), 0);
		assert_int_equal(back, t * NSEC);
	}
}

/* Every day from 1600 to 2400, the days before it known. */
static void test_dates(void **state)
{
	struct date d = { 1600, 1, 1 };
	unsigned weekday = 6;		/* a Saturday */
	int64_t day = date_days(d);

	(void)state;
	assert_int_equal(day, -135140);
	for (; d.year < 2400; day++) {
		struct date got = date_of(day);

		if (got.year != d.year || got.month != d.month || got.day != d.day ||
		    date_days(d) != day || date_weekday(day) != weekday)
			fail_msg("day %lld is %u-%u-%u", (long long)day, got.year, got.month, got.day);
		weekday = (weekday + 1) % 7;
		if (++d.day > date_month_days(d.year, d.month))
			d = (struct date){ d.year + d.month / 12, d.month % 12 + 1, 1 };
	}
	assert_int_equal(day - -135140, 2 * 146097);
	assert_int_equal(date_month_days(1900, 2), 28);
	assert_int_equal(date_month_days(2000, 2), 29);
	assert_int_equal(date_month_days(2028, 2), 29);
}

static void test_parse(void **state)
{
	static const struct { const char *in; int64_t ns; } good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:01.5Z", 1500000000 },
		{ "1970-01-01T00:00:00.1234567899Z", 123456789 },
		{ "1970-01-01T02:00:00+02:00", 0 },
		{ "1969-12-31T18:30:00-05:30", 0 },
		{ "2024-02-29T00:00:00Z", 1709164800 * NSEC },
		{ "2000-02-29T23:59:59.999999999-00:00", 951868799999999999 },
		{ "2262-04-11T23:47:16.854775807Z", INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int64_t ns;
		if (time_parse(good[i].in, &ns) < 0 || ns != good[i].ns)
			fail_msg("%s", good[i].in);
	}
}

static void test_parse_refused(void **state)
{
	static const struct { const char *in; int code; } bad[] = {
		{ "", -EINVAL }, { "2026-11-21", -EINVAL }, { "2026-11-21T10:00:00", -EINVAL },
		{ "2026-11-21 10:00:00Z", -EINVAL }, { "2026-02-29T00:00:00Z", -EINVAL },
		{ "1900-02-29T00:00:00Z", -EINVAL }, { "2026-13-01T00:00:00Z", -EINVAL },
		{ "2026-00-01T00:00:00Z", -EINVAL }, { "2026-04-31T00:00:00Z", -EINVAL },
		{ "2026-04-00T00:00:00Z", -EINVAL }, { "2026-04-30T24:00:00Z", -EINVAL },
		{ "2026-04-30T00:60:00Z", -EINVAL }, { "2026-04-30T00:00:60Z", -EINVAL },
		{ "2026-04-30T00:00:00.Z", -EINVAL }, { "2026-04-30T00:00:00+2:00", -EINVAL },
		{ "2026-04-30T00:00:00+24:00", -EINVAL }, { "2026-04-30T00:00:00Zx", -EINVAL },
		{ "26-04-30T00:00:00Z", -EINVAL }, { "+026-04-30T00:00:00Z", -EINVAL },
		{ "2262-04-11T23:47:16.854775808Z", -ERANGE }, { "9999-01-01T00:00:00Z", -ERANGE },
		{ "0001-01-01T00:00:00Z", -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t ns = 7;
		if (time_parse(bad[i].in, &ns) != bad[i].code)
			fail_msg("%s", bad[i].in);
		assert_int_equal(ns, 7);
	}
}

static void test_ages(void **state)
{
	const int64_t s = NSEC, m = 60 * s, h = 60 * m, d = 24 * h;
	const struct { int64_t ns; const char *text; } cases[] = {
		{ -3 * s, "<invalid>" }, { -s, "0s" }, { 0, "0s" }, { 999 * MSEC, "0s" },
		{ 5 * s, "5s" },
		{ 70 * s, "70s" }, { 119 * s, "119s" }, { 120 * s, "2m" }, { 190 * s, "3m10s" },
		{ 599 * s, "9m59s" }, { 10 * m + 5 * s, "10m" }, { 70 * m, "70m" },
		{ 179 * m, "179m" }, { 3 * h, "3h" }, { 3 * h + 5 * m, "3h5m" }, { 8 * h, "8h" },
		{ 8 * h + 59 * m, "8h" }, { 47 * h, "47h" }, { 49 * h, "2d1h" }, { 3 * d, "3d" },
		{ 8 * d + 2 * h, "8d" }, { 367 * d, "367d" }, { 2 * 365 * d + 25 * h, "2y1d" },
		{ 2 * 365 * d, "2y" }, { 8 * 365 * d + 2 * d, "8y" }, { INT64_MAX, "292y" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[16];
		duration_human(cases[i].ns, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void test_durations(void **state)
{
	static const struct { const char *in; int64_t ns; } good[] = {
		{ "0", 0 }, { "-0", 0 }, { "5s", 5 * NSEC }, { "300ms", 300 * MSEC },
		{ "1h30m", 5400 * NSEC }, { "1.5h", 5400 * NSEC }, { ".5s", 500 * MSEC },
		{ "1.s", NSEC }, { "-1.5s", -1500 * MSEC }, { "+2m", 120 * NSEC }, { "1us", 1000 },
		{ "1µs", 1000 }, { "1μs", 1000 }, { "12ns", 12 }, { "1.9ns", 1 }, { "0s", 0 },
		{ "1h1m1s1ms1us1ns", 3661001001001 }, { "0.3333333333333333333h", 1199999999999 },
		{ "9223372036854775807ns", INT64_MAX }, { "1m1m", 120 * NSEC },
	};
	static const struct { const char *in; int code; } bad[] = {
		{ "", -EINVAL }, { "3", -EINVAL }, { "-", -EINVAL }, { "s", -EINVAL },
		{ ".s", -EINVAL },
		{ "5 s", -EINVAL }, { "5S", -EINVAL }, { "1d", -EINVAL }, { "1s2", -EINVAL },
		{ "1e3s", -EINVAL }, { "--1s", -EINVAL }, { "1s-1s", -EINVAL },
		{ "9223372036854775808ns", -ERANGE }, { "3000000h", -ERANGE },
		{ "99999999999999999999s", -ERANGE }, { "2562047h48m", -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int64_t ns = 7;
		if (duration_parse(good[i].in, &ns) < 0 || ns != good[i].ns)
			fail_msg("%s is %lld", good[i].in, (long long)ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t ns = 7;
		if (duration_parse(bad[i].in, &ns) != bad[i].code || ns != 7)
			fail_msg("%s", bad[i].in);
	}
}

static void test_clocks(void **state)
{
	int64_t mono = time_mono(), now = time_now();

	(void)state;
	assert_true(time_mono() >= mono);
	assert_true(llabs(now / NSEC - (int64_t)time(NULL)) <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refused),
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
