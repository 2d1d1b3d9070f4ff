/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which ConfigMaps and Secrets a pod uses, and the hash of what is in them. Text that reaches a
 * container through its environment or a subPath mount stays as it was at the start; a whole volume
 * is kept up to date. The hash is over names and contents in the order of names, so that the order
 * of uses does not matter.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/macro.h"
#include "model/build.h"

static void key_use(struct arena *a, struct config_uses *l, const struct key_selector *k,
		    struct config_use use)
{
	if (!k)
		return;
	use.name = k->name;
	use.key = k->key;
	use.optional = k->optional;
	use.at = &k->node;
	*arena_push(a, l) = use;
}

static void ref_use(struct arena *a, struct config_uses *l, const struct config_ref *r,
		    struct config_use use)
{
	if (!r)
		return;
	use.name = r->name;
	use.optional = r->optional;
	use.at = &r->node;
	*arena_push(a, l) = use;
}

static void container_uses(struct arena *a, struct config_uses *l, const struct container *c,
			   bool init, uint32_t i)
{
	struct config_use map = { .kind = KIND_CONFIGMAP, .fixed = true, .i = i };
	struct config_use secret = { .kind = KIND_SECRET, .fixed = true, .i = i };

	map.format = init ? "initContainers[%u].envFrom[%u].configMapRef" :
			    "containers[%u].envFrom[%u].configMapRef";
	secret.format = init ? "initContainers[%u].envFrom[%u].secretRef" :
			       "containers[%u].envFrom[%u].secretRef";
	for (map.k = secret.k = 0; map.k < c->env_from.n; map.k++, secret.k++) {
		ref_use(a, l, c->env_from.v[map.k].config_map_ref, map);
		ref_use(a, l, c->env_from.v[map.k].secret_ref, secret);
	}
	map.format = init ? "initContainers[%u].env[%u].valueFrom.configMapKeyRef" :
			    "containers[%u].env[%u].valueFrom.configMapKeyRef";
	secret.format = init ? "initContainers[%u].env[%u].valueFrom.secretKeyRef" :
			       "containers[%u].env[%u].valueFrom.secretKeyRef";
	for (map.k = secret.k = 0; map.k < c->env.n; map.k++, secret.k++) {
		const struct env_source *from = c->env.v[map.k].value_from;

		key_use(a, l, from ? from->config_map_key_ref : NULL, map);
		key_use(a, l, from ? from->secret_key_ref : NULL, secret);
	}
}

/* How the containers mount a volume. */
static void mounts_of(const struct pod_spec *s, const char *volume, bool *ret_sub, bool *ret_whole)
{
	*ret_sub = *ret_whole = false;
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const struct volume_mount_list *l = &pod_container(s, i)->volume_mounts;

		for (uint32_t k = 0; k < l->n; k++) {
			const struct volume_mount *m = &l->v[k];
			bool sub = (m->sub_path && *m->sub_path) ||
				   (m->sub_path_expr && *m->sub_path_expr);

			if (!streq(m->name, volume))
				continue;
			*ret_sub |= sub;
			*ret_whole |= !sub;
		}
	}
}

static void add_part(struct arena *a, struct config_parts *l, const struct config_part *part)
{
	*arena_push(a, l) = *part;
}

static void projected_parts(struct arena *a, const struct projected_volume *v,
			    struct config_parts *l)
{
	for (uint32_t i = 0; i < v->sources.n; i++) {
		const struct config_map_projection *m = v->sources.v[i].config_map;
		const struct secret_projection *s = v->sources.v[i].secret;

		if (m)
			add_part(a, l, &(struct config_part){ KIND_CONFIGMAP, m->name, &m->items,
							      m->optional, i, &m->node });
		if (s)
			add_part(a, l, &(struct config_part){ KIND_SECRET, s->name, &s->items,
							      s->optional, i, &s->node });
	}
}

void volume_config_parts(struct arena *a, const struct volume *v, struct config_parts *ret)
{
	const struct config_map_volume *m = v->config_map;
	const struct secret_volume *s = v->secret;

	*ret = (struct config_parts){ 0 };
	if (m)
		add_part(a, ret, &(struct config_part){ KIND_CONFIGMAP, m->name, &m->items,
							m->optional, 0, &m->node });
	if (s)
		add_part(a, ret, &(struct config_part){ KIND_SECRET, s->secret_name, &s->items,
							s->optional, 0, &s->node });
	if (v->projected)
		projected_parts(a, v->projected, ret);
}

/* Of the path of a use: that of the object, and that of an item. */
static const char *use_format(const struct volume *v, enum kind_id kind, bool item)
{
	static const char *const formats[2][2][2] = {
		{ { "volumes[%u].configMap", "volumes[%u].configMap.items[%u]" },
		  { "volumes[%u].secret", "volumes[%u].secret.items[%u]" } },
		{ { "volumes[%u].projected.sources[%u].configMap",
		    "volumes[%u].projected.sources[%u].configMap.items" },
		  { "volumes[%u].projected.sources[%u].secret",
		    "volumes[%u].projected.sources[%u].secret.items" } },
	};

	return formats[v->projected != NULL][kind == KIND_SECRET][item];
}

