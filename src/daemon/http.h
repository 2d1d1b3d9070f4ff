/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The API server on the unix socket: HTTP/1.1 by libmicrohttpd, driven by our loop through its
 * epoll descriptor. Root and members of group orch may talk to it (SO_PEERCRED); others get 403.
 */
#pragma once

#include "daemon/daemon.h"

int http_new(struct daemon *d, const char *socket_path, struct http **ret, struct err *err);
void http_free(struct http *h);
/* Something in the view changed: wakes the watches that wait for it. */
void http_notify(struct http *h);
