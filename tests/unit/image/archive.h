/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tar archives, made block by block. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

struct fields {
	const char *name, *link, *mode, *uid, *gid, *mtime;
	char type;
	size_t size;
};

static inline void put_field(char *to, const char *text, const char *otherwise)
{
	memcpy(to, text ? text : otherwise, strlen(text ? text : otherwise));
}

static inline void seal(char h[512])
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
}

static inline void put_header(struct buf *out, struct fields f)
{
	char h[512] = { 0 };

	put_field(h, f.name, "file");
	put_field(h + 100, f.mode, "0000644");
	put_field(h + 108, f.uid, "0000000");
	put_field(h + 116, f.gid, "0000000");
	snprintf(h + 124, 12, "%011zo", f.size);
	put_field(h + 136, f.mtime, "00000000000");
	h[156] = f.type ? f.type : '0';
	put_field(h + 157, f.link, "");
	memcpy(h + 257, "ustar\0" "00", 8);
	seal(h);
	buf_add(out, h, 512);
}

static inline void put_data(struct buf *out, const void *p, size_t n)
{
	static const char zero[512];

	buf_add(out, p, n);
	buf_add(out, zero, (512 - n % 512) % 512);
}

static inline void put_end(struct buf *out)
{
	static const char zero[1024];

	buf_add(out, zero, sizeof(zero));
}
