/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Effects. A field's row says what its change does (LIVE, RESTART, ROLLOUT, IMMUTABLE); here this
 * becomes a sentence about the pods that run now. Content of ConfigMaps and Secrets counts as part
 * of the template of whoever takes it into its environment.
 */
#include "plan/impact.h"

#define CONFIG_CHANGE_ANNOTATION "orch/config-change"

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

const char *impact_join(struct arena *a, const char *x, const char *y)
{
	return x ? arena_printf(a, "%s, %s", x, y) : y;
}

/* A template that no pod which runs is replaced for. */
static bool for_new_pods_only(const struct object *o)
{
	return o->kind->id == KIND_REPLICASET || o->kind->id == KIND_REPLICATIONCONTROLLER;
}

const struct pod_spec *impact_pod_spec(const struct object *o)
{
	const struct pod_template *t;

	if (o->kind->id == KIND_POD)
		return &o->pod->spec;
	t = kind_rolls(o->kind) || for_new_pods_only(o) ? object_template(o) : NULL;
	return t ? &t->spec : NULL;
}

static const struct strmap *pod_annotations(const struct object *o)
{
	const struct pod_template *t = kind_rolls(o->kind) ? object_template(o) : NULL;

	return t ? &t->metadata.annotations : &o->meta->annotations;
}

static const struct owner_reference *controller(const struct object *o)
{
	for (uint32_t i = 0; i < o->meta->owner_references.n; i++)
		if (o->meta->owner_references.v[i].controller)
			return &o->meta->owner_references.v[i];
	return NULL;
}

static const struct object *find_derived(const struct object_list *l, const char *ns,
					    const struct owner_reference *r)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct meta *m = l->v[i].meta;

		if (streq(m->name, r->name) && streq(m->namespace, ns) && m->uid && r->uid &&
		    streq(m->uid, r->uid))
			return &l->v[i];
	}
	return NULL;
}

struct object_key impact_owner(const struct plan_in *in, const struct object *o)
{
	const struct owner_reference *r = controller(o);
	const struct kind *kind = r ? kind_find(r->api_version, r->kind) : NULL;
	const struct object *owner;

	if (!kind)
		return object_key(o);
	owner = find_derived(&in->wanted->derived, o->meta->namespace, r);
	if (!owner)
		owner = find_derived(&in->observed->derived, o->meta->namespace, r);
	if (owner)
		return impact_owner(in, owner);
	return (struct object_key){ kind, o->meta->namespace, r->name };
}

static bool runs(const struct observed_pod *p)
{
	return (p->stage == POD_STARTING || p->stage == POD_UP) && !p->stopped_at;
}

unsigned impact_pods(const struct plan_in *in, const struct object_key *key)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < in->observed->npods; i++) {
		const struct observed_pod *p = &in->observed->pods[i];
		struct object_key owner = impact_owner(in, p->object);

		n += runs(p) && !object_key_cmp(&owner, key);
	}
	return n;
}

static int32_t replicas(const struct object *o)
{
	switch (o->kind->id) {
	case KIND_DEPLOYMENT:
		return o->deployment->spec.replicas;
	case KIND_REPLICASET:
		return o->replicaset->spec.replicas;
	case KIND_REPLICATIONCONTROLLER:
		return o->replication_controller->spec.replicas;
	case KIND_STATEFULSET:
		return o->statefulset->spec.replicas;
	default:
		return 1;
	}
}

struct impact impact_create(struct arena *a, const struct object *o)
{
	struct impact i = { .effect = "create" };

	if (o->kind->use == KIND_KEPT)
		i.effect = "create; kept, not acted on";
	if (impact_pod_spec(o) && o->kind->id != KIND_POD)
		i.effect = arena_printf(a, "create with %d pod%s", replicas(o),
					plural((unsigned)replicas(o)));
	return i;
}

struct impact impact_delete(struct arena *a, const struct plan_in *in, const struct object *o)
{
	struct object_key key = object_key(o);
	unsigned n = impact_pod_spec(o) && o->kind->id != KIND_POD ? impact_pods(in, &key) : 0;
	struct impact i = { .effect = "delete" };

	if (n)
		i.effect = arena_printf(a, "delete, stop %u pod%s", n, plural(n));
	return i;
}

