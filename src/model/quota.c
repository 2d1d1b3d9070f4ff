/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ResourceQuotas (quota.h): scopes, the usage of pods and of other objects, and the words in which
 * Kubernetes refuses what would be too much.
 */
#include "model/quota.h"

#include <string.h>

#include "base/macro.h"
#include "schema/schema.h"

#define STORAGE_CLASS_INFIX ".storageclass.storage.k8s.io/"

/* ---- scopes ---- */

static bool other_namespaces(const struct pod_affinity_term *t)
{
	return t->namespaces.n || t->namespace_selector;
}

static bool terms_cross(const struct pod_affinity_term_list *hard,
			const struct weighted_pod_affinity_term_list *soft)
{
	for (uint32_t i = 0; i < hard->n; i++)
		if (other_namespaces(&hard->v[i]))
			return true;
	for (uint32_t i = 0; i < soft->n; i++)
		if (soft->v[i].pod_affinity_term && other_namespaces(soft->v[i].pod_affinity_term))
			return true;
	return false;
}

static bool crosses_namespaces(const struct pod_spec *s)
{
	const struct pod_affinity *near = s->affinity ? s->affinity->pod_affinity : NULL;
	const struct pod_anti_affinity *away = s->affinity ? s->affinity->pod_anti_affinity : NULL;

	return (near && terms_cross(&near->required_during_scheduling_ignored_during_execution,
				    &near->preferred_during_scheduling_ignored_during_execution)) ||
	       (away && terms_cross(&away->required_during_scheduling_ignored_during_execution,
				    &away->preferred_during_scheduling_ignored_during_execution));
}

static bool among(const struct strs *l, const char *word)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i], word))
			return true;
	return false;
}

static bool priority_fits(const struct scope_requirement *r, const struct pod_spec *s)
{
	const char *class = s->priority_class_name ? s->priority_class_name : "";

	switch (r->op) {
	case SELECTOR_IN: return among(&r->values, class);
	case SELECTOR_NOT_IN: return !among(&r->values, class);
	case SELECTOR_DOES_NOT_EXIST: return !*class;
	default: return *class;
	}
}

static bool scope_fits(const struct scope_requirement *r, const struct pod_spec *s)
{
	bool best_effort = streq(pod_qos(s), "BestEffort");
	bool terminating = s->active_deadline_seconds > 0;

	switch (r->scope_name) {
	case QUOTA_TERMINATING: return terminating;
	case QUOTA_NOT_TERMINATING: return !terminating;
	case QUOTA_BEST_EFFORT: return best_effort;
	case QUOTA_NOT_BEST_EFFORT: return !best_effort;
	case QUOTA_PRIORITY_CLASS: return priority_fits(r, s);
	case QUOTA_CROSS_NAMESPACE_POD_AFFINITY: return crosses_namespaces(s);
	default: return false;		/* no scope of pods */
	}
}

static enum quota_scope scope_by_word(const char *word)
{
	int i = 1;

	while (quota_scope_values.values[i] && !streq(quota_scope_values.values[i], word))
		i++;
	return quota_scope_values.values[i] ? (enum quota_scope)i : quota_scope_unset;
}

bool quota_counts_pod(const struct resource_quota_spec *q, const struct pod_spec *spec)
{
	for (uint32_t i = 0; i < q->scopes.n; i++) {
		struct scope_requirement r = { .scope_name = scope_by_word(q->scopes.v[i]),
					       .op = SELECTOR_EXISTS };
		if (!scope_fits(&r, spec))
			return false;
	}
	for (uint32_t i = 0; q->scope_selector && i < q->scope_selector->match_expressions.n; i++)
		if (!scope_fits(&q->scope_selector->match_expressions.v[i], spec))
			return false;
	return true;
}

/* ---- pods ---- */

/* The resource of containers that a name is about. */
static const char *container_resource(const char *name, bool *ret_limits)
{
	*ret_limits = strncmp(name, "limits.", 7) == 0;
	if (*ret_limits)
		return name + 7;
	return strncmp(name, "requests.", 9) == 0 ? name + 9 : name;
}

struct qtymap quota_of_pod(struct arena *a, const struct resource_quota_spec *q,
			   const struct pod_spec *spec)
{
	struct qtymap requests = pod_resource_requests(a, spec), limits = pod_resource_limits(a, spec), m = { 0 };

	for (uint32_t i = 0; i < q->hard.n; i++) {
		const char *name = q->hard.v[i].k;
		const struct quantity *is;
		bool of_limits;

		if (streq(name, "pods") || streq(name, "count/pods")) {
			qtymap_set(a, &m, name, quantity_from_milli(a, 1000));
			continue;
		}
		name = container_resource(name, &of_limits);
		is = qtymap_get(of_limits ? &limits : &requests, name);
		if (is)
			qtymap_set(a, &m, q->hard.v[i].k, *is);
	}
	return m;
}

static bool must_be_said(const char *resource)
{
	return streq(resource, "cpu") || streq(resource, "memory");
}

/* Names of the containers that leave it out; NULL: none does. */
static const char *silent_containers(struct arena *a, const struct pod_spec *s, const char *resource,
				     bool limits)
{
	const char *names = NULL;

	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		uint32_t k = (i + s->init_containers.n) % pod_container_count(s);
		const struct container *c = pod_container(s, k);
		const struct resource_requirements *r = c->resources;

		if (r && (qtymap_get(&r->limits, resource) ||
			  (!limits && qtymap_get(&r->requests, resource))))
			continue;
		names = arena_printf(a, "%s%s%s", names ? names : "", names ? "," : "", c->name);
	}
	return names;
}

