/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths that must not lead out of a directory: openat2(2). */
#pragma once

#include <linux/openat2.h>
#include <stdint.h>

/* The descriptor, close-on-exec, or -errno. With RESOLVE_IN_ROOT or RESOLVE_BENEATH the kernel gives
 * up with EAGAIN at a ".." while anything on the machine is renamed or mounted; it is asked again, and
 * -EAGAIN says that this went on for a thousand times. */
int open_within(int dir, const char *path, uint64_t flags, uint64_t resolve);
