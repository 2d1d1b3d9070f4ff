/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes, as Kubernetes runs them: the first attempt after the initial delay, then one a period,
 * never two at a time; a startup probe holds the others back until it has passed, a liveness or
 * startup probe that has failed rests until the container runs again. Only a change of verdict is
 * recorded and told. Attempts start inside the pod's network namespace, which is the shim's own;
 * of an HTTP answer nothing but the status line is looked at.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "base/units.h"
#include "shim/shim.h"
#include "shim/text.h"

#define DEFAULT_MS 1000		/* a period or timeout of 0 would never let go of the CPU */

static void attempt(struct loop_timer *t);

static struct loop *loop_of(const struct probe *p)
{
	return p->container->shim->loop;
}

static uint32_t bit(const struct probe *p)
{
	return 1U << p->cfg.kind;
}

static int64_t ms(uint32_t v)
{
	return (v ? v : DEFAULT_MS) * MSEC;
}

/* ---- when ---- */

static bool startup_pending(const struct container *c)
{
	const struct probe *s = c->probes[SHIM_STARTUP];

	return s && !(s->verdict.decided && s->verdict.passed);
}

static bool wanted(const struct probe *p)
{
	const struct container *c = p->container;
	const struct verdict *v = &p->verdict;

	if (!container_runs(c) || c->stop.phase != STOP_NONE || p->running)
		return false;
	if (p->cfg.kind == SHIM_READINESS)
		return !startup_pending(c);
	if (v->decided && !v->passed)
		return false;
	return p->cfg.kind == SHIM_STARTUP ? !v->decided : !startup_pending(c);
}

static void schedule(struct probe *p)
{
	int64_t due = p->container->began + p->cfg.initial_delay_ms * MSEC;

	if (!wanted(p))
		return;
	if (p->began)
		due = MAX(due, p->began + ms(p->cfg.period_ms));
	loop_timer_at(loop_of(p), &p->due, due, attempt);
}

static void schedule_all(struct container *c)
{
	for (int i = 0; i < SHIM_PROBES; i++) {
		if (c->probes[i])
			schedule(c->probes[i]);
	}
}

/* ---- what came out ---- */

static void close_io(struct probe *p)
{
	int fd = p->io.fd;

	if (!p->io.active)
		return;
	loop_io_remove(loop_of(p), &p->io);
	close(fd);
}

/* Lets go of an attempt, wherever it is. */
static void leave(struct probe *p)
{
	loop_timer_cancel(loop_of(p), &p->late);
	close_io(p);
	if (p->session) {
		syscall(SYS_pidfd_send_signal, p->session->pidfd, SIGKILL, NULL, 0);
		p->session->probe = NULL;
		p->session = NULL;
	}
	p->running = false;
}

static void record(struct probe *p)
{
	struct container *c = p->container;
	uint32_t passed = p->verdict.passed ? bit(p) : 0;

	c->st.decided |= bit(p);
	c->st.passed = (c->st.passed & ~bit(p)) | passed;
	if (passed)
		c->st.probe_message[p->cfg.kind][0] = '\0';
	container_changed(c);
}

/* why is NULL when the attempt was a success. */
static void finish(struct probe *p, const char *why)
{
	struct container *c = p->container;

	leave(p);
	if (why)
		TEXT_COPY(c->st.probe_message[p->cfg.kind], why);
	if (verdict_add(&p->verdict, !why, p->cfg.success_threshold, p->cfg.failure_threshold))
		record(p);
	if (p->cfg.kind == SHIM_STARTUP)
		schedule_all(c);
	else
		schedule(p);
}

static void finish_num(struct probe *p, const char *what, unsigned v)
{
	char why[64];
	struct text t = TEXT(why);

	text_num(text_put(&t, what), v);
	finish(p, why);
}

static void finish_error(struct probe *p, int error)
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
	struct probe *p = container_of(t, struct probe, late);
	char why[64];
	struct text text = TEXT(why);

	text_num(text_put(&text, "no result within "), ms(p->cfg.timeout_ms) / MSEC);
	text_put(&text, " ms");
	finish(p, why);
}

/* ---- HTTP and TCP ---- */

static int connect_to(const struct probe *p)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(p->cfg.port),
		.sin_addr.s_addr = htonl(p->cfg.addr ? p->cfg.addr : INADDR_LOOPBACK),
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
static void http_answer(struct loop_io *io, uint32_t events)
{
	struct probe *p = container_of(io, struct probe, io);
	char data[4096];
	ssize_t n = recv(io->fd, data, sizeof(data), 0);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		finish_error(p, n < 0 ? errno : EPIPE);
		return;
	}
	size_t take = MIN((size_t)n, sizeof(p->answer) - p->n_answer);
	memcpy(p->answer + p->n_answer, data, take);
	p->n_answer += (unsigned)take;
	int status = http_status(p->answer, p->n_answer);
	if (status < 0)
		finish(p, "answer is not HTTP");
	else if (status >= 200 && status < 400)
		finish(p, NULL);
	else if (status > 0)
		finish_num(p, "HTTP status ", (unsigned)status);
}

static void http_connected(struct probe *p)
{
	size_t n = strnlen(p->cfg.request, sizeof(p->cfg.request));
	ssize_t sent = send(p->io.fd, p->cfg.request, n, MSG_NOSIGNAL);
	int fd = p->io.fd;

	if (sent != (ssize_t)n) {
		finish_error(p, sent < 0 ? errno : EPIPE);
		return;
	}
	p->n_answer = 0;
	loop_io_remove(loop_of(p), &p->io);
	loop_io_add(loop_of(p), &p->io, fd, EPOLLIN, http_answer);
}

