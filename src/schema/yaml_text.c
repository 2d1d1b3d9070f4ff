/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cleaning text for libyaml; see yaml_text.h. */
#include "schema/yaml_text.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "schema/yaml.h"

#define BOM "\xef\xbb\xbf"
#define CHUNK 64
/* libyaml compares each %TAG of a document with all others. */
#define TAG_LINES_MAX 100

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

/* The flaw stands at s[at]. */
static int flaw_in(const char *s, size_t at, const char *fmt, uint32_t c, struct yaml_flaw *ret)
{
	uint32_t line = 1, col = 1;

	for (size_t i = 0; i < at; i++) {
		bool first = (s[i] & 0xc0) != 0x80;	/* byte of a character */
		col = s[i] == '\n' ? 1 : col + first;
		line += s[i] == '\n';
	}
	return flaw_at(ret, line, col, fmt, c);
}

/* Is all of a chunk printable ASCII, or blank? Written so that a compiler makes vectors of it. */
static bool chunk_plain(const unsigned char *s)
{
	unsigned char odd = 0;

	for (unsigned i = 0; i < CHUNK; i++) {
		bool blank = (s[i] == '\n') | (s[i] == '\t') | (s[i] == '\r');
		bool printable = (s[i] >= 0x20) & (s[i] < 0x7f);
		odd |= (unsigned char)!(blank | printable);
	}
	return !odd;
}

/* The first byte that is neither printable ASCII nor blank. */
static size_t plain_run(const unsigned char *s, size_t n)
{
	size_t i = 0;

	while (n - i >= CHUNK && chunk_plain(s + i))
		i += CHUNK;
	while (i < n && s[i] < 0x7f && allowed(s[i]))
		i++;
	return i;
}

static int check_chars(const char *text, size_t n, bool *ret_ascii, struct yaml_flaw *ret)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i = plain_run(s, n);

	*ret_ascii = i == n;
	while (i < n) {
		uint32_t c = 0;
		size_t len = decode_char(s + i, n - i, &c);
		if (!len)
			return flaw_in(text, i, "byte 0x%02x is not valid UTF-8", s[i], ret);
		if (!allowed(c))
			return flaw_in(text, i, "control character U+%04X", c, ret);
		i += len;
		if (i < n && s[i] < 0x80)
			i += plain_run(s + i, n - i);
	}
	return 0;
}

static int check_tags(const char *text, size_t n, struct yaml_flaw *ret)
{
	const char *end = text + n, *at = text;
	unsigned found = 0;

	while ((at = memchr(at, '%', (size_t)(end - at))) != NULL) {
		bool tag = end - at >= 4 && !memcmp(at, "%TAG", 4) &&
			   (at == text || at[-1] == '\n' || at[-1] == '\r');
		if (tag && ++found > TAG_LINES_MAX)
			return flaw_in(text, (size_t)(at - text), "more than %u lines of %%TAG",
				       TAG_LINES_MAX, ret);
		at++;
	}
	return 0;
}

/* A BOM at the start of a later line comes from files that were put together. */
static const char *find_bom(const char *text, size_t n)
{
	for (const char *at = text; (at = memmem(at, n - (size_t)(at - text), BOM, 3)); at += 3) {
		if (at == text || at[-1] == '\n')
			return at;
	}
	return NULL;
}

static void own_without_boms(struct yaml_text *t)
{
	struct buf own = { 0 };
	const char *end = t->data + t->n, *at = t->data, *bom;

	while ((bom = t->ascii ? NULL : find_bom(at, (size_t)(end - at)))) {
		buf_add(&own, at, (size_t)(bom - at));
		at = bom + 3;
	}
	buf_add(&own, at, (size_t)(end - at));
	if (!own.len || own.data[own.len - 1] != '\n')
		buf_putc(&own, '\n');
	t->own = own;
	t->data = own.data;
	t->n = own.len;
}

int yaml_text_init(struct yaml_text *t, const char *text, size_t n, struct yaml_flaw *ret)
{
	*t = (struct yaml_text){ .data = text, .n = n };
	if (n > YAML_MAX_BYTES)
		return flaw_at(ret, 0, 0, "larger than %u bytes", YAML_MAX_BYTES);
	if (n >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
		return flaw_at(ret, 1, 1, "UTF-%u text; save it as UTF-8", 16);
	int r = check_chars(text, n, &t->ascii, ret);
	if (r == 0)
		r = check_tags(text, n, ret);
	if (r == 0 && (!n || text[n - 1] != '\n' || (!t->ascii && find_bom(text, n))))
		own_without_boms(t);
	return r;
}

void yaml_text_release(struct yaml_text *t)
{
	buf_release(&t->own);
}

void char_cursor_init(struct char_cursor *c, const char *text, size_t n, bool ascii)
{
	*c = (struct char_cursor){ .text = text, .n = n, .ascii = ascii };
}

static size_t char_len(const struct char_cursor *c)
{
	const char *s = c->text + c->byte;
	size_t left = c->n - c->byte, len = 1;

	while (len < left && ((unsigned char)s[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* A BOM at the start of a line is none of libyaml's characters: it never saw it. */
static void skip_bom(struct char_cursor *c)
{
	if (c->byte && c->text[c->byte - 1] != '\n')
		return;
	while (c->n - c->byte >= 3 && !memcmp(c->text + c->byte, BOM, 3))
		c->byte += 3;
}

uint32_t char_cursor_to(struct char_cursor *c, size_t index)
{
	if (c->ascii) {
		c->byte = MIN(index, c->n);
		return (uint32_t)c->byte;
	}
	skip_bom(c);
	while (c->at < index && c->byte < c->n) {
		c->byte += char_len(c);
		c->at++;
		skip_bom(c);
	}
	return (uint32_t)c->byte;
}
