/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine in memory around the real core: control and plan decide, and what a kernel and the
 * shims would do is played here, with invented times from a seed. Behaviour is chosen by words in
 * a container's image: "crash" ends with exit code 1 after a second, "never" is never ready,
 * "nosandbox" can't be made, "exitN" ends with exit code N after a second. Without a readiness probe a container is ready once it runs.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/macro.h"
#include "control/control.h"
#include "plan/plan.h"

#define SIM_CONTAINERS 4
#define SIM_START (1764000000LL * NSEC)

struct sim_container {
	struct observed_container c;
	int64_t ready_at, ends_at;	/* 0: never */
	int exit_code;
};

struct sim_pod {
	struct arena arena;
	struct object object;
	enum pod_stage stage;
	uint32_t ip;
	int64_t created_at, up_at, stopped_at, down_at, ready_since;
	uint64_t config_digest;
	const char *message;
	struct sim_container containers[SIM_CONTAINERS];
	uint32_t n;
};

struct sim_derived { struct arena arena; struct object object; };

struct sim_entry {			/* what the store would remember of an object */
	char key[300], uid[37];
	int64_t created, generation;
	uint64_t digest;
	uint32_t number;
};

struct sim {
	struct set *set;
	int64_t now;
	uint64_t rng;
	struct { struct sim_pod **v; uint32_t n; } pods;
	struct { struct sim_derived **v; uint32_t n; } derived;
	struct arena arena;		/* lists of pointers, inventory */
	struct { struct sim_entry *v; uint32_t n; } inventory;
	struct arena services_arena;
	const struct service_entry *services;
	uint32_t nservices;
	bool services_known;
	uint32_t next_ip, next_number;
	int64_t slow;			/* upper bound of every delay */
	unsigned lost_percent;		/* of actions that fail without a trace */
	uint64_t passes, actions;
	int64_t wake;
	const struct zone *(*zone)(void *data, const char *name);	/* data is the arena */
	void (*check)(struct sim *s, const struct observed *o, const struct wanted *w);
	void *data;
};

static inline uint64_t sim_random(struct sim *s)
{
	s->rng ^= s->rng << 13;
	s->rng ^= s->rng >> 7;
	s->rng ^= s->rng << 17;
	return s->rng;
}

static inline int64_t sim_delay(struct sim *s)
{
	return MSEC + (int64_t)(sim_random(s) % (uint64_t)s->slow);
}

static inline void sim_init(struct sim *s, uint64_t seed)
{
	*s = (struct sim){ .now = SIM_START, .rng = seed * 2654435761u + 88172645463325252ULL,
			   .slow = 5 * NSEC, .next_ip = 0x0af40001, .next_number = 1 };
}

static inline void sim_pod_free(struct sim_pod *p)
{
	arena_release(&p->arena);
	free(p);
}

static inline void sim_release(struct sim *s)
{
	for (uint32_t i = 0; i < s->pods.n; i++)
		sim_pod_free(s->pods.v[i]);
	for (uint32_t i = 0; i < s->derived.n; i++) {
		arena_release(&s->derived.v[i]->arena);
		free(s->derived.v[i]);
	}
	arena_release(&s->services_arena);
	arena_release(&s->arena);
	set_unref(s->set);
}

/* --- sets ---------------------------------------------------------------------------------- */

static inline struct sim_entry *sim_entry(struct sim *s, const struct object *o)
{
	char key[300];

	snprintf(key, sizeof(key), "%s/%s/%s", o->kind->name,
		 o->meta->namespace ? o->meta->namespace : "",
		 o->meta->name);
	for (uint32_t i = 0; i < s->inventory.n; i++)
		if (streq(s->inventory.v[i].key, key))
			return &s->inventory.v[i];
	struct sim_entry *e = arena_push(&s->arena, &s->inventory);
	memcpy(e->key, key, sizeof(key));
	e->number = s->next_number++;
	e->created = s->now - s->now % NSEC;
	snprintf(e->uid, sizeof(e->uid), "00000000-0000-4000-8000-%012u", e->number);
	return e;
}

