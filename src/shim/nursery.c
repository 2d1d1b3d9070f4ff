/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nursery: one process of the shim's program, orchd's, that the shims of pods are born from as
 * copies of itself. Executing the program for each took a tenth of what the start of a pod takes of a
 * processor: the C library asks for the processor's features, which is slow in a virtual machine, and
 * all pages fault again. A shim is orchd's own child (CLONE_PARENT), begins in its pod's control group
 * and is from then on what it would have been had it been executed. With orchd the nursery ends; its
 * shims go on.
 */
#include "shim/nursery.h"

#include <errno.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "base/sock.h"
#include "shim/protocol.h"

#define BIRTH_FDS 2		/* the connection, and the cgroup2 directory if there is one */

/* As fork(2): a copy with memory of its own. */
static pid_t birth(int cgroup, int *ret_pidfd)
{
	struct clone_args ca = {
		.flags = CLONE_PARENT | CLONE_PIDFD,
		.pidfd = (uintptr_t)ret_pidfd,
	};

	if (cgroup >= 0) {
		ca.flags |= CLONE_INTO_CGROUP;
		ca.cgroup = (uint64_t)cgroup;
	}
	long pid = syscall(SYS_clone3, &ca, sizeof(ca));
	return pid < 0 ? -errno : (pid_t)pid;
}

/* What ps(1) shows of a shim: its arguments as they would be. */
static void show_directory(char **argv, const char *dir)
{
	char *end = argv[2] + strlen(argv[2]);
	size_t room = (size_t)(end - argv[1]), n = MIN(strlen(dir), room);

	memset(argv[1], 0, room);
	memcpy(argv[1], dir, n);
}

/* False when orchd is gone. */
static bool answer(pid_t pid, const int *pidfd)
{
	struct shim_born born = { .pid = pid };

	return sock_send(SHIM_FD, &born, sizeof(born), pidfd, pid > 0) == sizeof(born);
}

/* One birth: 1 in the shim, 0 in the nursery, -errno when there will be no more. */
static int attend(char *dir, size_t size)
{
	int fds[BIRTH_FDS], pidfd = -1;
	unsigned nfds = BIRTH_FDS;
	ssize_t n = sock_recv(SHIM_FD, dir, size - 1, fds, &nfds);

	if (n <= 0 || !nfds)
		return n < 0 ? (int)n : -EPIPE;
	dir[n] = '\0';
	FD_AUTO connection = fds[0];
	FD_AUTO cgroup = nfds > 1 ? fds[1] : -1;
	pid_t pid = birth(cgroup, &pidfd);
	if (pid == 0)
		return dup2(connection, SHIM_FD) < 0 ? -errno : 1;
	FD_AUTO theirs = pidfd;
	return answer(pid, &theirs) ? 0 : -EPIPE;
}

int nursery_run(char **argv, char *dir, size_t size)
{
	int r = 0;

	prctl(PR_SET_NAME, "orch-nursery", 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	while (r == 0)
		r = attend(dir, size);
	if (r > 0)
		show_directory(argv, dir);
	return r;
}
