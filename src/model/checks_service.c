/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of Services. Fixed addresses and node ports that clash are found at admission. */
#include <string.h>

#include "base/macro.h"
#include "base/units.h"
#include "model/checks.h"
#include "model/types.h"

#define NODE_PORT_MIN 30000
#define NODE_PORT_MAX 32767

void check_service_type(struct check *c, const void *value)
{
	enum service_type type = *(const enum service_type *)value;

	if (type == SERVICE_LOAD_BALANCER)
		check_fail(c, "LoadBalancer is not supported by orch; NodePort opens a port of the "
			      "node");
	else if (type == SERVICE_EXTERNAL_NAME)
		check_fail(c, "ExternalName is not supported by orch; expected ClusterIP or "
			      "NodePort");
}

void check_cluster_ip(struct check *c, const void *value)
{
	const char *ip = *(const char *const *)value;
	uint32_t parsed;

	if (*ip && !streq(ip, "None") && ip4_parse(ip, &parsed) < 0)
		check_fail(c, "\"%.60s\" is neither an IPv4 address nor None", ip);
}

void check_ip_family(struct check *c, const void *value)
{
	if (!streq(*(const char *const *)value, "IPv4"))
		check_fail(c, "\"%.60s\" is not supported by orch; expected IPv4",
			   *(const char *const *)value);
}

void check_ip_family_policy(struct check *c, const void *value)
{
	const char *policy = *(const char *const *)value;

	if (!streq(policy, "SingleStack") && !streq(policy, "PreferDualStack"))
		check_fail(c, "\"%.60s\" is not supported by orch; expected SingleStack", policy);
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

/* Two ports of one service that cannot both be. */
static void check_pair(struct check *c, const struct service_spec *s, uint32_t i, uint32_t k)
{
	const struct service_port *a = &s->ports.v[i], *b = &s->ports.v[k];
	bool same_proto = a->protocol == b->protocol;
	char child[64];

	snprintf(child, sizeof(child), "ports[%u].port", k);
	if (same_proto && a->port == b->port)
		check_fail_at(c, child, "%d/%s is already port %u of this Service", b->port,
			      protocol_values.values[b->protocol], i);
	snprintf(child, sizeof(child), "ports[%u].nodePort", k);
	if (same_proto && a->node_port && a->node_port == b->node_port)
		check_fail_at(c, child, "%d is already the node port of port %u", b->node_port, i);
	snprintf(child, sizeof(child), "ports[%u].name", k);
	if (a->name && b->name && streq(a->name, b->name))
		check_fail_at(c, child, "duplicate name \"%s\"", b->name);
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
		for (uint32_t k = i + 1; k < s->ports.n; k++)
			check_pair(c, s, i, k);
	}
}

void check_service_spec(struct check *c, const void *obj)
{
	const struct service_spec *s = obj;

	check_ports(c, s);
	if (headless(s) && s->type == SERVICE_NODE_PORT)
		check_fail_at(c, "clusterIP", "None is not possible with type NodePort");
	if (HAS(s, service_spec, external_traffic_policy) && s->type == SERVICE_CLUSTER_IP)
		check_fail_at(c, "externalTrafficPolicy", "is possible with type NodePort only");
	if (s->session_affinity_config && s->session_affinity != AFFINITY_CLIENT_IP)
		check_fail_at(c, "sessionAffinityConfig",
			      "is possible with sessionAffinity ClientIP only");
}
