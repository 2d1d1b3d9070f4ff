/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of addresses and networks of both families. Networks may have host bits set, as in
 * Kubernetes: 10.0.0.1/8 means 10.0.0.0/8.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"

int ip_net_parse(const char *s, struct ip_net *ret)
{
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : 0;
	char address[INET6_ADDRSTRLEN];
	struct ip_net net = { 0 };

	if (!n || n >= sizeof(address))
		return -1;
	memcpy(address, s, n);
	address[n] = 0;
	net.six = strchr(address, ':');
	if (inet_pton(net.six ? AF_INET6 : AF_INET, address, net.address) != 1)
		return -1;
	size_t digits = strspn(slash + 1, "0123456789");
	if (!digits || digits > 3 || slash[1 + digits] || (digits > 1 && slash[1] == '0'))
		return -1;
	net.bits = (unsigned)strtoul(slash + 1, NULL, 10);
	if (net.bits > (net.six ? 128u : 32u))
		return -1;
	*ret = net;
	return 0;
}

bool ip_net_within(const struct ip_net *in, const struct ip_net *out)
{
	unsigned bytes = out->bits / 8, rest = out->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (in->six != out->six || in->bits < out->bits ||
	    memcmp(in->address, out->address, bytes) != 0)
		return false;
	return !rest || (in->address[bytes] & mask) == (out->address[bytes] & mask);
}

void check_network(struct check *c, const void *value)
{
	const char *text = *(const char *const *)value;
	struct ip_net net;

	if (ip_net_parse(text, &net) < 0)
		check_fail(c, "\"%.60s\" is no network like 10.0.0.0/8", text);
}

void check_optional_network(struct check *c, const void *value)
{
	if (**(const char *const *)value)
		check_network(c, value);
}

/* Addresses that lead nowhere from another host, with what they are. */
static const struct { const char *net, *what; } special[] = {
	{ "0.0.0.0/32", "unspecified" },    { "::/128", "unspecified" },
	{ "127.0.0.0/8", "loopback" },	    { "::1/128", "loopback" },
	{ "169.254.0.0/16", "link-local" }, { "fe80::/10", "link-local" },
	{ "224.0.0.0/4", "multicast" },	    { "ff00::/8", "multicast" },
};

static const char *special_kind(const char *text)
{
	struct ip_net host, net;
	char with_bits[INET6_ADDRSTRLEN + 8];

	snprintf(with_bits, sizeof(with_bits), "%.45s/%s", text, strchr(text, ':') ? "128" : "32");
	if (ip_net_parse(with_bits, &host) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		if (ip_net_parse(special[i].net, &net) == 0 && ip_net_within(&host, &net))
			return special[i].what;
	}
	return NULL;
}

/* An address that other hosts can use, too. */
bool check_global_ip(struct check *c, const char *child, const char *text)
{
	uint8_t address[16];
	const char *what = special_kind(text);

	if (inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, address) != 1)
		check_fail_at(c, child, "\"%.60s\" is no IP address", text);
	else if (what)
		check_fail_at(c, child, "%s is %s %s address", text,
			      *what == 'u' ? "the" : "a", what);
	else
		return true;
	return false;
}
