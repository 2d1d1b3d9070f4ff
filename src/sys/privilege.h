/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities (capabilities(7)) and the default seccomp filter (seccomp(2)) of containers. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* The set that container runtimes grant by default, as bits 1 << CAP_x. */
uint64_t cap_default_set(void);
/* "NET_ADMIN", "CAP_NET_ADMIN", "ALL"; -EINVAL for what libcap does not know. */
int cap_parse(const char *name, uint64_t *ret_bits);
const char *cap_name(struct arena *a, unsigned cap);	/* "CAP_NET_ADMIN" */
uint64_t cap_permitted(void);	/* what this process has to give */

/* RuntimeDefault: struct sock_filter[] appended to out. What it refuses fails with EPERM, unknown
 * calls with ENOSYS. caps widens it as runtimes do (CAP_SYS_ADMIN allows mount...). */
int seccomp_default(uint64_t caps, struct buf *out, struct err *err);
