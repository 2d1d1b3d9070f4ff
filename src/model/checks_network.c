/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of Ingresses, IngressClasses and NetworkPolicies. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/types.h"
#include "schema/schema.h"

#define CLASS_ANNOTATION "kubernetes.io/ingress.class"

void check_ingress_host(struct check *c, const void *value)
{
	const char *host = *(const char *const *)value;
	uint8_t address[16];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		check_fail(c, "%s is an address; expected a DNS name", host);
	else if (*host && !(strncmp(host, "*.", 2) == 0 && name_ok(NAME_SUBDOMAIN, host + 2)))
		check_name(c, "", NAME_SUBDOMAIN, host);
}

void check_ingress_service(struct check *c, const void *obj)
{
	const struct ingress_service_backend *b = obj;

	if (!b->port || (!b->port->name && !b->port->number))
		check_fail_at(c, "port", "missing; a name or a number is needed");
	else if (b->port->name && b->port->number)
		check_fail_at(c, "port.number", "a port has a name or a number, not both");
}

void check_ingress_backend(struct check *c, const void *obj)
{
	const struct ingress_backend *b = obj;

	if (!b->service && !b->resource)
		check_fail(c, "a service or a resource is needed");
	else if (b->service && b->resource)
		check_fail_at(c, "resource", "a backend is a service or a resource, not both");
}

/* What a path that is compared literally cannot have. */
static const char *path_fault(const char *path)
{
	static const char *const within[] = { "//", "/./", "/../", "%2f", "%2F" };
	static const char *const ends[] = { "/..", "/." };
	size_t n = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(within); i++) {
		if (strstr(path, within[i]))
			return within[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (n >= strlen(ends[i]) && streq(path + n - strlen(ends[i]), ends[i]))
			return ends[i];
	}
	return NULL;
}

void check_ingress_path(struct check *c, const void *obj)
{
	const struct http_ingress_path *p = obj;
	const char *path = p->path ? p->path : "";
	bool literal = p->path_type != PATH_IMPLEMENTATION_SPECIFIC;

	if (literal && !*path)
		check_fail_at(c, "path", "missing; pathType %s needs it",
			      path_type_values.values[p->path_type]);
	else if (*path && *path != '/')
		check_fail_at(c, "path", "\"%.100s\" is not an absolute path", path);
	else if (literal && path_fault(path))
		check_fail_at(c, "path", "\"%.100s\" must not contain \"%s\"", path,
			      path_fault(path));
}

void check_ingress_http(struct check *c, const void *obj)
{
	if (!((const struct http_ingress_rule_value *)obj)->paths.n)
		check_fail_at(c, "paths", "must have at least one path");
}

void check_ingress(struct check *c, const void *obj)
{
	const struct ingress *o = obj;
	const char *old = strmap_get(&o->metadata.annotations, CLASS_ANNOTATION);
	const char *name = o->spec.ingress_class_name;

	if (!o->spec.rules.n && !o->spec.default_backend)
		check_fail_at(c, "spec", "rules or a defaultBackend are needed");
	if (old && name && !streq(old, name))
		check_fail_at(c, "spec.ingressClassName",
			      "\"%.60s\" is not what the annotation %s says, \"%.60s\"", name,
			      CLASS_ANNOTATION, old);
}

/* Is it of the characters that the path of a URL may have as they are? */
static bool path_chars(const char *s)
{
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("/-._~%!$&'()*+,;=:", *s))
			return false;
	}
	return true;
}

/* "example.com/some/path": a domain, and who it is there. */
void check_controller(struct check *c, const void *value)
{
	const char *text = *(const char *const *)value, *slash = strchr(text, '/');
	char domain[256] = { 0 };

	if (slash)
		memcpy(domain, text, MIN((size_t)(slash - text), sizeof(domain) - 1));
	if (strlen(text) > 250)
		check_fail(c, "must be at most 250 characters");
	else if (!name_ok(NAME_SUBDOMAIN, domain) || !slash[1] || !path_chars(slash))
		check_fail(c, "\"%.100s\" is no name like example.com/ingress", text);
}

void check_class_parameters(struct check *c, const void *obj)
{
	const struct ingress_class_parameters *p = obj;

	if (p->api_group && *p->api_group && !name_ok(NAME_SUBDOMAIN, p->api_group))
		check_warn_at(c, "apiGroup", "\"%.60s\" is no API group like example.com",
			      p->api_group);
	if (p->scope == SCOPE_NAMESPACE && !p->namespace)
		check_fail_at(c, "namespace", "missing; scope Namespace needs it");
	else if (p->scope == SCOPE_CLUSTER && p->namespace)
		check_fail_at(c, "namespace", "is possible with scope Namespace only");
}

void check_policy_port(struct check *c, const void *obj)
{
	const struct policy_port *p = obj;

	if (!HAS(p, policy_port, end_port))
		return;
	if (!HAS(p, policy_port, port) || p->port.str)
		check_fail_at(c, "endPort", "needs a port that is a number");
	else if (p->end_port < p->port.num)
		check_fail_at(c, "endPort", "%d is less than port, %d", p->end_port, p->port.num);
}

void check_ip_block(struct check *c, const void *obj)
{
	const struct ip_block *b = obj;
	struct ip_net all, part;
	char child[64];

	if (ip_net_parse(b->cidr, &all) < 0)
		return;
	for (uint32_t i = 0; i < b->except.n; i++) {
		if (ip_net_parse(b->except.v[i], &part) < 0 ||
		    (part.bits > all.bits && ip_net_within(&part, &all)))
			continue;
		snprintf(child, sizeof(child), "except[%u]", i);
		check_fail_at(c, child, "%.60s is not a part of %.60s", b->except.v[i], b->cidr);
	}
}

void check_policy_peer(struct check *c, const void *obj)
{
	const struct policy_peer *p = obj;

	if (!p->ip_block && !p->pod_selector && !p->namespace_selector)
		check_fail(c, "podSelector, namespaceSelector or ipBlock is needed");
	else if (p->ip_block && (p->pod_selector || p->namespace_selector))
		check_fail_at(c, "ipBlock", "stands alone, without selectors");
}

void check_policy_type(struct check *c, const void *value)
{
	check_word(c, &policy_direction_values, *(const char *const *)value);
}

void check_network_policy(struct check *c, const void *obj)
{
	const struct network_policy_spec *s = obj;

	if (s->policy_types.n > 2)
		check_fail_at(c, "policyTypes", "%u directions; there are Ingress and Egress",
			      s->policy_types.n);
}
