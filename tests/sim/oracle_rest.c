/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about a machine at rest: the plan is empty, everything that is there belongs to something,
 * services lead to exactly the ready pods, history is within its limits, and what can work works.
 */
#include <stdio.h>

#include "oracle.h"

static bool works(const char *image)
{
	static const char *const words[] = { "never", "crash", "nosandbox", "nopull", "exit", "coin" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(image, words[i]))
			return false;
	return true;
}

static bool template_works(const struct pod_template *t)
{
	return works(t->spec.containers.v[0].image);
}

/* ---- nothing without an owner ---- */

static bool owner_there(const struct scene *c, const struct object *o)
{
	const struct owner_reference *r = scene_owner(o);

	if (!r)
		return set_find(c->sim->set, o->kind->id, o->meta->namespace, o->meta->name) ||
		       o->kind->id == KIND_PV || o->kind->id == KIND_PVC;
	for (uint32_t i = 0; i < c->sim->set->objects.n; i++)
		if (streq(c->sim->set->objects.v[i].meta->uid, r->uid))
			return true;
	for (uint32_t i = 0; i < c->o->derived.n; i++)
		if (c->o->derived.v[i].meta->uid && streq(c->o->derived.v[i].meta->uid, r->uid))
			return true;
	return false;
}

/* A volume made for a claim is there as long as the claim is. */
static bool volume_claimed(const struct scene *c, const struct object *pv)
{
	const struct object_reference *r = pv->pv->spec.claim_ref;

	for (uint32_t i = 0; r && i < c->o->derived.n; i++) {
		const struct object *o = &c->o->derived.v[i];

		if (o->kind->id == KIND_PVC && streq(o->meta->name, r->name) &&
		    streq(o->meta->namespace, r->namespace))
			return true;
	}
	return false;
}

static void check_orphans(const struct scene *c)
{
	for (uint32_t i = 0; i < c->o->npods; i++)
		if (!owner_there(c, c->o->pods[i].object))
			sim_broken(c->sim, "no-orphan", "pod %s belongs to nothing",
				   c->o->pods[i].object->meta->name);
	for (uint32_t i = 0; i < c->o->derived.n; i++) {
		const struct object *o = &c->o->derived.v[i];

		if (!owner_there(c, o) || (o->kind->id == KIND_PV && !volume_claimed(c, o)))
			sim_broken(c->sim, "no-orphan", "%s %s belongs to nothing", o->kind->name,
				   o->meta->name);
	}
}

static void check_addresses(const struct scene *c)
{
	for (uint32_t i = 0; i < c->o->npods; i++)
		for (uint32_t k = 0; k < i; k++)
			if (c->o->pods[i].ip == c->o->pods[k].ip)
				sim_broken(c->sim, "one-address", "%s and %s have one address",
					   c->o->pods[i].object->meta->name,
					   c->o->pods[k].object->meta->name);
}

/* ---- services ---- */

static bool selected(const struct object *service, const struct object *pod)
{
	const struct strmap *s = &service->service->spec.selector;

	for (uint32_t i = 0; i < s->n; i++) {
		const char *v = strmap_get(&pod->meta->labels, s->v[i].k);

		if (!v || !streq(v, s->v[i].v))
			return false;
	}
	return s->n;
}

static uint32_t entries_of(const struct scene *c, const struct object *service)
{
	const char *ip = service->service->spec.cluster_ip;
	char text[20];

	for (uint32_t i = 0; i < c->o->nservices; i++) {
		uint32_t a = c->o->services[i].ip;

		snprintf(text, sizeof(text), "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255,
			 a & 255);
		if (streq(text, ip))
			return c->o->services[i].count;
	}
	return 0;
}

static void check_service(const struct scene *c, const struct object *service)
{
	uint32_t ready = 0;

	for (uint32_t i = 0; i < c->o->npods; i++)
		ready += selected(service, c->o->pods[i].object) && c->o->pods[i].ready_since &&
			 !c->o->pods[i].stopped_at;
	if (entries_of(c, service) != ready)
		sim_broken(c->sim, "service-entries", "service %s leads to %u pods, ready are %u",
			   service->meta->name, entries_of(c, service), ready);
}