static void part_uses(struct arena *a, struct config_uses *l, const struct volume *v,
		      const struct config_part *part, struct config_use use)
{
	use.kind = part->kind;
	use.name = part->name;
	use.optional = part->optional;
	use.at = part->at;
	use.format = use_format(v, part->kind, false);
	use.k = part->source;
	*arena_push(a, l) = use;
	use.format = use_format(v, part->kind, true);
	use.item = true;
	for (uint32_t k = 0; k < part->items->n; k++) {
		use.k = v->projected ? part->source : k;
		use.key = part->items->v[k].key;
		use.at = &part->items->v[k].node;
		*arena_push(a, l) = use;
	}
}

static void volume_uses(struct arena *a, struct config_uses *l, const struct pod_spec *s,
			uint32_t i)
{
	const struct volume *v = &s->volumes.v[i];
	struct config_use use = { .i = i };
	struct config_parts parts;

	volume_config_parts(a, v, &parts);
	if (parts.n)
		mounts_of(s, v->name, &use.fixed, &use.mounted);
	for (uint32_t k = 0; k < parts.n; k++)
		part_uses(a, l, v, &parts.v[k], use);
}

void config_uses(struct arena *a, const struct pod_spec *s, struct config_uses *ret)
{
	*ret = (struct config_uses){ 0 };
	for (uint32_t i = 0; i < s->init_containers.n; i++)
		container_uses(a, ret, &s->init_containers.v[i], true, i);
	for (uint32_t i = 0; i < s->containers.n; i++)
		container_uses(a, ret, &s->containers.v[i], false, i);
	for (uint32_t i = 0; i < s->volumes.n; i++)
		volume_uses(a, ret, s, i);
}

static int by_object(const void *a, const void *b)
{
	const struct config_use *x = a, *y = b;

	return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : strcmp(x->name, y->name);
}

bool config_used(struct arena *a, const struct pod_spec *spec, const char *ns,
		 const struct object_list *of)
{
	struct config_uses l;

	config_uses(a, spec, &l);
	for (uint32_t i = 0; i < l.n; i++) {
		for (uint32_t k = 0; k < of->n; k++) {
			const struct object *o = &of->v[k];

			if (l.v[i].kind == o->kind->id && streq(l.v[i].name, o->meta->name) &&
			    streq(ns, o->meta->namespace))
				return true;
		}
	}
	return false;
}

static uint64_t hash_entry(uint64_t h, const char *key, const void *data, size_t n)
{
	h = fnv64_str(h, key);
	h = fnv64(h, &n, sizeof(n));
	return fnv64(h, data, n);
}

static uint64_t hash_text(uint64_t h, const struct strmap *m)
{
	h = fnv64(h, &m->n, sizeof(m->n));
	for (uint32_t i = 0; i < m->n; i++)
		h = hash_entry(h, m->v[i].k, m->v[i].v, strlen(m->v[i].v));
	return h;
}

static uint64_t hash_bytes(uint64_t h, const struct bytemap *m)
{
	h = fnv64(h, &m->n, sizeof(m->n));
	for (uint32_t i = 0; i < m->n; i++)
		h = hash_entry(h, m->v[i].k, m->v[i].v.data, m->v[i].v.len);
	return h;
}

static uint64_t hash_object(uint64_t h, const struct object *o)
{
	if (!o)
		return fnv64_str(h, "absent");
	if (o->kind->id == KIND_SECRET)
		return hash_bytes(h, &o->secret->data);
	return hash_bytes(hash_text(h, &o->configmap->data), &o->configmap->binary_data);
}

/* "ConfigMap/web" as one string. */
static uint64_t hash_name(uint64_t h, const char *kind, const char *name)
{
	return fnv64_str(fnv64(fnv64(h, kind, strlen(kind)), "/", 1), name);
}

static void add_name(struct arena *a, struct strs *names, const char *name)
{
	for (uint32_t i = 0; i < names->n; i++) {
		if (streq(names->v[i], name))
			return;
	}
	*arena_push(a, names) = name;
}

uint64_t set_config_hash(const struct set *s, const char *ns, const struct pod_spec *spec,
			 bool volumes, struct arena *a, struct strs *names)
{
	struct config_uses l;
	uint64_t h = 0;
	const struct config_use *last = NULL;

	config_uses(a, spec, &l);
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_object);
	for (uint32_t i = 0; i < l.n; i++) {
		const struct config_use *use = &l.v[i];

		if (!(volumes ? use->mounted : use->fixed) || (last && by_object(last, use) == 0))
			continue;
		h = hash_name(last ? h : FNV64_INIT, kinds[use->kind].name, use->name);
		h = hash_object(h, set_find(s, use->kind, ns, use->name));
		if (names)
			add_name(a, names,
				 arena_printf(a, "%s/%s", kinds[use->kind].name, use->name));
		last = use;
	}
	return h;
}
