/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Node-pressure eviction. A look at the signals says which thresholds are met, which conditions
 * the node has, and what has to be gained now; a pass then chooses one pod, and only when what
 * was measured is younger than the last choice: between two, the machine is looked at again. Pods
 * that use more than they requested go first, then those of lower priority, then those that use
 * most beyond it: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
 */
#include "control/disruption.h"
#include "control/eviction.h"
#include "control/node.h"

#define SYSTEM_CRITICAL 2000000000	/* priority from which on a pod is never evicted */

enum node_pressure eviction_pressure(enum node_signal s)
{
	return s == SIGNAL_MEMORY ? PRESSURE_MEMORY :
	       s == SIGNAL_PID	  ? PRESSURE_PID :
				    PRESSURE_DISK;
}

/* Once met, it is so until the minimum is gained as well. */
static void judge(const struct eviction_amount *x, const struct eviction_amount *reclaim,
		  const struct observed_node *n, enum node_signal s, int64_t *since)
{
	int64_t more = *since ? eviction_amount_of(reclaim, n->capacity[s]) : 0;

	if (!x->set || !n->capacity[s] ||
	    n->available[s] >= eviction_amount_of(x, n->capacity[s]) + more)
		*since = 0;
	else if (!*since)
		*since = n->at;
}

static void conditions(const struct eviction_rules *r, int64_t now, struct eviction_state *s)
{
	for (int i = 0; i < SIGNALS; i++)
		if (s->hard_since[i] || s->soft_since[i])
			s->seen[eviction_pressure((enum node_signal)i)] = now;
	for (int i = 0; i < PRESSURES; i++) {
		bool on = s->seen[i] && (s->seen[i] == now || now < s->seen[i] + r->transition);

		if (on != s->on[i] || !s->since[i])
			s->since[i] = now;
		s->on[i] = on;
	}
}

/* After the clock went back, what was in the future would last. */
static void not_later(int64_t now, struct eviction_state *s)
{
	for (int i = 0; i < SIGNALS; i++) {
		s->hard_since[i] = MIN(s->hard_since[i], now);
		s->soft_since[i] = MIN(s->soft_since[i], now);
	}
	for (int i = 0; i < PRESSURES; i++) {
		s->seen[i] = MIN(s->seen[i], now);
		s->since[i] = MIN(s->since[i], now);
	}
	s->cleaned_at = MIN(s->cleaned_at, now);
	s->evicted_at = MIN(s->evicted_at, now);
}

void eviction_look(const struct eviction_rules *r, const struct observed_node *n,
		   struct eviction_state *s)
{
	not_later(n->at, s);
	s->reclaiming = false;
	for (int i = SIGNALS - 1; i >= 0; i--) {
		judge(&r->hard[i], &r->reclaim[i], n, (enum node_signal)i, &s->hard_since[i]);
		judge(&r->soft[i], &r->reclaim[i], n, (enum node_signal)i, &s->soft_since[i]);
		bool soft = s->soft_since[i] && n->at - s->soft_since[i] >= r->grace[i];

		if (!s->hard_since[i] && !soft)
			continue;
		s->reclaiming = true;
		s->signal = (enum node_signal)i;
		s->hard = s->hard_since[i] != 0;
	}
	conditions(r, n->at, s);
}

/* ---- ranking ---- */

struct candidate {
	struct member *m;
	int32_t priority;
	int64_t used, requested;
};

/* Sums over the containers that run beside each other. */
static void count(enum node_signal s, const struct observed_pod *p, struct candidate *c)
{
	const struct pod_spec *spec = &p->object->pod->spec;

	for (uint32_t i = 0; i < pod_container_count(spec); i++) {
		struct container_resources r = container_resources(pod_container(spec, i));

		if (pod_container_role(spec, i) == ROLE_INIT)
			continue;
		c->requested += s == SIGNAL_MEMORY ? r.memory_request :
				s == SIGNAL_NODEFS || s == SIGNAL_IMAGEFS ? r.storage_request : 0;
	}
	for (uint32_t i = 0; i < p->ncontainers && s == SIGNAL_MEMORY; i++)
		c->used += p->containers[i].memory;
	for (uint32_t i = 0; i < p->ncontainers && s == SIGNAL_PID; i++)
		c->used += p->containers[i].pids;
	if (s == SIGNAL_NODEFS || s == SIGNAL_IMAGEFS)
		c->used = eviction_pod_bytes(p);
	if (s == SIGNAL_NODEFS_INODES || s == SIGNAL_IMAGEFS_INODES)
		c->used = p->usage->inodes;
}

#define FIRST(a, b) do { if ((a) != (b)) return (a) < (b) ? -1 : 1; } while (0)

/* Who goes first stands first. Nobody requests processes. */
static int rank(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	FIRST(b->used > b->requested, a->used > a->requested);
	FIRST(a->priority, b->priority);
	FIRST(b->used - b->requested, a->used - a->requested);
	return object_cmp(&a->m->want.object, &b->m->want.object);
}

static int rank_pids(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	FIRST(a->priority, b->priority);
	FIRST(b->used, a->used);
	return object_cmp(&a->m->want.object, &b->m->want.object);
}

