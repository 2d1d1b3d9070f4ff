/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting a program from the daemon: clone3(2) with CLONE_VFORK|CLONE_VM, so that the size of
 * the caller does not matter, optionally straight into a cgroup. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct spawn {
	const char *path;
	const char *const *argv;	/* NULL-terminated */
	const char *const *envp;	/* NULL: empty */
	int fds[8];			/* become 0, 1, 2...; -1 is /dev/null */
	unsigned nfds;
	const char *cwd;		/* NULL: as the caller */
	const char *cgroup_dir;		/* cgroup2 directory, NULL or "": as the caller */
	bool session;			/* setsid(2) */
};

/* Returns 0 and a pidfd; signals are unblocked and default in the child. */
int spawn(const struct spawn *s, pid_t *ret_pid, int *ret_pidfd, struct err *err);
