/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which volume a claim gets: the one it names, one that is kept for it, the smallest declared one
 * that is large enough, or a new one of its class's provisioner.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
 * One thing is more here: a volume of ours that was released is given to a claim of the namespace and
 * name it had, when that names it by volumeName, as nobody can edit it free.
 */
#include "control/storage.h"

#include <string.h>

#include "model/limits.h"

static int64_t size_of(const struct qtymap *m)
{
	const struct quantity *q = qtymap_get(m, "storage");

	return q ? q->milli : 0;
}

static int64_t wanted_size(const struct storage_claim *c)
{
	return c->spec->resources ? size_of(&c->spec->resources->requests) : 0;
}

static bool has_modes(const struct strs *all, const struct strs *part)
{
	for (uint32_t i = 0; i < part->n; i++) {
		bool found = false;

		for (uint32_t k = 0; k < all->n; k++)
			found |= streq(all->v[k], part->v[i]);
		if (!found)
			return false;
	}
	return true;
}

/* Why the volume does not do for the claim, in Kubernetes' words; NULL: it does. */
static const char *mismatch(const struct storage_volume *v, const struct storage_claim *c)
{
	const char *class = v->spec->storage_class_name ? v->spec->storage_class_name : "";

	if (size_of(&v->spec->capacity) < wanted_size(c))
		return "requested PV is too small";
	if (!streq(class, c->class))
		return "storageClassName does not match";
	if (v->spec->volume_mode != c->spec->volume_mode)
		return "incompatible volumeMode";
	if (!has_modes(&v->spec->access_modes, &c->spec->access_modes))
		return "incompatible accessMode";
	return NULL;
}

/* Is the volume kept for this claim, by name and perhaps by uid? */
static bool kept_for(const struct storage_volume *v, const struct storage_claim *c)
{
	const struct object_reference *r = v->spec->claim_ref;
	const struct meta *m = c->o.meta;

	return r && r->name && r->namespace && streq(r->name, m->name) &&
	       streq(r->namespace, m->namespace) && (!r->uid || !*r->uid || streq(r->uid, m->uid));
}

static bool was_its_own(const struct storage_volume *v, const struct storage_claim *c)
{
	const struct object_reference *r = v->spec->claim_ref;

	return v->provisioned && r && r->name && r->namespace &&
	       streq(r->name, c->o.meta->name) && streq(r->namespace, c->o.meta->namespace);
}

static void event(struct pass *p, const struct storage_claim *c, bool warning, const char *reason,
		  const char *text)
{
	pass_event_at(p, &c->o, warning, reason, text, c->o.meta->creation_timestamp);
}

static void join(struct pass *p, struct storage_volume *v, struct storage_claim *c)
{
	struct object_reference *r = arena_new(p->a, struct object_reference);

	*r = (struct object_reference){
		.kind = "PersistentVolumeClaim", .api_version = "v1", .name = c->o.meta->name,
		.namespace = c->o.meta->namespace, .uid = c->o.meta->uid,
	};
	v->spec->claim_ref = r;
	v->claim = c;
	c->volume = v;
}

/* ---- the one it names ---- */

static struct storage_volume *by_name(const struct storage *s, const char *name)
{
	for (uint32_t i = 0; i < s->volumes.n; i++)
		if (streq(s->volumes.v[i]->o.meta->name, name))
			return s->volumes.v[i];
	return NULL;
}

static void bind_named(struct pass *p, struct storage *s, struct storage_claim *c)
{
	const char *name = c->spec->volume_name;
	const char *why;
	struct storage_volume *v = by_name(s, name);

	if (!v)
		return;
	if (v->claim || (v->spec->claim_ref && !kept_for(v, c) && !was_its_own(v, c))) {
		event(p, c, true, "FailedBinding",
		      arena_printf(p->a, "volume \"%s\" already bound to a different claim.", name));
		return;
	}
	why = mismatch(v, c);
	if (why)
		event(p, c, true, "VolumeMismatch",
		      arena_printf(p->a, "Cannot bind to requested volume \"%s\": %s", name, why));
	else
		join(p, v, c);
}

