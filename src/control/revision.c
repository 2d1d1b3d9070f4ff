/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, one object each, kept
 * by the store. The one with the declared template is the update revision; the newest one whose
 * rollout was completed is the current one, from which pods below a partition are made.
 */
#include "base/hash.h"
#include "control/revision.h"

#define COMPLETE_ANNOTATION "orch/complete-since"

static const char *hash_of(const struct object *o)
{
	const char *hash = strmap_get(&o->meta->labels, REVISION_HASH_LABEL);

	return hash ? hash : "";
}

static bool was_complete(const struct object *o)
{
	return strmap_get(&o->meta->annotations, COMPLETE_ANNOTATION);
}

static int by_number(const void *x, const void *y)
{
	const struct revision *a = x, *b = y;
	int64_t i = a->object.controller_revision->revision;
	int64_t k = b->object.controller_revision->revision;

	return i < k ? -1 : i > k;
}

/* A body of its own, as the stored one must not change under the store. */
static struct controller_revision *own(struct pass *p, struct revision *r)
{
	if (r->own)
		return r->object.controller_revision;
	r->own = true;
	r->object.controller_revision =
		schema_copy(p->a, &controller_revision_type, r->object.controller_revision);
	r->object.meta = &r->object.controller_revision->metadata;
	return r->object.controller_revision;
}

static const char *data_of(struct pass *p, const struct pod_template *t)
{
	BUF_AUTO text = { 0 };
	struct json j;

	json_init(&j, &text, false);
	json_begin_object(&j);
	json_key(&j, "spec");
	json_begin_object(&j);
	json_key(&j, "template");
	json_begin_object(&j);
	json_kstr(&j, "$patch", "replace");
	schema_json(&j, &pod_template_type, t, DUMP_WRITTEN);
	json_end_object(&j);
	json_end_object(&j);
	json_end_object(&j);
	return arena_strdup(p->a, buf_str(&text));
}

static struct revision make(struct pass *p, const struct object *owner, const struct pod_template *t,
			    const char *hash, int64_t number)
{
	struct revision r = { .own = true, .hash = hash };
	const struct meta *m = owner->meta;
	const char *name = arena_printf(p->a, "%s-%s", m->name, hash);
	char uid[37];

	name_uid_below(m->uid, name, uid);
	r.object = object_new(p->a, KIND_CONTROLLERREVISION, m->namespace, name);
	r.object.meta->uid = arena_strdup(p->a, uid);
	r.object.meta->creation_timestamp = whole_seconds(p->in->now);
	r.object.meta->labels = map_copy(p->a, &t->metadata.labels);
	strmap_set(p->a, &r.object.meta->labels, REVISION_HASH_LABEL, hash);
	if (strmap_get(&m->annotations, CHANGE_CAUSE_ANNOTATION))
		strmap_set(p->a, &r.object.meta->annotations, CHANGE_CAUSE_ANNOTATION,
			   strmap_get(&m->annotations, CHANGE_CAUSE_ANNOTATION));
	owner_add(p->a, r.object.meta, owner);
	r.object.controller_revision->data = data_of(p, t);
	r.object.controller_revision->revision = number;
	return r;
}

void revisions_load(struct pass *p, const struct object *owner, const struct pod_template *t,
		    struct revisions *ret)
{
	struct object_list l = derived_below(p, KIND_CONTROLLERREVISION, owner->meta);
	char hash[16];

	*ret = (struct revisions){ .owner = owner };
	control_template_hash(p->in->set, owner->meta->namespace, t, hash);
	for (uint32_t i = 0; i < l.n; i++) {
		if (owned_by(l.v[i].meta, owner->meta->uid))
			*arena_push(p->a, ret) = (struct revision){
				.object = l.v[i], .hash = hash_of(&l.v[i]),
			};
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_number);
	int64_t newest = ret->n ? ret->v[ret->n - 1].object.controller_revision->revision : 0;
	uint32_t at = 0;
	while (at < ret->n && !streq(ret->v[at].hash, hash))
		at++;
	if (at == ret->n) {
		struct revision fresh = make(p, owner, t, arena_strdup(p->a, hash), newest + 1);
		*arena_push(p->a, ret) = fresh;
	} else if (at + 1 < ret->n) {
		own(p, &ret->v[at])->revision = newest + 1;
		qsort(ret->v, ret->n, sizeof(*ret->v), by_number);
	}
	ret->update = &ret->v[ret->n - 1];
	ret->current = NULL;
	for (uint32_t i = 0; i < ret->n; i++)
		if (was_complete(&ret->v[i].object) || !ret->current)
			ret->current = &ret->v[i];
}

void revisions_complete(struct pass *p, struct revisions *l)
{
	char text[32];

	l->current = l->update;
	if (was_complete(&l->update->object))
		return;
	time_format(whole_seconds(p->in->now), text);
	struct controller_revision *r = own(p, l->update);
	r->metadata.annotations = map_copy(p->a, &r->metadata.annotations);
	strmap_set(p->a, &r->metadata.annotations, COMPLETE_ANNOTATION, arena_strdup(p->a, text));
}

void revisions_put(struct pass *p, struct revisions *l, int32_t limit)
{
	int64_t spare = 0;

	for (uint32_t i = l->n; i-- > 0;) {
		struct revision *r = &l->v[i];
		bool needed = r == l->update || r == l->current || r->used;

		if (!needed && ++spare > limit)
			continue;
		*arena_push(p->a, &p->out->derived) = r->object;
	}
}

struct pod_template *control_revision_template(struct arena *a, const struct object *revision)
{
	struct pod_template *t = arena_new(a, struct pod_template);
	struct msgs m = { .arena = a };
	struct yaml_docs docs = { 0 };
	const char *text = revision->controller_revision->data;

	if (!text || yaml_parse(a, "", text, strlen(text), &docs, &m) < 0 || docs.n != 1)
		return NULL;
	const struct ynode *spec = ynode_get(docs.v[0].root, "spec");
	const struct ynode *from = spec ? ynode_get(spec, "template") : NULL;
	if (!from || schema_decode_record(a, &pod_template_type, "", from, "", NULL, t, &m) < 0)
		return NULL;
	pod_spec_complete(a, &t->spec);
	return t;
}
