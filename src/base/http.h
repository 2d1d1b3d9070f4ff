/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The little that probes need to know of an answer of HTTP/1. */
#pragma once

#define HTTP_STATUS_LINE 12	/* bytes of "HTTP/1.1 200" */

/* The status of "HTTP/1.1 200 OK...", 0 when it is not complete yet, -1 when it is something else. */
int http_status(const char *answer, unsigned long n);
