/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON writer. State is the depth and whether a comma or a key comes before the next value;
 * a value at depth 0 ends the text, so that one writer can write a stream of them.
 */
#include "base/json.h"

#include <string.h>

#include "base/macro.h"

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

/* What stands before a value or a key: nothing after a key, else the comma and a new line. */
static void separate(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->comma)
		buf_putc(j->out, ',');
	if (j->depth)
		newline(j);
}

static void value(struct json *j, const char *text, size_t n)
{
	separate(j);
	buf_add(j->out, text, n);
	j->comma = j->depth > 0;
}

static void open_bracket(struct json *j, char c)
{
	value(j, &c, 1);
	j->depth++;
	j->comma = false;
}

static void close_bracket(struct json *j, char c)
{
	bool empty = !j->comma;

	j->depth--;
	if (!empty)
		newline(j);
	buf_putc(j->out, c);
	j->comma = j->depth > 0;
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

/* RFC 3629: the second byte's range excludes overlong forms, surrogates and what is too large. */
static const struct utf8_form {
	unsigned char first, last;	/* range of the first byte */
	unsigned char low, high;	/* range of the second */
	unsigned char len;
} utf8_forms[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static bool utf8_tail(const struct utf8_form *f, const unsigned char *s)
{
	if (s[1] < f->low || s[1] > f->high)
		return false;
	for (unsigned i = 2; i < f->len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

/* Length of the multi-byte character at s, 0 when it is not one. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(utf8_forms); i++) {
		const struct utf8_form *f = &utf8_forms[i];
		if (*s >= f->first && *s <= f->last)
			return n >= f->len && utf8_tail(f, s) ? f->len : 0;
	}
	return 0;
}

/* The code point of the len bytes at s, which are a character. */
static unsigned utf8_point(const unsigned char *s, size_t len)
{
	unsigned c = *s & (0x7f >> len);

	for (size_t i = 1; i < len; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

/*
 * What JSON allows in a string and YAML does not, or reads as a line break or a byte order mark:
 * escaped, the text means the same to readers of both.
 */
static bool yaml_minds(unsigned c)
{
	return (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
	       c == 0xfffe || c == 0xffff;
}

static void escape(struct buf *out, unsigned c)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *p = c && c < 0x80 ? strchr(plain, (int)c) : NULL;

	if (p)
		buf_printf(out, "\\%c", letters[p - plain]);
	else
		buf_printf(out, "\\u%04x", c);
}

/* One character that may need care: writes it and returns how many bytes it was. */
static size_t put_special(struct buf *out, const unsigned char *s, size_t n)
{
	if (*s < 0x80) {
		escape(out, *s);
		return 1;
	}
	size_t len = utf8_len(s, n);
	if (!len)
		buf_puts(out, "\xef\xbf\xbd");
	else if (yaml_minds(utf8_point(s, len)))
		escape(out, utf8_point(s, len));
	else
		buf_add(out, s, len);
	return len ? len : 1;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void quote(struct buf *out, const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i = 0;

	buf_putc(out, '"');
	while (i < n) {
		size_t run = 0;
		while (i + run < n && is_plain(s[i + run]))
			run++;
		buf_add(out, s + i, run);
		i += run;
		if (i < n)
			i += put_special(out, s + i, n - i);
	}
	buf_putc(out, '"');
}

void json_key(struct json *j, const char *key)
{
	separate(j);
	quote(j->out, key, strlen(key));
	buf_puts(j->out, j->pretty ? ": " : ":");
	j->after_key = true;
}

void json_strn(struct json *j, const char *s, size_t n)
{
	separate(j);
	quote(j->out, s, n);
	j->comma = j->depth > 0;
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
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)v);

	value(j, text, (size_t)n);
}

void json_raw(struct json *j, const char *text)
{
	value(j, text, strlen(text));
}

void json_bool(struct json *j, bool v)
{
	json_raw(j, v ? "true" : "false");
}

void json_put_null(struct json *j)
{
	json_raw(j, "null");
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
