/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a pod's claims lead to, or why its containers have to wait for them, in the words of
 * Kubernetes' scheduler. A container that was started before is not kept from starting again: its
 * volumes were there.
 */
#include "control/storage.h"

#include <string.h>

const char *storage_claim_name(struct arena *a, const struct object *pod, const struct volume *v)
{
	if (v->persistent_volume_claim)
		return v->persistent_volume_claim->claim_name;
	return v->ephemeral ? arena_printf(a, "%s-%s", pod->meta->name, v->name) : NULL;
}

/* The volume that a claim of this name had, for a pod that outlives its claim. */
static struct storage_volume *volume_before(const struct storage *s, const char *ns,
					    const char *name)
{
	for (uint32_t i = 0; i < s->volumes.n; i++) {
		const struct object_reference *r = s->volumes.v[i]->spec->claim_ref;

		if (r && r->uid && r->name && r->namespace && streq(r->name, name) &&
		    streq(r->namespace, ns))
			return s->volumes.v[i];
	}
	return NULL;
}

static bool only_readers(const struct strs *modes)
{
	return modes->n == 1 && streq(modes->v[0], "ReadOnlyMany");
}

/* False: of a kind that nothing here can mount. */
static bool lead(const struct storage_volume *v, const struct volume *of, struct wanted_volume *w)
{
	const struct pvc_volume *claim = of->persistent_volume_claim;

	*w = (struct wanted_volume){
		.name = of->name,
		.read_only = (claim && claim->read_only) || only_readers(&v->spec->access_modes),
		.block = v->spec->volume_mode == VOLUME_BLOCK,
	};
	if (v->spec->local) {
		w->path = v->spec->local->path;
		w->type = HOST_PATH_DIRECTORY;
		w->own = !w->block;
		w->file = w->block && v->provisioned;
	} else if (v->spec->host_path) {
		w->path = v->spec->host_path->path;
		w->type = v->spec->host_path->type;
	}
	return w->path;
}

static const char *source_of(const struct pv_spec *s)
{
	for (unsigned i = 0; i < pv_spec_type.nfields; i++)
		if (pv_spec_type.fields[i].kind == K_OBJ && i != pv_spec_claim_ref_row &&
		    i != pv_spec_node_affinity_row &&
		    *(void *const *)((const char *)s + pv_spec_type.fields[i].offset))
			return pv_spec_type.fields[i].key;
	return "no";
}

static bool owned_by_pod(const struct storage_claim *c, const struct object *pod)
{
	return owned_by(c->o.meta, pod->meta->uid);
}

static bool names(struct pass *p, const struct object *pod, const struct storage_claim *c)
{
	const struct pod_spec *s = &pod->pod->spec;

	for (uint32_t i = 0; i < s->volumes.n; i++) {
		const char *name = storage_claim_name(p->a, pod, &s->volumes.v[i]);

		if (name && streq(name, c->o.meta->name) &&
		    streq(pod->meta->namespace, c->o.meta->namespace))
			return true;
	}
	return false;
}

/* ReadWriteOncePod: the one that runs with it, or else the first of those that want it. */
static bool has_other_pod(struct pass *p, const struct member *m, const struct storage_claim *c)
{
	if (!c->spec->access_modes.n || !streq(c->spec->access_modes.v[0], "ReadWriteOncePod"))
		return false;
	for (uint32_t i = 0; i < p->members.n; i++) {
		const struct member *o = p->members.v[i];

		if (o == m)
			return false;
		if (!o->finished && names(p, &o->want.object, c))
			return true;
	}
	return false;
}

/* Why the pod has to wait for this claim; NULL: for nothing. */
static const char *claim_waits(struct pass *p, const struct member *m, const struct volume *v,
			 const char *name)
{
	const struct object *pod = &m->want.object;
	const struct storage_claim *c = storage_find(p->storage, pod->meta->namespace, name);

	if (!c)
		return arena_printf(p->a, "persistentvolumeclaim \"%s\" not found.", name);
	if (v->ephemeral && !owned_by_pod(c, pod))
		return arena_printf(p->a, "PVC \"%s\" was not created for pod \"%s\" (pod is not "
				    "owner).", name, pod->meta->name);
	if (!c->volume)
		return storage_class(p, p->storage, c->class).waits ?
			       "1 node(s) didn't find available persistent volumes to bind." :
			       "pod has unbound immediate PersistentVolumeClaims.";
	if (!storage_reaches(p, c->volume->spec))
		return "1 node(s) had volume node affinity conflict.";
	if (has_other_pod(p, m, c))
		return "1 node has pod using PersistentVolumeClaim with the same name and "
		       "ReadWriteOncePod access mode.";
	return NULL;
}

static void add_path(struct pass *p, struct member *m, const struct volume *v, const char *name)
{
	const char *ns = m->want.object.meta->namespace;
	const struct storage_claim *c = storage_find(p->storage, ns, name);
	const struct storage_volume *at = c && c->volume ? c->volume :
					  volume_before(p->storage, ns, name);
	struct wanted_volume w;

	if (!at)
		return;
	if (lead(at, v, &w))
		*arena_push(p->a, &m->want.volumes) = w;
	else if (!m->cannot_mount)
		m->cannot_mount = arena_printf(p->a, "MountVolume.SetUp failed for volume \"%s\" : "
					       "orch mounts hostPath and local volumes, and no %s ones",
					       at->o.meta->name, source_of(at->spec));
}

const char *storage_waits(struct pass *p, const struct member *m)
{
	const struct pod_spec *s = &m->want.object.pod->spec;
	const char *why = NULL;

	for (uint32_t i = 0; i < s->volumes.n && !why; i++) {
		const struct volume *v = &s->volumes.v[i];
		const char *name = storage_claim_name(p->a, &m->want.object, v);

		if (name)
			why = claim_waits(p, m, v, name);
	}
	return why;
}

void storage_of_pod(struct pass *p, struct member *m)
{
	const struct pod_spec *s = &m->want.object.pod->spec;

	for (uint32_t i = 0; i < s->volumes.n; i++) {
		const struct volume *v = &s->volumes.v[i];
		const char *name = storage_claim_name(p->a, &m->want.object, v);

		if (name)
			add_path(p, m, v, name);
	}
}
