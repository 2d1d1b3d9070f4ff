/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times and durations. The calendar is the proleptic Gregorian one, computed here in integers:
 * the C library's brings time zone data and locale with it, and the shim stamps every log line.
 */
#include "base/units.h"

#include <errno.h>
#include <time.h>

#include "base/macro.h"

#define DAY (24 * 3600LL)

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

int64_t time_now(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t time_mono(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/*
 * Years that start in March put the leap day last: then a date is a linear formula of the day
 * number in its 400-year era (146097 days). 719468 days lie between 0000-03-01 and 1970-01-01.
 */
int64_t date_days(struct date d)
{
	int64_t year = (int64_t)d.year - (d.month <= 2);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t in_era = year - era * 400;
	int64_t in_year = (153 * (d.month > 2 ? d.month - 3 : d.month + 9) + 2) / 5 + d.day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

struct date date_of(int64_t days)
{
	days += 719468;		/* positive for every time that fits in 64 bits of nanoseconds */
	int64_t era = days / 146097, in_era = days % 146097;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * in_year + 2) / 153;
	unsigned month = (unsigned)(m < 10 ? m + 3 : m - 9);

	return (struct date){
		.year = (unsigned)(y + era * 400 + (month <= 2)),
		.month = month,
		.day = (unsigned)(in_year - (153 * m + 2) / 5 + 1),
	};
}

unsigned date_month_days(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

unsigned date_weekday(int64_t days)
{
	int64_t w = (days + 4) % 7;	/* 1970-01-01 was a Thursday */

	return (unsigned)(w < 0 ? w + 7 : w);
}

static char *put(char *p, unsigned v, unsigned width)
{
	for (unsigned i = width; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + width;
}

/* Writes date and time up to the seconds; the nanoseconds within. */
static unsigned format(int64_t ns, char **p)
{
	int64_t s = ns / NSEC, frac = ns % NSEC;

	if (frac < 0) {
		frac += NSEC;
		s--;
	}
	int64_t days = s / DAY, in_day = s % DAY;
	if (in_day < 0) {
		in_day += DAY;
		days--;
	}
	struct date d = date_of(days);
	const struct { unsigned v, width; char after; } parts[] = {
		{ d.year, 4, '-' }, { d.month, 2, '-' }, { d.day, 2, 'T' },
		{ (unsigned)(in_day / 3600), 2, ':' }, { (unsigned)(in_day / 60 % 60), 2, ':' },
		{ (unsigned)(in_day % 60), 2, 'Z' },
	};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		*p = put(*p, parts[i].v, parts[i].width);
		*(*p)++ = parts[i].after;
	}
	return (unsigned)frac;
}

void time_format(int64_t ns, char ret[32])
{
	format(ns, &ret);
	*ret = '\0';
}

void time_format_nano(int64_t ns, char ret[40])
{
	unsigned frac = format(ns, &ret);

	ret[-1] = '.';
	ret = put(ret, frac, 9);
	ret[0] = 'Z';
	ret[1] = '\0';
}

/* Exactly width digits within a range. */
static bool field(const char **s, unsigned width, unsigned low, unsigned high, unsigned *ret)
{
	unsigned v = 0;

	for (unsigned i = 0; i < width; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (unsigned)(**s - '0');
	}
	*ret = v;
	return v >= low && v <= high;
}

static bool literal(const char **s, char c)
{
	return *(*s)++ == c;
}

static bool parse_seconds(const char **s, int64_t *ret)
{
	unsigned hour, min, sec;
	struct date d;

	if (!field(s, 4, 0, 9999, &d.year) || !literal(s, '-') || !field(s, 2, 1, 12, &d.month) ||
	    !literal(s, '-') || !field(s, 2, 1, date_month_days(d.year, d.month), &d.day) ||
	    !literal(s, 'T') || !field(s, 2, 0, 23, &hour) || !literal(s, ':') ||
	    !field(s, 2, 0, 59, &min) || !literal(s, ':') || !field(s, 2, 0, 59, &sec))
		return false;
	*ret = date_days(d) * DAY + hour * 3600 + min * 60 + sec;
	return true;
}

/* Digits after a point, as that fraction of unit, rounded down; what is below 1e-18 is dropped. */
static int64_t fraction(const char **s, int64_t unit)
{
	int64_t v = 0, scale = 1;

	for (; **s >= '0' && **s <= '9'; (*s)++) {
		if (scale < NSEC * NSEC) {
			v = v * 10 + (**s - '0');
			scale *= 10;
		}
	}
	return (int64_t)((__int128)v * unit / scale);
}

/* "Z" or "+hh:mm": seconds east of Greenwich. */
static bool parse_zone(const char **s, int64_t *ret)
{
	unsigned hour, min;
	char c = *(*s)++;

	*ret = 0;
	if (c == 'Z')
		return true;
	if (c != '+' && c != '-')
		return false;
	if (!field(s, 2, 0, 23, &hour) || !literal(s, ':') || !field(s, 2, 0, 59, &min))
		return false;
	*ret = (c == '+' ? 1 : -1) * (int64_t)(hour * 3600 + min * 60);
	return true;
}

int time_parse(const char *s, int64_t *ret)
{
	int64_t seconds, zone, frac = 0, ns;

	if (!parse_seconds(&s, &seconds))
		return -EINVAL;
	if (*s == '.') {
		const char *digits = ++s;
		frac = fraction(&s, NSEC);
		if (s == digits)
			return -EINVAL;
	}
	if (!parse_zone(&s, &zone) || *s)
		return -EINVAL;
	if (__builtin_mul_overflow(seconds - zone, NSEC, &ns) ||
	    __builtin_add_overflow(ns, frac, &ns))
		return -ERANGE;
	*ret = ns;
	return 0;
}

/*
 * How kubectl prints ages. Below limit the value is shown in units of big, with the remainder in
 * units of small when there is one; the first row that applies counts.
 */
static const struct {
	int64_t limit, big, small;	/* seconds; small 0: no remainder */
	const char *with, *without;
} ages[] = {
	{ 120, 1, 0, NULL, "%llds" },
	{ 600, 60, 1, "%lldm%llds", "%lldm" },
	{ 3 * 3600, 60, 0, NULL, "%lldm" },
	{ 8 * 3600, 3600, 60, "%lldh%lldm", "%lldh" },
	{ 2 * DAY, 3600, 0, NULL, "%lldh" },
	{ 8 * DAY, DAY, 3600, "%lldd%lldh", "%lldd" },
	{ 2 * 365 * DAY, DAY, 0, NULL, "%lldd" },
	{ 8 * 365 * DAY, 365 * DAY, DAY, "%lldy%lldd", "%lldy" },
	{ INT64_MAX, 365 * DAY, 0, NULL, "%lldy" },
};

void duration_human(int64_t ns, char ret[16])
{
	int64_t s = ns / NSEC;
	size_t i = 0;

	if (s < -1) {
		snprintf(ret, 16, "<invalid>");
		return;
	}
	s = MAX(s, (int64_t)0);
	while (s >= ages[i].limit)
		i++;
	long long big = s / ages[i].big;
	long long small = ages[i].small ? s % ages[i].big / ages[i].small : 0;
	if (small)
		snprintf(ret, 16, ages[i].with, big, small);
	else
		snprintf(ret, 16, ages[i].without, big);
}

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ns", 1 }, { "us", 1000 }, { "µs", 1000 }, { "μs", 1000 }, { "ms", MSEC },
	{ "s", NSEC }, { "m", 60 * NSEC }, { "h", 3600 * NSEC },
};

/* The unit is everything up to the next number. */
static int64_t unit_at(const char **s)
{
	size_t n = strcspn(*s, ".0123456789");

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == n && !memcmp(units[i].name, *s, n)) {
			*s += n;
			return units[i].ns;
		}
	}
	return 0;
}

