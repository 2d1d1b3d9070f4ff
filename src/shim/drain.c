/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting inbound connections; see drain.h. */
#include "shim/drain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>

#include "base/macro.h"
#include "shim/text.h"

#define CHUNK 4096
#define LINE 512	/* longer than any; a read stops short of so much only at the end */

/* IPv4 addresses are kept as the IPv6 ones they are mapped to. */
struct endpoint {
	uint32_t addr[4];	/* network byte order */
	uint16_t port;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static const char *parse_hex(const char *s, unsigned digits, uint32_t *ret)
{
	*ret = 0;
	for (unsigned i = 0; s && i < digits; i++, s++) {
		int d = hex_digit(*s);
		if (d < 0)
			return NULL;
		*ret = *ret << 4 | (uint32_t)d;
	}
	return s;
}

/* "0100007F:1F90": each 32-bit word of the address as the machine reads it. */
static const char *parse_endpoint(const char *s, struct endpoint *e)
{
	size_t digits = strspn(s, "0123456789ABCDEF");
	uint32_t port;

	*e = (struct endpoint){ .addr[2] = htonl(0xffff) };
	if ((digits != 8 && digits != 32) || s[digits] != ':')
		return NULL;
	for (unsigned i = digits == 8 ? 3 : 0; s && i < 4; i++)
		s = parse_hex(s, 8, &e->addr[i]);
	s = s ? parse_hex(s + 1, 4, &port) : NULL;
	e->port = s ? (uint16_t)port : 0;
	return s;
}

static const char *skip_spaces(const char *s)
{
	while (s && *s == ' ')
		s++;
	return s;
}

static bool is_mapped(const struct endpoint *e)
{
	return !e->addr[0] && !e->addr[1] && e->addr[2] == htonl(0xffff);
}

static bool is_loopback(const struct endpoint *e)
{
	if (is_mapped(e))
		return ntohl(e->addr[3]) >> 24 == 127;
	return !e->addr[0] && !e->addr[1] && !e->addr[2] && e->addr[3] == htonl(1);
}

void drain_line(struct drain_scan *d, const char *line)
{
	struct endpoint local, remote;
	uint32_t state;
	const char *s = strchr(line, ':');

	s = s ? parse_endpoint(skip_spaces(s + 1), &local) : NULL;
	s = s ? parse_endpoint(skip_spaces(s), &remote) : NULL;
	s = s ? parse_hex(skip_spaces(s), 2, &state) : NULL;
	if (!s)
		return;
	uint32_t *word = &d->listening[local.port / 32], bit = 1U << local.port % 32;
	if (state == TCP_LISTEN)
		*word |= bit;
	else if (state == TCP_ESTABLISHED && *word & bit && !is_loopback(&remote) &&
		 memcmp(local.addr, remote.addr, sizeof(local.addr)) != 0)
		d->inbound++;
}

/* Feeds the whole lines of text and moves the rest to its start; how much that is. */
static size_t feed(struct drain_scan *d, char *text, size_t n)
{
	char *line = text, *end;

	while ((end = memchr(line, '\n', n - (size_t)(line - text)))) {
		*end = '\0';
		drain_line(d, line);
		line = end + 1;
	}
	n -= (size_t)(line - text);
	memmove(text, line, n);
	return n;
}

static void scan_file(struct drain_scan *d, const char *path)
{
	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[CHUNK];
	size_t have = 0;

	while (fd >= 0 && have < sizeof(text)) {
		size_t room = sizeof(text) - have;
		ssize_t n = read(fd, text + have, room);
		if (n <= 0)
			return;
		have = feed(d, text, have + (size_t)n);
		if ((size_t)n + LINE < room)
			return;
	}
}

bool drain_in_use(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) == 0)
			return text_parse(line + n, NULL) > 0;
	}
	return true;
}

/* The table behind /proc/net/tcp is the whole machine's, whoever reads it, and walking through it
 * takes milliseconds; the counters of a network namespace are its own. */
static bool in_use(const char *path, const char *key)
{
	char text[512];
	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[MAX(n, 0)] = '\0';
	return drain_in_use(text, key);
}

unsigned drain_inbound(void)
{
	struct drain_scan d = { 0 };

	if (in_use("/proc/self/net/sockstat", "TCP: inuse "))
		scan_file(&d, "/proc/self/net/tcp");
	if (in_use("/proc/self/net/sockstat6", "TCP6: inuse "))
		scan_file(&d, "/proc/self/net/tcp6");
	return d.inbound;
}
