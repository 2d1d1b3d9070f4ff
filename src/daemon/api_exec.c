/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec, attach, cp and port-forward: the request becomes a raw connection ("Upgrade: orch-exec")
 * over which the client gets descriptors, of a process, a container or a connection into a pod.
 * orchd is never in the data path. A process's end is told by one line of JSON with the exit
 * code, a failure by one with the error. From the client of a process come window sizes, 4 bytes
 * each: rows, columns.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "base/sock.h"
#include "daemon/request.h"

#define ARGV_MAX 256

struct session;

/* What may be asked for. */
struct session_kind {
	const char *protocol;
	int (*begin)(struct session *s, struct err *err);
	bool once;			/* with the descriptors all is said */
};

struct session {
	struct daemon *d;
	const struct session_kind *kind;
	struct session *next, **prev;	/* in d->sessions */
	struct arena arena;
	struct runtime_exec exec;
	struct runtime_attach attach;
	struct runtime_root root;
	struct runtime_connect connect;
	const char *answer;		/* follows the descriptors; NULL: nothing does */
	void *connection;
	int fd;
	uint8_t size[4];		/* a window size, perhaps in pieces */
	size_t nsize;
	struct loop_io io;
	uint64_t id;
	bool started;
};

static void session_free(struct session *s)
{
	loop_io_remove(s->d->loop, &s->io);
	if (s->started)
		runtime_exec_forget(s->d->runtime, s->id);
	if (s->connection)
		http_close(s->connection);
	*s->prev = s->next;
	if (s->next)
		s->next->prev = s->prev;
	arena_release(&s->arena);
	free(s);
}

