/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaching to a container. Input is a descriptor of its pipe or terminal, handed over. Output
 * is read here for the log in any case, so whoever attaches gets a pipe of its own that it is
 * copied to (a tap). One that is full holds the container's stream up until its reader goes on
 * or goes away: nothing is lost on a slow terminal. After the container's end a tap lives until
 * it is drained.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "base/macro.h"
#include "shim/shim.h"

struct tap {
	struct tap *next;
	struct stream_io *stream;	/* NULL: it has ended */
	struct loop *loop;
	struct loop_io io;
	char *rest;			/* that did not fit, from at to n */
	size_t at, n;
};

static bool held(const struct stream_io *s)
{
	for (const struct tap *t = s->taps; t; t = t->next) {
		if (t->rest)
			return true;
	}
	return false;
}

static void tap_unlink(struct tap *t)
{
	struct tap **at = &t->stream->taps;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (!t->stream->taps)
		t->stream->log.tee = NULL;
}

static void tap_free(struct tap *t)
{
	struct stream_io *s = t->stream;
	int fd = t->io.fd;

	if (s)
		tap_unlink(t);
	loop_io_remove(t->loop, &t->io);
	close(fd);
	free(t->rest);
	free(t);
	if (s && !held(s))
		stream_goes_on(s);
}

/* More comes behind a rest only when the container has ended. Without memory the tap is given up. */
static void tap_keep(struct tap *t, const char *data, size_t n)
{
	size_t have = t->n - t->at;
	char *rest = malloc(have + n);

	if (!rest) {
		tap_free(t);
		return;
	}
	if (have)
		memcpy(rest, t->rest + t->at, have);
	memcpy(rest + have, data, n);
	free(t->rest);
	t->rest = rest;
	t->at = 0;
	t->n = have + n;
	loop_io_events(t->loop, &t->io, EPOLLOUT);
}

/* How much went out; -errno when nobody reads any more. */
static ssize_t tap_write(struct tap *t, const char *data, size_t n)
{
	ssize_t w = write(t->io.fd, data, n);

	return w >= 0 ? w : errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static void tap_put(struct tap *t, const char *data, size_t n)
{
	ssize_t done = t->rest ? 0 : tap_write(t, data, n);

	if (done < 0)
		tap_free(t);
	else if ((size_t)done < n)
		tap_keep(t, data + done, n - (size_t)done);
}

static void tap_drained(struct tap *t)
{
	free(t->rest);
	t->rest = NULL;
	t->at = t->n = 0;
	if (!t->stream) {
		tap_free(t);
		return;
	}
	loop_io_events(t->loop, &t->io, 0);
	if (!held(t->stream))
		stream_goes_on(t->stream);
}

/* Of a pipe's end for writing EPOLLERR tells that the other is closed. */
static void tap_ready(struct loop_io *io, uint32_t events)
{
	struct tap *t = container_of(io, struct tap, io);
	ssize_t done = events & EPOLLERR ? -EPIPE : tap_write(t, t->rest + t->at, t->n - t->at);

	if (done < 0) {
		tap_free(t);
		return;
	}
	t->at += (size_t)done;
	if (t->at == t->n)
		tap_drained(t);
}

static bool tap_all(struct log_stream *log, const char *data, size_t n)
{
	struct stream_io *s = container_of(log, struct stream_io, log);

	for (struct tap *t = s->taps, *next; t; t = next) {
		next = t->next;
		tap_put(t, data, n);
	}
	if (!held(s))
		return true;
	if (s->io.active) {
		loop_io_remove(s->container->shim->loop, &s->io);
		s->waits = true;
	}
	return false;
}

void taps_end(struct stream_io *s)
{
	struct tap *t = s->taps;

	s->taps = NULL;
	s->log.tee = NULL;
	for (struct tap *next; t; t = next) {
		next = t->next;
		t->stream = NULL;
		if (!t->rest)
			tap_free(t);
	}
}

/* fd becomes the tap's when this succeeds. */
static int tap_new(struct stream_io *s, int fd)
{
	struct tap *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*t = (struct tap){ .next = s->taps, .stream = s, .loop = s->container->shim->loop };
	int r = loop_io_add(t->loop, &t->io, fd, 0, tap_ready);
	if (r < 0) {
		free(t);
		return r;
	}
	s->taps = t;
	s->log.tee = tap_all;
	return 0;
}

/* A descriptor to read what s brings from now on; of one that has ended, its end. */
static int tap_open(struct stream_io *s)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	FD_AUTO ours = ends[1];
	FD_AUTO theirs = ends[0];
	fcntl(ours, F_SETFL, O_NONBLOCK);
	int r = s->log.fd < 0 ? 0 : tap_new(s, ours);
	if (r < 0)
		return r;
	if (s->log.fd >= 0)
		fd_take(&ours);
	return fd_take(&theirs);
}

/* With stdinOnce ours goes, too, so that the end of this session is the end of the input. */
static int input(struct container *c)
{
	if (c->stdin_once)
		return fd_take(&c->in);
	return fcntl(c->in, F_DUPFD_CLOEXEC, 3);
}

int attach_open(struct container *c, const struct shim_attach *order, int fds[3], unsigned *ret_n)
{
	unsigned n = 0;
	int r = container_is_there(c) ? tap_open(&c->out) : -ESRCH;

	if (r >= 0)
		fds[n++] = r;
	if (r >= 0 && !c->tty && (r = tap_open(&c->err)) >= 0)
		fds[n++] = r;
	if (r >= 0 && order->input && c->in >= 0 && (r = input(c)) >= 0)
		fds[n++] = r;
	*ret_n = n;
	return r < 0 ? r : 0;
}
