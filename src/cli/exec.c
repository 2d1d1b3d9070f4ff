/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec: orchd hands over the descriptors of the new process, the terminal's master or three pipe
 * ends, and this process moves the bytes. The last thing that comes over the API connection is
 * one line with the exit code. The process's input never blocks us: what it does not take yet is
 * kept while its output is read, or both sides would wait for each other.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

#include "base/macro.h"
#include "cli/handover.h"
#include "cli/pods.h"
#include "cli/print.h"

struct session {
	int api, in, out, err;		/* of the process; in and out are one with a terminal */
	int resized;			/* signalfd of SIGWINCH */
	bool tty, stdin_open;
	char kept[16384];		/* read from standard input, not yet taken */
	size_t from, to;
	struct termios saved;
	bool raw;
};

static const char *exec_path(struct cli *c, const struct source *s)
{
	BUF_AUTO p = { 0 };
	struct winsize w = { .ws_row = 24, .ws_col = 80 };

	ioctl(STDIN_FILENO, TIOCGWINSZ, &w);
	buf_printf(&p, "%s?tty=%s&rows=%u&cols=%u&container=",
		   handover_path(c, s->ns, s->pod, "exec"), c->opt.tty ? "true" : "false", w.ws_row,
		   w.ws_col);
	url_encode(&p, s->container);
	for (unsigned i = 0; i < c->ncommand; i++) {
		buf_puts(&p, "&command=");
		url_encode(&p, c->command[i]);
	}
	return arena_strdup(&c->arena, buf_str(&p));
}

static void raw_mode(struct session *s)
{
	struct termios t;

	if (!s->tty || !s->stdin_open || tcgetattr(STDIN_FILENO, &s->saved) < 0)
		return;
	t = s->saved;
	cfmakeraw(&t);
	s->raw = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
}

static void send_size(struct session *s)
{
	struct winsize w;
	uint16_t size[2];

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0)
		return;
	size[0] = w.ws_row;
	size[1] = w.ws_col;
	(void)!write(s->api, size, sizeof(size));
}

static bool again(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The process takes no more input, or there is no more: it sees the end. */
static void end_input(struct session *s)
{
	s->stdin_open = false;
	s->from = s->to = 0;
	if (!s->tty)
		shut(&s->in);
}

static void read_stdin(struct session *s)
{
	ssize_t n = read(STDIN_FILENO, s->kept, sizeof(s->kept));

	if (n > 0)
		s->to = (size_t)n;
	else if (!again(n))
		end_input(s);
}

static void write_input(struct session *s)
{
	ssize_t n = write(s->in, s->kept + s->from, s->to - s->from);

	if (n < 0 && !again(n))
		end_input(s);
	s->from += n > 0 ? (size_t)n : 0;
	if (s->from == s->to)
		s->from = s->to = 0;
}

/* Moves what can be read; false at the end. */
static bool copy(int from, int to)
{
	char chunk[16384];
	ssize_t n = read(from, chunk, sizeof(chunk));

	for (ssize_t done = 0; done < n;) {
		ssize_t w = write(to, chunk + done, (size_t)(n - done));

		if (w < 0 && errno != EINTR)
			return false;
		done += w > 0 ? w : 0;
	}
	return n > 0 || again(n);
}

static void on_resize(struct session *s)
{
	struct signalfd_siginfo drop;

	(void)!read(s->resized, &drop, sizeof(drop));
	send_size(s);
}

static void pump(struct session *s)
{
	while (s->out >= 0 || s->err >= 0) {
		bool full = s->to > s->from;
		struct pollfd p[] = {
			{ s->stdin_open && !full ? STDIN_FILENO : -1, POLLIN, 0 },
			{ full ? s->in : -1, POLLOUT, 0 },
			{ s->out, POLLIN, 0 }, { s->err, POLLIN, 0 }, { s->resized, POLLIN, 0 },
		};

		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return;
		if (p[4].revents)
			on_resize(s);
		if (p[0].revents)
			read_stdin(s);
		if (p[1].revents)
			write_input(s);
		if (p[2].revents && !copy(s->out, STDOUT_FILENO))
			shut(&s->out);
		if (p[3].revents && !copy(s->err, STDERR_FILENO))
			shut(&s->err);
	}
}

static int watch_size(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int run(struct cli *c, const struct handed *h)
{
	struct session s = { .api = h->api, .tty = c->opt.tty, .stdin_open = c->opt.stdin_ };

	s.in = h->fds[0];
	s.out = h->n > 1 ? h->fds[1] : fcntl(h->fds[0], F_DUPFD_CLOEXEC, 3);
	s.err = h->n > 2 ? h->fds[2] : -1;
	fcntl(s.in, F_SETFL, O_NONBLOCK);
	if (!s.stdin_open && !s.tty)
		shut(&s.in);
	s.resized = s.tty ? watch_size() : -1;
	signal(SIGPIPE, SIG_IGN);
	raw_mode(&s);
	pump(&s);
	if (s.raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &s.saved);
	shut(&s.in);
	shut(&s.resized);
	return handover_ending(h->api);
}

static int find_source(struct cli *c, struct source *ret)
{
	struct sources s = { 0 };
	int status;
	json_t *pod = pod_of(c, c->args[0], &status);

	if (pod)
		status = pod_containers(c, pod, false, &s);
	if (s.n)
		*ret = s.v[0];
	json_decref(pod);
	return status;
}

int verb_exec(struct cli *c)
{
	struct source s = { 0 };
	struct handed h;

	/* kubectl's older form, without --, is taken, too */
	if (c->nargs > 1 && !c->ncommand) {
		c->command = c->args + 1;
		c->ncommand = c->nargs - 1;
	}
	if (!c->nargs || !c->ncommand) {
		fprintf(stderr, "error: expected 'exec (POD | TYPE/NAME) -- COMMAND [ARG...]'\n");
		return EXIT_ERROR;
	}
	if (c->opt.tty && c->opt.stdin_ && !isatty(STDIN_FILENO)) {
		fprintf(stderr,
			"Unable to use a TTY - input is not a terminal or the right kind of file\n");
		c->opt.tty = false;
	}
	int status = find_source(c, &s);
	if (status)
		return status;
	status = handover(c, exec_path(c, &s), "orch-exec", &h);
	if (status)
		return status;
	status = run(c, &h);
	close(h.api);
	return status;
}
