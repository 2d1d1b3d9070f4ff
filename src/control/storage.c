/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims and volumes of one pass, from what is declared and what the store has, to what it should
 * have and what is shown. A volume that was made for a claim, or that a claim has, is stored; a claim
 * that control made is stored as long as its owner exists, or for ever when it has none. Data is
 * deleted with a volume of ours whose claim is gone and that says Delete, when no pod is left that has
 * it mounted.
 */
#include "control/storage.h"

#include <string.h>

#include "control/quota.h"

/* ---- collecting ---- */

static const struct object *stored(struct pass *p, enum kind_id kind, const char *ns,
				   const char *name)
{
	const struct object_list *l = &p->in->observed->derived;
	struct object_key key = { &kinds[kind], ns, name };

	for (uint32_t i = 0; i < l->n; i++) {
		struct object_key k = object_key(&l->v[i]);

		if (object_key_cmp(&k, &key) == 0)
			return &l->v[i];
	}
	return NULL;
}

static void add_volume(struct pass *p, struct storage *s, const struct object *o, bool declared)
{
	struct storage_volume *v = arena_new(p->a, struct storage_volume);
	const char *by;

	v->o = object_copy(p->a, o);
	v->spec = &v->o.pv->spec;
	v->declared = declared;
	v->stored = stored(p, KIND_PV, "", o->meta->name);
	by = strmap_get(&v->o.meta->annotations, PROVISIONED_ANNOTATION);
	v->provisioned = !declared && by && streq(by, STORAGE_PROVISIONER);
	if (declared && v->stored && v->stored->pv->spec.claim_ref) {
		const struct object was = object_copy(p->a, v->stored);

		v->spec->claim_ref = was.pv->spec.claim_ref;
	}
	*arena_push(p->a, &s->volumes) = v;
}

static const char *class_of(const struct storage *s, const struct pvc_spec *spec)
{
	return spec->storage_class_name ? spec->storage_class_name : s->default_class;
}

static struct storage_claim *add_claim(struct pass *p, struct storage *s, const struct object *o,
				       bool derived)
{
	struct storage_claim *c = arena_new(p->a, struct storage_claim);

	c->o = object_copy(p->a, o);
	c->spec = &c->o.pvc->spec;
	c->derived = derived;
	c->class = class_of(s, c->spec);
	*arena_push(p->a, &s->claims) = c;
	return c;
}

struct storage_claim *storage_find(const struct storage *s, const char *ns, const char *name)
{
	for (uint32_t i = 0; i < s->claims.n; i++) {
		const struct meta *m = s->claims.v[i]->o.meta;

		if (streq(m->name, name) && streq(m->namespace, ns))
			return s->claims.v[i];
	}
	return NULL;
}

/* Of a pod, or of what stands in a manifest. */
static bool owner_exists(const struct pass *p, const char *uid)
{
	for (uint32_t i = 0; i < p->members.n; i++)
		if (streq(p->members.v[i]->want.object.meta->uid, uid))
			return true;
	for (uint32_t i = 0; i < p->in->set->objects.n; i++) {
		const char *of = p->in->set->objects.v[i].meta->uid;

		if (of && streq(of, uid))
			return true;
	}
	return false;
}

static bool stays(const struct pass *p, const struct object *claim)
{
	const struct owner_reference_list *l = &claim->meta->owner_references;

	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].uid && owner_exists(p, l->v[i].uid))
			return true;
	return !l->n;
}

static void collect_declared(struct pass *p, struct storage *s)
{
	struct object_list volumes = set_kind(p->in->set, KIND_PV);
	struct object_list claims = set_kind(p->in->set, KIND_PVC);

	for (uint32_t i = 0; i < volumes.n; i++)
		add_volume(p, s, &volumes.v[i], true);
	for (uint32_t i = 0; i < claims.n; i++)
		add_claim(p, s, &claims.v[i], false);
}

static void collect_stored(struct pass *p, struct storage *s)
{
	const struct object_list *l = &p->in->observed->derived;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct object *o = &l->v[i];

		if (o->kind->id == KIND_PV && !set_find(p->in->set, KIND_PV, "", o->meta->name))
			add_volume(p, s, o, false);
		if (o->kind->id == KIND_PVC && stays(p, o) &&
		    !set_find(p->in->set, KIND_PVC, o->meta->namespace, o->meta->name))
			add_claim(p, s, o, true);
	}
}

void storage_begin(struct pass *p)
{
	struct storage *s = p->storage = arena_new(p->a, struct storage);

	storage_classes(p, s);
	collect_declared(p, s);
	collect_stored(p, s);
}

/* ---- claims that control makes ---- */

const char *storage_claim_ensure(struct pass *p, const struct object *owner, const char *ns,
				 const char *name, const struct meta *like,
				 const struct pvc_spec *spec)
{
	struct object o = object_new(p->a, KIND_PVC, ns, name);
	const char *why;
	char uid[37];

	if (storage_find(p->storage, ns, name))
		return NULL;
	name_uid(p, "claim", ns, name, uid);
	o.meta->uid = arena_strdup(p->a, uid);
	o.meta->creation_timestamp = whole_seconds(p->in->now);
	if (like) {
		o.meta->labels = map_copy(p->a, &like->labels);
		o.meta->annotations = map_copy(p->a, &like->annotations);
	}
	if (owner)
		owner_add(p->a, o.meta, owner);
	o.pvc->spec = *spec;
	if (!o.pvc->spec.volume_mode)
		o.pvc->spec.volume_mode = VOLUME_FILESYSTEM;
	why = quotas_admit_object(p, &o);
	if (!why)
		add_claim(p, p->storage, &o, true);
	return why;
}

