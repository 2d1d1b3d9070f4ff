/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where shims are born; see nursery.c. */
#pragma once

#include <stddef.h>

/* argv as main() has it, three of them. 1: this is a new shim, its connection is SHIM_FD and its
 * directory in dir; -errno: this was the nursery, which has ended. */
int nursery_run(char **argv, char *dir, size_t size);
