/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of HTTP/2 with one stream (RFC 9113): everything it has to say goes out first, then
 * frames are read until the stream ends. The answer must fit into the window that a connection
 * begins with, so that none is ever enlarged.
 */
#include "ask/grpc.h"

#include <stdint.h>
#include <stdio.h>

#include "ask/hpack.h"
#include "ask/stream.h"
#include "base/macro.h"

#define FRAME_MAX 16384		/* SETTINGS_MAX_FRAME_SIZE, unless one says otherwise */
#define BLOCK_MAX 32768
#define MESSAGE_MAX 1024	/* the answer has two bytes */
#define STREAM 1
#define UNIMPLEMENTED 12
#define SERVING 1

enum frame_type {
	DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
	CONTINUATION, FRAME_TYPES
};
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, HAS_PRIORITY = 32 };

struct frame {
	uint32_t length, stream;
	uint8_t type, flags;
	uint8_t data[FRAME_MAX];
};

struct call {
	int fd;
	struct frame f;
	bool greeted;		/* SETTINGS, which must be the first, have come */
	bool in_block;		/* HEADERS go on in CONTINUATION */
	bool ends;		/* with this block the stream ends */
	bool over;
	struct buf block, message;
	char http_status[8], status[8];
	char words[200];	/* grpc-message */
	struct err *err;
};

static int broken(struct call *c, const char *what)
{
	err_set(c->err, -EPROTO, "error: health rpc probe failed: %s", what);
	return -EPROTO;
}

/* ---- frames ---- */

static void put_frame(struct buf *out, unsigned type, unsigned flags, unsigned stream,
		      const void *data, size_t n)
{
	const char head[9] = { (char)(n >> 16), (char)(n >> 8), (char)n, (char)type, (char)flags,
			       0, 0, 0, (char)stream };

	buf_add(out, head, sizeof(head));
	if (n)
		buf_add(out, data, n);
}

static int send_frame(struct call *c, unsigned type, unsigned flags, const void *data, size_t n)
{
	BUF_AUTO out = { 0 };

	put_frame(&out, type, flags, 0, data, n);
	return stream_send(c->fd, out.data, out.len, c->err);
}

