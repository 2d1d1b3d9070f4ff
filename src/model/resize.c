/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a pod that runs changes in place: requests and limits of cpu and memory, of containers
 * and sidecars, as long as none is taken away and the quality of service stays. All else makes it
 * another pod.
 * https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
 */
#include "base/macro.h"
#include "model/object.h"
#include "schema/schema.h"

static const char *const resized[] = { "cpu", "memory" };

static bool is_resized(const char *name)
{
	return streq(name, resized[0]) || streq(name, resized[1]);
}

/* ---- is that all that differs? ---- */

static struct qtymap without(struct arena *a, const struct qtymap *m)
{
	struct qtymap rest = { 0 };

	for (uint32_t i = 0; i < m->n; i++)
		if (!is_resized(m->v[i].k))
			*arena_push(a, &rest) = m->v[i];
	return rest;
}

static struct resource_requirements *fixed_part(struct arena *a,
						const struct resource_requirements *r)
{
	struct resource_requirements *rest;

	if (!r)
		return NULL;
	rest = arena_new(a, struct resource_requirements);
	*rest = *r;
	rest->limits = without(a, &r->limits);
	rest->requests = without(a, &r->requests);
	return rest->limits.n || rest->requests.n || rest->claims.n ? rest : NULL;
}

static struct container_list fixed_list(struct arena *a, const struct container_list *l)
{
	struct container_list copy = { arena_array(a, struct container, l->n + 1), l->n };

	for (uint32_t i = 0; i < l->n; i++)
		copy.v[i] = l->v[i];
	return copy;
}

static struct pod_spec fixed_spec(struct arena *a, const struct pod_spec *s)
{
	struct pod_spec copy = *s;

	copy.containers = fixed_list(a, &s->containers);
	copy.init_containers = fixed_list(a, &s->init_containers);
	for (uint32_t i = 0; i < pod_container_count(&copy); i++) {
		struct container *c = pod_container(&copy, i);

		if (pod_container_role(&copy, i) != ROLE_INIT)
			c->resources = fixed_part(a, c->resources);
	}
	return copy;
}

/* ---- is it allowed? ---- */

static bool keeps(const struct qtymap *was, const struct qtymap *is)
{
	for (size_t i = 0; i < ARRAY_SIZE(resized); i++)
		if (qtymap_get(was, resized[i]) && !qtymap_get(is, resized[i]))
			return false;
	return true;
}

static bool takes_nothing_away(const struct pod_spec *was, const struct pod_spec *is)
{
	static const struct resource_requirements none;

	for (uint32_t i = 0; i < pod_container_count(was); i++) {
		const struct resource_requirements *x = pod_container(was, i)->resources;
		const struct resource_requirements *y = pod_container(is, i)->resources;

		x = x ? x : &none;
		y = y ? y : &none;
		if (!keeps(&x->limits, &y->limits) || !keeps(&x->requests, &y->requests))
			return false;
	}
	return true;
}

enum spec_change pod_spec_change(struct arena *a, const struct pod_spec *was,
				 const struct pod_spec *is)
{
	struct pod_spec x, y;

	if (schema_equal(&pod_spec_type, was, is))
		return SPEC_SAME;
	x = fixed_spec(a, was);
	y = fixed_spec(a, is);
	if (!schema_equal(&pod_spec_type, &x, &y))
		return SPEC_OTHER;
	return takes_nothing_away(was, is) && streq(pod_qos(was), pod_qos(is)) ? SPEC_RESIZED :
										 SPEC_OTHER;
}

/* ---- one container ---- */

static bool cpu_differs(const struct container_resources *x, const struct container_resources *y)
{
	return x->cpu_limit_milli != y->cpu_limit_milli ||
	       x->cpu_request_milli != y->cpu_request_milli;
}

static bool memory_differs(const struct container_resources *x, const struct container_resources *y)
{
	return x->memory_limit != y->memory_limit || x->memory_request != y->memory_request;
}

bool container_is_resized(const struct container_resources *was,
			  const struct container_resources *is)
{
	return cpu_differs(was, is) || memory_differs(was, is);
}

static bool needs_restart(const struct container *c, const char *resource)
{
	for (uint32_t i = 0; i < c->resize_policy.n; i++)
		if (streq(c->resize_policy.v[i].resource_name, resource))
			return c->resize_policy.v[i].restart_policy == RESIZE_RESTART_CONTAINER;
	return false;
}

bool container_resize_restarts(const struct container *c, const struct container_resources *was,
			       const struct container_resources *is)
{
	return (cpu_differs(was, is) && needs_restart(c, "cpu")) ||
	       (memory_differs(was, is) && needs_restart(c, "memory"));
}
