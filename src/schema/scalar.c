/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resolving scalars; see scalar.h. Words are a table, numbers follow Go's ParseInt with base 0. */
#include "schema/scalar.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macro.h"

#define WORD_MAX 5	/* length of the longest word */

static const struct { const char *word; struct scalar meaning; } words[] = {
#define NOTHING { .type = SCALAR_NULL }
#define YES { .type = SCALAR_BOOL, .b = true }
#define NO { .type = SCALAR_BOOL }
	{ "", NOTHING }, { "~", NOTHING },
	{ "null", NOTHING }, { "Null", NOTHING }, { "NULL", NOTHING },
	{ "y", YES }, { "Y", YES }, { "yes", YES }, { "Yes", YES }, { "YES", YES },
	{ "true", YES }, { "True", YES }, { "TRUE", YES },
	{ "on", YES }, { "On", YES }, { "ON", YES },
	{ "n", NO }, { "N", NO }, { "no", NO }, { "No", NO }, { "NO", NO },
	{ "false", NO }, { "False", NO }, { "FALSE", NO },
	{ "off", NO }, { "Off", NO }, { "OFF", NO },
#undef NOTHING
#undef YES
#undef NO
};

static const struct { const char *word; double value; } special_floats[] = {
	{ ".nan", NAN }, { ".NaN", NAN }, { ".NAN", NAN },
	{ ".inf", INFINITY }, { ".Inf", INFINITY }, { ".INF", INFINITY },
	{ "+.inf", INFINITY }, { "+.Inf", INFINITY }, { "+.INF", INFINITY },
	{ "-.inf", -INFINITY }, { "-.Inf", -INFINITY }, { "-.INF", -INFINITY },
};

/* Most scalars are told from words and numbers by their first character. */
static bool may_resolve(const char *text)
{
	static const bool first[256] = {
		['\0'] = true, ['~'] = true, ['n'] = true, ['N'] = true, ['y'] = true, ['Y'] = true,
		['t'] = true, ['T'] = true, ['f'] = true, ['F'] = true, ['o'] = true, ['O'] = true,
		['+'] = true, ['-'] = true, ['.'] = true, ['0' ... '9'] = true,
	};
	return first[(unsigned char)*text];
}

static bool word_of(const char *text, struct scalar *ret)
{
	if (strnlen(text, WORD_MAX + 1) > WORD_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].word[0] == *text && streq(words[i].word, text)) {
			*ret = words[i].meaning;
			return true;
		}
	}
	for (size_t i = 0; strchr(".+-", *text) && i < ARRAY_SIZE(special_floats); i++) {
		if (streq(special_floats[i].word, text)) {
			ret->type = SCALAR_FLOAT;
			ret->f = special_floats[i].value;
			return true;
		}
	}
	return false;
}

static int digit_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : 99;
}

/* Skips the base prefix. A lone 0 is decimal, a 0 before digits is octal. */
static int base_of(const char **s)
{
	static const struct { char letter; int base; } prefixes[] = {
		{ 'x', 16 }, { 'o', 8 }, { 'b', 2 },
	};

	if ((*s)[0] != '0' || !(*s)[1])
		return 10;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (((*s)[1] | 0x20) == prefixes[i].letter) {
			*s += 2;
			return prefixes[i].base;
		}
	}
	*s += 1;
	return 8;
}

static bool parse_int(const char *s, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t v = 0;

	if (*s == '-' || *s == '+')
		s++;
	int base = base_of(&s);
	if (!*s)
		return false;
	for (; *s; s++) {
		int d = digit_value(*s);
		if (d >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	}
	if (v > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool float_shaped(const char *s)
{
	s += *s == '-' || *s == '+';
	size_t whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		size_t fraction = strspn(s + 1, "0123456789");
		if (!whole && !fraction)
			return false;
		s += 1 + fraction;
	} else if (!whole) {
		return false;
	}
	if ((*s | 0x20) == 'e') {
		s++;
		s += *s == '-' || *s == '+';
		size_t exponent = strspn(s, "0123456789");
		if (!exponent)
			return false;
		s += exponent;
	}
	return !*s;
}

static void without_underscores(const char *text, struct buf *out)
{
	for (; *text; text++) {
		if (*text != '_')
			buf_putc(out, *text);
	}
}

static void resolve_number(const char *text, struct scalar *ret)
{
	if (parse_int(text, &ret->i)) {
		ret->type = SCALAR_INT;
	} else if (float_shaped(text)) {
		ret->type = SCALAR_FLOAT;
		ret->f = strtod(text, NULL);
	}
}

struct scalar scalar_resolve_text(const char *text)
{
	struct scalar ret = { .type = SCALAR_STR };
	BUF_AUTO plain = { 0 };

	if (!may_resolve(text) || word_of(text, &ret) || !strchr("+-.0123456789", *text))
		return ret;
	if (!strchr(text, '_')) {
		resolve_number(text, &ret);
	} else {
		without_underscores(text, &plain);
		resolve_number(buf_str(&plain), &ret);
	}
	return ret;
}

struct scalar scalar_resolve(const struct ynode *n)
{
	if (!n->plain || strlen(n->text) != n->len)
		return (struct scalar){ .type = SCALAR_STR };
	return scalar_resolve_text(n->text);
}

bool scalar_bad_octal(const char *text)
{
	text += *text == '-' || *text == '+';
	return text[0] == '0' && text[1] && !text[strspn(text, "0123456789_")] &&
	       strpbrk(text, "89");
}

bool scalar_plain_decimal(const char *text)
{
	const char *digits = text + (*text == '-');

	return *digits && !digits[strspn(digits, "0123456789")] &&
	       (digits[0] != '0' || (!digits[1] && digits == text));
}

bool scalar_is_key(const struct ynode *key)
{
	return scalar_resolve(key).type == SCALAR_STR || scalar_plain_decimal(key->text);
}