static bool replaces_pods(const struct object *o, const struct diff *d)
{
	const char *below = o->kind->id == KIND_POD ? "spec" : "spec.template";

	if (for_new_pods_only(o) || !impact_pod_spec(o))
		return false;
	for (uint32_t i = 0; i < d->n; i++)
		if (!strncmp(d->v[i].path, below, strlen(below)))
			return true;
	return false;
}

/* Why no pod is replaced although the template says so; NULL: pods are replaced. */
static const char *excuse(const struct object *o)
{
	static const char by_hand[] = "a pod is replaced when somebody deletes it";

	if (o->kind->id == KIND_DEPLOYMENT && o->deployment->spec.paused)
		return "no pod is replaced while the rollout is paused";
	if (o->kind->id == KIND_STATEFULSET &&
	    o->statefulset->spec.update_strategy.type == UPDATE_ON_DELETE)
		return by_hand;
	if (o->kind->id == KIND_DAEMONSET &&
	    o->daemonset->spec.update_strategy.type == UPDATE_ON_DELETE)
		return by_hand;
	return NULL;
}

/* Of n pods of o, those that a new template reaches. */
static unsigned reached(const struct object *o, unsigned n)
{
	const struct statefulset_rolling_update *r = o->kind->id != KIND_STATEFULSET ? NULL :
		o->statefulset->spec.update_strategy.rolling_update;
	unsigned kept = r ? (unsigned)MAX(r->partition, 0) : 0;

	return n > kept ? n - kept : 0;
}

static const char *replacement(struct arena *a, const struct object *o, unsigned n, unsigned all)
{
	bool recreate = o->kind->id == KIND_DEPLOYMENT &&
			o->deployment->spec.strategy.type == STRATEGY_RECREATE;
	int32_t wanted = replicas(o);

	if (o->kind->id == KIND_POD)
		return "recreate the pod";
	if (excuse(o))
		return excuse(o);
	if (!all)
		return wanted ? arena_printf(a, "create %d pod%s", wanted, plural((unsigned)wanted)) : NULL;
	return arena_printf(a, "%s %u pod%s", recreate ? "recreate" : "rolling replace of", n, plural(n));
}

/* The pods of o are replaced. */
static void replace(struct arena *a, const struct plan_in *in, const struct object *o,
		    struct impact *i)
{
	struct object_key key = object_key(o);
	unsigned all = MIN(impact_pods(in, &key), (unsigned)replicas(o)), n = reached(o, all);
	const char *text = replacement(a, o, n, all);

	if (text)
		i->effect = impact_join(a, i->effect, text);
	i->restarts += excuse(o) ? 0 : n * impact_pod_spec(o)->containers.n;
}

static bool mounts(struct arena *a, const struct pod_spec *s, const struct object *o)
{
	for (uint32_t i = 0; i < s->volumes.n; i++) {
		struct config_parts l;

		volume_config_parts(a, &s->volumes.v[i], &l);
		for (uint32_t k = 0; k < l.n; k++)
			if (l.v[k].kind == o->kind->id && streq(l.v[k].name, o->meta->name))
				return true;
	}
	return false;
}

static const char *in_volumes(struct arena *a, const struct plan_in *in, const struct object *o)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < in->observed->npods; i++) {
		const struct observed_pod *p = &in->observed->pods[i];

		n += runs(p) && streq(p->object->meta->namespace, o->meta->namespace) &&
		     mounts(a, &p->object->pod->spec, o);
	}
	return n ? arena_printf(a, "update in place, in volumes of %u pod%s", n, plural(n)) :
		   "update in place";
}

static const char *in_place(struct arena *a, const struct plan_in *in, const struct object *o,
			    const struct diff *d)
{
	if (o->kind->id == KIND_CONFIGMAP || o->kind->id == KIND_SECRET)
		return in_volumes(a, in, o);
	if (o->kind->use == KIND_KEPT)
		return "update in place; kept, not acted on";
	if (for_new_pods_only(o))
		for (uint32_t i = 0; i < d->n; i++)
			if (!strncmp(d->v[i].path, "spec.template", 13))
				return "update in place, for new pods only";
	return "update in place";
}

/* The entry that matters most: what replaces pods, else the first. */
static const struct diff_entry *main_entry(const struct diff *d)
{
	const struct diff_entry *best = NULL;

	for (uint32_t i = 0; i < d->n; i++)
		if (!best || d->v[i].effect > best->effect)
			best = &d->v[i];
	return best;
}

