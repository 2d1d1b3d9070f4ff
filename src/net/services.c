/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both sides, old and next, are put into order by key for each kind (service addresses, node
 * ports) and walked once together. Elements are collected per phase and map, as one command for
 * thousands is much faster to parse.
 */
#include "net/services.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"

/* ---- protocols ---- */

static const struct {
	uint8_t number;
	const char *name;
} protos[] = {
	{ IPPROTO_TCP, "tcp" }, { IPPROTO_UDP, "udp" }, { IPPROTO_SCTP, "sctp" },
};

static size_t proto_index(uint8_t proto)
{
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		if (protos[i].number == proto)
			return i;
	return 0;
}

static const char *proto_name(uint8_t proto)
{
	return protos[proto_index(proto)].name;
}

static uint8_t proto_bit(uint8_t proto)
{
	return (uint8_t)(1U << proto_index(proto));
}

/* ---- what is wanted ---- */

static int slots_compare(const struct service_slots *a, const struct service_slots *b)
{
	if (a->ip != b->ip)
		return a->ip < b->ip ? -1 : 1;
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	return (int)a->port - (int)b->port;
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
						   endpoint_cmp);

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
	uint8_t bit = proto_bit(e->proto);

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

/* What one transaction does to one map; an element in both lists is replaced. */
struct element_list {
	struct buf gone, come;
};

/* The services of one kind that have endpoints, sorted by the kind's key. */
struct sorted {
	const struct service_slots **v;
	uint32_t n;
	bool (*used)[2];	/* [number of endpoints][sticky] */
	uint32_t most;		/* endpoints: so many pick chains and maps */
};

struct diff {
	const char *table;
	uint32_t nmaps, max;	/* max: most endpoints of any service, before or after */
	struct element_list *maps[SERVICES_PHASES];
	struct sorted old[KINDS], next[KINDS];
};

/* ---- elements ---- */

