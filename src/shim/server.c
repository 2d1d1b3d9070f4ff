/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections: receives orders, finds their handler in a table, answers. The socket is mode 0600
 * in a directory of root's: whoever can connect is orchd. A connection that does not read its
 * STATEs is not waited for: it gets all of them again once it has room, as they are absolute. One
 * that has no room for an answer is closed, and comes back with HELLO.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/macro.h"
#include "base/sock.h"
#include "shim/shim.h"
#include "shim/text.h"

struct conn {
	struct conn *next;
	struct shim *shim;
	struct loop_io io;
	bool behind;		/* misses STATEs */
	bool broken;		/* to be closed */
};

/* ---- telling ---- */

static int send_msg(struct conn *c, enum shim_type type, uint32_t seq, const void *payload, size_t n,
		    const int *fds, unsigned nfds)
{
	struct {
		struct shim_msg head;
		char payload[sizeof(struct shim_container)];
	} msg = { .head = { SHIM_MAGIC, PROG_VERSION, type, seq } };

	_Static_assert(sizeof(struct shim_container) >= sizeof(struct shim_result), "largest answer");
	memcpy(msg.payload, payload, n);
	ssize_t r = sock_send(c->io.fd, &msg, sizeof(msg.head) + n, fds, nfds);
	return r < 0 ? (int)r : 0;
}

static void tell(struct conn *conn, struct container *c)
{
	int r = conn->behind ? 0 : send_msg(conn, SHIM_STATE, 0, &c->st, sizeof(c->st), NULL, 0);

	if (r == -EAGAIN) {
		conn->behind = true;
		loop_io_events(conn->shim->loop, &conn->io, EPOLLIN | EPOLLOUT);
	} else if (r < 0) {
		conn->broken = true;
	}
}

void server_tell(struct container *c)
{
	for (struct conn *conn = c->shim->conns; conn; conn = conn->next)
		tell(conn, c);
}

static void tell_all(struct conn *conn)
{
	conn->behind = false;
	loop_io_events(conn->shim->loop, &conn->io, EPOLLIN);
	for (struct container *c = conn->shim->containers; c; c = c->next)
		tell(conn, c);
}

void server_exited(struct session *e, int exit_code, int signo)
{
	struct shim_exited msg = { exit_code, signo };

	if (e->conn && send_msg(e->conn, SHIM_EXITED, e->seq, &msg, sizeof(msg), NULL, 0) < 0)
		e->conn->broken = true;
}

/* ---- orders ---- */

struct order {
	struct conn *conn;
	uint32_t seq;
	const void *payload;
	const void *prog;
	size_t n_prog;
	struct prog_fail fail;
};

static void answer(struct order *o, int error, const int *fds, unsigned nfds)
{
	struct shim_result result = { .error = -error, .fail = o->fail };

	if (send_msg(o->conn, SHIM_RESULT, o->seq, &result, sizeof(result), fds, nfds) < 0)
		o->conn->broken = true;
}

/* Handlers return 0 or -errno, which becomes the RESULT, or ANSWERED. */
#define ANSWERED 1

static int on_hello(struct shim *s, struct order *o)
{
	(void)s;
	tell_all(o->conn);
	return 0;
}

static int on_sandbox(struct shim *s, struct order *o)
{
	return shim_sandbox(s, o->prog, o->n_prog, &o->fail);
}

static int on_start(struct shim *s, struct order *o)
{
	const struct shim_start *start = o->payload;
	struct container *c = *start->name ? container_get(s, start->name) : NULL;

	if (!c)
		return *start->name ? -ENOMEM : -EINVAL;
	if (container_runs(c))
		return c->launch.runs ? 0 : -EBUSY;	/* its STATE will tell */
	if (s->sandbox_error)	/* half a sandbox may still be the host's */
		return -ENOTCONN;
	int r = container_start(c, start, o->prog, o->n_prog);
	o->fail = c->st.fail;
	answer(o, r, NULL, 0);
	server_tell(c);
	return ANSWERED;
}

static int on_stop(struct shim *s, struct order *o)
{
	const struct shim_stop *stop = o->payload;
	struct container *c = container_find(s, stop->name);

	if (*stop->name) {
		if (!c)
			return -ENOENT;
		stop_begin(c, stop);
		return 0;
	}
	stop_all(s, stop);
	return 0;
}