/* ---- a declared one ---- */

static bool selected(const struct storage_volume *v, const struct storage_claim *c)
{
	return !c->spec->selector || selector_matches(c->spec->selector, &v->o.meta->labels);
}

static struct storage_volume *kept_one(const struct storage *s, const struct storage_claim *c)
{
	for (uint32_t i = 0; i < s->volumes.n; i++) {
		struct storage_volume *v = s->volumes.v[i];

		if (!v->claim && kept_for(v, c) && !mismatch(v, c))
			return v;
	}
	return NULL;
}

static struct storage_volume *smallest(struct pass *p, const struct storage *s,
				       const struct storage_claim *c, bool here)
{
	struct storage_volume *best = NULL;

	for (uint32_t i = 0; i < s->volumes.n; i++) {
		struct storage_volume *v = s->volumes.v[i];

		if (v->claim || v->spec->claim_ref || mismatch(v, c) || !selected(v, c) ||
		    (here && !storage_reaches(p, v->spec)))
			continue;
		if (!best || size_of(&v->spec->capacity) < size_of(&best->spec->capacity))
			best = v;
	}
	return best;
}

/* ---- a new one ---- */

static struct volume_node_affinity *only_here(struct pass *p)
{
	struct volume_node_affinity *a = arena_new(p->a, struct volume_node_affinity);

	a->required = arena_new(p->a, struct node_selector);
	struct node_selector_term *t = arena_push(p->a, &a->required->node_selector_terms);
	struct node_selector_requirement *r = arena_push(p->a, &t->match_expressions);
	r->key = "kubernetes.io/hostname";
	r->op = NODE_IN;
	*arena_push(p->a, &r->values) = p->in->node_name;
	return a;
}

/* What was made for one pod alone goes with it, unless its class says otherwise. */
static enum pv_reclaim_policy reclaim_of(const struct storage_claim *c,
					 const struct storage_class_info *k)
{
	bool pods = c->derived && c->o.meta->owner_references.n &&
		    streq(c->o.meta->owner_references.v[0].kind, "Pod");
	bool says = HAS(k->body, storage_class, reclaim_policy);

	return pods && !says ? PV_DELETE : k->reclaim;
}

static struct storage_volume *make(struct pass *p, struct storage *s, struct storage_claim *c,
				   const struct storage_class_info *k)
{
	const char *name = arena_printf(p->a, "pvc-%s", c->o.meta->uid);
	struct storage_volume *v = arena_new(p->a, struct storage_volume);
	char uid[37];

	name_uid_below(c->o.meta->uid, "pv", uid);
	v->o = object_new(p->a, KIND_PV, NULL, name);
	v->spec = &v->o.pv->spec;
	v->provisioned = true;
	v->o.meta->uid = arena_strdup(p->a, uid);
	v->o.meta->creation_timestamp = whole_seconds(p->in->now);
	strmap_set(p->a, &v->o.meta->annotations, PROVISIONED_ANNOTATION, STORAGE_PROVISIONER);
	*v->spec = (struct pv_spec){
		.capacity = c->spec->resources->requests,
		.access_modes = c->spec->access_modes,
		.persistent_volume_reclaim_policy = reclaim_of(c, k),
		.storage_class_name = c->class,
		.volume_mode = c->spec->volume_mode,
		.node_affinity = only_here(p),
		.local = arena_new(p->a, struct local_volume_source),
	};
	v->spec->local->path = arena_printf(p->a, "%s/%s", p->in->volumes_dir, name);
	*arena_push(p->a, &s->volumes) = v;
	return v;
}

/* Why nothing can be made; NULL: something can. */
static const char *cannot_make(struct pass *p, const struct storage_claim *c)
{
	if (c->spec->selector)
		return "claim.Spec.Selector is not supported";
	if (c->spec->data_source || c->spec->data_source_ref)
		return "claim.Spec.DataSource is not supported";
	return p->in->volumes_dir ? NULL : "there is no directory for volumes";
}

