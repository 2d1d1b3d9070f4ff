/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about plans and holds. A plan says exactly what apply then does to what is in force; what
 * rollout undo or pause put on an object stays until its manifest is edited or somebody takes it back.
 */
#include <stdio.h>

#include "oracle.h"

/* ---- plans ---- */

static const struct object *find(const struct set *set, const struct object_key *k)
{
	return set ? set_find(set, k->kind->id, k->namespace, k->name) : NULL;
}

static void check_change(struct sim *s, const struct set *was, const struct change *c)
{
	const struct object *before = find(was, &c->key), *after = find(s->set, &c->key);

	switch (c->op) {
	case CHANGE_CREATE:
		if (before || !after)
			sim_broken(s, "plan-is-true", "%s was to be created", c->key.name);
		break;
	case CHANGE_DELETE:
		if (!before || (c->guarded ? !after : after != NULL))
			sim_broken(s, "plan-is-true", "%s was to be %s", c->key.name,
				   c->guarded ? "kept" : "deleted");
		break;
	case CHANGE_UPDATE:
		if (!before || !after)
			sim_broken(s, "plan-is-true", "%s was to be updated", c->key.name);
		break;
	case CHANGE_HELD:
		if (!after || !find(s->set, &c->key)->held)
			sim_broken(s, "plan-is-true", "%s was to be held", c->key.name);
		break;
	default:
		break;
	}
}

static bool tells(const struct plan *p, const struct object *o, enum change_op op)
{
	struct object_key key = object_key(o);

	for (uint32_t i = 0; i < p->changes.n; i++)
		if (p->changes.v[i].op == op && !object_key_cmp(&p->changes.v[i].key, &key))
			return true;
	return false;
}

/* Nothing happens that it did not say. */
static void check_silence(struct sim *s, const struct set *was, const struct plan *p)
{
	for (uint32_t i = 0; i < s->set->objects.n; i++) {
		const struct object *o = &s->set->objects.v[i];
		struct object_key key = object_key(o);
		const struct object *before = find(was, &key);

		if (!before && !tells(p, o, CHANGE_CREATE))
			sim_broken(s, "plan-is-true", "%s came unannounced", o->meta->name);
		if (before && before->digest != o->digest && !tells(p, o, CHANGE_UPDATE) &&
		    !tells(p, o, CHANGE_DELETE) && !oracle_same_but_scaled(s, before, o))
			sim_broken(s, "plan-is-true", "%s changed unannounced", o->meta->name);
	}
	for (uint32_t i = 0; was && i < was->objects.n; i++) {
		struct object_key key = object_key(&was->objects.v[i]);

		if (!find(s->set, &key) && !tells(p, &was->objects.v[i], CHANGE_DELETE))
			sim_broken(s, "plan-is-true", "%s went unannounced", key.name);
	}
}

/* ---- holds ---- */

void oracle_held(struct oracle *o, const struct hold *h)
{
	for (uint32_t i = 0; i < o->holds.n; i++) {
		if (object_key_cmp(&o->holds.v[i].key, &h->key))
			continue;
		o->holds.v[i] = *h;
		return;
	}
	*arena_push(&o->arena, &o->holds) = *h;
}

static const struct object *declared(const struct set *set, const struct object *o)
{
	for (uint32_t i = 0; i < set->declared.n; i++)
		if (!object_cmp(&set->declared.v[i], o))
			return &set->declared.v[i];
	return o;
}

/* False: it is over. */
static bool check_hold(struct sim *s, struct hold *h)
{
	const struct object *o = find(s->set, &h->key);

	if (!o)
		return false;
	if (h->content && declared(s->set, o)->digest != h->digest)
		h->content = NULL;	/* it was edited */
	if (h->content && (!o->held || o->hold_revision != h->revision))
		sim_broken(s, "hold-stays", "%s was brought back to revision %u and is not held",
			   h->key.name, h->revision);
	if (o->kind->id == KIND_DEPLOYMENT && h->paused != h->resumed &&
	    o->deployment->spec.paused != h->paused)
		sim_broken(s, "hold-stays", "%s was %s and is not", h->key.name,
			   h->paused ? "paused" : "resumed");
	return true;
}

void oracle_applied(struct sim *s, const struct set *was, const struct plan *p)
{
	struct oracle *k = s->data;
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->changes.n; i++)
		check_change(s, was, &p->changes.v[i]);
	check_silence(s, was, p);
	for (uint32_t i = 0; i < k->holds.n; i++)
		if (check_hold(s, &k->holds.v[i]))
			k->holds.v[n++] = k->holds.v[i];
	k->holds.n = n;
}
