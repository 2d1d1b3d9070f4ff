/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cron: what is refused and with which words, known times, and that the search through the calendar
 * finds what trying every minute finds, where clocks change, too.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/cron.h"
#include "base/macro.h"
#include "base/units.h"
#include "cron_vectors.h"

static int64_t at(const char *time)
{
	int64_t ns;

	assert_int_equal(time_parse(time, &ns), 0);
	return ns;
}

static struct cron schedule(const char *text)
{
	struct cron c;
	struct err err = { 0 };

	if (cron_parse(text, &c, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return c;
}

static const struct zone *zone(struct arena *a, const char *name)
{
	const struct zone *z;
	struct err err = { 0 };

	if (!name)
		return NULL;
	if (zone_load(a, name, ZONE_DIR, &z, &err) < 0)
		fail_msg("%s", err.msg);
	return z;
}

static void test_fires_at(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fires_at); i++) {
		struct cron c = schedule(fires_at[i].schedule);
		int64_t t = at(fires_at[i].time);

		if ((cron_next(&c, NULL, t - 1) == t) != fires_at[i].fires)
			fail_msg("%s at %s", fires_at[i].schedule, fires_at[i].time);
	}
}

static void test_next(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(next_times); i++) {
		__typeof__(&next_times[0]) row = &next_times[i];
		struct cron c = schedule(row->schedule);
		int64_t next = cron_next(&c, zone(&a, row->zone), at(row->after));
		char text[32];

		time_format(next, text);
		if (next != (row->next ? at(row->next) : 0))
			fail_msg("%s after %s: %s, not %s", row->schedule, row->after, text,
				 row->next);
	}
	arena_release(&a);
}