static void provision(struct pass *p, struct storage *s, struct storage_claim *c,
		      const struct storage_class_info *k)
{
	const char *why = cannot_make(p, c);
	struct storage_volume *v;

	if (!k->ours) {
		event(p, c, false, "ExternalProvisioning",
		      arena_printf(p->a, "Waiting for a volume to be created either by the external "
				   "provisioner '%s' or manually by the system administrator. If "
				   "volume creation is delayed, please verify that the provisioner is "
				   "running and correctly registered.", k->body->provisioner));
		return;
	}
	if (why) {
		event(p, c, true, "ProvisioningFailed",
		      arena_printf(p->a, "failed to provision volume with StorageClass \"%s\": %s",
				   c->class, why));
		return;
	}
	v = make(p, s, c, k);
	join(p, v, c);
	event(p, c, false, "ProvisioningSucceeded",
	      arena_printf(p->a, "Successfully provisioned volume %s", v->o.meta->name));
}

static void find_or_make(struct pass *p, struct storage *s, struct storage_claim *c)
{
	struct storage_class_info k = storage_class(p, s, c->class);
	struct storage_volume *v = kept_one(s, c);

	if (!v && k.waits && !c->used) {
		event(p, c, false, "WaitForFirstConsumer",
		      "waiting for first consumer to be created before binding");
		return;
	}
	if (!v)
		v = smallest(p, s, c, k.waits);
	if (v)
		join(p, v, c);
	else if (k.body)
		provision(p, s, c, &k);
	else if (*c->class)
		event(p, c, true, "ProvisioningFailed",
		      arena_printf(p->a, "storageclass.storage.k8s.io \"%s\" not found", c->class));
	else
		event(p, c, false, "FailedBinding", "no persistent volumes available for this claim "
		      "and no storage class is set");
}

/* ---- all of them ---- */

static void recall(struct storage *s, struct storage_volume *v)
{
	const struct object_reference *r = v->spec->claim_ref;

	for (uint32_t i = 0; r && r->uid && i < s->claims.n; i++) {
		struct storage_claim *c = s->claims.v[i];

		if (!c->volume && streq(c->o.meta->uid, r->uid)) {
			v->claim = c;
			c->volume = v;
			return;
		}
	}
}

/* A directory is as large as is asked for. */
static void expand(struct pass *p, const struct storage *s, struct storage_claim *c)
{
	struct storage_volume *v = c->volume;
	struct storage_class_info k = storage_class(p, s, c->class);

	if (v->provisioned && k.body && k.body->allow_volume_expansion &&
	    wanted_size(c) > size_of(&v->spec->capacity))
		v->spec->capacity = c->spec->resources->requests;
}

/* By a LimitRange. A claim that had a volume was admitted once. */
static bool refused(struct pass *p, const struct storage *s, struct storage_claim *c)
{
	const char *why = kept_one(s, c) ? NULL :
		limits_check_claim(p->a, p->in->set, c->o.meta->namespace, c->spec);

	if (why)
		event(p, c, true, "FailedBinding",
		      arena_printf(p->a, "persistentvolumeclaims \"%s\" is forbidden: %s",
				   c->o.meta->name, why));
	return why;
}

void storage_bind(struct pass *p, struct storage *s)
{
	for (uint32_t i = 0; i < s->volumes.n; i++)
		recall(s, s->volumes.v[i]);
	for (uint32_t i = 0; i < s->claims.n; i++) {
		struct storage_claim *c = s->claims.v[i];

		if (c->volume)
			expand(p, s, c);
		else if (refused(p, s, c))
			continue;
		else if (c->spec->volume_name && *c->spec->volume_name)
			bind_named(p, s, c);
		else
			find_or_make(p, s, c);
	}
}
