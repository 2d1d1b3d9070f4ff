/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one pass that everything leads to. Whatever happens - a file changed, a container exited, a probe
 * turned, a back-off ended, orchd started - only marks the daemon dirty, and this runs:
 *
 *	observe   what runs, from the shims
 *	control   what should run now            (pure)
 *	plan      the actions between the two    (pure)
 *	exec      carry them out, take what fails as news for the next pass
 *	show      put objects with their status where the API reads them
 */
#include "daemon/reconcile.h"

#include <sys/random.h>

#include "base/log.h"
#include "base/macro.h"
#include "control/control.h"
#include "daemon/exec.h"
#include "daemon/memory.h"
#include "daemon/metrics.h"
#include "daemon/slices.h"
#include "daemon/zones.h"

/* After a pass that did something: some of it sends no news of its own. */
#define LOOK_AGAIN (20 * MSEC)

/* The store's own list moves while the pass records and forgets; plans point into this one. */
static struct object_list list_copy(struct arena *a, const struct object_list *l)
{
	struct object_list copy = { arena_array(a, struct object, l->n + 1), l->n };

	if (l->n)
		memcpy(copy.v, l->v, l->n * sizeof(*l->v));
	return copy;
}

void reconcile_outlook(struct daemon *d, const struct set *set, struct memo *memo, struct arena *a,
		       struct outlook *ret)
{
	struct control_in in = {
		.set = set,
		.observed = &ret->observed,
		.settings = d->settings,
		.eviction_rules = &d->pressure.rules,
		.eviction = &d->pressure.state,
		.node_name = d->node_name,
		.node_ip = net_node_ip(d->net),
		.volumes_dir = arena_printf(a, "%s/volumes", d->settings->state_dir),
		.capacity = d->capacity,
		.allocatable = d->allocatable,
		.node_info = d->node_info,
		.started = d->started,
		.now = time_now(),
		.zone = zones_find,
		.zone_data = &d->zones,
		.memo = memo,
	};

	if (getrandom(&in.seed, sizeof(in.seed), 0) < 0)
		in.seed = (uint64_t)in.now;
	pressure_observe(d, &ret->observed);
	runtime_observe(d->runtime, a, &ret->observed);
	images_observe(d->images, a, &ret->observed);
	metrics_observe(d, &ret->observed);
	ret->observed.derived = list_copy(a, store_derived(d->store));
	ret->observed.services = d->programmed;
	ret->observed.nservices = d->nprogrammed;
	ret->observed.services_known = d->services_known;
	control_run(a, &in, &ret->wanted);
}

/* Of a kind that has them. */
static void set_replicas(struct object *o, int32_t replicas)
{
	const struct field *spec = schema_field(o->kind->type, "spec");
	const struct field *f = spec ? schema_field(spec->sub, "replicas") : NULL;

	if (f && f->kind == K_I32)
		*(int32_t *)((char *)o->body + spec->offset + f->offset) = replicas;
}

/* What control found of objects, by their keys; of each the first. */
struct statuses { const struct wanted_status **v; uint32_t n; };

static int status_cmp(const void *x, const void *y)
{
	const struct wanted_status *a = *(const struct wanted_status *const *)x;
	const struct wanted_status *b = *(const struct wanted_status *const *)y;
	int r = object_key_cmp(&a->key, &b->key);

	return r ? r : a < b ? -1 : a > b;
}

static struct statuses statuses_sorted(struct arena *a, const struct wanted *w)
{
	struct statuses s = { arena_array(a, const struct wanted_status *, w->statuses.n),
			      w->statuses.n };

	for (uint32_t i = 0; i < s.n; i++)
		s.v[i] = &w->statuses.v[i];
	if (s.n)
		qsort(s.v, s.n, sizeof(*s.v), status_cmp);
	return s;
}

