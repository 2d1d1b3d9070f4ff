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
	for (uint32_t i = 0; i < p->members.n; i++)
		if (!p->members.v[i]->claimed)
			member_stop(p, p->members.v[i], "no longer declared");
}

static int member_cmp(const void *x, const void *y)
{
	return object_cmp(&(*(struct member *const *)x)->want.object,
			  &(*(struct member *const *)y)->want.object);
}

/* Those that run are in order already; the new ones are merged in. */
static void put_pods(struct pass *p)
{
	const struct member_list *l = &p->members;
	struct wanted_pod *to = arena_array(p->a, struct wanted_pod, l->n);
	uint32_t i = 0, k = p->seen;

	if (l->n > p->seen)
		qsort(l->v + p->seen, l->n - p->seen, sizeof(*l->v), member_cmp);
	p->out->pods.v = to;
	p->out->pods.n = l->n;
	for (; i < p->seen || k < l->n; to++) {
		bool runs = i < p->seen && (k == l->n || member_cmp(&l->v[i], &l->v[k]) <= 0);

		*to = l->v[runs ? i : k]->want;
		if (runs && l->v[i]->kept)
			to->settled = i + 1;
		i += runs;
		k += !runs;
	}
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
	for (uint32_t i = 0; i < p->members.n; i++)
		if (!p->members.v[i]->kept)
			finish_pod(p, p->members.v[i]);
	units_settle(p);
	services_run(p);
	put_pods(p);
}

static void keep_pod(struct pass *p, struct member *m)
{
	m->kept = true;
	*arena_push(p->own, &p->members) = m;
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

		if (home && home->kept)
			keep_pod(p, p->seen_as.kept[i]);
		else
			observe_pod(p, &p->in->observed->pods[i], home);
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
	if (ret->derived.n)
		qsort(ret->derived.v, ret->derived.n, sizeof(*ret->derived.v),
		      object_cmp);
	if (in->memo && !p.spoiled)
		memo_end(&p);
	return !p.spoiled;
}

void control_run(struct arena *a, const struct control_in *in, struct wanted *ret)
{
	while (!run(a, in, ret))
		memo_forget(in->memo);
}
