/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of Services, Endpoints and EndpointSlices, each by itself (clashes.c: together). */
#include <string.h>

#include "base/macro.h"
#include "base/units.h"
#include "model/checks.h"
#include "model/types.h"

#define NODE_PORT_MIN 30000
#define NODE_PORT_MAX 32767
#define PAIRED_MAX 1000		/* ports of one object that are held against each other */
#define SLICE_ENDPOINTS_MAX 1000
#define SLICE_ADDRESSES_MAX 100

void check_service_type(struct check *c, const void *value)
{
	enum service_type type = *(const enum service_type *)value;

	if (type == SERVICE_LOAD_BALANCER)
		check_warn_at(c, "", "there is no load balancer: it acts as NodePort, and its "
				     "external address stays pending");
	else if (type == SERVICE_EXTERNAL_NAME)
		check_warn_at(c, "", "there is no DNS server of orch yet that would answer with "
				     "the name");
}

void check_cluster_ip(struct check *c, const void *value)
{
	const char *ip = *(const char *const *)value;
	uint32_t parsed;

	if (!*ip || streq(ip, "None") || ip4_parse(ip, &parsed) == 0)
		return;
	if (!strchr(ip, ':') || !check_global_ip(c, "", ip))
		check_fail(c, "\"%.60s\" is neither an IP address nor None", ip);
	else
		check_warn_at(c, "", "services have IPv4 addresses: one is chosen");
}

void check_target_port(struct check *c, const void *value)
{
	const struct intstr *v = value;

	if (v->str ? *v->str : v->num)
		check_port(c, value);
}

void check_external_ip(struct check *c, const void *value)
{
	const char *ip = *(const char *const *)value;

	if (check_global_ip(c, "", ip) && strchr(ip, ':'))
		check_warn_at(c, "", "services have IPv4 addresses: this one is not acted on");
}

/* One trailing dot makes the name absolute. */
void check_external_name(struct check *c, const void *value)
{
	const char *name = *(const char *const *)value;
	size_t n = strlen(name);
	char text[256];

	if (n && n < sizeof(text) && name[n - 1] == '.') {
		snprintf(text, sizeof(text), "%.*s", (int)n - 1, name);
		name = text;
	}
	if (*name)
		check_name(c, "", NAME_SUBDOMAIN, name);
}

void check_ip_family(struct check *c, const void *value)
{
	const char *family = *(const char *const *)value;

	if (!streq(family, "IPv4") && !streq(family, "IPv6"))
		check_fail(c, "\"%.60s\" is not IPv4 or IPv6", family);
	else if (streq(family, "IPv6"))
		check_warn_at(c, "", "services have IPv4 addresses only");
}

void check_ip_family_policy(struct check *c, const void *value)
{
	if (*(const enum ip_family_policy *)value == IP_REQUIRE_DUAL_STACK)
		check_warn_at(c, "", "services have IPv4 addresses only");
}

static bool headless(const struct service_spec *s)
{
	return s->cluster_ip && streq(s->cluster_ip, "None");
}

static void check_node_port(struct check *c, const struct service_spec *s, uint32_t i)
{
	int32_t port = s->ports.v[i].node_port;
	char child[64];

	snprintf(child, sizeof(child), "ports[%u].nodePort", i);
	if (!port)
		return;
	if (s->type == SERVICE_CLUSTER_IP)
		check_fail_at(c, child,
			      "a Service of type ClusterIP has no node port; type NodePort has");
	else if (port < NODE_PORT_MIN || port > NODE_PORT_MAX)
		check_fail_at(c, child, "%d is not in %d-%d", port, NODE_PORT_MIN, NODE_PORT_MAX);
}

static void twice(struct check *c, uint32_t k, const char *field, const char *text)
{
	char child[64];

	snprintf(child, sizeof(child), "ports[%u].%s", k, field);
	check_fail_at(c, child, "%s", text);
}

