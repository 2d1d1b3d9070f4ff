/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pod logs, read from the files in CRI format ("TIME stdout F text", P for a part of a line that
 * goes on). A run's log is ATTEMPT.log and, before it, what was rotated away: ATTEMPT.log.*, whose
 * names sort by time. The reader streams: it never holds more than one chunk. tailLines is a
 * first pass that only counts.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "daemon/request.h"

#define CHUNK 65536
#define FILES_MAX 64

struct log_stream {
	struct stream stream;
	struct daemon *d;
	struct arena arena;
	const char *ns, *pod, *container, *dir;
	uint32_t attempt;
	char *files[FILES_MAX];		/* oldest first; the last is the live one */
	unsigned nfiles, file;
	int fd;				/* of files[file]; -1: not open */
	struct buf rest;		/* the beginning of a line whose end was not read yet */
	bool follow, timestamps, middle;	/* middle: the line before ended with P */
	int64_t since;
	int64_t skip;			/* lines still to leave out, for tailLines */
	int64_t limit;			/* bytes still to send; -1: no limit */
	int inotify;
	struct loop_io io;
};

struct log_line {
	const char *stamp, *text;
	size_t stamp_len, len;
	bool partial;
};

/* One line without its end; -EINVAL for what is not CRI format. */
static int parse_line(const char *s, size_t n, struct log_line *ret)
{
	const char *end = s + n;
	const char *stream = memchr(s, ' ', n);
	const char *tag = stream ? memchr(stream + 1, ' ', (size_t)(end - stream - 1)) : NULL;
	const char *text = tag ? memchr(tag + 1, ' ', (size_t)(end - tag - 1)) : NULL;

	if (!text)
		return -EINVAL;
	ret->stamp = s;
	ret->stamp_len = (size_t)(stream - s);
	ret->partial = tag[1] == 'P';
	ret->text = text + 1;
	ret->len = (size_t)(end - text - 1);
	return 0;
}

static bool too_old(const struct log_stream *l, const struct log_line *line)
{
	char stamp[64];
	int64_t t;

	if (!l->since)
		return false;
	snprintf(stamp, sizeof(stamp), "%.*s", (int)line->stamp_len, line->stamp);
	return time_parse(stamp, &t) == 0 && t < l->since;
}

static void put_line(struct log_stream *l, const struct log_line *line, struct buf *out)
{
	size_t before = out->len;
	bool first = !l->middle;

	l->middle = line->partial;
	if (too_old(l, line))
		return;
	if (l->skip > 0) {
		l->skip -= !line->partial;
		return;
	}
	if (l->timestamps && first) {
		buf_add(out, line->stamp, line->stamp_len);
		buf_putc(out, ' ');
	}
	buf_add(out, line->text, line->len);
	if (!line->partial)
		buf_putc(out, '\n');
	if (l->limit >= 0) {
		size_t n = MIN(out->len - before, (size_t)l->limit);

		out->len = before + n;
		l->limit -= (int64_t)n;
	}
}

/* Takes a chunk in: whole lines go out, the beginning of the next one is kept. */
static void take(struct log_stream *l, const char *p, size_t n, struct buf *out)
{
	struct log_line line;
	const char *nl;

	while (n && (nl = memchr(p, '\n', n))) {
		size_t len = (size_t)(nl - p);

		if (l->rest.len) {
			buf_add(&l->rest, p, len);
			if (parse_line(l->rest.data, l->rest.len, &line) == 0)
				put_line(l, &line, out);
			buf_reset(&l->rest);
		} else if (parse_line(p, len, &line) == 0) {
			put_line(l, &line, out);
		}
		p += len + 1;
		n -= len + 1;
	}
	buf_add(&l->rest, p, n);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lists the files of the attempt: rotated ones by name, then the live one. */
static void find_files(struct log_stream *l)
{
	char *live = arena_printf(&l->arena, "%u.log", l->attempt);
	size_t n = strlen(live);
	DIR *dir = opendir(l->dir);
	struct dirent *e;

	l->nfiles = l->file = 0;
	while (dir && (e = readdir(dir)))
		if (strncmp(e->d_name, live, n) == 0 && e->d_name[n] == '.' &&
		    l->nfiles < FILES_MAX - 1)
			l->files[l->nfiles++] = arena_strdup(&l->arena, e->d_name);
	if (dir)
		closedir(dir);
	qsort(l->files, l->nfiles, sizeof(*l->files), by_name);
	l->files[l->nfiles++] = live;
}

static int open_file(struct log_stream *l)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", l->dir, l->files[l->file]);
	l->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return l->fd;
}

