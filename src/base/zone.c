/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TZif files (RFC 9636, versions 1 to 4). Up to its last transition the table of the file says what
 * holds; from there on the POSIX TZ string at the end of the file, which repeats every year. The
 * file is read with bounds at every step: nothing in it is trusted. Names of offsets ("CEST") and
 * whether they count as daylight saving are of no use here and are skipped.
 */
#include "base/zone.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/units.h"

#define FILE_MAX (1 << 20)
#define DAY 86400
/*
 * While rules hold: years that date_of() knows, with room for the ones around them. Before and after
 * it is standard time.
 */
#define RULE_FROM (-62000000000LL)	/* the year 5 */
#define RULE_TO 253000000000LL		/* the year 9987 */

/* A day of the year and a local time of that day: "M3.5.0/2", "J60", "59". */
struct when {
	enum { JULIAN, ZERO_BASED, MONTH } form;
	unsigned day;			/* MONTH: of the week, 0 is Sunday */
	unsigned month, week;		/* week 5 is the last */
	int32_t time;			/* from -167 to 167 hours */
};

struct rule {
	int32_t standard, daylight;	/* offsets */
	bool changes;			/* else it is always standard time */
	struct when start, end;		/* of daylight saving time */
};

struct zone {
	uint32_t n;
	int64_t *at;			/* ascending */
	int32_t *offset;		/* from at[i] on */
	int32_t before;			/* the first transition */
	const struct rule *rule;	/* after the last transition; NULL: as that says */
};

/* ---- the POSIX TZ string ---- */

static bool take(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool number(const char **s, unsigned low, unsigned high, unsigned *ret)
{
	unsigned v = 0;
	const char *p = *s;

	for (; isdigit((unsigned char)*p) && v <= high; p++)
		v = v * 10 + (unsigned)(*p - '0');
	if (p == *s || v < low || v > high)
		return false;
	*s = p;
	*ret = v;
	return true;
}

/* "CET" or "<+03>". */
static bool skip_name(const char **s)
{
	const char *p = *s;
	bool quoted = take(&p, '<');
	const char *first = p;

	while (isalpha((unsigned char)*p) || (quoted && *p && strchr("+-0123456789", *p)))
		p++;
	if (p - first < 3 || (quoted && !take(&p, '>')))
		return false;
	*s = p;
	return true;
}

/* "[+-]hh[:mm[:ss]]" in seconds. */
static bool hours(const char **s, unsigned max, int32_t *ret)
{
	unsigned h, m = 0, sec = 0;
	bool negative = take(s, '-');

	if (!negative)
		take(s, '+');
	if (!number(s, 0, max, &h))
		return false;
	if (take(s, ':') && (!number(s, 0, 59, &m) || (take(s, ':') && !number(s, 0, 59, &sec))))
		return false;
	*ret = (negative ? -1 : 1) * (int32_t)(h * 3600 + m * 60 + sec);
	return true;
}

/* The string counts what is west of Greenwich as positive. */
static bool offset_west(const char **s, int32_t *ret)
{
	if (!hours(s, 24, ret))
		return false;
	*ret = -*ret;
	return true;
}

static bool parse_when(const char **s, struct when *ret)
{
	bool ok;

	*ret = (struct when){ .time = 2 * 3600 };
	if (take(s, 'M')) {
		ret->form = MONTH;
		ok = number(s, 1, 12, &ret->month) && take(s, '.') &&
		     number(s, 1, 5, &ret->week) && take(s, '.') && number(s, 0, 6, &ret->day);
	} else {
		ret->form = take(s, 'J') ? JULIAN : ZERO_BASED;
		ok = number(s, ret->form == JULIAN, 365, &ret->day);
	}
	return ok && (!take(s, '/') || hours(s, 167, &ret->time));
}

static bool parse_rule(const char *s, struct rule *ret)
{
	*ret = (struct rule){ 0 };
	if (!skip_name(&s) || !offset_west(&s, &ret->standard))
		return false;
	if (!*s)
		return true;
	if (!skip_name(&s))
		return false;
	ret->changes = true;
	ret->daylight = ret->standard + 3600;
	if (*s != ',' && !offset_west(&s, &ret->daylight))
		return false;
	return take(&s, ',') && parse_when(&s, &ret->start) && take(&s, ',') &&
	       parse_when(&s, &ret->end) && !*s;
}

static int64_t month_day(const struct when *w, unsigned year)
{
	int64_t first = date_days((struct date){ year, w->month, 1 });
	unsigned day = (w->day + 7 - date_weekday(first)) % 7 + 7 * (w->week - 1);

	return first + day - (day >= date_month_days(year, w->month) ? 7 : 0);
}

/* In seconds of local time. */
static int64_t when_in(const struct when *w, unsigned year)
{
	int64_t new_year = date_days((struct date){ year, 1, 1 });
	bool leap = date_month_days(year, 2) == 29;
	int64_t day;

	switch (w->form) {
	case MONTH:
		day = month_day(w, year);
		break;
	case JULIAN:	/* February 29 has no number */
		day = new_year + w->day - 1 + (leap && w->day >= 60);
		break;
	default:
		day = new_year + w->day;
	}
	return day * DAY + w->time;
}

/*
 * The changes of some years around, of which the last one not after t holds. Where an end and the
 * next start are at the same second, daylight saving time is in force all year.
 */
static struct zone_span rule_at(const struct rule *r, int64_t t)
{
	bool before = t < RULE_FROM, after = t >= RULE_TO;
	struct zone_span span = {
		r->standard, !r->changes || after ? INT64_MAX : before ? RULE_FROM : RULE_TO,
	};
	int64_t since = INT64_MIN;

	if (!r->changes || before || after)
		return span;
	unsigned year = date_of(floor_div(t, DAY)).year;
	for (unsigned i = 0; i < 10; i++) {
		bool starts = i % 2;
		unsigned y = year - 2 + i / 2;
		int64_t at = starts ? when_in(&r->start, y) - r->standard :
				      when_in(&r->end, y) - r->daylight;

		if (at > t) {
			span.until = MIN(span.until, at);
		} else if (at > since || (at == since && starts)) {
			since = at;
			span.offset = starts ? r->daylight : r->standard;
		}
	}
	return span;
}

/* ---- the file ---- */

struct reader {
	const uint8_t *at;
	size_t left;
};

static const uint8_t *bytes(struct reader *r, uint64_t n)
{
	const uint8_t *p = r->at;

	if (n > r->left)
		return NULL;
	r->at += n;
	r->left -= n;
	return p;
}

/* Big-endian, two's complement. */
static int64_t integer(const uint8_t *p, unsigned width)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v = v << 8 | p[i];
	return width == 4 ? (int32_t)v : (int64_t)v;
}

