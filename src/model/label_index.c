/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sorted array; what is looked for is a run of it. */
#include "model/label_index.h"

#include <stdlib.h>
#include <string.h>

static int place_cmp(const struct label_entry *x, const struct label_entry *y)
{
	int r = strcmp(x->value, y->value);	/* what differs most comes first */

	r = r ? r : strcmp(x->key, y->key);
	return r || x->namespace == y->namespace ? r : strcmp(x->namespace, y->namespace);
}

static int entry_cmp(const void *a, const void *b)
{
	const struct label_entry *x = a, *y = b;
	int r = place_cmp(x, y);

	return r ? r : x->object < y->object ? -1 : x->object > y->object;
}

void label_index_make(struct arena *a, const struct object_list *of,
		      const struct strmap *(*labels)(const struct object *o),
		      struct label_index *ret)
{
	*ret = (struct label_index){ 0 };
	for (uint32_t i = 0; i < of->n; i++) {
		const struct object *o = &of->v[i];
		const struct strmap *l = labels(o);

		for (uint32_t k = 0; l && k < l->n; k++)
			*arena_push(a, ret) = (struct label_entry){
				o->meta->namespace, l->v[k].k, l->v[k].v, o,
			};
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), entry_cmp);
}

/* The first entry from lo on that is not before key, or with after the first one behind it. */
static uint32_t bound(const struct label_index *x, const struct label_entry *key, uint32_t lo,
		      bool after)
{
	uint32_t hi = x->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int r = place_cmp(&x->v[mid], key);

		if (r < 0 || (after && r == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct label_index label_index_find(const struct label_index *x, const char *ns, const char *key,
				    const char *value)
{
	const struct label_entry at = { ns, key, value, NULL };
	uint32_t first = bound(x, &at, 0, false);
	struct label_index run = { .n = bound(x, &at, first, true) - first };

	run.v = run.n ? &x->v[first] : NULL;
	return run;
}

struct label_index label_index_select(const struct label_index *x, const char *ns,
				      const struct strmap *selector)
{
	struct label_index least = { 0 };

	for (uint32_t i = 0; i < selector->n; i++) {
		struct label_index run = label_index_find(x, ns, selector->v[i].k,
							  selector->v[i].v);

		if (!i || run.n < least.n)
			least = run;
	}
	return least;
}
