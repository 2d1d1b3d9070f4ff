/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unix sockets by path, and messages that carry descriptors (unix(7), SCM_RIGHTS). Paths longer
 * than sun_path are reached through /proc/self/fd of their directory.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define SOCK_FDS_MAX 4

/*
 * type is SOCK_STREAM or SOCK_SEQPACKET; both calls return a non-blocking descriptor. Listening
 * replaces a socket that nobody listens on, and nothing else.
 */
int sock_listen(const char *path, int type, mode_t mode, struct err *err);
int sock_connect(const char *path, int type, struct err *err);

/* One message with up to SOCK_FDS_MAX descriptors; bytes sent or -errno. Never raises SIGPIPE. */
ssize_t sock_send(int fd, const void *data, size_t n, const int *fds, unsigned nfds);
/*
 * Bytes received (0 at the end) or -errno; -EMSGSIZE for a message that does not fit, which is
 * lost. Descriptors arrive O_CLOEXEC, those without room are closed; *nfds: in room, out count.
 */
ssize_t sock_recv(int fd, void *data, size_t n, int *fds, unsigned *nfds);

int sock_peer(int fd, pid_t *ret_pid, uid_t *ret_uid, gid_t *ret_gid);	/* SO_PEERCRED */
