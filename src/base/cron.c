/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cron. A schedule is five sets of small numbers; its next time is searched in the calendar of
 * local time, in one stretch of constant offset from UTC after the other, by months, days and then
 * the bits of a day. The grammar is the one of Kubernetes: seven is no Sunday, N/STEP runs to the
 * end of the field, and * or ? in one of the day fields leaves the day to the other.
 */
#include "base/cron.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "base/macro.h"
#include "base/units.h"

#define DAY 86400
#define DAY_MINUTES 1440
/* February 29 may be 8 years away, and clocks may skip a time of day on it. */
#define HORIZON (12 * 366LL * DAY)
#define NUMBER_MAX 100000

static const char month_names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char weekday_names[] = "sunmontuewedthufrisat";

static const struct field {
	const char *name;
	unsigned min, max;
	const char *names;		/* three letters each, from min on */
	const char *expected;
} fields[] = {
	{ "minute", 0, 59, NULL, "a number from 0 to 59" },
	{ "hour", 0, 23, NULL, "a number from 0 to 23" },
	{ "day of month", 1, 31, NULL, "a number from 1 to 31" },
	{ "month", 1, 12, month_names, "a number from 1 to 12 or a name from jan to dec" },
	{ "day of week", 0, 6, weekday_names,
	  "a number from 0 (Sunday) to 6 or a name from sun to sat" },
};
#define FIELDS ARRAY_SIZE(fields)

static const struct {
	const char *word, *means;
} words[] = {
	{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
	{ "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" }, { "@midnight", "0 0 * * *" },
	{ "@hourly", "0 * * * *" },
};

/* ---- parsing ---- */

/* A piece of the schedule. */
struct text {
	const char *s;
	size_t n;
};

/* Up to the first c in what is left of t; false when there is no c. */
static bool split(struct text t, char c, struct text *ret_before, struct text *ret_after)
{
	const char *at = memchr(t.s, c, t.n);

	*ret_before = t;
	if (!at)
		return false;
	ret_before->n = (size_t)(at - t.s);
	*ret_after = (struct text){ at + 1, t.n - ret_before->n - 1 };
	return true;
}

static bool number(struct text t, unsigned *ret)
{
	unsigned v = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (!isdigit((unsigned char)t.s[i]))
			return false;
		v = MIN(v * 10 + (unsigned)(t.s[i] - '0'), (unsigned)NUMBER_MAX);
	}
	*ret = v;
	return t.n;
}

static bool number_or_name(const struct field *f, struct text t, unsigned *ret)
{
	for (unsigned i = 0; f->names && t.n == 3 && i <= f->max - f->min; i++) {
		if (!strncasecmp(f->names + 3 * i, t.s, 3)) {
			*ret = f->min + i;
			return true;
		}
	}
	return number(t, ret) && *ret >= f->min && *ret <= f->max;
}

static int fail(const struct field *f, struct text t, struct err *err, const char *expected)
{
	return err_set(err, -EINVAL, "%s \"%.*s\": expected %s", f->name, (int)MIN(t.n, (size_t)60),
		       t.s, expected);
}

/* N, N-M, * or ?, each with /STEP or without: adds to *set; *any for all without a step. */
static int parse_item(const struct field *f, struct text item, uint64_t *set, bool *any,
		      struct err *err)
{
	struct text range, step_text, first, last;
	unsigned low = f->min, high = f->max, step = 1;
	bool stepped = split(item, '/', &range, &step_text);
	bool ranged = split(range, '-', &first, &last);
	bool all = range.n == 1 && (*range.s == '*' || *range.s == '?');

	if (!all && (!number_or_name(f, first, &low) ||
		     (ranged && !number_or_name(f, last, &high))))
		return fail(f, item, err, f->expected);
	if (stepped && (!number(step_text, &step) || !step))
		return fail(f, item, err, "a number above 0 behind /");
	if (!all && !ranged && !stepped)
		high = low;
	if (low > high)
		return fail(f, item, err, "a range whose first number is not above its last");
	for (unsigned v = low; v <= high; v += step)
		*set |= UINT64_C(1) << v;
	*any |= all && step == 1;
	return 0;
}

/* Items between commas; none between two commas is no mistake. */
static int parse_field(const struct field *f, struct text t, uint64_t *set, bool *any,
		       struct err *err)
{
	bool more = true;
	int r = 0;

	while (more && r == 0) {
		struct text item;

		more = split(t, ',', &item, &t);
		if (item.n)
			r = parse_item(f, item, set, any, err);
	}
	return r;
}

/* Words between blanks; how many there are, all counted though only FIELDS are returned. */
static unsigned split_words(const char *s, struct text ret[FIELDS])
{
	static const char blanks[] = " \t\n\v\f\r";
	unsigned n = 0;

	for (s += strspn(s, blanks); *s; n++) {
		struct text t = { s, strcspn(s, blanks) };

		if (n < FIELDS)
			ret[n] = t;
		s += t.n;
		s += strspn(s, blanks);
	}
	return n;
}

