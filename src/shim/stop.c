/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stopping a container: run its preStop hook, wait until its pod has no established inbound
 * connection left, ask it to end, wait, kill. The time of the hook is part of the grace period. Runs on timers without orchd. A second order can only make it sooner. Of a pod,
 * the containers proper are stopped first, then its sidecars, one after the other: whoever comes
 * later has what is left of the grace period, but LAST_WORDS at least, as with kubelet.
 */
#include <signal.h>

#include "base/macro.h"
#include "base/units.h"
#include "shim/drain.h"
#include "shim/shim.h"

#define DRAIN_STEP (50 * MSEC)
#define LAST_WORDS_MS 2000

static void stop_fires(struct loop_timer *t);

static void arm(struct container *c, int64_t due)
{
	loop_timer_at(c->shim->loop, &c->stop.timer, due, stop_fires);
}

static void kill_now(struct container *c)
{
	c->stop.phase = STOP_KILLED;
	loop_timer_cancel(c->shim->loop, &c->stop.timer);
	container_signal(c, SIGKILL);
}

static void ask(struct container *c)
{
	c->stop.phase = STOP_GRACE;
	container_signal(c, c->stop.signal);
	arm(c, time_mono() + c->stop.grace_ms * MSEC);
}

static void begin_drain(struct container *c)
{
	int64_t now = time_mono();

	if (!c->stop.drain_ms) {
		ask(c);
		return;
	}
	c->stop.phase = STOP_DRAIN;
	c->stop.drain_until = now + MAX(c->stop.drain_ms * MSEC, DRAIN_STEP);
	arm(c, now + DRAIN_STEP);
}

/* After the hook, which may have taken all of the grace period, there are a few last words. */
void stop_hook_ended(struct container *c)
{
	struct stop *st = &c->stop;
	int64_t gone = (time_mono() - st->began) / MSEC;

	if (st->phase != STOP_HOOK)
		return;
	loop_timer_cancel(c->shim->loop, &st->timer);
	st->grace_ms = (uint32_t)MAX((int64_t)st->grace_ms - gone, (int64_t)LAST_WORDS_MS);
	begin_drain(c);
}

static void hook_too_long(struct container *c)
{
	attempt_leave(&c->hooks[SHIM_PRE_STOP]);
	stop_hook_ended(c);
}

/* In the host's network namespace nobody can tell whose connections are whose. */
static void drain(struct container *c)
{
	int64_t now = time_mono();

	if (now >= c->stop.drain_until || !c->shim->own_net || !drain_inbound())
		ask(c);
	else
		arm(c, MIN(now + DRAIN_STEP, c->stop.drain_until));
}

static void stop_fires(struct loop_timer *t)
{
	struct container *c = container_of(t, struct container, stop.timer);

	if (c->stop.phase == STOP_HOOK)
		hook_too_long(c);
	else if (c->stop.phase == STOP_DRAIN)
		drain(c);
	else
		kill_now(c);
}

static void begin(struct container *c, const struct shim_stop *order)
{
	struct stop *st = &c->stop;

	st->signal = order->signal ? order->signal : c->stop_signal;
	st->grace_ms = order->grace_ms;
	st->drain_ms = order->drain_ms;
	st->began = time_mono();
	probes_end(c);
	c->st.stopping = 1;
	container_changed(c);
	if (!order->grace_ms) {
		kill_now(c);
		return;
	}
	st->phase = STOP_HOOK;
	arm(c, st->began + st->grace_ms * MSEC);
	if (!hook_before_stop(c))
		begin_drain(c);
}

static void hasten(struct container *c, const struct shim_stop *order)
{
	int64_t now = time_mono();
	struct stop *st = &c->stop;

	if (!order->grace_ms) {
		kill_now(c);
	} else if (st->phase == STOP_HOOK) {
		st->grace_ms = MIN(st->grace_ms, order->grace_ms);
		st->drain_ms = MIN(st->drain_ms, order->drain_ms);
		arm(c, MIN(st->timer.due, now + order->grace_ms * MSEC));
	} else if (st->phase == STOP_DRAIN) {
		st->grace_ms = MIN(st->grace_ms, order->grace_ms);
		st->drain_until = MIN(st->drain_until, now + order->drain_ms * MSEC);
		arm(c, now);
	} else if (st->phase == STOP_GRACE) {
		arm(c, MIN(st->timer.due, now + order->grace_ms * MSEC));
	}
}

void stop_begin(struct container *c, const struct shim_stop *order)
{
	if (!container_runs(c))
		return;
	if (c->stop.phase == STOP_NONE)
		begin(c, order);
	else
		hasten(c, order);
}

void stop_end(struct container *c)
{
	loop_timer_cancel(c->shim->loop, &c->stop.timer);
	c->stop.phase = STOP_NONE;
}

/* ---- all of a pod ---- */

static uint32_t first_rank(const struct shim *s)
{
	uint32_t rank = UINT32_MAX;

	for (const struct container *c = s->containers; c; c = c->next) {
		if (container_runs(c))
			rank = MIN(rank, c->stop_rank);
	}
	return rank;
}

static void stop_rank(struct shim *s, uint32_t rank, const struct shim_stop *order)
{
	for (struct container *c = s->containers; c; c = c->next) {
		if (c->stop_rank == rank)
			stop_begin(c, order);
	}
}

void stop_all(struct shim *s, const struct shim_stop *order)
{
	if (!s->stopping) {
		s->stopping = true;
		s->stop = *order;
		s->stop_began = time_mono();
	}
	s->stop.grace_ms = MIN(s->stop.grace_ms, order->grace_ms);
	if (s->stop.grace_ms) {
		stop_rank(s, first_rank(s), order);
		return;
	}
	for (struct container *c = s->containers; c; c = c->next)
		stop_begin(c, &s->stop);
}

void stop_all_goes_on(struct shim *s)
{
	struct shim_stop order = s->stop;
	uint32_t rank = first_rank(s);

	if (!s->stopping || rank == 0 || rank == UINT32_MAX)
		return;
	int64_t gone = (time_mono() - s->stop_began) / MSEC;
	order.drain_ms = 0;
	if (order.grace_ms)
		order.grace_ms = (uint32_t)MAX((int64_t)order.grace_ms - gone, LAST_WORDS_MS);
	stop_rank(s, rank, &order);
}