/* In the order of the file. */
enum { ISUT, ISSTD, LEAP, TIMES, TYPES, CHARS, COUNTS };

struct header {
	char version;
	uint32_t count[COUNTS];
};

static bool read_header(struct reader *r, struct header *ret)
{
	const uint8_t *p = bytes(r, 20 + 4 * COUNTS);

	if (!p || memcmp(p, "TZif", 4) != 0)
		return false;
	ret->version = (char)p[4];
	for (unsigned i = 0; i < COUNTS; i++)
		ret->count[i] = (uint32_t)integer(p + 20 + 4 * i, 4);
	return true;
}

static uint64_t body_size(const struct header *h, unsigned width)
{
	const unsigned each[COUNTS] = {
		[ISUT] = 1, [ISSTD] = 1, [LEAP] = width + 4, [TIMES] = width + 1, [TYPES] = 6,
		[CHARS] = 1,
	};
	uint64_t sum = 0;

	for (unsigned i = 0; i < COUNTS; i++)
		sum += (uint64_t)h->count[i] * each[i];
	return sum;
}

/* Offset of a type of local time. RFC 9636, 3.2: more than -25 and less than 26 hours. */
static bool type_offset(const uint8_t *types, uint32_t ntypes, unsigned i, int32_t *ret)
{
	if (i >= ntypes)
		return false;
	*ret = (int32_t)integer(types + 6 * i, 4);
	return *ret > -25 * 3600 && *ret < 26 * 3600;
}

