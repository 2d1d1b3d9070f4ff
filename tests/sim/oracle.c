/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about any pod and any action: drained before it is stopped, no tight loops, no service entry
 * that leads nowhere; and the calls of the rules of each kind.
 */
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>

#define RATE_WINDOW (60 * NSEC)
#define RATE_MOST 45		/* actions of one kind about one thing in a window */
#define REST (2 * 3600 * NSEC)

const struct owner_reference *scene_owner(const struct object *o)
{
	const struct owner_reference_list *l = &o->meta->owner_references;

	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].controller && l->v[i].uid)
			return &l->v[i];
	return NULL;
}

bool scene_owned(const struct object *o, const char *uid)
{
	const struct owner_reference *r = scene_owner(o);

	return r && streq(r->uid, uid);
}

static bool restarts(const struct sim_pod *p, const struct sim_container *c)
{
	enum restart_policy policy = p->object.pod->spec.restart_policy;
	bool failed = c->c.end.exit_code || c->c.end.signal;

	return policy == RESTART_ALWAYS || (policy == RESTART_ON_FAILURE && failed);
}

bool scene_ended(const struct sim_pod *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->containers[i].c.phase != RUN_ENDED || restarts(p, &p->containers[i]))
			return false;
	return p->n;
}

bool scene_lives(const struct sim_pod *p)
{
	return p->stage <= POD_UP && !p->stopped_at && !scene_ended(p);
}

bool scene_succeeded(const struct sim_pod *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->containers[i].c.phase != RUN_ENDED || p->containers[i].c.end.exit_code ||
		    p->containers[i].c.end.signal)
			return false;
	return p->n && p->object.pod->spec.restart_policy != RESTART_ALWAYS;
}

const struct wanted_pod *scene_wanted(const struct scene *c, const struct object *pod)
{
	for (uint32_t i = 0; i < c->w->pods.n; i++)
		if (!object_cmp(&c->w->pods.v[i].object, pod))
			return &c->w->pods.v[i];
	return NULL;
}

const struct object *scene_record(const struct object_list *l, enum kind_id kind, const char *uid)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].kind->id == kind && l->v[i].meta->uid && streq(l->v[i].meta->uid, uid))
			return &l->v[i];
	return NULL;
}

const struct object *scene_declared(const struct scene *c, enum kind_id kind, const char *uid)
{
	struct object_list l = set_kind(c->sim->set, kind);

	return scene_record(&l, kind, uid);
}

/* ---- rates ---- */

/* Pods of one owner have names of their own: making them counts for the owner. All that ever ran
 * may go at once. */
static uint64_t rate_key(const struct action *a)
{
	const struct owner_reference *r = a->kind == ACTION_POD_CREATE ?
		scene_owner(&a->pod->object) : NULL;
	uint64_t h = fnv64(FNV64_INIT, &a->kind, sizeof(a->kind));

	if (a->container)
		h = fnv64_str(h, a->container);
	if (r)
		return fnv64_str(h, r->uid);
	return fnv64_str(fnv64_str(h, a->namespace), a->name);
}

/* All pods of the machine change the maps, each pod of an owner changes its record a few times. */
static unsigned most(enum action_kind kind)
{
	return kind == ACTION_SERVICES ? 6 * RATE_MOST : kind == ACTION_OBJECT_PUT ? 3 * RATE_MOST :
										      RATE_MOST;
}

static void count_rate(struct oracle *k, const struct action *a)
{
	uint64_t key = rate_key(a);
	struct oracle_rate *r = NULL;

	for (uint32_t i = 0; i < k->rates.n && !r; i++)
		if (k->rates.v[i].key == key)
			r = &k->rates.v[i];
	if (!r) {
		r = arena_push(&k->arena, &k->rates);
		*r = (struct oracle_rate){ .key = key, .since = k->sim->now };
	}
	if (k->sim->now - r->since > RATE_WINDOW)
		*r = (struct oracle_rate){ .key = key, .since = k->sim->now };
	if (++r->n > most(a->kind))
		sim_broken(k->sim, "back-off", "%s %s/%s %s: %u times within a minute",
			   action_words(a->kind), a->namespace, a->name,
			   a->container ? a->container : "", r->n);
}

void oracle_disturbed(struct oracle *o)
{
	o->rates.n = 0;
}

void oracle_clock_back(struct oracle *o)
{
	o->clock_back = true;
}

/* ---- hooks ---- */

/* They were to be programmed before this action, and that failed or has to wait. */
static bool services_behind(const struct scene *c, const struct action *a)
{
	for (const struct action *b = c->sim->doing->v; b < a; b++)
		if (b->kind == ACTION_SERVICES)
			return !c->oracle->services_done;
	return false;
}

