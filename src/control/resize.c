/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In-place changes of requests and limits. What a manifest asks for beyond what its pod has is
 * granted, whole, when LimitRanges and quotas allow it and the node has room; until then the pod
 * keeps what it has, an annotation says since when the other is asked for, and what of it is more
 * counts as taken. What is bigger than the node is Infeasible, all else Deferred. Nobody else is
 * made to go for it. https://kep.k8s.io/1287
 */
#include "control/resize.h"

#include <stdio.h>

#include "control/admit.h"
#include "control/quota.h"

#define PENDING_ANNOTATION "orch/resize-pending"	/* HASH TIME */
#define RETRY (5 * NSEC)	/* of what is in use */

/* ---- what is asked for ---- */

static int64_t generation(const struct member *m)
{
	return MAX(m->want.object.meta->generation, (int64_t)1);
}

/* Since when this is known to be asked for; 0: it was not known. */
static int64_t known_since(const struct member *m, const char *hash)
{
	const char *text = m->seen ? strmap_get(&m->seen->object->meta->annotations,
						PENDING_ANNOTATION) : NULL;
	size_t n = strlen(hash);
	int64_t t;

	return text && strncmp(text, hash, n) == 0 && text[n] == ' ' &&
	       time_parse(text + n + 1, &t) == 0 ? t : 0;
}

static bool is_pending(const struct member *m)
{
	return m->seen && strmap_get(&m->seen->object->meta->annotations, PENDING_ANNOTATION);
}

void resize_ask(struct pass *p, struct member *m, const struct resize *asked)
{
	struct resize *r = arena_new(p->a, struct resize);
	char text[32];

	*r = *asked;
	r->since = known_since(m, r->hash);
	member_own(p, m);
	if (!r->since) {
		r->since = whole_seconds(p->in->now);
		m->want.object.meta->generation = generation(m) + 1;
	}
	time_format(r->since, text);
	strmap_set(p->a, &m->want.object.meta->annotations, PENDING_ANNOTATION,
		   arena_printf(p->a, "%s %s", r->hash, text));
	m->resize = r;
}

void resize_forget(struct pass *p, struct member *m)
{
	if (!is_pending(m))
		return;
	member_own(p, m);
	m->want.object.meta->generation = generation(m) + 1;
}

/* ---- may it be? ---- */

static bool wait_for(struct resize *r, const char *reason, const char *message)
{
	r->reason = reason;
	r->message = message;
	return false;
}

static bool wait_for_room(struct pass *p, struct resize *r, const char *name, int64_t need,
			  int64_t used, int64_t all)
{
	long long n = need, u = used, most = all;

	if (need > all)
		return wait_for(r, "Infeasible", arena_printf(p->a,
				"Node didn't have enough capacity: %s, requested: %lld, "
				"capacity: %lld", name, n, most));
	return wait_for(r, "Deferred", arena_printf(p->a,
			"Node didn't have enough resource: %s, requested: %lld, used: %lld, "
			"capacity: %lld", name, n, u, most));
}

/* Only what grows needs room. */
static bool fits(struct pass *p, struct member *m, const struct room *room,
		 const struct room_need *had, const struct room_need *need)
{
	const struct quantity *cpu = qtymap_get(&p->in->allocatable, "cpu");
	const struct quantity *memory = qtymap_get(&p->in->allocatable, "memory");
	const struct { const char *name; int64_t need, had, used, all; } rows[] = {
		{ "memory", need->memory, had->memory, room->used.memory,
		  memory ? quantity_value(memory) : INT64_MAX },
		{ "cpu", need->cpu, had->cpu, room->used.cpu, cpu ? cpu->milli : INT64_MAX },
	};
	const size_t n = ARRAY_SIZE(rows);

	for (int most = 1; most >= 0; most--) {		/* the whole node first */
		for (size_t i = 0; i < n; i++) {
			int64_t others = most ? 0 : rows[i].used - rows[i].had;

			if (rows[i].need > rows[i].had && rows[i].need > rows[i].all - others)
				return wait_for_room(p, m->resize, rows[i].name, rows[i].need,
						     others, rows[i].all);
		}
	}
	return true;
}

static bool is_admitted(struct pass *p, struct member *m)
{
	struct object as_asked = m->want.object;
	struct pod body = *as_asked.pod;
	const char *why;

	body.spec = m->resize->desired;
	as_asked.pod = &body;
	as_asked.meta = &body.metadata;
	why = admit_limits(p, &as_asked);
	if (why)
		return wait_for(m->resize, "Infeasible", why);
	why = quotas_admit_change(p, &m->want.object, &body.spec);
	return why ? wait_for(m->resize, "Deferred", why) : true;
}

