/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking up what earlier passes made: ReplicaSets, revisions, Jobs and their records. The list is
 * sorted, and all that one object makes is named after it, so that nobody has to look at the rest.
 */
#include <string.h>

#include "control/pass.h"

const struct object *derived_find(const struct pass *p, const struct object *o)
{
	const struct object_list *l = &p->in->observed->derived;
	const struct object *found = l->n ? bsearch(o, l->v, l->n, sizeof(*o), object_cmp) : NULL;

	return found && found->meta->uid && streq(found->meta->uid, o->meta->uid) ? found : NULL;
}

/* The first object that is not before key. */
static uint32_t first_at(const struct object_list *l, const struct object_key *key)
{
	uint32_t lo = 0, hi = l->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct object_key k = object_key(&l->v[mid]);

		if (object_key_cmp(&k, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct object_list derived_below(const struct pass *p, enum kind_id kind, const struct meta *owner)
{
	const struct object_list *l = &p->in->observed->derived;
	const char *prefix = arena_printf(p->a, "%s-", owner->name);
	struct object_key from = { &kinds[kind], owner->namespace, prefix };
	uint32_t first = first_at(l, &from), n = 0;

	while (first + n < l->n && l->v[first + n].kind->id == kind &&
	       streq(l->v[first + n].meta->namespace, owner->namespace) &&
	       strncmp(l->v[first + n].meta->name, prefix, strlen(prefix)) == 0)
		n++;
	return (struct object_list){ .v = l->v + first, .n = n };
}
