/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time zones: every zone of the system against what the C library makes of the same file, rules for
 * the time after the table, damaged files, and names.
 */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/units.h"
#include "base/zone.h"

static int64_t seconds(const char *time)
{
	int64_t ns;

	assert_int_equal(time_parse(time, &ns), 0);
	return ns / NSEC;
}

/* ---- the system's zones ---- */

static void test_known(void **state)
{
	static const struct { const char *zone, *time; int32_t offset; const char *until; } rows[] = {
		{ "UTC", "2026-11-21T00:00:00Z", 0, NULL },
		{ "Etc/GMT-14", "2026-11-21T00:00:00Z", 14 * 3600, NULL },
		{ "Europe/Berlin", "2026-03-29T00:59:59Z", 3600, "2026-03-29T01:00:00Z" },
		{ "Europe/Berlin", "2026-03-29T01:00:00Z", 7200, "2026-10-25T01:00:00Z" },
		{ "Europe/Berlin", "2026-10-25T01:00:00Z", 3600, "2027-03-28T01:00:00Z" },
		{ "Europe/Berlin", "2199-07-01T00:00:00Z", 7200, "2199-10-27T01:00:00Z" },
		{ "Europe/Dublin", "2150-01-01T00:00:00Z", 0, "2150-03-29T01:00:00Z" },
		{ "America/New_York", "2012-11-04T05:59:59Z", -14400, "2012-11-04T06:00:00Z" },
		{ "America/Sao_Paulo", "2018-11-10T00:00:00Z", -7200, "2019-02-17T02:00:00Z" },
		{ "America/Sao_Paulo", "2050-11-10T00:00:00Z", -10800, NULL },
		{ "Asia/Kathmandu", "2050-01-01T00:00:00Z", 20700, NULL },
		{ "Australia/Lord_Howe", "2026-01-01T00:00:00Z", 39600, "2026-04-04T15:00:00Z" },
		{ "Pacific/Apia", "2011-12-30T09:59:59Z", -36000, "2011-12-30T10:00:00Z" },
		{ "Pacific/Apia", "2011-12-30T10:00:00Z", 50400, "2012-03-31T14:00:00Z" },
	};
	struct arena a = { 0 };
	struct err err = { 0 };
	const struct zone *z;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (zone_load(&a, rows[i].zone, ZONE_DIR, &z, &err) < 0)
			fail_msg("%s", err.msg);
		struct zone_span span = zone_at(z, seconds(rows[i].time));
		int64_t until = rows[i].until ? seconds(rows[i].until) : INT64_MAX;

		if (span.offset != rows[i].offset || span.until != until)
			fail_msg("%s at %s: %d until %lld", rows[i].zone, rows[i].time,
				 span.offset, (long long)span.until);
	}
	arena_release(&a);
}

static void compare(const char *name, const struct zone *z, int64_t t)
{
	time_t lib = (time_t)t;
	struct tm tm;

	localtime_r(&lib, &tm);
	struct zone_span span = zone_at(z, t);
	if (span.offset != tm.tm_gmtoff || span.until <= t)
		fail_msg("%s at %lld: %d until %lld, not %ld", name, (long long)t, span.offset,
			 (long long)span.until, tm.tm_gmtoff);
}

/* From 1950 to 2199: every 100 days or so, and both sides of every change. */
static void compare_all(const char *name, const struct zone *z)
{
	int64_t t = seconds("1950-01-01T00:00:00Z"), end = seconds("2200-01-01T00:00:00Z");

	setenv("TZ", name, 1);
	tzset();
	for (; t < end; t += 100 * 86400 + 12345) {
		struct zone_span span = zone_at(z, t);

		compare(name, z, t);
		if (span.until < end) {
			compare(name, z, span.until - 1);
			compare(name, z, span.until);
		}
	}
}

static unsigned compared;

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	const char *name = path + strlen(ZONE_DIR) + 1;
	struct arena a = { 0 };
	struct err err = { 0 };
	const struct zone *z;

	(void)st;
	/* right/ counts leap seconds; capitals and digits begin the names of zones */
	if (type != FTW_F || !strncmp(name, "right/", 6))
		return 0;
	if (zone_load(&a, name, ZONE_DIR, &z, &err) == 0) {
		compare_all(name, z);
		compared++;
	} else if (at->level > 1 && !strstr(err.msg, "it is no TZif file")) {
		fail_msg("%s", err.msg);
	}
	arena_release(&a);
	return 0;
}

