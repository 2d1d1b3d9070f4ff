/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * StatefulSets: numbered pods that keep their names. OrderedReady makes them one after the other,
 * each when the one before is available, and takes them away from the top; Parallel does not wait.
 * A new template replaces them from the top down to the partition, maxUnavailable at a time; below
 * it they are made from the revision before. A pod that is not ready and of an old template is
 * replaced without waiting for it, as it may never be.
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
 */
#include <stdio.h>

#include "control/revision.h"
#include "control/scale.h"
#include "control/storage.h"
#include "control/unit.h"

#define POD_NAME_LABEL "statefulset.kubernetes.io/pod-name"
#define POD_INDEX_LABEL "apps.kubernetes.io/pod-index"

struct slot {
	struct member *pod;		/* NULL: none that counts */
	bool taken;			/* its name still belongs to a pod that goes */
};

struct numbered {
	struct pass *p;
	const struct object *object;
	const struct statefulset_spec *spec;
	struct revisions revisions;
	struct owned pods;
	struct slot *slots;
	uint32_t n, first;
	struct member_list condemned;	/* beyond the wanted ones, highest first */
	bool ordered;
};

/* -1: no number of this set */
static int64_t ordinal(const struct numbered *s, const struct member *m)
{
	const char *name = m->want.object.meta->name;
	size_t n = strlen(s->object->meta->name);
	char *end;

	if (strncmp(name, s->object->meta->name, n) != 0 || name[n] != '-')
		return -1;
	long long v = strtoll(name + n + 1, &end, 10);
	return *end || end == name + n + 1 ? -1 : v;
}

static bool available(const struct numbered *s, const struct member *m)
{
	return m && member_available(s->p, m, s->spec->min_ready_seconds);
}

static bool updated(const struct numbered *s, const struct member *m)
{
	return owned_is_current(m, s->revisions.update->hash);
}

static uint32_t partition(const struct numbered *s)
{
	const struct statefulset_rolling_update *r = s->spec->update_strategy.rolling_update;

	return r ? (uint32_t)MAX(r->partition, 0) : 0;
}

static int by_ordinal_down(const void *x, const void *y)
{
	const struct member *a = *(struct member *const *)x, *b = *(struct member *const *)y;
	size_t n = strlen(a->want.object.meta->name), k = strlen(b->want.object.meta->name);

	if (n != k)
		return n < k ? 1 : -1;
	return strcmp(b->want.object.meta->name, a->want.object.meta->name);
}

/* ---- who is there ---- */

static void place(struct numbered *s, struct member *m, bool counts)
{
	int64_t i = ordinal(s, m) - s->first;

	if (i >= 0 && i < s->n) {
		if (counts)
			s->slots[i].pod = m;
		else
			s->slots[i].taken = true;
	} else if (counts) {
		*arena_push(s->p->a, &s->condemned) = m;
	}
}

static void look(struct numbered *s)
{
	struct owned *o = &s->pods;

	owned_collect(s->p, s->object->meta->uid, o);
	s->first = s->spec->ordinals ? (uint32_t)s->spec->ordinals->start : 0;
	s->n = (uint32_t)MAX(s->spec->replicas, 0);
	s->slots = arena_array(s->p->a, struct slot, s->n);
	s->ordered = s->spec->pod_management_policy != MANAGEMENT_PARALLEL;
	for (uint32_t i = 0; i < o->active.n; i++)
		place(s, o->active.v[i], true);
	for (uint32_t i = 0; i < o->finished.n; i++) {
		owned_stop(s->p, s->object, o->finished.v[i], "finished");
		place(s, o->finished.v[i], false);
	}
	for (uint32_t i = 0; i < o->stopping.n; i++)
		place(s, o->stopping.v[i], false);
	if (s->condemned.n)
		qsort(s->condemned.v, s->condemned.n, sizeof(*s->condemned.v), by_ordinal_down);
}

/* ---- making ---- */

static const char *claim_name(struct numbered *s, uint32_t i, const char *pod)
{
	return arena_printf(s->p->a, "%s-%s", s->spec->volume_claim_templates.v[i].metadata.name, pod);
}