/* One "1.5h"; adds it to *sum. */
static int parse_term(const char **s, int64_t *sum)
{
	int64_t whole = 0, value;
	const char *start = *s, *digits = NULL;

	for (; **s >= '0' && **s <= '9'; (*s)++) {
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, **s - '0', &whole))
			return -ERANGE;
	}
	bool any = *s > start;
	if (**s == '.') {
		digits = ++*s;
		*s += strspn(*s, "0123456789");
		any = any || *s > digits;
	}
	int64_t unit = any ? unit_at(s) : 0;
	if (!unit)
		return -EINVAL;
	int64_t part = digits ? fraction(&digits, unit) : 0;
	if (__builtin_mul_overflow(whole, unit, &value) ||
	    __builtin_add_overflow(value, part, &value) ||
	    __builtin_add_overflow(*sum, value, sum))
		return -ERANGE;
	return 0;
}

int duration_parse(const char *s, int64_t *ret)
{
	int64_t sum = 0;
	bool negative = *s == '-';

	if (*s == '-' || *s == '+')
		s++;
	if (streq(s, "0")) {
		*ret = 0;
		return 0;
	}
	do {
		int r = parse_term(&s, &sum);
		if (r < 0)
			return r;
	} while (*s);
	*ret = negative ? -sum : sum;
	return 0;
}
