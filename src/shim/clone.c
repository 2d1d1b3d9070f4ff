/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Children of the shim; see clone.h. */
#include "shim/clone.h"

#include <errno.h>
#include <signal.h>

#include "base/clone.h"
#include "base/macro.h"

pid_t clone_run(const struct clone_child *c, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args ca = {
		.flags = c->flags | CLONE_VFORK | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		/* With CLONE_PARENT the child ends as its parent's parent was told it would. */
		.exit_signal = c->flags & CLONE_PARENT ? 0 : SIGCHLD,
		.stack = (uintptr_t)c->stack,
		.stack_size = c->stack_size,
	};

	if (c->cgroup_fd >= 0) {
		ca.flags |= CLONE_INTO_CGROUP;
		ca.cgroup = (uint64_t)c->cgroup_fd;
	}
	long pid = clone3_run(&ca, c->run, c->arg);
	if (pid < 0)
		return (pid_t)pid;
	*ret_pidfd = pidfd;
	return (pid_t)pid;
}
