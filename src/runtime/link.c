/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to a shim; see link.h. */
#include "runtime/link.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/macro.h"
#include "base/sock.h"
#include "base/units.h"
#include "runtime/sandbox.h"

#define RECONNECT (100 * MSEC)
#define SEND_BUFFER (2 * SHIM_MSG_MAX)
#define MESSAGES_PER_TURN 64

struct outgoing {
	struct outgoing *next;
	size_t n;
	char data[];
};

static void again_fires(struct loop_timer *t);

void link_init(struct link *l, struct loop *loop, const char *path)
{
	*l = (struct link){ .loop = loop, .path = path, .fd = -1, .pidfd = -1 };
	l->out_end = &l->out;
}

static void drop_queue(struct link *l)
{
	while (l->out) {
		struct outgoing *o = l->out;

		l->out = o->next;
		free(o);
	}
	l->out_end = &l->out;
}

static void close_socket(struct link *l)
{
	if (l->fd < 0)
		return;
	loop_io_remove(l->loop, &l->io);
	close(fd_take(&l->fd));
	drop_queue(l);
}

static void close_process(struct link *l)
{
	if (l->pidfd < 0)
		return;
	loop_io_remove(l->loop, &l->pid_io);
	close(fd_take(&l->pidfd));
}

static void forget_commands(struct link *l)
{
	while (l->commands) {
		struct command *c = l->commands;

		l->commands = c->next;
		free(c);
	}
}

void link_release(struct link *l)
{
	loop_timer_cancel(l->loop, &l->again);
	close_socket(l);
	close_process(l);
	forget_commands(l);
}

bool link_alive(const struct link *l)
{
	return l->pidfd >= 0;
}

void link_kill(struct link *l)
{
	if (l->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, l->pidfd, SIGKILL, NULL, 0);
}

/* ---- receiving ---- */

/* Takes the command that seq belongs to off the list. */
static struct command *answered(struct link *l, uint32_t seq)
{
	for (struct command **at = &l->commands; *at; at = &(*at)->next) {
		if ((*at)->seq == seq) {
			struct command *c = *at;

			*at = c->next;
			return c;
		}
	}
	return NULL;
}

static void on_result(struct sandbox *p, const struct shim_msg *m, const void *payload,
		      const int *fds, unsigned nfds)
{
	struct command *c = answered(&p->link, m->seq);

	if (!c)
		return;
	sandbox_on_result(p, c, payload, fds, nfds);
	free(c);
}

static void on_message(struct sandbox *p, const struct shim_msg *m, size_t n, const int *fds,
		       unsigned nfds)
{
	const void *payload = m + 1;

	n -= sizeof(*m);
	if (m->type == SHIM_STATE && n >= sizeof(struct shim_container))
		sandbox_on_state(p, payload);
	else if (m->type == SHIM_RESULT && n >= sizeof(struct shim_result))
		on_result(p, m, payload, fds, nfds);
	else if (m->type == SHIM_EXITED && n >= sizeof(struct shim_exited))
		exec_ended(p->rt, p, m->seq, ((const struct shim_exited *)payload)->exit_code);
}

