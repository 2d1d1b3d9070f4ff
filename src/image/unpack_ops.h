/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the reader of a layer tells the applier: records of a struct unpack_op and the bytes of its
 * two strings, one after the other through a pipe, no padding. Paths are relative, without "." or
 * "..", "" is the root; the applier takes nothing else. DIR, FILE, SYMLINK, LINK and NODE make an
 * object; DATA and XATTR are about the object that was made last. Times of directories come at the
 * end, when nothing changes them any more. The last record is END or FAIL.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define UNPACK_DATA_MAX (64 * 1024)
#define UNPACK_NAME_MAX 4095

enum unpack_opcode {
	UNPACK_DIR = 1,		/* name, mode, uid, gid; an existing one is changed */
	UNPACK_FILE,		/* name, mode, uid, gid, offset: its size, mtime */
	UNPACK_DATA,		/* offset, data: contents */
	UNPACK_SYMLINK,		/* name, data: target, uid, gid, mtime */
	UNPACK_LINK,		/* name, data: path that it is another name of */
	UNPACK_NODE,		/* name, mode with its type, major, minor, uid, gid, mtime */
	UNPACK_XATTR,		/* name: of the attribute, data: value */
	UNPACK_WHITEOUT,	/* name: what lower layers have there is gone */
	UNPACK_OPAQUE,		/* name: a directory; what lower layers have in it is gone */
	UNPACK_TIME,		/* name: a directory, mtime */
	UNPACK_END,		/* data: digest of the uncompressed tar */
	UNPACK_FAIL,		/* data: message; offset: -errno */
};

struct unpack_op {
	uint32_t op;
	uint32_t nname, ndata;
	uint32_t mode, uid, gid, major, minor;
	int64_t mtime;
	uint32_t mtime_ns, reserved;
	uint64_t offset;
};

/*
 * Overlay's own attributes would let an image say what its layers hide or where they lead; those
 * of other security modules are about the machine that made the image.
 */
bool unpack_keeps_xattr(const char *name);
