/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sorted array; what is looked for is a run of it. */
#include "model/label_index.h"

#include <stdlib.h>
#include <string.h>

static int place_cmp(const struct label_entry *x, const struct label_entry *y)
{
	int r = strcmp(x->namespace, y->namespace);

	r = r ? r : strcmp(x->key, y->key);
	return r ? r : strcmp(x->value, y->value);
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

/* The first entry that is not before key. */
static uint32_t lower_bound(const struct label_index *x, const struct label_entry *key)
{
	uint32_t lo = 0, hi = x->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (place_cmp(&x->v[mid], key) < 0)
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
	struct label_index run = { 0 };
	uint32_t first = lower_bound(x, &at);

	while (first + run.n < x->n && place_cmp(&x->v[first + run.n], &at) == 0)
		run.n++;
	run.v = run.n ? &x->v[first] : NULL;
	return run;
}
