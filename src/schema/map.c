/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sorted maps of described structs: lookup, change, inclusion. */
#include "schema/schema.h"

#include <string.h>

#include "base/macro.h"

/* First place whose key is not below k. */
static uint32_t place(const struct strmap *m, const char *k)
{
	uint32_t lo = 0, hi = m->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (strcmp(m->v[mid].k, k) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const char *strmap_get(const struct strmap *m, const char *k)
{
	uint32_t i = place(m, k);

	return i < m->n && streq(m->v[i].k, k) ? m->v[i].v : NULL;
}

void strmap_set(struct arena *a, struct strmap *m, const char *k, const char *v)
{
	uint32_t i = place(m, k);

	if (i < m->n && streq(m->v[i].k, k)) {
		m->v[i].v = arena_strdup(a, v);
		return;
	}
	/* a new array: a shallow copy of the struct may share the old one */
	struct strpair *grown = arena_array(a, struct strpair, m->n + 1);
	if (m->n) {
		memcpy(grown, m->v, i * sizeof(*grown));
		memcpy(grown + i + 1, m->v + i, (m->n - i) * sizeof(*grown));
	}
	grown[i] = (struct strpair){ arena_strdup(a, k), arena_strdup(a, v) };
	m->v = grown;
	m->n++;
}

void strmap_del(struct strmap *m, const char *k)
{
	uint32_t i = place(m, k);

	if (i == m->n || !streq(m->v[i].k, k))
		return;
	m->n--;
	memmove(m->v + i, m->v + i + 1, (m->n - i) * sizeof(*m->v));
}

const struct quantity *qtymap_get(const struct qtymap *m, const char *k)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (streq(m->v[i].k, k))
			return &m->v[i].v;
	}
	return NULL;
}

void qtymap_set(struct arena *a, struct qtymap *m, const char *k, struct quantity v)
{
	uint32_t i = 0;

	while (i < m->n && strcmp(m->v[i].k, k) < 0)
		i++;
	bool there = i < m->n && streq(m->v[i].k, k);
	/* a new array: a shallow copy of the struct may share the old one */
	struct qtypair *grown = arena_array(a, struct qtypair, m->n + 1);
	if (m->n) {
		memcpy(grown, m->v, i * sizeof(*grown));
		memcpy(grown + i + 1, m->v + i + there, (m->n - i - there) * sizeof(*grown));
	}
	grown[i] = (struct qtypair){ k, v };
	m->v = grown;
	m->n += !there;
}

bool strmap_contains(const struct strmap *all, const struct strmap *part)
{
	for (uint32_t i = 0; i < part->n; i++) {
		const char *v = strmap_get(all, part->v[i].k);
		if (!v || !streq(v, part->v[i].v))
			return false;
	}
	return true;
}
