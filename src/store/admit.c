/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Admission: the last step before a set may be acted on. The next inventory is made beside the
 * one in force: every object finds its entry or gets one; claims of Services are settled all at
 * once (store/allocate.h). Then the values go into the objects of the set. Bodies are shared with
 * other generations, so that a body that has to change is copied first; its set bits stay as the
 * user's file has them.
 */
#include "store/state.h"

#include <stdio.h>

#include "base/macro.h"
#include "store/allocate.h"

/* What a claim is about. */
struct claimant {
	struct object *object;
	struct inventory_entry *entry;
	struct service_port *port;	/* NULL: the cluster IP */
	uint32_t port_index;
};

struct admission {
	struct set *set;
	const struct store_ranges *ranges;
	const struct inventory *old;
	struct inventory next;
	struct arena scratch;
	struct pool addresses, node_ports;
	struct { struct claim *v; uint32_t n; } claims;
	struct { struct claimant *v; uint32_t n; } claimants;	/* of the claim at the same place */
	int64_t now;
	uint64_t seed;
};

#define SPACE_ADDRESS 0		/* node ports: 1 + protocol */

/* semantics.md 9.5; Kubernetes computes the bands of Services in the same way. */
static uint32_t band(uint32_t count, uint32_t divisor, uint32_t most)
{
	uint32_t n = MIN(MAX(count / divisor, 16u), most);

	return n < count ? n : 0;
}

/* Left out: the network and broadcast addresses, and the first one, which is the API's. */
static struct pool address_pool(struct cidr4 c)
{
	uint32_t size = cidr4_size(c);
	uint32_t count = size > 3 ? size - 3 : 0;

	return (struct pool){ c.base + 2, count, band(count, 16, 256) };
}

static struct pool node_port_pool(const struct store_ranges *r)
{
	uint32_t count = (uint32_t)(r->node_port_max - r->node_port_min) + 1;

	return (struct pool){ r->node_port_min, count, band(count, 32, 128) };
}

static uint64_t key_hash(uint64_t h, const struct object_key *key)
{
	h = fnv64_str(h, key->kind->name);
	h = fnv64_str(h, key->namespace);
	return fnv64_str(h, key->name);
}

