/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clone3(2) with CLONE_VM|CLONE_VFORK: the child borrows our memory until it executes, on a
 * stack of its own, and the caller sleeps meanwhile; so no page table is copied, and the child
 * can leave the reason of a failure in the caller's memory. glibc has no wrapper that takes
 * CLONE_INTO_CGROUP, hence the few instructions of assembly. Signals are blocked around the
 * call: a handler must never run in the child.
 */
#include "sys/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clone.h"
#include "base/macro.h"

#define STACK_SIZE (64 * 1024)

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

struct child {
	const struct spawn *s;
	sigset_t mask;		/* of the caller, before it blocked everything */
	const char *step;	/* what failed, with error; NULL: executed */
	int error;
};

static int child_fail(struct child *c, const char *step)
{
	c->error = errno;
	c->step = step;
	return -1;
}

static int child_source(int fd, int from)
{
	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, from);
}

/* First all of them out of the way of the targets, then each to its place. */
static int child_fds(struct child *c)
{
	const struct spawn *s = c->s;
	int from[ARRAY_SIZE(s->fds)];
	unsigned keep = MAX(s->nfds, 3U);

	for (unsigned i = 0; i < s->nfds; i++) {
		from[i] = child_source(s->fds[i], (int)keep);
		if (from[i] < 0)
			return child_fail(c, "open /dev/null");
	}
	for (unsigned i = 0; i < s->nfds; i++)
		if (dup2(from[i], (int)i) < 0)
			return child_fail(c, "dup2");
	/* A descriptor that a library opened without O_CLOEXEC stays here, too. */
	syscall(SYS_close_range, keep, ~0U, CLOSE_RANGE_CLOEXEC);
	return 0;
}

__attribute__((no_sanitize("address"))) static void child_main(void *arg)
{
	static const char *const no_env[] = { NULL };
	struct child *c = arg;
	const struct spawn *s = c->s;

	child_default_signals();
	if (s->session)
		setsid();
	if (s->cwd && chdir(s->cwd) < 0)
		child_fail(c, s->cwd);
	else if (child_fds(c) == 0) {
		execve(s->path, (char *const *)s->argv, (char *const *)(s->envp ? s->envp : no_env));
		child_fail(c, s->path);
	}
	_exit(127);
}

static int spawn_clone(struct child *c, int cgroup_fd, void *stack, pid_t *ret_pid, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args ca = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stack,
		.stack_size = STACK_SIZE,
	};
	sigset_t all;

	if (cgroup_fd >= 0) {
		ca.flags |= CLONE_INTO_CGROUP;
		ca.cgroup = (uint64_t)cgroup_fd;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &c->mask);

	long pid = clone3_run(&ca, child_main, c);

	pthread_sigmask(SIG_SETMASK, &c->mask, NULL);
	if (pid < 0)
		return (int)pid;
	*ret_pid = (pid_t)pid;
	*ret_pidfd = pidfd;
	return 0;
}

/* A child that could not execute has ended already: reap it, tell its reason. */
static int spawn_failed(const struct child *c, pid_t pid, int pidfd, struct err *err)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(pidfd);
	return err_sys(err, -c->error, "%s", c->step);
}

int spawn(const struct spawn *s, pid_t *ret_pid, int *ret_pidfd, struct err *err)
{
	struct child c = { .s = s };
	FD_AUTO cgroup = -1;
	int pidfd = -1;
	pid_t pid = -1;

	if (s->nfds > ARRAY_SIZE(s->fds))
		return err_set(err, -EINVAL, "spawn: too many descriptors");
	if (s->cgroup_dir && *s->cgroup_dir) {
		cgroup = open(s->cgroup_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (cgroup < 0)
			return err_sys(err, -errno, "%s", s->cgroup_dir);
	}

	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		return err_sys(err, -errno, "stack");

	int r = spawn_clone(&c, cgroup, stack, &pid, &pidfd);

	munmap(stack, STACK_SIZE);
	if (r < 0)
		return err_sys(err, r, "clone3");
	if (c.step)
		return spawn_failed(&c, pid, pidfd, err);
	*ret_pid = pid;
	*ret_pidfd = pidfd;
	return 0;
}
