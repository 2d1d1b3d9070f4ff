/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pods have the first label of a selector; see wishes.h. */
#include "control/wishes.h"

static int wish_cmp(const void *x, const void *y)
{
	const struct wish *a = x, *b = y;

	return a->label < b->label ? -1 : a->label > b->label;
}

struct wish *wish_find(const struct wishes *w, uint64_t label)
{
	struct wish key = { .label = label };

	return w->n ? bsearch(&key, w->v, w->n, sizeof(key), wish_cmp) : NULL;
}

uint64_t wished_label(const struct object *o)
{
	return label_hash(o->meta->namespace, &o->service->spec.selector.v[0]);
}

static bool is_kept(const struct unit *u)
{
	return u && u->kept;
}

static void collect(struct pass *p, const struct object_list *services, struct unit *const *units,
		    struct wishes *ret)
{
	uint32_t n = 0;

	*ret = (struct wishes){ 0 };
	for (uint32_t i = 0; i < services->n; i++) {
		const struct object *o = &services->v[i];

		if (o->service->spec.selector.n)
			*arena_push(p->a, ret) = (struct wish){
				.label = is_kept(units[i]) ? units[i]->labels.v[0] : wished_label(o),
				.open = !is_kept(units[i]),
			};
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), wish_cmp);
	for (uint32_t i = 0; i < ret->n; i++) {
		if (n && ret->v[n - 1].label == ret->v[i].label)
			ret->v[n - 1].open |= ret->v[i].open;
		else
			ret->v[n++] = ret->v[i];
	}
	ret->n = n;
}

/* One walk over the pods for all services. What was kept of pods does not open a wish. */
static void fulfil_fresh(struct pass *p, struct wishes *w)
{
	for (uint32_t i = 0; w->n && i < p->fresh.n; i++) {
		struct member *m = p->fresh.v[i];
		const struct meta *meta = m->want.object.meta;

		for (uint32_t k = 0; k < meta->labels.n; k++) {
			struct wish *to = wish_find(w, label_hash(meta->namespace,
								  &meta->labels.v[k]));

			if (!to)
				continue;
			to->open = true;
			*arena_push(p->a, &to->found) = m;
		}
	}
	for (uint32_t i = 0; i < p->stale.n; i++) {
		struct wish *to = wish_find(w, p->stale.v[i]);

		if (to)
			to->open = true;
	}
}

/* All its pods, when some of them have the label: the services look closer. */
static void offer(struct pass *p, struct wish *to, const struct unit *u)
{
	for (uint32_t i = 0; to && to->open && i < u->members.n; i++)
		*arena_push(p->a, &to->found) = u->members.v[i];
}

static void fulfil_open(struct pass *p, struct wishes *w)
{
	const struct memo *memo = p->in->memo;
	bool any = false;

	for (uint32_t i = 0; i < w->n; i++)
		any |= w->v[i].open;
	for (uint32_t i = 0; memo && any && i < memo->nunits; i++) {
		const struct unit *u = memo->units[i];

		for (uint32_t k = 0; unit_has_kept_pods(u) && k < u->labels.n; k++)
			offer(p, wish_find(w, u->labels.v[k]), u);
	}
}

void wishes_fulfil(struct pass *p, const struct object_list *services, struct unit *const *units,
		   struct wishes *ret)
{
	collect(p, services, units, ret);
	fulfil_fresh(p, ret);
	fulfil_open(p, ret);
}