static const struct wanted_status *status_of(const struct statuses *s, const struct object_key *key)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (object_key_cmp(&s->v[mid]->key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && !object_key_cmp(&s->v[lo]->key, key) ? s->v[lo] : NULL;
}

/* A shallow copy of a declared object whose status is the one that control found. */
static struct object with_status(struct arena *a, const struct object *o, const struct statuses *all)
{
	const struct field *status = schema_field(o->kind->type, "status");
	const struct wanted_status *found;
	struct object_key key = object_key(o);
	struct object shown = *o;

	found = status && status->kind == K_INLINE ? status_of(all, &key) : NULL;
	if (!found)
		return shown;
	shown.body = arena_alloc(a, o->kind->type->size);
	memcpy(shown.body, o->body, o->kind->type->size);
	memcpy((char *)shown.body + status->offset, found->status, status->sub->size);
	shown.meta = &((struct pod *)shown.body)->metadata;
	if (found->scaled)
		set_replicas(&shown, found->replicas);
	return shown;
}

static struct object pod_shown(struct arena *a, const struct wanted_pod *p, const struct observed *o,
			       int64_t now)
{
	struct object shown = p->object;
	const struct observed_pod *runs = observed_find(o, p->object.meta->namespace,
							p->object.meta->name);

	shown.pod = arena_new(a, struct pod);
	*shown.pod = *p->object.pod;
	shown.meta = &shown.pod->metadata;
	if (p->declared)
		shown.pod->spec = *p->declared;
	if (p->status)
		shown.pod->status = *p->status;
	if (p->unscheduled)
		shown.pod->spec.node_name = NULL;
	if (p->stop) {
		int64_t since = runs && runs->stopped_at ? runs->stopped_at : now;

		shown.meta->deletion_timestamp = since + p->grace_s * NSEC;
		shown.meta->deletion_grace_period_seconds = p->grace_s;
	}
	return shown;
}

/* One that control kept was shown in the pass before. */
static void show_pod(struct daemon *d, struct arena *a, const struct wanted_pod *p,
		     const struct observed *o, int64_t now)
{
	if (p->settled && view_stays(d->view, p->object.meta, KIND_POD))
		return;
	struct object shown = pod_shown(a, p, o, now);
	view_put(d->view, &shown);
}

static bool is_storage(const struct object *o)
{
	return o->kind->id == KIND_PV || o->kind->id == KIND_PVC || o->kind->id == KIND_STORAGECLASS;
}

/* What control remembers of declared objects, beside them. */
static bool is_record(const struct object *o)
{
	return o->kind->id == KIND_NODE || o->kind->id == KIND_HPA;
}

/* Declared objects that control shows itself: what it makes of them is the whole of them. */
static bool shown_by_control(const struct daemon *d, const struct object *o)
{
	switch (o->kind->id) {
	case KIND_POD:
	case KIND_REPLICASET:
	case KIND_JOB:
	case KIND_CRONJOB:
		return true;
	case KIND_NODE:
		return streq(o->meta->name, d->node_name);
	default:
		return is_storage(o);
	}
}

static void default_namespace(struct daemon *d, struct arena *a)
{
	struct object ns = object_new(a, KIND_NAMESPACE, NULL, "default");

	if (set_find(d->applied, KIND_NAMESPACE, "", "default"))
		return;
	ns.meta->uid = "00000000-0000-4000-8000-64656661756c";
	ns.meta->creation_timestamp = d->started;
	strmap_set(a, &ns.meta->labels, "kubernetes.io/metadata.name", "default");
	ns.namespace->status.phase = "Active";
	view_put(d->view, &ns);
}

/* Endpoints that were declared for a service whose Endpoints control makes. */
static bool made_by_control(const struct wanted *w, const struct object *o)
{
	return o->kind->id == KIND_ENDPOINTS && w->endpoints.n &&
	       bsearch(o, w->endpoints.v, w->endpoints.n, sizeof(*o), object_cmp);
}

/* EndpointSlices are what clients look at. */
static void show_endpoints(struct daemon *d, struct arena *a, const struct object *o)
{
	view_put(d->view, o);
	slices_put(d->view, a, o);
}

static void show(struct daemon *d, struct arena *a, const struct outlook *o, int64_t now)
{
	const struct wanted *w = &o->wanted;
	struct statuses statuses = statuses_sorted(a, w);

	view_begin(d->view);
	default_namespace(d, a);
	for (uint32_t i = 0; i < d->applied->objects.n; i++) {
		struct object shown;

		if (shown_by_control(d, &d->applied->objects.v[i]) ||
		    made_by_control(w, &d->applied->objects.v[i]))
			continue;
		shown = with_status(a, &d->applied->objects.v[i], &statuses);
		if (shown.kind->id == KIND_ENDPOINTS)
			show_endpoints(d, a, &shown);
		else
			view_put(d->view, &shown);
	}
	for (uint32_t i = 0; i < w->derived.n; i++)
		if (!is_storage(&w->derived.v[i]) && !is_record(&w->derived.v[i]))
			view_put(d->view, &w->derived.v[i]);
	for (uint32_t i = 0; i < w->shown.n; i++)
		view_put(d->view, &w->shown.v[i]);
	for (uint32_t i = 0; i < w->endpoints.n; i++)
		show_endpoints(d, a, &w->endpoints.v[i]);
	for (uint32_t i = 0; i < w->pods.n; i++)
		show_pod(d, a, &w->pods.v[i], &o->observed, now);
	view_end(d->view);
	for (uint32_t i = 0; i < w->events.n; i++) {
		const struct wanted_event *e = &w->events.v[i];

		view_event(d->view, &e->key, e->uid, e->warning, e->reason, e->message, d->node_name,
			   e->when);
	}
}

static void on_wake(struct loop_timer *t)
{
	daemon_dirty(container_of(t, struct daemon, wake));
}

static int64_t sooner(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* wake is wall-clock time; a timer that is late after the clock jumped only looks again. */
static void arm_wake(struct daemon *d, int64_t wake, int64_t now)
{
	if (!wake) {
		loop_timer_cancel(d->loop, &d->wake);
		return;
	}
	loop_timer_at(d->loop, &d->wake, time_mono() + MAX(wake - now, MSEC), on_wake);
}

/* Is something on its way whose end will be news? */
static bool in_motion(const struct outlook *o)
{
	for (uint32_t i = 0; i < o->wanted.pods.n; i++)
		if (o->wanted.pods.v[i].stop)
			return true;
	for (uint32_t i = 0; i < o->observed.npods; i++) {
		const struct observed_pod *p = &o->observed.pods[i];

		if (p->stage == POD_STARTING || p->stage == POD_STOPPING)
			return true;
		for (uint32_t c = 0; c < p->ncontainers; c++)
			if (p->containers[c].pending)
				return true;
	}
	return false;
}

/* When all pods go with the daemon, what undo needs stays for the next start. */
static void keep_history(struct action_list *l)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].kind != ACTION_OBJECT_PUT && l->v[i].kind != ACTION_OBJECT_FORGET)
			l->v[n++] = l->v[i];
	l->n = n;
}