/* RFC 9562 version 4 in form; the bits come from what makes this incarnation unique. */
static void make_uid(const struct admission *ad, const struct object_key *key, char ret[37])
{
	BUF_AUTO text = { 0 };
	char hex[DIGEST_HEX];

	buf_printf(&text, "%016llx %lld %s/%s/%s", (unsigned long long)ad->seed, (long long)ad->now,
		   key->kind->name, key->namespace, key->name);
	digest_hex(text.data, text.len, hex);
	hex[12] = '4';
	hex[16] = "89ab"[hex[16] & 3];
	snprintf(ret, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void entry_fill(struct admission *ad, const struct object *o, struct inventory_entry *e)
{
	struct arena *a = &ad->next.arena;
	struct object_key key = object_key(o);
	const struct inventory_entry *old = inventory_find(ad->old, &key);

	e->key = key;
	e->key.namespace = arena_strdup(a, key.namespace);
	e->key.name = arena_strdup(a, key.name);
	e->stack = arena_strdup(a, o->stack ? o->stack : "default");
	e->digest = o->digest;
	if (old) {
		memcpy(e->uid, old->uid, sizeof(e->uid));
		e->created = old->created;
		e->generation = old->generation + (old->digest != o->digest);
	} else {
		make_uid(ad, &key, e->uid);
		e->created = ad->now;
		e->generation = 1;
	}
}

static bool headless(const struct service_spec *s)
{
	return s->cluster_ip && streq(s->cluster_ip, "None");
}

static void claim_add(struct admission *ad, struct claim claim, struct claimant who)
{
	*arena_push(&ad->scratch, &ad->claims) = claim;
	*arena_push(&ad->scratch, &ad->claimants) = who;
}

static void claim_address(struct admission *ad, struct object *o, struct inventory_entry *e,
			  const struct inventory_entry *old)
{
	struct service_spec *spec = &o->service->spec;
	struct claim c = { .pool = &ad->addresses, .space = SPACE_ADDRESS };

	if (HAS(spec, service_spec, cluster_ip) && spec->cluster_ip && *spec->cluster_ip)
		ip4_parse(spec->cluster_ip, &c.fixed);
	c.remembered = old ? old->cluster_ip : 0;
	c.hash = key_hash(FNV64_INIT, &e->key);
	claim_add(ad, c, (struct claimant){ o, e, NULL, 0 });
}

static void claim_port(struct admission *ad, struct object *o, struct inventory_entry *e,
		       const struct inventory_entry *old, uint32_t index)
{
	struct service_port *p = &o->service->spec.ports.v[index];
	const struct inventory_port *was = old ? inventory_port(old, p->protocol, (unsigned)p->port) : NULL;
	struct claim c = { .pool = &ad->node_ports, .space = 1 + (unsigned)p->protocol };

	if (HAS(p, service_port, node_port))
		c.fixed = (uint32_t)p->node_port;
	c.remembered = was ? was->node_port : 0;
	c.hash = fnv64(key_hash(FNV64_INIT, &e->key), &p->port, sizeof(p->port));
	claim_add(ad, c, (struct claimant){ o, e, p, index });
}

/* A load balancer may be told to do without, unless a port is named. */
static bool has_node_port(const struct service_spec *s, const struct service_port *p)
{
	return s->type == SERVICE_NODE_PORT ||
	       (s->type == SERVICE_LOAD_BALANCER &&
		(s->allocate_load_balancer_node_ports ||
		 (HAS(p, service_port, node_port) && p->node_port)));
}

static void claims_of(struct admission *ad, struct object *o, struct inventory_entry *e)
{
	const struct service_spec *spec = &o->service->spec;
	const struct inventory_entry *old = inventory_find(ad->old, &e->key);

	if (!headless(spec) && spec->type != SERVICE_EXTERNAL_NAME)
		claim_address(ad, o, e, old);
	for (uint32_t i = 0; i < spec->ports.n; i++) {
		if (has_node_port(spec, &spec->ports.v[i]))
			claim_port(ad, o, e, old, i);
	}
}

static void value_text(const struct admission *ad, const struct claim *c, uint32_t value,
		       char ret[16])
{
	if (c->pool == &ad->addresses)
		ip4_format(value, ret);
	else
		snprintf(ret, 16, "%u", value);
}

static const char *range_text(struct admission *ad, const struct claim *c)
{
	const struct store_ranges *r = ad->ranges;
	char ip[16];

	if (c->pool == &ad->node_ports)
		return arena_printf(&ad->scratch, "the node ports %u-%u", r->node_port_min,
				    r->node_port_max);
	ip4_format(r->service_cidr.base, ip);
	return arena_printf(&ad->scratch, "the service addresses %s/%u", ip, r->service_cidr.bits);
}

static const char *owner_text(struct admission *ad, const struct claim *owner)
{
	const struct object *o = ad->claimants.v[owner - ad->claims.v].object;

	return arena_printf(&ad->scratch, "%s (%s:%u)", object_name(&ad->scratch, o),
			    o->file ? o->file : "-", o->line);
}

static void report(struct admission *ad, const struct claim *c, bool warning, const char *text)
{
	const struct claimant *who = &ad->claimants.v[c - ad->claims.v];
	const struct object *o = who->object;
	const char *path = "spec.clusterIP";
	uint32_t line = o->line, col = o->col;

	if (who->port) {
		path = arena_printf(&ad->set->arena, "spec.ports[%u].nodePort", who->port_index);
		if (who->port->node.line) {
			line = who->port->node.line;
			col = who->port->node.col;
		}
	}
	msgs_add(&ad->set->msgs, warning, o->file ? o->file : "", line, col, path, "%s", text);
}

static void report_claim(struct admission *ad, const struct claim *c)
{
	struct arena *a = &ad->scratch;
	char fixed[16], was[16], now[16];
	const char *text = NULL;

	value_text(ad, c, c->fixed, fixed);
	value_text(ad, c, c->remembered, was);
	value_text(ad, c, c->value, now);
	switch (c->result) {
	case CLAIM_GRANTED:
		return;
	case CLAIM_TAKEN:
		text = arena_printf(a, "%s is already used by %s", fixed, owner_text(ad, c->owner));
		break;
	case CLAIM_OUTSIDE:
		text = arena_printf(a, "%s is not one of %s", fixed, range_text(ad, c));
		break;
	case CLAIM_EXHAUSTED:
		text = arena_printf(a, "nothing is left of %s", range_text(ad, c));
		break;
	case CLAIM_MOVED:
		text = arena_printf(a, "changes from %s to %s: %s", was, now,
				    c->owner ? arena_printf(a, "%s fixes it", owner_text(ad, c->owner)) :
				    arena_printf(a, "it is not one of %s", range_text(ad, c)));
	}
	report(ad, c, c->result == CLAIM_MOVED, text);
}

static void record_claim(struct admission *ad, const struct claim *c, const struct claimant *who)
{
	struct inventory_entry *e = who->entry;

	if (!who->port) {
		e->cluster_ip = c->value;
	} else if (c->value) {
		*arena_push(&ad->next.arena, &e->ports) = (struct inventory_port){
			(uint16_t)who->port->port, (uint16_t)c->value, (uint8_t)who->port->protocol,
		};
	}
}

/* Errors stand before warnings. */
static void msgs_order(struct msgs *m, struct arena *scratch)
{
	struct msg *sorted = arena_array(scratch, struct msg, m->n);
	uint32_t n = 0;

	for (int warning = 0; warning <= 1; warning++) {
		for (uint32_t i = 0; i < m->n; i++) {
			if (m->v[i].warning == warning)
				sorted[n++] = m->v[i];
		}
	}
	if (n)
		memcpy(m->v, sorted, n * sizeof(*sorted));
}

static void settle(struct admission *ad)
{
	uint32_t before = ad->set->msgs.n;

	claims_settle(ad->claims.v, ad->claims.n, &ad->scratch);
	for (uint32_t i = 0; i < ad->claims.n; i++) {
		record_claim(ad, &ad->claims.v[i], &ad->claimants.v[i]);
		report_claim(ad, &ad->claims.v[i]);
	}
	if (ad->set->msgs.n != before)
		msgs_order(&ad->set->msgs, &ad->scratch);
}

/* A body of its own for this set. What it points to is never changed and may stay shared: it lives
 * in the set's arena or in that of a manifest which the set holds. */
static void own_body(struct arena *a, struct object *o)
{
	size_t meta = (size_t)((char *)o->meta - (char *)o->body);
	void *body = arena_alloc(a, o->kind->type->size);

	memcpy(body, o->body, o->kind->type->size);
	o->body = body;
	o->meta = (struct meta *)((char *)body + meta);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

static bool meta_same(const struct meta *m, const struct inventory_entry *e)
{
	return same_text(m->uid, e->uid) && m->creation_timestamp == e->created &&
	       m->generation == e->generation;
}

static void meta_write(struct arena *a, struct meta *m, const struct inventory_entry *e)
{
	m->uid = arena_strdup(a, e->uid);
	m->creation_timestamp = e->created;
	m->generation = e->generation;
}

static int32_t node_port_of(const struct inventory_entry *e, const struct service_port *p)
{
	const struct inventory_port *is = inventory_port(e, p->protocol, (unsigned)p->port);

	return is ? is->node_port : 0;
}

static const char *address_of(const struct inventory_entry *e, const struct service_spec *spec,
			      char room[16])
{
	if (headless(spec))
		return "None";
	if (!e->cluster_ip)
		return NULL;
	ip4_format(e->cluster_ip, room);
	return room;
}

static bool service_same(const struct service_spec *spec, const struct inventory_entry *e)
{
	char room[16];
	const char *ip = address_of(e, spec, room);

	if (!same_text(spec->cluster_ip, ip) || spec->cluster_ips.n != (ip ? 1u : 0u) ||
	    (ip && !streq(spec->cluster_ips.v[0], ip)))
		return false;
	for (uint32_t i = 0; i < spec->ports.n; i++) {
		if (spec->ports.v[i].node_port != node_port_of(e, &spec->ports.v[i]))
			return false;
	}
	return true;
}

static void service_write(struct arena *a, struct service_spec *spec, const struct inventory_entry *e)
{
	struct service_port *ports = arena_array(a, struct service_port, spec->ports.n);
	char room[16];
	const char *ip = arena_strdup(a, address_of(e, spec, room));

	spec->cluster_ip = ip;
	spec->cluster_ips = (struct strs){ 0 };
	if (ip)
		*arena_push(a, &spec->cluster_ips) = ip;
	for (uint32_t i = 0; i < spec->ports.n; i++) {
		ports[i] = spec->ports.v[i];
		ports[i].node_port = node_port_of(e, &ports[i]);
	}
	spec->ports.v = ports;
}

static void object_admit(struct arena *a, struct object *o, const struct inventory_entry *e)
{
	bool service = o->kind->id == KIND_SERVICE;

	if (meta_same(o->meta, e) && (!service || service_same(&o->service->spec, e)))
		return;
	own_body(a, o);
	meta_write(a, o->meta, e);
	if (service)
		service_write(a, &o->service->spec, e);
}

static void admit(struct admission *ad)
{
	struct object_list *objects = &ad->set->objects;

	ad->next.n = objects->n;
	ad->next.v = arena_array(&ad->next.arena, struct inventory_entry, objects->n);
	for (uint32_t i = 0; i < objects->n; i++) {
		entry_fill(ad, &objects->v[i], &ad->next.v[i]);
		if (objects->v[i].kind->id == KIND_SERVICE)
			claims_of(ad, &objects->v[i], &ad->next.v[i]);
	}
	settle(ad);
	for (uint32_t i = 0; i < objects->n; i++)
		object_admit(&ad->set->arena, &objects->v[i], &ad->next.v[i]);
}

int store_admit(struct store *s, struct set *set, const struct store_ranges *r, int64_t now,
		uint64_t seed, bool dry, struct err *err)
{
	struct admission ad = {
		.set = set, .ranges = r, .old = &s->inventory, .now = now, .seed = seed,
		.addresses = address_pool(r->service_cidr), .node_ports = node_port_pool(r),
	};

	if (r->node_port_max < r->node_port_min || !r->node_port_min)
		return err_set(err, -EINVAL, "the range of node ports %u-%u is empty", r->node_port_min,
			       r->node_port_max);
	admit(&ad);
	if (dry) {
		arena_release(&ad.next.arena);
	} else {
		arena_release(&s->inventory.arena);
		s->inventory = ad.next;
		s->inventory_dirty = true;
	}
	arena_release(&ad.scratch);
	return 0;
}