/* False when there is nothing more for now, or never. */
static bool receive(struct link *l, bool *ret_end)
{
	union {
		struct shim_msg head;
		char data[8192];
	} m;
	int fds[SOCK_FDS_MAX];
	unsigned nfds = SOCK_FDS_MAX;
	ssize_t n = sock_recv(l->fd, &m, sizeof(m), fds, &nfds);

	if (n == -EMSGSIZE || n == -EINTR)
		return true;
	*ret_end = n == 0 || (n < 0 && n != -EAGAIN);
	if (n <= 0)
		return false;
	if (n >= (ssize_t)sizeof(m.head) && m.head.magic == SHIM_MAGIC &&
	    m.head.version == PROG_VERSION)
		on_message(container_of(l, struct sandbox, link), &m.head, (size_t)n, fds, nfds);
	for (unsigned i = 0; i < nfds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return l->fd >= 0;
}

/* ---- sending ---- */

static int flush(struct link *l)
{
	while (l->out) {
		struct outgoing *o = l->out;
		ssize_t r = sock_send(l->fd, o->data, o->n, NULL, 0);

		if (r == -EAGAIN)
			break;
		if (r < 0 && r != -EINTR)
			return (int)r;
		if (r < 0)
			continue;
		l->out = o->next;
		free(o);
	}
	if (!l->out)
		l->out_end = &l->out;
	return loop_io_events(l->loop, &l->io, l->out ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void ended(struct link *l)
{
	close_socket(l);
	if (link_alive(l))
		loop_timer_at(l->loop, &l->again, time_mono() + RECONNECT, again_fires);
}

static void socket_ready(struct loop_io *io, uint32_t events)
{
	struct link *l = container_of(io, struct link, io);
	bool end = false;

	for (int i = 0; i < MESSAGES_PER_TURN && receive(l, &end); i++)
		;
	if (l->fd < 0)
		return;
	if (!end && events & EPOLLOUT)
		end = flush(l) < 0;
	if (end)
		ended(l);
}

static struct outgoing *compose(const struct shim_msg *head, const void *fixed, size_t nfixed,
				const struct buf *program)
{
	size_t nprog = program ? program->len : 0;
	struct outgoing *o = malloc(sizeof(*o) + sizeof(*head) + nfixed + nprog);

	if (!o)
		abort();
	o->next = NULL;
	o->n = sizeof(*head) + nfixed + nprog;
	memcpy(o->data, head, sizeof(*head));
	if (nfixed)
		memcpy(o->data + sizeof(*head), fixed, nfixed);
	if (nprog)
		memcpy(o->data + sizeof(*head) + nfixed, program->data, nprog);
	return o;
}

static void expect(struct link *l, enum shim_type type, struct container_run *run,
		   struct exec *exec)
{
	struct command *c = malloc(sizeof(*c));

	if (!c)
		abort();
	*c = (struct command){ l->commands, l->seq, type, run, exec };
	l->commands = c;
}

int link_send(struct link *l, enum shim_type type, const void *fixed, size_t nfixed,
	      const struct buf *program, struct container_run *run, struct exec *exec,
	      uint32_t *ret_seq, struct err *err)
{
	struct shim_msg head = { SHIM_MAGIC, PROG_VERSION, type, ++l->seq };

	if (l->fd < 0)
		return err_set(err, -ENOTCONN, "the pod's shim is not connected");
	if (sizeof(head) + nfixed + (program ? program->len : 0) > SHIM_MSG_MAX)
		return err_set(err, -E2BIG,
			       "environment, command and volumes are larger than %d bytes",
			       SHIM_MSG_MAX);
	struct outgoing *o = compose(&head, fixed, nfixed, program);
	*l->out_end = o;
	l->out_end = &o->next;
	expect(l, type, run, exec);
	if (ret_seq)
		*ret_seq = l->seq;
	int r = flush(l);
	if (r < 0) {
		ended(l);
		return err_sys(err, r, "the pod's shim");
	}
	return 0;
}

/* ---- opening ---- */

int link_open(struct link *l, int fd)
{
	int size = SEND_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	int r = loop_io_add(l->loop, &l->io, fd, EPOLLIN, socket_ready);
	if (r < 0)
		close(fd);
	else
		l->fd = fd;
	return r;
}

static int connect_and_greet(struct link *l)
{
	int fd = sock_connect(l->path, SOCK_SEQPACKET, NULL);
	int r = fd < 0 ? fd : link_open(l, fd);

	return r < 0 ? r : link_send(l, SHIM_HELLO, NULL, 0, NULL, NULL, NULL, NULL, NULL);
}

void link_reconnect(struct link *l)
{
	if (link_alive(l) && l->fd < 0 && connect_and_greet(l) < 0)
		loop_timer_at(l->loop, &l->again, time_mono() + RECONNECT, again_fires);
}

/* Orders whose answers went missing with the connection are answered by the STATEs. */
static void again_fires(struct loop_timer *t)
{
	struct link *l = container_of(t, struct link, again);
	struct sandbox *p = container_of(l, struct sandbox, link);

	if (!link_alive(l) || l->fd >= 0)
		return;
	forget_commands(l);
	exec_lost(p);
	sandbox_forget_orders(p);
	link_reconnect(l);
}

/* ---- the process ---- */

static void process_ended(struct loop_io *io, uint32_t events)
{
	struct link *l = container_of(io, struct link, pid_io);
	bool end = false;

	(void)events;
	/* what it said last comes first */
	while (l->fd >= 0 && receive(l, &end))
		;
	close_socket(l);
	loop_timer_cancel(l->loop, &l->again);
	/* ECHILD when an earlier orchd started it */
	waitpid(l->pid, NULL, WNOHANG | __WALL);
	close_process(l);
	forget_commands(l);
	sandbox_on_gone(container_of(l, struct sandbox, link));
}

int link_watch(struct link *l, pid_t pid, int pidfd)
{
	int r = loop_io_add(l->loop, &l->pid_io, pidfd, EPOLLIN, process_ended);

	if (r < 0) {
		close(pidfd);
		return r;
	}
	l->pid = pid;
	l->pidfd = pidfd;
	return 0;
}
