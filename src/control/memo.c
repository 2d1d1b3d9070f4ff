/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a memo: units, found by the owners that they read, and what it remembers of a pass
 * when that ends.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "control/unit.h"

struct memo *memo_new(void)
{
	struct memo *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->nbuckets = 64;
	m->buckets = calloc(m->nbuckets, sizeof(struct owner_link *));
	if (!m->buckets)
		abort();
	return m;
}

/* ---- units by the owners that they read ---- */

uint64_t uid_hash(const char *uid)
{
	return fnv64_str(FNV64_INIT, uid);
}

static struct owner_link **bucket(const struct memo *m, uint64_t uid)
{
	return &m->buckets[uid & (m->nbuckets - 1)];
}

static void link_add(struct memo *m, struct owner_link *l)
{
	struct owner_link **b = bucket(m, l->uid);

	l->next = *b;
	*b = l;
}

static void link_remove(struct memo *m, struct owner_link *l)
{
	struct owner_link **at = bucket(m, l->uid);

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
}

struct unit *memo_find(const struct memo *m, uint64_t uid)
{
	for (struct owner_link *l = *bucket(m, uid); l; l = l->next)
		if (l->uid == uid)
			return l->unit;
	return NULL;
}

void memo_link(struct memo *m, struct unit *u, const char *uid)
{
	uint64_t hash = uid_hash(uid);
	struct owner_link *l;

	for (l = *bucket(m, hash); l; l = l->next)
		if (l->uid == hash && l->unit == u)
			return;
	l = arena_new(&u->arena, struct owner_link);
	*l = (struct owner_link){ .also = u->links, .uid = hash, .unit = u };
	u->links = l;
	link_add(m, l);
}

/* More units than buckets: all links find a new place. */
static void grow_buckets(struct memo *m)
{
	if (m->nunits < m->nbuckets)
		return;
	m->nbuckets *= 4;
	free(m->buckets);
	m->buckets = calloc(m->nbuckets, sizeof(struct owner_link *));
	if (!m->buckets)
		abort();
	for (uint32_t i = 0; i < m->nunits; i++) {
		link_add(m, &m->units[i]->self);
		for (struct owner_link *l = m->units[i]->links; l; l = l->also)
			link_add(m, l);
	}
}

static void *grown(void *v, uint32_t n, uint32_t *room, size_t size)
{
	if (n <= *room)
		return v;
	*room = MAX(n, *room + *room / 2);
	v = reallocarray(v, *room, size);
	if (!v)
		abort();
	return v;
}

/* ---- the life of units ---- */

void memo_reset(struct memo *m, struct unit *u)
{
	for (struct owner_link *l = u->links; l; l = l->also)
		link_remove(m, l);
	arena_release(&u->arena);
	*u = (struct unit){ .self = u->self, .used = u->used };
}

static void unit_free(struct memo *m, struct unit *u)
{
	memo_reset(m, u);
	link_remove(m, &u->self);
	free(u);
}

struct unit *memo_unit(struct pass *p, const struct object *o)
{
	struct memo *m = p->in->memo;
	struct unit *u;

	if (!m || !o->meta->uid)
		return NULL;
	u = memo_find(m, uid_hash(o->meta->uid));
	if (!u) {
		m->units = grown(m->units, m->nunits + 1, &m->room, sizeof(struct unit *));
		u = m->units[m->nunits++] = calloc(1, sizeof(*u));
		if (!u)
			abort();
		u->self = (struct owner_link){ .uid = uid_hash(o->meta->uid), .unit = u };
		link_add(m, &u->self);
		grow_buckets(m);
	}
	u->used = m->passes;
	return u;
}

void memo_forget(struct memo *m)
{
	for (uint32_t i = 0; i < m->nunits; i++)
		unit_free(m, m->units[i]);
	m->nunits = 0;
	m->pods.n = m->records.n = 0;
	set_unref(m->set);
	m->set = NULL;
}

void memo_free(struct memo *m)
{
	if (!m)
		return;
	memo_forget(m);
	free(m->units);
	free(m->buckets);
	free(m->pods.v);
	free(m->records.v);
	free(m->node_name);
	free(m);
}

struct memo_counts memo_counts(const struct memo *m)
{
	return m->counts;
}

/* Those whose object was gone in the last pass; nothing points to them any more. */
void memo_drop_unused(struct memo *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->nunits; i++) {
		if (m->units[i]->used == m->passes)
			m->units[n++] = m->units[i];
		else
			unit_free(m, m->units[i]);
	}
	m->nunits = n;
}

/* ---- what is remembered ---- */

struct record_mark record_mark(const struct object *o)
{
	const char *owner = controller_uid(o->meta);

	return (struct record_mark){ o->stamp, *owner ? uid_hash(owner) : 0 };
}

/* By the names of their pods, as they were observed. */
static void keep_pods(struct pass *p)
{
	struct memo *m = p->in->memo;

	m->pods.v = grown(m->pods.v, p->seen, &m->pods.room, sizeof(struct kept_pod *));
	m->pods.n = 0;
	for (uint32_t i = 0; i < p->seen; i++) {
		struct kept_pod *k = p->seen_as.kept[i];

		if (!k && (k = p->members.v[i]->as_kept))
			k->member->kept = true;
		if (k)
			m->pods.v[m->pods.n++] = k;
	}
}

static void keep_records(struct pass *p)
{
	const struct object_list *l = &p->in->observed->derived;
	struct memo *m = p->in->memo;

	m->records.v = grown(m->records.v, l->n, &m->records.room, sizeof(struct record_mark));
	m->records.n = l->n;
	m->newest = 0;
	for (uint32_t i = 0; i < l->n; i++) {
		m->records.v[i] = record_mark(&l->v[i]);
		m->newest = MAX(m->newest, l->v[i].stamp);
	}
}

void memo_end(struct pass *p)
{
	struct memo *m = p->in->memo;
	const struct set *was = m->set;

	/* counting who holds a set does not change it */
	m->set = set_ref((struct set *)p->in->set);
	set_unref((struct set *)was);
	m->now = p->in->now;
	m->node_ip = p->in->node_ip;
	m->node_info = p->in->node_info;
	if (!m->node_name || !p->in->node_name || !streq(m->node_name, p->in->node_name)) {
		free(m->node_name);
		m->node_name = p->in->node_name ? strdup(p->in->node_name) : NULL;
	}
	keep_pods(p);
	keep_records(p);
}
