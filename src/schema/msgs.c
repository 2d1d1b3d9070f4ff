/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collected diagnostics, and the nearest word to one that is unknown. */
#include "schema/msgs.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"

#define WORD_MAX 64	/* longer ones get no suggestion */
#define PREFIX_MIN 4	/* letters that say enough of a word */
#define SHOWN_BEFORE 90	/* characters before a caret, and behind it */
#define SHOWN_BEHIND 30

void msgs_add(struct msgs *m, bool warning, const char *file, uint32_t line, uint32_t col,
	      const char *path, const char *fmt, ...)
{
	struct msg *g = arena_push(m->arena, m);
	va_list ap;

	va_start(ap, fmt);
	*g = (struct msg){
		.warning = warning,
		.line = line,
		.col = col,
		.file = file ? file : "",
		.path = arena_strdup(m->arena, path ? path : ""),
		.text = arena_vprintf(m->arena, fmt, ap),
	};
	va_end(ap);
	m->errors += !warning;
}

void msg_print(const struct msg *m, struct buf *out)
{
	if (*m->file)
		buf_printf(out, "%s:", m->file);
	if (m->line)
		buf_printf(out, "%u:%u:", m->line, m->col);
	if (*m->file || m->line)
		buf_putc(out, ' ');
	if (m->warning)
		buf_puts(out, "warning: ");
	if (*m->path)
		buf_printf(out, "%s: ", m->path);
	buf_printf(out, "%s\n", m->text);
}

/* Characters that take another number of cells than one, roughly as terminals draw them. */
static const struct { uint32_t first, last; unsigned cells; } widths[] = {
	{ 0x300, 0x36f, 0 }, { 0x1100, 0x115f, 2 }, { 0x200b, 0x200f, 0 },
	{ 0x2e80, 0xa4cf, 2 }, { 0xac00, 0xd7a3, 2 }, { 0xf900, 0xfaff, 2 },
	{ 0xfe00, 0xfe0f, 0 }, { 0xfe30, 0xfe6f, 2 }, { 0xff01, 0xff60, 2 },
	{ 0x1f300, 0x1faff, 2 }, { 0x20000, 0x3fffd, 2 },
};

struct glyph {
	size_t len;
	uint32_t c;	/* 0: not a character */
};

static struct glyph glyph_at(const char *s, const char *end)
{
	static const unsigned char lead[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	struct glyph g = { .len = 1 };

	while (s + g.len < end && g.len < 4 && ((unsigned char)s[g.len] & 0xc0) == 0x80)
		g.len++;
	if (g.len > 1 ? (unsigned char)*s < 0xc2 : (unsigned char)*s > 0x7f)
		return g;
	g.c = (unsigned char)*s & lead[g.len];
	for (size_t i = 1; i < g.len; i++)
		g.c = g.c << 6 | ((unsigned char)s[i] & 0x3f);
	return g;
}

static void put_glyph(struct buf *out, const char *s, struct glyph g)
{
	bool odd = g.c < 0x20 || (g.c >= 0x7f && g.c < 0xa0);

	if (g.c == '\t' || !odd)
		buf_add(out, s, g.len);
	else
		buf_putc(out, '?');
}

static void put_blank(struct buf *out, struct glyph g)
{
	unsigned cells = 1;

	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		if (g.c >= widths[i].first && g.c <= widths[i].last)
			cells = widths[i].cells;
	}
	if (g.c == '\t')
		buf_putc(out, '\t');
	else
		buf_printf(out, "%*s", (int)cells, "");
}

static const char *line_at(const char *text, const char *end, uint32_t line)
{
	while (text && line-- > 1) {
		text = memchr(text, '\n', (size_t)(end - text));
		text = text ? text + 1 : NULL;
	}
	return text;
}

void msg_print_caret(const struct msg *m, const char *text, size_t n, struct buf *out)
{
	uint32_t first = m->col > SHOWN_BEFORE ? m->col - SHOWN_BEFORE : 1;
	const char *s = m->line && m->col ? line_at(text, text + n, m->line) : NULL;
	BUF_AUTO below = { 0 };

	if (!s)
		return;
	const char *end = memchr(s, '\n', (size_t)(text + n - s));
	end = end ? end : text + n;
	end -= end > s && end[-1] == '\r';
	buf_printf(out, "    %s", first > 1 ? "..." : "");
	buf_printf(&below, "    %s", first > 1 ? "   " : "");
	for (uint32_t col = 1; s < end && col < m->col + SHOWN_BEHIND; col++) {
		struct glyph g = glyph_at(s, end);
		if (col >= first)
			put_glyph(out, s, g);
		if (col >= first && col < m->col)
			put_blank(&below, g);
		s += g.len;
	}
	buf_printf(out, "%s\n%s^\n", s < end ? "..." : "", buf_str(&below));
}

void msgs_json(const struct msgs *m, struct json *j)
{
	json_begin_array(j);
	for (uint32_t i = 0; i < m->n; i++) {
		const struct msg *g = &m->v[i];

		json_begin_object(j);
		json_kstr(j, "file", g->file);
		json_kint(j, "line", g->line);
		json_kint(j, "column", g->col);
		json_kstr(j, "severity", g->warning ? "warning" : "error");
		json_kstr(j, "path", g->path);
		json_kstr(j, "message", g->text);
		json_end_object(j);
	}
	json_end_array(j);
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edits between two words, letters in any case: insert, delete, replace, swap neighbours. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned row[3][WORD_MAX + 1];
	unsigned *before = row[0], *last = row[1], *now = row[2];

	for (size_t j = 0; j <= nb; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned replace = last[j - 1] + !same_letter(a[i - 1], b[j - 1]);
			unsigned insert = MIN(last[j], now[j - 1]) + 1;
			now[j] = MIN(replace, insert);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				now[j] = MIN(now[j], before[j - 2] + 1);
		}
		unsigned *oldest = before;
		before = last;
		last = now;
		now = oldest;
	}
	return last[nb];
}

/* The same word, but for the case of letters and what stands between its parts? */
static bool same_word(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, "-_");
		b += strspn(b, "-_");
		if (!same_letter(*a, *b))
			return false;
		if (!*a)
			return true;
	}
}

static const char *completion(const char *word, size_t n, const char *const *candidates)
{
	const char *ret = NULL;

	for (; n >= PREFIX_MIN && *candidates; candidates++) {
		if (strncasecmp(word, *candidates, n) != 0)
			continue;
		if (ret)
			return NULL;
		ret = *candidates;
	}
	return ret;
}

const char *suggest(const char *word, const char *const *candidates)
{
	size_t n = strlen(word);
	unsigned best = (unsigned)MIN(n / 3 + 1, (size_t)3) + 1; /* more make another word */
	const char *ret = NULL;

	if (n > WORD_MAX || n < 2)
		return NULL;
	for (const char *const *c = candidates; *c; c++) {
		size_t nc = strlen(*c);
		if (same_word(word, *c))
			return *c;
		if (!nc || nc > WORD_MAX)
			continue;
		unsigned d = distance(word, n, *c, nc);
		if (d < best && d < MAX(n, nc)) {
			best = d;
			ret = *c;
		}
	}
	return ret ? ret : completion(word, n, candidates);
}
