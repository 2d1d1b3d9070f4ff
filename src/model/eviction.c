/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Thresholds from the settings; see eviction.h. As in kubelet, 0% and 100% mean that there is
 * none, and whoever sets one hard threshold has only those that are set. */
#include "model/eviction.h"

#include "base/macro.h"
#include "model/checks.h"
#include "model/types.h"
#include "schema/schema.h"

static const char *const names[SIGNALS + 1] = {
	[SIGNAL_MEMORY] = "memory.available",
	[SIGNAL_NODEFS] = "nodefs.available",
	[SIGNAL_NODEFS_INODES] = "nodefs.inodesFree",
	[SIGNAL_IMAGEFS] = "imagefs.available",
	[SIGNAL_IMAGEFS_INODES] = "imagefs.inodesFree",
	[SIGNAL_PID] = "pid.available",
};

/* KubeletConfiguration v1beta1 */
static const struct strpair defaults[] = {
	{ "memory.available", "100Mi" }, { "nodefs.available", "10%" },
	{ "nodefs.inodesFree", "5%" }, { "imagefs.available", "15%" },
	{ "imagefs.inodesFree", "5%" },
};

const char *eviction_signal_name(enum node_signal s)
{
	return names[s];
}

int64_t eviction_amount_of(const struct eviction_amount *x, int64_t capacity)
{
	return x->share > 0 ? (int64_t)(x->share * (double)capacity) : x->value;
}

static int signal_of(const char *name)
{
	int s = 0;

	while (s < SIGNALS && !streq(names[s], name))
		s++;
	return s < SIGNALS ? s : -1;
}

static int parse(const char *text, struct eviction_amount *ret)
{
	struct arena a = { 0 };
	struct quantity q;
	char *end;
	double percent = strtod(text, &end);

	*ret = (struct eviction_amount){ 0 };
	if (end != text && streq(end, "%")) {
		if (!(percent >= 0 && percent <= 100))
			return -EINVAL;
		ret->set = percent > 0 && percent < 100;
		ret->share = percent / 100;
		return 0;
	}
	int r = quantity_parse(&a, text, &q);
	if (r == 0)
		*ret = (struct eviction_amount){ .set = true, .value = quantity_value(&q) };
	arena_release(&a);
	return r == 0 && ret->value < 0 ? -EINVAL : r;
}

static void take(const struct strpair *v, uint32_t n, struct eviction_amount ret[SIGNALS])
{
	for (uint32_t i = 0; i < n; i++) {
		int s = signal_of(v[i].k);

		if (s >= 0)
			parse(v[i].v, &ret[s]);
	}
}

void eviction_rules(const struct settings *s, struct eviction_rules *ret)
{
	bool own = HAS(s, settings, eviction_hard);

	*ret = (struct eviction_rules){ .max_grace_s = (uint32_t)s->eviction_max_pod_grace };
	take(own ? s->eviction_hard.v : defaults, own ? s->eviction_hard.n : ARRAY_SIZE(defaults),
	     ret->hard);
	take(s->eviction_soft.v, s->eviction_soft.n, ret->soft);
	take(s->eviction_minimum_reclaim.v, s->eviction_minimum_reclaim.n, ret->reclaim);
	for (uint32_t i = 0; i < s->eviction_soft_grace.n; i++) {
		int signal = signal_of(s->eviction_soft_grace.v[i].k);

		if (signal >= 0)
			duration_parse(s->eviction_soft_grace.v[i].v, &ret->grace[signal]);
	}
	duration_parse(s->eviction_transition ? s->eviction_transition : "", &ret->transition);
}

/* ---- checks ---- */

static bool check_signal(struct check *c, const char *name)
{
	const char *near = suggest(name, names);

	if (signal_of(name) >= 0)
		return true;
	check_fail(c, "unknown signal \"%.60s\"; %s%s%s", name,
		   near ? "did you mean \"" : "expected memory.available, nodefs.available, "
		   "nodefs.inodesFree, imagefs.available, imagefs.inodesFree or pid.available",
		   near ? near : "", near ? "\"?" : "");
	return false;
}

void check_eviction_amount(struct check *c, const void *value)
{
	const struct strpair *p = value;
	struct eviction_amount amount;

	if (check_signal(c, p->k) && parse(p->v, &amount) < 0)
		check_fail(c, "\"%.60s\" is no quantity like 100Mi, and no share like 10%%", p->v);
}

void check_eviction_grace(struct check *c, const void *value)
{
	const struct strpair *p = value;
	int64_t ns;

	if (check_signal(c, p->k) && (duration_parse(p->v, &ns) < 0 || ns < 0))
		check_fail(c, "\"%.60s\" is no duration like 30s or 2m", p->v);
}

static void check_pairs(struct check *c, const char *child, const struct strmap *m,
			const struct strmap *other, const char *what)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (!strmap_get(other, m->v[i].k))
			check_fail_at(c, child, "%s has no %s", m->v[i].k, what);
}

void check_eviction(struct check *c, const struct settings *s)
{
	check_pairs(c, "evictionSoft", &s->eviction_soft, &s->eviction_soft_grace,
		    "period in evictionSoftGracePeriod");
	check_pairs(c, "evictionSoftGracePeriod", &s->eviction_soft_grace, &s->eviction_soft,
		    "threshold in evictionSoft");
}
