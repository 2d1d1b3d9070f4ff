/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection, plain or by TLS. Whoever answers is taken at its word: as with kubelet,
 * certificates are not looked at. Nothing here has a time limit: whoever asks is killed when its time is over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

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

/* tls.c: speaks TLS over the descriptor, of which it becomes the owner in any case. */
int tls_open(struct stream *s, int fd, const char *host, struct err *err);
ssize_t tls_read(struct stream *s, void *data, size_t n, struct err *err);	/* 0: the end */
int tls_send(struct stream *s, const void *data, size_t n, struct err *err);
void tls_close(struct stream *s);