static void test_sets(void **state)
{
	static const struct {
		const char *text;
		uint64_t minutes, hours, days, months, weekdays;
		bool both;
	} rows[] = {
		{ "* * * * *", 0xfffffffffffffff, 0xffffff, 0xfffffffe, 0x1ffe, 0x7f, true },
		{ "? ? ? ? ?", 0xfffffffffffffff, 0xffffff, 0xfffffffe, 0x1ffe, 0x7f, true },
		{ "*/15 */8 */16 */6 */3", 0x200040008001, 0x10101, 0x20002, 0x82, 0x49, false },
		{ "50/3 20/1 31/9 11/1 5/1", 0x924000000000000, 0xf00000, 0x80000000, 0x1800, 0x60,
		  false },
		{ "1,,3-5,7 0-6/2 1 jan,DEC Mon-Fri", 0xba, 0x55, 2, 0x1002, 0x3e, false },
		{ "08 007 01 12 6", 0x100, 0x80, 2, 0x1000, 0x40, false },
		{ "0 0 */1 1 1", 1, 1, 0xfffffffe, 2, 2, true },
		{ "0 0 1,* 1 1", 1, 1, 0xfffffffe, 2, 2, true },
		{ "0 0 1 1 1,?", 1, 1, 2, 2, 0x7f, true },
		{ "0 0 1 1 */2", 1, 1, 2, 2, 0x55, false },
		{ " \t0  0\n1 1 1 ", 1, 1, 2, 2, 2, false },
		{ "@yearly", 1, 1, 2, 2, 0x7f, true },
		{ "@annually", 1, 1, 2, 2, 0x7f, true },
		{ "@monthly", 1, 1, 2, 0x1ffe, 0x7f, true },
		{ "@weekly", 1, 1, 0xfffffffe, 0x1ffe, 1, true },
		{ "@daily", 1, 1, 0xfffffffe, 0x1ffe, 0x7f, true },
		{ "@midnight", 1, 1, 0xfffffffe, 0x1ffe, 0x7f, true },
		{ "@hourly", 1, 0xffffff, 0xfffffffe, 0x1ffe, 0x7f, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cron c = schedule(rows[i].text);

		if (c.minutes != rows[i].minutes || c.hours != rows[i].hours ||
		    c.days != rows[i].days || c.months != rows[i].months ||
		    c.weekdays != rows[i].weekdays || c.both != rows[i].both || c.every)
			fail_msg("%s: %llx %x %x %x %x %d", rows[i].text,
				 (unsigned long long)c.minutes, c.hours, c.days, c.months,
				 c.weekdays, c.both);
	}
}

#define MINUTE_WORDS "expected a number from 0 to 59"
#define WEEKDAY_WORDS "expected a number from 0 (Sunday) to 6 or a name from sun to sat"
#define COUNT_WORDS                                                                            \
	"expected 5 fields (minute, hour, day of month, month, day of week) or a word like "   \
	"@daily, found "
#define WORD_WORDS                                                                             \
	"expected @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or "       \
	"\"@every DURATION\""

static void test_refused(void **state)
{
	static const struct { const char *text, *message; } rows[] = {
		{ "", COUNT_WORDS "0 fields" },
		{ "xyz", COUNT_WORDS "1 field" },
		{ "* * * *", COUNT_WORDS "4 fields" },
		{ "0 * * * * *", COUNT_WORDS "6 fields" },
		{ "60 0 * * *", "minute \"60\": " MINUTE_WORDS },
		{ "-1 0 * * *", "minute \"-1\": " MINUTE_WORDS },
		{ "+1 0 * * *", "minute \"+1\": " MINUTE_WORDS },
		{ "1.5 0 * * *", "minute \"1.5\": " MINUTE_WORDS },
		{ "1-2-3 0 * * *", "minute \"1-2-3\": " MINUTE_WORDS },
		{ "1- 0 * * *", "minute \"1-\": " MINUTE_WORDS },
		{ "*-5 0 * * *", "minute \"*-5\": " MINUTE_WORDS },
		{ "** 0 * * *", "minute \"**\": " MINUTE_WORDS },
		{ "5-60 0 * * *", "minute \"5-60\": " MINUTE_WORDS },
		{ "4294967296 0 * * *", "minute \"4294967296\": " MINUTE_WORDS },
		{ "0,jan 0 * * *", "minute \"jan\": " MINUTE_WORDS },
		{ "9-5 0 * * *",
		  "minute \"9-5\": expected a range whose first number is not above its last" },
		{ "*/0 0 * * *", "minute \"*/0\": expected a number above 0 behind /" },
		{ "*/ 0 * * *", "minute \"*/\": expected a number above 0 behind /" },
		{ "1/2/3 0 * * *", "minute \"1/2/3\": expected a number above 0 behind /" },
		{ "*/-1 0 * * *", "minute \"*/-1\": expected a number above 0 behind /" },
		{ "0 24 * * *", "hour \"24\": expected a number from 0 to 23" },
		{ "0 0 0 * *", "day of month \"0\": expected a number from 1 to 31" },
		{ "0 0 32 * *", "day of month \"32\": expected a number from 1 to 31" },
		{ "0 0 L * *", "day of month \"L\": expected a number from 1 to 31" },
		{ "0 0 1 13 *", "month \"13\": expected a number from 1 to 12 or a name from jan "
				"to dec" },
		{ "0 0 * * 7", "day of week \"7\": " WEEKDAY_WORDS },
		{ "0 0 * * monday", "day of week \"monday\": " WEEKDAY_WORDS },
		{ "0 0 * * XYZ", "day of week \"XYZ\": " WEEKDAY_WORDS },
		{ "0 0 * * fri-sun", "day of week \"fri-sun\": expected a range whose first "
				     "number is not above its last" },
		{ "@reboot", "\"@reboot\": " WORD_WORDS },
		{ "@Daily", "\"@Daily\": " WORD_WORDS },
		{ "@daily ", "\"@daily \": " WORD_WORDS },
		{ "@every", "\"@every\": " WORD_WORDS },
		{ "@every 5", "@every \"5\": expected a duration like 1h30m" },
		{ "@every 1d", "@every \"1d\": expected a duration like 1h30m" },
		{ "TZ=UTC 0 0 * * *", "\"TZ=UTC 0 0 * * *\": expected no time zone in the "
				      "schedule, it belongs to timeZone" },
		{ "CRON_TZ=UTC @daily", "\"CRON_TZ=UTC @daily\": expected no time zone in the "
					"schedule, it belongs to timeZone" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cron c;
		struct err err = { 0 };

		if (cron_parse(rows[i].text, &c, &err) != -EINVAL)
			fail_msg("accepted: %s", rows[i].text);
		assert_string_equal(err.msg, rows[i].message);
	}
}

static void test_every(void **state)
{
	static const struct { const char *text, *after, *next; } rows[] = {
		{ "@every 1h30m", "2026-11-21T10:00:00Z", "2026-11-21T11:30:00Z" },
		{ "@every 90s", "2026-11-21T10:00:00.75Z", "2026-11-21T10:01:30Z" },
		{ "@every 1500ms", "2026-11-21T10:00:00Z", "2026-11-21T10:00:01Z" },
		{ "@every 5ns", "2026-11-21T10:00:00Z", "2026-11-21T10:00:01Z" },
		{ "@every -1h", "2026-11-21T10:00:00Z", "2026-11-21T10:00:01Z" },
	};
	struct cron c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		c = schedule(rows[i].text);
		assert_int_equal(cron_next(&c, NULL, at(rows[i].after)), at(rows[i].next));
	}
	assert_int_equal(cron_next(&c, NULL, INT64_MAX), 0);
}

static void test_far_and_never(void **state)
{
	static const struct { const char *text, *after, *next; } rows[] = {
		{ "0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z" },
		{ "0 0 29 2 mon", "2026-03-01T00:00:00Z", "2027-02-01T00:00:00Z" },
		{ "59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z" },
		{ "59 23 31 12 *", "2026-12-31T23:58:59.999Z", "2026-12-31T23:59:00Z" },
		{ "0 0 30 2 *", "2026-01-01T00:00:00Z", NULL },
		{ "0 0 31 4,6,9,11 *", "2026-01-01T00:00:00Z", NULL },
		{ ", * * * *", "2026-01-01T00:00:00Z", NULL },
		{ "* , * * *", "2026-01-01T00:00:00Z", NULL },
		{ "* * , * ,", "2026-01-01T00:00:00Z", NULL },
		{ "* * * , *", "2026-01-01T00:00:00Z", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cron c = schedule(rows[i].text);

		if (cron_next(&c, NULL, at(rows[i].after)) != (rows[i].next ? at(rows[i].next) : 0))
			fail_msg("%s after %s", rows[i].text, rows[i].after);
	}
	struct cron c = schedule("* * * * *");
	assert_int_equal(cron_next(&c, NULL, INT64_MAX), 0);
	assert_true(cron_next(&c, NULL, INT64_MIN) < 0);
}

/* ---- against every minute ---- */

static bool matches(const struct cron *c, int64_t local)
{
	int64_t days = floor_div(local, 86400), in_day = local - days * 86400;
	struct date d = date_of(days);
	bool day = c->days >> d.day & 1, weekday = c->weekdays >> date_weekday(days) & 1;

	return in_day % 60 == 0 && (c->minutes >> in_day / 60 % 60 & 1) &&
	       (c->hours >> in_day / 3600 & 1) && (c->months >> d.month & 1) &&
	       (c->both ? day && weekday : day || weekday);
}

static int64_t by_trial(const struct cron *c, const struct zone *z, int64_t after, int64_t limit)
{
	for (int64_t t = after / NSEC + 1; t < limit / NSEC; t++) {
		t += (60 - t % 60) % 60;	/* offsets are whole minutes in these years */
		if (matches(c, t + zone_at(z, t).offset))
			return t * NSEC;
	}
	return limit;
}

/* Days on which clocks change, by an hour, half an hour, or a whole day. */
static void test_every_minute(void **state)
{
	static const struct { const char *zone, *from; } changes[] = {
		{ NULL, "2026-02-27T00:00:00Z" },
		{ "America/New_York", "2026-03-07T05:00:00Z" },
		{ "America/New_York", "2026-10-31T04:00:00Z" },
		{ "Europe/Berlin", "2037-03-28T00:00:00Z" },
		{ "Europe/Dublin", "2050-10-29T12:00:00Z" },
		{ "Australia/Lord_Howe", "2026-04-04T00:00:00Z" },
		{ "Australia/Lord_Howe", "2026-10-02T20:00:00Z" },
		{ "Pacific/Apia", "2011-12-29T00:00:00Z" },
		{ "Africa/Casablanca", "2026-02-14T00:00:00Z" },
		{ "America/Santiago", "2026-09-05T12:00:00Z" },
		{ "Asia/Kathmandu", "2026-12-30T12:00:00Z" },
	};
	static const char *const schedules[] = {
		"*/7 * * * *", "30 2 * * *", "0 0 * * *", "59 23 30,31 * *", "15 0-3/2 * * 0",
		"0,30 1 1 * fri", "45 1,2 * mar,apr,oct *", "0 */5 */2 * sat", "@hourly",
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes) * ARRAY_SIZE(schedules); i++) {
		__typeof__(&changes[0]) change = &changes[i / ARRAY_SIZE(schedules)];
		const char *text = schedules[i % ARRAY_SIZE(schedules)];
		const struct zone *z = zone(&a, change->zone);
		struct cron c = schedule(text);
		int64_t t = at(change->from), limit = t + 72 * 3600 * NSEC;

		while (t < limit) {
			int64_t next = cron_next(&c, z, t), expected = by_trial(&c, z, t, limit);

			if (expected < limit ? next != expected : next && next < limit)
				fail_msg("%s in %s from %s: after %lld %lld, not %lld", text,
					 change->zone, change->from, (long long)(t / NSEC),
					 (long long)(next / NSEC), (long long)(expected / NSEC));
			t = expected;
		}
	}
	arena_release(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fires_at),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every),
		cmocka_unit_test(test_far_and_never),
		cmocka_unit_test(test_every_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
