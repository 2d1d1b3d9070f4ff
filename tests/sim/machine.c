/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pods as a kernel and the shims would have them. An action that can't be done gives an error; one
 * that must never be asked for is a violation.
 */
#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/memo.h"
#include "daemon/carry.h"

uint64_t sim_random(struct sim *s)
{
	s->rng ^= s->rng << 13;
	s->rng ^= s->rng >> 7;
	s->rng ^= s->rng << 17;
	return s->rng;
}

int64_t sim_delay(struct sim *s)
{
	return MSEC + (int64_t)(sim_random(s) % (uint64_t)s->slow);
}

void sim_init(struct sim *s, uint64_t seed)
{
	*s = (struct sim){ .now = SIM_START, .rng = seed * 2654435761u + 88172645463325252ULL,
			   .slow = 5 * NSEC, .next_number = 1, .dies_after = -1,
			   .started = SIM_START, .memo = memo_new() };
}

void sim_broken(struct sim *s, const char *rule, const char *fmt, ...)
{
	va_list ap;

	if (s->rule)
		return;
	s->rule = rule;
	va_start(ap, fmt);
	vsnprintf(s->what, sizeof(s->what), fmt, ap);
	va_end(ap);
	if (s->violation)
		s->violation(s);
}

void sim_pod_free(struct sim_pod *p)
{
	arena_release(&p->arena);
	free(p);
}

void sim_release(struct sim *s)
{
	for (uint32_t i = 0; i < s->pods.n; i++)
		sim_pod_free(s->pods.v[i]);
	sim_store_release(s);
	carry_forget(&s->retries);
	memo_free(s->memo);
	arena_release(&s->services_arena);
	arena_release(&s->arena);
	set_unref(s->set);
}

struct sim_pod *sim_pod(struct sim *s, const char *ns, const char *name)
{
	for (uint32_t i = 0; i < s->pods.n; i++) {
		struct meta *m = s->pods.v[i]->object.meta;

		if (streq(m->name, name) && streq(m->namespace, ns))
			return s->pods.v[i];
	}
	return NULL;
}

static const char *image(const struct sim_pod *p, uint32_t i)
{
	return pod_container(&p->object.pod->spec, i)->image;
}

static bool image_says(const struct sim_pod *p, uint32_t i, const char *word)
{
	return strstr(image(p, i), word) != NULL;
}

/* The lowest address that no pod has. */
static uint32_t free_address(const struct sim *s)
{
	uint32_t ip = 0x0af40001;

	for (uint32_t i = 0; i < s->pods.n; i++) {
		if (s->pods.v[i]->ip == ip) {
			ip++;
			i = (uint32_t)-1;	/* look at all of them again */
		}
	}
	return ip;
}

/* ---- actions ---- */

static int pod_create(struct sim *s, const struct wanted_pod *w)
{
	struct sim_pod *p;

	if (sim_pod(s, w->object.meta->namespace, w->object.meta->name)) {
		sim_broken(s, "one-name", "pod %s is made while it is there",
			   w->object.meta->name);
		return -EEXIST;
	}
	p = calloc(1, sizeof(*p));
	p->object = object_copy(&p->arena, &w->object);
	p->object.stamp = ++s->stamps;
	p->created_at = s->now;
	p->up_at = s->now + sim_delay(s);
	p->config_digest = w->config_digest;
	p->n = MIN(pod_container_count(&p->object.pod->spec), (uint32_t)SIM_CONTAINERS);
	p->ip = free_address(s);
	for (uint32_t i = 0; i < p->n; i++) {
		const struct container *spec = pod_container(&p->object.pod->spec, i);
		struct sim_container *c = &p->containers[i];

		c->c.name = spec->name;
		c->c.configured[PROBE_READINESS] = spec->readiness_probe;
		c->c.configured[PROBE_LIVENESS] = spec->liveness_probe;
	}
	*arena_push(&s->arena, &s->pods) = p;
	return 0;
}

static struct sim_container *container(struct sim_pod *p, const char *name)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (streq(p->containers[i].c.name, name))
			return &p->containers[i];
	return NULL;
}

/* When it ends by itself, and how. */
static void play(struct sim *s, struct sim_pod *p, struct sim_container *c)
{
	uint32_t i = (uint32_t)(c - p->containers);
	const char *ends = strstr(image(p, i), "exit");
	bool coin = image_says(p, i, "coin");

	c->ready_at = image_says(p, i, "never") ? 0 : c->c.started_at + sim_delay(s);
	c->ends_at = ends || coin || image_says(p, i, "crash") ? c->c.started_at + NSEC : 0;
	c->exit_code = ends ? atoi(ends + 4) : 1;
	if (coin)
		c->exit_code = (int)(sim_random(s) % 2);
}

static bool any_outdated(const struct sim_pod *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->containers[i].c.outdated)
			return true;
	return false;
}