static void test_as_the_c_library(void **state)
{
	(void)state;
	assert_int_equal(nftw(ZONE_DIR, visit, 16, FTW_PHYS), 0);
	unsetenv("TZ");
	tzset();
	assert_true(compared > 300);
}

static void test_names(void **state)
{
	static const char *const bad[] = {
		"", "Local", "local", "LOCAL", "/etc/localtime", "Europe/", "Europe//Berlin", ".",
		"..", "../zoneinfo/UTC", "Europe/../UTC", "./UTC", "-x", "Europe/-x", "Europe Berlin",
		" UTC", "Europe/B\\x", "caf\xc3\xa9",
	};
	static const char *const good[] = {
		"UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "EST5EDT", "...", "a.b",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!zone_name_problem(bad[i]))
			fail_msg("accepted: %s", bad[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (zone_name_problem(good[i]))
			fail_msg("refused: %s", good[i]);
	}
}

static void test_not_loaded(void **state)
{
	static const struct { const char *name; int code; const char *message; } rows[] = {
		{ "Mars/Phobos", -ENOENT,
		  "there is no time zone \"Mars/Phobos\" in " ZONE_DIR },
		{ "Europe", -ENOENT, "there is no time zone \"Europe\" in " ZONE_DIR },
		{ "UTC/x", -ENOENT, "there is no time zone \"UTC/x\" in " ZONE_DIR },
		{ "zone.tab", -EINVAL, "zone.tab: time zone file: it is no TZif file" },
		{ "Local", -EINVAL, "\"Local\": expected the name of a time zone like "
				    "Europe/Berlin, \"Local\" is none" },
	};
	struct arena a = { 0 };
	const struct zone *z;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = { 0 };

		assert_int_equal(zone_load(&a, rows[i].name, ZONE_DIR, &z, &err), rows[i].code);
		assert_string_equal(err.msg, rows[i].message);
	}
	assert_int_equal(zone_load(&a, "UTC", "/nonexistent", &z, NULL), 0);
	assert_null(z);
	arena_release(&a);
}

/* ---- files of our own ---- */

static void put(struct buf *b, int64_t v, unsigned width)
{
	while (width-- > 0)
		buf_putc(b, (char)(v >> 8 * width));
}

/* What to write; counts that lie are set apart. */
struct sample {
	char version;
	uint32_t n;
	const int64_t *at;
	const uint8_t *index;		/* into offsets */
	uint32_t noffsets;
	const int32_t *offsets;
	uint32_t leaps;
	const char *rule;
};

static void put_header(struct buf *b, char version, uint32_t leaps, uint32_t n, uint32_t noffsets)
{
	const uint32_t counts[] = { 0, 0, leaps, n, noffsets, 4 };

	buf_puts(b, "TZif");
	buf_putc(b, version);
	put(b, 0, 7);
	put(b, 0, 8);
	for (unsigned i = 0; i < 6; i++)
		put(b, counts[i], 4);
}

static void put_body(struct buf *b, const struct sample *s, unsigned width)
{
	for (uint32_t i = 0; i < s->n; i++)
		put(b, s->at[i], width);
	for (uint32_t i = 0; i < s->n; i++)
		put(b, s->index[i], 1);
	for (uint32_t i = 0; i < s->noffsets; i++) {
		put(b, s->offsets[i], 4);
		put(b, 0, 2);
	}
	put(b, 0, 4);	/* names */
	for (uint32_t i = 0; i < s->leaps; i++)
		put(b, 0, width + 4);
}

static void put_file(struct buf *b, const struct sample *s)
{
	const struct sample empty = { .noffsets = 1, .offsets = (const int32_t[]){ 0 } };

	if (!s->version) {
		put_header(b, 0, s->leaps, s->n, s->noffsets);
		put_body(b, s, 4);
		return;
	}
	put_header(b, s->version, 0, 0, 1);
	put_body(b, &empty, 4);
	put_header(b, s->version, s->leaps, s->n, s->noffsets);
	put_body(b, s, 8);
	if (s->rule)
		buf_puts(b, s->rule);
}

/* The message of the error, "" when there is none. */
static const char *parse(struct arena *a, const struct sample *s, const struct zone **ret)
{
	BUF_AUTO b = { 0 };
	struct err err = { 0 };

	put_file(&b, s);
	int r = zone_parse(a, b.data, b.len, ret, &err);
	assert_true(r == 0 ? !err.msg[0] : r == -EINVAL && err.code == r);
	return arena_strdup(a, err.msg);
}

static const int64_t at_two[] = { -100, 1000 };
static const uint8_t index_two[] = { 1, 0 };
static const int32_t offsets_two[] = { 60, -120 };

static void test_table(void **state)
{
	static const struct { char version; const char *rule; } rows[] = {
		{ 0, NULL }, { '2', "\n\n" }, { '3', "\n<+01>-1\n" }, { '4', "\nXXX2\n" },
	};
	struct arena a = { 0 };
	const struct zone *z;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sample s = {
			rows[i].version, 2, at_two, index_two, 2, offsets_two, 0, rows[i].rule,
		};
		const int32_t last[] = { 60, 60, 3600, -7200 };

		assert_string_equal(parse(&a, &s, &z), "");
		assert_int_equal(zone_at(z, INT64_MIN).offset, 60);
		assert_int_equal(zone_at(z, -101).offset, 60);
		assert_int_equal(zone_at(z, -101).until, -100);
		assert_int_equal(zone_at(z, -100).offset, -120);
		assert_int_equal(zone_at(z, 999).until, 1000);
		assert_int_equal(zone_at(z, 1000).offset, last[i]);
		assert_int_equal(zone_at(z, INT64_MAX).offset, last[i]);
	}
	arena_release(&a);
}

