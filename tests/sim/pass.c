/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's pass over the simulated machine: observe, control, plan, carry out; and time, which
 * goes from event to event.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/memo.h"
#include "daemon/carry.h"
#include "machine.h"
#include "same.h"

#define LOOK_AGAIN MSEC		/* after a pass that did something */
#define COMPARE_EVERY 4		/* passes */

struct doing {
	struct sim *s;
	const struct observed *o;
	const struct wanted *w;
};

/* ---- observe ---- */

static int pod_cmp(const void *x, const void *y)
{
	return object_cmp(&(*(struct sim_pod *const *)x)->object,
			  &(*(struct sim_pod *const *)y)->object);
}

static int derived_cmp(const void *x, const void *y)
{
	return object_cmp(&(*(struct sim_derived *const *)x)->object,
			  &(*(struct sim_derived *const *)y)->object);
}

/* As the daemon does it after the clock went back. */
static void not_later(const struct sim *s, struct sim_pod *p)
{
	p->created_at = MIN(p->created_at, s->now);
	p->stopped_at = MIN(p->stopped_at, s->now);
	p->ready_since = MIN(p->ready_since, s->now);
	for (uint32_t i = 0; i < p->n; i++) {
		struct observed_container *c = &p->containers[i].c;

		c->end.finished_at = MIN(c->end.finished_at, s->now);
		if (p->stage != POD_STARTING)
			c->started_at = MIN(c->started_at, s->now);
	}
}

static void observe_pod(struct sim_pod *p, struct arena *a, struct observed_pod *o)
{
	*o = (struct observed_pod){
		.object = &p->object, .stamp = p->object.stamp, .stage = p->stage, .ip = p->ip, .created_at = p->created_at,
		.stopped_at = p->stopped_at, .ready_since = p->ready_since,
		.config_digest = p->config_digest,
		.resize = p->resize.generation ? &p->resize : NULL,
		.message = p->message, .ncontainers = p->n,
		.containers = arena_array(a, struct observed_container, p->n + 1),
	};
	for (uint32_t i = 0; i < p->n; i++)
		o->containers[i] = p->containers[i].c;
}

static void observe_images(struct sim *s, struct arena *a, struct observed *o)
{
	struct observed_image *v = arena_array(a, struct observed_image, s->images.n + 1);

	for (uint32_t i = 0; i < s->images.n; i++) {
		v[i] = s->images.v[i].o;
		v[i].image = s->images.v[i].image;
	}
	o->images = v;
	o->nimages = s->images.n;
}

void sim_sort(struct sim *s)
{
	if (s->pods.n)
		qsort(s->pods.v, s->pods.n, sizeof(*s->pods.v), pod_cmp);
	if (s->derived.n)
		qsort(s->derived.v, s->derived.n, sizeof(*s->derived.v), derived_cmp);
}

void sim_observe(struct sim *s, struct arena *a, struct observed *o)
{
	*o = (struct observed){
		.npods = s->pods.n, .pods = arena_array(a, struct observed_pod, s->pods.n + 1),
		.services = s->services, .nservices = s->nservices,
		.services_known = s->services_known,
	};
	sim_sort(s);
	for (uint32_t i = 0; i < s->pods.n; i++) {
		not_later(s, s->pods.v[i]);
		observe_pod(s->pods.v[i], a, &o->pods[i]);
	}
	for (uint32_t i = 0; i < s->derived.n; i++)
		*arena_push(a, &o->derived) = s->derived.v[i]->object;
	observe_images(s, a, o);
}

/* ---- carry out ---- */

/* Once it is dead nothing is done any more, nor does anything fail. */
static bool dies(struct sim *s)
{
	if (s->dies_after < 0)
		return s->dead;
	s->dead |= s->dies_after-- == 0;
	return s->dead;
}

static bool is_record(const struct action *a)
{
	return a->kind == ACTION_OBJECT_PUT || a->kind == ACTION_OBJECT_FORGET;
}

static int act(void *data, const struct action *a, struct err *err)
{
	struct doing *d = data;
	struct sim *s = d->s;

	if (dies(s))
		return 0;
	s->actions++;
	if (s->lost_percent && sim_random(s) % 100 < s->lost_percent)
		return 0;
	if (s->fail_percent && !is_record(a) && sim_random(s) % 100 < s->fail_percent)
		return err_set(err, -EIO, "invented");
	if (s->acts)
		s->acts(s, d->o, d->w, a);
	int r = sim_act(s, d->w, a);
	return r < 0 && !s->lost_percent ? err_set(err, r, "not possible") : 0;
}