/* One for each claim template. False: a quota forbids it. */
static bool make_claims(struct numbered *s, const char *pod)
{
	bool deletes = s->spec->persistent_volume_claim_retention_policy.when_deleted ==
		       CLAIM_DELETE;

	for (uint32_t i = 0; i < s->spec->volume_claim_templates.n; i++) {
		const struct claim_template *t = &s->spec->volume_claim_templates.v[i];
		const char *name = claim_name(s, i, pod);
		const char *why = storage_claim_ensure(s->p, deletes ? s->object : NULL,
						       s->object->meta->namespace, name,
						       &t->metadata, &t->spec);

		if (!why)
			continue;
		pass_event(s->p, s->object, true, "FailedCreate",
			   arena_printf(s->p->a, "create Claim %s for Pod %s in StatefulSet %s failed "
					"error: %s", name, pod, s->object->meta->name, why));
		return false;
	}
	return true;
}

/* A volume for each claim template, in place of a volume of the same name. */
static void add_claims(struct numbered *s, struct pod_spec *spec, const char *pod)
{
	struct { struct volume *v; uint32_t n; } l = { 0 };

	for (uint32_t i = 0; i < s->spec->volume_claim_templates.n; i++) {
		const char *name = s->spec->volume_claim_templates.v[i].metadata.name;
		struct volume *v = arena_push(s->p->a, &l);

		v->name = name;
		v->persistent_volume_claim = arena_new(s->p->a, struct pvc_volume);
		v->persistent_volume_claim->claim_name = claim_name(s, i, pod);
		MARK(v->persistent_volume_claim, pvc_volume, claim_name);
		MARK(v, volume, name);
		MARK(v, volume, persistent_volume_claim);
	}
	for (uint32_t i = 0; i < spec->volumes.n; i++) {
		bool claimed = false;

		for (uint32_t k = 0; k < s->spec->volume_claim_templates.n; k++)
			claimed |= streq(l.v[k].name, spec->volumes.v[i].name);
		if (!claimed)
			*arena_push(s->p->a, &l) = spec->volumes.v[i];
	}
	spec->volumes.v = l.v;
	spec->volumes.n = l.n;
}

/* Not while its name is that of a pod of somebody else, such as of an older set of that name. */
static bool has_pod_owner(const struct meta *m)
{
	for (uint32_t i = 0; i < m->owner_references.n; i++)
		if (streq(m->owner_references.v[i].kind, "Pod"))
			return true;
	return false;
}

/* With whenScaled: Delete a claim belongs to its pod once that is one too many, and goes with it. */
static void give_claim(struct numbered *s, struct meta *claim, const struct object *pod)
{
	struct owner_reference *r;

	if (has_pod_owner(claim) == (pod != NULL))
		return;
	claim->owner_references = (struct owner_reference_list){ 0 };
	if (pod) {
		r = arena_push(s->p->a, &claim->owner_references);
		r->api_version = pod->kind->api_version;
		r->kind = pod->kind->name;
		r->name = pod->meta->name;
		r->uid = pod->meta->uid;
	} else if (s->spec->persistent_volume_claim_retention_policy.when_deleted == CLAIM_DELETE) {
		owner_add(s->p->a, claim, s->object);
	}
}

static void give_claims(struct numbered *s, const struct member_list *l)
{
	bool deletes = s->spec->persistent_volume_claim_retention_policy.when_scaled == CLAIM_DELETE;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct object *pod = &l->v[i]->want.object;
		int64_t number = ordinal(s, l->v[i]) - s->first;
		bool surplus = deletes && (number < 0 || number >= s->n);

		for (uint32_t k = 0; k < s->spec->volume_claim_templates.n; k++) {
			struct storage_claim *c = storage_find(s->p->storage, pod->meta->namespace,
							       claim_name(s, k, pod->meta->name));

			if (c && c->derived)
				give_claim(s, c->o.meta, surplus ? pod : NULL);
		}
	}
}

static void create(struct numbered *s, uint32_t i)
{
	uint32_t number = s->first + i;
	bool old = i < partition(s) && s->spec->update_strategy.type != UPDATE_ON_DELETE;
	const struct revision *r = old ? s->revisions.current : s->revisions.update;
	const struct pod_template *t = r == s->revisions.update ? s->spec->template :
								  control_revision_template(s->p->a, &r->object);
	const char *name = arena_printf(s->p->a, "%s-%u", s->object->meta->name, number);

	if (!t || name_taken(s->p, s->object->meta->namespace, name) || !make_claims(s, name))
		return;
	struct member *m = owned_create(s->p, s->object, t, r->hash, name, NULL);
	if (!m)
		return;
	struct object *pod = &m->want.object;
	strmap_set(s->p->a, &pod->meta->labels, POD_NAME_LABEL, name);
	strmap_set(s->p->a, &pod->meta->labels, POD_INDEX_LABEL,
		   arena_printf(s->p->a, "%u", number));
	pod->pod->spec.hostname = name;
	pod->pod->spec.subdomain = s->spec->service_name;
	add_claims(s, &pod->pod->spec, name);
	s->slots[i].pod = m;
}