/* Only a rule. Winter is standard time in the north; the last row is an example of RFC 9636. */
static void test_rules(void **state)
{
	static const struct { const char *rule, *time; int32_t offset; const char *until; } rows[] = {
		{ "\nCET-1CEST,M3.5.0,M10.5.0/3\n", "2026-07-01T00:00:00Z", 7200,
		  "2026-10-25T01:00:00Z" },
		{ "\nCET-1CEST,M3.5.0,M10.5.0/3\n", "2026-12-31T23:59:59Z", 3600,
		  "2027-03-28T01:00:00Z" },
		{ "\nAEST-10AEDT,M10.1.0,M4.1.0/3\n", "2026-01-01T00:00:00Z", 39600,
		  "2026-04-04T16:00:00Z" },
		{ "\nIST-1GMT0,M10.5.0,M3.5.0/1\n", "2026-12-01T00:00:00Z", 0,
		  "2027-03-28T01:00:00Z" },
		{ "\n<-02>2<-01>,M3.5.0/-1,M10.5.0/0\n", "2026-03-29T00:59:59Z", -7200,
		  "2026-03-29T01:00:00Z" },
		{ "\nABC3:30:15DEF,J60,300/24\n", "2028-03-01T05:30:14Z", -12615,
		  "2028-03-01T05:30:15Z" },
		{ "\nABC3DEF,59,J365\n", "2028-02-29T04:59:59Z", -10800, "2028-02-29T05:00:00Z" },
		{ "\nABC3DEF,59,J365\n", "2027-03-01T04:59:59Z", -10800, "2027-03-01T05:00:00Z" },
		{ "\nABC0DEF,M2.4.4/167,M2.5.1\n", "2024-02-28T00:00:00Z", 0,
		  "2024-02-28T23:00:00Z" },
		{ "\nXXX3EDT4,0/0,J365/23\n", "2026-01-01T02:59:59Z", -14400,
		  "2026-01-01T03:00:00Z" },
		{ "\nXXX3EDT4,0/0,J365/23\n", "2026-07-01T00:00:00Z", -14400,
		  "2027-01-01T03:00:00Z" },
	};
	struct arena a = { 0 };
	const struct zone *z;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sample s = { '3', 0, NULL, NULL, 1, offsets_two, 0, rows[i].rule };

		assert_string_equal(parse(&a, &s, &z), "");
		struct zone_span span = zone_at(z, seconds(rows[i].time));
		if (span.offset != rows[i].offset || span.until != seconds(rows[i].until))
			fail_msg("%s at %s: %d until %lld", rows[i].rule, rows[i].time,
				 span.offset, (long long)span.until);
	}
	arena_release(&a);
}

