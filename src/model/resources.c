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
	};
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
