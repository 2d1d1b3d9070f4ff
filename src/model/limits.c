/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LimitRanges of a namespace (limits.h). Their own defaults (default from max, defaultRequest from
 * default and min) were filled in when they were read. Each bound is looked at for itself, so that
 * one pod tells all its faults.
 */
#include "model/limits.h"

#include "base/macro.h"
#include "schema/schema.h"

/* ---- which items concern a namespace ---- */

struct items { const struct limit_range_item **v; uint32_t n; };

static void collect(struct arena *a, const struct set *s, const char *ns, enum limit_type type,
		    struct items *ret)
{
	struct object_list l = set_kind(s, KIND_LIMITRANGE);

	*ret = (struct items){ 0 };
	for (uint32_t i = 0; i < l.n; i++) {
		const struct limit_range_item_list *of = &l.v[i].limit_range->spec.limits;

		for (uint32_t k = 0; streq(l.v[i].meta->namespace, ns) && k < of->n; k++)
			if (of->v[k].type == type)
				*arena_push(a, ret) = &of->v[k];
	}
}

/* ---- defaults ---- */

static void fill(struct arena *a, struct qtymap *to, const struct qtymap *from, bool *changed)
{
	for (uint32_t i = 0; i < from->n; i++) {
		if (qtymap_get(to, from->v[i].k))
			continue;
		qtymap_set(a, to, from->v[i].k, from->v[i].v);
		*changed = true;
	}
}

static void complete_container(struct arena *a, const struct items *items, struct container *c)
{
	struct resource_requirements *r = arena_new(a, struct resource_requirements);
	bool limits = false, requests = false;

	if (c->resources)
		*r = *c->resources;
	fill(a, &r->requests, &r->limits, &requests);	/* as those of a pod are */
	for (uint32_t i = items->n; i-- > 0;) {		/* of several the last one counts */
		fill(a, &r->limits, &items->v[i]->dflt, &limits);
		fill(a, &r->requests, &items->v[i]->default_request, &requests);
	}
	if (!limits && !requests)
		return;
	if (limits)
		MARK(r, resource_requirements, limits);
	if (requests)
		MARK(r, resource_requirements, requests);
	c->resources = r;
	MARK(c, container, resources);
}

static void complete_list(struct arena *a, const struct items *items, struct container_list *l)
{
	struct container_list copy = { 0 };

	for (uint32_t i = 0; i < l->n; i++) {
		struct container *c = arena_push(a, &copy);

		*c = l->v[i];
		complete_container(a, items, c);
	}
	*l = copy;
}

void limits_complete(struct arena *a, const struct set *s, const char *ns, struct pod_spec *spec)
{
	struct items items;

	collect(a, s, ns, LIMIT_CONTAINER, &items);
	if (!items.n)
		return;
	complete_list(a, &items, &spec->containers);
	complete_list(a, &items, &spec->init_containers);
}

/* ---- bounds ---- */

/* What is bounded: one container, or a pod as a whole. */
struct subject {
	struct arena *a;
	const char *type;		/* "Container", "Pod" */
	const struct node *at;
	const char *path;
	const struct qtymap *requests, *limits;
	struct limit_faults *faults;
};

static void fault(const struct subject *s, const char *text)
{
	*arena_push(s->a, s->faults) = (struct limit_fault){ s->at, s->path, text, false };
}

static void check_min(const struct subject *s, const struct qtypair *bound)
{
	const struct quantity *request = qtymap_get(s->requests, bound->k);
	const struct quantity *limit = qtymap_get(s->limits, bound->k);
	const char *usage = arena_printf(s->a, "minimum %s usage per %s is %s", bound->k, s->type,
					 bound->v.text);

	if (!request)
		fault(s, arena_printf(s->a, "%s.  No request is specified", usage));
	else if (limit && limit->milli < bound->v.milli)
		fault(s, arena_printf(s->a, "%s, but limit is %s", usage, limit->text));
	else if (request->milli < bound->v.milli)
		fault(s, arena_printf(s->a, "%s, but request is %s", usage, request->text));
}

static void check_max(const struct subject *s, const struct qtypair *bound)
{
	const struct quantity *request = qtymap_get(s->requests, bound->k);
	const struct quantity *limit = qtymap_get(s->limits, bound->k);
	const char *usage = arena_printf(s->a, "maximum %s usage per %s is %s", bound->k, s->type,
					 bound->v.text);

	if (!limit)
		fault(s, arena_printf(s->a, "%s.  No limit is specified", usage));
	else if (limit->milli > bound->v.milli)
		fault(s, arena_printf(s->a, "%s, but limit is %s", usage, limit->text));
	else if (request && request->milli > bound->v.milli)
		fault(s, arena_printf(s->a, "%s, but request is %s", usage, request->text));
}

