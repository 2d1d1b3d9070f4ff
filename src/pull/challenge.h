/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a registry wants to see: the WWW-Authenticate header (RFC 9110, RFC 6750). */
#pragma once

#include "base/arena.h"

enum challenge_scheme { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_scheme scheme;
	const char *realm, *service, *scope;	/* "" when absent */
};

/* The first scheme of a header's value that is known; CHALLENGE_NONE when there is none. */
struct challenge challenge_parse(struct arena *a, const char *text);
