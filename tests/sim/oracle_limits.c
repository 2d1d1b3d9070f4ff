/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about what is admitted: no more pods, requests, claims and other objects than quotas allow,
 * no container beyond a LimitRange; and that nothing is started without a place on the node.
 */
#include "oracle.h"

static const struct quantity *amount_of(const struct container *c, const char *resource,
					bool limits)
{
	const struct resource_requirements *r = c->resources;
	const struct quantity *q =
		r ? qtymap_get(limits ? &r->limits : &r->requests, resource) : NULL;

	return q || limits || !r ? q : qtymap_get(&r->limits, resource);
}

static int64_t milli_of(const struct object *pod, const char *resource, bool limits)
{
	const struct container_list *l = &pod->pod->spec.containers;
	int64_t sum = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct quantity *q = amount_of(&l->v[i], resource, limits);

		sum += q ? q->milli : 0;
	}
	return sum;
}

/* Of a pod that has ended only its being there counts, and without a sandbox not even that. */
static bool counts(const struct sim_pod *p)
{
	return !scene_ended(p) && p->stage < POD_DOWN;
}

static bool is_there(const struct sim_pod *p)
{
	return scene_ended(p) || p->stage < POD_DOWN;
}

/* ---- quotas ---- */

/* Who asks for 0 asks for nothing. */
static bool asks(const struct qtymap *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->v[i].v.milli)
			return true;
	return false;
}

static bool is_best_effort(const struct object *pod)
{
	const struct container_list *l = &pod->pod->spec.containers;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct resource_requirements *r = l->v[i].resources;

		if (r && (asks(&r->requests) || asks(&r->limits)))
			return false;
	}
	return true;
}

static bool in_scope(const struct resource_quota_spec *q, const struct object *pod)
{
	for (uint32_t i = 0; i < q->scopes.n; i++)
		if (streq(q->scopes.v[i], "NotBestEffort") && is_best_effort(pod))
			return false;
	return true;
}

/* Thousandths of a resource that a quota bounds; a pod that is there may use none of it. */
static int64_t charge(const char *name, const struct object *pod, bool runs)
{
	if (streq(name, "count/pods"))
		return 1000;
	if (!runs)
		return 0;
	if (streq(name, "pods"))
		return 1000;
	if (strncmp(name, "limits.", 7) == 0)
		return milli_of(pod, name + 7, true);
	return strncmp(name, "requests.", 9) == 0 ? milli_of(pod, name + 9, false) : 0;
}

static void check_quota(const struct scene *c, const struct object *quota, const struct object *pod,
			const struct object *was)
{
	const struct resource_quota_spec *q = &quota->resource_quota->spec;

	for (uint32_t i = 0; in_scope(q, pod) && i < q->hard.n; i++) {
		const char *name = q->hard.v[i].k;
		int64_t more = charge(name, pod, true) - (was ? charge(name, was, true) : 0);
		int64_t used = 0;

		for (uint32_t k = 0; k < c->sim->pods.n; k++) {
			const struct sim_pod *p = c->sim->pods.v[k];

			if (in_scope(q, &p->object) && is_there(p))
				used += charge(name, &p->object, counts(p));
		}
		if (more > 0 && used + more > q->hard.v[i].v.milli)
			sim_broken(c->sim, "quota", "pod %s is made with %d thousandths of %s, "
				   "used are %d of %s", pod->meta->name, (int)more, name, (int)used,
				   q->hard.v[i].v.text);
	}
}

static bool is_counted(const char *resource, const struct object *o)
{
	static const struct { const char *resource; enum kind_id kind; } counted[] = {
		{ "count/replicasets.apps", KIND_REPLICASET },
		{ "count/jobs.batch", KIND_JOB },
		{ "persistentvolumeclaims", KIND_PVC },
	};

	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		if (streq(counted[i].resource, resource))
			return counted[i].kind == o->kind->id;
	return false;
}

/* Declared ones are recorded, too. */
static int64_t count_objects(const struct sim *s, enum kind_id kind)
{
	struct object_list declared = set_kind(s->set, kind);
	int64_t n = declared.n;

	for (uint32_t i = 0; i < s->derived.n; i++)
		n += s->derived.v[i]->object.kind->id == kind &&
		     !scene_record(&declared, kind, s->derived.v[i]->object.meta->uid);
	return n;
}

static bool is_known(const struct sim *s, const struct object *o)
{
	for (uint32_t i = 0; i < s->derived.n; i++)
		if (object_cmp(&s->derived.v[i]->object, o) == 0)
			return true;
	return set_find(s->set, o->kind->id, o->meta->namespace, o->meta->name);
}

/* A record is put into the store. */
void oracle_records(const struct scene *c, const struct object *o)
{
	struct object_list l = set_kind(c->sim->set, KIND_RESOURCEQUOTA);

	for (uint32_t i = 0; i < l.n && !is_known(c->sim, o); i++) {
		const struct qtymap *hard = &l.v[i].resource_quota->spec.hard;

		for (uint32_t k = 0; k < hard->n; k++)
			if (is_counted(hard->v[k].k, o) &&
			    count_objects(c->sim, o->kind->id) >= quantity_value(&hard->v[k].v))
				sim_broken(c->sim, "quota", "%s %s is made beside %s others",
					   o->kind->name, o->meta->name, hard->v[k].v.text);
	}
}

/* ---- LimitRanges ---- */

