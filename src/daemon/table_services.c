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

static void svc_external(struct cell *c, const struct object *o)
{
	const struct service_spec *s = &o->service->spec;
	BUF_AUTO b = { 0 };

	if (s->type == SERVICE_EXTERNAL_NAME && s->external_name)
		buf_puts(&b, s->external_name);
	for (uint32_t i = 0; i < s->external_ips.n; i++)
		buf_printf(&b, "%s%s", b.len ? "," : "", s->external_ips.v[i]);
	if (!b.len)
		buf_puts(&b, s->type == SERVICE_LOAD_BALANCER ? "<pending>" : "<none>");
	json_str(c->j, buf_str(&b));
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
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Type", "string", 0, "Type", .print = svc_type },
	{ "Cluster-IP", "string", 0, "Address", .print = svc_ip },
	{ "External-IP", "string", 0, "Further addresses", .print = svc_external },
	{ "Port(s)", "string", 0, "Ports", .print = svc_ports },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ "Selector", "string", 1, "Labels of the pods", .print = svc_selector },
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
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Endpoints", "string", 0, "Addresses", .print = ep_addresses },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
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
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "AddressType", "string", 0, "Kind of addresses", .print = slice_type },
	{ "Ports", "string", 0, "Ports", .print = slice_ports },
	{ "Endpoints", "string", 0, "Addresses", .print = slice_endpoints },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};

static void ingress_hosts(struct cell *c, const struct object *o)
{
	const struct ingress *in = o->body;
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; i < in->spec.rules.n; i++) {
		const char *host = in->spec.rules.v[i].host;

		if (host && *host)
			buf_printf(&b, "%s%s", b.len ? "," : "", host);
	}
	json_str(c->j, b.len ? buf_str(&b) : "*");
}

static void ingress_ports(struct cell *c, const struct object *o)
{
	json_str(c->j, ((const struct ingress *)o->body)->spec.tls.n ? "80, 443" : "80");
}

static void ingress_address(struct cell *c, const struct object *o)
{
	const struct ingress_balancer *l = ((const struct ingress *)o->body)->status.load_balancer;
	BUF_AUTO b = { 0 };

	for (uint32_t i = 0; l && i < l->ingress.n; i++) {
		const char *at = l->ingress.v[i].ip ? l->ingress.v[i].ip : l->ingress.v[i].hostname;

		if (at)
			buf_printf(&b, "%s%s", b.len ? "," : "", at);
	}
	json_str(c->j, buf_str(&b));
}

const struct column ingress_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Class", "string", 0, "Class", .path = "spec.ingressClassName", .absent = "<none>" },
	{ "Hosts", "string", 0, "Host names of its rules", .print = ingress_hosts },
	{ "Address", "string", 0, "Where it is reached", .print = ingress_address },
	{ "Ports", "string", 0, "Ports", .print = ingress_ports },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};

static void class_parameters(struct cell *c, const struct object *o)
{
	const char *kind = cell_text(c, o, "spec.parameters.kind", NULL);
	const char *group = cell_text(c, o, "spec.parameters.apiGroup", "");

	json_str(c->j, !kind ? "<none>" :
			       arena_printf(&c->arena, "%s%s%s/%s", kind, *group ? "." : "", group,
					    cell_text(c, o, "spec.parameters.name", "")));
}

const struct column ingressclass_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Controller", "string", 0, "What acts on it", .path = "spec.controller" },
	{ "Parameters", "string", 0, "Its parameters", .print = class_parameters },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};

static void policy_pods(struct cell *c, const struct object *o)
{
	const struct field *f;

	cell_put_selector(c, cell_find(o, "spec.podSelector", &f));
}

const struct column networkpolicy_columns[] = {
	{ "Name", "string", 0, "Name", .print = cell_name },
	{ "Pod-Selector", "string", 0, "Pods it is about", .print = policy_pods },
	{ "Age", "string", 0, "Time since creation", .print = cell_age },
	{ 0 },
};
