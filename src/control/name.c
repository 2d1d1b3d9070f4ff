/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and uids. All are functions of the pass's seed and of what they are for, so that the same
 * input gives the same names. The alphabet is Kubernetes': no vowels, nothing that looks alike.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "control/unit.h"

#define SUFFIX 5
#define NAME_MAX_GENERATED 63

static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";

/* splitmix64: spreads the few differing bits of the input over the whole word */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint64_t draw(struct pass *p, const char *what, const char *ns, const char *name, uint64_t n)
{
	uint64_t h = fnv64(FNV64_INIT, &p->in->seed, sizeof(p->in->seed));

	h = fnv64_str(h, what);
	h = fnv64_str(h, ns);
	h = fnv64_str(h, name);
	return mix(fnv64(h, &n, sizeof(n)));
}

static void uid_print(uint64_t hi, uint64_t lo, char ret[37])
{
	/* RFC 9562: version 4, variant 10 */
	snprintf(ret, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(hi >> 32),
		 (unsigned)(hi >> 16 & 0xffff), (unsigned)(hi & 0xfff),
		 (unsigned)(lo >> 48 & 0x3fff) | 0x8000u,
		 (unsigned long long)(lo & 0xffffffffffffULL));
}

void name_uid(struct pass *p, const char *kind, const char *ns, const char *name, char ret[37])
{
	uid_print(draw(p, kind, ns, name, 0), draw(p, kind, ns, name, 1), ret);
}

void name_uid_below(const char *owner_uid, const char *what, char ret[37])
{
	uint64_t h = fnv64_str(fnv64_str(FNV64_INIT, owner_uid), what);

	uid_print(mix(h), mix(h + 1), ret);
}

static uint64_t place_of(const char *ns, const char *name)
{
	return mix(fnv64_str(fnv64_str(FNV64_INIT, ns), name));
}

/* Its slot, or the free one where it belongs; there is always a free one. */
static struct member **name_slot(const struct pass *p, const char *ns, const char *name)
{
	uint64_t i = place_of(ns, name);
	struct member **slot;

	while (*(slot = &p->names.v[i++ & (p->names.size - 1)])) {
		const struct meta *m = (*slot)->want.object.meta;

		if (streq(m->name, name) && streq(m->namespace, ns))
			break;
	}
	return slot;
}

static void put(struct pass *p, struct member *m)
{
	const struct meta *meta = m->want.object.meta;

	*name_slot(p, meta->namespace, meta->name) = m;
}

void name_note(struct pass *p, struct member *m)
{
	if (2 * (p->members.n - p->seen) >= p->names.size) {
		p->names.size = MAX(p->names.size * 2, 64u);
		p->names.v = arena_array(p->own, struct member *, p->names.size);
		for (uint32_t i = p->seen; i < p->members.n; i++)
			put(p, p->members.v[i]);
	}
	put(p, m);
}

static int seen_cmp(const struct pass *p, uint32_t i, const char *ns, const char *name)
{
	const struct meta *m = p->members.v[i]->want.object.meta;
	int r = strcmp(m->namespace, ns);

	return r ? r : strcmp(m->name, name);
}

uint32_t name_place(const struct pass *p, const char *ns, const char *name)
{
	uint32_t lo = 0, hi = p->seen;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (seen_cmp(p, mid, ns, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct member *name_find(const struct pass *p, const char *ns, const char *name)
{
	uint32_t i = name_place(p, ns, name);
	struct member *m = i < p->seen && !seen_cmp(p, i, ns, name) ? p->members.v[i] : NULL;

	return m || !p->names.size ? m : *name_slot(p, ns, name);
}

bool name_taken(struct pass *p, const char *ns, const char *name)
{
	unit_depends(p);
	return name_find(p, ns, name) != NULL;
}

const char *name_pod(struct pass *p, const char *ns, const char *base)
{
	int room = NAME_MAX_GENERATED - SUFFIX - 1;
	char suffix[SUFFIX + 1] = "";
	const char *name;
	uint64_t n = 0;

	do {
		uint64_t bits = draw(p, "pod", ns, base, n++);

		for (int i = 0; i < SUFFIX; i++, bits /= sizeof(alphabet) - 1)
			suffix[i] = alphabet[bits % (sizeof(alphabet) - 1)];
		name = arena_printf(p->a, "%.*s-%s", room, base, suffix);
	} while (name_taken(p, ns, name));
	return name;
}

void name_hash(uint32_t hash, char ret[16])
{
	char digits[16];
	int i = 0;

	snprintf(digits, sizeof(digits), "%u", hash);
	for (; digits[i]; i++)
		ret[i] = alphabet[(unsigned char)digits[i] % (sizeof(alphabet) - 1)];
	ret[i] = '\0';
}
