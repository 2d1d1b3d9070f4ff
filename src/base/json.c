/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing JSON; see json.h. Strings are made valid UTF-8 on the way out. */
#include "base/json.h"

#include <string.h>

void json_init(struct json *j, struct buf *out, bool pretty)
{
	*j = (struct json){ .out = out, .pretty = pretty };
}

static void newline(struct json *j)
{
	if (!j->pretty)
		return;
	buf_putc(j->out, '\n');
	for (unsigned i = 0; i < j->depth; i++)
		buf_puts(j->out, "  ");
}

/* Before a value: the comma, unless a key or an opening bracket stands before it. */
static void separate(struct json *j)
{
	if (j->comma)
		buf_putc(j->out, ',');
	if (j->depth && !j->after_key)
		newline(j);
	j->after_key = false;
	j->comma = true;
}

static void open_bracket(struct json *j, char c)
{
	separate(j);
	buf_putc(j->out, c);
	j->depth++;
	j->comma = false;
}

static void close_bracket(struct json *j, char c)
{
	j->depth--;
	if (j->comma)
		newline(j);
	buf_putc(j->out, c);
	j->comma = true;
}

void json_begin_object(struct json *j)
{
	open_bracket(j, '{');
}

void json_end_object(struct json *j)
{
	close_bracket(j, '}');
}

void json_begin_array(struct json *j)
{
	open_bracket(j, '[');
}

void json_end_array(struct json *j)
{
	close_bracket(j, ']');
}

/* Length of the valid UTF-8 sequence at s, 0 when there is none (RFC 3629). */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	static const struct { unsigned char mask, lead; size_t len; uint32_t min; } forms[] = {
		{ 0x80, 0x00, 1, 0 }, { 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 }, { 0xf8, 0xf0, 4, 0x10000 },
	};

	for (size_t f = 0; f < 4; f++) {
		if ((s[0] & forms[f].mask) != forms[f].lead || n < forms[f].len)
			continue;
		uint32_t c = s[0] & (unsigned char)~forms[f].mask;
		for (size_t i = 1; i < forms[f].len; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		bool ok = c >= forms[f].min && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		return ok ? forms[f].len : 0;
	}
	return 0;
}

static void escape(struct json *j, unsigned char c)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; i + 1 < sizeof(shorts); i += 2) {
		if ((unsigned char)shorts[i] == c) {
			buf_putc(j->out, '\\');
			buf_putc(j->out, shorts[i + 1]);
			return;
		}
	}
	buf_printf(j->out, "\\u%04x", c);
}

static void quoted(struct json *j, const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;

	buf_putc(j->out, '"');
	for (size_t i = 0; i < n;) {
		size_t plain = i, len = 1;

		while (plain < n && s[plain] >= 0x20 && s[plain] < 0x7f && s[plain] != '"' &&
		       s[plain] != '\\')
			plain++;
		buf_add(j->out, s + i, plain - i);
		i = plain;
		if (i == n)
			break;
		if (s[i] < 0x80) {
			escape(j, s[i]);
		} else if ((len = utf8_len(s + i, n - i)) > 0) {
			buf_add(j->out, s + i, len);
		} else {
			len = 1;
			buf_puts(j->out, "\xef\xbf\xbd");
		}
		i += len;
	}
	buf_putc(j->out, '"');
}

void json_key(struct json *j, const char *key)
{
	separate(j);
	quoted(j, key, strlen(key));
	buf_puts(j->out, j->pretty ? ": " : ":");
	j->comma = false;
	j->after_key = true;
}

void json_strn(struct json *j, const char *s, size_t n)
{
	separate(j);
	quoted(j, s, n);
}

void json_str(struct json *j, const char *s)
{
	if (s)
		json_strn(j, s, strlen(s));
	else
		json_put_null(j);
}

void json_int(struct json *j, int64_t v)
{
	separate(j);
	buf_printf(j->out, "%lld", (long long)v);
}

void json_bool(struct json *j, bool v)
{
	json_raw(j, v ? "true" : "false");
}

void json_put_null(struct json *j)
{
	json_raw(j, "null");
}

void json_raw(struct json *j, const char *text)
{
	separate(j);
	buf_puts(j->out, text);
}

void json_kstr(struct json *j, const char *key, const char *s)
{
	json_key(j, key);
	json_str(j, s);
}

void json_kint(struct json *j, const char *key, int64_t v)
{
	json_key(j, key);
	json_int(j, v);
}

void json_kbool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}
