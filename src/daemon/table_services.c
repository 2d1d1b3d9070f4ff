/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of services and of the addresses behind them. */
#include "daemon/table_cells.h"

#include "base/macro.h"

#define ADDRESSES_SHOWN 3

static void svc_type(struct cell *c, const struct object *o)
{
	json_str(c->j, service_type_values.values[o->service->spec.type]);
}

static void svc_ip(struct cell *c, const struct object *o)
{
	json_str(c->j, o->service->spec.cluster_ip ? o->service->spec.cluster_ip : "<none>");
}

static void svc_ports(struct cell *c, const struct object *o)
{
	const struct service_spec *s = &o->service->spec;
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < s->ports.n; i++) {
		const struct service_port *p = &s->ports.v[i];

		buf_printf(&b, "%s%d", i ? "," : "", p->port);
		if (p->node_port)
			buf_printf(&b, ":%d", p->node_port);
		buf_printf(&b, "/%s", protocol_values.values[p->protocol]);
	}
	json_str(c->j, b.len ? buf_str(&b) : "<none>");
}

static void svc_selector(struct cell *c, const struct object *o)
{
	cell_put_labels(c, &o->service->spec.selector);
}

const struct column service_columns[] = {
	{ "Name", "string", 0, "Name", cell_name },
	{ "Type", "string", 0, "Type", svc_type },
	{ "Cluster-IP", "string", 0, "Address", svc_ip },
	{ "External-IP", "string", 0, "Always none", cell_none },
	{ "Port(s)", "string", 0, "Ports", svc_ports },
	{ "Age", "string", 0, "Time since creation", cell_age },
	{ "Selector", "string", 1, "Labels of the pods", svc_selector },
	{ 0 },
};

static void put_address(struct buf *b, const struct endpoint_subset *sub, uint32_t port, uint32_t a)
{
	buf_printf(b, "%s%s", b->len ? "," : "", sub->addresses.v[a].ip);
	if (port < sub->ports.n)
		buf_printf(b, ":%d", sub->ports.v[port].port);
}

static void ep_addresses(struct cell *c, const struct object *o)
{
	BUF_AUTO b = { 0 };
	unsigned n = 0;

	for (uint32_t s = 0; s < o->endpoints->subsets.n; s++) {
		const struct endpoint_subset *sub = &o->endpoints->subsets.v[s];

		/* a headless service may have none */
		for (uint32_t p = 0; p < MAX(sub->ports.n, 1u); p++)
			for (uint32_t a = 0; a < sub->addresses.n; a++, n++)
				if (n < ADDRESSES_SHOWN)
					put_address(&b, sub, p, a);
	}
	if (n > ADDRESSES_SHOWN)
		buf_printf(&b, " + %u more...", n - ADDRESSES_SHOWN);
	json_str(c->j, n ? buf_str(&b) : "<none>");
}

const struct column endpoints_columns[] = {
	{ "Name", "string", 0, "Name", cell_name },
	{ "Endpoints", "string", 0, "Addresses", ep_addresses },
	{ "Age", "string", 0, "Time since creation", cell_age },
	{ 0 },
};

static void slice_type(struct cell *c, const struct object *o)
{
	json_str(c->j, address_type_values.values[o->endpointslice->address_type]);
}

static void slice_ports(struct cell *c, const struct object *o)
{
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < o->endpointslice->ports.n; i++)
		buf_printf(&b, "%s%d", i ? "," : "", o->endpointslice->ports.v[i].port);
	json_str(c->j, b.len ? buf_str(&b) : "<unset>");
}

static void slice_endpoints(struct cell *c, const struct object *o)
{
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < o->endpointslice->endpoints.n; i++)
		buf_printf(&b, "%s%s", i ? "," : "",
			   o->endpointslice->endpoints.v[i].addresses.v[0]);
	json_str(c->j, b.len ? buf_str(&b) : "<unset>");
}

const struct column endpointslice_columns[] = {
	{ "Name", "string", 0, "Name", cell_name },
	{ "AddressType", "string", 0, "Kind of addresses", slice_type },
	{ "Ports", "string", 0, "Ports", slice_ports },
	{ "Endpoints", "string", 0, "Addresses", slice_endpoints },
	{ "Age", "string", 0, "Time since creation", cell_age },
	{ 0 },
};