/* ---- workloads ---- */

static int32_t ready_pods(const struct scene *c, const char *uid, bool ready)
{
	int32_t n = 0;

	for (uint32_t i = 0; i < c->o->npods; i++)
		n += scene_owned(c->o->pods[i].object, uid) &&
		     (!ready || c->o->pods[i].ready_since);
	return n;
}

static void check_count(const struct scene *c, const struct object *o, int32_t replicas)
{
	int32_t all = ready_pods(c, o->meta->uid, false), ready = ready_pods(c, o->meta->uid, true);

	if (all != replicas || ready != replicas)
		sim_broken(c->sim, "converged", "%s %s has %d pods, %d ready, declared are %d",
			   o->kind->name, o->meta->name, all, ready, replicas);
}

static bool template_is(const struct object *rs, const struct pod_template *t)
{
	return streq(rs->replicaset->spec.template->spec.containers.v[0].image,
		     t->spec.containers.v[0].image);
}

static void check_deployment(const struct scene *c, const struct object *d)
{
	const struct deployment_spec spec = scene_deployment(c, &c->o->derived, d), *s = &spec;
	int32_t idle = 0, ready = 0, pods = 0, other = 0;

	for (uint32_t i = 0; i < c->o->derived.n; i++) {
		const struct object *rs = &c->o->derived.v[i];

		if (rs->kind->id != KIND_REPLICASET || !scene_owned(rs, d->meta->uid))
			continue;
		idle += !rs->replicaset->spec.replicas;
		pods += ready_pods(c, rs->meta->uid, false);
		ready += ready_pods(c, rs->meta->uid, true);
		if (!template_is(rs, s->template))
			other += rs->replicaset->spec.replicas;
	}
	if (s->paused || !template_works(s->template))
		return;
	if (pods != s->replicas || ready != pods || other)
		sim_broken(c->sim, "converged", "deployment %s has %d pods, %d ready, %d of an old "
			   "template, declared are %d", d->meta->name, pods, ready, other, s->replicas);
	if (idle > s->revision_history_limit + !s->replicas)
		sim_broken(c->sim, "history", "deployment %s keeps %d old ReplicaSets, not %d",
			   d->meta->name, idle, s->revision_history_limit);
}

static void check_replicaset(const struct scene *c, const struct object *o)
{
	const struct pod_template *t = object_template(o);

	for (uint32_t i = 0; i < c->o->npods; i++)
		if (scene_owned(c->o->pods[i].object, o->meta->uid) &&
		    !works(c->o->pods[i].object->pod->spec.containers.v[0].image))
			return;
	if (template_works(t))
		check_count(c, o, scene_replicas(c, &c->o->derived, o));
}

/* Pods of the template before that never get ready are waited for where the partition, or nobody's
 * deleting them, keeps them. */
static bool all_pods_work(const struct scene *c, const struct object *o)
{
	for (uint32_t i = 0; i < c->o->npods; i++)
		if (scene_owned(c->o->pods[i].object, o->meta->uid) &&
		    !works(c->o->pods[i].object->pod->spec.containers.v[0].image))
			return false;
	return template_works(object_template(o));
}

static int32_t revisions(const struct scene *c, const struct object *o)
{
	int32_t n = 0;

	for (uint32_t i = 0; i < c->o->derived.n; i++)
		n += c->o->derived.v[i].kind->id == KIND_CONTROLLERREVISION &&
		     scene_owned(&c->o->derived.v[i], o->meta->uid);
	return n;
}

static void check_statefulset(const struct scene *c, const struct object *o)
{
	const struct statefulset_spec spec = scene_statefulset(c, &c->o->derived, o), *s = &spec;
	const struct statefulset_rolling_update *r = s->update_strategy.rolling_update;
	bool whole = s->update_strategy.type != UPDATE_ON_DELETE && !(r && r->partition);

	if (whole && template_works(s->template)) {
		check_count(c, o, s->replicas);
		for (uint32_t i = 0; i < c->o->npods; i++)
			if (scene_owned(c->o->pods[i].object, o->meta->uid) &&
			    !streq(c->o->pods[i].object->pod->spec.containers.v[0].image,
				   s->template->spec.containers.v[0].image))
				sim_broken(c->sim, "converged", "pod %s is of an old template",
					   c->o->pods[i].object->meta->name);
		if (revisions(c, o) > s->revision_history_limit + 1)
			sim_broken(c->sim, "history", "statefulset %s keeps %d revisions",
				   o->meta->name, revisions(c, o));
	} else if (all_pods_work(c, o)) {
		check_count(c, o, s->replicas);
	}
}