/* Last in a pass: each makes another generation be in force. */
static void roll_back(struct daemon *d, struct arena *a, const struct wanted *w)
{
	for (uint32_t i = 0; i < w->rollbacks.n; i++) {
		const struct object_key *k = &w->rollbacks.v[i].key;
		struct object_key own = { k->kind, arena_strdup(a, k->namespace),
					  arena_strdup(a, k->name) };

		daemon_roll_back(d, &own, w->rollbacks.v[i].revision);
	}
}

/* Work is done: the memory that it took goes back to the kernel. */
static void give_back(struct daemon *d, bool worked)
{
	d->worked |= worked;
	if (!d->settled || !d->worked)
		return;
	memory_give_back();
	d->worked = false;
}

void reconcile(struct daemon *d)
{
	struct arena a = { 0 };
	struct outlook o = { 0 };
	struct action_list actions = { 0 };
	int64_t now = time_now();

	if (!runtime_settled(d->runtime))
		return;
	if (!d->applied) {	/* sync mode manual, and nobody applied anything yet */
		d->settled = true;
		return;
	}
	reconcile_outlook(d, d->applied, d->memo, &a, &o);
	plan_actions(&a, &o.observed, &o.wanted, &actions);
	if (d->stopping)
		keep_history(&actions);
	pressure_decided(d, &o.wanted);
	int64_t retry = exec_plan(d, &actions, &o.wanted, now);
	images_want(d->images, &o.wanted);
	d->settled = !actions.n && !retry && !in_motion(&o) && !images_busy(d->images) &&
		     !d->pass.queued;
	show(d, &a, &o, now);
	int64_t again = actions.n && !retry ? now + LOOK_AGAIN : 0;
	arm_wake(d, sooner(sooner(o.wanted.wake, retry), again), now);
	roll_back(d, &a, &o.wanted);
	arena_release(&a);
	give_back(d, actions.n > 0);
}
