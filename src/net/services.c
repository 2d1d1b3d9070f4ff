/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands are collected in four phases that go into one transaction in this order: new maps and
 * chains, elements that go, elements that come, maps and chains nobody uses. An element that
 * changes goes and comes, which the kernel takes as a replacement: no packet sees it missing.
 * Elements are collected per map, as one command for thousands is much faster to parse.
 */
#include "net/services.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"

/* ---- what is wanted ---- */

static int slots_compare(const struct service_slots *a, const struct service_slots *b)
{
	if (a->ip != b->ip)
		return a->ip < b->ip ? -1 : 1;
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	return (int)a->port - (int)b->port;
}

static int endpoint_compare(const void *pa, const void *pb)
{
	const struct endpoint *a = pa, *b = pb;

	if (a->ip != b->ip)
		return a->ip < b->ip ? -1 : 1;
	return (int)a->port - (int)b->port;
}

static bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->ip == b->ip && a->port == b->port;
}

/* Endpoints that stay keep their index when it still exists; the others fill the gaps. */
static struct endpoint *slots_assign(struct arena *a, const struct service_slots *old,
				     const struct endpoint *v, uint32_t n)
{
	struct endpoint *slots = arena_array(a, struct endpoint, n + 1);
	bool *kept = arena_array(a, bool, n + 1), *taken = arena_array(a, bool, n + 1);
	uint32_t at = 0;

	for (uint32_t i = 0; old && i < old->count && i < n; i++) {
		const struct endpoint *e = bsearch(&old->slots[i], v, n, sizeof(*v),
						   endpoint_compare);

		if (!e || kept[e - v])
			continue;
		kept[e - v] = taken[i] = true;
		slots[i] = *e;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (kept[i])
			continue;
		while (taken[at])
			at++;
		slots[at++] = v[i];
	}
	return slots;
}

static int addr_compare(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return a < b ? -1 : a > b;
}

static void addrs_collect(struct services *s)
{
	uint32_t total = 0, n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		total += s->v[i].count;
	s->addrs = arena_array(&s->arena, uint32_t, total + 1);
	for (uint32_t i = 0; i < s->n; i++)
		for (uint32_t k = 0; k < s->v[i].count; k++)
			s->addrs[n++] = s->v[i].slots[k].ip;
	qsort(s->addrs, n, sizeof(s->addrs[0]), addr_compare);
	for (uint32_t i = 0; i < n; i++)
		if (s->naddrs == 0 || s->addrs[s->naddrs - 1] != s->addrs[i])
			s->addrs[s->naddrs++] = s->addrs[i];
}

/* Two services with one node port would make the kernel refuse the whole transaction, so the
 * first one has it. A bit per protocol for each port. */
static uint16_t node_port_claim(uint8_t *claimed, const struct service_entry *e)
{
	uint8_t bit = e->proto == IPPROTO_UDP ? 1 : e->proto == IPPROTO_SCTP ? 2 : 4;

	if (claimed[e->node_port] & bit)
		return 0;
	if (e->node_port)
		claimed[e->node_port] |= bit;
	return e->node_port;
}

void services_next(const struct services *old, const struct service_entry *v, uint32_t count,
		   struct services *ret)
{
	struct arena tmp = { 0 };
	uint8_t *claimed = arena_alloc(&tmp, UINT16_MAX + 1);
	uint32_t at = 0;

	*ret = (struct services){ 0 };
	ret->v = arena_array(&ret->arena, struct service_slots, count + 1);
	for (uint32_t i = 0; i < count; i++) {
		struct service_slots *s = &ret->v[ret->n];
		const struct service_slots *before = NULL;

		*s = (struct service_slots){
			.ip = v[i].ip, .port = v[i].port, .proto = v[i].proto,
			.count = v[i].count,
			.sticky = v[i].affinity_s && v[i].count > 1,
		};
		if (ret->n && slots_compare(s - 1, s) == 0)
			continue;
		while (at < old->n && slots_compare(&old->v[at], s) < 0)
			at++;
		if (at < old->n && slots_compare(&old->v[at], s) == 0)
			before = &old->v[at];
		s->node_port = node_port_claim(claimed, &v[i]);
		s->slots = slots_assign(&ret->arena, before, v[i].endpoints, v[i].count);
		ret->n++;
	}
	addrs_collect(ret);
	arena_release(&tmp);
}

void services_release(struct services *s)
{
	arena_release(&s->arena);
	*s = (struct services){ 0 };
}

/* ---- names of maps and chains ---- */

enum kind { VIP, NODE, KINDS };

static const struct {
	const char *name, *key, *match;
} kinds[KINDS] = {
	{ "vip", "inet_proto . ipv4_addr . inet_service", "meta l4proto . ip daddr . th dport" },
	{ "node", "inet_proto . inet_service", "meta l4proto . th dport" },
};

