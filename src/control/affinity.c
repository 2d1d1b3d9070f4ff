/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pods near to and away from each other. There is one node, so that every topology that it has a
 * label for is one place with all pods in it, and preferences choose nothing.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
 */
#include "control/affinity.h"

#include "control/node.h"

static bool among(const struct strs *l, const char *s)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i], s))
			return true;
	return false;
}

static const struct strmap *namespace_labels(struct pass *p, const char *name)
{
	const struct object *o = set_find(p->in->set, KIND_NAMESPACE, "", name);
	struct strmap *only;

	if (o)
		return &o->meta->labels;
	only = arena_new(p->a, struct strmap);
	strmap_set(p->a, only, "kubernetes.io/metadata.name", name);
	return only;
}

static bool namespace_fits(struct pass *p, const struct pod_affinity_term *t, const char *own,
			   const char *other)
{
	if (!t->namespaces.n && !t->namespace_selector)
		return streq(own, other);
	return among(&t->namespaces, other) ||
	       (t->namespace_selector &&
		selector_matches(t->namespace_selector, namespace_labels(p, other)));
}

/* Have both the label with one value, or (same false) the other pod none or another value? */
static bool keys_fit(const struct strs *keys, const struct strmap *own, const struct strmap *other,
		     bool same)
{
	for (uint32_t i = 0; i < keys->n; i++) {
		const char *mine = strmap_get(own, keys->v[i]);
		const char *its = strmap_get(other, keys->v[i]);

		if (mine && (its && streq(mine, its)) != same)
			return false;
	}
	return true;
}

/* Is other one of the pods that a term of own is about? */
static bool term_fits(struct pass *p, const struct pod_affinity_term *t, const struct meta *own,
		      const struct meta *other)
{
	return namespace_fits(p, t, own->namespace, other->namespace) &&
	       selector_matches(t->label_selector, &other->labels) &&
	       keys_fit(&t->match_label_keys, &own->labels, &other->labels, true) &&
	       keys_fit(&t->mismatch_label_keys, &own->labels, &other->labels, false);
}

static bool is_here(const struct member *m)
{
	return m->placed && !m->leaves && !m->finished;
}

static bool anyone_fits(struct pass *p, const struct pod_affinity_term *t, const struct member *m)
{
	for (uint32_t i = 0; i < p->members.n; i++) {
		const struct member *o = p->members.v[i];

		if (o != m && is_here(o) &&
		    term_fits(p, t, m->want.object.meta, o->want.object.meta))
			return true;
	}
	return false;
}

static const struct pod_affinity_term_list *wanted(const struct member *m)
{
	const struct affinity *a = m->want.object.pod->spec.affinity;
	static const struct pod_affinity_term_list none;

	return a && a->pod_affinity ?
		&a->pod_affinity->required_during_scheduling_ignored_during_execution : &none;
}

static const struct pod_affinity_term_list *unwanted(const struct member *m)
{
	const struct affinity *a = m->want.object.pod->spec.affinity;
	static const struct pod_affinity_term_list none;

	return a && a->pod_anti_affinity ?
		&a->pod_anti_affinity->required_during_scheduling_ignored_during_execution : &none;
}

/* The first of pods that want each other would wait for ever: none is there that fits any term, and
 * it fits them all itself. */
static bool is_the_first(struct pass *p, const struct member *m)
{
	const struct pod_affinity_term_list *l = wanted(m);
	const struct meta *own = m->want.object.meta;

	for (uint32_t i = 0; i < l->n; i++)
		if (!term_fits(p, &l->v[i], own, own) || anyone_fits(p, &l->v[i], m))
			return false;
	return true;
}

static bool finds_company(struct pass *p, const struct member *m)
{
	const struct pod_affinity_term_list *l = wanted(m);
	bool all = true;

	for (uint32_t i = 0; i < l->n; i++) {
		if (!node_label(p, l->v[i].topology_key))
			return false;
		all &= anyone_fits(p, &l->v[i], m);
	}
	return all || is_the_first(p, m);
}

static bool meets_unwanted(struct pass *p, const struct member *m)
{
	const struct pod_affinity_term_list *l = unwanted(m);

	for (uint32_t i = 0; i < l->n; i++)
		if (node_label(p, l->v[i].topology_key) && anyone_fits(p, &l->v[i], m))
			return true;
	return false;
}

static bool is_unwanted(struct pass *p, const struct member *m)
{
	for (uint32_t i = 0; p->repulsion && i < p->members.n; i++) {
		const struct member *o = p->members.v[i];
		const struct pod_affinity_term_list *l = unwanted(o);

		for (uint32_t k = 0; o != m && is_here(o) && k < l->n; k++)
			if (node_label(p, l->v[k].topology_key) &&
			    term_fits(p, &l->v[k], o->want.object.meta, m->want.object.meta))
				return true;
	}
	return false;
}

const char *affinity_reason(struct pass *p, const struct member *m)
{
	if (wanted(m)->n && !finds_company(p, m))
		return "node(s) didn't match pod affinity rules";
	if (meets_unwanted(p, m))
		return "node(s) didn't match pod anti-affinity rules";
	if (is_unwanted(p, m))
		return "node(s) didn't satisfy existing pods anti-affinity rules";
	return NULL;
}

/* ---- spread ---- */

static int64_t matching(struct pass *p, const struct topology_spread_constraint *c,
			const struct member *m)
{
	const struct meta *own = m->want.object.meta;
	int64_t n = 0;

	for (uint32_t i = 0; i < p->members.n; i++) {
		const struct member *o = p->members.v[i];
		const struct meta *other = o->want.object.meta;

		n += o != m && is_here(o) && !o->want.stop &&
		     streq(own->namespace, other->namespace) &&
		     selector_matches(c->label_selector, &other->labels) &&
		     keys_fit(&c->match_label_keys, &own->labels, &other->labels, true);
	}
	return n;
}

/* With one place the difference to the emptiest one is the pod itself, unless there should be more
 * places: then that one is empty. */
const char *spread_reason(struct pass *p, const struct member *m, bool *ret_final)
{
	const struct topology_spread_constraint_list *l =
		&m->want.object.pod->spec.topology_spread_constraints;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct topology_spread_constraint *c = &l->v[i];
		bool self = selector_matches(c->label_selector, &m->want.object.meta->labels);

		if (c->when_unsatisfiable != UNSATISFIABLE_DO_NOT_SCHEDULE)
			continue;
		if (!node_label(p, c->topology_key)) {
			*ret_final = true;
			return "node(s) didn't match pod topology spread constraints (missing "
			       "required label)";
		}
		if (c->min_domains > 1 && matching(p, c, m) + self > c->max_skew)
			return "node(s) didn't match pod topology spread constraints";
	}
	return NULL;
}