/* Every span that is said to hold does, to the ends of time. */
static void test_ends(void **state)
{
	static const int64_t from[] = {
		INT64_MIN, -62000000001, -62000000000, 252980000000, 252999999999, 253000000000,
	};
	const struct sample s = {
		'2', 0, NULL, NULL, 1, offsets_two, 0, "\nAEST-10AEDT,M10.1.0,M4.1.0/3\n",
	};
	struct arena a = { 0 };
	const struct zone *z;

	(void)state;
	assert_string_equal(parse(&a, &s, &z), "");
	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		struct zone_span span = zone_at(z, from[i]);

		assert_true(span.until > from[i]);
		assert_int_equal(zone_at(z, span.until - 1).offset, span.offset);
	}
	assert_int_equal(zone_at(z, INT64_MAX).offset, 36000);
	arena_release(&a);
}

static void test_damaged(void **state)
{
	static const int64_t order[] = { 5, 5 };
	static const uint8_t index_far[] = { 0, 2 };
	static const int32_t offset_far[] = { 0, 26 * 3600 }, first_far[] = { -25 * 3600 };
	static const struct { struct sample s; const char *message; } rows[] = {
		{ { '2', 2, order, index_two, 2, offsets_two, 0, "\n\n" },
		  "its transitions are out of order" },
		{ { '2', 2, at_two, index_far, 2, offsets_two, 0, "\n\n" },
		  "an offset is out of range" },
		{ { '2', 2, at_two, index_two, 2, offset_far, 0, "\n\n" },
		  "an offset is out of range" },
		{ { '2', 0, NULL, NULL, 1, first_far, 0, "\n\n" },
		  "its first offset is out of range" },
		{ { '2', 0, NULL, NULL, 0, NULL, 0, "\n\n" }, "its first offset is out of range" },
		{ { '2', 0, NULL, NULL, 1, offsets_two, 1, "\n\n" },
		  "it counts leap seconds, which the system's clock does not" },
		{ { '2', 0, NULL, NULL, 1, offsets_two, 0, NULL },
		  "its last line is cut short" },
		{ { '2', 0, NULL, NULL, 1, offsets_two, 0, "\nUTC0" },
		  "its last line is cut short" },
		{ { '2', 0, NULL, NULL, 1, offsets_two, 0, "UTC0\n" },
		  "its last line is cut short" },
	};
	struct arena a = { 0 };
	const struct zone *z;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(parse(&a, &rows[i].s, &z) + strlen("time zone file: "),
				    rows[i].message);
	arena_release(&a);
}

static void test_bad_rules(void **state)
{
	static const char *const rules[] = {
		"0", "AB0", "ABC", "ABC25", "ABC1:60", "ABC1DE", "ABC1DEF", "ABC1DEF,M3.1.0",
		"ABC1DEF,M13.1.0,M3.1.0", "ABC1DEF,M1.6.0,M3.1.0", "ABC1DEF,M1.1.7,M3.1.0",
		"ABC1DEF,J0,J1", "ABC1DEF,J1,J366", "ABC1DEF,0/168,J1", "ABC1DEF,0,1x", "<+1>1x",
		"<+1", "<>1", "ABC-", "ABC1DEF2,", "ABC0,0,1",
	};
	struct arena a = { 0 };
	const struct zone *z;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const char *rule = arena_printf(&a, "\n%s\n", rules[i]);
		const struct sample s = { '3', 0, NULL, NULL, 1, offsets_two, 0, rule };

		if (!strstr(parse(&a, &s, &z), "no rule"))
			fail_msg("accepted: %s", rules[i]);
	}
	arena_release(&a);
}

/* Every beginning of a file is refused, in a block of its own size for the sanitizers. */
static void test_cut_short(void **state)
{
	const struct sample samples[] = {
		{ 0, 2, at_two, index_two, 2, offsets_two, 0, NULL },
		{ '2', 2, at_two, index_two, 2, offsets_two, 0, "\nCET-1CEST,M3.5.0,M10.5.0/3\n" },
	};
	struct arena a = { 0 };
	const struct zone *z;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		BUF_AUTO b = { 0 };

		put_file(&b, &samples[i]);
		for (size_t n = 0; n < b.len; n++) {
			FREE_AUTO char *part = malloc(n + !n);
			assert_non_null(part);
			memcpy(part, b.data, n);
			assert_int_equal(zone_parse(&a, part, n, &z, NULL), -EINVAL);
		}
		assert_int_equal(zone_parse(&a, b.data, b.len, &z, NULL), 0);
	}
	arena_release(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_as_the_c_library),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_not_loaded),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_bad_rules),
		cmocka_unit_test(test_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