/* Maps and sets of elements: four fixed ones, then vip_ep_0, node_ep_0, vip_ep_1... */
enum { MAP_VIP, MAP_NODE, MAP_HAIRPIN, MAP_REFUSED, MAP_EP };

static const char *const fixed_maps[MAP_EP] = { "vip", "node", "hairpin", "refused" };

static const char *proto_name(uint8_t proto)
{
	return proto == IPPROTO_UDP ? "udp" : proto == IPPROTO_SCTP ? "sctp" : "tcp";
}

struct element_list {
	struct buf gone, come;
};

/* Which numbers of endpoints are in use, before and after. */
struct usage {
	bool (*v)[KINDS][2];	/* [count][kind][sticky] */
	uint32_t most[KINDS];	/* so many pick chains and maps */
};

struct diff {
	const char *table;
	struct element_list *maps;
	uint32_t nmaps, max;		/* max: most endpoints of any service, before or after */
	struct usage old, next;
};

/* ---- elements ---- */

static struct buf *element(struct diff *d, uint32_t map, bool come)
{
	struct buf *b = come ? &d->maps[map].come : &d->maps[map].gone;

	if (b->len)
		buf_puts(b, ", ");
	return b;
}

static void put_addr(struct buf *b, uint32_t ip)
{
	char text[16];

	ip4_format(ip, text);
	buf_puts(b, text);
}

static void put_key(struct buf *b, enum kind k, const struct service_slots *s)
{
	buf_printf(b, "%s . ", proto_name(s->proto));
	if (k == VIP) {
		put_addr(b, s->ip);
		buf_puts(b, " . ");
	}
	buf_printf(b, "%u", k == VIP ? s->port : s->node_port);
}

static bool has_kind(const struct service_slots *s, enum kind k)
{
	return s && s->count && (k == VIP || s->node_port);
}

static void put_service(struct diff *d, enum kind k, const struct service_slots *s, bool come)
{
	struct buf *b = element(d, k == VIP ? MAP_VIP : MAP_NODE, come);

	put_key(b, k, s);
	if (come)
		buf_printf(b, " : goto %s_%u%s", kinds[k].name, s->count,
			   s->sticky ? "_sticky" : "");
}

static void put_endpoint(struct diff *d, enum kind k, const struct service_slots *s, uint32_t i,
			 bool come)
{
	struct buf *b = element(d, MAP_EP + i * KINDS + k, come);

	put_key(b, k, s);
	if (!come)
		return;
	buf_puts(b, " : ");
	put_addr(b, s->slots[i].ip);
	buf_printf(b, " . %u", s->slots[i].port);
}

static void diff_endpoints(struct diff *d, enum kind k, const struct service_slots *old,
			   const struct service_slots *next)
{
	uint32_t a = old ? old->count : 0, b = next ? next->count : 0;

	for (uint32_t i = 0; i < MAX(a, b); i++) {
		if (i < a && i < b && endpoint_equal(&old->slots[i], &next->slots[i]))
			continue;
		if (i < a)
			put_endpoint(d, k, old, i, false);
		if (i < b)
			put_endpoint(d, k, next, i, true);
	}
}

static void put_refused(struct diff *d, const struct service_slots *s, bool come)
{
	put_key(element(d, MAP_REFUSED, come), NODE, s);
}

static bool is_refused(const struct service_slots *s)
{
	return s && s->node_port && s->count == 0;
}

/* One service before and after; a key that changed (the node port) counts as two services. */
static void diff_kind(struct diff *d, enum kind k, const struct service_slots *old,
		      const struct service_slots *next)
{
	old = has_kind(old, k) ? old : NULL;
	next = has_kind(next, k) ? next : NULL;
	if (k == NODE && old && next && old->node_port != next->node_port) {
		diff_kind(d, k, old, NULL);
		old = NULL;
	}
	diff_endpoints(d, k, old, next);
	if (old && next && old->count == next->count && old->sticky == next->sticky)
		return;
	if (old)
		put_service(d, k, old, false);
	if (next)
		put_service(d, k, next, true);
}

static void diff_service(struct diff *d, const struct service_slots *old,
			 const struct service_slots *next)
{
	bool was = is_refused(old), is = is_refused(next);

	diff_kind(d, VIP, old, next);
	diff_kind(d, NODE, old, next);
	if (was && is && old->node_port == next->node_port)
		return;
	if (was)
		put_refused(d, old, false);
	if (is)
		put_refused(d, next, true);
}

