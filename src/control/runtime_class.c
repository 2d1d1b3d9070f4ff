/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RuntimeClasses, resolved when a pod is made: what the class costs becomes the pod's overhead, and
 * where it is known the pod's nodeSelector and tolerations. A class that nobody has declared is found
 * missing when the pod's sandbox is made, and the pod waits.
 * https://kubernetes.io/docs/concepts/containers/runtime-class/
 */
#include "control/admit.h"

static const struct runtime_class *find(struct pass *p, const struct pod_spec *s)
{
	bool named = s->runtime_class_name && *s->runtime_class_name;
	const struct object *o =
		named ? set_find(p->in->set, KIND_RUNTIMECLASS, "", s->runtime_class_name) : NULL;

	return o ? o->runtime_class : NULL;
}

static bool same_amounts(const struct qtymap *a, const struct qtymap *b)
{
	for (uint32_t i = 0; i < a->n; i++) {
		const struct quantity *other = qtymap_get(b, a->v[i].k);

		if (!other || other->milli != a->v[i].v.milli)
			return false;
	}
	return a->n == b->n;
}

static const char *overhead(const struct runtime_class *c, struct pod_spec *s)
{
	const struct qtymap none = { 0 };
	const struct qtymap *fixed = c && c->overhead ? &c->overhead->pod_fixed : &none;

	if (s->overhead.n && !same_amounts(&s->overhead, fixed))
		return fixed->n ? "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined "
				  "Overhead" :
				  "pod rejected: Pod Overhead set without corresponding RuntimeClass "
				  "defined Overhead";
	if (fixed->n) {
		s->overhead = *fixed;
		MARK(s, pod_spec, overhead);
	}
	return NULL;
}

static const char *select_node(struct pass *p, const struct strmap *nodes, struct pod_spec *s)
{
	struct strmap all = map_copy(p->a, &s->node_selector);

	for (uint32_t i = 0; i < nodes->n; i++) {
		const char *key = nodes->v[i].k, *own = strmap_get(&all, key);

		if (own && !streq(own, nodes->v[i].v))
			return arena_printf(p->a, "pod rejected: conflict: runtimeClass.scheduling."
					    "nodeSelector[%s] = %s; pod.spec.nodeSelector[%s] = %s",
					    key, nodes->v[i].v, key, own);
		strmap_set(p->a, &all, key, nodes->v[i].v);
	}
	s->node_selector = all;
	MARK(s, pod_spec, node_selector);
	return NULL;
}

static bool tolerates(const struct pod_spec *s, const struct toleration *t)
{
	for (uint32_t i = 0; i < s->tolerations.n; i++)
		if (schema_equal(&toleration_type, &s->tolerations.v[i], t))
			return true;
	return false;
}

/* Another list: that of the manifest is not ours. */
static void tolerate(struct pass *p, const struct toleration_list *more, struct pod_spec *s)
{
	struct toleration_list all = { 0 };

	for (uint32_t i = 0; i < s->tolerations.n; i++)
		*arena_push(p->a, &all) = s->tolerations.v[i];
	for (uint32_t i = 0; i < more->n; i++)
		if (!tolerates(s, &more->v[i]))
			*arena_push(p->a, &all) = more->v[i];
	s->tolerations = all;
	MARK(s, pod_spec, tolerations);
}

const char *runtime_class_admit(struct pass *p, struct pod_spec *s)
{
	const struct runtime_class *c = find(p, s);
	const char *why = c || !s->runtime_class_name ? overhead(c, s) : NULL;

	if (why || !c || !c->scheduling)
		return why;
	if (c->scheduling->node_selector.n)
		why = select_node(p, &c->scheduling->node_selector, s);
	if (!why && c->scheduling->tolerations.n)
		tolerate(p, &c->scheduling->tolerations, s);
	return why;
}