static void connected(struct loop_io *io, uint32_t events)
{
	struct probe *p = container_of(io, struct probe, io);
	int error = socket_error(io->fd);

	(void)events;
	if (error)
		finish_error(p, error);
	else if (p->cfg.handler == SHIM_HANDLER_TCP)
		finish(p, NULL);
	else
		http_connected(p);
}

static int begin_connect(struct probe *p)
{
	int fd = connect_to(p);

	return fd < 0 ? fd : loop_io_add(loop_of(p), &p->io, fd, EPOLLOUT, connected);
}

/* ---- exec ---- */

/* Keeps the first bytes of what it says, for the message, and reads on so that it can end. */
static void exec_output(struct loop_io *io, uint32_t events)
{
	struct probe *p = container_of(io, struct probe, io);
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

static int begin_exec(struct probe *p)
{
	int ends[2];
	struct prog_fail fail;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	struct session_stdio io = { .fd = { -1, ends[1], ends[1] }, .console = -1 };
	int r = session_start(p->container, p->prog, p->n_prog, &io, &p->session, &fail);
	close(ends[1]);
	if (r < 0) {
		close(ends[0]);
		return r;
	}
	p->session->probe = p;
	p->n_answer = 0;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return loop_io_add(loop_of(p), &p->io, ends[0], EPOLLIN, exec_output);
}

/* "exit code 1: what it said", on one line. */
static void finish_exit(struct probe *p, int exit_code)
{
	char why[sizeof(p->container->st.probe_message[0])];
	struct text t = TEXT(why);

	text_num(text_put(&t, "exit code "), (unsigned)exit_code);
	while (p->n_answer && p->answer[p->n_answer - 1] == '\n')
		p->n_answer--;
	if (p->n_answer)
		text_putn(text_put(&t, ": "), p->answer, p->n_answer);
	for (char *c = why; *c; c++) {
		if (*c == '\n')
			*c = ' ';
	}
	finish(p, why);
}

void probe_session_ended(struct probe *p, int exit_code)
{
	p->session = NULL;
	if (p->io.active)
		exec_output(&p->io, EPOLLIN);
	if (exit_code)
		finish_exit(p, exit_code);
	else
		finish(p, NULL);
}

/* ---- attempts ---- */

static int (*const handlers[])(struct probe *) = {
	[SHIM_HANDLER_EXEC] = begin_exec,
	[SHIM_HANDLER_HTTP] = begin_connect,
	[SHIM_HANDLER_TCP] = begin_connect,
};

static void attempt(struct loop_timer *t)
{
	struct probe *p = container_of(t, struct probe, due);

	if (!wanted(p))
		return;
	p->running = true;
	p->began = time_mono();
	loop_timer_at(loop_of(p), &p->late, p->began + ms(p->cfg.timeout_ms), too_late);
	int r = handlers[p->cfg.handler](p);
	if (r < 0)
		finish_error(p, -r);
}

/* ---- the container's side ---- */

void probes_begin(struct container *c)
{
	c->st.configured = c->st.decided = c->st.passed = 0;
	for (int i = 0; i < SHIM_PROBES; i++) {
		struct probe *p = c->probes[i];
		c->st.probe_message[i][0] = '\0';
		if (!p)
			continue;
		c->st.configured |= bit(p);
		p->verdict = (struct verdict){ 0 };
		p->began = 0;
	}
	schedule_all(c);
}

static void rest(struct probe *p)
{
	loop_timer_cancel(loop_of(p), &p->due);
	leave(p);
}

void probes_end(struct container *c)
{
	for (int i = 0; i < SHIM_PROBES; i++) {
		if (c->probes[i])
			rest(c->probes[i]);
	}
}

static void probe_remove(struct container *c, uint32_t kind)
{
	struct probe *p = c->probes[kind];

	if (!p)
		return;
	rest(p);
	c->probes[kind] = NULL;
	c->st.configured &= ~bit(p);
	c->st.decided &= ~bit(p);
	c->st.passed &= ~bit(p);
	free(p->prog);
	free(p);
}

static struct probe *probe_get(struct container *c, uint32_t kind)
{
	struct probe *p = c->probes[kind];

	if (!p) {
		p = c->probes[kind] = calloc(1, sizeof(*p));
		if (p)
			p->container = c;
	}
	return p;
}

static bool same(const struct probe *p, const struct shim_probe *cfg, const void *prog, size_t n)
{
	return memcmp(&p->cfg, cfg, sizeof(*cfg)) == 0 && p->n_prog == n &&
	       (!n || memcmp(p->prog, prog, n) == 0);
}

int probe_set(struct container *c, const struct shim_probe *cfg, const void *prog, size_t n)
{
	if (cfg->kind >= SHIM_PROBES || cfg->handler > SHIM_HANDLER_TCP)
		return -EINVAL;
	if (cfg->handler == SHIM_HANDLER_NONE) {
		probe_remove(c, cfg->kind);
	} else {
		struct probe *p = probe_get(c, cfg->kind);
		void *copy = malloc(n ? n : 1);
		if (!p || !copy) {
			free(copy);
			return -ENOMEM;
		}
		if (same(p, cfg, prog, n)) {
			free(copy);
			return 0;
		}
		memcpy(copy, prog, n);
		rest(p);
		free(p->prog);
		p->cfg = *cfg;
		p->prog = copy;
		p->n_prog = n;
		p->verdict.run = 0;
		c->st.configured |= bit(p);
	}
	schedule_all(c);
	container_changed(c);
	return 0;
}