const char *quota_unspecified(struct arena *a, const struct resource_quota_spec *q,
			      const struct pod_spec *spec)
{
	const char *text = NULL;

	for (uint32_t i = 0; i < q->hard.n; i++) {
		bool limits;
		const char *resource = container_resource(q->hard.v[i].k, &limits), *names;

		if (!must_be_said(resource))
			continue;
		names = silent_containers(a, spec, resource, limits);
		if (names)
			text = arena_printf(a, "%s%s for: %s", text ? arena_printf(a, "%s; ", text) :
					    "must specify ", q->hard.v[i].k, names);
	}
	return text;
}

/* ---- other objects ---- */

/* "count/deployments.apps", or the old names of a few kinds. */
static bool counts_kind(const char *name, const struct kind *k)
{
	static const enum kind_id old[] = {
		KIND_SERVICE, KIND_CONFIGMAP, KIND_SECRET, KIND_REPLICATIONCONTROLLER,
		KIND_RESOURCEQUOTA, KIND_PVC,
	};
	char group[64];
	size_t n = strlen(k->plural);

	for (size_t i = 0; i < ARRAY_SIZE(old); i++)
		if (k->id == old[i] && streq(name, k->plural))
			return true;
	if (strncmp(name, "count/", 6) != 0 || strncmp(name + 6, k->plural, n) != 0)
		return false;
	name += 6 + n;
	return streq(name + (*name == '.'), kind_group(k, group));
}

static int64_t node_ports(const struct service_spec *s)
{
	return s->type == SERVICE_NODE_PORT || s->type == SERVICE_LOAD_BALANCER ? s->ports.n : 0;
}

static struct quantity of_service(struct arena *a, const char *name, const struct service_spec *s)
{
	int64_t n = streq(name, "services.nodeports") ? node_ports(s) :
		    streq(name, "services.loadbalancers") ? s->type == SERVICE_LOAD_BALANCER : 0;

	return quantity_from_milli(a, n * 1000);
}

/* requests.storage, of all claims or of those of a class. */
static struct quantity of_claim(struct arena *a, const char *name, const struct pvc_spec *s)
{
	static const struct qtymap none;
	const char *infix = strstr(name, STORAGE_CLASS_INFIX);
	const struct quantity *size =
		qtymap_get(s->resources ? &s->resources->requests : &none, "storage");
	struct quantity zero = quantity_from_milli(a, 0);

	if (infix) {
		size_t n = (size_t)(infix - name);
		const char *class = s->storage_class_name ? s->storage_class_name : "";

		if (strlen(class) != n || strncmp(class, name, n) != 0)
			return zero;
		name = infix + strlen(STORAGE_CLASS_INFIX);
		if (streq(name, "persistentvolumeclaims"))
			return quantity_from_milli(a, 1000);
	}
	return streq(name, "requests.storage") && size ? *size : zero;
}

struct qtymap quota_of_object(struct arena *a, const struct resource_quota_spec *q,
			      const struct object *o)
{
	struct qtymap m = { 0 };

	for (uint32_t i = 0; i < q->hard.n; i++) {
		const char *name = q->hard.v[i].k;
		struct quantity is = { 0 };

		if (counts_kind(name, o->kind))
			is = quantity_from_milli(a, 1000);
		else if (o->kind->id == KIND_SERVICE)
			is = of_service(a, name, &o->service->spec);
		else if (o->kind->id == KIND_PVC)
			is = of_claim(a, name, &o->pvc->spec);
		if (is.milli)
			qtymap_set(a, &m, name, is);
	}
	return m;
}

/* ---- too much ---- */

static void append(struct arena *a, const char **text, const char *name, const char *amount)
{
	*text = arena_printf(a, "%s%s%s=%s", *text, **text ? "," : "", name, amount);
}

const char *quota_exceeded(struct arena *a, const struct object *quota, const struct qtymap *used,
			   const struct qtymap *more)
{
	const struct qtymap *hard = &quota->resource_quota->spec.hard;
	const char *requested = "", *in_use = "", *limited = "";

	for (uint32_t i = 0; i < more->n; i++) {
		const char *name = more->v[i].k;
		const struct quantity *limit = qtymap_get(hard, name);
		const struct quantity *is = qtymap_get(used, name);

		if (!limit || quantity_add(a, is, &more->v[i].v).milli <= limit->milli)
			continue;
		append(a, &requested, name, more->v[i].v.text);
		append(a, &in_use, name, is->text);
		append(a, &limited, name, limit->text);
	}
	if (!*limited)
		return NULL;
	return arena_printf(a, "exceeded quota: %s, requested: %s, used: %s, limited: %s",
			    quota->meta->name, requested, in_use, limited);
}

void quota_charge(struct arena *a, struct qtymap *used, const struct qtymap *more)
{
	for (uint32_t i = 0; i < more->n; i++) {
		const struct quantity *is = qtymap_get(used, more->v[i].k);

		if (is)
			qtymap_set(a, used, more->v[i].k, quantity_add(a, is, &more->v[i].v));
	}
}
