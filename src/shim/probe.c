/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes, as Kubernetes runs them: the first attempt after the initial delay, then one a period,
 * never two at a time; a startup probe holds the others back until it has passed, a hook after the
 * start holds back all, a liveness or startup probe that has failed rests until the container runs
 * again. Only a change of verdict is recorded and told.
 */
#include <errno.h>

#include "base/macro.h"
#include "base/units.h"
#include "shim/shim.h"
#include "shim/text.h"

#define DEFAULT_MS 1000		/* a period or timeout of 0 would never let go of the CPU */

static void due(struct loop_timer *t);

static struct loop *loop_of(const struct probe *p)
{
	return p->container->shim->loop;
}

static uint32_t bit(const struct probe *p)
{
	return 1U << p->cfg.kind;
}

static int64_t ms(uint32_t v)
{
	return (v ? v : DEFAULT_MS) * MSEC;
}

/* ---- when ---- */

static bool startup_pending(const struct container *c)
{
	const struct probe *s = c->probes[SHIM_STARTUP];

	return s && !(s->verdict.decided && s->verdict.passed);
}

static bool wanted(const struct probe *p)
{
	const struct container *c = p->container;
	const struct verdict *v = &p->verdict;

	if (!container_runs(c) || c->stop.phase != STOP_NONE || hook_pending(c) || p->attempt.running)
		return false;
	if (p->cfg.kind == SHIM_READINESS)
		return !startup_pending(c);
	if (v->decided && !v->passed)
		return false;
	return p->cfg.kind == SHIM_STARTUP ? !v->decided : !startup_pending(c);
}

static void schedule(struct probe *p)
{
	int64_t at = p->container->began + p->cfg.initial_delay_ms * MSEC;

	if (!wanted(p))
		return;
	if (p->began)
		at = MAX(at, p->began + ms(p->cfg.period_ms));
	loop_timer_at(loop_of(p), &p->due, at, due);
}

void probes_schedule(struct container *c)
{
	for (int i = 0; i < SHIM_PROBES; i++) {
		if (c->probes[i])
			schedule(c->probes[i]);
	}
}

/* ---- what came out ---- */

static void record(struct probe *p, const char *why)
{
	struct container *c = p->container;
	bool passed = p->verdict.passed;

	c->st.decided |= bit(p);
	c->st.passed = (c->st.passed & ~bit(p)) | (passed ? bit(p) : 0);
	c->st.warned = (c->st.warned & ~bit(p)) | (passed && why ? bit(p) : 0);
	c->st.told_at[p->cfg.kind] = why ? time_now() : 0;
	TEXT_COPY(c->st.probe_message[p->cfg.kind], why ? why : "");
	container_changed(c);
}

static void done(struct attempt *a, bool passed, const char *why)
{
	struct probe *p = container_of(a, struct probe, attempt);
	struct container *c = p->container;

	if (verdict_add(&p->verdict, passed, p->cfg.success_threshold, p->cfg.failure_threshold))
		record(p, why);
	if (p->cfg.kind == SHIM_STARTUP)
		probes_schedule(c);
	else
		schedule(p);
}

static void due(struct loop_timer *t)
{
	struct probe *p = container_of(t, struct probe, due);

	if (!wanted(p))
		return;
	p->began = time_mono();
	attempt_begin(&p->attempt);
}

/* ---- the container's side ---- */

void probes_begin(struct container *c)
{
	c->st.configured = c->st.decided = c->st.passed = c->st.warned = 0;
	for (int i = 0; i < SHIM_PROBES; i++) {
		struct probe *p = c->probes[i];
		c->st.probe_message[i][0] = '\0';
		if (!p)
			continue;
		c->st.configured |= bit(p);
		p->verdict = (struct verdict){ 0 };
		p->began = 0;
	}
	probes_schedule(c);
}

static void rest(struct probe *p)
{
	loop_timer_cancel(loop_of(p), &p->due);
	attempt_leave(&p->attempt);
}

void probes_end(struct container *c)
{
	for (int i = 0; i < SHIM_PROBES; i++) {
		if (c->probes[i])
			rest(c->probes[i]);
	}
}

static void probe_remove(struct container *c, uint32_t kind)
{
	struct probe *p = c->probes[kind];

	if (!p)
		return;
	rest(p);
	c->probes[kind] = NULL;
	c->st.configured &= ~bit(p);
	c->st.decided &= ~bit(p);
	c->st.passed &= ~bit(p);
	c->st.warned &= ~bit(p);
	free(p->attempt.prog);
	free(p);
}

static struct probe *probe_get(struct container *c, uint32_t kind)
{
	struct probe *p = c->probes[kind];

	if (!p) {
		p = c->probes[kind] = calloc(1, sizeof(*p));
		if (p) {
			p->container = p->attempt.container = c;
			p->attempt.done = done;
		}
	}
	return p;
}

/* An attempt without an end would be the last one. */
static struct shim_probe bounded(const struct shim_probe *cfg)
{
	struct shim_probe own = *cfg;

	if (!own.how.timeout_ms)
		own.how.timeout_ms = DEFAULT_MS;
	return own;
}

int probe_set(struct container *c, const struct shim_probe *order, const void *prog, size_t n)
{
	struct shim_probe cfg = bounded(order);

	if (cfg.kind >= SHIM_PROBES || cfg.how.handler >= SHIM_HANDLERS)
		return -EINVAL;
	if (cfg.how.handler == SHIM_HANDLER_NONE) {
		probe_remove(c, cfg.kind);
	} else {
		struct probe *p = probe_get(c, cfg.kind);
		if (!p)
			return -ENOMEM;
		if (memcmp(&p->cfg, &cfg, sizeof(cfg)) == 0 &&
		    attempt_is(&p->attempt, &cfg.how, prog, n))
			return 0;
		rest(p);
		int r = attempt_set(&p->attempt, &cfg.how, prog, n);
		if (r < 0)
			return r;
		p->cfg = cfg;
		p->verdict.run = 0;
		c->st.configured |= bit(p);
	}
	probes_schedule(c);
	container_changed(c);
	return 0;
}