static void diff_services(struct diff *d, const struct services *old, const struct services *next)
{
	for (uint32_t i = 0, k = 0; i < old->n || k < next->n;) {
		int c = i == old->n ? 1 : k == next->n ? -1 : slots_compare(&old->v[i], &next->v[k]);

		diff_service(d, c <= 0 ? &old->v[i] : NULL, c >= 0 ? &next->v[k] : NULL);
		i += c <= 0;
		k += c >= 0;
	}
}

static void put_hairpin(struct diff *d, uint32_t ip, bool come)
{
	struct buf *b = element(d, MAP_HAIRPIN, come);

	put_addr(b, ip);
	buf_puts(b, " . ");
	put_addr(b, ip);
}

static void diff_hairpin(struct diff *d, const struct services *old, const struct services *next)
{
	for (uint32_t i = 0, k = 0; i < old->naddrs || k < next->naddrs;) {
		int c = i == old->naddrs ? 1 : k == next->naddrs ? -1 :
			addr_compare(&old->addrs[i], &next->addrs[k]);

		if (c)
			put_hairpin(d, c < 0 ? old->addrs[i] : next->addrs[k], c > 0);
		i += c <= 0;
		k += c >= 0;
	}
}

/* ---- maps and chains ---- */

static uint32_t most_endpoints(const struct services *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		n = MAX(n, s->v[i].count);
	return n;
}

static void usage_collect(struct usage *u, struct arena *a, uint32_t max, const struct services *s)
{
	u->v = arena_alloc(a, sizeof(u->v[0]) * (max + 1));
	for (uint32_t i = 0; i < s->n; i++) {
		const struct service_slots *e = &s->v[i];

		for (enum kind k = 0; k < KINDS; k++) {
			if (!has_kind(e, k))
				continue;
			u->v[e->count][k][e->sticky] = true;
			u->most[k] = MAX(u->most[k], e->count);
		}
	}
}

static void put_pick(struct buf *out, const struct diff *d, enum kind k, uint32_t i)
{
	const char *t = d->table, *n = kinds[k].name;

	buf_printf(out, "add map ip %s %s_ep_%u { type %s : ipv4_addr . inet_service; }\n", t, n, i,
		   kinds[k].key);
	buf_printf(out, "add chain ip %s %s_pick_%u\n", t, n, i);
	buf_printf(out, "add rule ip %s %s_pick_%u meta l4proto { tcp, udp, sctp } "
		   "dnat ip to %s map @%s_ep_%u\n", t, n, i, kinds[k].match, n, i);
}

static void put_draw(struct buf *out, const struct diff *d, enum kind k, uint32_t count, bool sticky)
{
	const char *t = d->table, *n = kinds[k].name, *suffix = sticky ? "_sticky" : "";

	buf_printf(out, "add chain ip %s %s_%u%s\n", t, n, count, suffix);
	buf_printf(out, "add rule ip %s %s_%u%s ", t, n, count, suffix);
	if (count == 1) {
		buf_printf(out, "goto %s_pick_0\n", n);
		return;
	}
	buf_printf(out, "%s mod %u vmap { ", sticky ? "jhash ip saddr" : "numgen random", count);
	for (uint32_t i = 0; i < count; i++)
		buf_printf(out, "%s%u : goto %s_pick_%u", i ? ", " : "", i, n, i);
	buf_puts(out, " }\n");
}

static void chains_come(struct buf *out, const struct diff *d, enum kind k)
{
	for (uint32_t i = d->old.most[k]; i < d->next.most[k]; i++)
		put_pick(out, d, k, i);
	for (uint32_t n = 1; n <= d->max; n++)
		for (int sticky = 0; sticky < 2; sticky++)
			if (d->next.v[n][k][sticky] && !d->old.v[n][k][sticky])
				put_draw(out, d, k, n, sticky);
}

static void put_chain_gone(struct buf *out, const char *table, const char *name)
{
	buf_printf(out, "flush chain ip %s %s\ndelete chain ip %s %s\n", table, name, table, name);
}

static void chains_go(struct buf *out, const struct diff *d, enum kind k)
{
	char name[64];

	for (uint32_t n = 1; n <= d->max; n++) {
		for (int sticky = 0; sticky < 2; sticky++) {
			if (d->next.v[n][k][sticky] || !d->old.v[n][k][sticky])
				continue;
			snprintf(name, sizeof(name), "%s_%u%s", kinds[k].name, n,
				 sticky ? "_sticky" : "");
			put_chain_gone(out, d->table, name);
		}
	}
	for (uint32_t i = d->next.most[k]; i < d->old.most[k]; i++) {
		snprintf(name, sizeof(name), "%s_pick_%u", kinds[k].name, i);
		put_chain_gone(out, d->table, name);
		buf_printf(out, "delete map ip %s %s_ep_%u\n", d->table, kinds[k].name, i);
	}
}

