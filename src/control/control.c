/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pass from beginning to end: what runs becomes members, declared pods and controllers claim,
 * add and stop members, what nobody claimed goes, and in the end every pod gets its containers
 * and status and services their endpoints. The order matters only in that services come last:
 * a pod that anybody stopped is out of them in the same pass.
 */
#include "base/hash.h"
#include "control/node.h"
#include "control/quota.h"
#include "control/unit.h"

void pass_wake(struct pass *p, int64_t at)
{
	if (at <= p->in->now)
		return;
	p->out->wake = p->out->wake ? MIN(p->out->wake, at) : at;
}

void pass_event(struct pass *p, const struct object *about, bool warning, const char *reason,
		const char *message)
{
	pass_event_at(p, about, warning, reason, message, p->in->now);
}

void pass_event_at(struct pass *p, const struct object *about, bool warning, const char *reason,
		   const char *message, int64_t when)
{
	*arena_push(p->a, &p->out->events) = (struct wanted_event){
		.key = object_key(about),
		.uid = about->meta->uid ? about->meta->uid : "",
		.warning = warning,
		.reason = reason,
		.message = message,
		.when = when,
	};
}

void pass_status(struct pass *p, const struct object *about, const void *status)
{
	*arena_push(p->a, &p->out->statuses) = (struct wanted_status){ .key = object_key(about),
									.status = status };
}

struct strmap map_copy(struct arena *a, const struct strmap *m)
{
	struct strmap copy = { 0 };

	for (uint32_t i = 0; i < m->n; i++)
		*arena_push(a, &copy) = m->v[i];
	return copy;
}

void condition_add(struct arena *a, struct condition_list *l, const struct condition *c)
{
	*arena_push(a, l) = *c;
}

/* Times in objects are whole seconds, in memory as in their records. */
int64_t whole_seconds(int64_t t)
{
	return t - t % NSEC;
}

bool owned_by(const struct meta *m, const char *uid)
{
	for (uint32_t i = 0; uid && i < m->owner_references.n; i++) {
		const struct owner_reference *r = &m->owner_references.v[i];

		if (r->controller && r->uid && streq(r->uid, uid))
			return true;
	}
	return false;
}

static void namespaces_run(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_NAMESPACE);

	for (uint32_t i = 0; i < l.n; i++) {
		struct namespace_status *s = arena_new(p->a, struct namespace_status);

		s->phase = "Active";
		pass_status(p, &l.v[i], s);
	}
}

static void stop_unclaimed(struct pass *p)
{
	for (uint32_t i = 0; i < p->fresh.n; i++)
		if (!p->fresh.v[i]->claimed)
			member_stop(p, p->fresh.v[i], "no longer declared");
}

static int member_cmp(const void *x, const void *y)
{
	return object_cmp(&(*(struct member *const *)x)->want.object,
			  &(*(struct member *const *)y)->want.object);
}

static struct kept_pod *kept_at(const struct pass *p, uint32_t i)
{
	return p->in->memo ? p->seen_as.kept[i] : NULL;
}

/* Those that run, until the next new one's turn: they are in order already. */
static void put_seen(struct pass *p, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		const struct kept_pod *k = kept_at(p, i);
		struct wanted_pod *w = &p->out->pods.v[p->out->pods.n++];

		*w = k ? k->want : p->members.v[i]->want;
		w->settled = k ? i + 1 : 0;
	}
}

static void put_pods(struct pass *p)
{
	const struct member_list *l = &p->members;
	uint32_t at = 0;

	p->out->pods.v = arena_array(p->a, struct wanted_pod, l->n);
	if (l->n > p->seen)
		qsort(l->v + p->seen, l->n - p->seen, sizeof(*l->v), member_cmp);
	for (uint32_t k = p->seen; k < l->n; k++) {
		const struct meta *m = l->v[k]->want.object.meta;
		uint32_t before = name_place(p, m->namespace, m->name);

		put_seen(p, at, before);
		p->out->pods.v[p->out->pods.n++] = l->v[k]->want;
		at = before;
	}
	put_seen(p, at, p->seen);
}

static void finish_pod(struct pass *p, struct member *m)
{
	struct unit_scope s;

	unit_enter(p, m->home, &s);
	container_decide(p, m);
	pod_status_make(p, m);
	unit_leave(p, m->home, &s);
}

static void finish_pods(struct pass *p)
{
	for (uint32_t i = 0; i < p->fresh.n; i++)
		finish_pod(p, p->fresh.v[i]);
	units_settle(p);
	services_run(p);
	put_pods(p);
}

static void keep_pod(struct pass *p, struct kept_pod *k)
{
	*arena_push(p->own, &p->members) = k->member;
	p->seen = p->members.n;
}

static void observe_pod(struct pass *p, const struct observed_pod *seen, struct unit *home)
{
	struct unit_scope s;

	unit_enter(p, home, &s);
	member_observe(p, home ? observed_pod_copy(p->a, seen) : seen);
	unit_leave(p, home, &s);
	if (p->in->memo)
		p->in->memo->counts.pods++;
}

static void observe(struct pass *p)
{
	for (uint32_t i = 0; i < p->in->observed->npods; i++) {
		struct unit *home = p->in->memo ? p->seen_as.homes[i] : NULL;

		if (home && home->kept) {
			keep_pod(p, p->seen_as.kept[i]);
			continue;
		}
		if (home)
			p->seen_as.kept[i] = NULL;
		observe_pod(p, &p->in->observed->pods[i], home);
	}
}

/* Mostly they come in order. */
static void sort_derived(struct object_list *l)
{
	for (uint32_t i = 1; i < l->n; i++) {
		if (object_cmp(&l->v[i - 1], &l->v[i]) > 0) {
			qsort(l->v, l->n, sizeof(*l->v), object_cmp);
			return;
		}
	}
}

/* False: it has to be done again. */
static bool run(struct arena *a, const struct control_in *in, struct wanted *ret)
{
	struct pass p = { .a = a, .own = a, .in = in, .out = ret };

	*ret = (struct wanted){ .arena = a };
	memo_begin(&p);
	observe(&p);
	members_sort_by_owner(&p);
	namespaces_run(&p);
	node_begin(&p);
	pressure_run(&p);
	quotas_begin(&p);
	storage_begin(&p);
	autoscalers_run(&p);
	pods_declared(&p);
	replicasets_declared(&p);
	deployments_run(&p);
	replication_controllers_run(&p);
	daemonsets_run(&p);
	statefulsets_run(&p);
	jobs_declared(&p);
	cronjobs_run(&p);
	stop_unclaimed(&p);
	storage_run(&p);
	schedule_run(&p);
	finish_pods(&p);
	node_show(&p);
	quotas_show(&p);
	sort_derived(&ret->derived);
	if (in->memo && !p.spoiled)
		memo_end(&p);
	return !p.spoiled;
}

void control_run(struct arena *a, const struct control_in *in, struct wanted *ret)
{
	while (!run(a, in, ret))
		memo_forget(in->memo);
}