/* Two ports of one service that cannot both be. */
static void check_pair(struct check *c, const struct service_spec *s, uint32_t i, uint32_t k)
{
	const struct service_port *a = &s->ports.v[i], *b = &s->ports.v[k];
	bool same_proto = a->protocol == b->protocol;
	char text[128];

	if (same_proto && a->port == b->port) {
		snprintf(text, sizeof(text), "%d/%s is already port %u of this Service", b->port,
			 protocol_values.values[b->protocol], i);
		twice(c, k, "port", text);
	}
	if (same_proto && a->node_port && a->node_port == b->node_port) {
		snprintf(text, sizeof(text), "%d is already the node port of port %u",
			 b->node_port, i);
		twice(c, k, "nodePort", text);
	}
	if (a->name && b->name && streq(a->name, b->name)) {
		snprintf(text, sizeof(text), "duplicate name \"%.100s\"", b->name);
		twice(c, k, "name", text);
	}
}

static void check_ports(struct check *c, const struct service_spec *s)
{
	char child[64];

	if (!s->ports.n && !headless(s) && s->type != SERVICE_EXTERNAL_NAME)
		check_fail_at(c, "ports", "missing; a Service needs at least one port");
	for (uint32_t i = 0; i < s->ports.n; i++) {
		snprintf(child, sizeof(child), "ports[%u].name", i);
		if (s->ports.n > 1 && !s->ports.v[i].name)
			check_fail_at(c, child, "missing; with several ports each needs a name");
		check_node_port(c, s, i);
		for (uint32_t k = i + 1; k < MIN(s->ports.n, (uint32_t)PAIRED_MAX); k++)
			check_pair(c, s, i, k);
	}
}

/* Fields that only some types of Service have. */
static void check_type_fields(struct check *c, const struct service_spec *s)
{
	bool balancer = s->type == SERVICE_LOAD_BALANCER, node = s->type == SERVICE_NODE_PORT;
	const struct { const char *field; bool fits; const char *why; } rows[] = {
		{ "externalTrafficPolicy", node || balancer || s->external_ips.n,
		  "is possible with type NodePort or LoadBalancer, or with externalIPs, only" },
		{ "loadBalancerSourceRanges", balancer, "is possible with type LoadBalancer only" },
		{ "loadBalancerClass", balancer, "is possible with type LoadBalancer only" },
		{ "allocateLoadBalancerNodePorts", balancer,
		  "is possible with type LoadBalancer only" },
		{ "healthCheckNodePort",
		  !s->health_check_node_port ||
			  (balancer && s->external_traffic_policy == TRAFFIC_LOCAL),
		  "is possible with type LoadBalancer and externalTrafficPolicy Local only" },
		{ "sessionAffinityConfig", s->session_affinity == AFFINITY_CLIENT_IP,
		  "is possible with sessionAffinity ClientIP only" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].fits && check_present(c, rows[i].field))
			check_fail_at(c, rows[i].field, "%s", rows[i].why);
	}
}

static void check_addresses(struct check *c, const struct service_spec *s)
{
	const struct ynode *all = c->node ? ynode_get(c->node, "clusterIPs") : NULL;
	bool own = s->cluster_ip && *s->cluster_ip;

	if (headless(s) && (s->type == SERVICE_NODE_PORT || s->type == SERVICE_LOAD_BALANCER))
		check_fail_at(c, "clusterIP", "None is not possible with type %s",
			      service_type_values.values[s->type]);
	if (own && s->type == SERVICE_EXTERNAL_NAME)
		check_fail_at(c, "clusterIP", "is not possible with type ExternalName");
	if (ynode_is_null(all) || all->kind != Y_SEQ || !all->n)
		return;
	if (all->n > 2)
		check_fail_at(c, "clusterIPs", "%u addresses; at most 2 are possible, one of each "
			      "family", all->n);
	const struct ynode *first = all->values[0];
	if (first->kind == Y_SCALAR && !(own && streq(first->text, s->cluster_ip)))
		check_fail_at(c, "clusterIPs[0]", "\"%.60s\" is not clusterIP", first->text);
}

static void check_families(struct check *c, const struct service_spec *s)
{
	if (s->ip_families.n > 2)
		check_fail_at(c, "ipFamilies", "%u families; at most 2 are possible",
			      s->ip_families.n);
	else if (s->ip_families.n == 2 && streq(s->ip_families.v[0], s->ip_families.v[1]))
		check_fail_at(c, "ipFamilies[1]", "%s is already there", s->ip_families.v[1]);
	else if (s->ip_families.n == 2 && s->ip_family_policy == IP_SINGLE_STACK)
		check_fail_at(c, "ipFamilyPolicy", "SingleStack does not fit two ipFamilies");
}

