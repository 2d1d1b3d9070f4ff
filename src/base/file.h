/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole-file helpers. All open with O_CLOEXEC; all return 0 or -errno and say which path. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends the whole regular file to out; fails with -EFBIG over max bytes (0: no limit). out is
 * as before when it fails. The fd variant also reads pipes; name is for messages only.
 */
int file_read(const char *path, size_t max, struct buf *out, struct err *err);
int file_read_fd(int fd, const char *name, size_t max, struct buf *out, struct err *err);

/*
 * Writes ".NAME.new" in the same directory and renames it over path; durable adds an fsync before
 * and one of the directory after. A crash leaves at most that one file, which the next write uses.
 */
int file_write_atomic(const char *path, const void *data, size_t n, mode_t mode, bool durable,
		      struct err *err);
/* In place. mode is for a file that does not exist yet; neither depends on the umask. */
int file_write(const char *path, const void *data, size_t n, mode_t mode, struct err *err);
int file_mkdir_p(const char *path, mode_t mode, struct err *err);	/* existing is success */
/* Removes a tree without following symbolic links or crossing mounts; absent is success. */
int file_rm_rf(const char *path, struct err *err);
bool file_exists(const char *path);
