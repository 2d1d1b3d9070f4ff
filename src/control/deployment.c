/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deployments: one ReplicaSet per template, the current one of which has the template that is
 * declared now, with the configuration that its pods take from ConfigMaps and Secrets. Old ones
 * are the history. What a later pass has to know stands in annotations of the current ReplicaSet,
 * written only when it changes: the revision, since when it is current, when its rollout was
 * complete (from then on pods that fail are no failed rollout).
 */
#include "base/hash.h"
#include "control/deployment.h"
#include "control/quota.h"
#include "control/scale.h"
#include "control/unit.h"

#include <stdio.h>

int64_t rollout_number(const struct rset *rs, const char *annotation)
{
	const char *s = strmap_get(&rs->object.meta->annotations, annotation);

	return s ? strtoll(s, NULL, 10) : -1;
}

int64_t rollout_time(const struct rset *rs, const char *annotation)
{
	const char *s = strmap_get(&rs->object.meta->annotations, annotation);
	int64_t t;

	return s && time_parse(s, &t) == 0 ? t : 0;
}

/* value NULL: without it */
static void annotate(struct rollout *r, struct rset *rs, const char *key, const char *value)
{
	const char *now = strmap_get(&rs->object.meta->annotations, key);

	if (now && value ? streq(now, value) : !now && !value)
		return;
	rset_own(r->p, rs);
	if (value)
		strmap_set(r->p->a, &rs->object.meta->annotations, key, value);
	else
		strmap_del(&rs->object.meta->annotations, key);
	MARK(rs->object.meta, meta, annotations);
}

static void annotate_time(struct rollout *r, struct rset *rs, const char *key, int64_t t)
{
	char text[32];

	time_format(t, text);
	annotate(r, rs, key, arena_strdup(r->p->a, text));
}

static void annotate_number(struct rollout *r, struct rset *rs, const char *key, int64_t n)
{
	annotate(r, rs, key, arena_printf(r->p->a, "%lld", (long long)n));
}

void control_template_hash(const struct set *s, const char *ns, const struct pod_template *t,
			   char ret[16])
{
	struct arena scratch = { 0 };
	uint64_t parts[2] = {
		schema_hash(&pod_template_type, t, FNV64_INIT),
		config_hash(s, ns, t, &scratch),
	};

	arena_release(&scratch);
	name_hash(fnv32(parts, sizeof(parts)), ret);
}

/* The template as the Deployment wrote it. */
static struct pod_template without_hash(struct arena *a, const struct pod_template *t)
{
	struct pod_template plain = *t;

	plain.metadata.labels = map_copy(a, &t->metadata.labels);
	strmap_del(&plain.metadata.labels, TEMPLATE_HASH_LABEL);
	return plain;
}

static const char *config_text(const struct rollout *r)
{
	return arena_printf(r->p->a, "%016llx", (unsigned long long)r->config);
}

/* The same words, or the same meaning: a default that is now written out changes no pod. */
bool rset_is_current(const struct rollout *r, const struct rset *rs)
{
	const struct meta *m = rs->object.meta;
	const char *hash = strmap_get(&m->labels, TEMPLATE_HASH_LABEL);
	const char *config = strmap_get(&m->annotations, CONFIG_HASH_ANNOTATION);

	if (hash && streq(hash, r->hash))
		return true;
	if (!config || !streq(config, config_text(r)) || !r->spec->template)
		return false;
	struct pod_template plain = without_hash(r->p->a, rs->object.replicaset->spec.template);
	return schema_equal(&pod_template_type, &plain, r->spec->template);
}

static struct label_selector *selector_with_hash(struct rollout *r)
{
	struct label_selector *s = arena_new(r->p->a, struct label_selector);

	if (r->spec->selector)
		*s = *r->spec->selector;
	s->match_labels = map_copy(r->p->a, &s->match_labels);
	strmap_set(r->p->a, &s->match_labels, TEMPLATE_HASH_LABEL, r->hash);
	MARK(s, label_selector, match_labels);
	return s;
}

static struct pod_template *template_with_hash(struct rollout *r)
{
	struct pod_template *t = arena_new(r->p->a, struct pod_template);

	*t = *r->spec->template;
	t->metadata.labels = map_copy(r->p->a, &t->metadata.labels);
	strmap_set(r->p->a, &t->metadata.labels, TEMPLATE_HASH_LABEL, r->hash);
	MARK(&t->metadata, meta, labels);
	MARK(t, pod_template, metadata);
	return t;
}

