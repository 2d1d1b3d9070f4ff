/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See log_reader.h. The open descriptor is the place in the log: which file comes next is looked up
 * when it is needed, by the inode of the one that is open, so that any number of rotations in
 * between lose nothing but what was removed.
 */
#include "daemon/log_reader.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/macro.h"
#include "base/units.h"
#include "daemon/log_files.h"

#define CHUNK 65536

struct log_reader {
	char *dir;
	uint32_t attempt;
	struct log_query q;
	int fd;			/* -1: none was opened yet */
	bool left;		/* no longer the live file, and read to its end once since */
	struct buf rest;	/* the beginning of a line whose end was not read yet */
	bool middle;		/* the line before ended with P */
};

static bool too_old(const struct log_reader *r, const struct log_line *line)
{
	char stamp[64];
	int64_t t;

	if (!r->q.since)
		return false;
	snprintf(stamp, sizeof(stamp), "%.*s", (int)MIN(line->stamp_len, sizeof(stamp) - 1),
		 line->stamp);
	return time_parse(stamp, &t) == 0 && t < r->q.since;
}

static void cut(struct log_reader *r, struct buf *out, size_t before)
{
	size_t n = MIN(out->len - before, (size_t)r->q.limit);

	out->len = before + n;
	r->q.limit -= (int64_t)n;
}

static void put_line(struct log_reader *r, const struct log_line *line, struct buf *out)
{
	size_t before = out->len;
	bool first = !r->middle;

	r->middle = line->partial;
	if (too_old(r, line))
		return;
	if (r->q.timestamps && first) {
		buf_add(out, line->stamp, line->stamp_len);
		buf_putc(out, ' ');
	}
	buf_add(out, line->text, line->len);
	if (!line->partial)
		buf_putc(out, '\n');
	if (r->q.limit >= 0)
		cut(r, out, before);
}

/* Takes a chunk in: whole lines go out, the beginning of the next one is kept. */
static void take(struct log_reader *r, const char *p, size_t n, struct buf *out)
{
	struct log_line line;
	const char *nl;

	while (n && (nl = memchr(p, '\n', n))) {
		size_t len = (size_t)(nl - p);

		if (r->rest.len) {
			buf_add(&r->rest, p, len);
			if (log_line_parse(r->rest.data, r->rest.len, &line) == 0)
				put_line(r, &line, out);
			buf_reset(&r->rest);
		} else if (log_line_parse(p, len, &line) == 0) {
			put_line(r, &line, out);
		}
		p += len + 1;
		n -= len + 1;
	}
	buf_add(&r->rest, p, n);
}

static bool is_open(const struct log_reader *r, const char *path)
{
	struct stat ours, st;

	return r->fd >= 0 && fstat(r->fd, &ours) == 0 && stat(path, &st) == 0 &&
	       st.st_dev == ours.st_dev && st.st_ino == ours.st_ino;
}

static bool at_live_file(const struct log_reader *r, struct arena *a)
{
	return is_open(r, arena_printf(a, "%s/%u.log", r->dir, r->attempt));
}

/* Opens the file after the one that is open, or the oldest; false when there is none. */
static bool open_next(struct log_reader *r, struct arena *a)
{
	struct log_files l = log_files(r->dir, r->attempt, a);
	uint32_t next = 0;
	int fd = -1;

	for (uint32_t i = 0; i < l.n; i++)
		if (is_open(r, arena_printf(a, "%s/%s", r->dir, l.v[i])))
			next = i + 1;
	for (; next < l.n && fd < 0; next++)
		fd = open(arena_printf(a, "%s/%s", r->dir, l.v[next]),
			  O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return false;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = fd;
	r->left = false;
	return true;
}

/*
 * At the end of a file: may reading go on? One that was rotated away is read to its end once more,
 * as it may have grown before that; afterwards nobody writes to it.
 */
static bool go_on(struct log_reader *r)
{
	struct arena a = { 0 };
	bool on = false;

	if (r->fd < 0 || r->left)
		on = open_next(r, &a);
	else if (!at_live_file(r, &a))
		on = r->left = true;
	arena_release(&a);
	return on;
}

bool log_reader_ended(const struct log_reader *r)
{
	return r->q.limit == 0;
}

bool log_reader_read(struct log_reader *r, struct buf *out)
{
	char chunk[CHUNK];
	size_t until = out->len + CHUNK;

	while (out->len < until && !log_reader_ended(r)) {
		ssize_t n = r->fd < 0 ? 0 : read(r->fd, chunk, sizeof(chunk));

		if (n > 0)
			take(r, chunk, (size_t)n, out);
		else if (!go_on(r))
			return false;
	}
	return !log_reader_ended(r);
}

static struct log_reader *reader_new(const char *dir, uint32_t attempt, const struct log_query *q)
{
	struct log_reader *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->dir = strdup(dir);
	r->attempt = attempt;
	r->q = *q;
	r->fd = -1;
	return r;
}

struct log_reader *log_reader_new(const char *dir, uint32_t attempt, const struct log_query *q)
{
	struct log_reader *r = reader_new(dir, attempt, q);

	if (q->tail >= 0)
		r->fd = MAX(log_tail_open(dir, attempt, q->tail), -1);
	return r;
}

void log_reader_free(struct log_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	buf_release(&r->rest);
	free(r->dir);
	free(r);
}