static void check_daemonset(const struct scene *c, const struct object *o)
{
	if (!all_pods_work(c, o))
		return;
	check_count(c, o, 1);
	if (revisions(c, o) > o->daemonset->spec.revision_history_limit + 2)
		sim_broken(c->sim, "history", "daemonset %s keeps %d revisions", o->meta->name,
			   revisions(c, o));
}

/* What always succeeds has succeeded by now. */
static void check_job(const struct scene *c, const struct object *o)
{
	const struct object *r = scene_record(&c->o->derived, KIND_JOB, o->meta->uid);
	const struct job_spec *s = &o->job->spec;

	if (!r) {
		sim_broken(c->sim, "converged", "job %s has no record", o->meta->name);
		return;
	}
	if (s->suspend || !s->parallelism ||
	    !strstr(s->template->spec.containers.v[0].image, "exit0"))
		return;
	for (uint32_t i = 0; i < r->job->status.conditions.n; i++)
		if (streq(r->job->status.conditions.v[i].status, "True") &&
		    (streq(r->job->status.conditions.v[i].type, "Complete") ||
		     streq(r->job->status.conditions.v[i].type, "Failed")))
			return;
	sim_broken(c->sim, "converged", "job %s is not over", o->meta->name);
}

/* Requests are those of the manifest, also of what runs, unless somebody does not allow it. */
static void check_requests(const struct scene *c, const struct object *o,
			   const struct observed_pod *p)
{
	const struct pod_spec *is = &p->object->pod->spec, *then = &o->pod->spec;
	const struct wanted_pod *w = scene_wanted(c, p->object);

	for (uint32_t i = 0; w && !w->resize_waits && i < p->ncontainers; i++) {
		int64_t has = container_resources(pod_container(is, i)).cpu_request_milli;
		int64_t asked = container_resources(pod_container(then, i)).cpu_request_milli;

		if ((asked && has != asked) || p->containers[i].outdated)
			sim_broken(c->sim, "resized", "container %s of pod %s has other requests",
				   p->containers[i].name, o->meta->name);
	}
}

static void check_pod(const struct scene *c, const struct object *o)
{
	const struct observed_pod *p = observed_find(c->o, o->meta->namespace, o->meta->name);

	if (!p)
		sim_broken(c->sim, "converged", "pod %s is not there", o->meta->name);
	else if (works(o->pod->spec.containers.v[0].image) && !p->ready_since &&
		 o->pod->spec.restart_policy == RESTART_ALWAYS)
		sim_broken(c->sim, "converged", "pod %s is not ready", o->meta->name);
	if (p && p->stage == POD_UP && !p->stopped_at)
		check_requests(c, o, p);
}

static const struct {
	enum kind_id kind;
	void (*check)(const struct scene *c, const struct object *o);
} checks[] = {
	{ KIND_SERVICE, check_service },
	{ KIND_DEPLOYMENT, check_deployment },
	{ KIND_REPLICASET, check_replicaset },
	{ KIND_REPLICATIONCONTROLLER, check_replicaset },
	{ KIND_STATEFULSET, check_statefulset },
	{ KIND_DAEMONSET, check_daemonset },
	{ KIND_JOB, check_job },
	{ KIND_POD, check_pod },
};

void oracle_converged(const struct scene *c, const struct plan *p)
{
	if (p->actions.n)
		sim_broken(c->sim, "plan-empty", "%s %s: %s", action_words(p->actions.v[0].kind),
			   p->actions.v[0].name, p->actions.v[0].why);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct object_list l = set_kind(c->sim->set, checks[i].kind);

		for (uint32_t k = 0; k < l.n; k++)
			checks[i].check(c, &l.v[k]);
	}
	oracle_scaled(c);
	check_orphans(c);
	check_addresses(c);
}
