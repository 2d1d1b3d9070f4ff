/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See terminal.h. */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include "base/macro.h"

#define CTRL_P 16
#define CTRL_Q 17

static void raw_mode(struct terminal *t)
{
	struct termios raw;

	if (!t->tty || !t->pass_stdin || tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void send_size(const struct terminal *t)
{
	struct winsize w;

	if (t->resize && ioctl(STDIN_FILENO, TIOCGWINSZ, &w) == 0)
		t->resize(t, w.ws_row, w.ws_col);
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
static void end_input(struct terminal *t)
{
	t->pass_stdin = false;
	t->from = t->to = 0;
	if (!t->tty)
		shut(&t->in);
}

/* Looks for ctrl-p ctrl-q in what was read; a ctrl-p is held back until it is known what follows. */
static void find_escape(struct terminal *t)
{
	char *to = t->kept;
	char read_now[sizeof(t->kept)];
	size_t n = t->to;

	memcpy(read_now, t->kept, n);
	for (size_t i = 0; i < n && !t->detached; i++) {
		if (t->escape)
			t->detached = read_now[i] == CTRL_Q;
		if (t->escape && !t->detached)
			*to++ = CTRL_P;
		t->escape = !t->escape && read_now[i] == CTRL_P;
		if (!t->escape && !t->detached)
			*to++ = read_now[i];
	}
	t->to = (size_t)(to - t->kept);
}

static void read_stdin(struct terminal *t)
{
	ssize_t n = read(STDIN_FILENO, t->kept, sizeof(t->kept) - 1);

	if (n > 0)
		t->to = (size_t)n;
	else if (!again(n))
		end_input(t);
	if (n > 0 && t->detachable)
		find_escape(t);
}

static void write_input(struct terminal *t)
{
	ssize_t n = write(t->in, t->kept + t->from, t->to - t->from);

	if (n < 0 && !again(n))
		end_input(t);
	t->from += n > 0 ? (size_t)n : 0;
	if (t->from == t->to)
		t->from = t->to = 0;
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

static void on_signal(struct terminal *t)
{
	struct signalfd_siginfo info;

	if (read(t->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		send_size(t);
	else
		t->signal = (int)info.ssi_signo;
}

static void pump(struct terminal *t)
{
	while ((t->out >= 0 || t->err >= 0) && !t->signal && !t->detached) {
		bool full = t->to > t->from;
		struct pollfd p[] = {
			{ t->pass_stdin && !full ? STDIN_FILENO : -1, POLLIN, 0 },
			{ full ? t->in : -1, POLLOUT, 0 },
			{ t->out, POLLIN, 0 }, { t->err, POLLIN, 0 }, { t->signals, POLLIN, 0 },
		};

		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return;
		if (p[4].revents)
			on_signal(t);
		if (p[0].revents)
			read_stdin(t);
		if (p[1].revents)
			write_input(t);
		if (p[2].revents && !copy(t->out, STDOUT_FILENO))
			shut(&t->out);
		if (p[3].revents && !copy(t->err, STDERR_FILENO))
			shut(&t->err);
	}
}

/* A terminal has to be put right before an end by a signal; without one nothing has. */
static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

void terminal_run(struct terminal *t)
{
	t->signals = t->tty ? watch_signals() : -1;
	if (t->in >= 0)
		fcntl(t->in, F_SETFL, O_NONBLOCK);
	if (t->in < 0)
		t->pass_stdin = false;
	if (!t->pass_stdin && !t->tty)
		shut(&t->in);
	signal(SIGPIPE, SIG_IGN);
	raw_mode(t);
	pump(t);
	if (t->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->saved);
	shut(&t->in);
	shut(&t->out);
	shut(&t->err);
	shut(&t->signals);
}

int terminal_status(const struct terminal *t, int status)
{
	return t->signal ? 128 + t->signal : status;
}
