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
			bool sub = l->v[k].sub_path && *l->v[k].sub_path;

			if (!streq(l->v[k].name, volume))
				continue;
			*ret_sub |= sub;
			*ret_whole |= !sub;
		}
	}
}

static void volume_uses(struct arena *a, struct config_uses *l, const struct pod_spec *s,
			uint32_t i)
{
	const struct volume *v = &s->volumes.v[i];
	const struct key_to_path_list *items;
	struct config_use use = { .i = i };

	if (v->config_map) {
		use.kind = KIND_CONFIGMAP;
		use.name = v->config_map->name;
		use.optional = v->config_map->optional;
		use.at = &v->config_map->node;
		items = &v->config_map->items;
	} else if (v->secret) {
		use.kind = KIND_SECRET;
		use.name = v->secret->secret_name;
		use.optional = v->secret->optional;
		use.at = &v->secret->node;
		items = &v->secret->items;
	} else {
		return;
	}
	mounts_of(s, v->name, &use.fixed, &use.mounted);
	use.format = v->secret ? "volumes[%u].secret" : "volumes[%u].configMap";
	*arena_push(a, l) = use;
	use.format = v->secret ? "volumes[%u].secret.items[%u]" : "volumes[%u].configMap.items[%u]";
	use.item = true;
	for (use.k = 0; use.k < items->n; use.k++) {
		use.key = items->v[use.k].key;
		use.at = &items->v[use.k].node;
		*arena_push(a, l) = use;
	}
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
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_object);
	for (uint32_t i = 0; i < l.n; i++) {
		const struct config_use *use = &l.v[i];

		if (!(volumes ? use->mounted : use->fixed) || (last && by_object(last, use) == 0))
			continue;
		const char *name = arena_printf(a, "%s/%s", kinds[use->kind].name, use->name);
		h = fnv64_str(last ? h : FNV64_INIT, name);
		h = hash_object(h, set_find(s, use->kind, ns, use->name));
		if (names)
			add_name(a, names, name);
		last = use;
	}
	return h;
}