static void say(struct session *s, const char *line)
{
	/* a client that does not read its last line has lost it */
	(void)!send(s->fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void finish(struct session *s, int exit_code, const char *error)
{
	BUF_AUTO line = { 0 };
	struct json j;

	json_init(&j, &line, false);
	json_begin_object(&j);
	if (error)
		json_kstr(&j, "error", error);
	else
		json_kint(&j, "exitCode", exit_code);
	json_end_object(&j);
	buf_putc(&line, '\n');
	say(s, buf_str(&line));
	session_free(s);
}

static void on_exited(void *data, int exit_code)
{
	struct session *s = data;

	s->started = false;
	finish(s, exit_code, NULL);
}

static void on_started(void *data, int error, const char *message, const int *fds, unsigned nfds)
{
	struct session *s = data;

	if (error) {
		s->started = false;
		finish(s, 0, message);
		return;
	}
	(void)!sock_send(s->fd, "+", 1, fds, nfds);
	if (s->answer)
		say(s, s->answer);
	if (!s->kind->once)
		return;
	s->started = false;
	session_free(s);
}

static void on_client(struct loop_io *io, uint32_t events)
{
	struct session *s = container_of(io, struct session, io);

	(void)events;
	ssize_t n = recv(s->fd, s->size + s->nsize, sizeof(s->size) - s->nsize, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		session_free(s);	/* the process goes on without its terminal */
		return;
	}
	s->nsize += n > 0 ? (size_t)n : 0;
	if (s->nsize < sizeof(s->size))
		return;
	uint16_t size[2];
	memcpy(size, s->size, sizeof(size));
	s->nsize = 0;
	if (s->started)
		runtime_exec_resize(s->d->runtime, s->id, size[0], size[1]);
}

static void on_dropped(void *data)
{
	session_free(data);
}

void api_exec_end(struct daemon *d)
{
	for (struct session *s = d->sessions, *next; s; s = next) {
		next = s->next;
		if (s->connection)	/* else http.c drops it */
			session_free(s);
	}
}

static void on_upgraded(void *data, int fd, void *connection)
{
	struct session *s = data;
	struct err err = { 0 };

	s->connection = connection;
	s->fd = fd;
	loop_io_add(s->d->loop, &s->io, fd, EPOLLIN, on_client);
	s->started = true;
	if (s->kind->begin(s, &err) < 0) {
		s->started = false;
		finish(s, 0, err.msg);
	}
}

/* Of a request about a pod (args: namespace, pod); NULL after a reply was made. */
static struct session *session_new(struct request *q, struct reply *r,
				   const struct session_kind *kind)
{
	const char *upgrade = request_header(q, "Upgrade");

	if (!view_get(q->d->view, KIND_POD, q->args[0], q->args[1])) {
		reply_not_found(r, &kinds[KIND_POD], q->args[1]);
		return NULL;
	}
	if (!upgrade || !streq(upgrade, kind->protocol)) {
		reply_status(r, 400, "BadRequest", "Upgrade: %s is needed", kind->protocol);
		return NULL;
	}
	struct session *s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->d = q->d;
	s->kind = kind;
	s->next = q->d->sessions;
	s->prev = &q->d->sessions;
	if (s->next)
		s->next->prev = &s->next;
	q->d->sessions = s;
	r->upgrade = kind->protocol;
	r->upgraded = on_upgraded;
	r->dropped = on_dropped;
	r->upgrade_data = s;
	return s;
}

/* ---- exec ---- */

static int begin_exec(struct session *s, struct err *err)
{
	return runtime_exec(s->d->runtime, &s->exec, &s->id, err);
}

/* args: namespace, pod */
void api_exec(struct request *q, struct reply *r)
{
	static const struct session_kind kind = { "orch-exec", begin_exec, false };
	const char *command[ARGV_MAX + 1];
	unsigned n = request_query_all(q, "command", command, ARGV_MAX);

	if (!n) {
		reply_status(r, 400, "BadRequest", "exec needs a command");
		return;
	}
	struct session *s = session_new(q, r, &kind);
	if (!s)
		return;
	const char **argv = arena_array(&s->arena, const char *, n + 1);
	for (unsigned i = 0; i < n; i++)
		argv[i] = arena_strdup(&s->arena, command[i]);
	s->exec = (struct runtime_exec){
		.ns = arena_strdup(&s->arena, q->args[0]),
		.pod = arena_strdup(&s->arena, q->args[1]),
		.container = arena_strdup(&s->arena, request_query(q, "container")),
		.argv = argv,
		.tty = request_flag(q, "tty"),
		.rows = (uint16_t)request_int(q, "rows", 24),
		.cols = (uint16_t)request_int(q, "cols", 80),
		.done = on_started, .exited = on_exited, .data = s,
	};
}

/* ---- attach ---- */

static int begin_attach(struct session *s, struct err *err)
{
	return runtime_attach(s->d->runtime, &s->attach, &s->id, err);
}

/* args: namespace, pod */
void api_attach(struct request *q, struct reply *r)
{
	static const struct session_kind kind = { "orch-attach", begin_attach, true };
	struct session *s = session_new(q, r, &kind);

	if (!s)
		return;
	s->attach = (struct runtime_attach){
		.ns = arena_strdup(&s->arena, q->args[0]),
		.pod = arena_strdup(&s->arena, q->args[1]),
		.container = arena_strdup(&s->arena, request_query(q, "container")),
		.input = request_flag(q, "stdin"),
		.done = on_started, .data = s,
	};
}

/* ---- the root directory ---- */

static const char *user_text(struct arena *a, const struct runtime_user *u)
{
	BUF_AUTO text = { 0 };
	struct json j;

	json_init(&j, &text, false);
	json_begin_object(&j);
	json_kint(&j, "uid", u->uid);
	json_kint(&j, "gid", u->gid);
	json_key(&j, "groups");
	json_begin_array(&j);
	for (uint32_t i = 0; i < u->groups.n; i++)
		json_int(&j, u->groups.v[i]);
	json_end_array(&j);
	json_kstr(&j, "workingDir", u->work_dir);
	json_end_object(&j);
	return arena_strdup(a, buf_str(&text));
}

static int begin_root(struct session *s, struct err *err)
{
	struct runtime_user user;
	int r = runtime_root(s->d->runtime, &s->root, &s->arena, &user, &s->id, err);

	if (r == 0)
		s->answer = user_text(&s->arena, &user);
	return r;
}

/* args: namespace, pod */
void api_root(struct request *q, struct reply *r)
{
	static const struct session_kind kind = { "orch-root", begin_root, true };
	struct session *s = session_new(q, r, &kind);

	if (!s)
		return;
	s->root = (struct runtime_root){
		.ns = arena_strdup(&s->arena, q->args[0]),
		.pod = arena_strdup(&s->arena, q->args[1]),
		.container = arena_strdup(&s->arena, request_query(q, "container")),
		.done = on_started, .data = s,
	};
}

/* ---- port-forward ---- */

static int begin_connect(struct session *s, struct err *err)
{
	return runtime_connect(s->d->runtime, &s->connect, &s->id, err);
}

/* args: namespace, pod */
void api_port_forward(struct request *q, struct reply *r)
{
	static const struct session_kind kind = { "orch-port-forward", begin_connect, true };
	int64_t port = request_int(q, "port", 0);

	if (port < 1 || port > 65535) {
		reply_status(r, 400, "BadRequest", "port-forward needs a port of 1-65535");
		return;
	}
	struct session *s = session_new(q, r, &kind);
	if (!s)
		return;
	s->connect = (struct runtime_connect){
		.ns = arena_strdup(&s->arena, q->args[0]),
		.pod = arena_strdup(&s->arena, q->args[1]),
		.port = (uint16_t)port,
		.done = on_started, .data = s,
	};
}
