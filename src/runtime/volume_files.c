/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in volumes that orchd writes; see volume_files.h. Of two sources of a projected volume
 * that name the same file the later one wins. Tokens, bundles of certificates and certificates of
 * pods are of nobody here: manifests that ask for them get a warning, and no file.
 */
#include "runtime/volume_files.h"

#include "base/macro.h"
#include "runtime/volume.h"

struct filling {
	struct arena *a;
	const struct volume_in *in;
	const struct set *set;
	struct volume_files *files;
	mode_t mode;			/* of files that say nothing else */
};

static void add_file(struct filling *f, const char *path, struct bytes content, mode_t mode)
{
	struct volume_files *l = f->files;

	for (uint32_t i = 0; i < l->n; i++) {
		if (streq(l->v[i].path, path)) {
			l->v[i] = (struct volume_file){ path, content, mode };
			return;
		}
	}
	*arena_push(f->a, l) = (struct volume_file){ path, content, mode };
}

/* ---- ConfigMaps and Secrets ---- */

static bool add_items(struct filling *f, const struct config_part *part, const struct object *o)
{
	for (uint32_t i = 0; i < part->items->n; i++) {
		const struct key_to_path *k = &part->items->v[i];
		struct bytes b;

		if (config_value(o, k->key, &b))
			add_file(f, k->path, b,
				 HAS(k, key_to_path, mode) ? (mode_t)k->mode : f->mode);
		else if (!part->optional)
			return false;
	}
	return true;
}

/* Text wins over bytes of the same key, as stringData does over data. */
static void add_all(struct filling *f, const struct object *o)
{
	bool secret = o->kind->id == KIND_SECRET;
	const struct strmap *text = secret ? &o->secret->string_data : &o->configmap->data;
	const struct bytemap *bytes = secret ? &o->secret->data : &o->configmap->binary_data;

	for (uint32_t i = 0; i < bytes->n; i++)
		add_file(f, bytes->v[i].k, bytes->v[i].v, f->mode);
	for (uint32_t i = 0; i < text->n; i++)
		add_file(f, text->v[i].k, (struct bytes){ text->v[i].v, strlen(text->v[i].v) },
			 f->mode);
}

static bool add_part(struct filling *f, const struct config_part *part)
{
	const struct object *o = set_find(f->set, part->kind, f->in->pod->meta->namespace,
					  part->name);

	if (!o)
		return part->optional;
	if (part->items->n)
		return add_items(f, part, o);
	add_all(f, o);
	return true;
}

static bool add_part_of(struct filling *f, const struct volume *v, uint32_t source)
{
	struct config_parts parts;
	bool ok = true;

	volume_config_parts(f->a, v, &parts);
	for (uint32_t i = 0; ok && i < parts.n; i++)
		if (parts.v[i].source == source)
			ok = add_part(f, &parts.v[i]);
	return ok;
}

/* ---- the pod's own fields ---- */

static const struct container *container_of_pod(const struct object *pod, const char *name)
{
	int i = name ? pod_container_find(&pod->pod->spec, name) : -1;

	return i < 0 ? NULL : pod_container(&pod->pod->spec, (uint32_t)i);
}

static const char *downward_text(struct filling *f, const struct downward_file *d)
{
	const struct resource_field_selector *r = d->resource_field_ref;
	const struct object *pod = f->in->pod;
	const char *text = NULL;
	int64_t n;

	if (d->field_ref)
		text = downward_metadata(f->a, pod->meta, d->field_ref->field_path);
	else if (r && downward_resource(container_of_pod(pod, r->container_name), r, f->in->node,
					&n))
		text = arena_printf(f->a, "%lld", (long long)n);
	return text ? text : "";
}

static void add_downward(struct filling *f, const struct downward_file_list *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct downward_file *d = &l->v[i];
		const char *text = downward_text(f, d);

		add_file(f, d->path, (struct bytes){ text, strlen(text) },
			 HAS(d, downward_file, mode) ? (mode_t)d->mode : f->mode);
	}
}

/* ---- all together ---- */

static bool add_projected(struct filling *f, const struct volume *v)
{
	const struct volume_projection_list *l = &v->projected->sources;
	bool ok = true;

	for (uint32_t i = 0; ok && i < l->n; i++) {
		ok = add_part_of(f, v, i);
		if (l->v[i].downward_api)
			add_downward(f, &l->v[i].downward_api->items);
	}
	return ok;
}

static mode_t default_mode(const struct volume *v)
{
	return (mode_t)(v->config_map	 ? v->config_map->default_mode :
			v->secret	 ? v->secret->default_mode :
			v->downward_api ? v->downward_api->default_mode :
					  v->projected->default_mode);
}

bool volume_files(struct arena *a, const struct volume_in *in, const struct set *set,
		  const struct volume *v, struct volume_files *ret)
{
	struct filling f = { a, in, set, ret, default_mode(v) };

	struct volume_owner owner = volume_owner(in);
	gid_t group;

	*ret = (struct volume_files){ .owned = owner.gid != (gid_t)-1,
				       .uid = owner.uid, .gid = owner.gid };
	ret->grouped = volume_group(in->pod, &group);
	if (v->downward_api)
		add_downward(&f, &v->downward_api->items);
	if (v->projected)
		return add_projected(&f, v);
	return v->downward_api || add_part_of(&f, v, 0);
}
