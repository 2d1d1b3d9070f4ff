/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HTTP client; see client.h. Blocking: a command has nothing else to do. */
#include "cli/client.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "base/sock.h"

/* A connection with what was read beyond what was used. */
struct reader {
	int fd;
	size_t step; /* bytes read at a time: 1 where what follows belongs to somebody else */
	struct buf in;
	size_t used;
};

static int fill(struct reader *r)
{
	char chunk[16384];

	if (r->used == r->in.len) {
		buf_reset(&r->in);
		r->used = 0;
	}
	ssize_t n = read(r->fd, chunk, r->step ? r->step : sizeof(chunk));
	if (n < 0)
		return -errno;
	buf_add(&r->in, chunk, (size_t)n);
	return n > 0;
}

/* One line without its end, valid until the next read; NULL at the end of the stream. */
static char *line(struct reader *r)
{
	for (;;) {
		char *from = r->in.data ? r->in.data + r->used : NULL;
		char *nl = from ? memchr(from, '\n', r->in.len - r->used) : NULL;

		if (nl) {
			r->used = (size_t)(nl - r->in.data) + 1;
			*nl = '\0';
			if (nl > from && nl[-1] == '\r')
				nl[-1] = '\0';
			return from;
		}
		if (fill(r) <= 0)
			return NULL;
	}
}

struct head {
	int code;
	bool chunked;
	long long length;	/* -1: until the end */
};

static bool header(const char *l, const char *name, const char **ret_value)
{
	size_t n = strlen(name);

	if (strncasecmp(l, name, n) != 0 || l[n] != ':')
		return false;
	*ret_value = l + n + 1 + strspn(l + n + 1, " \t");
	return true;
}

static int read_head(struct reader *r, struct head *h, struct err *err)
{
	char *l = line(r);
	const char *v;

	h->length = -1;
	if (!l || sscanf(l, "HTTP/1.%*d %d", &h->code) != 1)
		return err_set(err, -EPROTO, "orchd closed the connection");
	while ((l = line(r)) && *l) {
		if (header(l, "Content-Length", &v))
			h->length = strtoll(v, NULL, 10);
		else if (header(l, "Transfer-Encoding", &v))
			h->chunked = strcasecmp(v, "chunked") == 0;
	}
	return l ? 0 : err_set(err, -EPROTO, "orchd closed the connection");
}

typedef bool (*sink)(void *data, const char *p, size_t n);

enum passed { PASSED, ENOUGH, CUT };

/* Hands on n bytes (-1: all). ENOUGH: the sink wants no more; CUT: they did not all come. */
static enum passed pass(struct reader *r, long long n, sink to, void *data)
{
	while (n != 0) {
		size_t have = r->in.len - r->used;

		if (!have && fill(r) <= 0)
			return n < 0 ? PASSED : CUT;
		have = r->in.len - r->used;
		if (n > 0 && have > (unsigned long long)n)
			have = (size_t)n;
		if (!to(data, r->in.data + r->used, have))
			return ENOUGH;
		r->used += have;
		if (n > 0)
			n -= (long long)have;
	}
	return PASSED;
}

static enum passed pass_chunks(struct reader *r, sink to, void *data)
{
	char *l;

	while ((l = line(r))) {
		char *end;
		long long n = strtoll(l, &end, 16);

		if (end == l || n < 0 || (*end && *end != ';'))
			return CUT;
		if (!n)
			return PASSED;
		enum passed p = pass(r, n, to, data);
		if (p != PASSED)
			return p;
		l = line(r);
		if (!l || *l)
			return CUT;
	}
	return CUT;
}

static int read_body(struct reader *r, const struct head *h, sink to, void *data, struct err *err)
{
	enum passed p = h->chunked ? pass_chunks(r, to, data) : pass(r, h->length, to, data);

	return p == CUT ? err_set(err, -EPROTO, "orchd closed the connection") : 0;
}

static bool collect(void *data, const char *p, size_t n)
{
	buf_add(data, p, n);
	return true;
}

static int open_request(const struct client *c, const char *method, const char *path,
			const char *extra, struct err *err)
{
	BUF_AUTO head = { 0 };
	struct err why = { 0 };
	int fd = sock_connect(c->socket, SOCK_STREAM, &why);

	if (fd < 0)
		return err_set(err, fd, "can't reach orchd: %s", why.msg);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	buf_printf(&head, "%s %s HTTP/1.1\r\nHost: orch\r\n%sContent-Length: 0\r\n\r\n", method,
		   path, extra);
	if (send(fd, head.data, head.len, MSG_NOSIGNAL) != (ssize_t)head.len) {
		int r = err_sys(err, -errno, "send to orchd");

		close(fd);
		return r;
	}
	return fd;
}

static int exchange(const struct client *c, const char *method, const char *path,
		    const char *accept, const char *header, sink to, void *data,
		    struct response *ret, struct err *err)
{
	BUF_AUTO extra = { 0 };
	struct head h = { 0 };

	buf_printf(&extra, "Accept: %s\r\nConnection: close\r\n%s%s",
		   accept ? accept : "application/json", header ? header : "",
		   header ? "\r\n" : "");
	struct reader r = { .fd = open_request(c, method, path, buf_str(&extra), err) };
	if (r.fd < 0)
		return r.fd;
	int code = read_head(&r, &h, err);
	ret->code = h.code;
	if (code == 0 && h.code < 300 && to)
		code = read_body(&r, &h, to, data, err);
	else if (code == 0)
		code = read_body(&r, &h, collect, &ret->body, err);
	close(r.fd);
	buf_release(&r.in);
	return code;
}

int client_request(const struct client *c, const char *method, const char *path, const char *accept,
		   struct response *ret, struct err *err)
{
	return exchange(c, method, path, accept, NULL, NULL, NULL, ret, err);
}

int client_stream(const struct client *c, const char *path, const char *accept, sink chunk,
		  void *data, struct response *ret, struct err *err)
{
	return exchange(c, "GET", path, accept, NULL, chunk, data, ret, err);
}

int client_send(const struct client *c, const char *method, const char *path, const char *header,
		sink chunk, void *data, struct response *ret, struct err *err)
{
	return exchange(c, method, path, NULL, header, chunk, data, ret, err);
}

int client_upgrade(const struct client *c, const char *path, const char *protocol,
		   struct response *ret, struct err *err)
{
	BUF_AUTO extra = { 0 };
	struct head h = { 0 };

	buf_printf(&extra, "Connection: Upgrade\r\nUpgrade: %s\r\n", protocol);
	struct reader r = { .fd = open_request(c, "POST", path, buf_str(&extra), err), .step = 1 };
	if (r.fd < 0)
		return r.fd;
	int code = read_head(&r, &h, err);
	ret->code = h.code;
	if (code == 0 && h.code != 101) {
		read_body(&r, &h, collect, &ret->body, NULL);
		code = err_set(err, -EPROTO, "orchd answered %d", h.code);
	}
	buf_release(&r.in);
	if (code == 0)
		return r.fd;
	close(r.fd);
	return code;
}

void response_release(struct response *r)
{
	buf_release(&r->body);
	r->code = 0;
}

void url_encode(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("-_.~", *text))
			buf_putc(out, *text);
		else
			buf_printf(out, "%%%02X", (unsigned char)*text);
	}
}