static int parse_fields(const char *s, struct cron *ret, struct err *err)
{
	struct text text[FIELDS];
	uint64_t set[FIELDS] = { 0 };
	bool any[FIELDS] = { false };
	unsigned n = split_words(s, text);

	if (n != FIELDS)
		return err_set(err, -EINVAL, "expected 5 fields (minute, hour, day of month, month, "
			       "day of week) or a word like @daily, found %u field%s", n,
			       n == 1 ? "" : "s");
	for (unsigned i = 0; i < FIELDS; i++) {
		int r = parse_field(&fields[i], text[i], &set[i], &any[i], err);
		if (r < 0)
			return r;
	}
	*ret = (struct cron){
		.minutes = set[0],
		.hours = (uint32_t)set[1],
		.days = (uint32_t)set[2],
		.months = (uint32_t)set[3],
		.weekdays = (uint32_t)set[4],
		.both = any[2] || any[4],
	};
	return 0;
}

/* Whole seconds, at least one. */
static int parse_every(const char *s, struct cron *ret, struct err *err)
{
	int64_t ns;

	if (duration_parse(s, &ns) < 0)
		return err_set(err, -EINVAL, "@every \"%.60s\": expected a duration like 1h30m", s);
	*ret = (struct cron){ .every = MAX(ns - ns % NSEC, NSEC) };
	return 0;
}

static int parse_word(const char *s, struct cron *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (streq(words[i].word, s))
			return parse_fields(words[i].means, ret, err);
	}
	if (!strncmp(s, "@every ", 7))
		return parse_every(s + 7, ret, err);
	return err_set(err, -EINVAL, "\"%.60s\": expected @yearly, @annually, @monthly, @weekly, "
		       "@daily, @midnight, @hourly or \"@every DURATION\"", s);
}

int cron_parse(const char *s, struct cron *ret, struct err *err)
{
	if (!strncmp(s, "TZ=", 3) || !strncmp(s, "CRON_TZ=", 8))
		return err_set(err, -EINVAL, "\"%.60s\": expected no time zone in the schedule, it "
			       "belongs to timeZone", s);
	return (*s == '@' ? parse_word : parse_fields)(s, ret, err);
}

/* ---- the next time ---- */

static bool day_matches(const struct cron *c, unsigned day, unsigned weekday)
{
	bool in_month = c->days >> day & 1, in_week = c->weekdays >> weekday & 1;

	return c->both ? in_month && in_week : in_month || in_week;
}

/* The first day that matches, from day on; end when none is before it. */
static int64_t next_day(const struct cron *c, int64_t day, int64_t end)
{
	while (day < end) {
		struct date d = date_of(day);

		if (!(c->months >> d.month & 1))
			day += date_month_days(d.year, d.month) - d.day + 1;
		else if (day_matches(c, d.day, date_weekday(day)))
			return day;
		else
			day++;
	}
	return end;
}

/* The first minute of a day that matches, from minute on; -1: none. */
static int next_minute(const struct cron *c, unsigned minute)
{
	unsigned hour = minute / 60;
	uint64_t rest = c->minutes >> minute % 60;

	if ((c->hours >> hour & 1) && rest)
		return (int)minute + __builtin_ctzll(rest);
	uint32_t later = c->hours >> (hour + 1);
	if (!later || !c->minutes)
		return -1;
	return ((int)hour + 1 + __builtin_ctz(later)) * 60 + __builtin_ctzll(c->minutes);
}

/* In seconds of local time: the first match from the second from on and before end. */
static bool next_local(const struct cron *c, int64_t from, int64_t end, int64_t *ret)
{
	int64_t minute = floor_div(from + 59, 60);
	int64_t first = floor_div(minute, DAY_MINUTES), end_day = floor_div(end, DAY) + 1;

	for (int64_t day = first; (day = next_day(c, day, end_day)) < end_day; day++) {
		int m = next_minute(c, day > first ? 0 : (unsigned)(minute - first * DAY_MINUTES));

		if (m >= 0) {
			*ret = day * DAY + m * 60;
			return *ret < end;
		}
	}
	return false;
}

static int64_t next_every(const struct cron *c, int64_t after)
{
	int64_t ns;

	if (__builtin_mul_overflow(after, NSEC, &ns) ||
	    __builtin_add_overflow(ns, c->every, &ns))
		return 0;
	return ns;
}

int64_t cron_next(const struct cron *c, const struct zone *z, int64_t after)
{
	int64_t from = floor_div(after, NSEC) + 1;
	int64_t end = MIN(from + HORIZON, INT64_MAX / NSEC), local;

	if (c->every)
		return next_every(c, from - 1);
	while (from < end) {
		struct zone_span span = zone_at(z, from);
		int64_t stop = MIN(span.until, end);

		if (next_local(c, from + span.offset, stop + span.offset, &local))
			return (local - span.offset) * NSEC;
		from = stop;
	}
	return 0;
}
