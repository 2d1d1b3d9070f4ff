/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 (RFC 4648, padded), as in the data of Secrets; line breaks in the text are skipped. */
#include "base/units.h"

#include <errno.h>

#include "base/macro.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit(char c)
{
	const char *p = c ? strchr(alphabet, c) : NULL;

	return p ? (int)(p - alphabet) : -1;
}

/* Writes the bytes of one group that had pad padding characters. */
static size_t put_group(unsigned char *out, uint32_t bits, unsigned pad)
{
	for (unsigned i = 0; i < 3 - pad; i++)
		out[i] = (unsigned char)(bits >> (16 - 8 * i));
	return 3 - pad;
}

int base64_decode(struct arena *a, const char *s, size_t n, void **ret, size_t *ret_n)
{
	unsigned char *out = arena_alloc(a, n / 4 * 3 + 4);
	size_t len = 0;
	uint32_t bits = 0;
	unsigned have = 0, pad = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n' || s[i] == '\r')
			continue;
		int d = digit(s[i]);
		bool padding = s[i] == '=' && have >= 2;
		/* nothing but padding follows padding, and nothing follows the padded group */
		if ((d < 0 && !padding) || (pad && !(padding && have)))
			return -EINVAL;
		pad += padding;
		bits = bits << 6 | (padding ? 0 : (uint32_t)d);
		if (++have < 4)
			continue;
		len += put_group(out + len, bits, pad);
		have = 0;
		bits = 0;
	}
	if (have)
		return -EINVAL;
	*ret = out;
	*ret_n = len;
	return 0;
}

char *base64_encode(struct arena *a, const void *data, size_t n)
{
	const unsigned char *p = data;
	char *out = arena_alloc(a, (n + 2) / 3 * 4 + 1);
	char *w = out;

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t bits = (uint32_t)p[i] << 16;
		bits |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		bits |= left > 2 ? p[i + 2] : 0;
		*w++ = alphabet[bits >> 18];
		*w++ = alphabet[bits >> 12 & 63];
		*w++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*w++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	return out;
}