static inline void sim_admit_service(struct sim *s, struct service *svc, uint32_t number)
{
	struct arena *a = &s->arena;
	struct service_port_list ports = { 0 };

	if (!svc->spec.cluster_ip)
		svc->spec.cluster_ip = arena_printf(a, "10.96.0.%u", number);
	for (uint32_t i = 0; i < svc->spec.ports.n; i++) {
		struct service_port *p = arena_push(a, &ports);

		*p = svc->spec.ports.v[i];
		if (svc->spec.type == SERVICE_NODE_PORT && !p->node_port)
			p->node_port = (int32_t)(31000 + number * 10 + i);
	}
	svc->spec.ports = ports;
}

/* As the store admits a set: identity and addresses are filled into private bodies. */
static inline void sim_admit(struct sim *s, struct set *set)
{
	for (uint32_t i = 0; i < set->objects.n; i++) {
		struct object *o = &set->objects.v[i];
		struct sim_entry *e = sim_entry(s, o);
		size_t meta = (size_t)((char *)o->meta - (char *)o->body);
		void *body = arena_alloc(&s->arena, o->kind->type->size);

		if (e->digest != o->digest)
			e->generation++;
		e->digest = o->digest;
		memcpy(body, o->body, o->kind->type->size);
		o->body = body;
		o->meta = (struct meta *)((char *)body + meta);
		o->meta->uid = arena_strdup(&s->arena, e->uid);
		o->meta->creation_timestamp = e->created;
		o->meta->generation = e->generation;
		if (o->kind->id == KIND_SERVICE)
			sim_admit_service(s, o->service, e->number);
	}
}

struct sim_files { struct manifest *v[32]; uint32_t n; };

static inline void sim_files_add(struct sim_files *f, const char *path, const char *text)
{
	f->v[f->n++] = manifest_load(path, text, strlen(text));
}

/* Broken files are only told about, as on a machine that never saw a good version of them. */
static inline struct set *sim_set(struct sim *s, struct sim_files *f, const struct hold_list *holds)
{
	struct manifest *good[32], *broken[32];
	uint32_t ngood = 0, nbroken = 0;
	static const struct hold_list none;

	for (uint32_t i = 0; i < f->n; i++) {
		if (f->v[i]->broken)
			broken[nbroken++] = f->v[i];
		else
			good[ngood++] = f->v[i];
	}
	struct set *set = set_build(good, ngood, broken, nbroken, holds ? holds : &none, s->set);
	for (uint32_t i = 0; i < f->n; i++)
		manifest_unref(f->v[i]);
	f->n = 0;
	sim_admit(s, set);
	return set;
}

/* Makes set what is applied; takes the reference. */
static inline void sim_use(struct sim *s, struct set *set)
{
	uint32_t keep = 0;

	for (uint32_t i = 0; i < s->inventory.n; i++) {
		bool there = false;

		for (uint32_t k = 0; k < set->objects.n && !there; k++)
			there = streq(set->objects.v[k].meta->uid, s->inventory.v[i].uid);
		if (there)
			s->inventory.v[keep++] = s->inventory.v[i];
	}
	s->inventory.n = keep;
	set_unref(s->set);
	s->set = set;
}

static inline struct set *sim_set_text(struct sim *s, const char *text)
{
	struct sim_files f = { 0 };

	sim_files_add(&f, "web.yaml", text);
	if (f.v[0]->broken)
		fail_msg("%s: %s", f.v[0]->msgs.v[0].path, f.v[0]->msgs.v[0].text);
	return sim_set(s, &f, NULL);
}

/* --- what runs ----------------------------------------------------------------------------- */

static inline struct sim_pod *sim_pod(struct sim *s, const char *ns, const char *name)
{
	for (uint32_t i = 0; i < s->pods.n; i++) {
		struct meta *m = s->pods.v[i]->object.meta;

		if (streq(m->name, name) && streq(m->namespace, ns))
			return s->pods.v[i];
	}
	return NULL;
}

static inline bool sim_image(const struct sim_pod *p, uint32_t i, const char *word)
{
	return strstr(p->object.pod->spec.containers.v[i].image, word) != NULL;
}

