/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET, and what an answer's head says; see http.h. */
#include "ask/http.h"

#include <stdio.h>
#include <strings.h>

#include "base/buf.h"
#include "base/http.h"
#include "base/macro.h"

#define HEAD_MAX (64 * 1024)
#define HOPS_MAX 10	/* requests */

struct exchange {
	const struct http_request *q;
	struct url url;
	const char *host;	/* the header that was asked for */
	struct stream stream;
	char head[HEAD_MAX];
	size_t n;
};

/* ---- the connection ---- */

static int connect_any(struct exchange *x, int *ret, struct err *err)
{
	int r = err_set(err, -EHOSTUNREACH, "no address");

	for (unsigned i = 0; r < 0 && i < x->q->naddresses; i++)
		r = stream_connect(&x->q->addresses[i], x->url.port, ret, err);
	return r;
}

static ssize_t receive(struct exchange *x, void *data, size_t n, struct err *err)
{
	if (x->stream.tls)
		return tls_read(&x->stream, data, n, err);
	ssize_t got = recv(x->stream.fd, data, n, 0);
	return got < 0 ? err_sys(err, -errno, "reading") : got;
}

static void hang_up(struct exchange *x)
{
	if (x->stream.tls)
		tls_close(&x->stream);
	if (x->stream.fd >= 0)
		close(x->stream.fd);
	x->stream = (struct stream){ .fd = -1 };
}

static int send_request(struct exchange *x, struct err *err)
{
	char authority[URL_AUTHORITY_MAX];
	BUF_AUTO text = { 0 };

	url_authority(&x->url, authority);
	buf_printf(&text, "GET %s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n",
		   x->url.target, x->host ? x->host : authority, x->q->headers);
	return x->stream.tls ? tls_send(&x->stream, text.data, text.len, err) :
			       stream_send(x->stream.fd, text.data, text.len, err);
}

static int request_once(struct exchange *x, struct err *err)
{
	int fd = -1;
	int r = connect_any(x, &fd, err);

	x->stream = (struct stream){ .fd = fd };
	if (r == 0 && x->url.tls)
		r = tls_open(&x->stream, x->q->tls, fd, &x->url, err);
	return r < 0 ? r : send_request(x, err);
}

/* A server that cannot go on with a session has not failed yet. */
static int request(struct exchange *x, struct err *err)
{
	int r = request_once(x, err);

	if (r == 0 || !x->url.tls || !tls_forget(x->q->tls, &x->url))
		return r;
	hang_up(x);
	return request_once(x, err);
}

/* ---- the answer ---- */

/* Length of the head with the empty line at its end; 0: there is more to come. */
static size_t head_length(const struct exchange *x)
{
	const char *end = x->head + x->n, *line = x->head, *next;

	while ((next = memchr(line, '\n', (size_t)(end - line)))) {
		bool empty = next == line || (next == line + 1 && *line == '\r');

		line = next + 1;
		if (empty)
			return (size_t)(line - x->head);
	}
	return 0;
}

static int read_head(struct exchange *x, size_t *ret, struct err *err)
{
	while (!(*ret = head_length(x))) {
		if (x->n == sizeof(x->head))
			return err_set(err, -E2BIG, "the head of the answer is too large");
		ssize_t n = receive(x, x->head + x->n, sizeof(x->head) - x->n, err);
		if (n <= 0)
			return n < 0 ? (int)n : err_set(err, -EPIPE, "connection closed");
		x->n += (size_t)n;
		if (http_status(x->head, x->n) < 0)
			return err_set(err, -EPROTO, "answer is not HTTP");
	}
	return 0;
}

/* Interim answers (1xx) have a head and nothing else. */
static int answer(struct exchange *x, struct err *err)
{
	int status = 0;

	x->n = 0;
	while (status < 200) {
		size_t head;
		int r = read_head(x, &head, err);

		if (r < 0)
			return r;
		status = http_status(x->head, head);
		if (status < 100)
			return err_set(err, -EPROTO, "answer is not HTTP");
		if (status >= 200) {
			x->head[head - 1] = '\0';
			break;
		}
		memmove(x->head, x->head + head, x->n - head);
		x->n -= head;
	}
	return status;
}

/* The value of a header, cut out of the head, which is over with that; NULL: there is none. */
static char *header(struct exchange *x, const char *name)
{
	size_t n = strlen(name);
	char *line = strchr(x->head, '\n');

	while (line && !(strncasecmp(line + 1, name, n) == 0 && line[1 + n] == ':'))
		line = strchr(line + 1, '\n');
	if (!line)
		return NULL;
	char *value = line + 1 + n + 1;
	value += strspn(value, " \t");
	value[strcspn(value, "\r\n")] = '\0';
	for (size_t len = strlen(value); len && strchr(" \t", value[len - 1]); len--)
		value[len - 1] = '\0';
	return value;
}

static bool leads_on(int status)
{
	static const int codes[] = { 301, 302, 303, 307, 308 };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (codes[i] == status)
			return true;
	}
	return false;
}

/* ---- from hop to hop ---- */

/* 1: asks again there. 0: the answer is the last one. */
static int follow(struct exchange *x, int status, const char **ret_location, struct err *err)
{
	char *location = leads_on(status) ? header(x, "Location") : NULL;
	struct url to;

	*ret_location = location;
	if (!location || !*location)
		return 0;
	int r = url_resolve(&x->url, location, &to);
	if (r == -EPROTONOSUPPORT)
		return err_set(err, r, "unsupported protocol scheme in \"%.100s\"", location);
	if (r < 0)
		return err_set(err, r, "failed to parse Location header \"%.100s\"", location);
	if (!streq(to.host, x->url.host))
		return 0;
	if (strstr(location, "//"))	/* with a host of its own: then Host is that */
		x->host = NULL;
	x->url = to;
	return 1;
}

static int verdict(const struct exchange *x, int status, const char *location, char warning[256],
		   struct err *err)
{
	*warning = '\0';
	if (x->q->any_status || (status >= 200 && status < 300))
		return 0;
	if (status < 200 || status >= 400)
		return err_set(err, -EPROTO, "HTTP probe failed with statuscode: %d", status);
	snprintf(warning, 256, "Probe terminated redirects%s%.200s", location ? ", Location: " : "",
		 location ? location : "");
	return 0;
}

static int hops(struct exchange *x, char warning[256], struct err *err)
{
	const char *location;

	for (unsigned hop = 0; hop < HOPS_MAX; hop++) {
		int r = hop || x->stream.fd < 0 ? request(x, err) : 0;
		int status = r < 0 ? r : answer(x, err);

		hang_up(x);
		if (status < 0)
			return status;
		r = follow(x, status, &location, err);
		if (r <= 0)
			return r < 0 ? r : verdict(x, status, location, warning, err);
	}
	return err_set(err, -ELOOP, "stopped after %d redirects", HOPS_MAX);
}

int http_ask(const struct http_request *q, char ret_warning[256], struct err *err)
{
	FREE_AUTO struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		abort();
	x->q = q;
	x->url = q->url;
	x->host = q->host;
	x->stream.fd = q->answered;
	return hops(x, ret_warning, err);
}
