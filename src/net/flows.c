/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See flows.h. A flow of ours is translated, and goes to a service address or to a pod. */
#include "net/flows.h"

#include <netinet/in.h>

#include "base/macro.h"

static bool has_endpoint(const struct service_slots *s, uint32_t ip, uint16_t port)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->slots[i].ip == ip && s->slots[i].port == port)
			return true;
	return false;
}

static bool lost_endpoint(const struct service_slots *old, const struct service_slots *next)
{
	for (uint32_t i = 0; i < old->count; i++)
		if (!next || !has_endpoint(next, old->slots[i].ip, old->slots[i].port))
			return true;
	return false;
}

/* By service address, or (ip 0) by node port. */
static const struct service_slots *find_udp(const struct services *s, uint32_t ip, uint16_t port)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct service_slots *e = &s->v[i];

		if (e->proto != IPPROTO_UDP)
			continue;
		if (ip ? e->ip == ip && e->port == port : e->node_port == port)
			return e;
	}
	return NULL;
}

bool flows_stale(const struct services *old, const struct services *next)
{
	const struct services *s = old ? old : next;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct service_slots *e = &s->v[i];

		if (e->proto != IPPROTO_UDP)
			continue;
		if (!old || lost_endpoint(e, find_udp(next, e->ip, e->port)))
			return true;
	}
	return false;
}

bool flow_is_stale(const struct services *next, struct cidr4 pods, struct cidr4 vips,
		   const struct flow *f)
{
	bool vip = cidr4_contains(vips, f->dst);

	if (f->proto != IPPROTO_UDP || (f->dst == f->reply_src && f->dport == f->reply_sport) ||
	    (!vip && !cidr4_contains(pods, f->reply_src)))
		return false;

	const struct service_slots *s = find_udp(next, vip ? f->dst : 0, f->dport);

	return !s || !has_endpoint(s, f->reply_src, f->reply_sport);
}