static void claims_of_pod(struct pass *p, const struct member *m)
{
	const struct object *pod = &m->want.object;
	const struct pod_spec *s = &pod->pod->spec;

	for (uint32_t i = 0; i < s->volumes.n; i++) {
		const struct ephemeral_volume *e = s->volumes.v[i].ephemeral;

		if (e && e->volume_claim_template)
			storage_claim_ensure(p, pod, pod->meta->namespace,
					     storage_claim_name(p->a, pod, &s->volumes.v[i]),
					     &e->volume_claim_template->metadata,
					     &e->volume_claim_template->spec);
	}
}

static void mark_used(struct pass *p, const struct member *m)
{
	const struct object *pod = &m->want.object;
	const struct pod_spec *s = &pod->pod->spec;

	for (uint32_t i = 0; i < s->volumes.n; i++) {
		const char *name = storage_claim_name(p->a, pod, &s->volumes.v[i]);
		struct storage_claim *c = name ? storage_find(p->storage, pod->meta->namespace,
							      name) : NULL;

		if (!c)
			continue;
		c->mounted = true;
		c->used |= !m->want.stop && !m->finished;
	}
}

/* Is a pod there whose claim had this volume, by name? */
static bool still_mounted(struct pass *p, const struct storage_volume *v)
{
	const struct object_reference *r = v->spec->claim_ref;

	for (uint32_t i = 0; r && r->name && i < p->members.n; i++) {
		const struct object *pod = &p->members.v[i]->want.object;
		const struct pod_spec *s = &pod->pod->spec;

		for (uint32_t k = 0; p->members.v[i]->seen && k < s->volumes.n; k++) {
			const char *name = storage_claim_name(p->a, pod, &s->volumes.v[k]);

			if (name && streq(name, r->name) && r->namespace &&
			    streq(pod->meta->namespace, r->namespace))
				return true;
		}
	}
	return false;
}

/* ---- what becomes of them ---- */

static const char *phase_of(const struct storage_volume *v)
{
	const struct object_reference *r = v->spec->claim_ref;

	return v->claim ? "Bound" : r && r->uid && *r->uid ? "Released" : "Available";
}

static void volume_status(struct pass *p, struct storage_volume *v)
{
	const struct pv_status *was = v->stored ? &v->stored->pv->status : NULL;
	struct pv_status *st = &v->o.pv->status;
	const char *phase = phase_of(v);
	bool same = was && was->phase && streq(was->phase, phase);

	*st = (struct pv_status){ .phase = phase };
	st->last_phase_transition_time = same ? was->last_phase_transition_time :
					 v->claim || v->stored ? whole_seconds(p->in->now) :
								 v->o.meta->creation_timestamp;
}

static void claim_status(struct pass *p, struct storage_claim *c)
{
	struct pvc_status *st = &c->o.pvc->status;

	*st = (struct pvc_status){ .phase = c->volume ? "Bound" : "Pending" };
	c->spec->storage_class_name = c->class;
	if (!c->volume)
		return;
	c->spec->volume_name = c->volume->o.meta->name;
	st->access_modes = c->volume->spec->access_modes;
	st->capacity = c->volume->spec->capacity;
	if (!c->derived) {
		strmap_set(p->a, &c->o.meta->annotations, "pv.kubernetes.io/bind-completed", "yes");
		strmap_set(p->a, &c->o.meta->annotations, "pv.kubernetes.io/bound-by-controller",
			   "yes");
	}
}

/* What nobody declares any more goes when nobody has it, ours only when it says Delete. */
static bool volume_goes(struct pass *p, const struct storage_volume *v)
{
	if (v->declared || v->claim)
		return false;
	if (!v->provisioned)
		return true;
	return v->spec->persistent_volume_reclaim_policy == PV_DELETE && !still_mounted(p, v);
}

static void put_volume(struct pass *p, struct storage_volume *v)
{
	const struct object_reference *r = v->spec->claim_ref;
	bool bound = r && r->uid && *r->uid;

	if (volume_goes(p, v))
		return;
	volume_status(p, v);
	if (v->provisioned || bound)
		*arena_push(p->a, &p->out->derived) = v->o;
	*arena_push(p->a, &p->out->shown) = v->o;
}

static void put_claim(struct pass *p, struct storage_claim *c)
{
	claim_status(p, c);
	if (c->derived)
		*arena_push(p->a, &p->out->derived) = c->o;
	*arena_push(p->a, &p->out->shown) = c->o;
}

static void show_classes(struct pass *p, const struct storage *s)
{
	struct object_list l = set_kind(p->in->set, KIND_STORAGECLASS);

	for (uint32_t i = 0; i < l.n; i++)
		*arena_push(p->a, &p->out->shown) = l.v[i];
	if (!set_find(p->in->set, KIND_STORAGECLASS, "", STORAGE_CLASS_BUILTIN))
		*arena_push(p->a, &p->out->shown) = s->builtin;
}

void storage_run(struct pass *p)
{
	struct storage *s = p->storage;

	/* what is kept has no claims */
	for (uint32_t i = 0; i < p->fresh.n; i++)
		if (!p->fresh.v[i]->want.stop)
			claims_of_pod(p, p->fresh.v[i]);
	for (uint32_t i = 0; i < p->fresh.n; i++)
		mark_used(p, p->fresh.v[i]);
	storage_bind(p, s);
	for (uint32_t i = 0; i < s->volumes.n; i++)
		put_volume(p, s->volumes.v[i]);
	for (uint32_t i = 0; i < s->claims.n; i++)
		put_claim(p, s->claims.v[i]);
	show_classes(p, s);
}
