/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast replicas change: stabilization windows over past recommendations, and policies over past
 * steps. A recommendation is noted when it differs from the last one and holds until the next, so
 * that nothing is written while nothing changes.
 * https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
 */
#include "control/hpa.h"

#define DOWN_WINDOW 300

static const struct hpa_scaling_policy policies_up[] = {
	{ .type = SCALING_PODS, .value = 4, .period_seconds = 15 },
	{ .type = SCALING_PERCENT, .value = 100, .period_seconds = 15 },
};
static const struct hpa_scaling_policy policies_down[] = {
	{ .type = SCALING_PERCENT, .value = 100, .period_seconds = 15 },
};

static const struct hpa_scaling_rules *rules(const struct autoscaler *h, bool up)
{
	const struct hpa_behavior *b = h->spec->behavior;

	return !b ? NULL : up ? b->scale_up : b->scale_down;
}

static int64_t window(const struct autoscaler *h, bool up)
{
	const struct hpa_scaling_rules *r = rules(h, up);

	if (r && HAS(r, hpa_scaling_rules, stabilization_window_seconds))
		return r->stabilization_window_seconds * NSEC;
	return up ? 0 : DOWN_WINDOW * NSEC;
}

/* When note i stopped to hold. */
static int64_t end_of(const struct autoscaler *h, uint32_t i)
{
	return i + 1 < h->recommended.n ? h->recommended.v[i + 1].at : h->p->in->now;
}

static void note(struct autoscaler *h, int32_t wanted)
{
	struct hpa_notes *l = &h->recommended;
	int64_t oldest = h->p->in->now - MAX(window(h, true), window(h, false));
	uint32_t keep = 0;

	if (l->n && l->v[l->n - 1].n == wanted)
		return;
	for (uint32_t i = 0; i < l->n; i++)
		if (end_of(h, i) > oldest)
			l->v[keep++] = l->v[i];
	l->n = keep;
	*arena_push(h->p->a, l) = (struct hpa_note){ whole_seconds(h->p->in->now), wanted };
}

int32_t hpa_stabilize(struct autoscaler *h, int32_t wanted, const char **ret_reason,
		      const char **ret_message)
{
	int64_t now = h->p->in->now, changes = 0;
	int32_t least = wanted, most = wanted, n = h->current;

	for (uint32_t i = 0; i < h->recommended.n; i++) {
		int32_t then = h->recommended.v[i].n;

		if (end_of(h, i) > now - window(h, true))
			least = MIN(least, then);
		if (end_of(h, i) > now - window(h, false))
			most = MAX(most, then);
	}
	note(h, wanted);
	n = MAX(n, least);
	n = MIN(n, most);
	if (n > wanted) {
		*ret_reason = "ScaleDownStabilized";
		*ret_message = "recent recommendations were higher than current one, applying the "
			       "highest recent recommendation";
	} else if (n < wanted) {
		*ret_reason = "ScaleUpStabilized";
		*ret_message = "recent recommendations were lower than current one, applying the "
			       "lowest recent recommendation";
	}
	for (uint32_t i = 0; n != wanted && i + 1 < h->recommended.n; i++) {
		int64_t at = end_of(h, i) + window(h, n < wanted);

		if (at > now && (!changes || at < changes))
			changes = at;
	}
	if (changes)
		pass_wake(h->p, changes);
	return n;
}

/* By how much it changed within a time; *ret_oldest: when the first of these steps was. */
static int32_t changed(const struct autoscaler *h, int64_t seconds, int64_t *ret_oldest)
{
	int32_t n = 0;

	for (uint32_t i = 0; i < h->steps.n; i++) {
		if (h->steps.v[i].at <= h->p->in->now - seconds * NSEC)
			continue;
		n += h->steps.v[i].n;
		*ret_oldest = *ret_oldest ? MIN(*ret_oldest, h->steps.v[i].at + seconds * NSEC) :
					    h->steps.v[i].at + seconds * NSEC;
	}
	return n;
}

static int64_t proposal(const struct hpa_scaling_policy *p, int64_t start, bool up)
{
	int64_t step = p->value;

	if (p->type == SCALING_PERCENT && up)
		return start + (start * step + 99) / 100;
	if (p->type == SCALING_PERCENT)
		return start * MAX(100 - step, (int64_t)0) / 100;
	return up ? start + step : start - step;
}

/* How far the policies let it go in one direction. */
static int32_t policy_limit(struct autoscaler *h, bool up)
{
	const struct hpa_scaling_rules *r = rules(h, up);
	const struct hpa_scaling_policy *l = up ? policies_up : policies_down;
	uint32_t n = up ? ARRAY_SIZE(policies_up) : ARRAY_SIZE(policies_down);
	bool farthest = !r || r->select_policy != SCALING_MIN;
	int64_t best = 0, wake = 0;

	if (r && r->select_policy == SCALING_DISABLED)
		return h->current;
	if (r && r->policies.n) {
		l = r->policies.v;
		n = r->policies.n;
	}
	for (uint32_t i = 0; i < n; i++) {
		int64_t start = h->current - changed(h, l[i].period_seconds, &wake);
		int64_t to = proposal(&l[i], start, up);

		if (!i || (up == farthest ? to > best : to < best))
			best = to;
	}
	if (wake)
		pass_wake(h->p, wake);
	best = up ? MAX(best, (int64_t)h->current) : MIN(best, (int64_t)h->current);
	return (int32_t)MAX(MIN(best, (int64_t)INT32_MAX), (int64_t)0);
}

int32_t hpa_limit(struct autoscaler *h, int32_t wanted, struct hpa_limited *ret)
{
	*ret = (struct hpa_limited){ false, "DesiredWithinRange",
				     "the desired count is within the acceptable range" };
	if (wanted > h->current) {
		int32_t limit = policy_limit(h, true), most = MIN(h->max, limit);

		if (wanted > most)
			*ret = h->max <= limit ?
				(struct hpa_limited){ true, "TooManyReplicas", "the desired replica "
					"count is more than the maximum replica count" } :
				(struct hpa_limited){ true, "ScaleUpLimit", "the desired replica count "
					"is increasing faster than the maximum scale rate" };
		return MIN(wanted, most);
	}
	if (wanted < h->current) {
		int32_t limit = policy_limit(h, false), least = MAX(h->min, limit);

		if (wanted < least)
			*ret = h->min >= limit ?
				(struct hpa_limited){ true, "TooFewReplicas", "the desired replica "
					"count is less than the minimum replica count" } :
				(struct hpa_limited){ true, "ScaleDownLimit", "the desired replica count "
					"is decreasing faster than the maximum scale rate" };
		return MAX(wanted, least);
	}
	return wanted;
}
