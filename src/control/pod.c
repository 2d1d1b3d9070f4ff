/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pods that stand in a manifest themselves. One runs as long as the specification it was made from
 * is the declared one, and what its environment takes from ConfigMaps and Secrets did not change;
 * labels, annotations, and requests and limits (resize.c) change in place. Anything else stops it
 * first and makes it again, with a new uid, when it is gone: name and namespace are its identity.
 * Finished pods stay as they are, even when their sandbox is lost.
 */
#include "base/hash.h"
#include "control/admit.h"
#include "control/resize.h"

static const char *hex(struct arena *a, uint64_t v)
{
	return arena_printf(a, "%016llx", (unsigned long long)v);
}

/* The declared pod as it would be made now, but for uid and time. */
static struct object as_wanted(struct pass *p, const struct object *declared)
{
	const struct meta *from = declared->meta;
	struct pod_template t = { .metadata = *from, .spec = declared->pod->spec };
	struct object o = object_new(p->a, KIND_POD, from->namespace, from->name);
	uint64_t spec = schema_hash(&pod_spec_type, &declared->pod->spec, FNV64_INIT);

	o.file = declared->file;
	o.stack = declared->stack;
	o.line = declared->line;
	o.col = declared->col;
	o.digest = declared->digest;
	o.pod->spec = declared->pod->spec;
	o.pod->spec.node_name = p->in->node_name;
	o.meta->labels = map_copy(p->a, &from->labels);
	o.meta->annotations = map_copy(p->a, &from->annotations);
	strmap_set(p->a, &o.meta->annotations, SPEC_HASH_ANNOTATION, hex(p->a, spec));
	strmap_set(p->a, &o.meta->annotations, CONFIG_HASH_ANNOTATION,
		   hex(p->a, config_hash(p->in->set, from->namespace, &t, p->a)));
	MARK(o.pod, pod, metadata);
	MARK(o.pod, pod, spec);
	MARK(o.meta, meta, labels);
	MARK(o.meta, meta, annotations);
	return o;
}

static bool same_annotation(const struct object *a, const struct object *b, const char *key)
{
	const char *x = strmap_get(&a->meta->annotations, key);
	const char *y = strmap_get(&b->meta->annotations, key);

	return x && y && streq(x, y);
}

/* Made from the same words; or from other words with the same meaning, such as a default. */
static enum spec_change compare(struct pass *p, const struct object *runs,
				const struct object *wanted, struct pod_spec *then)
{
	if (same_annotation(runs, wanted, SPEC_HASH_ANNOTATION))
		return SPEC_SAME;
	if (admit_complete(p, wanted->meta->namespace, then))
		return SPEC_OTHER;
	return pod_spec_change(p->a, &runs->pod->spec, then);
}

/* Metadata as declared, and the hash of what it was made from. */
static void keep_metadata(struct pass *p, struct member *m, const struct object *wanted)
{
	const char *spec = strmap_get(&m->want.object.meta->annotations, SPEC_HASH_ANNOTATION);
	struct meta then = *m->want.object.meta;

	then.labels = wanted->meta->labels;
	then.annotations = wanted->meta->annotations;
	if (spec)
		strmap_set(p->a, &then.annotations, SPEC_HASH_ANNOTATION, spec);
	if (schema_equal(&meta_type, m->want.object.meta, &then))
		return;
	member_own(p, m);
	m->want.object.meta->labels = then.labels;
	m->want.object.meta->annotations = then.annotations;
}

static void keep(struct pass *p, struct member *m, const struct object *wanted)
{
	m->claimed = true;
	keep_metadata(p, m, wanted);
	m->want.object.file = wanted->file;
	m->want.object.stack = wanted->stack;
	m->want.object.line = wanted->line;
	m->want.object.col = wanted->col;
	m->want.object.digest = wanted->digest;
}

static void keep_with(struct pass *p, struct member *m, const struct object *wanted,
		      enum spec_change change, const struct pod_spec *then)
{
	struct resize r = { .desired = *then, .shown = &wanted->pod->spec,
			    .hash = strmap_get(&wanted->meta->annotations, SPEC_HASH_ANNOTATION) };

	keep(p, m, wanted);
	if (change == SPEC_RESIZED)
		resize_ask(p, m, &r);
	else
		resize_forget(p, m);
}

static void create(struct pass *p, struct object *o)
{
	const char *refused;
	char uid[37];

	name_uid(p, "uid", o->meta->namespace, o->meta->name, uid);
	o->meta->uid = arena_strdup(p->a, uid);
	o->meta->creation_timestamp = whole_seconds(p->in->now);
	o->meta->generation = 1;
	if (!member_new(p, o, 0, &refused))
		pass_event(p, o, true, "FailedCreate",
			   arena_printf(p->a, "Error creating: %s", refused));
}

static void recover(struct pass *p, struct member *m)
{
	int64_t at = member_replace_at(p, m);

	m->claimed = true;
	if (p->in->now >= at)
		member_stop(p, m, "its sandbox was lost");
	else
		pass_wake(p, at);
}

static void pod_run(struct pass *p, const struct object *declared)
{
	struct object wanted = as_wanted(p, declared);
	struct member *m = name_find(p, declared->meta->namespace, declared->meta->name);
	enum spec_change change = SPEC_SAME;
	struct pod_spec then = wanted.pod->spec;

	if (!m)
		create(p, &wanted);
	else if (*m->owner || m->want.stop)
		member_stop(p, m, "its name is wanted for a declared pod");
	else if ((change = compare(p, &m->want.object, &wanted, &then)) == SPEC_OTHER)
		member_stop(p, m, "replaced: its specification changed");
	else if (!same_annotation(&m->want.object, &wanted, CONFIG_HASH_ANNOTATION))
		member_stop(p, m, "replaced: its configuration changed");
	else if (m->lost && !m->finished)
		recover(p, m);
	else
		keep_with(p, m, &wanted, change, &then);
}

void pods_declared(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_POD);

	for (uint32_t i = 0; i < l.n; i++)
		pod_run(p, &l.v[i]);
}