static bool may_go(const struct member *m)
{
	return m->seen && m->active && !m->over && !m->lost && !m->want.stop &&
	       m->want.object.pod->spec.priority < SYSTEM_CRITICAL;
}

static bool started(const struct member *m)
{
	for (uint32_t i = 0; i < m->seen->ncontainers; i++)
		if (m->seen->containers[i].phase != RUN_CREATED)
			return true;
	return false;
}

/* The first in rank; NULL: nobody may go, or somebody is not yet measured. */
static struct member *choose(struct pass *p, enum node_signal s)
{
	struct { struct candidate *v; uint32_t n; } l = { 0 };

	for (uint32_t i = 0; i < p->members.n; i++) {
		struct member *m = p->members.v[i];

		if (!may_go(m) || !started(m))
			continue;
		if (eviction_pressure(s) == PRESSURE_DISK && !m->seen->usage)
			return NULL;
		struct candidate *c = arena_push(p->a, &l);
		*c = (struct candidate){ .m = m, .priority = m->want.object.pod->spec.priority };
		count(s, m->seen, c);
	}
	if (!l.n)
		return NULL;
	qsort(l.v, l.n, sizeof(*l.v), s == SIGNAL_PID ? rank_pids : rank);
	return l.v[0].m;
}

/* ---- words ---- */

static const struct {
	const char *resource;		/* as the message names it */
	bool bytes;
} words[SIGNALS] = {
	[SIGNAL_MEMORY] = { "memory", true },
	[SIGNAL_NODEFS] = { "ephemeral-storage", true },
	[SIGNAL_NODEFS_INODES] = { "inodes", false },
	[SIGNAL_IMAGEFS] = { "ephemeral-storage", true },
	[SIGNAL_IMAGEFS_INODES] = { "inodes", false },
	[SIGNAL_PID] = { "pids", false },
};

static const char *amount(struct pass *p, enum node_signal s, int64_t n)
{
	return words[s].bytes ? eviction_bytes_text(p->a, n) :
				arena_printf(p->a, "%lld", (long long)n);
}

static int64_t used_by(enum node_signal s, const struct observed_pod *p, uint32_t i)
{
	return s == SIGNAL_MEMORY ? p->containers[i].memory :
	       s == SIGNAL_PID ? p->containers[i].pids :
	       words[s].bytes ? p->usage->containers[i] : 0;
}

static int64_t requested_by(enum node_signal s, const struct container *c)
{
	struct container_resources r = container_resources(c);

	return s == SIGNAL_MEMORY ? r.memory_request : words[s].bytes ? r.storage_request : 0;
}

static const char *message(struct pass *p, const struct member *m, enum node_signal s, bool hard)
{
	const struct eviction_rules *r = p->in->eviction_rules;
	const struct observed_node *n = p->in->observed->node;
	const struct pod_spec *spec = &m->want.object.pod->spec;
	int64_t threshold = eviction_amount_of(hard ? &r->hard[s] : &r->soft[s], n->capacity[s]);
	const char *text = arena_printf(p->a, NODE_WAS_LOW "%s. Threshold "
					"quantity: %s, available: %s. ", words[s].resource,
					amount(p, s, threshold), amount(p, s, n->available[s]));

	for (uint32_t i = 0; i < pod_container_count(spec); i++) {
		const struct container *c = pod_container(spec, i);
		int64_t used = used_by(s, m->seen, i), requested = requested_by(s, c);

		if (used > requested)
			text = arena_printf(p->a, "%sContainer %s was using %s, request is %s, has "
					    "larger consumption of %s. ", text, c->name,
					    amount(p, s, used), amount(p, s, requested),
					    words[s].resource);
	}
	return text;
}

/* ---- a pass ---- */

static bool evicting(const struct pass *p)
{
	for (uint32_t i = 0; i < p->members.n; i++)
		if (p->members.v[i]->evicted && !p->members.v[i]->finished)
			return true;
	return false;
}

/* Of a disk what nobody uses is removed first, once each time that it gets short. */
static bool may_choose(const struct eviction_state *s, const struct observed_node *n)
{
	int64_t since = s->hard ? s->hard_since[s->signal] : s->soft_since[s->signal];

	if (n->at <= s->evicted_at)
		return false;
	return eviction_pressure(s->signal) != PRESSURE_DISK ||
	       (s->cleaned_at >= since && n->at > s->cleaned_at);
}

void pressure_run(struct pass *p)
{
	const struct eviction_state *s = p->in->eviction;
	const struct observed_node *n = p->in->observed->node;

	if (!s || !n || !p->in->eviction_rules || !s->reclaiming)
		return;
	struct object node = node_reference(p);
	pass_event_at(p, &node, true, "EvictionThresholdMet",
		      arena_printf(p->a, "Attempting to reclaim %s", words[s->signal].resource),
		      s->hard ? s->hard_since[s->signal] : s->soft_since[s->signal]);
	if (!may_choose(s, n) || evicting(p))
		return;
	struct member *m = choose(p, s->signal);
	if (m)
		member_evict(p, m, message(p, m, s->signal, s->hard),
			     s->hard ? EVICTION_GRACE : p->in->eviction_rules->max_grace_s);
}