static int container_start(struct sim *s, struct sim_pod *p, const struct wanted_container *w)
{
	struct sim_container *c = container(p, w->name);

	if (!c)
		return -ENOENT;
	if (c->c.phase == RUN_RUNNING) {
		sim_broken(s, "start-once", "container %s of %s is started while it runs", w->name,
			   p->object.meta->name);
		return -EBUSY;
	}
	if (p->stage > POD_UP)
		return -ESRCH;
	c->c.last = c->c.end;
	c->c.end = (struct run_end){ 0 };
	c->c.phase = RUN_RUNNING;
	c->c.attempt = w->attempt;
	c->c.backoff = w->backoff;
	c->c.started_at = MAX(s->now, p->up_at);
	c->c.decided[PROBE_READINESS] = c->c.passed[PROBE_READINESS] = false;
	c->c.decided[PROBE_LIVENESS] = false;
	c->c.outdated = false;
	if (p->resize.generation && !p->resize.done_at && !any_outdated(p))
		p->resize.done_at = s->now;
	play(s, p, c);
	return 0;
}

void sim_container_end(struct sim_pod *p, struct sim_container *c, int64_t at, int code, int signal,
		       bool oom)
{
	c->c.phase = RUN_ENDED;
	c->c.end = (struct run_end){ .exit_code = code, .signal = signal, .oom_killed = oom,
				     .started_at = c->c.started_at, .finished_at = at };
	c->ready_at = c->ends_at = 0;
	p->ready_since = 0;
}

static int container_kill(struct sim *s, struct sim_pod *p, const char *name)
{
	struct sim_container *c = container(p, name);

	if (!c || c->c.phase != RUN_RUNNING)
		return -ESRCH;
	sim_container_end(p, c, s->now, 0, 9, false);
	return 0;
}

static int pod_stop(struct sim *s, struct sim_pod *p)
{
	p->stage = POD_STOPPING;
	p->stopped_at = s->now;
	p->down_at = s->now + sim_delay(s);
	return 0;
}

static int pod_remove(struct sim *s, struct sim_pod *p)
{
	if (p->stage != POD_DOWN && p->stage != POD_BROKEN) {
		sim_broken(s, "remove-after-stop", "pod %s is removed while it runs",
			   p->object.meta->name);
		return -EBUSY;
	}
	for (uint32_t i = 0; i < s->pods.n; i++)
		if (s->pods.v[i] == p)
			s->pods.v[i] = s->pods.v[--s->pods.n];
	sim_pod_free(p);
	return 0;
}

static int pod_update(struct sim *s, struct sim_pod *p, const struct wanted_pod *w)
{
	struct arena fresh = { 0 };
	struct object copy = object_copy(&fresh, &w->object);
	struct arena old = p->arena;

	p->object = copy;
	p->object.stamp = ++s->stamps;
	p->arena = fresh;
	for (uint32_t i = 0; i < p->n; i++)
		p->containers[i].c.name = pod_container(&copy.pod->spec, i)->name;
	arena_release(&old);
	return 0;
}

static int pod_resize(struct sim *s, struct sim_pod *p, const struct wanted_pod *w)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct observed_container *c = &p->containers[i].c;
		const struct container *then = pod_container(&w->object.pod->spec, i);
		struct container_resources is = container_resources(then), was =
			container_resources(pod_container(&p->object.pod->spec, i));

		if (c->phase == RUN_RUNNING && container_resize_restarts(then, &was, &is))
			c->outdated = true;
	}
	p->resize = (struct observed_resize){
		.generation = w->object.meta->generation, .started_at = s->now,
		.tried_at = s->now, .done_at = any_outdated(p) ? 0 : s->now,
	};
	return pod_update(s, p, w);
}

static int program_services(struct sim *s, const struct wanted *w)
{
	struct service_entry *copy;

	arena_release(&s->services_arena);
	copy = arena_array(&s->services_arena, struct service_entry, w->services.n + 1);
	for (uint32_t i = 0; i < w->services.n; i++) {
		struct endpoint *e = arena_array(&s->services_arena, struct endpoint,
						 w->services.v[i].count + 1);

		memcpy(e, w->services.v[i].endpoints, w->services.v[i].count * sizeof(*e));
		copy[i] = w->services.v[i];
		copy[i].endpoints = e;
		copy[i].name = arena_strdup(&s->services_arena, copy[i].name);
	}
	s->services = copy;
	s->nservices = w->services.n;
	s->services_known = true;
	return 0;
}

