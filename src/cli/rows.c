/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aligned text. Widths are in characters, not bytes. Columns of rows are at least three wide and
 * three apart, the last one is not filled up: kubectl's layout.
 */
#include <stdio.h>

#include "base/macro.h"
#include "cli/print.h"

static size_t width_of(const char *s, size_t n)
{
	size_t w = 0;

	for (size_t i = 0; i < n; i++)
		w += (s[i] & 0xc0) != 0x80;	/* continuation bytes of UTF-8 take no room */
	return w;
}

static void fill(struct buf *out, size_t n)
{
	while (n--)
		buf_putc(out, ' ');
}

/* One line of it: what follows a line break is left out, tabs become blanks. */
static char *cell_text(const char *s)
{
	size_t n = strcspn(s, "\r\n\f");
	BUF_AUTO b = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_putc(&b, s[i] == '\t' ? ' ' : s[i]);
	if (s[n])
		buf_puts(&b, "...");
	return buf_take(&b);
}

void rows_add(struct rows *r, unsigned ncols, const char *const *cells)
{
	r->ncols = MIN(ncols, (unsigned)COLUMNS_MAX);
	r->cells = realloc(r->cells, sizeof(char *) * (r->ncols * (r->nrows + 1) + 1));
	if (!r->cells)
		abort();
	for (unsigned i = 0; i < r->ncols; i++)
		r->cells[r->nrows * r->ncols + i] = cell_text(cells[i] ? cells[i] : "");
	r->nrows++;
}

void rows_print(struct rows *r, struct buf *out)
{
	unsigned n = r->nrows * r->ncols;

	for (unsigned i = 0; i < n; i++) {
		size_t *w = &r->width[i % r->ncols],
		       cell = width_of(r->cells[i], strlen(r->cells[i]));

		*w = *w ? *w : 3;
		*w = MAX(*w, cell);
	}
	for (unsigned i = 0; i < n; i++) {
		size_t len = strlen(r->cells[i]);

		buf_add(out, r->cells[i], len);
		if (i % r->ncols == r->ncols - 1)
			buf_putc(out, '\n');
		else
			fill(out, r->width[i % r->ncols] + 3 - width_of(r->cells[i], len));
		free(r->cells[i]);
	}
	free(r->cells);
	r->cells = NULL;
	r->nrows = 0;
}

void rows_flush(struct rows *r)
{
	BUF_AUTO out = { 0 };

	rows_print(r, &out);
	fputs(buf_str(&out), stdout);
}

/* The beginning of cell col of a line that has a tab after it; NULL: the line has fewer cells. */
static const char *cell_of(const char *line, size_t n, unsigned col, size_t *ret_len)
{
	const char *p = line, *end = line + n;

	for (;; col--) {
		const char *tab = memchr(p, '\t', (size_t)(end - p));

		if (!tab)
			return NULL;
		if (!col) {
			*ret_len = (size_t)(tab - p);
			return p;
		}
		p = tab + 1;
	}
}

static const char *line_before(const char *text, const char *line)
{
	if (line == text)
		return NULL;
	for (line--; line > text && line[-1] != '\n'; line--)
		;
	return line;
}

/* The widest cell of this column in the run of lines around one that has it. */
static size_t column_width(const char *text, const char *line, unsigned col)
{
	const char *cell, *first = line, *p;
	size_t len, w = 0;

	while ((p = line_before(text, first)) && cell_of(p, strcspn(p, "\n"), col, &len))
		first = p;
	for (p = first; *p && (cell = cell_of(p, strcspn(p, "\n"), col, &len));) {
		w = MAX(w, width_of(cell, len));
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return w;
}

void tabs_align(const char *text, unsigned padding, struct buf *out)
{
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n"), len = 0, used = 0;
		const char *cell;

		for (unsigned col = 0; (cell = cell_of(line, n, col, &len)); col++) {
			size_t w = column_width(text, line, col);

			buf_add(out, cell, len);
			fill(out, w + padding - width_of(cell, len));
			used = (size_t)(cell - line) + len + 1;
		}
		buf_add(out, line + used, n - used);
		line += n;
		if (*line) {
			buf_putc(out, '\n');
			line++;
		}
	}
}
