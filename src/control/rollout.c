/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many pods each ReplicaSet of a Deployment gets in this pass: Kubernetes' arithmetic.
 * Invariants of a rolling update: all together never more than replicas + maxSurge; pods are
 * taken from old ReplicaSets only while at least replicas - maxUnavailable stay available. What a
 * ReplicaSet has available is counted after its own scaling in this pass: pods that are not
 * available are stopped first.
 */
#include "control/deployment.h"

static int32_t total(const struct rollout *r)
{
	int32_t n = 0;

	for (uint32_t i = 0; i < r->sets.n; i++)
		n += r->sets.v[i]->replicas;
	return n;
}

static int32_t available(const struct rset *rs)
{
	return MIN(rs->available, rs->replicas);
}

static int32_t all_available(const struct rollout *r)
{
	int32_t n = 0;

	for (uint32_t i = 0; i < r->sets.n; i++)
		n += available(r->sets.v[i]);
	return n;
}

void rollout_bounds(struct rollout *r)
{
	const struct rolling_update *u = r->spec->strategy.rolling_update;
	static const struct intstr quarter = { .str = "25%" };

	r->recreate = r->spec->strategy.type == STRATEGY_RECREATE;
	if (r->recreate)
		return;
	r->surge = intstr_scale(u ? &u->max_surge : &quarter, r->spec->replicas, true);
	r->unavailable = intstr_scale(u ? &u->max_unavailable : &quarter, r->spec->replicas, false);
	if (!r->surge && !r->unavailable)
		r->unavailable = 1;
	r->unavailable = MIN(r->unavailable, r->spec->replicas);
}

static struct rset *only_active(const struct rollout *r, uint32_t *ret_n)
{
	struct rset *last = NULL;

	*ret_n = 0;
	for (uint32_t i = 0; i < r->sets.n; i++) {
		if (!r->sets.v[i]->replicas)
			continue;
		last = r->sets.v[i];
		++*ret_n;
	}
	return last;
}

static bool replicas_changed(const struct rollout *r)
{
	for (uint32_t i = 0; i < r->sets.n; i++) {
		int64_t desired = rollout_number(r->sets.v[i], DESIRED_ANNOTATION);

		if (r->sets.v[i]->replicas && desired >= 0 && desired != r->spec->replicas)
			return true;
	}
	return false;
}

/* Its share of a change of the whole Deployment, for a ReplicaSet of that size. */
static int32_t fraction(const struct rollout *r, const struct rset *rs)
{
	int64_t before = rollout_number(rs, MAX_ANNOTATION);
	int64_t max = (int64_t)r->spec->replicas + r->surge;

	if (!r->spec->replicas)
		return -rs->replicas;
	if (before <= 0)
		return 0;
	return (int32_t)((2 * rs->replicas * max + before) / (2 * before)) - rs->replicas;
}

/* Biggest first; of equals the newer one when pods are added, the older one when they go. */
static int bigger_newer(const void *x, const void *y)
{
	const struct rset *a = *(struct rset *const *)x, *b = *(struct rset *const *)y;

	if (a->replicas != b->replicas)
		return a->replicas > b->replicas ? -1 : 1;
	return a->object.meta->creation_timestamp > b->object.meta->creation_timestamp ? -1 : 1;
}

static int bigger_older(const void *x, const void *y)
{
	const struct rset *a = *(struct rset *const *)x, *b = *(struct rset *const *)y;

	if (a->replicas != b->replicas)
		return a->replicas > b->replicas ? -1 : 1;
	return a->object.meta->creation_timestamp < b->object.meta->creation_timestamp ? -1 : 1;
}

static void scale_in_proportion(struct rollout *r)
{
	int32_t allowed = r->spec->replicas ? r->spec->replicas + r->surge : 0;
	int32_t add = allowed - total(r), added = 0;
	struct rset_list active = { 0 };

	for (uint32_t i = 0; i < r->sets.n; i++)
		if (r->sets.v[i]->replicas)
			*arena_push(r->p->a, &active) = r->sets.v[i];
	if (!add || !active.n)
		return;
	qsort(active.v, active.n, sizeof(*active.v), add > 0 ? bigger_newer : bigger_older);
	for (uint32_t i = 0; i < active.n; i++) {
		int32_t f = fraction(r, active.v[i]), left = add - added;
		int32_t part = add > 0 ? MIN(f, left) : MAX(f, left);

		active.v[i]->replicas += part;
		added += part;
	}
	active.v[0]->replicas = MAX(active.v[0]->replicas + add - added, 0);
}

/* The newest, when nothing runs at all. */
static struct rset *latest(const struct rollout *r)
{
	if (r->current)
		return r->current;
	return r->sets.n ? r->sets.v[r->sets.n - 1] : NULL;
}

void rollout_scale(struct rollout *r)
{
	uint32_t n;
	struct rset *active = only_active(r, &n);

	if (!r->spec->paused && !replicas_changed(r))
		return;
	if (n <= 1) {
		active = n ? active : latest(r);
		if (active)
			active->replicas = r->spec->replicas;
		return;
	}
	if (!r->recreate)
		scale_in_proportion(r);
}

static void grow_current(struct rollout *r)
{
	int32_t room = r->spec->replicas + r->surge - total(r);
	struct rset *c = r->current;

	if (c->replicas > r->spec->replicas)
		c->replicas = r->spec->replicas;
	else if (room > 0)
		c->replicas += MIN(room, r->spec->replicas - c->replicas);
}

/* Old pods that are not available go first, wherever they are. */
static int32_t drop_unavailable(struct rollout *r, int32_t max)
{
	int32_t dropped = 0;

	for (uint32_t i = 0; i < r->sets.n && dropped < max; i++) {
		struct rset *rs = r->sets.v[i];
		int32_t n = MIN(max - dropped, rs->replicas - available(rs));

		if (rs == r->current || n <= 0)
			continue;
		rs->replicas -= n;
		dropped += n;
	}
	return dropped;
}

static void drop_available(struct rollout *r, int32_t max)
{
	for (uint32_t i = 0; i < r->sets.n && max > 0; i++) {
		struct rset *rs = r->sets.v[i];
		int32_t n = MIN(max, rs->replicas);

		if (rs == r->current)
			continue;
		rs->replicas -= n;
		max -= n;
	}
}

static void shrink_old(struct rollout *r)
{
	int32_t floor_ = r->spec->replicas - r->unavailable;
	int32_t pending = r->current->replicas - available(r->current);
	int32_t max = total(r) - floor_ - pending;

	if (total(r) == r->current->replicas || max <= 0)
		return;
	drop_unavailable(r, max);
	drop_available(r, all_available(r) - floor_);
}

static bool old_pods_exist(const struct rollout *r)
{
	for (uint32_t i = 0; i < r->sets.n; i++) {
		const struct rset *rs = r->sets.v[i];

		if (rs != r->current && (rs->members.n || rs->stopping.n))
			return true;
	}
	return false;
}

/* All old pods go, and are gone, before the first new one is made. */
static void step_recreate(struct rollout *r)
{
	for (uint32_t i = 0; i < r->sets.n; i++)
		if (r->sets.v[i] != r->current)
			r->sets.v[i]->replicas = 0;
	if (old_pods_exist(r))
		return;
	if (r->current || rset_make_current(r))
		r->current->replicas = r->spec->replicas;
}

void rollout_step(struct rollout *r)
{
	if (r->recreate) {
		step_recreate(r);
		return;
	}
	if (!r->current && !rset_make_current(r))
		return;
	grow_current(r);
	shrink_old(r);
}