static int read_all(struct call *c, void *to, size_t n)
{
	char *at = to;

	while (n) {
		ssize_t got = recv(c->fd, at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return broken(c, got ? strerror(errno) : "connection closed");
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

static int read_frame(struct call *c)
{
	uint8_t head[9];
	int r = read_all(c, head, sizeof(head));

	if (r < 0)
		return r;
	c->f.length = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
	c->f.type = head[3];
	c->f.flags = head[4];
	c->f.stream = ((uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 |
		       head[8]) & 0x7fffffff;
	if (c->f.length > FRAME_MAX)
		return broken(c, "answer is not HTTP/2");
	return read_all(c, c->f.data, c->f.length);
}

/* Without padding and, of HEADERS, priority. */
static int unpad(struct call *c, const uint8_t **ret, size_t *ret_n)
{
	size_t from = 0, pad = 0, n = c->f.length;

	if (c->f.flags & PADDED) {
		from = 1;
		pad = n ? c->f.data[0] : 0;
	}
	if (c->f.type == HEADERS && c->f.flags & HAS_PRIORITY)
		from += 5;
	if (from + pad > n)
		return broken(c, "wrong padding");
	*ret = c->f.data + from;
	*ret_n = n - from - pad;
	return 0;
}

/* ---- what the stream says ---- */

static void keep(char *to, size_t cap, const char *value)
{
	snprintf(to, cap, "%s", value);
}

static int on_field(void *data, const char *name, const char *value)
{
	struct call *c = data;

	if (streq(name, ":status"))
		keep(c->http_status, sizeof(c->http_status), value);
	else if (streq(name, "grpc-status"))
		keep(c->status, sizeof(c->status), value);
	else if (streq(name, "grpc-message"))
		keep(c->words, sizeof(c->words), value);
	return 0;
}

static int end_block(struct call *c)
{
	c->in_block = false;
	if (hpack_decode((const uint8_t *)buf_str(&c->block), c->block.len, on_field, c) < 0)
		return broken(c, "headers that cannot be read");
	buf_reset(&c->block);
	c->over = c->ends;
	return 0;
}

static int add_block(struct call *c, const uint8_t *data, size_t n)
{
	if (c->block.len + n > BLOCK_MAX)
		return broken(c, "headers that are too large");
	buf_add(&c->block, data, n);
	c->in_block = true;
	return c->f.flags & END_HEADERS ? end_block(c) : 0;
}

static int on_headers(struct call *c)
{
	const uint8_t *data;
	size_t n;
	int r = unpad(c, &data, &n);

	c->ends = c->f.flags & END_STREAM;
	return r < 0 ? r : add_block(c, data, n);
}

static int on_continuation(struct call *c)
{
	return c->in_block ? add_block(c, c->f.data, c->f.length) : broken(c, "unexpected frame");
}

static int on_data(struct call *c)
{
	const uint8_t *data;
	size_t n;
	int r = unpad(c, &data, &n);

	if (r < 0)
		return r;
	if (c->message.len + n > MESSAGE_MAX)
		return broken(c, "an answer that is too large");
	buf_add(&c->message, data, n);
	c->over = c->f.flags & END_STREAM;
	return 0;
}

static int on_reset(struct call *c)
{
	return broken(c, "the server ended the stream");
}

static int on_push(struct call *c)
{
	return broken(c, "unexpected frame");
}

/* ---- what the connection says ---- */

static int on_settings(struct call *c)
{
	if (c->f.flags & ACK)
		return c->f.length ? broken(c, "wrong settings") : 0;
	if (c->f.length % 6)
		return broken(c, "wrong settings");
	c->greeted = true;
	return send_frame(c, SETTINGS, ACK, NULL, 0);
}

static int on_ping(struct call *c)
{
	if (c->f.length != 8)
		return broken(c, "wrong ping");
	return c->f.flags & ACK ? 0 : send_frame(c, PING, ACK, c->f.data, 8);
}

/* A server that is about to end still answers the streams that it names. */
static int on_goaway(struct call *c)
{
	if (c->f.length < 8)
		return broken(c, "wrong goaway");
	return c->f.data[3] || c->f.data[2] || c->f.data[1] || c->f.data[0] & 0x7f ? 0 :
	       broken(c, "the server goes away");
}

static int ignore(struct call *c)
{
	(void)c;
	return 0;
}

static const struct {
	int (*act)(struct call *c);
	bool on_stream, on_connection;
} frames[FRAME_TYPES] = {
	[DATA] = { on_data, true, false }, [HEADERS] = { on_headers, true, false },
	[PRIORITY] = { ignore, true, false }, [RST_STREAM] = { on_reset, true, false },
	[SETTINGS] = { on_settings, false, true }, [PUSH_PROMISE] = { on_push, true, false },
	[PING] = { on_ping, false, true }, [GOAWAY] = { on_goaway, false, true },
	[WINDOW_UPDATE] = { ignore, true, true }, [CONTINUATION] = { on_continuation, true, false },
};

static int take_frame(struct call *c)
{
	int r = read_frame(c);

	if (r < 0)
		return r;
	if (!c->greeted && (c->f.type != SETTINGS || c->f.flags & ACK))
		return broken(c, "answer is not HTTP/2");
	if (c->in_block && c->f.type != CONTINUATION)
		return broken(c, "unexpected frame");
	if (c->f.type >= FRAME_TYPES)
		return 0;	/* of an extension */
	if (c->f.stream == STREAM ? !frames[c->f.type].on_stream :
	    c->f.stream || !frames[c->f.type].on_connection)
		return broken(c, "a frame of another stream");
	return frames[c->f.type].act(c);
}

/* ---- the call ---- */

static int send_all(struct call *c, const char *authority, const char *service)
{
	/* HEADER_TABLE_SIZE 0, ENABLE_PUSH 0 */
	static const char settings[12] = { 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0 };
	static const char method_and_scheme[] = "\x83\x86";	/* POST, http */
	BUF_AUTO out = { 0 };
	BUF_AUTO block = { 0 };
	BUF_AUTO body = { 0 };

	buf_puts(&block, method_and_scheme);
	hpack_literal(&block, 4, NULL, "/grpc.health.v1.Health/Check");
	hpack_literal(&block, 1, NULL, authority);
	hpack_literal(&block, 31, NULL, "application/grpc");
	hpack_literal(&block, 58, NULL, "kube-probe/orch");
	hpack_literal(&block, 0, "te", "trailers");
	grpc_health_request(service, &body);
	buf_puts(&out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	put_frame(&out, SETTINGS, 0, 0, settings, sizeof(settings));
	put_frame(&out, HEADERS, END_HEADERS, STREAM, block.data, block.len);
	put_frame(&out, DATA, END_STREAM, STREAM, body.data, body.len);
	return stream_send(c->fd, out.data, out.len, c->err);
}

static int judge(struct call *c)
{
	static const char *const names[] = { "UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN" };
	unsigned status;

	if (!streq(c->http_status, "200"))
		return err_set(c->err, -EPROTO, "error: health rpc probe failed: HTTP status %s",
			       c->http_status);
	if (strtol(c->status, NULL, 10) == UNIMPLEMENTED)
		return err_set(c->err, -EPROTO, "error: this server does not implement the grpc "
			       "health protocol (grpc.health.v1.Health): %s", c->words);
	if (!streq(c->status, "0"))
		return err_set(c->err, -EPROTO, "error: health rpc probe failed: code %s: %s",
			       *c->status ? c->status : "none", c->words);
	if (grpc_health_status(buf_str(&c->message), c->message.len, &status) < 0)
		return broken(c, "an answer that cannot be read");
	if (status == SERVING)
		return 0;
	return err_set(c->err, -EPROTO, "service unhealthy (responded with \"%s\")",
		       status < ARRAY_SIZE(names) ? names[status] : "?");
}

int grpc_health(int fd, const char *authority, const char *service, struct err *err)
{
	FREE_AUTO struct call *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->fd = fd;
	c->err = err;
	int r = send_all(c, authority, service);
	while (r == 0 && !c->over)
		r = take_frame(c);
	if (r == 0)
		r = judge(c);
	buf_release(&c->block);
	buf_release(&c->message);
	return r;
}
