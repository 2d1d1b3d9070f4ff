/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members: what a pass knows and decides about one pod. A pod that was told to stop is never
 * taken back. A pod whose sandbox was lost keeps its place until it may be replaced: at once the
 * first time, then after 10 s doubling to 300 s, counted over its replacements by an annotation
 * and starting afresh when one of them lived for 10 minutes. A bare pod, or one of a StatefulSet, keeps
 * its name, so that nothing can count for it: it comes back at most every 10 s.
 */
#include <stdio.h>

#include "control/admit.h"
#include "control/container.h"
#include "control/disruption.h"
#include "control/eviction.h"
#include "control/quota.h"
#include "control/unit.h"

const struct observed_container *member_container(const struct member *m, const char *name)
{
	for (uint32_t i = 0; m->seen && i < m->seen->ncontainers; i++)
		if (streq(m->seen->containers[i].name, name))
			return &m->seen->containers[i];
	return NULL;
}

static bool all_ready(const struct member *m, const struct pod_spec *s)
{
	if (m->seen->stage != POD_UP)
		return false;
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const struct observed_container *c = member_container(m, pod_container(s, i)->name);

		if (pod_container_role(s, i) != ROLE_INIT && (!c || !observed_container_ready(c)))
			return false;
	}
	return s->containers.n > 0;
}

/* As kubelet says it, of those that hold a pod back whose containers are ready; NULL: none. */
const char *member_closed_gates(struct arena *a, const struct pod_spec *s)
{
	const char *text = NULL;

	for (uint32_t i = 0; i < s->readiness_gates.n; i++) {
		const char *type = s->readiness_gates.v[i].condition_type;

		if (!pod_condition_is_own(type))
			text = arena_printf(a, "%s%scorresponding condition of pod readiness gate "
					    "\"%s\" does not exist.", text ? text : "",
					    text ? ", " : "", type);
	}
	return text;
}

static bool ended_for_good(const struct member *m, const struct observed_container *c)
{
	return c && (c->phase == RUN_ENDED || c->phase == RUN_FAILED) &&
	       !container_restart(m, c).wanted;
}

static bool is_over(const struct member *m, const struct pod_spec *s)
{
	bool all = s->containers.n > 0;

	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const struct observed_container *c = member_container(m, pod_container(s, i)->name);
		enum container_role role = pod_container_role(s, i);

		if (role == ROLE_INIT && ended_for_good(m, c) && observed_container_failed(c))
			return true;
		if (role == ROLE_MAIN)
			all &= ended_for_good(m, c);
	}
	return all;
}

static bool runs_anything(const struct member *m)
{
	for (uint32_t i = 0; i < m->seen->ncontainers; i++) {
		if (m->seen->containers[i].phase == RUN_RUNNING)
			return true;
	}
	return false;
}

/* Counted from its creation: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/ */
static bool is_expired(struct pass *p, const struct member *m, const struct pod_spec *s, bool over)
{
	int64_t at = m->seen->created_at + s->active_deadline_seconds * NSEC;
	bool later = !over;

	if (!s->active_deadline_seconds)
		return false;
	if (p->in->now < at) {
		pass_wake(p, at);
		return false;
	}
	for (uint32_t i = 0; i < m->seen->ncontainers; i++)
		later |= m->seen->containers[i].end.finished_at >= at;
	return later;
}

static bool failed(const struct member *m)
{
	for (uint32_t i = 0; i < m->seen->ncontainers; i++)
		if (observed_container_failed(&m->seen->containers[i]))
			return true;
	return false;
}

const char *controller_uid(const struct meta *m)
{
	for (uint32_t i = 0; i < m->owner_references.n; i++)
		if (m->owner_references.v[i].controller && m->owner_references.v[i].uid)
			return m->owner_references.v[i].uid;
	return "";
}

