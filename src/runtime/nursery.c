/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shims from the nursery; see nursery.h. */
#include "runtime/nursery.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/macro.h"
#include "base/sock.h"
#include "shim/protocol.h"

#define PATIENCE 2		/* seconds for what takes a fraction of a millisecond */
#define ROOM 64			/* more than the directory of a pod is longer than that of all */

/* Its arguments are where shims write theirs, so there has to be room for them. */
static int start(struct nursery *n, const struct spawn *s)
{
	const char *slash = strrchr(s->argv[1], '/');
	size_t len = slash ? (size_t)(slash - s->argv[1]) : 0;
	struct timeval patience = { .tv_sec = PATIENCE };
	struct arena a = { 0 };
	char *room = arena_alloc(&a, ROOM + 1);
	int pair[2];

	memset(room, '-', ROOM);
	const char *const argv[] = { s->argv[0], arena_strndup(&a, s->argv[1], len), room, NULL };
	int r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0;
	if (r == 0) {
		struct spawn own = {
			.path = s->path, .argv = argv, .cwd = "/",
			.fds = { -1, -1, -1, pair[1] }, .nfds = 4, .session = true,
		};

		setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		n->fd = pair[0];
		r = spawn(&own, &n->pid, &n->pidfd, NULL);
		close(pair[1]);
	}
	arena_release(&a);
	if (r < 0)
		nursery_release(n);
	return r;
}

/* What goes along: the connection and, if there is one, the group to be born in. */
static int ask(const struct nursery *n, const struct spawn *s)
{
	FD_AUTO cgroup = -1;

	if (s->cgroup_dir && *s->cgroup_dir) {
		cgroup = open(s->cgroup_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (cgroup < 0)
			return -errno;
	}
	const int fds[] = { s->fds[SHIM_FD], cgroup };
	ssize_t r = sock_send(n->fd, s->argv[1], strlen(s->argv[1]), fds, cgroup < 0 ? 1 : 2);
	return r < 0 ? (int)r : 0;
}

static int take(const struct nursery *n, pid_t *ret_pid, int *ret_pidfd)
{
	struct shim_born born = { 0 };
	unsigned nfds = 1;
	int fd = -1;
	ssize_t r = sock_recv(n->fd, &born, sizeof(born), &fd, &nfds);

	if (r == sizeof(born) && born.pid > 0 && nfds == 1) {
		*ret_pid = born.pid;
		*ret_pidfd = fd;
		return 0;
	}
	if (nfds == 1)
		close(fd);
	if (r == sizeof(born) && born.pid < 0)
		return born.pid;
	return r < 0 ? (int)r : -EPIPE;
}

int nursery_spawn(struct nursery *n, const struct spawn *s, pid_t *ret_pid, int *ret_pidfd,
		  struct err *err)
{
	int r = n->fd < 0 ? start(n, s) : 0;

	if (r == 0)
		r = ask(n, s);
	if (r == 0)
		r = take(n, ret_pid, ret_pidfd);
	if (r == 0)
		return 0;
	nursery_release(n);
	return spawn(s, ret_pid, ret_pidfd, err);
}

/* Killed, so that nobody waits for it: it has nothing that would be lost. */
void nursery_release(struct nursery *n)
{
	if (n->fd >= 0)
		close(n->fd);
	if (n->pidfd >= 0) {
		syscall(SYS_pidfd_send_signal, n->pidfd, SIGKILL, NULL, 0);
		waitpid(n->pid, NULL, __WALL);
		close(n->pidfd);
	}
	*n = NURSERY_NONE;
}
