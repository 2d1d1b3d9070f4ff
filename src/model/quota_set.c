/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Declared objects that ResourceQuotas count: Services, ConfigMaps, claims and so on. What is in
 * force stays, whatever the quota says by now; what is new gets the places that are left, in the
 * order of the files. Who would be too much is refused. Pods are counted when they are made.
 */
#include "base/macro.h"
#include "model/build.h"
#include "model/quota.h"
#include "schema/schema.h"

struct candidate {
	const struct object *object;
	struct qtymap amount;
	bool in_force;
	uint32_t index;			/* in the set */
};
struct candidate_list { struct candidate *v; uint32_t n; };

struct counting {
	struct set *set;
	const struct clash_context *context;
	const struct object *quota;
	struct arena scratch;
	bool *refused, *holds;
};

static int by_right(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->in_force != b->in_force)
		return a->in_force ? -1 : 1;
	int r = strcmp(a->object->file, b->object->file);
	return r ? r : a->object->line < b->object->line ? -1 : a->object->line > b->object->line;
}

static void collect(struct counting *c, struct candidate_list *ret)
{
	const struct resource_quota_spec *spec = &c->quota->resource_quota->spec;
	const struct object_list *l = &c->set->objects;

	for (uint32_t i = 0; i < l->n; i++) {
		struct object_key key = object_key(&l->v[i]);
		struct qtymap amount;

		if (c->refused[i] || l->v[i].kind->id == KIND_POD || !l->v[i].kind->namespaced ||
		    !streq(key.namespace, c->quota->meta->namespace))
			continue;
		amount = quota_of_object(&c->scratch, spec, &l->v[i]);
		if (amount.n)
			*arena_push(&c->scratch, ret) = (struct candidate){
				&l->v[i], amount, c->context->in_force(c->context, &key), i,
			};
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_right);
}

static void refuse(struct counting *c, const struct candidate *x, const char *why)
{
	const struct object *o = x->object;

	c->refused[x->index] = true;
	msgs_add(&c->set->msgs, false, o->file, o->line, o->col, "", "%s \"%s\" is forbidden: %s",
		 o->kind->plural, o->meta->name, why);
}

/* Is some bound reached or passed, so that it matters who has a place? */
static bool is_full(const struct qtymap *hard, const struct qtymap *used)
{
	for (uint32_t i = 0; i < hard->n; i++) {
		const struct quantity *is = qtymap_get(used, hard->v[i].k);

		if (is->milli >= hard->v[i].v.milli && is->milli)
			return true;
	}
	return false;
}

static void count(struct counting *c)
{
	const struct qtymap *hard = &c->quota->resource_quota->spec.hard;
	struct candidate_list l = { 0 };
	struct qtymap used = { 0 };

	for (uint32_t i = 0; i < hard->n; i++)
		qtymap_set(&c->scratch, &used, hard->v[i].k, quantity_from_milli(&c->scratch, 0));
	collect(c, &l);
	for (uint32_t i = 0; i < l.n; i++) {
		const char *why = l.v[i].in_force ? NULL :
			quota_exceeded(&c->scratch, c->quota, &used, &l.v[i].amount);

		if (why)
			refuse(c, &l.v[i], why);
		else
			quota_charge(&c->scratch, &used, &l.v[i].amount);
	}
	for (uint32_t i = 0; is_full(hard, &used) && i < l.n; i++)
		c->holds[l.v[i].index] |= !c->refused[l.v[i].index];
}

bool set_refuse_by_quota(struct set *s, const struct clash_context *context, bool *refused,
			 bool *holds)
{
	struct object_list quotas = set_kind(s, KIND_RESOURCEQUOTA);
	struct counting c = { .set = s, .context = context, .refused = refused, .holds = holds };

	for (uint32_t i = 0; i < quotas.n; i++) {
		c.quota = &quotas.v[i];
		count(&c);
	}
	arena_release(&c.scratch);
	return quotas.n;
}