static const char *why_changed(struct arena *a, const struct object *was, const struct object *is,
			       const struct diff *d)
{
	const struct diff_entry *e = main_entry(d);

	if (is->held && !was->held)
		return is->hold_revision ?
			arena_printf(a, "rollout undo to revision %u",
				     is->hold_revision) : "rollout undo";
	if (was->held && !is->held)
		return "its hold ended";
	if (!e)
		return NULL;
	if (strstr(e->path, "kubectl.kubernetes.io/restartedAt"))
		return "rollout restart";
	return arena_printf(a, "%s %s", e->path,
			    !e->old ? "added" : !e->new ? "removed" : "changed");
}

/* What becomes of a pod that runs; NULL: it runs not, or not on. */
static const struct wanted_pod *runs_on(const struct plan_in *in, const struct object *o)
{
	if (o->kind->id != KIND_POD ||
	    !observed_find(in->observed, o->meta->namespace, o->meta->name))
		return NULL;
	for (uint32_t i = 0; i < in->wanted->pods.n; i++) {
		const struct wanted_pod *w = &in->wanted->pods.v[i];

		if (!object_cmp(&w->object, o))
			return w->stop ? NULL : w;
	}
	return NULL;
}

static void resize(struct arena *a, const struct wanted_pod *w, struct impact *i)
{
	const char *text = "update in place";

	if (w->resize_restarts)
		text = arena_printf(a, "%s, restart %u container%s", text, w->resize_restarts,
				    plural(w->resize_restarts));
	if (w->resize_waits)
		text = arena_printf(a, "%s, %s", text, w->resize_waits);
	i->effect = text;
	i->restarts = w->resize_restarts;
}

struct impact impact_update(struct arena *a, const struct plan_in *in, const struct object *was,
			    const struct object *is, const struct diff *d)
{
	struct impact i = { .why = why_changed(a, was, is, d) };
	const char *config = impact_config(a, in, is);
	const struct wanted_pod *on = runs_on(in, is);

	if (config)
		i.why = impact_join(a, i.why, config);
	if (impact_pod_spec(is) && replicas(was) != replicas(is))
		i.effect = arena_printf(a, "scale %d -> %d", replicas(was), replicas(is));
	if (on && replaces_pods(is, d))
		resize(a, on, &i);
	else if (config || replaces_pods(is, d))
		replace(a, in, is, &i);
	if (!i.effect)
		i.effect = in_place(a, in, is, d);
	return i;
}

struct impact impact_of_config(struct arena *a, const struct plan_in *in, const struct object *o,
			       const char *why)
{
	struct impact i = { .why = why };

	replace(a, in, o, &i);
	if (!i.effect)
		i.effect = "update in place";
	return i;
}

/* name is "ConfigMap/x" */
static bool differs(const struct plan_in *in, const char *ns, const char *name)
{
	enum kind_id kind = strncmp(name, "Secret/", 7) ? KIND_CONFIGMAP : KIND_SECRET;
	const char *n = strchr(name, '/') + 1;
	const struct object *was = set_find(in->applied, kind, ns, n);
	const struct object *is = set_find(in->candidate, kind, ns, n);

	if (!was || !is)
		return was != is;
	return !schema_equal(was->kind->type, was->body, is->body);
}

static const char *name_differences(struct arena *a, const struct plan_in *in, const char *ns,
				    const struct strs *names)
{
	const char *text = NULL;

	for (uint32_t i = 0; i < names->n; i++) {
		const char *slash = strchr(names->v[i], '/');

		if (slash && differs(in, ns, names->v[i]))
			text = impact_join(a, text,
					   arena_printf(a, "%.*s %s changed",
							(int)(slash - names->v[i]),
							names->v[i], slash + 1));
	}
	return text;
}

const char *impact_config(struct arena *a, const struct plan_in *in, const struct object *o)
{
	const struct pod_spec *s = impact_pod_spec(o);
	const char *ns = o->meta->namespace, *how;
	struct strs names = { 0 };

	if (!s || !in->applied || for_new_pods_only(o))
		return NULL;
	how = strmap_get(pod_annotations(o), CONFIG_CHANGE_ANNOTATION);
	if (how && streq(how, "live"))
		return NULL;
	if (set_config_hash(in->applied, ns, s, false, a, NULL) ==
	    set_config_hash(in->candidate, ns, s, false, a, &names))
		return NULL;
	return name_differences(a, in, ns, &names);
}