static inline int sim_pod_cmp(const void *x, const void *y)
{
	return object_cmp(&(*(struct sim_pod *const *)x)->object,
			  &(*(struct sim_pod *const *)y)->object);
}

static inline int sim_derived_cmp(const void *x, const void *y)
{
	return object_cmp(&(*(struct sim_derived *const *)x)->object,
			  &(*(struct sim_derived *const *)y)->object);
}

static inline void sim_observe_pod(struct sim_pod *p, struct arena *a, struct observed_pod *o)
{
	*o = (struct observed_pod){
		.object = &p->object, .stage = p->stage, .ip = p->ip, .created_at = p->created_at,
		.stopped_at = p->stopped_at, .ready_since = p->ready_since,
		.config_digest = p->config_digest, .message = p->message, .ncontainers = p->n,
		.containers = arena_array(a, struct observed_container, p->n + 1),
	};
	for (uint32_t i = 0; i < p->n; i++)
		o->containers[i] = p->containers[i].c;
}

static inline void sim_observe(struct sim *s, struct arena *a, struct observed *o)
{
	*o = (struct observed){
		.npods = s->pods.n, .pods = arena_array(a, struct observed_pod, s->pods.n + 1),
		.services = s->services, .nservices = s->nservices,
		.services_known = s->services_known,
	};
	if (s->pods.n)
		qsort(s->pods.v, s->pods.n, sizeof(*s->pods.v), sim_pod_cmp);
	for (uint32_t i = 0; i < s->pods.n; i++)
		sim_observe_pod(s->pods.v[i], a, &o->pods[i]);
	if (s->derived.n)
		qsort(s->derived.v, s->derived.n, sizeof(*s->derived.v),
		      sim_derived_cmp);
	for (uint32_t i = 0; i < s->derived.n; i++)
		*arena_push(a, &o->derived) = s->derived.v[i]->object;
}

/* --- actions ------------------------------------------------------------------------------- */

static inline void sim_pod_create(struct sim *s, const struct wanted_pod *w)
{
	struct sim_pod *p = calloc(1, sizeof(*p));

	assert_null(sim_pod(s, w->object.meta->namespace, w->object.meta->name));
	p->object = object_copy(&p->arena, &w->object);
	p->created_at = s->now;
	p->up_at = s->now + sim_delay(s);
	p->config_digest = w->config_digest;
	p->n = p->object.pod->spec.containers.n;
	p->ip = s->next_ip++;
	for (uint32_t i = 0; i < p->n; i++) {
		const struct container *spec = &p->object.pod->spec.containers.v[i];
		struct sim_container *c = &p->containers[i];

		c->c.name = spec->name;
		c->c.configured[PROBE_READINESS] = spec->readiness_probe;
		c->c.configured[PROBE_LIVENESS] = spec->liveness_probe;
	}
	*arena_push(&s->arena, &s->pods) = p;
}

static inline void sim_container_start(struct sim *s, struct sim_pod *p,
				       const struct wanted_container *w)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct sim_container *c = &p->containers[i];

		if (!streq(c->c.name, w->name))
			continue;
		assert_int_not_equal(c->c.phase, RUN_RUNNING);
		c->c.last = c->c.end;
		c->c.end = (struct run_end){ 0 };
		c->c.phase = RUN_RUNNING;
		c->c.attempt = w->attempt;
		c->c.backoff = w->backoff;
		c->c.started_at = MAX(s->now, p->up_at);
		c->c.decided[PROBE_READINESS] = c->c.passed[PROBE_READINESS] = false;
		c->c.decided[PROBE_LIVENESS] = false;
		c->ready_at = sim_image(p, i, "never") ? 0 : c->c.started_at + sim_delay(s);
		const char *ends = strstr(p->object.pod->spec.containers.v[i].image, "exit");
		c->ends_at = ends || sim_image(p, i, "crash") ? c->c.started_at + NSEC : 0;
		c->exit_code = ends ? atoi(ends + 4) : 1;
	}
}