static int on_signal(struct shim *s, struct order *o)
{
	const struct shim_signal *signal = o->payload;
	struct container *c = container_find(s, signal->name);

	return c ? container_signal(c, signal->signal) : -ENOENT;
}

static int on_probe(struct shim *s, struct order *o)
{
	const struct shim_probe *probe = o->payload;
	struct container *c = *probe->name ? container_get(s, probe->name) : NULL;

	if (!c)
		return *probe->name ? -ENOMEM : -EINVAL;
	return probe_set(c, probe, o->prog, o->n_prog);
}

static int on_hook(struct shim *s, struct order *o)
{
	const struct shim_hook *hook = o->payload;
	struct container *c = *hook->name ? container_get(s, hook->name) : NULL;

	if (!c)
		return *hook->name ? -ENOMEM : -EINVAL;
	return hook_set(c, hook, o->prog, o->n_prog);
}

static int on_exec(struct shim *s, struct order *o)
{
	const struct shim_exec *exec = o->payload;
	struct container *c = container_find(s, exec->name);
	struct session *e = NULL;
	int fds[3];
	unsigned nfds;

	if (!c)
		return -ENOENT;
	int r = session_exec(c, exec, o->prog, o->n_prog, fds, &nfds, &e, &o->fail);
	if (r < 0)
		return r;
	e->conn = o->conn;
	e->seq = o->seq;
	answer(o, 0, fds, nfds);
	for (unsigned i = 0; i < nfds; i++)
		close(fds[i]);
	return ANSWERED;
}

static int on_resize(struct shim *s, struct order *o)
{
	const struct shim_resize *resize = o->payload;
	struct session *e = session_find(s, o->conn, resize->exec_seq);

	return e ? session_resize(e, resize->rows, resize->cols) : -ENOENT;
}

static int on_attach(struct shim *s, struct order *o)
{
	const struct shim_attach *attach = o->payload;
	struct container *c = container_find(s, attach->name);
	int fds[3];
	unsigned nfds = 0;
	int r = c ? attach_open(c, attach, fds, &nfds) : -ENOENT;

	if (r == 0)
		answer(o, 0, fds, nfds);
	for (unsigned i = 0; i < nfds; i++)
		close(fds[i]);
	return r < 0 ? r : ANSWERED;
}

/* Its process is our child: until we have reaped it, nobody else gets its number. */
static int on_root(struct shim *s, struct order *o)
{
	const struct shim_root *root = o->payload;
	struct container *c = container_find(s, root->name);
	char path[40];
	struct text t = TEXT(path);

	if (!c || !container_is_there(c))
		return c ? -ESRCH : -ENOENT;
	text_put(text_num(text_put(&t, "/proc/"), (unsigned)c->st.pid), "/root");
	FD_AUTO fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	answer(o, 0, &fd, 1);
	return ANSWERED;
}

/* Before there is a sandbox it would lead to the host. */
static int on_connect(struct shim *s, struct order *o)
{
	const struct shim_connect *to = o->payload;

	if (!s->sandboxed || s->sandbox_error)
		return -ENOTCONN;
	FD_AUTO fd = attempt_connect(0, to->port);
	if (fd < 0)
		return fd;
	answer(o, 0, &fd, 1);
	return ANSWERED;
}

static int on_quit(struct shim *s, struct order *o)
{
	for (const struct container *c = s->containers; c; c = c->next) {
		if (container_runs(c))
			return -EBUSY;
	}
	(void)o;
	askers_end(s);
	loop_stop(s->loop);
	return ANSWERED;
}

static const struct {
	size_t size;		/* of the fixed part */
	bool prog;		/* a program follows it */
	int (*handle)(struct shim *s, struct order *o);
} handlers[] = {
	[SHIM_HELLO] = { 0, false, on_hello },
	[SHIM_SANDBOX] = { 0, true, on_sandbox },
	[SHIM_START] = { sizeof(struct shim_start), true, on_start },
	[SHIM_STOP] = { sizeof(struct shim_stop), false, on_stop },
	[SHIM_SIGNAL] = { sizeof(struct shim_signal), false, on_signal },
	[SHIM_PROBE] = { sizeof(struct shim_probe), true, on_probe },
	[SHIM_HOOK] = { sizeof(struct shim_hook), true, on_hook },
	[SHIM_EXEC] = { sizeof(struct shim_exec), true, on_exec },
	[SHIM_RESIZE] = { sizeof(struct shim_resize), false, on_resize },
	[SHIM_ATTACH] = { sizeof(struct shim_attach), false, on_attach },
	[SHIM_ROOT] = { sizeof(struct shim_root), false, on_root },
	[SHIM_CONNECT] = { sizeof(struct shim_connect), false, on_connect },
	[SHIM_QUIT] = { 0, false, on_quit },
};

