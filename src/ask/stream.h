/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection, plain or by TLS. Whoever answers is taken at its word: as with kubelet,
 * certificates are not looked at. Nothing here has a time limit: whoever asks is killed when its
 * time is over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "ask/url.h"
#include "base/err.h"

struct stream {
	int fd;
	void *tls;		/* NULL: plain */
};

/* A number instead of a name. */
bool stream_address(const char *host, struct sockaddr_storage *ret);
int stream_connect(struct sockaddr_storage *to, uint16_t port, int *ret, struct err *err);
/* All of it. Plain. */
int stream_send(int fd, const void *data, size_t n, struct err *err);

/* tls.c. What all connections have in common is dear, and made once; what those to the same place
 * have, too: a session that goes on costs half of a new one. */
#define TLS_SESSIONS 4

struct tls_client {
	void *context;		/* NULL until the first */
	struct tls_session {
		char authority[URL_AUTHORITY_MAX];	/* of whom */
		void *session;
	} sessions[TLS_SESSIONS];
	unsigned next;		/* that is given up for another */
};

/* Speaks TLS over the descriptor, of which it becomes the owner in any case. */
int tls_open(struct stream *s, struct tls_client *client, int fd, const struct url *to,
	     struct err *err);
/* The next session is a new one: true when it would not have been. */
bool tls_forget(struct tls_client *client, const struct url *to);
ssize_t tls_read(struct stream *s, void *data, size_t n, struct err *err);	/* 0: the end */
int tls_send(struct stream *s, const void *data, size_t n, struct err *err);
void tls_close(struct stream *s);
