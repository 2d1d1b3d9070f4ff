/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collected diagnostics, and the nearest word to one that is unknown. */
#include "schema/msgs.h"

#include <ctype.h>
#include <string.h>

#include "base/macro.h"

#define WORD_MAX 64	/* longer ones get no suggestion */

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

const char *suggest(const char *word, const char *const *candidates)
{
	size_t n = strlen(word);
	unsigned best = (unsigned)MIN(n / 3 + 1, (size_t)3);	/* more edits make another word */
	const char *ret = NULL;

	if (n > WORD_MAX || n < 2)
		return NULL;
	for (; *candidates; candidates++) {
		size_t nc = strlen(*candidates);
		if (!nc || nc > WORD_MAX)
			continue;
		unsigned d = distance(word, n, *candidates, nc);
		if (d < best || (d == best && !ret && d < MAX(n, nc))) {
			best = d;
			ret = *candidates;
		}
	}
	return ret;
}
