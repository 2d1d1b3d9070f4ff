/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The applier: carries the operations of unpack_ops.h out below one directory. What it reads may
 * be anything: every record is checked, every path is resolved by the kernel with that directory as
 * the root, without leaving its file system, and nothing is counted on but that.
 */
#pragma once

#include "base/buf.h"
#include "image/unpack.h"

struct applied {
	uint64_t bytes, entries;
	bool root_opaque;		/* the layer hides all that is below it */
	char diff[IMAGE_DIGEST_MAX];
	struct buf implied;		/* paths, each with its NUL */
};

/*
 * root: the directory. plain: files of root, 0644 and 0755, and directories; nothing else. The
 * umask must be 0. Returns what FAIL said, -EPIPE when the reader ended without END, or what went
 * wrong here.
 */
int unpack_apply(int in, int root, const struct unpack_limits *limits, bool plain,
		 struct applied *ret, struct err *err);
