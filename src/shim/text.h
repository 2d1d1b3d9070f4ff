/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short texts in fixed buffers: file names, log stamps, messages. What does not fit is cut; the
 * text is always NUL-terminated. The shim formats with these few functions and not with stdio,
 * whose buffers and locale would be private memory of every pod, and which must not be called in
 * a child that borrows the shim's memory.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct text {
	char *data;
	size_t len, cap;
};

#define TEXT(array) ((struct text){ .data = (array), .cap = sizeof(array) })

struct text *text_put(struct text *t, const char *s);
struct text *text_putn(struct text *t, const char *s, size_t n);
struct text *text_num(struct text *t, uint64_t v);

/* Copies a string and cuts it to fit. */
void text_copy(char *to, size_t cap, const char *from);
#define TEXT_COPY(array, from) text_copy((array), sizeof(array), (from))

/* The number that s begins with; *end is the first byte after it. */
uint64_t text_parse(const char *s, const char **end);
