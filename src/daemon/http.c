/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libmicrohttpd behind request.h. The library runs without threads on its own epoll descriptor,
 * which is one source of our loop. A stream that has nothing to send suspends its connection; the
 * library does not look at a suspended socket, so we watch it for hang-up ourselves.
 */
#include "daemon/http.h"

#include <grp.h>
#include <microhttpd.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/sock.h"
#include "daemon/request.h"

#define CONNECTIONS_MAX 256
#define BODY_MAX 65536
#define CHUNK 32768

struct http {
	struct daemon *d;
	struct MHD_Daemon *mhd;
	char *path;
	int listen_fd;
	gid_t group;			/* of orch; (gid_t)-1: there is none */
	struct loop_io io;
	struct loop_timer timer;
	struct loop_defer run;
	struct waiter *waiters;
};

/* A streaming connection. */
struct waiter {
	struct http *h;
	struct waiter *next, **prev;
	struct stream *stream;
	struct MHD_Connection *connection;
	struct buf out;
	size_t sent;
	struct loop_io hangup;
	bool suspended, ended, gone;
};

/* A connection that was handed over. */
/* A request from its head to the end of its reply. */
struct call {
	struct http *h;
	size_t body;			/* bytes of it so far */
	struct reply upgrade;		/* what shall take the connection over, until it has */
	struct MHD_UpgradeResponseHandle *handle;
};

static void turn(struct http *h);

static void on_run(struct loop_defer *r)
{
	turn(container_of(r, struct http, run));
}

static void wake(struct waiter *w)
{
	if (!w->suspended)
		return;
	w->suspended = false;
	loop_io_remove(w->h->d->loop, &w->hangup);
	MHD_resume_connection(w->connection);
	loop_defer(w->h->d->loop, &w->h->run, on_run);
}

void http_wake(struct stream *s)
{
	if (s->waiter)
		wake(s->waiter);
}

void http_notify(struct http *h)
{
	for (struct waiter *w = h->waiters; w; w = w->next)
		wake(w);
}

static void on_hangup(struct loop_io *io, uint32_t events)
{
	struct waiter *w = container_of(io, struct waiter, hangup);

	(void)events;
	w->gone = true;
	wake(w);
}

static void suspend(struct waiter *w)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(w->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	MHD_suspend_connection(w->connection);
	w->suspended = true;
	loop_io_add(w->h->d->loop, &w->hangup, info->connect_fd, EPOLLRDHUP | EPOLLHUP, on_hangup);
}

static ssize_t read_stream(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct waiter *w = cls;

	(void)pos;
	if (w->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (w->sent == w->out.len) {
		buf_reset(&w->out);
		w->sent = 0;
		if (!w->ended)
			w->ended = !w->stream->more(w->stream, &w->out);
	}
	if (w->sent == w->out.len) {
		if (w->ended)
			return MHD_CONTENT_READER_END_OF_STREAM;
		suspend(w);
		return 0;
	}
	size_t n = MIN(max, w->out.len - w->sent);
	memcpy(buf, w->out.data + w->sent, n);
	w->sent += n;
	return (ssize_t)n;
}

static void free_stream(void *cls)
{
	struct waiter *w = cls;

	loop_io_remove(w->h->d->loop, &w->hangup);
	*w->prev = w->next;
	if (w->next)
		w->next->prev = w->prev;
	w->stream->free(w->stream);
	buf_release(&w->out);
	free(w);
}

static struct MHD_Response *stream_response(struct http *h, struct MHD_Connection *c,
					    struct stream *s)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->h = h;
	w->stream = s;
	w->connection = c;
	s->waiter = w;
	w->next = h->waiters;
	w->prev = &h->waiters;
	if (w->next)
		w->next->prev = &w->next;
	h->waiters = w;
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, CHUNK, read_stream, w, free_stream);
}

static void on_upgrade(void *cls, struct MHD_Connection *c, void *con_cls, const char *extra,
		       size_t n, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
	struct call *call = cls;
	struct reply taken = call->upgrade;

	(void)c, (void)con_cls, (void)extra, (void)n;
	call->upgrade = (struct reply){ 0 };
	call->handle = handle;
	taken.upgraded(taken.upgrade_data, fd, call);
}

/* The library closes the socket in its next turn, not here. */
void http_close(void *connection)
{
	struct call *call = connection;

	MHD_upgrade_action(call->handle, MHD_UPGRADE_ACTION_CLOSE);
	loop_defer(call->h->d->loop, &call->h->run, on_run);
}

static struct MHD_Response *upgrade_response(struct call *call, const struct reply *r)
{
	struct MHD_Response *resp = MHD_create_response_for_upgrade(on_upgrade, call);

	call->upgrade = *r;
	MHD_add_response_header(resp, MHD_HTTP_HEADER_UPGRADE, r->upgrade);
	return resp;
}

static enum MHD_Result send_reply(struct http *h, struct MHD_Connection *c, struct call *call,
				  struct reply *r)
{
	struct MHD_Response *resp;
	unsigned code = r->code ? r->code : 200;

	if (r->upgrade) {
		resp = upgrade_response(call, r);
		code = MHD_HTTP_SWITCHING_PROTOCOLS;
	} else if (r->stream) {
		resp = stream_response(h, c, r->stream);
	} else {
		size_t n = r->body.len;

		resp = MHD_create_response_from_buffer(n, buf_take(&r->body), MHD_RESPMEM_MUST_FREE);
	}
	if (!r->upgrade)
		MHD_add_response_header(resp, MHD_HTTP_HEADER_CONTENT_TYPE,
					r->type ? r->type : "application/json");
	enum MHD_Result res = MHD_queue_response(c, code, resp);
	MHD_destroy_response(resp);
	return res;
}