void check_service_spec(struct check *c, const void *obj)
{
	const struct service_spec *s = obj;

	check_ports(c, s);
	check_addresses(c, s);
	check_families(c, s);
	check_type_fields(c, s);
	if (s->type == SERVICE_EXTERNAL_NAME && (!s->external_name || !*s->external_name))
		check_fail_at(c, "externalName", "missing; type ExternalName needs it");
}

void check_endpoint_ip(struct check *c, const void *value)
{
	const char *ip = *(const char *const *)value;

	if (check_global_ip(c, "", ip) && strchr(ip, ':'))
		check_warn_at(c, "", "services have IPv4 addresses: this one is not acted on");
}

void check_endpoint_subset(struct check *c, const void *obj)
{
	const struct endpoint_subset *s = obj;
	char child[64];

	if (!s->addresses.n && !s->not_ready_addresses.n)
		check_fail_at(c, "addresses", "missing; addresses or notReadyAddresses are needed");
	for (uint32_t i = 0; i < s->ports.n; i++) {
		const char *name = s->ports.v[i].name;

		snprintf(child, sizeof(child), "ports[%u].name", i);
		if (s->ports.n > 1 && (!name || !*name))
			check_fail_at(c, child, "missing; with several ports each needs a name");
		for (uint32_t k = 0; name && *name && k < MIN(i, (uint32_t)PAIRED_MAX); k++) {
			if (s->ports.v[k].name && streq(s->ports.v[k].name, name))
				check_fail_at(c, child, "duplicate name \"%s\"", name);
		}
	}
}

static void check_slice_address(struct check *c, enum address_type type, const char *child,
				const char *text)
{
	bool six = strchr(text, ':');

	if (type == ADDRESS_FQDN)
		check_name(c, child, NAME_SUBDOMAIN, text);
	else if (check_global_ip(c, child, text) && six != (type == ADDRESS_IPV6))
		check_fail_at(c, child, "%s is no %s address", text,
			      address_type_values.values[type]);
}

static void check_slice_endpoint(struct check *c, const struct endpointslice *s, uint32_t i)
{
	const struct strs *l = &s->endpoints.v[i].addresses;
	char child[64];

	snprintf(child, sizeof(child), "endpoints[%u].addresses", i);
	if (!l->n)
		check_fail_at(c, child, "must have at least one address");
	else if (l->n > SLICE_ADDRESSES_MAX)
		check_fail_at(c, child, "%u addresses; at most %d are possible", l->n,
			      SLICE_ADDRESSES_MAX);
	for (uint32_t k = 0; k < MIN(l->n, (uint32_t)SLICE_ADDRESSES_MAX); k++) {
		snprintf(child, sizeof(child), "endpoints[%u].addresses[%u]", i, k);
		check_slice_address(c, s->address_type, child, l->v[k]);
	}
}

void check_endpointslice(struct check *c, const void *obj)
{
	const struct endpointslice *s = obj;
	char child[64];

	if (s->address_type != ADDRESS_IPV4)
		check_warn_at(c, "addressType", "services have IPv4 addresses: these endpoints are "
						"not acted on");
	if (s->endpoints.n > SLICE_ENDPOINTS_MAX)
		check_fail_at(c, "endpoints", "%u endpoints; at most %d are possible",
			      s->endpoints.n, SLICE_ENDPOINTS_MAX);
	for (uint32_t i = 0; i < MIN(s->endpoints.n, (uint32_t)SLICE_ENDPOINTS_MAX); i++)
		check_slice_endpoint(c, s, i);
	for (uint32_t i = 0; i < s->ports.n; i++) {
		snprintf(child, sizeof(child), "ports[%u].name", i);
		for (uint32_t k = 0; k < MIN(i, (uint32_t)PAIRED_MAX); k++) {
			if (streq(s->ports.v[k].name, s->ports.v[i].name))
				check_fail_at(c, child, "duplicate name \"%s\"",
					      s->ports.v[i].name);
		}
	}
}
