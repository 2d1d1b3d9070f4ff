/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attempt of a probe or hook: a command, an HTTP request, a connection, a rest, or a program
 * that asks from outside of the container. It starts inside the pod's network namespace, which is
 * the shim's own, and ends exactly once: by a result, by its timeout, or silently when it is left.
 * Of an HTTP answer nothing but the status line is looked at; TLS, HTTP/2 and where a redirect
 * leads are for the program, which has no rights.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/http.h"
#include "base/macro.h"
#include "base/units.h"
#include "shim/shim.h"
#include "shim/text.h"

static struct loop *loop_of(const struct attempt *p)
{
	return p->container->shim->loop;
}

/* ---- what came out ---- */

static void close_io(struct attempt *p)
{
	int fd = p->io.fd;

	if (!p->io.active)
		return;
	loop_io_remove(loop_of(p), &p->io);
	close(fd);
}

void attempt_leave(struct attempt *p)
{
	loop_timer_cancel(loop_of(p), &p->late);
	close_io(p);
	if (p->session) {
		syscall(SYS_pidfd_send_signal, p->session->pidfd, SIGKILL, NULL, 0);
		p->session->attempt = NULL;
		p->session = NULL;
	}
	if (p->asker) {
		asker_leave(p->asker);
		p->asker = NULL;
	}
	p->running = false;
}

static void end(struct attempt *p, bool passed, const char *why)
{
	attempt_leave(p);
	p->done(p, passed, why);
}

/* why is NULL when it was a success. */
static void finish(struct attempt *p, const char *why)
{
	end(p, !why, why);
}

static void finish_num(struct attempt *p, const char *what, unsigned v)
{
	char why[64];
	struct text t = TEXT(why);

	text_num(text_put(&t, what), v);
	finish(p, why);
}

static void finish_error(struct attempt *p, int error)
{
	static const struct {
		int error;
		const char *text;
	} known[] = {
		{ ECONNREFUSED, "connection refused" },
		{ ECONNRESET, "connection reset" },
		{ EHOSTUNREACH, "no route to host" },
		{ ENETUNREACH, "network is unreachable" },
		{ ETIMEDOUT, "connection timed out" },
		{ EPIPE, "connection closed" },
		{ ENOENT, "command not found" },
		{ EACCES, "permission denied" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].error == error) {
			finish(p, known[i].text);
			return;
		}
	}
	finish_num(p, "errno ", (unsigned)error);
}

static void too_late(struct loop_timer *t)
{
	struct attempt *p = container_of(t, struct attempt, late);
	char why[64];
	struct text text = TEXT(why);

	if (p->how.handler == SHIM_HANDLER_SLEEP) {
		finish(p, NULL);
		return;
	}
	text_num(text_put(&text, "no result within "), p->how.timeout_ms);
	text_put(&text, " ms");
	finish(p, why);
}

/* ---- HTTP and TCP ---- */

static void begin_redirect(struct attempt *p);

int attempt_connect(uint32_t addr, uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(addr ? addr : INADDR_LOOPBACK),
	};
	FD_AUTO fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return -errno;
	return fd_take(&fd);
}

static int socket_error(int fd)
{
	int error = 0;
	socklen_t n = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 ? errno : error;
}

/* One read takes what a short answer has, so that closing does not reset the connection. */
static void http_status_is(struct attempt *p, int status)
{
	char rest[4096];

	if (status >= 300 && status < 400 && p->n_prog) {
		begin_redirect(p);
		return;
	}
	(void)!recv(p->io.fd, rest, sizeof(rest), 0);
	if (p->how.any_status || (status >= 200 && status < 400))
		finish(p, NULL);
	else
		finish_num(p, "HTTP probe failed with statuscode: ", (unsigned)status);
}

/* SO_RCVLOWAT: it is called when the status line is there, or will never be. */
static void http_answer(struct loop_io *io, uint32_t events)
{
	struct attempt *p = container_of(io, struct attempt, io);
	char line[HTTP_STATUS_LINE];
	ssize_t n = recv(io->fd, line, sizeof(line), MSG_PEEK);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	int status = n < 0 ? 0 : http_status(line, (size_t)n);
	if (n <= 0)
		finish_error(p, n < 0 ? errno : EPIPE);
	else if (status < 0)
		finish(p, "answer is not HTTP");
	else if (status == 0)
		finish_error(p, EPIPE);
	else
		http_status_is(p, status);
}

static void http_connected(struct attempt *p)
{
	size_t n = strnlen(p->how.request, sizeof(p->how.request));
	ssize_t sent = send(p->io.fd, p->how.request, n, MSG_NOSIGNAL);
	int fd = p->io.fd;

	if (sent != (ssize_t)n) {
		finish_error(p, sent < 0 ? errno : EPIPE);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &(int){ HTTP_STATUS_LINE },
		   sizeof(int));
	loop_io_remove(loop_of(p), &p->io);
	loop_io_add(loop_of(p), &p->io, fd, EPOLLIN, http_answer);
}

static void connected(struct loop_io *io, uint32_t events)
{
	struct attempt *p = container_of(io, struct attempt, io);
	int error = socket_error(io->fd);

	(void)events;
	if (error)
		finish_error(p, error);
	else if (p->how.handler == SHIM_HANDLER_TCP)
		finish(p, NULL);
	else
		http_connected(p);
}

static int begin_connect(struct attempt *p)
{
	int fd = attempt_connect(p->how.addr, p->how.port);

	return fd < 0 ? fd : loop_io_add(loop_of(p), &p->io, fd, EPOLLOUT, connected);
}