/* ---- what to do; each returns whether the next step may follow ---- */

static bool stuck(const struct numbered *s, uint32_t i)
{
	const struct member *m = s->slots[i].pod;

	return m && !m->ready && !updated(s, m) && i >= partition(s) &&
	       s->spec->update_strategy.type != UPDATE_ON_DELETE;
}

static bool fill(struct numbered *s)
{
	bool whole = true;

	for (uint32_t i = 0; i < s->n; i++) {
		if (stuck(s, i)) {
			owned_stop(s->p, s->object, s->slots[i].pod, "replaced: its template changed");
			s->slots[i] = (struct slot){ .taken = true };
		}
		if (!s->slots[i].pod && !s->slots[i].taken)
			create(s, i);
		whole &= available(s, s->slots[i].pod);
		if (s->ordered && !whole)
			return false;
	}
	return whole || !s->ordered;
}

static bool shrink(struct numbered *s)
{
	for (uint32_t i = 0; i < s->condemned.n; i++) {
		if (s->ordered && s->pods.stopping.n)
			return false;
		owned_stop(s->p, s->object, s->condemned.v[i], "scaled down");
		if (s->ordered)
			return false;
	}
	return true;
}

/* Whoever is missing counts, old or new, also below the partition. */
static int count_missing(const struct numbered *s)
{
	int n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		n += !available(s, s->slots[i].pod);
	return n;
}

static void roll(struct numbered *s)
{
	const struct statefulset_rolling_update *r = s->spec->update_strategy.rolling_update;
	int most = r ? intstr_scale(&r->max_unavailable, (int)s->n, false) : 1;
	int missing = count_missing(s);

	if (s->spec->update_strategy.type == UPDATE_ON_DELETE)
		return;
	for (uint32_t i = s->n; i-- > partition(s) && missing < MAX(most, 1);) {
		struct member *m = s->slots[i].pod;

		if (!m || updated(s, m))
			continue;
		missing += available(s, m);
		owned_stop(s->p, s->object, m, "replaced: its template changed");
		s->slots[i] = (struct slot){ .taken = true };
	}
}

/* ---- what came of it ---- */

static void count(struct numbered *s, struct statefulset_status *st, const struct member *m)
{
	st->replicas++;
	st->ready_replicas += m->ready;
	st->available_replicas += available(s, m);
	st->updated_replicas += updated(s, m);
	st->current_replicas += owned_is_current(m, s->revisions.current->hash);
	for (uint32_t i = 0; i < s->revisions.n; i++)
		s->revisions.v[i].used |= owned_is_current(m, s->revisions.v[i].hash);
}

static void finish(struct numbered *s)
{
	struct statefulset_status *st = arena_new(s->p->a, struct statefulset_status);

	for (uint32_t i = 0; i < s->n; i++)
		if (s->slots[i].pod)
			count(s, st, s->slots[i].pod);
	for (uint32_t i = 0; i < s->condemned.n; i++)
		if (!s->condemned.v[i]->want.stop)
			count(s, st, s->condemned.v[i]);
	if (st->updated_replicas == s->spec->replicas && st->available_replicas == s->spec->replicas) {
		revisions_complete(s->p, &s->revisions);
		st->current_replicas = st->updated_replicas;
	}
	st->current_revision = s->revisions.current->object.meta->name;
	st->update_revision = s->revisions.update->object.meta->name;
	st->observed_generation = s->object->meta->generation;
	revisions_put(s->p, &s->revisions, s->spec->revision_history_limit);
	scale_status(s->p, s->object, st);
}

static void statefulset_run(struct pass *p, const struct object *o)
{
	struct statefulset_spec spec = o->statefulset->spec;
	struct numbered s = { .p = p, .object = o, .spec = &spec };

	spec.replicas = scale_replicas(p, o);
	revisions_load(p, o, s.spec->template, &s.revisions);
	look(&s);
	give_claims(&s, &s.pods.active);
	give_claims(&s, &s.pods.stopping);
	if (fill(&s) && shrink(&s))
		roll(&s);
	finish(&s);
}

void statefulsets_run(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_STATEFULSET);

	for (uint32_t i = 0; i < l.n; i++)
		unit_run(p, &l.v[i], statefulset_run);
}