static struct buf *element(struct diff *d, enum services_phase phase, uint32_t map, bool come)
{
	struct element_list *l = &d->maps[phase][map];
	struct buf *b = come ? &l->come : &l->gone;

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

static void put_service(struct diff *d, enum kind k, const struct service_slots *s, bool come)
{
	struct buf *b = element(d, SERVICES_SWITCH, k == VIP ? MAP_VIP : MAP_NODE, come);

	put_key(b, k, s);
	if (come)
		buf_printf(b, " : goto %s_%u%s", kinds[k].name, s->count,
			   s->sticky ? "_sticky" : "");
}

static void put_endpoint(struct diff *d, enum services_phase phase, enum kind k,
			 const struct service_slots *s, uint32_t i, bool come)
{
	struct buf *b = element(d, phase, MAP_EP + i * KINDS + k, come);

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
	uint32_t a = old ? old->count : 0, b = next ? next->count : 0, both = MIN(a, b);

	for (uint32_t i = 0; i < both; i++) {
		if (endpoint_cmp(&old->slots[i], &next->slots[i]) == 0)
			continue;
		put_endpoint(d, SERVICES_SWITCH, k, old, i, false);
		put_endpoint(d, SERVICES_SWITCH, k, next, i, true);
	}
	for (uint32_t i = both; i < b; i++)
		put_endpoint(d, SERVICES_MAKE, k, next, i, true);
	for (uint32_t i = both; i < a; i++)
		put_endpoint(d, SERVICES_CLEAN, k, old, i, false);
}

/* One service before and after; one of them may be NULL. */
static void diff_service(struct diff *d, enum kind k, const struct service_slots *old,
			 const struct service_slots *next)
{
	diff_endpoints(d, k, old, next);
	if (old && next && old->count == next->count && old->sticky == next->sticky)
		return;
	if (old)
		put_service(d, k, old, false);
	if (next)
		put_service(d, k, next, true);
}

static int vip_compare(const void *pa, const void *pb)
{
	return slots_compare(*(const struct service_slots *const *)pa,
			     *(const struct service_slots *const *)pb);
}

static int node_compare(const void *pa, const void *pb)
{
	const struct service_slots *a = *(const struct service_slots *const *)pa;
	const struct service_slots *b = *(const struct service_slots *const *)pb;

	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	return (int)a->node_port - (int)b->node_port;
}

static void diff_kind(struct diff *d, enum kind k)
{
	const struct sorted *old = &d->old[k], *next = &d->next[k];

	for (uint32_t i = 0, j = 0; i < old->n || j < next->n;) {
		int c = i == old->n ? 1 : j == next->n ? -1 :
			k == VIP ? vip_compare(&old->v[i], &next->v[j]) :
				   node_compare(&old->v[i], &next->v[j]);

		diff_service(d, k, c <= 0 ? old->v[i] : NULL, c >= 0 ? next->v[j] : NULL);
		i += c <= 0;
		j += c >= 0;
	}
}

static void put_hairpin(struct diff *d, uint32_t ip, bool come)
{
	struct buf *b = element(d, come ? SERVICES_MAKE : SERVICES_CLEAN, MAP_HAIRPIN, come);

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

/* Node ports without endpoints, before and after: a bit per protocol for each port. */
static void diff_refused(struct diff *d, struct arena *a, const struct services *old,
			 const struct services *next)
{
	uint8_t *had = arena_alloc(a, UINT16_MAX + 1), *has = arena_alloc(a, UINT16_MAX + 1);

	for (uint32_t i = 0; i < old->n; i++)
		if (!old->v[i].count)
			had[old->v[i].node_port] |= proto_bit(old->v[i].proto);
	for (uint32_t i = 0; i < next->n; i++)
		if (!next->v[i].count)
			has[next->v[i].node_port] |= proto_bit(next->v[i].proto);
	for (uint32_t port = 1; port <= UINT16_MAX; port++) {
		for (size_t p = 0; had[port] != has[port] && p < ARRAY_SIZE(protos); p++) {
			uint8_t bit = proto_bit(protos[p].number);

			if ((had[port] & bit) != (has[port] & bit))
				buf_printf(element(d, SERVICES_SWITCH, MAP_REFUSED, has[port] & bit),
					   "%s . %u", protos[p].name, port);
		}
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

static void sorted_collect(struct sorted *r, struct arena *a, enum kind k, uint32_t max,
			   const struct services *s)
{
	r->v = arena_array(a, const struct service_slots *, s->n + 1);
	r->used = arena_alloc(a, sizeof(r->used[0]) * (max + 1));
	for (uint32_t i = 0; i < s->n; i++) {
		const struct service_slots *e = &s->v[i];

		if (!e->count || (k == NODE && !e->node_port))
			continue;
		r->v[r->n++] = e;
		r->used[e->count][e->sticky] = true;
		r->most = MAX(r->most, e->count);
	}
	if (k == NODE)
		qsort(r->v, r->n, sizeof(r->v[0]), node_compare);
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

static void put_draw(struct buf *out, const struct diff *d, enum kind k, uint32_t count,
		     bool sticky)
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
	const struct sorted *old = &d->old[k], *next = &d->next[k];

	for (uint32_t i = old->most; i < next->most; i++)
		put_pick(out, d, k, i);
	for (uint32_t n = 1; n <= d->max; n++)
		for (int sticky = 0; sticky < 2; sticky++)
			if (next->used[n][sticky] && !old->used[n][sticky])
				put_draw(out, d, k, n, sticky);
}

static void put_chain_gone(struct buf *out, const char *table, const char *name)
{
	buf_printf(out, "flush chain ip %s %s\ndelete chain ip %s %s\n", table, name, table, name);
}

static void chains_go(struct buf *out, const struct diff *d, enum kind k)
{
	const struct sorted *old = &d->old[k], *next = &d->next[k];
	char name[64];

	for (uint32_t n = 1; n <= d->max; n++) {
		for (int sticky = 0; sticky < 2; sticky++) {
			if (next->used[n][sticky] || !old->used[n][sticky])
				continue;
			snprintf(name, sizeof(name), "%s_%u%s", kinds[k].name, n,
				 sticky ? "_sticky" : "");
			put_chain_gone(out, d->table, name);
		}
	}
	for (uint32_t i = next->most; i < old->most; i++) {
		snprintf(name, sizeof(name), "%s_pick_%u", kinds[k].name, i);
		put_chain_gone(out, d->table, name);
		buf_printf(out, "delete map ip %s %s_ep_%u\n", d->table, kinds[k].name, i);
	}
}

static void put_elements(struct buf *out, const struct diff *d, const struct element_list *maps,
			 bool come)
{
	for (uint32_t i = 0; i < d->nmaps; i++) {
		const struct buf *b = come ? &maps[i].come : &maps[i].gone;

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

static void diff_init(struct diff *d, struct arena *a, const char *table,
		      const struct services *old, const struct services *next)
{
	uint32_t n = most_endpoints(old), m = most_endpoints(next);

	*d = (struct diff){ .table = table, .max = MAX(n, m) };
	d->nmaps = MAP_EP + d->max * KINDS;
	for (int p = 0; p < SERVICES_PHASES; p++)
		d->maps[p] = arena_array(a, struct element_list, d->nmaps);
	for (enum kind k = 0; k < KINDS; k++) {
		sorted_collect(&d->old[k], a, k, d->max, old);
		sorted_collect(&d->next[k], a, k, d->max, next);
	}
}

static void diff_release(struct diff *d)
{
	for (int p = 0; p < SERVICES_PHASES; p++) {
		for (uint32_t i = 0; i < d->nmaps; i++) {
			buf_release(&d->maps[p][i].gone);
			buf_release(&d->maps[p][i].come);
		}
	}
}

void services_diff(struct buf out[SERVICES_PHASES], const char *table, const struct services *old,
		   const struct services *next)
{
	struct arena tmp = { 0 };
	struct diff d;

	diff_init(&d, &tmp, table, old, next);
	for (enum kind k = 0; k < KINDS; k++) {
		chains_come(&out[SERVICES_MAKE], &d, k);
		diff_kind(&d, k);
	}
	diff_hairpin(&d, old, next);
	diff_refused(&d, &tmp, old, next);
	for (int p = 0; p < SERVICES_PHASES; p++) {
		put_elements(&out[p], &d, d.maps[p], false);
		put_elements(&out[p], &d, d.maps[p], true);
	}
	for (enum kind k = 0; k < KINDS; k++)
		chains_go(&out[SERVICES_CLEAN], &d, k);
	diff_release(&d);
	arena_release(&tmp);
}

/* ---- the table ---- */

/* $T table, $P pods, $V services, $N node. Addresses of services outside of $V are externalIPs.
 * What leads to an endpoint beyond this node must come back here, so that it leaves with an
 * address of the node; @hairpin has every endpoint paired with itself. Translation happens before routing, so whatever still
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
	"		meta l4proto . ip daddr . th dport vmap @vip\n"
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
	"		ct status dnat ip daddr != $P ip daddr . ip daddr @hairpin masquerade\n"
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