static void check_ratio(const struct subject *s, const struct qtypair *bound)
{
	const struct quantity *request = qtymap_get(s->requests, bound->k);
	const struct quantity *limit = qtymap_get(s->limits, bound->k);
	const char *ratio = arena_printf(s->a, "%s max limit to request ratio per %s is %s", bound->k,
					 s->type, bound->v.text);

	if (!request || !request->milli) {
		fault(s, arena_printf(s->a, "%s, but no request is specified or request is 0",
				      ratio));
	} else if (!limit || !limit->milli) {
		fault(s, arena_printf(s->a, "%s, but no limit is specified or limit is 0", ratio));
	} else {
		double is = (double)limit->milli / (double)request->milli;

		if (is > (double)bound->v.milli / 1000)
			fault(s, arena_printf(s->a, "%s, but provided ratio is %f", ratio, is));
	}
}

static void check_item(const struct subject *s, const struct limit_range_item *item)
{
	for (uint32_t i = 0; i < item->min.n; i++)
		check_min(s, &item->min.v[i]);
	for (uint32_t i = 0; i < item->max.n; i++)
		check_max(s, &item->max.v[i]);
	for (uint32_t i = 0; i < item->max_limit_request_ratio.n; i++)
		check_ratio(s, &item->max_limit_request_ratio.v[i]);
}

/* A limit that was given by default may be less than a request that was written. */
static void check_sense(const struct subject *s)
{
	for (uint32_t i = 0; i < s->requests->n; i++) {
		const struct qtypair *r = &s->requests->v[i];
		const struct quantity *limit = qtymap_get(s->limits, r->k);

		if (!limit || r->v.milli <= limit->milli)
			continue;
		*arena_push(s->a, s->faults) = (struct limit_fault){
			s->at, s->path,
			arena_printf(s->a, "Invalid value: \"%s\": must be less than or equal to "
				     "%s limit of %s", r->v.text, r->k, limit->text), true,
		};
	}
}

static void check_container(struct arena *a, const struct items *items, const struct pod_spec *spec,
			    uint32_t i, struct limit_faults *ret)
{
	static const struct qtymap none;
	const struct container *c = pod_container(spec, i);
	bool init = i < spec->init_containers.n;
	struct subject s = {
		.a = a, .type = "Container", .faults = ret,
		.at = c->resources && c->resources->node.line ? &c->resources->node : &c->node,
		.path = arena_printf(a, "%s[%u].resources", init ? "initContainers" : "containers",
				     init ? i : i - spec->init_containers.n),
		.requests = c->resources ? &c->resources->requests : &none,
		.limits = c->resources ? &c->resources->limits : &none,
	};

	for (uint32_t k = 0; k < items->n; k++)
		check_item(&s, items->v[k]);
	check_sense(&s);
}

void limits_check(struct arena *a, const struct set *s, const char *ns,
		  const struct pod_spec *spec, struct limit_faults *ret)
{
	struct items container, pod;

	*ret = (struct limit_faults){ 0 };
	collect(a, s, ns, LIMIT_CONTAINER, &container);
	collect(a, s, ns, LIMIT_POD, &pod);
	for (uint32_t i = 0; container.n && i < pod_container_count(spec); i++)
		check_container(a, &container, spec, i, ret);
	if (!pod.n)
		return;
	struct qtymap requests = pod_resource_requests(a, spec), limits = pod_resource_limits(a, spec);
	struct subject whole = { a, "Pod", &spec->node, "", &requests, &limits, ret };
	for (uint32_t i = 0; i < pod.n; i++)
		check_item(&whole, pod.v[i]);
}

const char *limits_check_claim(struct arena *a, const struct set *s, const char *ns,
			       const struct pvc_spec *spec)
{
	static const struct qtymap none;
	const struct qtymap *requests = spec->resources ? &spec->resources->requests : &none;
	const struct quantity *is = qtymap_get(requests, "storage");
	struct items items;

	collect(a, s, ns, LIMIT_PVC, &items);
	for (uint32_t i = 0; i < items.n; i++) {
		const struct quantity *min = qtymap_get(&items.v[i]->min, "storage");
		const struct quantity *max = qtymap_get(&items.v[i]->max, "storage");
		const struct quantity *bound = min && is && is->milli < min->milli ? min :
					       max && is && is->milli > max->milli ? max : NULL;

		if (bound)
			return arena_printf(a, "%s storage usage per PersistentVolumeClaim is %s, "
					    "but request is %s", bound == min ? "minimum" :
					    "maximum", bound->text, is->text);
	}
	return NULL;
}

const char *limit_faults_text(struct arena *a, const struct limit_faults *l)
{
	const char *text = "";

	for (uint32_t i = 0; i < l->n; i++)
		text = arena_printf(a, "%s%s%s", text, i ? ", " : "", l->v[i].text);
	return l->n > 1 ? arena_printf(a, "[%s]", text) : text;
}
