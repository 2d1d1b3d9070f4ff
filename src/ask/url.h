/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a request goes, and where a redirect leads to from there (RFC 3986, 5.2). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define URL_HOST_MAX 256
#define URL_TARGET_MAX 2048

struct url {
	bool tls;
	uint16_t port;
	char host[URL_HOST_MAX];	/* a name or an address, without brackets */
	char target[URL_TARGET_MAX];	/* path and query */
};

/*
 * The value of a Location as seen from base. -EINVAL when it is no reference, -EPROTONOSUPPORT for
 * another scheme than http and https, -E2BIG when it is longer than fits.
 */
int url_resolve(const struct url *base, const char *location, struct url *ret);

/* HOST:PORT, IPv6 in brackets. */
#define URL_AUTHORITY_MAX (URL_HOST_MAX + 10)
void url_authority(const struct url *u, char ret[URL_AUTHORITY_MAX]);
