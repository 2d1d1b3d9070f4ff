/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kubernetes quantities. A number is parsed into its digits, a power of ten and a power of 1024,
 * and then becomes a whole number of nano units in 128 bits, rounded away from zero; every step
 * is exact. Canonical text keeps the family of the input (decimal suffixes, binary suffixes, or
 * an exponent) and has the largest suffix that needs no fraction.
 */
#include "base/units.h"

#include <errno.h>

#include "base/macro.h"

typedef unsigned __int128 u128;

#define NANO ((u128)1000000000)
#define NANO_PER_MILLI 1000000
#define EXPONENT_MAX 1000000		/* far beyond what fits, far from overflowing an int */

enum family { DECIMAL, BINARY, EXPONENT };

struct number {
	const char *whole, *part;	/* digits before and after the point */
	size_t n_whole, n_part;
	bool negative;
	enum family family;
	int ten, kibi;			/* times 10^ten, times 1024^kibi */
};

static const struct {
	const char *text;
	enum family family;
	int power;			/* of ten, or of 1024 */
} suffixes[] = {
	{ "", DECIMAL, 0 }, { "n", DECIMAL, -9 }, { "u", DECIMAL, -6 }, { "m", DECIMAL, -3 },
	{ "k", DECIMAL, 3 }, { "M", DECIMAL, 6 }, { "G", DECIMAL, 9 }, { "T", DECIMAL, 12 },
	{ "P", DECIMAL, 15 }, { "E", DECIMAL, 18 },
	{ "Ki", BINARY, 1 }, { "Mi", BINARY, 2 }, { "Gi", BINARY, 3 }, { "Ti", BINARY, 4 },
	{ "Pi", BINARY, 5 }, { "Ei", BINARY, 6 },
};

static const char *suffix_for(enum family family, int power)
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (suffixes[i].family == family && suffixes[i].power == power)
			return suffixes[i].text;
	}
	return "";
}

/* ---- text to number ---- */

static size_t count_digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* "e3", "E-3": the exponent form. */
static int parse_exponent(const char *s, struct number *n)
{
	int e = 0;

	if (*s != 'e' && *s != 'E')
		return -EINVAL;
	bool negative = *++s == '-';
	if (*s == '-' || *s == '+')
		s++;
	size_t digits = count_digits(s);
	if (!digits || s[digits])
		return -EINVAL;
	for (; *s; s++)
		e = MIN(e * 10 + (*s - '0'), EXPONENT_MAX);
	n->family = EXPONENT;
	n->ten = negative ? -e : e;
	return 0;
}

static int parse_suffix(const char *s, struct number *n)
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (!streq(suffixes[i].text, s))
			continue;
		n->family = suffixes[i].family;
		*(n->family == BINARY ? &n->kibi : &n->ten) = suffixes[i].power;
		return 0;
	}
	return parse_exponent(s, n);
}

static int parse_number(const char *s, struct number *n)
{
	*n = (struct number){ .negative = *s == '-' };
	if (*s == '-' || *s == '+')
		s++;
	n->whole = s;
	n->n_whole = count_digits(s);
	s += n->n_whole;
	n->part = s;
	if (*s == '.') {
		n->part = ++s;
		n->n_part = count_digits(s);
		s += n->n_part;
	}
	return n->n_whole + n->n_part ? parse_suffix(s, n) : -EINVAL;
}

/* ---- number to nano units ---- */

/* The digit at a place of the digit string, which has zeros on both sides without end. */
static unsigned digit_at(const struct number *n, long i)
{
	if (i < 0 || (size_t)i >= n->n_whole + n->n_part)
		return 0;
	size_t at = (size_t)i;
	return (unsigned)(at < n->n_whole ? n->whole[at] : n->part[at - n->n_whole]) - '0';
}

static long leading_zeros(const struct number *n)
{
	long all = (long)(n->n_whole + n->n_part), i = 0;

	while (i < all && digit_at(n, i) == 0)
		i++;
	return i;
}

/* The digits from first up to the (shifted) point, times unit; false when it does not fit. */
static bool whole_units(const struct number *n, long first, long point, u128 unit, u128 *ret)
{
	u128 v = 0;

	for (long i = first; i < point; i++) {
		if (__builtin_mul_overflow(v, (u128)10, &v) ||
		    __builtin_add_overflow(v, digit_at(n, i) * unit, &v))
			return false;
	}
	*ret = v;
	return true;
}

/*
 * The digits from the point on, times unit, rounded up. From the last digit to the first: what is
 * lost by each division by ten is less than one, so it can only matter as "there was something".
 */
