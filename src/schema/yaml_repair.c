/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replacing escapes that libyaml does not know; see yaml_text.h. What takes the place of an escape
 * is filled up to its length in characters with one that no text may contain, and that is taken
 * out of the scalar again.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "schema/yaml_text.h"

#define FILLER "\xef\xb7\x90"	/* U+FDD0, one of Unicode's noncharacters */

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

struct repair {
	const char *at, *end;
	struct buf out;
	bool changed;
};

static void copy(struct repair *r, size_t n)
{
	n = MIN(n, (size_t)(r->end - r->at));
	buf_add(&r->out, r->at, n);
	r->at += n;
}

/* At a backslash. */
static void repair_escape(struct repair *r)
{
	size_t left = (size_t)(r->end - r->at);
	uint32_t c = left >= 12 ? surrogates(r->at) : 0;

	if (c) {
		buf_printf(&r->out, "\\U%08x" FILLER FILLER, c);
		r->at += 12;
	} else if (left >= 2 && r->at[1] == '\'') {
		buf_puts(&r->out, "'" FILLER);
		r->at += 2;
	} else {
		copy(r, 2);
		return;
	}
	r->changed = true;
}

/* At the opening quote; stops behind the closing one. */
static void repair_scalar(struct repair *r)
{
	copy(r, 1);
	while (r->at < r->end && *r->at != '"') {
		if (*r->at == '\\')
			repair_escape(r);
		else
			copy(r, 1);
	}
	copy(r, 1);
}

/* Length of a JSON number or word, 0 when none begins here. */
static size_t json_word(const char *s, size_t n)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t len = 0;

	while (len < n && (isalnum((unsigned char)s[len]) || strchr("+-.", s[len])))
		len++;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (len == strlen(words[i]) && !memcmp(s, words[i], len))
			return len;
	}
	for (size_t i = 0; i < len; i++) {
		if (!strchr("0123456789+-.eE", s[i]))
			return 0;
	}
	return len && isdigit((unsigned char)s[len - 1]) ? len : 0;
}

/*
 * Behind a string in flow style. As long as only JSON follows, a quote where a value may begin is
 * the quote of a string; at the first other thing, and at the end of the collection, this stops.
 */
static void repair_json(struct repair *r, unsigned depth)
{
	enum { VALUE, STRING_DONE, VALUE_DONE } state = STRING_DONE;

	while (depth && r->at < r->end) {
		char c = *r->at;
		size_t len = 1;

		if (strchr("]}", c)) {
			depth--;
			state = VALUE_DONE;
		} else if ((c == ',' && state != VALUE) || (c == ':' && state == STRING_DONE)) {
			state = VALUE;
		} else if (c == '"' && state == VALUE) {
			repair_scalar(r);
			state = STRING_DONE;
			continue;
		} else if (strchr("[{", c) && state == VALUE) {
			depth++;
		} else if (!strchr(" \t\r\n", c)) {
			len = state == VALUE ? json_word(r->at, (size_t)(r->end - r->at)) : 0;
			state = VALUE_DONE;
		}
		if (!len)
			return;
		copy(r, len);
	}
}

bool yaml_text_repair(struct yaml_text *t, size_t start, unsigned flow)
{
	struct repair r = { .at = t->data, .end = t->data + t->n };
	struct char_cursor cursor;

	if (!t->repaired && memmem(t->data, t->n, FILLER, 3))
		return false;
	char_cursor_init(&cursor, t->data, t->n, t->ascii);
	copy(&r, char_cursor_to(&cursor, start));
	if (r.at == r.end || *r.at != '"') {
		buf_release(&r.out);
		return false;
	}
	repair_scalar(&r);
	repair_json(&r, flow);
	copy(&r, (size_t)(r.end - r.at));
	buf_release(&t->own);
	t->own = r.out;
	t->data = r.out.data;
	t->n = r.out.len;
	t->ascii &= !r.changed;
	t->repaired |= r.changed;
	return r.changed;
}

size_t yaml_text_strip(char *scalar, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n;) {
		if (n - i >= 3 && !memcmp(scalar + i, FILLER, 3))
			i += 3;
		else
			scalar[kept++] = scalar[i++];
	}
	scalar[kept] = '\0';
	return kept;
}