static struct object make_object(struct rollout *r)
{
	struct pass *p = r->p;
	const struct meta *d = r->object->meta;
	struct object o = object_new(p->a, KIND_REPLICASET, d->namespace,
				     arena_printf(p->a, "%s-%s", d->name, r->hash));
	struct replicaset_spec *s = &o.replicaset->spec;
	char uid[37];

	name_uid(p, "replicaset", d->namespace, o.meta->name, uid);
	o.meta->uid = arena_strdup(p->a, uid);
	o.meta->creation_timestamp = whole_seconds(p->in->now);
	o.meta->generation = 1;
	owner_add(p->a, o.meta, r->object);
	s->template = template_with_hash(r);
	s->selector = selector_with_hash(r);
	o.meta->labels = map_copy(p->a, &s->template->metadata.labels);
	MARK(o.replicaset, replicaset, metadata);
	MARK(o.replicaset, replicaset, spec);
	MARK(o.meta, meta, labels);
	MARK(s, replicaset_spec, replicas);
	MARK(s, replicaset_spec, selector);
	MARK(s, replicaset_spec, template);
	return o;
}

/* As in Kubernetes its rollout stands still until there is room. */
static void refuse(struct rollout *r, const char *name, const char *why)
{
	r->refused = arena_printf(r->p->a, "Failed to create new replica set \"%s\": %s", name,
				  why);
	pass_event(r->p, r->object, true, CREATE_ERROR, r->refused);
}

struct rset *rset_make_current(struct rollout *r)
{
	struct object o = make_object(r);
	const char *why = quotas_admit_object(r->p, &o);
	struct rset *rs;

	if (why) {
		refuse(r, o.meta->name, why);
		return NULL;
	}
	rs = rset_new(r->p, &o, NULL, r->spec->min_ready_seconds);
	rs->replicas = 0;
	annotate(r, rs, CONFIG_HASH_ANNOTATION, config_text(r));
	*arena_push(r->p->a, &r->sets) = rs;
	r->current = rs;
	return rs;
}