static void put_elements(struct buf *out, const struct diff *d, bool come)
{
	for (uint32_t i = 0; i < d->nmaps; i++) {
		const struct buf *b = come ? &d->maps[i].come : &d->maps[i].gone;

		if (!b->len)
			continue;
		buf_printf(out, "%s element ip %s ", come ? "add" : "delete", d->table);
		if (i < MAP_EP)
			buf_puts(out, fixed_maps[i]);
		else
			buf_printf(out, "%s_ep_%u", kinds[(i - MAP_EP) % KINDS].name,
				   (i - MAP_EP) / KINDS);
		buf_puts(out, " { ");
		buf_add(out, b->data, b->len);
		buf_puts(out, " }\n");
	}
}

static void diff_release(struct diff *d)
{
	for (uint32_t i = 0; i < d->nmaps; i++) {
		buf_release(&d->maps[i].gone);
		buf_release(&d->maps[i].come);
	}
}

void services_diff(struct buf *out, const char *table, const struct services *old,
		   const struct services *next)
{
	struct arena tmp = { 0 };
	struct diff d = { .table = table };
	uint32_t a = most_endpoints(old), b = most_endpoints(next);

	d.max = MAX(a, b);
	d.nmaps = MAP_EP + d.max * KINDS;
	d.maps = arena_array(&tmp, struct element_list, d.nmaps);
	usage_collect(&d.old, &tmp, d.max, old);
	usage_collect(&d.next, &tmp, d.max, next);
	diff_services(&d, old, next);
	diff_hairpin(&d, old, next);

	for (enum kind k = 0; k < KINDS; k++)
		chains_come(out, &d, k);
	put_elements(out, &d, false);
	put_elements(out, &d, true);
	for (enum kind k = 0; k < KINDS; k++)
		chains_go(out, &d, k);
	diff_release(&d);
	arena_release(&tmp);
}

/* ---- the table ---- */

/* $T table, $P pods, $V services, $N node. Translation happens before routing, so whatever still
 * has a service address in forward or output has no endpoints: refused instead of timing out.
 * 127/8 is left out of node ports as it would take route_localnet. A pod that reaches itself by
 * its service would drop the answers it sends to itself, hence the node's address as source. */
static const char table_text[] =
	"add table ip $T\n"
	"delete table ip $T\n"
	"table ip $T {\n"
	"	map vip { type inet_proto . ipv4_addr . inet_service : verdict; }\n"
	"	map node { type inet_proto . inet_service : verdict; }\n"
	"	set hairpin { type ipv4_addr . ipv4_addr; }\n"
	"	set refused { type inet_proto . inet_service; }\n"
	"	chain services {\n"
	"		ip daddr $V meta l4proto . ip daddr . th dport vmap @vip\n"
	"		fib daddr type local ip daddr != 127.0.0.0/8 "
	"meta l4proto . th dport vmap @node\n"
	"	}\n"
	"	chain refuse {\n"
	"		meta l4proto tcp reject with tcp reset\n"
	"		reject\n"
	"	}\n"
	"	chain prerouting {\n"
	"		type nat hook prerouting priority -100;\n"
	"		jump services\n"
	"	}\n"
	"	chain output {\n"
	"		type nat hook output priority -100;\n"
	"		jump services\n"
	"	}\n"
	"	chain postrouting {\n"
	"		type nat hook postrouting priority 100;\n"
	"		ip saddr . ip daddr @hairpin snat to $N\n"
	"		ip saddr $P ip daddr != $P ip daddr != $V masquerade\n"
	"	}\n"
	"	chain filter_input {\n"
	"		type filter hook input priority 0;\n"
	"		fib daddr type local ip daddr != 127.0.0.0/8 "
	"meta l4proto . th dport @refused goto refuse\n"
	"	}\n"
	"	chain filter_forward {\n"
	"		type filter hook forward priority 0;\n"
	"		ip daddr $V goto refuse\n"
	"	}\n"
	"	chain filter_output {\n"
	"		type filter hook output priority 0;\n"
	"		ip daddr $V goto refuse\n"
	"	}\n"
	"}\n";

static void put_cidr(struct buf *b, struct cidr4 c)
{
	put_addr(b, c.base);
	buf_printf(b, "/%u", c.bits);
}

void services_table(struct buf *out, const char *table, struct cidr4 pods, struct cidr4 vips,
		    uint32_t node_ip)
{
	for (const char *p = table_text; *p; p++) {
		size_t n = strcspn(p, "$");

		buf_add(out, p, n);
		p += n;
		if (!*p)
			break;
		switch (*++p) {
		case 'T': buf_puts(out, table); break;
		case 'P': put_cidr(out, pods); break;
		case 'V': put_cidr(out, vips); break;
		case 'N': put_addr(out, node_ip); break;
		}
	}
}
