/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as block devices: loop(4). What is attached is found in /sys, so nothing is remembered. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define LOOPDEV_NAME 32

/* "/dev/loop3", of a file that may be attached already; it is as large as the file is now. Writes go
 * past the page cache where the file's file system can do that. */
int loopdev_attach(const char *file, char ret[LOOPDEV_NAME], struct err *err);
/* Devices of files below dir that used() does not know end, once nobody has them open any more. */
void loopdev_detach(const char *dir, bool (*used)(void *data, const char *file), void *data);