static u128 part_units(const struct number *n, long first, long point, u128 unit)
{
	u128 v = 0;
	bool lost = false;
	long i = (long)(n->n_whole + n->n_part);

	while (--i >= point && (i >= first || v)) {
		v += digit_at(n, i) * unit;
		lost |= v % 10 != 0;
		v /= 10;
	}
	return v + lost;
}

/* 0 or -EINVAL. Binary quantities are capped as Kubernetes caps them. */
static int to_nano(const struct number *n, u128 *ret)
{
	const u128 cap = (u128)INT64_MAX * NANO;
	long first = leading_zeros(n);
	long point = (long)n->n_whole + n->ten;
	u128 unit = NANO << (10 * n->kibi);
	u128 whole = 0, part;

	*ret = 0;
	if (first == (long)(n->n_whole + n->n_part))
		return 0;
	bool fits = whole_units(n, first, point, unit, &whole);
	part = part_units(n, first, point, unit);
	fits = fits && !__builtin_add_overflow(whole, part, ret);
	if (n->family == BINARY && (!fits || *ret > cap)) {
		*ret = cap;
		return 0;
	}
	/* signed 128 bits, so that sums of quantities have room, too */
	return fits && *ret >> 127 == 0 ? 0 : -EINVAL;
}

/* ---- nano units to text ---- */

static const char *print(struct arena *a, bool negative, u128 v, const char *suffix)
{
	char text[64], *p = text + sizeof(text) - strlen(suffix) - 1;

	memcpy(p, suffix, strlen(suffix) + 1);
	do {
		*--p = (char)('0' + (unsigned)(v % 10));
		v /= 10;
	} while (v);
	if (negative)
		*--p = '-';
	return arena_strdup(a, p);
}

static const char *print_decimal(struct arena *a, bool negative, u128 nano, bool exponent)
{
	char text[16] = "";
	int power = -9;

	while (nano % 1000 == 0 && (exponent || power < 18)) {
		nano /= 1000;
		power += 3;
	}
	if (exponent && power)
		snprintf(text, sizeof(text), "e%d", power);
	return print(a, negative, nano, exponent ? text : suffix_for(DECIMAL, power));
}

static const char *print_binary(struct arena *a, bool negative, u128 v)
{
	int power = 0;

	while (v % 1024 == 0 && power < 6) {
		v /= 1024;
		power++;
	}
	return print(a, negative, v, suffix_for(BINARY, power));
}

/* Binary suffixes are for multiples of 1024; others keep precision as decimals. What has no binary
 * suffix is read back as a decimal, so it is written as one: 312.5Ki is 320k (Kubernetes: 320000). */
static const char *canonical(struct arena *a, bool negative, u128 nano, enum family family)
{
	if (nano == 0)
		return arena_strdup(a, "0");
	if (family == BINARY && nano % (NANO * (u128)1024) == 0)
		return print_binary(a, negative, nano / NANO);
	return print_decimal(a, negative, nano, family == EXPONENT);
}

int quantity_parse(struct arena *a, const char *s, struct quantity *ret)
{
	struct number n;
	u128 nano;
	int r = parse_number(s, &n);

	if (r == 0)
		r = to_nano(&n, &nano);
	if (r < 0)
		return r;
	u128 milli = nano / NANO_PER_MILLI + (nano % NANO_PER_MILLI != 0);
	if (milli > INT64_MAX)
		milli = INT64_MAX;
	ret->milli = n.negative ? -(int64_t)milli : (int64_t)milli;
	ret->text = canonical(a, n.negative, nano, n.family);
	return 0;
}

int64_t quantity_value(const struct quantity *q)
{
	int64_t rest = q->milli % 1000;

	return q->milli / 1000 + (rest > 0) - (rest < 0);
}

struct quantity quantity_from_milli(struct arena *a, int64_t milli)
{
	u128 size = milli < 0 ? -(u128)milli : (u128)milli;

	return (struct quantity){ canonical(a, milli < 0, size * NANO_PER_MILLI, DECIMAL), milli };
}

/* Written as the first one is, as Kubernetes does; 0 has no family of its own. */
struct quantity quantity_add(struct arena *a, const struct quantity *x, const struct quantity *y)
{
	const struct quantity *like = x->milli ? x : y;
	size_t n = like->text ? strlen(like->text) : 0;
	enum family family = n && like->text[n - 1] == 'i' ? BINARY : DECIMAL;
	struct quantity sum = { .milli = x->milli };

	if (__builtin_add_overflow(sum.milli, y->milli, &sum.milli))
		sum.milli = y->milli < 0 ? INT64_MIN : INT64_MAX;
	u128 size = sum.milli < 0 ? -(u128)sum.milli : (u128)sum.milli;
	sum.text = canonical(a, sum.milli < 0, size * NANO_PER_MILLI, family);
	return sum;
}
