/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pod logs: which container, which run, and a stream of what log_reader finds. A followed log
 * goes on until its run has ended; inotify(7) tells when there is more.
 */
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "base/macro.h"
#include "daemon/log_reader.h"
#include "daemon/request.h"

struct log_stream {
	struct stream stream;
	struct daemon *d;
	struct arena arena;
	const char *ns, *pod, *container, *dir;
	uint32_t attempt;
	struct log_reader *reader;
	bool follow;
	int inotify;
	struct loop_io io;
};

static const struct container_status *find_status(const struct container_status_list *l,
						  const char *name)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (streq(l->v[i].name, name))
			return &l->v[i];
	}
	return NULL;
}

static const struct container_status *container_now(const struct log_stream *l)
{
	const struct view_entry *e = view_get(l->d->view, KIND_POD, l->ns, l->pod);
	const struct pod_status *s = e ? &e->object.pod->status : NULL;
	const struct container_status *c = s ? find_status(&s->container_statuses, l->container) :
					       NULL;

	if (!c && s)
		c = find_status(&s->init_container_statuses, l->container);
	return c || !s ? c : find_status(&s->ephemeral_container_statuses, l->container);
}

/* Will this run still write? */
static bool still_runs(const struct log_stream *l)
{
	const struct container_status *s = container_now(l);

	return s && (uint32_t)s->restart_count == l->attempt && s->state && s->state->running;
}

static bool log_more(struct stream *s, struct buf *out)
{
	struct log_stream *l = container_of(s, struct log_stream, stream);
	bool runs = still_runs(l);	/* before reading, so that nothing is missed after its end */
	bool more = log_reader_read(l->reader, out);

	return more || (l->follow && runs && !log_reader_ended(l->reader));
}

static void log_free(struct stream *s)
{
	struct log_stream *l = container_of(s, struct log_stream, stream);

	loop_io_remove(l->d->loop, &l->io);
	if (l->inotify >= 0)
		close(l->inotify);
	log_reader_free(l->reader);
	arena_release(&l->arena);
	free(l);
}

static void on_inotify(struct loop_io *io, uint32_t events)
{
	struct log_stream *l = container_of(io, struct log_stream, io);
	char drop[4096];

	(void)events;
	while (read(l->inotify, drop, sizeof(drop)) > 0)
		;
	http_wake(&l->stream);
}

static void follow(struct log_stream *l)
{
	l->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (l->inotify < 0)
		return;
	inotify_add_watch(l->inotify, l->dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	loop_io_add(l->d->loop, &l->io, l->inotify, EPOLLIN, on_inotify);
}

/* false after a reply was made. */
static bool open_log(struct request *q, struct log_stream *l, struct reply *r)
{
	int64_t seconds = request_int(q, "sinceSeconds", 0);
	const char *since = request_query(q, "sinceTime");
	struct log_query query = {
		.timestamps = request_flag(q, "timestamps"),
		.tail = request_int(q, "tailLines", -1),
		.limit = request_int(q, "limitBytes", -1),
		.since = seconds > 0 ? time_now() - seconds * NSEC : 0,
	};

	if (since && time_parse(since, &query.since) < 0) {
		reply_status(r, 400, "BadRequest", "sinceTime: %s is not a time", since);
		return false;
	}
	l->follow = request_flag(q, "follow");
	if (l->follow)
		follow(l);
	l->reader = log_reader_new(l->dir, l->attempt, &query);
	return true;
}

static bool is_ephemeral(const struct pod_spec *s, const char *name)
{
	for (uint32_t i = 0; i < s->ephemeral_containers.n; i++)
		if (streq(s->ephemeral_containers.v[i].name, name))
			return true;
	return false;
}

/* The container that is meant; NULL after a reply was made. */
static const char *choose_container(struct request *q, const struct pod *p, struct reply *r)
{
	const char *name = request_query(q, "container");

	if (!name || !*name)
		return p->spec.containers.v[0].name;
	if (pod_container_find(&p->spec, name) >= 0 || is_ephemeral(&p->spec, name))
		return name;
	reply_status(r, 400, "BadRequest", "container %s is not valid for pod %s", name,
		     p->metadata.name);
	return NULL;
}

/* Which run's log is asked for; false after a reply was made. */
static bool choose_attempt(struct request *q, struct log_stream *l, struct reply *r)
{
	const struct container_status *s = container_now(l);
	bool previous = request_flag(q, "previous");
	uint32_t count = s ? (uint32_t)s->restart_count : 0;

	if (previous && count == 0) {
		reply_status(r, 400, "BadRequest", "previous terminated container \"%s\" in pod \"%s\" "
			     "not found", l->container, l->pod);
		return false;
	}
	if (!previous && count == 0 && s && s->state && s->state->waiting && !s->last_state) {
		reply_status(r, 400, "BadRequest", "container \"%s\" in pod \"%s\" is waiting to "
			     "start: %s", l->container, l->pod, s->state->waiting->reason);
		return false;
	}
	l->attempt = count - previous;
	return true;
}

/* args: namespace, pod */
void api_log(struct request *q, struct reply *r)
{
	const struct view_entry *e = view_get(q->d->view, KIND_POD, q->args[0], q->args[1]);
	BUF_AUTO dir = { 0 };
	struct err err = { 0 };

	if (!e) {
		reply_not_found(r, &kinds[KIND_POD], q->args[1]);
		return;
	}
	const char *container = choose_container(q, e->object.pod, r);
	if (!container)
		return;
	if (runtime_log_dir(q->d->runtime, q->args[0], q->args[1], container, &dir, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	struct log_stream *l = calloc(1, sizeof(*l));
	if (!l)
		abort();
	l->stream = (struct stream){ log_more, log_free, NULL };
	l->d = q->d;
	l->inotify = -1;
	l->ns = arena_strdup(&l->arena, q->args[0]);
	l->pod = arena_strdup(&l->arena, q->args[1]);
	l->container = arena_strdup(&l->arena, container);
	l->dir = arena_strdup(&l->arena, buf_str(&dir));
	if (!choose_attempt(q, l, r) || !open_log(q, l, r)) {
		log_free(&l->stream);
		return;
	}
	r->type = "text/plain; charset=utf-8";
	r->stream = &l->stream;
}
