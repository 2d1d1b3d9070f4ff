/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one call of gRPC that probes make: grpc.health.v1.Health/Check over HTTP/2 without TLS, on a
 * connection of its own. The answer is taken apart strictly: what RFC 9113 forbids ends it.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* 0 when the service is SERVING, else why not, in kubelet's words. */
int grpc_health(int fd, const char *authority, const char *service, struct err *err);

/* The pure parts. A message of grpc.health.v1, with its prefix of five bytes: */
void grpc_health_request(const char *service, struct buf *out);
/* its status field; -EPROTO when it is no such message. */
int grpc_health_status(const void *message, size_t n, unsigned *ret);