/* What starts with a name has one that ends. */
static bool named(const void *payload, size_t n)
{
	return n < SHIM_NAME || memchr(payload, '\0', SHIM_NAME);
}

/* Programs are read in place, so they have to start where numbers may lie. */
_Static_assert(sizeof(struct shim_msg) % 8 == 0 && sizeof(struct shim_start) % 8 == 0 &&
	       sizeof(struct shim_probe) % 8 == 0 && sizeof(struct shim_hook) % 8 == 0 &&
	       sizeof(struct shim_exec) % 8 == 0, "a program after these is aligned");

static int handle(struct shim *s, struct order *o, const struct shim_msg *m, size_t n)
{
	if (m->type >= ARRAY_SIZE(handlers))
		return -EOPNOTSUPP;
	size_t size = handlers[m->type].size;
	if (n < size || (n > size && !handlers[m->type].prog) || !named(m + 1, size))
		return -EINVAL;
	o->payload = m + 1;
	o->prog = (const char *)(m + 1) + size;
	o->n_prog = n - size;
	int r = prog_check(o->prog, o->n_prog);
	return r < 0 ? r : handlers[m->type].handle(s, o);
}

/* False: not our language. */
static bool receive(struct conn *conn, const void *data, size_t n)
{
	const struct shim_msg *m = data;

	if (n < sizeof(*m) || m->magic != SHIM_MAGIC)
		return false;
	struct order o = { .conn = conn, .seq = m->seq };
	int r = m->version == PROG_VERSION ? handle(conn->shim, &o, m, n - sizeof(*m)) :
					     -EPROTONOSUPPORT;
	if (r != ANSWERED)
		answer(&o, r, NULL, 0);
	return true;
}

/* ---- connections ---- */

static void conn_close(struct conn *conn)
{
	struct shim *s = conn->shim;
	struct conn **at = &s->conns;

	while (*at != conn)
		at = &(*at)->next;
	*at = conn->next;
	session_forget_conn(s, conn);
	int fd = conn->io.fd;
	loop_io_remove(s->loop, &conn->io);
	close(fd);
	free(conn);
}

/* Receives one message into memory of its size; false at the end of the connection. */
static bool conn_read(struct conn *conn)
{
	char byte;
	ssize_t n = recv(conn->io.fd, &byte, 1, MSG_PEEK | MSG_TRUNC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0 || n > SHIM_MSG_MAX)
		return false;
	FREE_AUTO char *data = malloc((size_t)n);
	if (!data)
		return false;
	n = sock_recv(conn->io.fd, data, (size_t)n, NULL, NULL);
	return n > 0 && receive(conn, data, (size_t)n);
}

static void conn_ready(struct loop_io *io, uint32_t events)
{
	struct conn *conn = container_of(io, struct conn, io);
	bool open = true;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		open = conn_read(conn);
	if (open && conn->behind && events & EPOLLOUT)
		tell_all(conn);
	if (!open || conn->broken)
		conn_close(conn);
}

int server_add(struct shim *s, int fd)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return -ENOMEM;
	*conn = (struct conn){ .shim = s, .next = s->conns };
	int r = loop_io_add(s->loop, &conn->io, fd, EPOLLIN, conn_ready);
	if (r < 0) {
		free(conn);
		return r;
	}
	s->conns = conn;
	return 0;
}

static void listener_ready(struct loop_io *io, uint32_t events)
{
	struct shim *s = container_of(io, struct shim, listener);
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0 && server_add(s, fd) < 0)
		close(fd);
}

int server_listen(struct shim *s)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "shim.sock" };
	FD_AUTO fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(sa.sun_path);
	if (fd < 0 || fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, 16) < 0)
		return -errno;
	return loop_io_add(s->loop, &s->listener, fd_take(&fd), EPOLLIN, listener_ready);
}