static void check_container(const struct scene *c, const struct object *pod,
			    const struct container *of, const struct qtymap *bounds, bool most)
{
	for (uint32_t i = 0; i < bounds->n; i++) {
		const char *name = bounds->v[i].k;
		const struct quantity *q = amount_of(of, name, most);

		if (!q || (most ? q->milli > bounds->v[i].v.milli :
				  q->milli < bounds->v[i].v.milli))
			sim_broken(c->sim, "limits", "pod %s is made with %s of %s, the %s is %s",
				   pod->meta->name, q ? q->text : "nothing", name,
				   most ? "most" : "least", bounds->v[i].v.text);
	}
}

static void check_whole(const struct scene *c, const struct object *pod, const struct qtymap *most)
{
	for (uint32_t i = 0; i < most->n; i++)
		if (milli_of(pod, most->v[i].k, true) > most->v[i].v.milli)
			sim_broken(c->sim, "limits", "pod %s is made with more than %s of %s",
				   pod->meta->name, most->v[i].v.text, most->v[i].k);
}

static void check_range(const struct scene *c, const struct object *range, const struct object *pod)
{
	const struct limit_range_item_list *l = &range->limit_range->spec.limits;
	const struct container_list *containers = &pod->pod->spec.containers;

	for (uint32_t i = 0; i < l->n; i++) {
		if (l->v[i].type == LIMIT_POD)
			check_whole(c, pod, &l->v[i].max);
		for (uint32_t k = 0; l->v[i].type == LIMIT_CONTAINER && k < containers->n; k++) {
			check_container(c, pod, &containers->v[k], &l->v[i].max, true);
			check_container(c, pod, &containers->v[k], &l->v[i].min, false);
		}
	}
}

void oracle_admits(const struct scene *c, const struct object *pod, const struct object *was)
{
	struct object_list quotas = set_kind(c->sim->set, KIND_RESOURCEQUOTA);
	struct object_list ranges = set_kind(c->sim->set, KIND_LIMITRANGE);

	for (uint32_t i = 0; i < quotas.n; i++)
		check_quota(c, &quotas.v[i], pod, was);
	for (uint32_t i = 0; i < ranges.n; i++)
		check_range(c, &ranges.v[i], pod);
}

/* ---- the node ---- */

static bool has_place(const struct sim_pod *p)
{
	bool started = false;

	for (uint32_t i = 0; i < p->n; i++)
		started |= p->containers[i].c.phase != RUN_CREATED;
	return started && p->stage <= POD_STOPPING && counts(p);
}

/* Nobody in these worlds tolerates anything, but DaemonSets a cordon. */
static bool is_closed(const struct sim *s, const struct object *pod)
{
	struct object_list l = set_kind(s->set, KIND_NODE);
	const struct owner_reference *r = scene_owner(pod);
	bool daemon = r && streq(r->kind, "DaemonSet");

	return l.n && (l.v[0].node->spec.taints.n || (l.v[0].node->spec.unschedulable && !daemon));
}

/* One that has its place keeps it. */
void oracle_starts(const struct scene *c, const struct sim_pod *p)
{
	int64_t cpu = milli_of(&p->object, "cpu", false), used = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->sim->pods.n; i++) {
		const struct sim_pod *o = c->sim->pods.v[i];

		n += has_place(o);
		used += has_place(o) ? milli_of(&o->object, "cpu", false) : 0;
	}
	if (is_closed(c->sim, &p->object) && !has_place(p))
		sim_broken(c->sim, "taints", "pod %s is started on a node that repels it",
			   p->object.meta->name);
	if (!c->sim->room || has_place(p))
		return;
	if (n >= c->sim->room)
		sim_broken(c->sim, "room", "pod %s is started beside %u others, there is room for "
			   "%u", p->object.meta->name, n, c->sim->room);
	if (cpu && used + cpu > (int64_t)c->sim->room * SIM_CPU)
		sim_broken(c->sim, "room", "pod %s is started with %d beside %d thousandths of a "
			   "processor, there is room for %u", p->object.meta->name, (int)cpu,
			   (int)used, c->sim->room * SIM_CPU);
}

static int64_t cpu_of(const struct object *pod)
{
	return milli_of(pod, "cpu", false);
}

/* Others that change in the same pass may give what it takes. */
static bool alone(const struct scene *c)
{
	const struct action_list *l = c->sim->doing;
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n; i++)
		n += l->v[i].kind == ACTION_POD_RESIZE;
	return n == 1;
}

/* What grows is admitted once more, and has to fit beside the others. */
void oracle_resizes(const struct scene *c, const struct sim_pod *p, const struct object *then)
{
	int64_t used = cpu_of(then), all = (int64_t)c->sim->room * SIM_CPU;

	if (scene_ended(p) || p->stage > POD_UP || !alone(c))
		return;
	oracle_admits(c, then, &p->object);
	for (uint32_t i = 0; i < c->sim->pods.n; i++)
		if (c->sim->pods.v[i] != p && has_place(c->sim->pods.v[i]))
			used += cpu_of(&c->sim->pods.v[i]->object);
	if (all && has_place(p) && cpu_of(then) > cpu_of(&p->object) && used > all)
		sim_broken(c->sim, "room", "pod %s gets %d thousandths of a processor, of %d in "
			   "all %d would be taken", then->meta->name, (int)cpu_of(then), (int)all,
			   (int)used);
}
