/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that join a running container: exec sessions of orchd, and exec probes; and programs
 * of the host that ask something of it from the pod's network namespace. They are children of the
 * shim and die with it. The data of a session never passes through the shim: its pipe ends or its
 * pty's master go to orchd.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "base/sock.h"
#include "shim/execute.h"
#include "shim/shim.h"
#include "shim/text.h"

/* A process that joins is as dear to the kernel as the container. */
static void take_oom_score(const struct container *c, struct prog_run *x)
{
	char path[48];
	struct text t = TEXT(path);

	text_put(text_num(text_put(&t, "/proc/"), (unsigned)c->st.pid), "/oom_score_adj");
	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, x->oom_score, sizeof(x->oom_score) - 1);
	if (n > 0)
		x->oom_score[n] = '\0';
}

static int run(struct container *c, struct prog_run *x, const struct session_stdio *io,
	       struct session *e)
{
	FD_AUTO cgroup = -1;

	for (int i = 0; i < 3; i++)
		x->stdio[i] = io->fd[i];
	if (io->outside)
		return prog_run_outside(x, &e->pid, &e->pidfd);
	if (*c->cgroup_dir) {
		cgroup = open(c->cgroup_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (cgroup < 0)
			return -errno;
	}
	take_oom_score(c, x);
	x->cgroup = cgroup;
	x->join = c->pidfd;
	x->console = io->console;
	x->rows = io->rows;
	x->cols = io->cols;
	return prog_run_exec(x, &e->pid, &e->pidfd);
}

int session_start(struct container *c, const void *prog, size_t n, const struct session_stdio *io,
		  struct session **ret, struct prog_fail *fail)
{
	FREE_AUTO struct session *e = calloc(1, sizeof(*e));
	struct prog_run *x = NULL;

	if (!container_is_there(c))
		return -ESRCH;
	if (e)
		x = prog_run_new(prog, n);
	if (!x)
		return -ENOMEM;
	int r = run(c, x, io, e);
	*fail = x->fail;
	prog_run_free(x);
	if (r < 0)
		return r;
	e->container = c;
	e->next = c->shim->sessions;
	c->shim->sessions = e;
	*ret = e;
	e = NULL;
	return 0;
}

bool session_reaped(struct shim *s, pid_t pid, int exit_code, int signo)
{
	struct session **at = &s->sessions;

	while (*at && (*at)->pid != pid)
		at = &(*at)->next;
	struct session *e = *at;
	if (!e)
		return false;
	*at = e->next;
	close(e->pidfd);
	if (e->asker)
		asker_ended(e->asker, exit_code);
	else if (e->attempt)
		attempt_session_ended(e->attempt, exit_code);
	else
		server_exited(e, exit_code, signo);
	free(e);
	return true;
}

void session_forget_conn(struct shim *s, const struct conn *conn)
{
	for (struct session *e = s->sessions; e; e = e->next) {
		if (e->conn == conn)
			e->conn = NULL;
	}
}

struct session *session_find(struct shim *s, const struct conn *conn, uint32_t seq)
{
	struct session *e = s->sessions;

	while (e && (e->conn != conn || e->seq != seq))
		e = e->next;
	return e;
}

/* The session's own descriptor is borrowed: a master kept here would hide that orchd hung up. */
int session_resize(const struct session *e, uint16_t rows, uint16_t cols)
{
	struct winsize size = { .ws_row = rows, .ws_col = cols };
	FD_AUTO tty = (int)syscall(SYS_pidfd_getfd, e->pidfd, 0, 0);

	return tty < 0 || ioctl(tty, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

/* ---- SHIM_EXEC ---- */

static void close_all(int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

/* ours[i] is the end of the process's descriptor i that orchd gets. */
static int make_pipes(int theirs[3], int ours[3])
{
	for (int i = 0; i < 3; i++) {
		int ends[2], own = i == 0;
		if (pipe2(ends, O_CLOEXEC) < 0)
			return -errno;
		ours[i] = ends[own];
		theirs[i] = ends[!own];
	}
	return 0;
}

static int exec_pipes(struct container *c, const void *prog, size_t n, int fds[3],
		      struct session **ret, struct prog_fail *fail)
{
	struct session_stdio io = { .fd = { -1, -1, -1 }, .console = -1 };
	int r = make_pipes(io.fd, fds);

	if (r == 0)
		r = session_start(c, prog, n, &io, ret, fail);
	close_all(io.fd, 3);
	return r;
}

static int exec_tty(struct container *c, const struct shim_exec *order, const void *prog, size_t n,
		    int fds[3], struct session **ret, struct prog_fail *fail)
{
	int pair[2];
	char byte;
	unsigned nfds = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	struct session_stdio io = {
		.fd = { -1, -1, -1 }, .console = pair[1], .rows = order->rows, .cols = order->cols,
	};
	int r = session_start(c, prog, n, &io, ret, fail);
	if (r == 0 && (sock_recv(pair[0], &byte, 1, fds, &nfds) != 1 || nfds != 1))
		r = -EPROTO;
	close_all(pair, 2);
	return r;
}

int session_exec(struct container *c, const struct shim_exec *order, const void *prog, size_t n,
		 int fds[3], unsigned *ret_nfds, struct session **ret, struct prog_fail *fail)
{
	fds[0] = fds[1] = fds[2] = -1;
	int r = order->tty ? exec_tty(c, order, prog, n, fds, ret, fail) :
			     exec_pipes(c, prog, n, fds, ret, fail);
	if (r < 0) {
		close_all(fds, 3);
		return r;
	}
	*ret_nfds = order->tty ? 1 : 3;
	return 0;
}
