/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of gc.h, which are kubelet's: imageGCHighThresholdPercent and its companions. */
#include "image/gc.h"

#include "base/macro.h"

uint64_t gc_excess(const struct gc_rules *r, uint64_t disk, uint64_t free_bytes)
{
	uint64_t used = disk - MIN(free_bytes, disk);

	if (!r->high || disk == 0 || used < disk / 100 * r->high)
		return 0;
	return used - MIN(used, disk / 100 * r->low);
}

static bool may_go(const struct gc_image *i, const struct gc_rules *r)
{
	return !i->in_use && (r->all || r->now - i->used_at >= r->min_age_s);
}

static int by_age(const void *a, const void *b)
{
	const struct gc_image *x = a, *y = b;

	if (x->used_at != y->used_at)
		return x->used_at < y->used_at ? -1 : 1;
	return strcmp(x->ref, y->ref);
}

unsigned gc_candidates(struct gc_image *v, unsigned n, const struct gc_rules *r)
{
	unsigned front = 0;

	for (unsigned i = 0; i < n; i++) {
		struct gc_image image = v[i];

		if (!may_go(&image, r))
			continue;
		v[i] = v[front];
		v[front++] = image;
	}
	if (front)
		qsort(v, front, sizeof(*v), by_age);
	return front;
}
