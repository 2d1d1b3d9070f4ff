/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classes of storage. One is always there: orch-local, whose provisioner orch/local makes
 * directories. A declared class of that name takes its place; a class that is annotated as the default
 * takes over that role. What orch/local made is deleted only when a class says so in so many words:
 * a reclaimPolicy that was left out means Retain here, not Delete as in Kubernetes.
 */
#include "control/storage.h"

#include <string.h>

#include "control/node.h"

static bool is_default(const struct object *o)
{
	static const char *const keys[] = {
		DEFAULT_CLASS_ANNOTATION, "storageclass.beta.kubernetes.io/is-default-class",
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *v = strmap_get(&o->meta->annotations, keys[i]);

		if (v && streq(v, "true"))
			return true;
	}
	return false;
}

/* The newest of several, as in Kubernetes. */
static const char *declared_default(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_STORAGECLASS);
	const struct object *best = NULL;

	for (uint32_t i = 0; i < l.n; i++) {
		const struct object *o = &l.v[i];

		if (is_default(o) && (!best || o->meta->creation_timestamp >
						       best->meta->creation_timestamp))
			best = o;
	}
	return best ? best->meta->name : NULL;
}

static struct object builtin(struct pass *p, bool dflt)
{
	struct object o = object_new(p->a, KIND_STORAGECLASS, NULL, STORAGE_CLASS_BUILTIN);
	struct storage_class *c = o.body;

	o.meta->uid = "00000000-0000-4000-8000-6f7263686c6f";
	o.meta->creation_timestamp = p->in->started;
	if (dflt)
		strmap_set(p->a, &o.meta->annotations, DEFAULT_CLASS_ANNOTATION, "true");
	c->provisioner = STORAGE_PROVISIONER;
	c->reclaim_policy = CLASS_RETAIN;
	c->volume_binding_mode = BINDING_WAIT_FOR_FIRST_CONSUMER;
	c->allow_volume_expansion = true;
	return o;
}

void storage_classes(struct pass *p, struct storage *s)
{
	const char *declared = declared_default(p);

	s->default_class = declared ? declared : STORAGE_CLASS_BUILTIN;
	s->builtin = builtin(p, !declared);
}

struct storage_class_info storage_class(struct pass *p, const struct storage *s, const char *name)
{
	const struct object *o = *name ? set_find(p->in->set, KIND_STORAGECLASS, "", name) : NULL;
	const struct storage_class *c = o ? o->body : NULL;
	struct storage_class_info info = { .reclaim = PV_RETAIN };

	if (!c && streq(name, STORAGE_CLASS_BUILTIN))
		c = s->builtin.body;
	if (!c)
		return info;
	info.body = c;
	info.ours = streq(c->provisioner, STORAGE_PROVISIONER);
	info.waits = c->volume_binding_mode == BINDING_WAIT_FOR_FIRST_CONSUMER;
	if (HAS(c, storage_class, reclaim_policy) && c->reclaim_policy == CLASS_DELETE)
		info.reclaim = PV_DELETE;
	return info;
}

bool storage_reaches(struct pass *p, const struct pv_spec *v)
{
	return node_selected(p, v->node_affinity ? v->node_affinity->required : NULL);
}