/* Root, and who is in group orch by its process or by the group database. */
static bool allowed(struct http *h, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	gid_t groups[64], gid;
	int n = ARRAY_SIZE(groups);
	pid_t pid;
	uid_t uid;

	if (sock_peer(info->connect_fd, &pid, &uid, &gid) < 0)
		return false;
	if (uid == 0 || gid == h->group)
		return true;
	struct passwd *pw = h->group == (gid_t)-1 ? NULL : getpwuid(uid);
	if (!pw || getgrouplist(pw->pw_name, gid, groups, &n) < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (groups[i] == h->group)
			return true;
	return false;
}

struct collect {
	struct arena *arena;
	struct request_values *values;
};

static enum MHD_Result collect_value(void *cls, enum MHD_ValueKind kind, const char *key,
				     const char *value)
{
	struct collect *c = cls;

	(void)kind;
	*arena_push(c->arena, c->values) = (struct request_value){ key, value ? value : "" };
	return MHD_YES;
}

static void read_values(struct MHD_Connection *c, struct request *q)
{
	struct collect query = { &q->arena, &q->query }, headers = { &q->arena, &q->headers };

	MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, collect_value, &query);
	MHD_get_connection_values(c, MHD_HEADER_KIND, collect_value, &headers);
}

static enum MHD_Result answer(struct http *h, struct MHD_Connection *c, struct call *call,
			      struct request *q)
{
	struct reply r = { 0 };

	read_values(c, q);
	if (allowed(h, c))
		route(q, &r);
	else
		reply_status(&r, 403, "Forbidden", "only root and members of group orch may use orchd");
	enum MHD_Result res = send_reply(h, c, call, &r);
	arena_release(&q->arena);
	buf_release(&r.body);
	return res;
}

/* Called once for the head, for each piece of the body, and then for the reply. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	struct http *h = cls;
	struct request q = { .d = h->d, .method = method, .path = url };
	struct call *call = *state;

	(void)version, (void)upload;
	if (!call) {
		call = *state = calloc(1, sizeof(*call));
		if (!call)
			abort();
		call->h = h;
		return MHD_YES;
	}
	if (*upload_size) {		/* bodies mean nothing here */
		call->body += *upload_size;
		*upload_size = 0;
		return call->body <= BODY_MAX ? MHD_YES : MHD_NO;
	}
	return answer(h, c, call, &q);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode why)
{
	struct call *call = *state;

	(void)cls, (void)c, (void)why;
	if (call && call->upgrade.dropped)
		call->upgrade.dropped(call->upgrade.upgrade_data);
	free(call);
	*state = NULL;
}

static void on_timer(struct loop_timer *t)
{
	turn(container_of(t, struct http, timer));
}

/* Lets the library do what it can, and asks how long it may be left alone. */
static void turn(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(h->mhd);
	if (MHD_get_timeout(h->mhd, &ms) == MHD_YES)
		loop_timer_at(h->d->loop, &h->timer, time_mono() + (int64_t)ms * MSEC, on_timer);
	else
		loop_timer_cancel(h->d->loop, &h->timer);
}

static void on_ready(struct loop_io *io, uint32_t events)
{
	(void)events;
	turn(container_of(io, struct http, io));
}

/* From /etc/group itself: getgrnam(3) would bring the name service's libraries into the daemon. */
static struct group *local_group(const char *name)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *g = NULL;

	while (f && (g = fgetgrent(f)) && !streq(g->gr_name, name))
		;
	if (f)
		fclose(f);
	return g;
}

static int listen_on(struct http *h, const char *path, struct err *err)
{
	struct group *g = local_group("orch");

	h->group = g ? g->gr_gid : (gid_t)-1;
	h->path = strdup(path);
	h->listen_fd = sock_listen(path, SOCK_STREAM, 0660, err);
	if (h->listen_fd < 0)
		return h->listen_fd;
	if (g && chown(path, 0, h->group) < 0)
		return err_sys(err, -errno, "%s", path);
	return 0;
}

int http_new(struct daemon *d, const char *socket_path, struct http **ret, struct err *err)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	h->d = d;
	h->listen_fd = -1;
	*ret = h;
	int r = listen_on(h, socket_path, err);
	if (r < 0)
		return r;
	h->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE, 0,
				  NULL, NULL, on_request, h,
				  MHD_OPTION_LISTEN_SOCKET, h->listen_fd,
				  MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
				  MHD_OPTION_CONNECTION_TIMEOUT, 0u,
				  MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
				  MHD_OPTION_END);
	if (!h->mhd)
		return err_set(err, -EIO, "can't start the API server on %s", socket_path);
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	return loop_io_add(d->loop, &h->io, info->epoll_fd, EPOLLIN, on_ready);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	loop_io_remove(h->d->loop, &h->io);
	loop_timer_cancel(h->d->loop, &h->timer);
	loop_defer_cancel(h->d->loop, &h->run);
	for (struct waiter *w = h->waiters; w; w = w->next) {
		w->gone = true;
		wake(w);
	}
	loop_defer_cancel(h->d->loop, &h->run);
	if (h->mhd) {
		MHD_run(h->mhd);
		MHD_stop_daemon(h->mhd);	/* closes the listening socket */
	} else if (h->listen_fd >= 0) {
		close(h->listen_fd);
	}
	if (h->listen_fd >= 0)		/* else it is another daemon's */
		unlink(h->path);
	free(h->path);
	free(h);
}
