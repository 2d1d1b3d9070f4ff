/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 addresses and prefixes. Parsing is strict: four decimal numbers without leading zeros,
 * which inet_aton would read as octal.
 */
#include "base/units.h"

#include <errno.h>

#include "base/macro.h"

/* Reads a number up to max without leading zeros; the rest of the string, or NULL. */
static const char *number(const char *s, unsigned max, unsigned *ret)
{
	unsigned v = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (unsigned)(*p - '0');
		if (v > max || (p > s && *s == '0'))
			return NULL;
	}
	*ret = v;
	return p > s ? p : NULL;
}

static const char *octets(const char *s, uint32_t *ret)
{
	uint32_t ip = 0;

	for (int i = 0; i < 4; i++) {
		unsigned v;
		if (i > 0 && *s++ != '.')
			return NULL;
		s = number(s, 255, &v);
		if (!s)
			return NULL;
		ip = ip << 8 | v;
	}
	*ret = ip;
	return s;
}

int ip4_parse(const char *s, uint32_t *ret)
{
	uint32_t ip;
	const char *end = octets(s, &ip);

	if (!end || *end)
		return -EINVAL;
	*ret = ip;
	return 0;
}

void ip4_format(uint32_t ip, char ret[16])
{
	snprintf(ret, 16, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

static uint32_t netmask(unsigned bits)
{
	return bits ? ~0U << (32 - bits) : 0;
}

int cidr4_parse(const char *s, struct cidr4 *ret)
{
	struct cidr4 c;
	const char *p = octets(s, &c.base);

	if (!p || *p != '/')
		return -EINVAL;
	p = number(p + 1, 32, &c.bits);
	if (!p || *p || c.base & ~netmask(c.bits))
		return -EINVAL;
	*ret = c;
	return 0;
}

bool cidr4_contains(struct cidr4 c, uint32_t ip)
{
	return (ip & netmask(c.bits)) == c.base;
}

/* 0.0.0.0/0 has one address more than fits. */
uint32_t cidr4_size(struct cidr4 c)
{
	return c.bits ? ~netmask(c.bits) + 1 : UINT32_MAX;
}