int sim_act(struct sim *s, const struct wanted *w, const struct action *a)
{
	struct sim_pod *p = sim_pod(s, a->namespace, a->name);
	struct object_key key = a->object ? object_key(a->object) : (struct object_key){ 0 };

	switch (a->kind) {
	case ACTION_OBJECT_PUT: sim_derived_put(s, a->object); return 0;
	case ACTION_OBJECT_FORGET: sim_derived_forget(s, &key); return 0;
	case ACTION_POD_CREATE: return pod_create(s, a->pod);
	case ACTION_SERVICES: return program_services(s, w);
	default: break;
	}
	if (!p)		/* its creation failed */
		return -ENOENT;
	switch (a->kind) {
	case ACTION_POD_UPDATE: return pod_update(s, p, a->pod);
	case ACTION_POD_RESIZE: return pod_resize(s, p, a->pod);
	case ACTION_VOLUMES_UPDATE: p->config_digest = a->pod->config_digest; return 0;
	case ACTION_CONTAINER_START: return container_start(s, p, a->run);
	case ACTION_CONTAINER_KILL: return container_kill(s, p, a->container);
	case ACTION_POD_STOP: return pod_stop(s, p);
	case ACTION_POD_REMOVE: return pod_remove(s, p);
	default: break;
	}
	sim_broken(s, "known-action", "action %d is not played", (int)a->kind);
	return -ENOSYS;
}

/* ---- what happens to it ---- */

void sim_lose(struct sim_pod *p, const char *why)
{
	p->stage = POD_BROKEN;
	p->message = why;
	p->ready_since = 0;
	for (uint32_t i = 0; i < p->n; i++)
		p->containers[i].ready_at = p->containers[i].ends_at = 0;
}

void sim_restart(struct sim *s)
{
	carry_forget(&s->retries);
	memo_free(s->memo);
	s->memo = memo_new();
	s->services_known = false;
	s->dead = false;
	s->dies_after = -1;
	s->started = s->now;
	s->wake = s->now + MSEC;
	s->sampled = 0;
	sim_store_restart(s);
}

void sim_reboot(struct sim *s)
{
	while (s->pods.n) {
		sim_pod_free(s->pods.v[0]);
		s->pods.v[0] = s->pods.v[--s->pods.n];
	}
	s->nservices = 0;
	sim_restart(s);
}

static void shift(int64_t *t, int64_t by)
{
	*t += *t ? by : 0;
}

/* What is to come takes as long as before; what was written down keeps its time. */
void sim_jump(struct sim *s, int64_t by)
{
	s->now += by;
	s->jumped += by;
	shift(&s->wake, by);
	shift(&s->sampled, by);
	for (uint32_t i = 0; i < s->images.n; i++)
		shift(&s->images.v[i].done_at, by);
	for (uint32_t i = 0; i < s->pods.n; i++) {
		struct sim_pod *p = s->pods.v[i];

		shift(&p->up_at, by);
		shift(&p->down_at, by);
		for (uint32_t k = 0; k < p->n; k++) {
			shift(&p->containers[k].ready_at, by);
			shift(&p->containers[k].ends_at, by);
		}
	}
}

/* ---- time ---- */

static void earlier(const struct sim *s, int64_t *next, int64_t t)
{
	if (t > s->now && (!*next || t < *next))
		*next = t;
}

static void tick_container(struct sim *s, struct sim_pod *p, struct sim_container *c, int64_t *next)
{
	if (c->c.phase != RUN_RUNNING)
		return;
	if (c->ends_at && c->ends_at <= s->now) {
		sim_container_end(p, c, c->ends_at, c->exit_code, 0, false);
		return;
	}
	if (c->ready_at && c->ready_at <= s->now)
		c->c.decided[PROBE_READINESS] = c->c.passed[PROBE_READINESS] = true;
	earlier(s, next, c->ends_at);
	earlier(s, next, c->ready_at);
}

static bool is_ready(const struct sim_pod *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (pod_container_role(&p->object.pod->spec, i) != ROLE_INIT &&
		    !observed_container_ready(&p->containers[i].c))
			return false;
	return p->stage == POD_UP;
}

static void tick_pod(struct sim *s, struct sim_pod *p, int64_t *next)
{
	if (p->stage == POD_STARTING && p->up_at <= s->now) {
		p->stage = image_says(p, 0, "nosandbox") ? POD_BROKEN : POD_UP;
		p->message = p->stage == POD_BROKEN ? "no sandbox" : NULL;
	}
	if (p->stage == POD_STOPPING && p->down_at <= s->now)
		p->stage = POD_DOWN;
	earlier(s, next, p->up_at);
	earlier(s, next, p->down_at);
	for (uint32_t i = 0; i < p->n && p->stage == POD_UP; i++)
		tick_container(s, p, &p->containers[i], next);
	if (!is_ready(p))
		p->ready_since = 0;
	else if (!p->ready_since)
		p->ready_since = s->now;
}

int64_t sim_tick(struct sim *s)
{
	int64_t next = sim_images_tick(s);

	for (uint32_t i = 0; i < s->pods.n; i++)
		tick_pod(s, s->pods.v[i], &next);
	earlier(s, &next, sim_metrics_tick(s));
	return next;
}
