/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ConfigMaps and Secrets that containers refer to: which are missing, in kubelet's words, and the
 * hash of those whose change has to replace the pod. A container waits for what its environment
 * needs, a pod's first containers also for what its volumes need.
 */
#include "control/pass.h"

static bool has_key(const struct object *o, const char *key)
{
	const struct bytemap *bytes = o->kind->id == KIND_SECRET ? &o->secret->data :
								   &o->configmap->binary_data;
	const struct strmap *text = o->kind->id == KIND_SECRET ? &o->secret->string_data :
								 &o->configmap->data;

	for (uint32_t i = 0; i < bytes->n; i++)
		if (streq(bytes->v[i].k, key))
			return true;
	return strmap_get(text, key) != NULL;
}

/* key NULL: the object is enough */
static const char *lacks(struct pass *p, enum kind_id kind, const char *ns, const char *name,
			 const char *key)
{
	const struct object *o = set_find(p->in->set, kind, ns, name);

	if (!o)
		return arena_printf(p->a, "%s \"%s\" not found",
				    kind == KIND_SECRET ? "secret" : "configmap", name);
	if (key && !has_key(o, key))
		return arena_printf(p->a, "couldn't find key %s in %s %s/%s", key,
				    kinds[kind].name, ns, name);
	return NULL;
}

static const char *key_lacks(struct pass *p, enum kind_id kind, const char *ns,
			     const struct key_selector *k)
{
	return k && !k->optional ? lacks(p, kind, ns, k->name, k->key) : NULL;
}

static const char *ref_lacks(struct pass *p, enum kind_id kind, const char *ns,
			     const struct config_ref *r)
{
	return r && !r->optional ? lacks(p, kind, ns, r->name, NULL) : NULL;
}

const char *config_missing(struct pass *p, const char *ns, const struct container *c)
{
	const char *text = NULL;

	for (uint32_t i = 0; !text && i < c->env_from.n; i++) {
		text = ref_lacks(p, KIND_CONFIGMAP, ns, c->env_from.v[i].config_map_ref);
		if (!text)
			text = ref_lacks(p, KIND_SECRET, ns, c->env_from.v[i].secret_ref);
	}
	for (uint32_t i = 0; !text && i < c->env.n; i++) {
		const struct env_source *s = c->env.v[i].value_from;

		if (s)
			text = key_lacks(p, KIND_CONFIGMAP, ns, s->config_map_key_ref);
		if (s && !text)
			text = key_lacks(p, KIND_SECRET, ns, s->secret_key_ref);
	}
	return text;
}

static const char *part_lacks(struct pass *p, const char *ns, const struct config_part *part)
{
	const char *text;

	if (part->optional)
		return NULL;
	text = lacks(p, part->kind, ns, part->name, NULL);
	for (uint32_t i = 0; !text && i < part->items->n; i++)
		text = lacks(p, part->kind, ns, part->name, part->items->v[i].key);
	return text;
}

static const char *volume_lacks(struct pass *p, const char *ns, const struct volume *v)
{
	struct config_parts parts;
	const char *text = NULL;

	volume_config_parts(p->a, v, &parts);
	for (uint32_t i = 0; !text && i < parts.n; i++)
		text = part_lacks(p, ns, &parts.v[i]);
	return text ? arena_printf(p->a, "MountVolume.SetUp failed for volume \"%s\" : %s", v->name,
				   text) : NULL;
}

const char *config_missing_volume(struct pass *p, const char *ns, const struct pod_spec *s)
{
	const char *text = NULL;

	for (uint32_t i = 0; !text && i < s->volumes.n; i++)
		text = volume_lacks(p, ns, &s->volumes.v[i]);
	return text;
}

uint64_t config_hash(const struct set *s, const char *ns, const struct pod_template *t,
		     struct arena *a)
{
	const char *how = strmap_get(&t->metadata.annotations, CONFIG_CHANGE_ANNOTATION);

	if (how && streq(how, "live"))
		return 0;
	return set_config_hash(s, ns, &t->spec, false, a, NULL);
}