/* ---- it is ---- */

static unsigned restarts(const struct member *m, const struct container *c,
			 const struct container *then)
{
	const struct observed_container *runs = member_container(m, c->name);
	struct container_resources was = container_resources(c), is = container_resources(then);

	if (!runs || runs->phase != RUN_RUNNING)
		return 0;
	return container_resize_restarts(c, runs->in_force ? runs->in_force : &was, &is);
}

static void grant(struct pass *p, struct member *m)
{
	struct meta *meta = m->want.object.meta;
	struct pod_spec *s = &m->want.object.pod->spec;

	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		struct container *c = pod_container(s, i);
		const struct container *then = pod_container(&m->resize->desired, i);

		m->want.resize_restarts += restarts(m, c, then);
		c->resources = then->resources;
	}
	strmap_set(p->a, &meta->annotations, SPEC_HASH_ANNOTATION, m->resize->hash);
	strmap_del(&meta->annotations, PENDING_ANNOTATION);
	m->want.resize = "resources changed";
	m->resize = NULL;
}

static void decide(struct pass *p, struct member *m, struct room *room)
{
	struct room_need had = room_need(p, &m->want.object.pod->spec);
	struct room_need need = room_need(p, &m->resize->desired);
	bool takes_room = m->placed && !m->finished;

	if (m->finished || ((!takes_room || fits(p, m, room, &had, &need)) && is_admitted(p, m))) {
		room->used.cpu += takes_room ? need.cpu - had.cpu : 0;
		room->used.memory += takes_room ? need.memory - had.memory : 0;
		grant(p, m);
	} else {
		m->want.declared = m->resize->shown;
		m->want.resize_waits = arena_printf(p->a, "%s: %s",
						    streq(m->resize->reason, "Deferred") ?
							    "deferred" : "infeasible",
						    m->resize->message);
	}
}

/* What could not be done, as memory was in use, is tried again. */
static void try_again(struct pass *p, struct member *m)
{
	const struct observed_resize *r = m->seen ? m->seen->resize : NULL;

	if (!r || r->done_at || !r->error || m->want.resize || m->want.stop || m->lost)
		return;
	if (p->in->now >= r->tried_at + RETRY)
		m->want.resize = r->error;
	else
		pass_wake(p, r->tried_at + RETRY);
}

static bool is_guaranteed(const struct member *m)
{
	return streq(pod_qos(&m->want.object.pod->spec), "Guaranteed");
}

static int by_right(const void *x, const void *y)
{
	const struct member *a = *(struct member *const *)x, *b = *(struct member *const *)y;
	int32_t pa = a->want.object.pod->spec.priority, pb = b->want.object.pod->spec.priority;
	int guaranteed = is_guaranteed(b) - is_guaranteed(a);

	if (pa != pb)
		return pa > pb ? -1 : 1;
	if (guaranteed)
		return guaranteed;
	if (a->resize->since != b->resize->since)
		return a->resize->since < b->resize->since ? -1 : 1;
	return object_cmp(&a->want.object, &b->want.object);
}

void resizes_decide(struct pass *p)
{
	struct member_list asked = { 0 };
	struct room room;

	for (uint32_t i = 0; i < p->fresh.n; i++) {
		struct member *m = p->fresh.v[i];

		if (m->resize && !m->want.stop)
			*arena_push(p->a, &asked) = m;
	}
	if (asked.n) {
		qsort(asked.v, asked.n, sizeof(*asked.v), by_right);
		room_measure(p, true, &room);
	}
	for (uint32_t i = 0; i < asked.n; i++)
		decide(p, asked.v[i], &room);
	for (uint32_t i = 0; i < p->fresh.n; i++)
		try_again(p, p->fresh.v[i]);
}

/* What shrinks gives its room when that is done, which may fail. */
void resize_need(struct pass *p, const struct member *m, struct room_need *n)
{
	const struct pod_spec *other = NULL;
	struct room_need more;

	if (m->resize && m->resize->reason && !streq(m->resize->reason, "Infeasible"))
		other = &m->resize->desired;
	else if (m->want.resize && m->seen)
		other = &m->seen->object->pod->spec;
	if (!other)
		return;
	more = room_need(p, other);
	n->cpu = MAX(n->cpu, more.cpu);
	n->memory = MAX(n->memory, more.memory);
}
