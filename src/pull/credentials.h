/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who we are to a registry: auth.json, ~/.docker/config.json, and the Secrets of types
 * kubernetes.io/dockerconfigjson and dockercfg, all of one shape. Several may match; the more
 * specific key comes first, then the order of the texts.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/reference.h"

struct credential {
	const char *user, *password;
	const char *identity;		/* a refresh token (OAuth2) instead; NULL: none */
	const char *bearer;		/* the token itself; NULL: none */
	size_t weight;			/* length of the key that matched */
};
struct credentials { struct credential *v; uint32_t n; };

/* Adds those of text (JSON) that are for host and path. What is no such file adds nothing. */
void credentials_add(struct arena *a, const char *text, const struct reference *r,
		     struct credentials *io);
/* "Basic ...", for the header. */
const char *credential_basic(struct arena *a, const struct credential *c);
