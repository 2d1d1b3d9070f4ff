/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON text as YAML, the way kubectl prints it: block style, lists at the indent of their key,
 * strings plain wherever any reader of YAML 1.1 gets the string back. One pass over the text, no
 * tree: a value is written as it is read.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "schema/scalar.h"
#include "schema/schema.h"

#define DEPTH_MAX 200
#define SIMPLE_KEY_MAX 1000	/* YAML 1.1, 9.2: at most 1024 characters lie before the ":" */

struct convert {
	const char *at;
	struct buf *out;
	unsigned depth;
};

static void blank(struct convert *c)
{
	c->at += strspn(c->at, " \t\r\n");
}

static bool next_is(struct convert *c, char want)
{
	blank(c);
	if (*c->at != want)
		return false;
	c->at++;
	return true;
}

static void put_utf8(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_putc(out, (char)c);
		return;
	}
	unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	buf_putc(out, (char)(lead[more] | c >> (6 * more)));
	while (more-- > 0)
		buf_putc(out, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

static int hex4(struct convert *c, uint32_t *ret)
{
	char digits[5] = { 0 };

	for (int i = 0; i < 4; i++) {
		if (!isxdigit((unsigned char)c->at[i]))
			return -EINVAL;
		digits[i] = c->at[i];
	}
	c->at += 4;
	*ret = (uint32_t)strtoul(digits, NULL, 16);
	return 0;
}

/* Behind \u. Half of a surrogate pair alone becomes U+FFFD. */
static int unicode(struct convert *c, struct buf *out)
{
	uint32_t high = 0, low = 0;

	if (hex4(c, &high) < 0)
		return -EINVAL;
	if ((high & 0xfc00) == 0xd800 && c->at[0] == '\\' && c->at[1] == 'u') {
		c->at += 2;
		if (hex4(c, &low) < 0)
			return -EINVAL;
		high = (low & 0xfc00) == 0xdc00 ?
			0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff) : 0xfffd;
	}
	put_utf8(out, (high & 0xf800) == 0xd800 ? 0xfffd : high);
	return 0;
}

/* Behind the opening quote. */
static int read_string(struct convert *c, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	for (;;) {
		size_t run = strcspn(c->at, "\"\\");
		buf_add(out, c->at, run);
		c->at += run;
		if (!*c->at)
			return -EINVAL;
		if (*c->at++ == '"')
			return 0;
		char e = *c->at++;
		const char *known = e ? strchr(from, e) : NULL;
		if (known)
			buf_putc(out, to[known - from]);
		else if (e != 'u' || unicode(c, out) < 0)
			return -EINVAL;
	}
}

/* Control characters, DEL, C1 and what some readers take for a line break or a BOM. */
static bool printable(const char *s, size_t n)
{
	static const char *const odd[] = {
		"\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf", "\xef\xbf\xbe", "\xef\xbf\xbf",
	};

	for (size_t i = 0; i < n; i++) {
		unsigned char u = (unsigned char)s[i], v = i + 1 < n ? (unsigned char)s[i + 1] : 0;
		if ((u < 0x20 && u != '\n') || u == 0x7f || (u == 0xc2 && v < 0xa0))
			return false;
		for (size_t k = 0; n - i >= 3 && k < ARRAY_SIZE(odd); k++) {
			if (!memcmp(s + i, odd[k], 3))
				return false;
		}
	}
	return true;
}

/* Would the text, without quotes, be read as this very string? */
static bool plain_safe(const char *s, size_t n)
{
	if (!n || !printable(s, n) || memchr(s, '\n', n) || isspace((unsigned char)s[n - 1]))
		return false;
	bool dash = strchr("-?:", s[0]) && n > 1 && s[1] != ' ' && strncmp(s, "---", 3);
	if (!dash && strchr("-?:,[]{}#&*!|>'\"%@`= ", s[0]))
		return false;
	if (s[n - 1] == ':' || strstr(s, ": ") || strstr(s, " #") || streq(s, "<<") ||
	    !strncmp(s, "...", 3))
		return false;
	return scalar_resolve_text(s).type == SCALAR_STR;
}

/* 2001-01-01 and 12:30:45 are strings here, but not to every reader of YAML 1.1. */
static bool like_time(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits && (s[digits] == ':' || (digits == 4 && s[digits] == '-'));
}

static void double_quoted(struct buf *out, const char *s, size_t n)
{
	struct json j;

	json_init(&j, out, false);
	json_strn(&j, s, n);
}

static void single_quoted(struct buf *out, const char *s, size_t n)
{
	buf_putc(out, '\'');
	for (size_t i = 0; i < n; i++)
		buf_printf(out, s[i] == '\'' ? "''" : "%c", s[i]);
	buf_putc(out, '\'');
}

