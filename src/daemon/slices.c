/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Endpoints and EndpointSlices say the same in two shapes. control makes the former; the latter
 * are derived here, when they are shown: named SERVICE-N, labelled with the service's name.
 */
#include "daemon/slices.h"

#include "schema/schema.h"

static void add(struct arena *a, struct endpointslice *s, const struct endpoint_address *from,
		bool ready)
{
	struct slice_endpoint *e = arena_push(a, &s->endpoints);

	*arena_push(a, &e->addresses) = from->ip;
	e->conditions = arena_new(a, struct slice_conditions);
	e->conditions->ready = e->conditions->serving = ready;
	MARK(e->conditions, slice_conditions, ready);
	MARK(e->conditions, slice_conditions, serving);
	MARK(e->conditions, slice_conditions, terminating);
	e->target_ref = from->target_ref;
	e->node_name = from->node_name;
}

static void add_port(struct arena *a, struct endpointslice *s, const struct endpoint_port *from)
{
	struct slice_port *p = arena_push(a, &s->ports);

	p->name = from->name ? from->name : "";
	p->port = from->port;
	p->protocol = from->protocol;
	p->app_protocol = from->app_protocol;
}

static void put(struct view *v, struct arena *a, const struct object *endpoints, uint32_t n)
{
	const struct endpoint_subset *sub = &endpoints->endpoints->subsets.v[n];
	const struct meta *m = endpoints->meta;
	struct object o = object_new(a, KIND_ENDPOINTSLICE, m->namespace,
				     arena_printf(a, "%s-%u", m->name, n));

	o.meta->uid = arena_printf(a, "%s-%u", m->uid ? m->uid : m->name, n);
	o.meta->creation_timestamp = m->creation_timestamp;
	strmap_set(a, &o.meta->labels, "kubernetes.io/service-name", m->name);
	o.endpointslice->address_type = ADDRESS_IPV4;
	for (uint32_t i = 0; i < sub->ports.n; i++)
		add_port(a, o.endpointslice, &sub->ports.v[i]);
	for (uint32_t i = 0; i < sub->addresses.n; i++)
		add(a, o.endpointslice, &sub->addresses.v[i], true);
	for (uint32_t i = 0; i < sub->not_ready_addresses.n; i++)
		add(a, o.endpointslice, &sub->not_ready_addresses.v[i], false);
	view_put(v, &o);
}

void slices_put(struct view *v, struct arena *a, const struct object *endpoints)
{
	for (uint32_t n = 0; n < endpoints->endpoints->subsets.n; n++)
		put(v, a, endpoints, n);
}