static void check_drained(struct scene *c, const struct sim_pod *p, const struct action *a)
{
	const struct sim *s = c->sim;

	if (services_behind(c, a))
		return;
	for (uint32_t i = 0; i < s->nservices; i++)
		for (uint32_t k = 0; k < s->services[i].count; k++)
			if (s->services[i].endpoints[k].ip == p->ip)
				sim_broken(c->sim, "drained-first",
					   "pod %s is stopped while service %s leads to it",
					   p->object.meta->name, s->services[i].name);
}

static void on_action(struct sim *s, const struct observed *o, const struct wanted *w,
		      const struct action *a)
{
	struct scene c = { s->data, s, o, w };
	struct sim_pod *p = sim_pod(s, a->namespace, a->name);

	count_rate(c.oracle, a);
	c.oracle->services_done |= a->kind == ACTION_SERVICES;
	if (a->kind == ACTION_CONTAINER_START && p)
		oracle_starts(&c, p);
	if (a->kind == ACTION_OBJECT_PUT)
		oracle_records(&c, a->object);
	if (a->kind == ACTION_POD_CREATE) {
		oracle_admits(&c, &a->pod->object, NULL);
		oracle_makes(&c, &a->pod->object);
	}
	if (a->kind == ACTION_POD_RESIZE && p)
		oracle_resizes(&c, p, &a->pod->object);
	if (a->kind == ACTION_POD_STOP && p) {
		check_drained(&c, p, a);
		oracle_stops(&c, p);
	}
}

static void on_decided(struct sim *s, const struct observed *o, const struct wanted *w)
{
	struct scene c = { s->data, s, o, w };

	c.oracle->services_done = false;
	oracle_decided(&c);
	oracle_jobs_decided(&c);
	oracle_disrupts(&c);
	oracle_scales(&c);
}

/* Addresses are given once, and every entry leads to a pod that is there. */
static void check_entries(struct sim *s)
{
	for (uint32_t i = 0; i < s->nservices; i++) {
		for (uint32_t k = 0; k < s->services[i].count; k++) {
			bool there = false;

			for (uint32_t n = 0; n < s->pods.n; n++)
				there |= s->pods.v[n]->ip == s->services[i].endpoints[k].ip;
			if (!there)
				sim_broken(s, "entry-leads-somewhere", "service %s leads to no pod",
					   s->services[i].name);
		}
	}
}

static void on_passed(struct sim *s, const struct observed *o, const struct wanted *w,
		      const struct action_list *l)
{
	struct scene c = { s->data, s, o, w };

	(void)l;
	if (s->dead)
		return;
	if (!s->failures && !s->retries) {
		check_entries(s);
		oracle_sets_passed(&c);
	}
	if (!s->disk_full)
		oracle_jobs_passed(&c);
}

void oracle_init(struct oracle *o, struct sim *s)
{
	*o = (struct oracle){ .sim = s };
	s->data = o;
	s->check = on_decided;
	s->acts = on_action;
	s->did = on_passed;
	s->applied = oracle_applied;
}

void oracle_release(struct oracle *o)
{
	arena_release(&o->arena);
}

/* ---- rest ---- */

static void look(struct oracle *k)
{
	struct sim *s = k->sim;
	struct arena a = { 0 };
	struct observed o = { 0 };
	struct wanted w;
	struct plan p;
	struct control_in in = sim_control_in(s, s->set, &o, 1);
	struct scene c = { k, s, &o, &w };

	sim_observe(s, &a, &o);
	control_run(&a, &in, &w);
	plan_make(&a, &(struct plan_in){ .applied = s->set, .candidate = s->set, .observed = &o,
					 .wanted = &w }, &p);
	oracle_converged(&c, &p);
	arena_release(&a);
}

/* Something is still on its way, or was done just now. */
static bool in_motion(const struct sim *s, uint32_t actions)
{
	for (uint32_t i = 0; i < s->pods.n; i++)
		if (s->pods.v[i]->stage == POD_STARTING || s->pods.v[i]->stage == POD_STOPPING)
			return true;
	return actions;
}

void oracle_rest(struct oracle *k)
{
	struct sim *s = k->sim;
	uint32_t n = 1;

	s->slow = NSEC;
	sim_run_until(s, s->now + REST);
	for (int i = 0; i < 200 && !s->rule; i++) {
		sim_tick(s);
		n = sim_pass(s);
		if (!in_motion(s, n))
			break;
		s->now += 100 * MSEC;
	}
	sim_tick(s);
	if (s->rule)
		return;
	if (in_motion(s, n))
		sim_broken(s, "comes-to-rest", "actions without end: %u in the last pass", n);
	look(k);
}