void member_own(struct pass *p, struct member *m)
{
	p->spoiled |= m->kept;
	m->want.object.pod = schema_copy(p->a, &pod_type, m->want.object.pod);
	m->want.object.meta = &m->want.object.pod->metadata;
	m->owner = controller_uid(m->want.object.meta);
}

/* A body of its own, whose metadata and status this pass may change. */
static struct object private_pod(struct arena *a, const struct object *o)
{
	struct object copy = *o;

	copy.pod = arena_new(a, struct pod);
	*copy.pod = *o->pod;
	copy.pod->status = (struct pod_status){ 0 };
	copy.meta = &copy.pod->metadata;
	return copy;
}

/* What its volumes should hold. Content that has vanished since leaves the volumes as they are. */
static uint64_t volumes_wanted(struct pass *p, const struct member *m)
{
	const struct object *o = &m->want.object;

	if (m->seen && config_missing_volume(p, o->meta->namespace, &o->pod->spec))
		return m->seen->config_digest;
	return set_config_hash(p->in->set, o->meta->namespace, &o->pod->spec, true, p->a, NULL);
}

static struct member *member_make(struct pass *p, struct object pod)
{
	struct member *m = arena_new(p->a, struct member);

	m->want.object = pod;
	m->want.grace_s = (uint32_t)MAX(pod.pod->spec.termination_grace_period_seconds, 0);
	if (pod.pod->spec.termination_grace_period_seconds < 0)
		m->want.grace_s = 1;
	m->owner = controller_uid(pod.meta);
	m->home = p->unit;
	p->repulsion |= pod.pod->spec.affinity && pod.pod->spec.affinity->pod_anti_affinity;
	return m;
}

void member_observe(struct pass *p, const struct observed_pod *seen)
{
	struct member *m = member_make(p, private_pod(p->a, seen->object));
	const struct pod_spec *spec = &seen->object->pod->spec;
	const char *attempt = strmap_get(&m->want.object.meta->annotations,
					 SANDBOX_ATTEMPT_ANNOTATION);
	bool told = seen->stage == POD_STOPPING || seen->stopped_at;

	m->seen = seen;
	m->attempt = attempt ? (unsigned)strtoul(attempt, NULL, 10) : 0;
	m->lost = seen->stage == POD_DOWN || seen->stage == POD_BROKEN;
	m->over = is_over(m, spec);
	m->expired = is_expired(p, m, spec, m->over);
	m->evicted = seen->evicted ? seen->evicted :
		     m->over && !failed(m) ? NULL : eviction_over_limit(p->a, seen);
	if (m->evicted && !seen->evicted)
		m->want.evict = m->evicted;
	m->evict_grace = EVICTION_GRACE;
	m->disrupted = disruption_of(seen);
	m->over |= m->expired || m->evicted;
	m->finished = m->over && !runs_anything(m);
	m->containers_ready = all_ready(m, spec);
	m->ready = m->containers_ready && !member_closed_gates(p->a, spec);
	m->ready_since = m->ready ? seen->ready_since : 0;
	m->active = !told && !m->finished;
	m->want.config_digest = seen->config_digest;
	*arena_push(p->own, &p->members) = m;
	*arena_push(p->own, &p->fresh) = m;
	p->seen = p->members.n;
	if (m->lost)
		member_own(p, m);
	if (told)
		member_stop(p, m, "stopping");
	else
		m->want.config_digest = volumes_wanted(p, m);
}

/* Pods of one controller that stand side by side, as most do: their names begin alike. */
struct run { const char *owner; uint32_t first, n; };
struct run_list { struct run *v; uint32_t n; };

static int run_cmp(const void *x, const void *y)
{
	const struct run *a = x, *b = y;
	int r = strcmp(a->owner, b->owner);

	return r ? r : a->first < b->first ? -1 : a->first > b->first;
}

