/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short texts in fixed buffers; see text.h. */
#include "shim/text.h"

#include <string.h>

struct text *text_putn(struct text *t, const char *s, size_t n)
{
	if (!t->cap)
		return t;
	if (n > t->cap - 1 - t->len)
		n = t->cap - 1 - t->len;
	memcpy(t->data + t->len, s, n);
	t->len += n;
	t->data[t->len] = '\0';
	return t;
}

struct text *text_put(struct text *t, const char *s)
{
	return text_putn(t, s, strlen(s));
}

struct text *text_num(struct text *t, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	return text_putn(t, digits + at, sizeof(digits) - at);
}

void text_copy(char *to, size_t cap, const char *from)
{
	struct text t = { .data = to, .cap = cap };

	to[0] = '\0';
	text_put(&t, from);
}

uint64_t text_parse(const char *s, const char **end)
{
	uint64_t v = 0;

	while (*s >= '0' && *s <= '9')
		v = v * 10 + (uint64_t)(*s++ - '0');
	if (end)
		*end = s;
	return v;
}