/* ---- exec ---- */

/* Keeps the first bytes of what it says, for the message, and reads on so that it can end. */
static void exec_output(struct loop_io *io, uint32_t events)
{
	struct attempt *p = container_of(io, struct attempt, io);
	char data[4096];
	ssize_t n = read(io->fd, data, sizeof(data));

	(void)events;
	if (n > 0) {
		size_t take = MIN((size_t)n, sizeof(p->answer) - p->n_answer);
		memcpy(p->answer + p->n_answer, data, take);
		p->n_answer += (unsigned)take;
	} else if (n == 0 || errno != EAGAIN) {
		close_io(p);
	}
}

static int begin_exec(struct attempt *p)
{
	int ends[2];
	struct prog_fail fail;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	struct session_stdio io = {
		.fd = { -1, ends[1], ends[1] }, .console = -1,
		.outside = p->how.handler == SHIM_HANDLER_OUTSIDE,
	};
	int r = session_start(p->container, p->prog, p->n_prog, &io, &p->session, &fail);
	close(ends[1]);
	if (r < 0) {
		close(ends[0]);
		return r;
	}
	p->session->attempt = p;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return loop_io_add(loop_of(p), &p->io, ends[0], EPOLLIN, exec_output);
}

/* What it said, on one line. */
static const char *said(struct attempt *p, struct text *t)
{
	while (p->n_answer && p->answer[p->n_answer - 1] == '\n')
		p->n_answer--;
	text_putn(t, p->answer, p->n_answer);
	for (char *c = t->data; *c; c++) {
		if (*c == '\n')
			*c = ' ';
	}
	return t->data;
}

/* "exit code 1: what it said" */
static void finish_exit(struct attempt *p, int exit_code)
{
	char why[SHIM_WHY];
	struct text t = TEXT(why);

	text_num(text_put(&t, "exit code "), (unsigned)exit_code);
	if (p->n_answer)
		said(p, text_put(&t, ": "));
	finish(p, why);
}

/* ---- asking from outside ---- */

static int begin_ask(struct attempt *p)
{
	return asker_ask(p, -1);
}

/* Goes on with the connection that there is. */
static void begin_redirect(struct attempt *p)
{
	int r = asker_ask(p, p->io.fd);

	if (r < 0)
		finish_error(p, -r);
	else
		close_io(p);
}

static void finish_outside(struct attempt *p, int exit_code)
{
	char why[SHIM_WHY] = "";
	struct text t = TEXT(why);

	said(p, &t);
	if (exit_code == 0)
		end(p, true, *why ? why : NULL);
	else if (*why)
		finish(p, why);
	else
		finish_num(p, "the program that asks ended with ", (unsigned)exit_code);
}

void attempt_answered(struct attempt *p, bool passed, const char *text, size_t n)
{
	p->n_answer = (unsigned)MIN(n, sizeof(p->answer));
	memcpy(p->answer, text, p->n_answer);
	finish_outside(p, !passed);
}

void attempt_asker_ended(struct attempt *p, int exit_code)
{
	p->n_answer = 0;
	finish_num(p, "the program that asks ended with ", (unsigned)exit_code);
}

void attempt_session_ended(struct attempt *p, int exit_code)
{
	p->session = NULL;
	if (p->io.active)
		exec_output(&p->io, EPOLLIN);
	if (p->how.handler != SHIM_HANDLER_EXEC)
		finish_outside(p, exit_code);
	else if (exit_code)
		finish_exit(p, exit_code);
	else
		finish(p, NULL);
}

/* ---- beginning ---- */

static int begin_sleep(struct attempt *p)
{
	(void)p;
	return 0;
}

static int begin_fail(struct attempt *p)
{
	char why[SHIM_WHY];
	struct text t = TEXT(why);

	text_putn(&t, p->how.request, strnlen(p->how.request, sizeof(p->how.request)));
	finish(p, why);
	return 0;
}

static int (*const handlers[SHIM_HANDLERS])(struct attempt *) = {
	[SHIM_HANDLER_EXEC] = begin_exec,
	[SHIM_HANDLER_HTTP] = begin_connect,
	[SHIM_HANDLER_TCP] = begin_connect,
	[SHIM_HANDLER_SLEEP] = begin_sleep,
	[SHIM_HANDLER_OUTSIDE] = begin_exec,
	[SHIM_HANDLER_ASK] = begin_ask,
	[SHIM_HANDLER_FAIL] = begin_fail,
};

int attempt_set(struct attempt *p, const struct shim_try *how, const void *prog, size_t n)
{
	void *copy = malloc(n ? n : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, prog, n);
	attempt_leave(p);
	free(p->prog);
	p->how = *how;
	p->prog = copy;
	p->n_prog = n;
	return 0;
}

bool attempt_is(const struct attempt *p, const struct shim_try *how, const void *prog, size_t n)
{
	return memcmp(&p->how, how, sizeof(*how)) == 0 && p->n_prog == n &&
	       (!n || memcmp(p->prog, prog, n) == 0);
}

void attempt_begin(struct attempt *p)
{
	p->running = true;
	p->n_answer = 0;
	if (p->how.timeout_ms)
		loop_timer_at(loop_of(p), &p->late, time_mono() + p->how.timeout_ms * MSEC, too_late);
	int r = handlers[p->how.handler](p);
	if (r < 0)
		finish_error(p, -r);
}
