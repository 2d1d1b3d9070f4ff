/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clone3(2) for children that soon execute something else. The caller always sleeps until the
 * child has executed or ended (CLONE_VFORK). With CLONE_VM the child borrows the caller's memory,
 * which costs no page tables and lets it leave a failure where the caller finds it; without, it
 * has a copy, as somebody in a container who may trace the child must not reach the shim by it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct clone_child {
	uint64_t flags;		/* CLONE_VFORK and CLONE_PIDFD are added */
	int cgroup_fd;		/* a cgroup2 directory for CLONE_INTO_CGROUP; -1: none */
	void *stack;		/* lowest byte, page-aligned */
	size_t stack_size;
	void (*run)(void *arg);	/* must not return */
	void *arg;
};

/* The child's pid and pidfd, or -errno. */
pid_t clone_run(const struct clone_child *c, int *ret_pidfd);
