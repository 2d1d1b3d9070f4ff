/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The API of orchd over its unix socket: one HTTP/1.1 request a connection (RFC 9112), body by
 * Content-Length or chunked.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct client {
	const char *socket;
};

struct response {
	int code;
	struct buf body;
};

/* Reads the whole answer. -ECONNREFUSED, -ENOENT...: the daemon can't be reached. */
int client_request(const struct client *c, const char *method, const char *path, const char *accept,
		   struct response *ret, struct err *err);
/* Hands on the body as it comes, to a callback that returns false to stop; a failure's body is
 * collected in ret instead. */
int client_stream(const struct client *c, const char *path, const char *accept,
		  bool (*chunk)(void *data, const char *p, size_t n), void *data,
		  struct response *ret, struct err *err);
/* The same with a method and a further line of the head ("Name: value", NULL: none). */
int client_send(const struct client *c, const char *method, const char *path, const char *header,
		bool (*chunk)(void *data, const char *p, size_t n), void *data,
		struct response *ret, struct err *err);
/* Asks for another protocol; the connection after the 101 answer, or -errno with the message. */
int client_upgrade(const struct client *c, const char *path, const char *protocol,
		   struct response *ret, struct err *err);
void response_release(struct response *r);

/* Appends text percent-encoded for a query. */
void url_encode(struct buf *out, const char *text);
