/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing byte buffer; always NUL-terminated once something was added. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len, cap;
};

void buf_release(struct buf *b);	/* leaves an empty, usable buffer */
void buf_reset(struct buf *b);		/* length 0, keeps the memory */
char *buf_take(struct buf *b);		/* hands over the malloc'd string (never NULL), empties b */
void buf_add(struct buf *b, const void *data, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
const char *buf_str(const struct buf *b);	/* "" when nothing was added */

static inline void buf_cleanup(struct buf *b) { buf_release(b); }
#define BUF_AUTO __attribute__((cleanup(buf_cleanup))) struct buf
