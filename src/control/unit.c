/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit at work, and afterwards: may what it gave be given again? Only when every pod of it has its
 * place, runs just as wanted, and is in the unit's own memory, and when what it wants recorded is.
 */
#include "control/unit.h"

#include "base/hash.h"
#include "control/scale.h"
#include "control/storage.h"

#define APPEND(p, list, more)                                                                  \
	do {                                                                                   \
		for (uint32_t i_ = 0; i_ < (more)->n; i_++)                                    \
			*arena_push((p)->a, list) = (more)->v[i_];                             \
	} while (0)

static void give(struct pass *p, const struct wanted *w)
{
	APPEND(p, &p->out->shown, &w->shown);
	APPEND(p, &p->out->derived, &w->derived);
	APPEND(p, &p->out->services, &w->services);
	APPEND(p, &p->out->endpoints, &w->endpoints);
	APPEND(p, &p->out->statuses, &w->statuses);
	APPEND(p, &p->out->events, &w->events);
	APPEND(p, &p->out->rollbacks, &w->rollbacks);
	APPEND(p, &p->out->images, &w->images);
	if (w->wake)
		pass_wake(p, w->wake);
}

void unit_enter(struct pass *p, struct unit *u, struct unit_scope *s)
{
	if (!u)
		return;
	*s = (struct unit_scope){ .a = p->a, .out = p->out };
	p->a = &u->arena;
	p->out = &s->own;
	p->unit = u;
}

void unit_leave(struct pass *p, struct unit *u, struct unit_scope *s)
{
	if (!u)
		return;
	p->a = s->a;
	p->out = s->out;
	p->unit = NULL;
	u->passing |= s->own.events.n || s->own.rollbacks.n || s->own.images.n;
	if (s->own.wake)
		u->wake = u->wake ? MIN(u->wake, s->own.wake) : s->own.wake;
	give(p, &s->own);
}

bool unit_has_kept_pods(const struct unit *u)
{
	return u->kept && u->members.n && u->members.v[0]->kept;
}

bool unit_again(struct pass *p, struct unit *u)
{
	if (!u->kept)
		return false;
	give(p, &u->out);
	if (u->wake)
		pass_wake(p, u->wake);
	p->in->memo->counts.kept++;
	return true;
}

void unit_depends(struct pass *p)
{
	if (p->unit)
		p->unit->passing = true;
}

/* Taints of the node may come and go with what it is short of. */
static bool asks_for_taints(const struct pass *p, const struct object *o)
{
	return o->kind->id == KIND_DAEMONSET && p->node.taints.n;
}

void unit_run(struct pass *p, const struct object *o,
	      void (*run)(struct pass *p, const struct object *o))
{
	struct unit *u = memo_unit(p, o);
	struct unit_scope s;

	if (!u) {
		run(p, o);
		return;
	}
	p->spoiled |= u->kept && (u->replicas != scale_replicas(p, o) || asks_for_taints(p, o));
	if (unit_again(p, u))
		return;
	p->in->memo->counts.owners++;
	unit_enter(p, u, &s);
	u->object = object_copy(p->a, o);
	u->replicas = scale_replicas(p, o);
	run(p, &u->object);
	u->out = s.own;
	unit_leave(p, u, &s);
	*arena_push(p->own, &p->worked) = u;
}

/* ---- may it be kept? ---- */

static bool runs_as_wanted(const struct member *m)
{
	for (uint32_t i = 0; i < m->want.ncontainers; i++) {
		const struct wanted_container *w = &m->want.containers[i];
		const struct observed_container *c = member_container(m, w->name);
		bool runs = c && c->phase == RUN_RUNNING;

		if ((c && (c->pending || c->in_force)) || (runs ? w->kill : w->run))
			return false;
	}
	return true;
}

/* Where claims lead is known only when all pods are. */
static bool has_claims(struct pass *p, const struct member *m)
{
	const struct volume_list *l = &m->want.object.pod->spec.volumes;

	for (uint32_t i = 0; i < l->n; i++)
		if (storage_claim_name(p->own, &m->want.object, &l->v[i]))
			return true;
	return false;
}

/* Maps that are not the very same may still be alike, but this is the rule. */
static bool same_metadata(const struct member *m)
{
	const struct meta *is = m->seen->object->meta, *want = m->want.object.meta;

	return is->labels.v == want->labels.v && is->labels.n == want->labels.n &&
	       is->annotations.v == want->annotations.v &&
	       is->annotations.n == want->annotations.n;
}

