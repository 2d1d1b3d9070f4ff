/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Id-mapped mounts (mount_setattr(2)): the same directory with other owners. They let pods that
 * each have their own range of ids share the layers of an image without a copy: an overlay cannot
 * be id-mapped, but its lower directories can (from Linux 5.19 on).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* A user namespace in which ids [0, count) are [first, first + count) outside. */
int idmap_userns(uint32_t first, uint32_t count, int *ret_fd, struct err *err);

/*
 * A detached mount of path in which what belongs to 0 belongs to the namespace's first id, and so
 * on; to be attached with move_mount(2) in the mount namespace that uses it. -EINVAL where the
 * file system cannot (tmpfs before 6.3).
 */
int idmap_mount(const char *path, int userns, int *ret_fd, struct err *err);
