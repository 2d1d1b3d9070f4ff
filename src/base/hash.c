/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FNV (http://www.isthe.com/chongo/tech/comp/fnv/); see hash.h. */
#include "base/hash.h"

#include <string.h>

uint64_t fnv64(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

/* A missing string hashes as a byte that UTF-8 never has, so that it differs from "". */
uint64_t fnv64_str(uint64_t h, const char *s)
{
	return s ? fnv64(h, s, strlen(s) + 1) : fnv64(h, "\xff", 1);
}

uint32_t fnv32(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint32_t h = 0x811c9dc5;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x01000193;
	return h;
}
