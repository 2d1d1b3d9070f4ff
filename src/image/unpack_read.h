/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader: an archive on one descriptor becomes a stream of operations (unpack_ops.h) on
 * another. Takes no other system calls than read and write, and memory for its buffers and for the
 * names of directories (whose times come last).
 */
#pragma once

#include "image/unpack.h"

/*
 * plain: the archive is no layer: names of whiteouts mean nothing, symbolic links are left out,
 * hard links and devices refused. Returns 0 when END was written, -errno after FAIL or when nobody
 * reads.
 */
int unpack_read(int in, int out, const struct unpack_limits *limits, bool plain);
