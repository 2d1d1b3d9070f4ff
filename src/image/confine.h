/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two halves of unpacking may do (unpack.h): each gives up the rest before it begins. */
#pragma once

#include <sys/types.h>

/*
 * Becomes uid with no capability, no descriptor but in as 0 and out as 1, and no system call but to
 * read, write and manage its memory: any other ends the process. It also ends with its parent, or
 * after cpu_s seconds of work. 0 or -errno.
 */
int confine_reader(int in, int out, uid_t uid, unsigned cpu_s);

/*
 * Makes the directory dir the root, keeps the capabilities that making files of any owner takes
 * and the system calls for files; others fail with EPERM.
 */
int confine_applier(int dir);
