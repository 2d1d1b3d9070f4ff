/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executing programs (shim/program.h). A sandbox program runs in the shim itself. A container
 * program runs in a child born in new mount and pid namespaces, which borrows the shim's memory
 * until it executes. An exec program runs in a child with memory of its own, as it enters a
 * container whose processes might look at it: the child joins, and clones once more to be inside
 * the pid namespace; that process is the shim's own child, too (CLONE_PARENT). A program that asks
 * on the pod's behalf, from outside of its containers, is a plain child.
 *
 * struct prog_run lies in a shared mapping, so that a failure written by any of these processes
 * is seen by the shim. Children hold no descriptor but their stdio and those named here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/program.h"

#define PROG_STACK (64 * 1024)

struct prog_run {
	/* given; descriptors are the caller's, -1 where there is none */
	const void *prog;
	size_t size;
	int stdio[3];
	int cgroup;			/* cgroup2 directory to be born in */
	int join;			/* pidfd of the container's first process */
	int host_mounts;		/* the mount namespace of KEEP_MOUNTS, for the caller to keep */
	int pids;			/* the pid namespace of PIDS */
	int userns;			/* the pod's; USERNS makes it, for the caller to keep */
	int console;			/* a tty is wanted: its master is sent over this socket, when
					 * joining or by CONSOLE */
	uint16_t rows, cols;
	uint64_t pid_flags;		/* CLONE_NEWPID, or 0: the pid namespace that setns(2) has set */
	char oom_score[8];		/* to start with, "0": the shim's own is not for others */

	/* found out */
	struct prog_fail fail;
	pid_t joined;			/* the process that JOIN made */
	bool own_net;			/* UNSHARE made a network namespace */

	/* the executor's own */
	size_t mapped;
	char *stack;
	const char **argv, **envp;
	unsigned nargv, nenvp;
	size_t at;			/* offset of the record that is executed */
	uint32_t index;
	const char *root;		/* of PIVOT or ROOT; NULL: the program has none */
	int root_fd;			/* that directory; -1: not open */
	int masks[2];			/* what hides a directory, and a file, mounted; -1: not yet */
	bool in_shim, in_root;
	bool armed;			/* PR_SET_PDEATHSIG holds */
	int owner;			/* pidfd of the shim */
	int host_netlink, pod_netlink;
};

/* NULL when there is no memory; prog must have passed prog_check() and stay until the run ends. */
struct prog_run *prog_run_new(const void *prog, size_t size);
void prog_run_free(struct prog_run *x);

/* All return 0 or -errno, with x->fail filled. */
int prog_run_sandbox(struct prog_run *x);
int prog_run_container(struct prog_run *x, pid_t *ret_pid, int *ret_pidfd);
int prog_run_exec(struct prog_run *x, pid_t *ret_pid, int *ret_pidfd);
/* A program of the host, which enters no container. */
int prog_run_outside(struct prog_run *x, pid_t *ret_pid, int *ret_pidfd);
