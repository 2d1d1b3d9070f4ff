/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ResourceQuotas in a pass: what is there is counted once, at the beginning; each pod that is made
 * afterwards has to fit and counts, too. A pod counts until it is gone, so that one that replaces
 * another one may have to wait for the next pass; but what replaces one whose sandbox was lost fits in
 * the same pass, as it carries the count that its back-off comes from. That declared objects fit was
 * seen to when the set was made (model/admission.c).
 */
#include "control/quota.h"

#include "model/quota.h"

static void charge(struct pass *p, struct quota *q, const struct qtymap *more)
{
	quota_charge(p->a, &q->used, more);
}

static bool in_namespace(const struct quota *q, const struct meta *m)
{
	return m->namespace && streq(q->object->meta->namespace, m->namespace);
}

/* What a pod takes: once finished nothing, but it is there. */
static struct qtymap share(struct pass *p, const struct quota *q, const struct member *m)
{
	const struct pod_spec *spec = &m->want.object.pod->spec;
	struct qtymap all, there = { 0 };

	if (!in_namespace(q, m->want.object.meta) || !quota_counts_pod(q->spec, spec))
		return there;
	all = quota_of_pod(p->a, q->spec, spec);
	if (!m->finished)
		return all;
	for (uint32_t i = 0; i < all.n; i++)
		if (streq(all.v[i].k, "count/pods"))
			*arena_push(p->a, &there) = all.v[i];
	return there;
}

/* Nothing of a pod whose sandbox was lost has to end before it is removed. */
static bool is_gone(const struct member *m)
{
	return m->lost && !m->finished && m->want.stop;
}

static void count_pod(struct pass *p, struct quota *q, const struct member *m)
{
	struct qtymap all = share(p, q, m);

	if (!is_gone(m))
		charge(p, q, &all);
}

void quotas_release(struct pass *p, const struct member *m)
{
	if (!is_gone(m))
		return;
	for (uint32_t i = 0; i < p->quotas.n; i++) {
		struct qtymap all = share(p, &p->quotas.v[i], m), less = { 0 };

		for (uint32_t k = 0; k < all.n; k++)
			qtymap_set(p->a, &less, all.v[k].k,
				   quantity_from_milli(p->a, -all.v[k].v.milli));
		charge(p, &p->quotas.v[i], &less);
	}
}

/* Declared ones are recorded, too: they count once. */
static void count_objects(struct pass *p, struct quota *q, const struct object_list *l, bool records)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct object *o = &l->v[i];
		struct qtymap m;

		if (!in_namespace(q, o->meta) || o->kind->id == KIND_POD ||
		    (records && set_find(p->in->set, o->kind->id, o->meta->namespace, o->meta->name)))
			continue;
		m = quota_of_object(p->a, q->spec, o);
		charge(p, q, &m);
	}
}

static void count(struct pass *p, struct quota *q)
{
	for (uint32_t i = 0; i < q->spec->hard.n; i++)
		qtymap_set(p->a, &q->used, q->spec->hard.v[i].k, quantity_from_milli(p->a, 0));
	for (uint32_t i = 0; i < p->members.n; i++)
		count_pod(p, q, p->members.v[i]);
	count_objects(p, q, &p->in->set->objects, false);
	count_objects(p, q, &p->in->observed->derived, true);
}

void quotas_begin(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_RESOURCEQUOTA);

	for (uint32_t i = 0; i < l.n; i++) {
		struct quota *q = arena_push(p->a, &p->quotas);

		*q = (struct quota){ .object = &l.v[i], .spec = &l.v[i].resource_quota->spec };
		count(p, q);
	}
}

static const char *refusal(struct pass *p, const struct quota *q, const struct pod_spec *spec,
			   const struct qtymap *more)
{
	const char *why = quota_unspecified(p->a, q->spec, spec);

	if (why)
		return arena_printf(p->a, "failed quota: %s: %s", q->object->meta->name, why);
	return quota_exceeded(p->a, q->object, &q->used, more);
}

