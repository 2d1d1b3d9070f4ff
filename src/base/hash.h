/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests: FNV-1a for tables and template hashes, SHA-256 for contents. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FNV64_INIT 0xcbf29ce484222325ULL

uint64_t fnv64(uint64_t h, const void *data, size_t n);
uint64_t fnv64_str(uint64_t h, const char *s);		/* hashes the NUL too: "a","b" != "ab" */
uint32_t fnv32(const void *data, size_t n);

#define DIGEST_HEX 65		/* 64 hex digits and NUL */
void digest_hex(const void *data, size_t n, char ret[DIGEST_HEX]);	/* SHA-256 */

/* The same, of what comes piece by piece. */
struct digest {
	uint32_t h[8];
	uint64_t n;			/* bytes so far */
	unsigned char block[64];
	bool fast;
};
void digest_init(struct digest *d);
void digest_add(struct digest *d, const void *data, size_t n);
void digest_end(struct digest *d, char ret[DIGEST_HEX]);
