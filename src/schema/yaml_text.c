/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cleaning text for libyaml; see yaml_text.h. */
#include "schema/yaml_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "schema/yaml.h"

#define BOM "\xef\xbb\xbf"

/* The character at s and its length, 0 when it is not valid UTF-8 (RFC 3629). */
static size_t decode_char(const unsigned char *s, size_t n, uint32_t *ret)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (!len || len > n)
		return 0;
	uint32_t c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	*ret = c;
	return c >= least[len] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? len : 0;
}

/* The characters that YAML 1.1 allows in a stream. */
static bool allowed(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c != 0x7f && (c < 0x80 || c > 0x9f || c == 0x85) && c != 0xfffe && c != 0xffff;
}

static int flaw_at(struct yaml_flaw *ret, uint32_t line, uint32_t col, const char *fmt, uint32_t c)
{
	ret->line = line;
	ret->col = col;
	snprintf(ret->what, sizeof(ret->what), fmt, c);
	return -EINVAL;
}

static int check_chars(const char *text, size_t n, struct yaml_flaw *ret)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t line = 1, col = 1, c = 0;

	for (size_t i = 0; i < n;) {
		size_t len = decode_char(s + i, n - i, &c);
		if (!len)
			return flaw_at(ret, line, col, "byte 0x%02x is not valid UTF-8", s[i]);
		if (!allowed(c))
			return flaw_at(ret, line, col, "control character U+%04X", c);
		i += len;
		col = c == '\n' ? 1 : col + 1;
		line += c == '\n';
	}
	return 0;
}

static bool hex4(const char *s, uint32_t *ret)
{
	char digits[5] = { 0 };

	for (int i = 0; i < 4; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return false;
		digits[i] = s[i];
	}
	*ret = (uint32_t)strtoul(digits, NULL, 16);
	return true;
}

/* \ud83d\ude00 at s (12 bytes are there) to the character it means, else 0. */
static uint32_t surrogates(const char *s)
{
	uint32_t high = 0, low = 0;

	if (s[0] != '\\' || s[1] != 'u' || s[6] != '\\' || s[7] != 'u' || !hex4(s + 2, &high) ||
	    !hex4(s + 8, &low))
		return 0;
	if ((high & 0xfc00) != 0xd800 || (low & 0xfc00) != 0xdc00)
		return 0;
	return 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
}

static void add_json(const char *text, size_t n, struct buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < n;) {
		if (text[i] != '\\') {
			i++;
			continue;
		}
		uint32_t c = n - i >= 12 ? surrogates(text + i) : 0;
		if (!c) {
			i += 2;
			continue;
		}
		buf_add(out, text + from, i - from);
		buf_printf(out, "\\U%08x", c);
		i += 12;
		from = i;
	}
	buf_add(out, text + from, n - from);
}

int yaml_text_clean(const char *text, size_t n, struct buf *out, struct yaml_flaw *ret)
{
	if (n > YAML_MAX_BYTES)
		return flaw_at(ret, 0, 0, "larger than %u bytes", YAML_MAX_BYTES);
	if (n >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
		return flaw_at(ret, 1, 1, "UTF-%u text; save it as UTF-8", 16);
	if (n >= 3 && !memcmp(text, BOM, 3)) {
		text += 3;
		n -= 3;
	}
	int r = check_chars(text, n, ret);
	if (r < 0)
		return r;
	size_t blank = 0;
	while (blank < n && strchr(" \t\r\n", text[blank]))
		blank++;
	if (blank < n && text[blank] == '{')
		add_json(text, n, out);
	else
		buf_add(out, text, n);
	if (!n || text[n - 1] != '\n')
		buf_putc(out, '\n');
	return 0;
}

static const char *line_start(const char *text, size_t line)
{
	while (line-- > 0) {
		const char *end = strchr(text, '\n');
		if (!end)
			return text;
		text = end + 1;
	}
	return text;
}

/* Does the line look like key:value? */
static bool lacks_blank(const char *line, const char *end)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));

	return colon && colon > line && colon + 1 < end && !isspace((unsigned char)colon[1]) &&
	       colon[1] != '/' && !memchr(line, '"', (size_t)(end - line));
}

const char *yaml_hint(const char *text, const char *problem, size_t line)
{
	const char *start = line_start(text, line), *end = strchrnul(start, '\n');
	const char *above = line_start(text, line ? line - 1 : 0);
	size_t blanks = strspn(start, " ");

	if (!problem)
		return NULL;
	if (memmem(start, (size_t)(end - start), "{{", 2))
		return "this looks like an unrendered template";
	if (start[blanks] == '\t')
		return "a tab: indent with spaces";
	if (strstr(problem, "unknown escape") && memmem(start, (size_t)(end - start), "\\'", 2))
		return "between double quotes write ' without the backslash";
	if (strstr(problem, "document start") || !strncmp(start, "---", 3))
		return "lines of a block scalar must be indented, also those that begin with ---";
	if (strstr(problem, "mapping values") || strstr(problem, "expected ':'")) {
		if (lacks_blank(start, end) || (start > above && lacks_blank(above, start - 1)))
			return "a colon needs a blank behind it: key: value";
	}
	return NULL;
}

void char_cursor_init(struct char_cursor *c, const char *text, size_t n)
{
	*c = (struct char_cursor){ .text = text, .n = n };
	if (n >= 3 && !memcmp(text, BOM, 3))
		c->byte = 3;
}

uint32_t char_cursor_to(struct char_cursor *c, size_t index)
{
	while (c->at < index && c->byte < c->n) {
		c->byte++;
		while (c->byte < c->n && ((unsigned char)c->text[c->byte] & 0xc0) == 0x80)
			c->byte++;
		c->at++;
	}
	return (uint32_t)c->byte;
}
