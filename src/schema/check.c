/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths, and what checks say. A child is found in the file so that the message points at it. */
#include "schema/check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "schema/walk.h"

size_t path_key(struct buf *path, const char *key)
{
	size_t before = path->len;

	if (before)
		buf_putc(path, '.');
	buf_puts(path, key);
	return before;
}

size_t path_entry(struct buf *path, const char *key)
{
	size_t before = path->len;

	buf_putc(path, '[');
	buf_puts(path, key);
	buf_putc(path, ']');
	return before;
}

size_t path_index(struct buf *path, uint32_t i)
{
	size_t before = path->len;
	char text[13], *at = text + sizeof(text);

	*--at = ']';
	do
		*--at = (char)('0' + i % 10);
	while (i /= 10);
	*--at = '[';
	buf_add(path, at, (size_t)(text + sizeof(text) - at));
	return before;
}

void path_cut(struct buf *path, size_t len)
{
	path->len = len;
	if (path->data)
		path->data[len] = 0;
}

/* One step down: "name" or, in brackets, an index or a map's key. NULL when it is not there. */
static const struct ynode *step(const struct ynode *n, const char **path)
{
	const char *from = *path;
	bool bracket = *from == '[';
	size_t len = bracket ? strcspn(++from, "]") : strcspn(from, ".[");
	char word[256];

	*path = from + len + (bracket && from[len]);
	*path += **path == '.';
	if (len >= sizeof(word))
		return NULL;
	memcpy(word, from, len);
	word[len] = 0;
	if (n->kind == Y_MAP)
		return ynode_get(n, word);
	if (n->kind != Y_SEQ || !isdigit((unsigned char)*word))
		return NULL;
	unsigned long i = strtoul(word, NULL, 10);
	return i < n->n ? n->values[i] : NULL;
}

/* The node of the child, or the nearest one above it that the file has. */
static const struct ynode *child_node(const struct ynode *n, const char *child)
{
	while (n && *child) {
		const struct ynode *below = step(n, &child);
		if (!below)
			break;
		n = below;
	}
	return n;
}

static void add(struct check *c, bool warning, const char *child, const char *fmt, va_list ap)
{
	const struct ynode *at = child_node(c->node, child);
	BUF_AUTO text = { 0 };
	size_t before = c->path->len;

	buf_vprintf(&text, fmt, ap);
	if (*child)
		buf_printf(c->path, "%s%s", before && *child != '[' ? "." : "", child);
	msgs_add(c->msgs, warning, c->file, at ? at->line : 0, at ? at->col : 0, buf_str(c->path),
		 "%s", buf_str(&text));
	path_cut(c->path, before);
}

void check_fail(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(c, false, "", fmt, ap);
	va_end(ap);
}

void check_fail_at(struct check *c, const char *child, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(c, false, child, fmt, ap);
	va_end(ap);
}

void check_warn_at(struct check *c, const char *child, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(c, true, child, fmt, ap);
	va_end(ap);
}