static void find_runs(struct pass *p, const struct member_list *l, struct run_list *ret)
{
	*ret = (struct run_list){ 0 };
	for (uint32_t i = 0; i < l->n; i++) {
		const char *owner = l->v[i]->owner;

		if (!ret->n || !streq(ret->v[ret->n - 1].owner, owner))
			*arena_push(p->a, ret) = (struct run){ owner, i, 0 };
		ret->v[ret->n - 1].n++;
	}
}

void members_sort_by_owner(struct pass *p)
{
	/* units that are kept don't ask; autoscalers do */
	bool all = set_kind(p->in->set, KIND_HPA).n;
	const struct member_list *l = all ? &p->members : &p->fresh;
	struct run_list runs;

	p->by_owner = (struct member_list){ .v = arena_array(p->a, struct member *, l->n) };
	find_runs(p, l, &runs);
	if (runs.n)
		qsort(runs.v, runs.n, sizeof(*runs.v), run_cmp);
	for (uint32_t i = 0; i < runs.n; i++) {
		for (uint32_t k = 0; k < runs.v[i].n; k++)
			p->by_owner.v[p->by_owner.n++] = l->v[runs.v[i].first + k];
	}
}

/* The first one whose owner is not before uid, or, with after set, is after it. */
static uint32_t owner_place(const struct member_list *l, const char *uid, bool after)
{
	uint32_t lo = 0, hi = l->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int r = strcmp(l->v[mid]->owner, uid);

		if (r < 0 || (after && r == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* A unit will have to ask again when one comes or goes. */
static void note_asked(struct pass *p, const char *uid, const struct member_list *l)
{
	struct unit *u = p->unit;

	memo_link(p->in->memo, u, uid);
	for (uint32_t i = 0; i < l->n; i++) {
		l->v[i]->unit = u;
		*arena_push(&u->arena, &u->members) = l->v[i];
	}
}

struct member_list members_owned_by(struct pass *p, const char *uid)
{
	uint32_t first = owner_place(&p->by_owner, uid, false);
	struct member_list l = {
		.v = p->by_owner.v + first, .n = owner_place(&p->by_owner, uid, true) - first,
	};

	if (p->unit)
		note_asked(p, uid, &l);
	return l;
}

struct member *member_new(struct pass *p, struct object *pod, unsigned attempt,
			  const char **ret_refused)
{
	struct member *m;

	*ret_refused = admit_pod(p, pod);
	if (*ret_refused)
		return NULL;
	m = member_make(p, *pod);
	name_note(p, m);
	*arena_push(p->own, &p->members) = m;
	*arena_push(p->own, &p->fresh) = m;
	m->attempt = attempt;
	m->active = m->claimed = true;
	m->want.why = "new";
	m->want.config_digest = volumes_wanted(p, m);
	if (attempt)
		strmap_set(p->a, &pod->meta->annotations, SANDBOX_ATTEMPT_ANNOTATION,
			   arena_printf(p->a, "%u", attempt));
	return m;
}

void member_evict(struct pass *p, struct member *m, const char *why, uint32_t grace_s)
{
	p->spoiled |= m->kept;
	m->evicted = m->want.evict = why;
	m->evict_grace = grace_s;
	m->over = true;
	m->finished = !runs_anything(m);
	m->active &= !m->finished;
}

void member_stop(struct pass *p, struct member *m, const char *why)
{
	p->spoiled |= m->kept;
	m->claimed = true;
	m->active = false;
	if (m->want.stop)
		return;
	m->want.stop = true;
	m->want.why = why;
	quotas_release(p, m);
	if (m->seen && m->seen->stage < POD_STOPPING && !m->seen->stopped_at)
		pass_event(p, &m->want.object, false, "Killing",
			   arena_printf(p->a, "Stopping pod %s: %s", m->want.object.meta->name,
					why));
}

bool member_available(struct pass *p, const struct member *m, int32_t min_ready_seconds)
{
	int64_t since = m->ready_since ? m->ready_since : p->in->now;

	if (!m->ready || m->want.stop)
		return false;
	if (min_ready_seconds <= 0 || p->in->now >= since + min_ready_seconds * NSEC)
		return true;
	pass_wake(p, since + min_ready_seconds * NSEC);
	return false;
}

/* Nothing that replaces it could carry a count. */
static bool keeps_name(const struct member *m)
{
	const struct owner_reference_list *l = &m->want.object.meta->owner_references;

	for (uint32_t i = 0; i < l->n; i++) {
		if (l->v[i].controller)
			return streq(l->v[i].kind, "StatefulSet");
	}
	return true;
}

int64_t member_replace_at(struct pass *p, const struct member *m)
{
	int64_t born = m->seen->created_at;

	if (p->in->now - born >= BACKOFF_RESET)
		return born;
	if (keeps_name(m))
		return born + BACKOFF_FIRST;
	return born + backoff_delay(m->attempt, BACKOFF_MAX);
}

void owner_add(struct arena *a, struct meta *m, const struct object *owner)
{
	struct owner_reference *r = arena_push(a, &m->owner_references);

	r->api_version = owner->kind->api_version;
	r->kind = owner->kind->name;
	r->name = owner->meta->name;
	r->uid = owner->meta->uid;
	r->controller = r->block_owner_deletion = true;
}

/* In a Pod, though not in a template, requests that were left out are the limits. */
static void default_requests(struct arena *a, struct container *c)
{
	const struct resource_requirements *r = c->resources;
	struct resource_requirements *n;
	bool lacks = false;

	for (uint32_t i = 0; r && i < r->limits.n; i++)
		lacks |= !qtymap_get(&r->requests, r->limits.v[i].k);
	if (!lacks)
		return;
	n = arena_new(a, struct resource_requirements);
	*n = *r;
	n->requests = (struct qtymap){ 0 };
	for (uint32_t i = 0; i < r->limits.n; i++) {
		const struct quantity *q = qtymap_get(&r->requests, r->limits.v[i].k);

		*arena_push(a, &n->requests) =
			(struct qtypair){ r->limits.v[i].k, q ? *q : r->limits.v[i].v };
	}
	for (uint32_t i = 0; i < r->requests.n; i++)
		if (!qtymap_get(&r->limits, r->requests.v[i].k))
			*arena_push(a, &n->requests) = r->requests.v[i];
	MARK(n, resource_requirements, requests);
	c->resources = n;
}

static struct container_list own_containers(struct arena *a, const struct container_list *from)
{
	struct container_list l = { 0 };

	for (uint32_t i = 0; i < from->n; i++) {
		struct container *c = arena_push(a, &l);

		*c = from->v[i];
		default_requests(a, c);
	}
	return l;
}

struct object pod_from_template(struct pass *p, const struct object *owner,
				const struct pod_template *t, const char *name)
{
	struct object o = object_new(p->a, KIND_POD, owner->meta->namespace, name);
	char uid[37];

	name_uid(p, "uid", owner->meta->namespace, name, uid);
	o.pod->spec = t->spec;
	o.pod->spec.node_name = p->in->node_name;
	o.pod->spec.containers = own_containers(p->a, &t->spec.containers);
	o.pod->spec.init_containers = own_containers(p->a, &t->spec.init_containers);
	o.meta->uid = arena_strdup(p->a, uid);
	o.meta->creation_timestamp = whole_seconds(p->in->now);
	o.meta->generation = 1;
	o.meta->generate_name = arena_printf(p->a, "%s-", owner->meta->name);
	o.meta->labels = map_copy(p->a, &t->metadata.labels);
	o.meta->annotations = map_copy(p->a, &t->metadata.annotations);
	owner_add(p->a, o.meta, owner);
	MARK(o.pod, pod, metadata);
	MARK(o.pod, pod, spec);
	MARK(o.meta, meta, labels);
	MARK(o.meta, meta, annotations);
	return o;
}