/* Was the live file rotated away under us? */
static bool replaced(struct log_stream *l)
{
	struct stat now, ours;
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", l->dir, l->files[l->nfiles - 1]);
	return l->fd >= 0 && stat(path, &now) == 0 && fstat(l->fd, &ours) == 0 &&
	       now.st_ino != ours.st_ino;
}

/* Reads on; false at the end of everything that is there now. */
static bool read_chunk(struct log_stream *l, struct buf *out)
{
	static char chunk[CHUNK];	/* one thread, used within this call only */

	for (;;) {
		if (l->fd < 0 && open_file(l) < 0) {
			if (l->file + 1 >= l->nfiles)
				return false;
			l->file++;
			continue;
		}
		ssize_t n = read(l->fd, chunk, sizeof(chunk));
		if (n > 0) {
			take(l, chunk, (size_t)n, out);
			return true;
		}
		bool last = l->file + 1 >= l->nfiles;
		if (last && !replaced(l))
			return false;
		close(l->fd);
		l->fd = -1;
		l->file += !last;
	}
}

static const struct container_status *container_now(const struct log_stream *l)
{
	const struct view_entry *e = view_get(l->d->view, KIND_POD, l->ns, l->pod);

	for (uint32_t i = 0; e && i < e->object.pod->status.container_statuses.n; i++) {
		const struct container_status *s = &e->object.pod->status.container_statuses.v[i];

		if (streq(s->name, l->container))
			return s;
	}
	return NULL;
}

/* Will this run still write? */
static bool still_runs(const struct log_stream *l)
{
	const struct container_status *s = container_now(l);

	return s && (uint32_t)s->restart_count == l->attempt && s->state && !s->state->terminated;
}

static bool log_more(struct stream *s, struct buf *out)
{
	struct log_stream *l = container_of(s, struct log_stream, stream);
	bool runs = still_runs(l);	/* before reading, so that nothing is missed after its end */

	while (out->len < CHUNK && l->limit != 0)
		if (!read_chunk(l, out))
			return l->follow && runs;
	return l->limit != 0;
}

static void log_free(struct stream *s)
{
	struct log_stream *l = container_of(s, struct log_stream, stream);

	loop_io_remove(l->d->loop, &l->io);
	if (l->inotify >= 0)
		close(l->inotify);
	if (l->fd >= 0)
		close(l->fd);
	buf_release(&l->rest);
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

/* How many lines there are, by reading everything once without sending it. */
static int64_t count_lines(struct log_stream *l)
{
	BUF_AUTO sink = { 0 };
	int64_t skip = INT64_MAX, left;

	l->skip = skip;
	while (read_chunk(l, &sink))
		buf_reset(&sink);
	left = l->skip;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->file = 0;
	l->middle = false;
	buf_reset(&l->rest);
	return skip - left;
}

static void parse_query(struct request *q, struct log_stream *l)
{
	int64_t tail = request_int(q, "tailLines", -1);
	int64_t seconds = request_int(q, "sinceSeconds", 0);
	const char *since = request_query(q, "sinceTime");

	l->follow = request_flag(q, "follow");
	l->timestamps = request_flag(q, "timestamps");
	l->limit = request_int(q, "limitBytes", -1);
	if (seconds > 0)
		l->since = time_now() - seconds * NSEC;
	if (since)
		time_parse(since, &l->since);
	find_files(l);
	l->skip = tail >= 0 ? MAX(count_lines(l) - tail, 0) : 0;
	if (l->follow)
		follow(l);
}

/* The container that is meant; NULL after a reply was made. */
static const char *choose_container(struct request *q, const struct pod *p, struct reply *r)
{
	const char *name = request_query(q, "container");

	if (!name || !*name)
		return p->spec.containers.v[0].name;
	for (uint32_t i = 0; i < p->spec.containers.n; i++)
		if (streq(p->spec.containers.v[i].name, name))
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
	if (!previous && count == 0 && s && s->state && s->state->waiting) {
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
	l->fd = l->inotify = -1;
	l->ns = arena_strdup(&l->arena, q->args[0]);
	l->pod = arena_strdup(&l->arena, q->args[1]);
	l->container = arena_strdup(&l->arena, container);
	l->dir = arena_strdup(&l->arena, buf_str(&dir));
	if (!choose_attempt(q, l, r)) {
		log_free(&l->stream);
		return;
	}
	parse_query(q, l);
	r->type = "text/plain; charset=utf-8";
	r->stream = &l->stream;
}
