/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that shims are born from (shim/nursery.c): started with the first pod, ended with
 * orchd. Whatever is the matter with it, a shim that it does not give is executed, as the first was.
 */
#pragma once

#include "sys/spawn.h"

struct nursery {
	int fd;			/* -1: there is none */
	pid_t pid;
	int pidfd;
};

#define NURSERY_NONE ((struct nursery){ .fd = -1, .pidfd = -1 })

/* As spawn() of the shim's program: its directory is argv[1], the connection becomes SHIM_FD. */
int nursery_spawn(struct nursery *n, const struct spawn *s, pid_t *ret_pid, int *ret_pidfd,
		  struct err *err);
void nursery_release(struct nursery *n);
