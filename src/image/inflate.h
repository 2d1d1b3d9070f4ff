/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A decompressing reader: gzip (any number of members), zstd (any number of frames) or neither, by
 * the first bytes. Keeps the digest of what comes out and holds it against the limits, so that a
 * bomb ends early. Memory does not depend on the input: 64 KiB in, 256 KiB out, and the
 * decompressor's window (32 KiB for gzip, at most 32 MiB for zstd; frames that want more are
 * refused).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

struct inflate_limits {
	uint64_t bytes;		/* that come out */
	uint64_t ratio;		/* of what comes out to what goes in, beyond the first GiB */
};

struct inflate;

int inflate_new(int fd, const struct inflate_limits *l, struct inflate **ret, struct err *err);
void inflate_free(struct inflate *f);
/*
 * Between 1 and max bytes, which stay valid until the next call; *ret_n is 0 at the end. -EBADMSG,
 * -EFBIG.
 */
int inflate_read(struct inflate *f, size_t max, const unsigned char **ret, size_t *ret_n,
		 struct err *err);
/* "sha256:..." of everything that was read; after the end only. */
void inflate_digest(struct inflate *f, char *ret, size_t n);