/* The transitions; what is wrong, or NULL. */
static const char *read_body(struct arena *a, struct reader *r, const struct header *h,
			     unsigned width, struct zone *z)
{
	const uint32_t *count = h->count;

	if (body_size(h, width) > r->left)
		return "it is cut short";
	if (count[LEAP])
		return "it counts leap seconds, which the system's clock does not";
	const uint8_t *at = bytes(r, (uint64_t)count[TIMES] * width);
	const uint8_t *index = bytes(r, count[TIMES]);
	const uint8_t *types = bytes(r, (uint64_t)count[TYPES] * 6);
	bytes(r, (uint64_t)count[CHARS] + count[ISSTD] + count[ISUT]);
	if (!type_offset(types, count[TYPES], 0, &z->before))
		return "its first offset is out of range";
	z->n = count[TIMES];
	z->at = arena_array(a, int64_t, z->n);
	z->offset = arena_array(a, int32_t, z->n);
	for (uint32_t i = 0; i < z->n; i++) {
		z->at[i] = integer(at + (size_t)i * width, width);
		if (i && z->at[i] <= z->at[i - 1])
			return "its transitions are out of order";
		if (!type_offset(types, count[TYPES], index[i], &z->offset[i]))
			return "an offset is out of range";
	}
	return NULL;
}

/* "\nTZ\n" at the end; the string may be empty. */
static const char *read_rule(struct arena *a, struct reader *r, struct zone *z)
{
	const uint8_t *p = bytes(r, 1);
	const uint8_t *end = p && *p == '\n' ? memchr(r->at, '\n', r->left) : NULL;
	struct rule rule;

	if (!end)
		return "its last line is cut short";
	if (end == r->at)
		return NULL;
	if (!parse_rule(arena_strndup(a, (const char *)r->at, (size_t)(end - r->at)), &rule))
		return "its last line is no rule for the time after the table";
	struct rule *copy = arena_new(a, struct rule);
	*copy = rule;
	z->rule = copy;
	return NULL;
}

static const char *read_file(struct arena *a, struct reader *r, struct zone *z)
{
	struct header h;

	if (!read_header(r, &h))
		return "it is no TZif file";
	if (!h.version)
		return read_body(a, r, &h, 4, z);
	/* what follows first is for readers of version 1 */
	if (!bytes(r, body_size(&h, 4)) || !read_header(r, &h))
		return "it is cut short";
	const char *problem = read_body(a, r, &h, 8, z);
	return problem ? problem : read_rule(a, r, z);
}

int zone_parse(struct arena *a, const void *data, size_t n, const struct zone **ret,
	       struct err *err)
{
	struct reader r = { data, n };
	struct zone *z = arena_new(a, struct zone);
	const char *problem = read_file(a, &r, z);

	if (problem)
		return err_set(err, -EINVAL, "time zone file: %s", problem);
	*ret = z;
	return 0;
}

/* ---- names ---- */

static bool is_part(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)s[i]) && !strchr("+-_.", s[i]))
			return false;
	}
	return n && s[0] != '-' && !(n <= 2 && !strncmp(s, "..", n));
}

const char *zone_name_problem(const char *name)
{
	if (!strcasecmp(name, "Local"))
		return "expected the name of a time zone like Europe/Berlin, \"Local\" is none";
	for (const char *s = name;; s++) {
		size_t n = strcspn(s, "/");
		if (!is_part(s, n))
			return "expected the name of a time zone like Europe/Berlin";
		s += n;
		if (!*s)
			return NULL;
	}
}

int zone_load(struct arena *a, const char *name, const char *dir, const struct zone **ret,
	      struct err *err)
{
	const char *problem = zone_name_problem(name);
	BUF_AUTO path = { 0 };
	BUF_AUTO text = { 0 };

	if (problem)
		return err_set(err, -EINVAL, "\"%s\": %s", name, problem);
	if (streq(name, "UTC")) {	/* with or without a database */
		*ret = NULL;
		return 0;
	}
	buf_printf(&path, "%s/%s", dir, name);
	int r = file_read(buf_str(&path), FILE_MAX, &text, err);
	if (r == -ENOENT || r == -ENOTDIR || r == -EISDIR)
		return err_set(err, -ENOENT, "there is no time zone \"%s\" in %s", name, dir);
	if (r == 0)
		r = zone_parse(a, buf_str(&text), text.len, ret, err);
	if (r < 0)
		err_prefix(err, "%s", name);
	return r;
}

struct zone_span zone_at(const struct zone *z, int64_t seconds)
{
	uint32_t low = 0, high;

	if (!z)
		return (struct zone_span){ 0, INT64_MAX };
	high = z->n;
	while (low < high) {	/* to the number of transitions that have been */
		uint32_t mid = low + (high - low) / 2;
		if (z->at[mid] <= seconds)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == z->n && z->rule)
		return rule_at(z->rule, seconds);
	return (struct zone_span){
		low ? z->offset[low - 1] : z->before, low < z->n ? z->at[low] : INT64_MAX,
	};
}
