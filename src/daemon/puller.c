/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process, its pipe and its end; see puller.h. */
#include "daemon/puller.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/macro.h"
#include "sys/spawn.h"

#define LINE_MAX_LEN 4096

struct puller {
	struct loop *loop;
	struct puller_events ev;
	struct loop_io out, end;
	struct buf line;
	int pidfd;
	bool told;		/* PULL_DONE or PULL_FAILED has come */
};

static void tell(struct puller *p, const struct pull_news *n)
{
	if (p->told)
		return;
	p->told = n->kind != PULL_PROGRESS;
	if (p->ev.news)
		p->ev.news(p->ev.data, n);
}

static void free_puller(struct puller *p)
{
	loop_io_remove(p->loop, &p->out);
	loop_io_remove(p->loop, &p->end);
	fd_cleanup(&p->out.fd);
	fd_cleanup(&p->pidfd);
	buf_release(&p->line);
	free(p);
}

static void take_line(struct puller *p)
{
	struct pull_news n;

	if (pull_news_parse(p->line.data, &n) == 0)
		tell(p, &n);
	else
		log_warning("orch-pull: \"%.100s\" is no news", p->line.data);
	buf_reset(&p->line);
}

/* All there is; false at the end. */
static bool take(struct puller *p)
{
	char bytes[4096];
	ssize_t n = 0;

	while ((n = read(p->out.fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] == '\n')
				take_line(p);
			else if (p->line.len < LINE_MAX_LEN)
				buf_putc(&p->line, bytes[i]);
		}
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void on_out(struct loop_io *io, uint32_t events)
{
	struct puller *p = container_of(io, struct puller, out);

	(void)events;
	if (!take(p))
		loop_io_remove(p->loop, io);
}

/* Dead without a word: that is news, too. */
static void last_words(struct puller *p, const siginfo_t *how)
{
	char text[80];
	bool killed = how->si_code != CLD_EXITED;

	snprintf(text, sizeof(text), killed ? "the puller was killed by signal %d" :
		 "the puller ended with status %d", how->si_status);
	tell(p, &(struct pull_news){ .kind = PULL_FAILED, .reason = "ErrImagePull", .text = text });
}

static void on_end(struct loop_io *io, uint32_t events)
{
	struct puller *p = container_of(io, struct puller, end);
	siginfo_t how = { 0 };

	(void)events;
	take(p);
	waitid(P_PIDFD, (id_t)p->pidfd, &how, WEXITED);
	last_words(p, &how);
	struct puller_events ev = p->ev;	/* last: what heard it may have dropped us */
	free_puller(p);
	if (ev.ended)
		ev.ended(ev.data);
}

static int job_fd(const struct pull_job *job, struct err *err)
{
	BUF_AUTO text = { 0 };
	FD_AUTO fd = memfd_create("job", MFD_CLOEXEC);

	pull_job_format(job, &text);
	if (fd < 0 || write(fd, text.data, text.len) != (ssize_t)text.len ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, -errno, "job of a puller");
	explicit_bzero(text.data, text.len);
	return fd_take(&fd);
}

int puller_start(struct loop *l, const char *program, const struct pull_job *job, int data_fd,
		 struct puller_events ev, struct puller **ret, struct err *err)
{
	FD_AUTO in = job_fd(job, err);
	int pipes[2];
	pid_t pid;

	if (in < 0)
		return in;
	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, -errno, "pipe");
	FD_AUTO write_end = pipes[1];
	struct puller *p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	*p = (struct puller){ .loop = l, .ev = ev, .pidfd = -1, .out.fd = pipes[0], .end.fd = -1 };
	fcntl(write_end, F_SETFL, 0);	/* of the pipe's other end this says nothing */
	struct spawn s = {
		.path = program, .argv = (const char *const[]){ "orch-pull", NULL },
		.fds = { in, write_end, STDERR_FILENO, data_fd }, .nfds = data_fd < 0 ? 3 : 4,
		.session = true,
	};
	int r = spawn(&s, &pid, &p->pidfd, err);
	if (r == 0)
		r = loop_io_add(l, &p->out, p->out.fd, EPOLLIN, on_out);
	if (r == 0)
		r = loop_io_add(l, &p->end, p->pidfd, EPOLLIN, on_end);
	if (r < 0)
		free_puller(p);
	else
		*ret = p;
	return r;
}

void puller_end(struct puller *p)
{
	if (!p)
		return;
	syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PIDFD, (id_t)p->pidfd, &(siginfo_t){ 0 }, WEXITED) < 0 && errno == EINTR)
		;
	free_puller(p);
}

/*
 * One that has told its end only has to put things on the disk: it goes on, and is forgotten by
 * itself; whoever hears the end may well drop it. Others are killed, of which a store takes no harm;
 * a puller's own children die with it.
 */
void puller_drop(struct puller *p)
{
	if (p)
		p->ev = (struct puller_events){ 0 };
	if (p && !p->told)
		puller_end(p);
}
