/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Established inbound TCP connections of the pod: those to a port that somebody in the pod listens
 * on, from another address than the pod's own. Read from /proc/net/tcp and tcp6 (proc_net_tcp in
 * the kernel's documentation), where listeners come first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drain_scan {
	uint32_t listening[65536 / 32];
	unsigned inbound;
};

/* One line of the file, NUL-terminated; a heading or garbage counts for nothing. */
void drain_line(struct drain_scan *d, const char *line);
/* Whether the text of /proc/net/sockstat has more than none of key, "TCP: inuse "; true when it says
 * nothing of it. */
bool drain_in_use(const char *text, const char *key);
/* How many there are in the caller's network namespace. */
unsigned drain_inbound(void);