static int save(void *data, struct err *err)
{
	struct sim *s = ((struct doing *)data)->s;

	if (s->dead)
		return 0;
	return sim_save(s) < 0 ? err_set(err, -ENOSPC, "disk full") : 0;
}

static void failed(void *data, const struct action *a, const struct err *err)
{
	struct doing *d = data;

	(void)err;
	d->s->failures += a != NULL;
}

/* The daemon shows what was wanted after it was carried out: none of it may be gone by then. That
 * is for the address sanitizer to see. */
static void show(const struct wanted *w)
{
#ifdef __SANITIZE_ADDRESS__
	BUF_AUTO text = { 0 };
	struct json j;

	for (uint32_t i = 0; i < w->pods.n; i++) {
		json_init(&j, &text, false);
		object_json(&j, &w->pods.v[i].object, 0);
	}
	for (uint32_t i = 0; i < w->derived.n; i++) {
		json_init(&j, &text, false);
		object_json(&j, &w->derived.v[i], 0);
	}
#else
	(void)w;
#endif
}

static int64_t sooner(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

struct control_in sim_control_in(struct sim *s, const struct set *set, const struct observed *o,
				 uint64_t seed)
{
	struct qtymap allocatable = { 0 };

	if (s->room) {
		qtymap_set(&s->arena, &allocatable, "pods",
			   quantity_from_milli(&s->arena, (int64_t)s->room * 1000));
		qtymap_set(&s->arena, &allocatable, "cpu",
			   quantity_from_milli(&s->arena, (int64_t)s->room * SIM_CPU));
	}
	return (struct control_in){
		.capacity = allocatable, .allocatable = allocatable,
		.set = set, .observed = o, .node_name = "node", .node_ip = 0x0a000001,
		.volumes_dir = "/volumes", .started = s->started, .now = s->now, .seed = seed,
		.zone = s->zone, .zone_data = &s->arena,
	};
}

/* What is kept from pass to pass changes nothing. */
static void compare(struct sim *s, const struct control_in *in, const struct wanted *w,
		    const struct action_list *l)
{
	struct control_in whole = *in;
	struct arena a = { 0 };
	struct action_list actions;
	struct wanted again;
	const char *part;

	s->compared++;
	whole.memo = NULL;
	control_run(&a, &whole, &again);
	plan_actions(&a, in->observed, &again, &actions);
	part = wanted_difference(w, &again);
	if (!part && !same_actions(l, &actions))
		part = "actions";
	if (part)
		sim_broken(s, "nothing-kept-is-stale", "%s differ from those of a pass that keeps "
			   "nothing", part);
	arena_release(&a);
}

uint32_t sim_pass(struct sim *s)
{
	struct arena a = { 0 };
	struct observed o = { 0 };
	struct wanted w;
	struct action_list l;
	struct control_in in;
	struct doing doing = { s, &o, &w };
	const struct carrier carrier = { .act = act, .save = save, .failed = failed,
					 .data = &doing };

	in = sim_control_in(s, s->set, &o, sim_random(s));
	in.memo = s->memo;
	s->passes++;
	s->failures = 0;
	sim_observe(s, &a, &o);
	control_run(&a, &in, &w);
	s->kept += memo_counts(s->memo).kept;
	if (s->check)
		s->check(s, &o, &w);
	plan_actions(&a, &o, &w, &l);
	if (s->passes % COMPARE_EVERY == 0)
		compare(s, &in, &w, &l);
	s->doing = &l;
	int64_t retry = carry_out(&s->retries, &l, &carrier, s->now);
	sim_images_want(s, &w);
	s->wake = sooner(sooner(w.wake, retry), l.n && !retry ? s->now + LOOK_AGAIN : 0);
	if (s->did)
		s->did(s, &o, &w, &l);
	if (l.n)
		show(&w);
	if (s->dead || s->dies_after >= 0)
		sim_restart(s);
	arena_release(&a);
	return l.n;
}

/* ---- time ---- */

bool sim_step(struct sim *s)
{
	int64_t next;

	sim_tick(s);
	sim_pass(s);
	next = sooner(sim_tick(s), s->wake);
	if (!next)
		return false;
	s->now = MAX(next, s->now);
	return true;
}

bool sim_settle(struct sim *s, unsigned max)
{
	for (unsigned i = 0; i < max; i++)
		if (!sim_step(s))
			return true;
	return false;
}

void sim_run_until(struct sim *s, int64_t t)
{
	while (s->now < t && !s->rule) {
		int64_t before = s->now;

		if (!sim_step(s) || s->now > t) {
			s->now = t;
			sim_tick(s);
			return;
		}
		if (s->now <= before)
			sim_broken(s, "time-goes-on", "passes without end at one moment");
	}
}
