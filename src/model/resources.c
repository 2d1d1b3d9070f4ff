/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arithmetic of pods: percentages, resources, quality of service, ports. */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "model/object.h"
#include "schema/schema.h"

int intstr_scale(const struct intstr *v, int total, bool up)
{
	if (!v->str)
		return v->num;
	int64_t percent = strtoll(v->str, NULL, 10);
	int64_t scaled = (MIN(percent, (int64_t)INT32_MAX) * total + (up ? 99 : 0)) / 100;
	return (int)MIN(scaled, (int64_t)INT32_MAX);
}

static const struct quantity *resource(const struct container *c, bool limit, const char *name)
{
	if (!c->resources)
		return NULL;
	return qtymap_get(limit ? &c->resources->limits : &c->resources->requests, name);
}

/* A request that was left out is the limit. */
static const struct quantity *request(const struct container *c, const char *name)
{
	const struct quantity *q = resource(c, false, name);

	return q ? q : resource(c, true, name);
}

static int64_t milli(const struct quantity *q)
{
	return q ? q->milli : 0;
}

static int64_t whole(const struct quantity *q)
{
	return q ? quantity_value(q) : 0;
}

struct container_resources container_resources(const struct container *c)
{
	return (struct container_resources){
		.cpu_limit_milli = milli(resource(c, true, "cpu")),
		.cpu_request_milli = milli(request(c, "cpu")),
		.memory_limit = whole(resource(c, true, "memory")),
		.memory_request = whole(request(c, "memory")),
		.storage_limit = whole(resource(c, true, "ephemeral-storage")),
		.storage_request = whole(request(c, "ephemeral-storage")),
		.huge_2m = whole(resource(c, true, "hugepages-2Mi")),
		.huge_1g = whole(resource(c, true, "hugepages-1Gi")),
	};
}

/* ---- sums ---- */

static void add(struct arena *a, struct qtymap *to, const struct qtymap *of)
{
	for (uint32_t i = 0; i < of->n; i++) {
		const struct quantity *was = qtymap_get(to, of->v[i].k);

		qtymap_set(a, to, of->v[i].k,
			   was ? quantity_add(a, was, &of->v[i].v) : of->v[i].v);
	}
}

static void raise_to(struct arena *a, struct qtymap *to, const struct qtymap *of)
{
	for (uint32_t i = 0; i < of->n; i++) {
		const struct quantity *was = qtymap_get(to, of->v[i].k);

		if (!was || was->milli < of->v[i].v.milli)
			qtymap_set(a, to, of->v[i].k, of->v[i].v);
	}
}

static struct qtymap of_container(struct arena *a, const struct container *c, bool limits)
{
	struct qtymap m = { 0 };

	if (!c->resources)
		return m;
	if (limits)
		return c->resources->limits;
	raise_to(a, &m, &c->resources->requests);
	for (uint32_t i = 0; i < c->resources->limits.n; i++)
		if (!qtymap_get(&m, c->resources->limits.v[i].k))
			qtymap_set(a, &m, c->resources->limits.v[i].k, c->resources->limits.v[i].v);
	return m;
}

/* https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers */
static struct qtymap sum(struct arena *a, const struct pod_spec *s, bool limits)
{
	struct qtymap together = { 0 }, most = { 0 };

	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		struct qtymap one = of_container(a, pod_container(s, i), limits), at_once = { 0 };

		if (pod_container_role(s, i) != ROLE_INIT) {
			add(a, &together, &one);
			continue;
		}
		add(a, &at_once, &together);	/* sidecars that were started before it */
		add(a, &at_once, &one);
		raise_to(a, &most, &at_once);
	}
	raise_to(a, &together, &most);
	return together;
}

struct qtymap pod_resource_requests(struct arena *a, const struct pod_spec *s)
{
	struct qtymap m = sum(a, s, false);

	add(a, &m, &s->overhead);
	return m;
}

struct qtymap pod_resource_limits(struct arena *a, const struct pod_spec *s)
{
	struct qtymap m = sum(a, s, true);

	for (uint32_t i = 0; i < s->overhead.n; i++) {
		const struct quantity *was = qtymap_get(&m, s->overhead.v[i].k);

		if (was)
			qtymap_set(a, &m, s->overhead.v[i].k,
				   quantity_add(a, was, &s->overhead.v[i].v));
	}
	return m;
}

const char *pod_qos(const struct pod_spec *s)
{
	bool any = false, all = s->containers.n > 0;

	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		struct container_resources r = container_resources(pod_container(s, i));

		any |= r.cpu_request_milli || r.memory_request || r.cpu_limit_milli ||
		       r.memory_limit;
		all &= r.cpu_limit_milli && r.memory_limit &&
		       r.cpu_limit_milli == r.cpu_request_milli &&
		       r.memory_limit == r.memory_request;
	}
	return all ? "Guaranteed" : any ? "Burstable" : "BestEffort";
}

int pod_port(const struct pod_spec *s, const struct intstr *port, enum protocol proto)
{
	if (!port->str)
		return port->num;
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const struct container_port_list *l = &pod_container(s, i)->ports;

		for (uint32_t k = 0; k < l->n; k++) {
			const struct container_port *p = &l->v[k];
			bool same = proto == protocol_unset || p->protocol == proto;

			if (p->name && streq(p->name, port->str) && same)
				return p->container_port;
		}
	}
	return 0;
}
