/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader of tar archives as they come in layers: ustar, pax and GNU headers, long names, extended
 * attributes (SCHILY.xattr), sparse files (GNU old, pax 0.0, 0.1 and 1.0). Names are bytes and are
 * handed on as they are; a library that takes them for text in some locale changes them. Streams:
 * memory is bounded by the longest header that is accepted, whatever the archive holds. Pure: the
 * bytes come from a function, so it runs in a sandbox and in tests alike.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define TAR_HEADER_MAX (1 << 20)	/* bytes of pax headers of one entry */
#define TAR_PATH_MAX 4095
#define TAR_XATTR_MAX (64 * 1024)	/* XATTR_SIZE_MAX: of one value */
#define TAR_SPARSE_MAX (64 * 1024)	/* pieces of one file */

enum tar_type {
	TAR_FILE, TAR_LINK, TAR_SYMLINK, TAR_CHAR, TAR_BLOCK, TAR_DIR, TAR_FIFO,
};

struct tar_xattr {
	const char *name;
	const void *value;
	size_t n;
};

/* Strings are in the reader's memory, valid until the next entry. */
struct tar_entry {
	enum tar_type type;
	const char *path;		/* as in the archive, not empty */
	const char *link;		/* target of links, else "" */
	uint32_t mode;			/* 07777 */
	uint32_t uid, gid;
	uint32_t major, minor;
	int64_t mtime;
	uint32_t mtime_ns;
	uint64_t size;			/* of the file, with its holes */
	const struct tar_xattr *xattrs;
	size_t nxattrs;
};

struct tar_source {
	/* As inflate_read(): 1 to max bytes, valid until the next call, 0 at the end. */
	int (*read)(void *data, size_t max, const unsigned char **ret, size_t *ret_n,
		    struct err *err);
	void *data;
};

struct tar;

struct tar *tar_new(struct tar_source source);
void tar_free(struct tar *t);
/* 1: an entry; what was left of the last one's data is skipped. 0: the end. -EBADMSG, -EFBIG. */
int tar_next(struct tar *t, struct tar_entry *ret, struct err *err);
/* The next piece of the entry's data and where it belongs; *ret_n is 0 at its end. */
int tar_data(struct tar *t, size_t max, const unsigned char **ret, size_t *ret_n,
	     uint64_t *ret_offset, struct err *err);
/* Reads on to the end of the source: digests are of everything. */
int tar_drain(struct tar *t, struct err *err);