static inline void sim_container_end(struct sim_pod *p, struct sim_container *c, int64_t at,
				     int code,
				     int signal, bool oom)
{
	c->c.phase = RUN_ENDED;
	c->c.end = (struct run_end){ .exit_code = code, .signal = signal, .oom_killed = oom,
				     .started_at = c->c.started_at, .finished_at = at };
	c->ready_at = c->ends_at = 0;
	p->ready_since = 0;
}

static inline void sim_pod_stop(struct sim *s, struct sim_pod *p)
{
	p->stage = POD_STOPPING;
	p->stopped_at = s->now;
	p->down_at = s->now + sim_delay(s);
}

static inline void sim_pod_remove(struct sim *s, struct sim_pod *p)
{
	assert_true(p->stage == POD_DOWN || p->stage == POD_BROKEN);
	for (uint32_t i = 0; i < s->pods.n; i++)
		if (s->pods.v[i] == p)
			s->pods.v[i] = s->pods.v[--s->pods.n];
	sim_pod_free(p);
}

static inline void sim_pod_update(struct sim_pod *p, const struct wanted_pod *w)
{
	struct arena fresh = { 0 };
	struct object copy = object_copy(&fresh, &w->object);
	struct arena old = p->arena;

	p->object = copy;
	p->arena = fresh;
	for (uint32_t i = 0; i < p->n; i++)
		p->containers[i].c.name = copy.pod->spec.containers.v[i].name;
	arena_release(&old);
}

static inline void sim_services(struct sim *s, const struct wanted *w)
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
}

static inline void sim_derived_forget(struct sim *s, const struct object_key *key)
{
	for (uint32_t i = 0; i < s->derived.n; i++) {
		struct sim_derived *r = s->derived.v[i];

		struct object_key k = object_key(&r->object);

		if (object_key_cmp(&k, key))
			continue;
		s->derived.v[i] = s->derived.v[--s->derived.n];
		arena_release(&r->arena);
		free(r);
		return;
	}
}

static inline void sim_derived_put(struct sim *s, const struct object *o)
{
	struct sim_derived *r = calloc(1, sizeof(*r));

	r->object = object_copy(&r->arena, o);
	struct object_key key = object_key(o);

	sim_derived_forget(s, &key);
	*arena_push(&s->arena, &s->derived) = r;
}

static inline void sim_exec(struct sim *s, const struct wanted *w, const struct action *a)
{
	struct sim_pod *p = sim_pod(s, a->namespace, a->name);
	struct object_key key = a->object ? object_key(a->object) : (struct object_key){ 0 };

	s->actions++;
	if (s->lost_percent && sim_random(s) % 100 < s->lost_percent)
		return;
	switch (a->kind) {
	case ACTION_OBJECT_PUT: sim_derived_put(s, a->object); return;
	case ACTION_OBJECT_FORGET: sim_derived_forget(s, &key); return;
	case ACTION_POD_CREATE: sim_pod_create(s, a->pod); return;
	case ACTION_SERVICES: sim_services(s, w); return;
	default: break;
	}
	if (!p)	/* its creation was lost */
		return;
	switch (a->kind) {
	case ACTION_POD_UPDATE: sim_pod_update(p, a->pod); break;
	case ACTION_VOLUMES_UPDATE: p->config_digest = a->pod->config_digest; break;
	case ACTION_CONTAINER_START: sim_container_start(s, p, a->run); break;
	case ACTION_CONTAINER_KILL:
		for (uint32_t i = 0; i < p->n; i++)
			if (streq(p->containers[i].c.name, a->container))
				sim_container_end(p, &p->containers[i], s->now, 0, 9, false);
		break;
	case ACTION_POD_STOP: sim_pod_stop(s, p); break;
	case ACTION_POD_REMOVE: sim_pod_remove(s, p); break;
	default: fail_msg("action %d", a->kind);
	}
}

/* The daemon shows what was wanted after it was carried out: none of it may be gone by then. That
 * is for the address sanitizer to see. */
static inline void sim_show(const struct wanted *w)
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