/* Annotations of the Deployment that are its own business, or this file's. */
static bool copied(const char *key)
{
	static const char *const own[] = {
		REVISION_ANNOTATION, "deployment.kubernetes.io/revision-history",
		DESIRED_ANNOTATION, MAX_ANNOTATION,
		"kubectl.kubernetes.io/last-applied-configuration",
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (streq(key, own[i]))
			return false;
	return strncmp(key, "orch/", 5) != 0;
}

static int64_t newest_revision(const struct rollout *r)
{
	int64_t max = 0;

	for (uint32_t i = 0; i < r->sets.n; i++)
		if (r->sets.v[i] != r->current)
			max = MAX(max, rollout_number(r->sets.v[i], REVISION_ANNOTATION));
	return max;
}

/* A ReplicaSet that becomes current, new or again, gets the next number. */
static void number_current(struct rollout *r)
{
	int64_t next = newest_revision(r) + 1;

	if (rollout_number(r->current, REVISION_ANNOTATION) >= next)
		return;
	annotate_number(r, r->current, REVISION_ANNOTATION, next);
	annotate_time(r, r->current, CURRENT_ANNOTATION, r->p->in->now);
	annotate(r, r->current, COMPLETE_ANNOTATION, NULL);
}

/* The progress deadline does not run while a rollout is paused. */
static void note_pause(struct rollout *r)
{
	const struct strmap *m = &r->current->object.meta->annotations;
	bool was = strmap_get(m, PAUSED_ANNOTATION) != NULL;

	if (r->spec->paused == was)
		return;
	annotate(r, r->current, PAUSED_ANNOTATION, r->spec->paused ? "true" : NULL);
	if (!r->spec->paused)
		annotate_time(r, r->current, CURRENT_ANNOTATION, r->p->in->now);
}

void rollout_annotate(struct rollout *r)
{
	const struct strmap *from = &r->object->meta->annotations;

	for (uint32_t i = 0; i < r->sets.n; i++) {
		struct rset *rs = r->sets.v[i];

		if (rs != r->current && !rs->replicas)
			continue;
		annotate_number(r, rs, DESIRED_ANNOTATION, r->spec->replicas);
		annotate_number(r, rs, MAX_ANNOTATION, (int64_t)r->spec->replicas + r->surge);
	}
	if (!r->current)
		return;
	for (uint32_t i = 0; i < from->n; i++)
		if (copied(from->v[i].k))
			annotate(r, r->current, from->v[i].k, from->v[i].v);
	number_current(r);
	note_pause(r);
}

/* By creation, then revision: the order in which Kubernetes takes pods away. */
static int set_cmp(const void *x, const void *y)
{
	const struct rset *a = *(struct rset *const *)x, *b = *(struct rset *const *)y;
	int64_t ta = a->object.meta->creation_timestamp, tb = b->object.meta->creation_timestamp;
	int64_t ra = rollout_number(a, REVISION_ANNOTATION);
	int64_t rb = rollout_number(b, REVISION_ANNOTATION);

	if (ta != tb)
		return ta < tb ? -1 : 1;
	if (ra != rb)
		return ra < rb ? -1 : 1;
	return strcmp(a->object.meta->name, b->object.meta->name);
}

static void collect(struct rollout *r)
{
	struct object_list l = derived_below(r->p, KIND_REPLICASET, r->object->meta);

	for (uint32_t i = 0; i < l.n; i++) {
		if (owned_by(l.v[i].meta, r->object->meta->uid))
			*arena_push(r->p->a, &r->sets) =
				rset_new(r->p, &l.v[i], &l.v[i], r->spec->min_ready_seconds);
	}
	if (r->sets.n)
		qsort(r->sets.v, r->sets.n, sizeof(*r->sets.v), set_cmp);
	for (uint32_t i = 0; i < r->sets.n && !r->current; i++)
		if (rset_is_current(r, r->sets.v[i]))
			r->current = r->sets.v[i];
}

static int by_revision(const void *x, const void *y)
{
	int64_t a = rollout_number(*(struct rset *const *)x, REVISION_ANNOTATION);
	int64_t b = rollout_number(*(struct rset *const *)y, REVISION_ANNOTATION);

	return a < b ? -1 : a > b;
}

/* Of the old ReplicaSets without pods, the newest stay for undo. */
static void limit_history(struct rollout *r)
{
	struct rset_list idle = { 0 };
	uint32_t limit = (uint32_t)MAX(r->spec->revision_history_limit, 0);

	for (uint32_t i = 0; i < r->sets.n; i++) {
		struct rset *rs = r->sets.v[i];

		if (rs != r->current && !rs->replicas && !rs->members.n && !rs->stopping.n)
			*arena_push(r->p->a, &idle) = rs;
	}
	if (idle.n <= limit)
		return;
	qsort(idle.v, idle.n, sizeof(*idle.v), by_revision);
	for (uint32_t i = 0; i < idle.n - limit; i++)
		idle.v[i]->forgotten = true;
}

static void tell_scaling(struct rollout *r, const struct rset *rs)
{
	int32_t before = rs->stored ? rs->stored->replicaset->spec.replicas : 0;

	if (before == rs->replicas)
		return;
	pass_event(r->p, r->object, false, "ScalingReplicaSet",
		   arena_printf(r->p->a, "Scaled %s replica set %s from %d to %d",
				rs->replicas > before ? "up" : "down", rs->object.meta->name,
				before, rs->replicas));
}

static void settle(struct rollout *r)
{
	for (uint32_t i = 0; i < r->sets.n; i++) {
		struct rset *rs = r->sets.v[i];

		if (r->current && rs != r->current)
			rs->why = arena_printf(r->p->a, "replaced by %s",
					       r->current->object.meta->name);
		rset_settle(r->p, rs);
		tell_scaling(r, rs);
	}
	if (rollout_complete(r)) {
		if (!strmap_get(&r->current->object.meta->annotations, COMPLETE_ANNOTATION))
			annotate_time(r, r->current, COMPLETE_ANNOTATION, r->p->in->now);
		limit_history(r);
	}
	deployment_status_make(r);
	for (uint32_t i = 0; i < r->sets.n; i++)
		if (!r->sets.v[i]->forgotten)
			rset_put(r->p, r->sets.v[i]);
}

static void deployment_run(struct pass *p, const struct object *d)
{
	struct deployment_spec spec = d->deployment->spec;
	struct rollout r = { .p = p, .object = d, .spec = &spec };

	spec.replicas = scale_replicas(p, d);

	control_template_hash(p->in->set, d->meta->namespace, r.spec->template, r.hash);
	r.config = config_hash(p->in->set, d->meta->namespace, r.spec->template, p->a);
	rollout_bounds(&r);
	collect(&r);
	rollout_scale(&r);
	if (!r.spec->paused)
		rollout_step(&r);
	rollout_annotate(&r);
	settle(&r);
}

void deployments_run(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_DEPLOYMENT);

	for (uint32_t i = 0; i < l.n; i++)
		unit_run(p, &l.v[i], deployment_run);
}
