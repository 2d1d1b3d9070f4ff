/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that ask a container on behalf of a probe or hook, and stay for the next question, as
 * their start costs more than most questions do. One has one question at a time: what comes while
 * it waits for an answer goes to another, so that a server that hangs delays nobody else's probe.
 * Without a question they are kept for a while, and the last to have had one gets the next, so
 * that those who are not needed end. One that is left in the middle of a question, or that says
 * something unasked, is killed; all of them end with the shim.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/macro.h"
#include "base/sock.h"
#include "base/units.h"
#include "shim/shim.h"

#define KEPT (120 * NSEC)	/* twice the longest period that is usual */

struct asker {
	struct asker *next;		/* that has no question */
	struct shim *shim;
	struct session *session;
	struct attempt *attempt;	/* whose question it has; NULL: it has none */
	struct loop_io io;
	struct loop_timer idle;
	char file[];			/* of the program */
};

static void answered(struct loop_io *io, uint32_t events);

/* ---- questions ---- */

static const struct prog_op *record(const struct attempt *a, size_t at)
{
	return (const struct prog_op *)((const char *)a->prog + at);
}

/* The program's environment, an empty string, its arguments; ret_file is the first of these. */
static size_t question(const struct attempt *a, char *to, const char **ret_file)
{
	size_t n = 0;

	*ret_file = NULL;
	for (size_t at = 0; at < a->n_prog; at += record(a, at)->size) {
		const struct prog_op *op = record(a, at);
		if (op->op != OP_ENV && op->op != OP_ARG)
			continue;
		const char *s = prog_strings(op);
		if (op->op == OP_ARG && !*ret_file) {
			*ret_file = s;
			to[n++] = '\0';
		}
		size_t len = strlen(s) + 1;
		memcpy(to + n, s, len);
		n += len;
	}
	return n;
}

/* ---- their lives ---- */

static void unlist(struct asker *k)
{
	struct asker **at = &k->shim->askers;

	while (*at && *at != k)
		at = &(*at)->next;
	if (*at)
		*at = k->next;
}

/* The process, if it still is one, is reaped as nobody's. */
static void drop(struct asker *k)
{
	int fd = k->io.fd;

	unlist(k);
	loop_timer_cancel(k->shim->loop, &k->idle);
	loop_io_remove(k->shim->loop, &k->io);
	close(fd);
	if (k->session) {
		syscall(SYS_pidfd_send_signal, k->session->pidfd, SIGKILL, NULL, 0);
		k->session->asker = NULL;
	}
	free(k);
}

static void idle_long(struct loop_timer *t)
{
	drop(container_of(t, struct asker, idle));
}

static struct asker *find(const struct shim *s, const char *file)
{
	struct asker *k = s->askers;

	while (k && !streq(k->file, file))
		k = k->next;
	return k;
}

static void rest(struct asker *k)
{
	struct shim *s = k->shim;

	k->attempt = NULL;
	k->next = s->askers;
	s->askers = k;
	loop_timer_at(s->loop, &k->idle, time_mono() + KEPT, idle_long);
}

static int run(struct asker *k, struct attempt *a, int theirs)
{
	struct session_stdio io = { .fd = { theirs, -1, -1 }, .console = -1, .outside = true };
	struct prog_fail fail;
	int r = session_start(a->container, a->prog, a->n_prog, &io, &k->session, &fail);

	if (r == 0)
		k->session->asker = k;
	return r;
}

static int asker_new(struct attempt *a, const char *file, struct asker **ret)
{
	struct asker *k = calloc(1, sizeof(*k) + strlen(file) + 1);
	int pair[2];

	if (!k)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		free(k);
		return -errno;
	}
	k->shim = a->container->shim;
	memcpy(k->file, file, strlen(file) + 1);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	int r = run(k, a, pair[1]);
	close(pair[1]);
	if (r == 0)
		r = loop_io_add(k->shim->loop, &k->io, pair[0], EPOLLIN, answered);
	if (r < 0) {
		k->io.fd = pair[0];
		drop(k);
		return r;
	}
	*ret = k;
	return 0;
}

/* ---- asking ---- */

static int put(struct asker *k, struct attempt *a, const char *text, size_t n, int fd)
{
	ssize_t sent = sock_send(k->io.fd, text, n, &fd, fd >= 0);

	if (sent < 0) {
		drop(k);
		return (int)sent;
	}
	unlist(k);
	loop_timer_cancel(k->shim->loop, &k->idle);
	k->attempt = a;
	a->asker = k;
	return 0;
}

int asker_ask(struct attempt *a, int fd)
{
	FREE_AUTO char *text = malloc(a->n_prog + 1);
	const char *file;

	if (!text)
		return -ENOMEM;
	size_t n = question(a, text, &file);
	if (!file)
		return -EINVAL;
	struct asker *k = find(a->container->shim, file);
	if (k && put(k, a, text, n, fd) == 0)
		return 0;
	int r = asker_new(a, file, &k);	/* also when the one that was kept has just ended */
	return r < 0 ? r : put(k, a, text, n, fd);
}

/* A message is '0' (passed) or '1', and what there is to say. */
static void answered(struct loop_io *io, uint32_t events)
{
	struct asker *k = container_of(io, struct asker, io);
	struct attempt *a = k->attempt;
	char data[1 + SHIM_WHY];
	ssize_t n = recv(io->fd, data, sizeof(data), 0);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (!a) {
		drop(k);
	} else if (n <= 0) {	/* asker_ended() will know more */
		loop_io_remove(k->shim->loop, &k->io);
		syscall(SYS_pidfd_send_signal, k->session->pidfd, SIGKILL, NULL, 0);
	} else {
		a->asker = NULL;
		rest(k);
		attempt_answered(a, *data == '0', data + 1, (size_t)n - 1);
	}
}

void asker_leave(struct asker *k)
{
	drop(k);
}

void asker_ended(struct asker *k, int exit_code)
{
	struct attempt *a = k->attempt;

	k->session = NULL;
	drop(k);
	if (!a)
		return;
	a->asker = NULL;
	attempt_asker_ended(a, exit_code);
}

void askers_end(struct shim *s)
{
	while (s->askers) {
		pid_t pid = s->askers->session->pid;
		drop(s->askers);
		waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	}
}