/* One pass; the number of its actions. */
static inline uint32_t sim_pass(struct sim *s)
{
	struct arena a = { 0 };
	struct observed o;
	struct wanted w;
	struct action_list l;
	struct control_in in = { .set = s->set, .observed = &o, .node_name = "node",
				 .node_ip = 0x0a000001, .now = s->now };

	in.seed = sim_random(s);
	in.zone = s->zone;
	in.zone_data = &s->arena;
	s->passes++;
	sim_observe(s, &a, &o);
	control_run(&a, &in, &w);
	if (s->check)
		s->check(s, &o, &w);
	plan_actions(&a, &o, &w, &l);
	for (uint32_t i = 0; i < l.n; i++)
		sim_exec(s, &w, &l.v[i]);
	s->wake = w.wake;
	if (l.n)
		sim_show(&w);
	arena_release(&a);
	return l.n;
}

/* --- time ---------------------------------------------------------------------------------- */

static inline void sim_earlier(struct sim *s, int64_t *next, int64_t t)
{
	if (t > s->now && (!*next || t < *next))
		*next = t;
}

static inline void sim_tick_container(struct sim *s, struct sim_pod *p, struct sim_container *c,
				      int64_t *next)
{
	if (c->c.phase != RUN_RUNNING)
		return;
	if (c->ends_at && c->ends_at <= s->now) {
		sim_container_end(p, c, c->ends_at, c->exit_code, 0, false);
		return;
	}
	if (c->ready_at && c->ready_at <= s->now)
		c->c.decided[PROBE_READINESS] = c->c.passed[PROBE_READINESS] = true;
	sim_earlier(s, next, c->ends_at);
	sim_earlier(s, next, c->ready_at);
}

static inline bool sim_pod_ready(const struct sim_pod *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (!observed_container_ready(&p->containers[i].c))
			return false;
	return p->stage == POD_UP;
}

static inline void sim_tick_pod(struct sim *s, struct sim_pod *p, int64_t *next)
{
	if (p->stage == POD_STARTING && p->up_at <= s->now) {
		p->stage = sim_image(p, 0, "nosandbox") ? POD_BROKEN : POD_UP;
		p->message = p->stage == POD_BROKEN ? "no sandbox" : NULL;
	}
	if (p->stage == POD_STOPPING && p->down_at <= s->now)
		p->stage = POD_DOWN;
	sim_earlier(s, next, p->up_at);
	sim_earlier(s, next, p->down_at);
	for (uint32_t i = 0; i < p->n && p->stage == POD_UP; i++)
		sim_tick_container(s, p, &p->containers[i], next);
	if (!sim_pod_ready(p))
		p->ready_since = 0;
	else if (!p->ready_since)
		p->ready_since = s->now;
}

/* What happens by now; when something happens next, 0: never. */
static inline int64_t sim_tick(struct sim *s)
{
	int64_t next = 0;

	for (uint32_t i = 0; i < s->pods.n; i++)
		sim_tick_pod(s, s->pods.v[i], &next);
	return next;
}

/* One pass, then time goes on to the next event. False: nothing will ever happen again. */
static inline bool sim_step(struct sim *s)
{
	int64_t next = sim_tick(s);
	uint32_t n = sim_pass(s);
	int64_t after = sim_tick(s);

	if (after && (!next || after < next))
		next = after;
	sim_earlier(s, &next, s->wake);
	if (n)		/* the daemon looks again at once */
		next = s->now + MSEC;
	if (!next)
		return false;
	s->now = MAX(next, s->now);
	return true;
}

static inline bool sim_settle(struct sim *s, unsigned max)
{
	for (unsigned i = 0; i < max; i++)
		if (!sim_step(s))
			return true;
	return false;
}

static inline void sim_run_until(struct sim *s, int64_t t)
{
	while (s->now < t) {
		int64_t before = s->now;

		if (!sim_step(s) || s->now > t) {
			s->now = t;
			sim_tick(s);
			return;
		}
		assert_true(s->now > before);
	}
}

static inline void sim_lose(struct sim_pod *p, const char *why)
{
	p->stage = POD_BROKEN;
	p->message = why;
	p->ready_since = 0;
	for (uint32_t i = 0; i < p->n; i++)
		p->containers[i].ready_at = p->containers[i].ends_at = 0;
}
