/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seccomp profiles of the node: type Localhost, a file of the operator below STATE/seccomp. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* struct sock_filter[] appended to out, for a container with these capabilities (bits). Errors name
 * the file and what is wrong where in it. */
int localhost_profile(const char *state_dir, const char *name, uint64_t caps, struct buf *out,
		      struct err *err);
