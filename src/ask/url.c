/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References of redirects; see url.h. */
#include "ask/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/macro.h"

void url_authority(const struct url *u, char ret[URL_AUTHORITY_MAX])
{
	bool six = strchr(u->host, ':');

	snprintf(ret, URL_AUTHORITY_MAX, "%s%s%s:%u", six ? "[" : "", u->host, six ? "]" : "", u->port);
}

/* Length of "https:", 0 when it does not begin with a scheme. */
static size_t scheme_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || (n && strchr("+-.", s[n]) && s[n]))
		n++;
	return n && isalpha((unsigned char)s[0]) && s[n] == ':' ? n + 1 : 0;
}

static int take_scheme(struct url *u, const char **s)
{
	size_t n = scheme_length(*s);

	if (!n)
		return 0;
	bool tls = n == 6 && strncasecmp(*s, "https:", 6) == 0;
	if (!tls && !(n == 5 && strncasecmp(*s, "http:", 5) == 0))
		return -EPROTONOSUPPORT;
	u->tls = tls;
	*s += n;
	return strncmp(*s, "//", 2) == 0 ? 0 : -EINVAL;
}

static int take_port(struct url *u, const char *s, size_t n)
{
	unsigned port = 0;

	u->port = u->tls ? 443 : 80;
	if (n < 2)
		return n && *s != ':' ? -EINVAL : 0;
	if (*s != ':' || n > 6)
		return -EINVAL;
	for (size_t i = 1; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return -EINVAL;
		port = port * 10 + (unsigned)(s[i] - '0');
	}
	if (port < 1 || port > 65535)
		return -EINVAL;
	u->port = (uint16_t)port;
	return 0;
}

/* "//host:port": what has a user in front of the host is refused, as it is made to deceive. */
static int take_authority(struct url *u, const char **s)
{
	const char *host = *s + 2;
	size_t all = strcspn(host, "/?"), n = strcspn(host, ":/?");
	bool six = *host == '[';

	if (six) {
		host++;
		all--;
		n = strcspn(host, "]/?");
		if (host[n] != ']')
			return -EINVAL;
	}
	if (!n || memchr(host, '@', all))
		return -EINVAL;
	if (n >= sizeof(u->host))
		return -E2BIG;
	memcpy(u->host, host, n);
	u->host[n] = '\0';
	*s = host + all;
	return take_port(u, host + n + six, all - n - six);
}

/* Spaces and what is not ASCII are written as %XX; control characters have no place here. */
static int put(char *to, size_t *n, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c == 0x7f)
			return -EINVAL;
		if (*n + 4 > URL_TARGET_MAX)
			return -E2BIG;
		if (c == ' ' || c >= 0x80)
			*n += (size_t)snprintf(to + *n, 4, "%%%02X", c);
		else
			to[(*n)++] = (char)c;
	}
	to[*n] = '\0';
	return 0;
}

/* Takes "." and ".." out of the path, whose query stays (RFC 3986, 5.2.4). */
static void remove_dots(char *target)
{
	char *out = target, *in = target;

	while (*in == '/') {
		size_t n = 1 + strcspn(in + 1, "/?");
		bool one = n == 2 && in[1] == '.';
		bool two = n == 3 && in[1] == '.' && in[2] == '.';

		while (two && out > target && *--out != '/')
			;
		if (!one && !two) {
			memmove(out, in, n);
			out += n;
		} else if (in[n] != '/') {
			*out++ = '/';
		}
		in += n;
	}
	memmove(out, in, strlen(in) + 1);
}

/* How much of the base's target stays in front of a reference without host. */
static size_t kept(const char *target, const char *s)
{
	size_t path = strcspn(target, "?");

	if (!*s)
		return strlen(target);
	if (*s == '?')
		return path;
	while (path && target[path - 1] != '/')
		path--;
	return *s == '/' ? 0 : path;
}

int url_resolve(const struct url *base, const char *location, struct url *ret)
{
	struct url u = *base;
	size_t n = 0, keep = 0;
	const char *s = location;
	int r = take_scheme(&u, &s);

	if (r < 0)
		return r;
	if (strncmp(s, "//", 2) == 0)
		r = take_authority(&u, &s);
	else
		keep = kept(base->target, s);
	size_t len = strcspn(s, "#");
	if (r == 0)
		r = put(u.target, &n, base->target, *s == '#' ? strlen(base->target) : keep);
	if (r == 0 && !n && *s != '/')
		r = put(u.target, &n, "/", 1);
	if (r == 0)
		r = put(u.target, &n, s, len);
	if (r < 0)
		return r;
	remove_dots(u.target);
	*ret = u;
	return 0;
}
