/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services without a selector: what is behind them is declared, as Endpoints of the service's name
 * or as EndpointSlices with its label, or both. As in Kubernetes the ports belong together by their
 * name and protocol; targetPort means nothing here.
 */
#include "control/exposure.h"

/* A port of Endpoints or of a slice. */
struct declared_port {
	const char *name;
	enum protocol protocol;
	int32_t port;
};

static bool fits(const struct service_port *sp, const struct declared_port *p)
{
	return (sp->protocol ? sp->protocol : PROTOCOL_TCP) == p->protocol &&
	       streq(sp->name ? sp->name : "", p->name ? p->name : "");
}

static const int *ports_for(const struct exposure *x, const struct declared_port *v, uint32_t n)
{
	int *ports = arena_array(x->p->a, int, x->spec->ports.n + 1);

	for (uint32_t i = 0; i < x->spec->ports.n; i++) {
		for (uint32_t k = 0; k < n && !ports[i]; k++)
			ports[i] = fits(&x->spec->ports.v[i], &v[k]) ? v[k].port : 0;
	}
	return ports;
}

static void add(struct exposure *x, const char *ip, bool ready, const int *ports)
{
	struct backend b = {
		.ready = ready || x->spec->publish_not_ready_addresses, .ports = ports,
	};

	if (ip4_parse(ip, &b.ip) == 0)
		*arena_push(x->p->a, &x->backends) = b;
}

static void add_subset(struct exposure *x, const struct endpoint_subset *s)
{
	struct declared_port *ports = arena_array(x->p->a, struct declared_port, s->ports.n + 1);

	for (uint32_t i = 0; i < s->ports.n; i++)
		ports[i] = (struct declared_port){
			s->ports.v[i].name, s->ports.v[i].protocol, s->ports.v[i].port,
		};
	const int *by_service = ports_for(x, ports, s->ports.n);
	for (uint32_t i = 0; i < s->addresses.n; i++)
		add(x, s->addresses.v[i].ip, true, by_service);
	for (uint32_t i = 0; i < s->not_ready_addresses.n; i++)
		add(x, s->not_ready_addresses.v[i].ip, false, by_service);
}

static bool ready(const struct slice_endpoint *e)
{
	return !e->conditions || !HAS(e->conditions, slice_conditions, ready) ||
	       e->conditions->ready;
}

static void add_slice(struct exposure *x, const struct endpointslice *s)
{
	struct declared_port *ports = arena_array(x->p->a, struct declared_port, s->ports.n + 1);

	if (s->address_type != ADDRESS_IPV4)
		return;
	for (uint32_t i = 0; i < s->ports.n; i++)
		ports[i] = (struct declared_port){
			s->ports.v[i].name, s->ports.v[i].protocol, s->ports.v[i].port,
		};
	const int *by_service = ports_for(x, ports, s->ports.n);
	for (uint32_t i = 0; i < s->endpoints.n; i++) {
		if (s->endpoints.v[i].addresses.n)
			add(x, s->endpoints.v[i].addresses.v[0], ready(&s->endpoints.v[i]),
			    by_service);
	}
}

static const struct strmap *labels_of(const struct object *o)
{
	return &o->meta->labels;
}

void slices_index(struct pass *p, struct label_index *ret)
{
	struct object_list slices = set_kind(p->in->set, KIND_ENDPOINTSLICE);

	label_index_make(p->a, &slices, labels_of, ret);
}

void find_declared(struct exposure *x, const struct label_index *slices)
{
	const struct meta *m = x->object->meta;
	const struct object *e = set_find(x->p->in->set, KIND_ENDPOINTS, m->namespace, m->name);
	struct label_index mine = label_index_find(slices, m->namespace, SERVICE_NAME_LABEL,
						   m->name);

	for (uint32_t i = 0; e && i < e->endpoints->subsets.n; i++)
		add_subset(x, &e->endpoints->subsets.v[i]);
	for (uint32_t i = 0; i < mine.n; i++)
		add_slice(x, mine.v[i].object->endpointslice);
}
