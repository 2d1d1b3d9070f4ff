/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pods use, measured as the daemon does it (daemon/metrics.c) while an autoscaler is declared.
 * The work there is for an app is divided among those of its pods that are ready, so that more of
 * them have less to do each; memory grows with the work.
 */
#include "machine.h"

#define PERIOD (30 * NSEC)
#define IDLE 2			/* thousandths of a processor */
#define MOST 1000
#define MEMORY (16LL << 20)
#define MEMORY_OF_WORK (100LL << 10)	/* for each thousandth */

static const char *app_of(const struct sim_pod *p)
{
	const char *app = strmap_get(&p->object.meta->labels, "app");

	return app ? app : "";
}

static int64_t workers(const struct sim *s, const char *app)
{
	int64_t n = 0;

	for (uint32_t i = 0; i < s->pods.n; i++)
		n += s->pods.v[i]->ready_since && streq(app_of(s->pods.v[i]), app);
	return n;
}

/* Of a container that was not there when the last sample was taken no rate is known. */
static void measure(struct sim *s, const struct sim_pod *p, struct sim_container *c)
{
	int64_t share = p->ready_since ? s->demand / MAX(workers(s, app_of(p)), (int64_t)1) : 0;

	if (c->c.phase != RUN_RUNNING || !s->sampled || c->c.started_at > s->sampled)
		return;
	share = MIN(IDLE + share, (int64_t)MOST);
	c->c.used = (struct container_use){ .at = s->now, .window = s->now - s->sampled,
					    .cpu_milli = share,
					    .memory = MEMORY + share * MEMORY_OF_WORK };
}

static void sample(struct sim *s)
{
	for (uint32_t i = 0; i < s->pods.n; i++) {
		struct sim_pod *p = s->pods.v[i];

		for (uint32_t k = 0; k < p->n; k++) {
			p->containers[k].c.used = (struct container_use){ 0 };
			if (p->stage == POD_UP)
				measure(s, p, &p->containers[k]);
		}
	}
	s->sampled = s->now;
}

int64_t sim_metrics_tick(struct sim *s)
{
	if (!s->set || !set_kind(s->set, KIND_HPA).n)
		return 0;
	if (!s->sampled || s->now >= s->sampled + PERIOD)
		sample(s);
	return s->sampled + PERIOD;
}