static bool is_settled(struct pass *p, const struct unit *u, const struct member *m)
{
	return m->home == u && m->unit == u && m->seen && m->bound && !m->want.stop && !m->lost &&
	       !m->seen->resize && !m->want.resize && !m->over && !m->unscheduled &&
	       !m->want.evict && (m->ready_since || !m->ready) &&
	       m->seen->config_digest == m->want.config_digest && same_metadata(m) &&
	       runs_as_wanted(m) && !has_claims(p, m);
}

/* The status of a ReplicaSet is no part of its record. */
static bool is_recorded(struct pass *p, const struct object *o)
{
	const struct object *r = derived_find(p, o);

	if (!r || o->kind->id != KIND_REPLICASET)
		return r && schema_equal(o->kind->type, r->body, o->body);
	return schema_equal(&meta_type, r->meta, o->meta) &&
	       schema_equal(&replicaset_spec_type, &r->replicaset->spec, &o->replicaset->spec);
}

/* All that its owners have recorded it gives, or else some of it is to be forgotten. */
static bool is_complete(struct pass *p, const struct unit *u)
{
	const struct object_list *l = &u->out.derived;
	bool sets = u->object.kind->id == KIND_DEPLOYMENT;
	struct object_list below = derived_below(p, sets ? KIND_REPLICASET : KIND_CONTROLLERREVISION,
						 u->object.meta);
	uint32_t n = 0;

	for (uint32_t i = 0; i < below.n; i++)
		n += owned_by(below.v[i].meta, u->object.meta->uid);
	if (n != l->n)
		return false;
	for (uint32_t i = 0; i < l->n; i++)
		if (!is_recorded(p, &l->v[i]))
			return false;
	return true;
}

/* What it gives can't hold for longer than this pass. */
static bool is_changeable(struct pass *p, const struct unit *u)
{
	const struct object *o = &u->object;

	return u->passing || asks_for_taints(p, o) ||
	       (o->kind->id == KIND_STATEFULSET && o->statefulset->spec.volume_claim_templates.n);
}

uint64_t label_hash(const char *ns, const struct strpair *l)
{
	return fnv64_str(fnv64_str(fnv64_str(FNV64_INIT, ns), l->k), l->v);
}

static void add_label(struct unit *u, uint64_t hash)
{
	for (uint32_t i = 0; i < u->labels.n; i++)
		if (u->labels.v[i] == hash)
			return;
	*arena_push(&u->arena, &u->labels) = hash;
}

static void keep_pod(struct unit *u, struct member *m, struct kept_pod *to)
{
	const struct meta *meta = m->want.object.meta;

	*to = (struct kept_pod){
		.member = m, .unit = u, .seen = *m->seen, .want = m->want,
		.namespace = arena_strdup(&u->arena, meta->namespace),
		.name = arena_strdup(&u->arena, meta->name),
	};
	m->as_kept = to;
}

/* What every pass looks at lies together. */
static void gather(struct unit *u)
{
	struct observed_container *to;
	uint32_t n = 0;

	for (uint32_t i = 0; i < u->members.n; i++)
		n += u->pods[i].seen.ncontainers;
	to = arena_array(&u->arena, struct observed_container, n);
	for (uint32_t i = 0; i < u->members.n; i++) {
		struct observed_pod *seen = &u->pods[i].seen;

		for (uint32_t k = 0; k < seen->ncontainers; k++)
			to[k] = seen->containers[k];
		seen->containers = to;
		to += seen->ncontainers;
	}
}

static void keep(struct pass *p, struct unit *u)
{
	struct arena *pass = p->a;

	p->a = &u->arena;
	u->kept = true;
	u->pods = arena_array(&u->arena, struct kept_pod, u->members.n);
	for (uint32_t i = 0; i < u->members.n; i++) {
		const struct object *o = &u->members.v[i]->want.object;

		keep_pod(u, u->members.v[i], &u->pods[i]);
		room_add(p, &u->room, &o->pod->spec);
		for (uint32_t k = 0; k < o->meta->labels.n; k++)
			add_label(u, label_hash(o->meta->namespace, &o->meta->labels.v[k]));
		u->repels |= o->pod->spec.affinity && o->pod->spec.affinity->pod_anti_affinity;
	}
	gather(u);
	p->a = pass;
}

void units_settle(struct pass *p)
{
	for (uint32_t i = 0; i < p->worked.n; i++) {
		struct unit *u = p->worked.v[i];
		bool settled = !is_changeable(p, u);

		for (uint32_t k = 0; k < u->members.n && settled; k++)
			settled = is_settled(p, u, u->members.v[k]);
		if (settled && is_complete(p, u))
			keep(p, u);
	}
}