static void put_inline(struct buf *out, const char *s, size_t n)
{
	bool text = strlen(s) == n;

	if (text && plain_safe(s, n) && !like_time(s))
		buf_add(out, s, n);
	else if (text && n && printable(s, n) && !memchr(s, '\n', n) &&
		 scalar_resolve_text(s).type == SCALAR_STR && !like_time(s))
		single_quoted(out, s, n);
	else
		double_quoted(out, s, n);
}

/* A block scalar keeps every line as it is, unless its first begins or any ends with a blank. */
static bool block_safe(const char *s, size_t n)
{
	return n > 1 && memchr(s, '\n', n) && strlen(s) == n && printable(s, n) &&
	       s[0] != ' ' && s[0] != '\n' && !strstr(s, " \n") && s[n - 1] != ' ';
}

static void put_block(struct buf *out, const char *s, size_t n, unsigned indent)
{
	bool ends = s[n - 1] == '\n', more = ends && s[n - 2] == '\n';

	buf_puts(out, more ? "|+" : ends ? "|" : "|-");
	while (*s) {
		size_t len = strcspn(s, "\n");
		buf_putc(out, '\n');
		if (len)
			buf_printf(out, "%*s%.*s", (int)indent, "", (int)len, s);
		s += len;
		s += *s == '\n';
	}
}

static int put_value(struct convert *c, unsigned indent, bool in_list);

static int put_string(struct convert *c, unsigned indent)
{
	BUF_AUTO text = { 0 };

	if (read_string(c, &text) < 0)
		return -EINVAL;
	if (block_safe(buf_str(&text), text.len))
		put_block(c->out, text.data, text.len, indent);
	else
		put_inline(c->out, buf_str(&text), text.len);
	buf_putc(c->out, '\n');
	return 0;
}

static int put_entry(struct convert *c, unsigned indent)
{
	BUF_AUTO key = { 0 };
	BUF_AUTO text = { 0 };

	if (!next_is(c, '"') || read_string(c, &key) < 0 || !next_is(c, ':'))
		return -EINVAL;
	put_inline(&text, buf_str(&key), key.len);
	if (text.len > SIMPLE_KEY_MAX)
		buf_printf(c->out, "? %s\n%*s:", buf_str(&text), (int)indent, "");
	else
		buf_printf(c->out, "%s:", buf_str(&text));
	return put_value(c, indent, false);
}

/* lead: the line already holds the "- " that the first entry stands behind. */
static int put_map(struct convert *c, unsigned indent, bool lead)
{
	int r = 0;

	if (next_is(c, '}')) {
		buf_puts(c->out, lead || c->depth == 1 ? "{}\n" : " {}\n");
		return 0;
	}
	if (!lead && c->depth > 1)
		buf_putc(c->out, '\n');
	do {
		if (!lead)
			buf_printf(c->out, "%*s", (int)indent, "");
		lead = false;
		r = put_entry(c, indent);
	} while (r == 0 && next_is(c, ','));
	return r < 0 || !next_is(c, '}') ? -EINVAL : 0;
}

static int put_list(struct convert *c, unsigned indent, bool lead)
{
	int r = 0;

	if (next_is(c, ']')) {
		buf_puts(c->out, lead || c->depth == 1 ? "[]\n" : " []\n");
		return 0;
	}
	if (!lead && c->depth > 1)
		buf_putc(c->out, '\n');
	do {
		if (!lead)
			buf_printf(c->out, "%*s", (int)indent, "");
		lead = false;
		buf_puts(c->out, "- ");
		r = put_value(c, indent + 2, true);
	} while (r == 0 && next_is(c, ','));
	return r < 0 || !next_is(c, ']') ? -EINVAL : 0;
}

static int put_word(struct convert *c)
{
	size_t len = strspn(c->at, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");

	if (!len)
		return -EINVAL;
	buf_add(c->out, c->at, len);
	buf_putc(c->out, '\n');
	c->at += len;
	return 0;
}

/*
 * indent: of the map or list that the value stands in. A map in a map moves in by two, a list in
 * a map does not, and what stands in a list was moved already.
 */
static int put_value(struct convert *c, unsigned indent, bool in_list)
{
	int r;

	if (++c->depth > DEPTH_MAX)
		return -EINVAL;
	if (next_is(c, '{')) {
		bool root = c->depth == 1;
		r = put_map(c, in_list || root ? indent : indent + 2, in_list);
	} else if (next_is(c, '[')) {
		r = put_list(c, indent, in_list);
	} else {
		if (!in_list && c->depth > 1)
			buf_putc(c->out, ' ');
		r = next_is(c, '"') ? put_string(c, in_list ? indent : indent + 2) : put_word(c);
	}
	c->depth--;
	return r;
}

int json_to_yaml(const char *json, struct buf *out)
{
	struct convert c = { .at = json, .out = out };

	int r = put_value(&c, 0, false);
	blank(&c);
	return r < 0 || *c.at ? -EINVAL : 0;
}