const char *quotas_admit(struct pass *p, const struct object *pod)
{
	const struct pod_spec *spec = &pod->pod->spec;
	struct qtymap *more = arena_array(p->a, struct qtymap, p->quotas.n + 1);

	for (uint32_t i = 0; i < p->quotas.n; i++) {
		struct quota *q = &p->quotas.v[i];
		const char *why;

		if (!in_namespace(q, pod->meta) || !quota_counts_pod(q->spec, spec))
			continue;
		more[i] = quota_of_pod(p->a, q->spec, spec);
		why = refusal(p, q, spec, &more[i]);
		if (why)
			return why;
	}
	for (uint32_t i = 0; i < p->quotas.n; i++)
		charge(p, &p->quotas.v[i], &more[i]);
	return NULL;
}

/* persistentvolumeclaims, replicasets.apps */
static const char *resource_of(struct pass *p, const struct kind *k)
{
	char buf[64];
	const char *group = kind_group(k, buf);

	return arena_printf(p->a, "%s%s%s", k->plural, *group ? "." : "", group);
}

/* What is has more of each resource than was; less, when grown is not set. */
static struct qtymap change(struct arena *a, const struct qtymap *was, const struct qtymap *is,
			    bool grown)
{
	struct qtymap m = { 0 };

	for (uint32_t i = 0; i < is->n; i++) {
		const struct quantity *q = qtymap_get(was, is->v[i].k);
		struct quantity minus = quantity_from_milli(a, q ? -q->milli : 0);
		struct quantity more = quantity_add(a, &is->v[i].v, &minus);

		if (grown ? more.milli > 0 : more.milli < 0)
			*arena_push(a, &m) = (struct qtypair){ is->v[i].k, more };
	}
	return m;
}

const char *quotas_admit_change(struct pass *p, const struct object *pod,
				const struct pod_spec *spec)
{
	struct change { struct qtymap more, less; } *c =
		arena_array(p->a, struct change, p->quotas.n + 1);

	for (uint32_t i = 0; i < p->quotas.n; i++) {
		const struct quota *q = &p->quotas.v[i];
		struct qtymap was, is;
		const char *why;

		if (!in_namespace(q, pod->meta) || !quota_counts_pod(q->spec, spec))
			continue;
		was = quota_of_pod(p->a, q->spec, &pod->pod->spec);
		is = quota_of_pod(p->a, q->spec, spec);
		c[i] = (struct change){ change(p->a, &was, &is, true),
					change(p->a, &was, &is, false) };
		why = quota_exceeded(p->a, q->object, &q->used, &c[i].more);
		if (why)
			return why;
	}
	for (uint32_t i = 0; i < p->quotas.n; i++) {
		charge(p, &p->quotas.v[i], &c[i].more);
		charge(p, &p->quotas.v[i], &c[i].less);
	}
	return NULL;
}

const char *quotas_admit_object(struct pass *p, const struct object *o)
{
	struct qtymap *more = arena_array(p->a, struct qtymap, p->quotas.n + 1);

	for (uint32_t i = 0; i < p->quotas.n; i++) {
		struct quota *q = &p->quotas.v[i];
		const char *why;

		if (!in_namespace(q, o->meta))
			continue;
		more[i] = quota_of_object(p->a, q->spec, o);
		why = quota_exceeded(p->a, q->object, &q->used, &more[i]);
		if (why)
			return arena_printf(p->a, "%s \"%s\" is forbidden: %s",
					    resource_of(p, o->kind), o->meta->name, why);
	}
	for (uint32_t i = 0; i < p->quotas.n; i++)
		charge(p, &p->quotas.v[i], &more[i]);
	return NULL;
}

void quotas_show(struct pass *p)
{
	for (uint32_t i = 0; i < p->quotas.n; i++) {
		struct resource_quota_status *s = arena_new(p->a, struct resource_quota_status);

		s->hard = p->quotas.v[i].spec->hard;
		s->used = p->quotas.v[i].used;
		pass_status(p, p->quotas.v[i].object, s);
	}
}
