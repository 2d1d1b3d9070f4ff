/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Actions: one walk over what runs and what is wanted, both sorted. Each kind of action collects
 * in a list of its own, and the lists are joined in the order of actions.def, so that the order of
 * a pass is the order of that file.
 */
#include "base/macro.h"
#include "plan/plan.h"

struct walk {
	struct arena *a;
	struct action_list kinds[ACTION_COUNT];
};

const char *action_words(enum action_kind k)
{
	static const char *const words[] = {
#define ACTION(name, w, inverse, doc) [ACTION_##name] = w,
#include "plan/actions.def"
#undef ACTION
	};

	return words[k];
}

static struct action *add(struct walk *w, enum action_kind kind, const struct object *o,
			  const char *why)
{
	struct action *a = arena_push(w->a, &w->kinds[kind]);

	a->kind = kind;
	a->namespace = o && o->meta->namespace ? o->meta->namespace : "";
	a->name = o ? o->meta->name : "";
	a->why = why;
	return a;
}

static struct action *add_pod(struct walk *w, enum action_kind kind, const struct wanted_pod *p,
			      const char *why)
{
	struct action *a = add(w, kind, &p->object, why);

	a->pod = p;
	return a;
}

static void add_container(struct walk *w, enum action_kind kind, const struct wanted_pod *p,
			  const struct wanted_container *c)
{
	struct action *a = add(w, kind, &p->object, c->why);

	a->pod = p;
	a->container = c->name;
	a->run = c;
}

static const struct observed_container *find_container(const struct observed_pod *p,
						       const char *name)
{
	for (uint32_t i = 0; i < p->ncontainers; i++)
		if (streq(p->containers[i].name, name))
			return &p->containers[i];
	return NULL;
}

static void walk_container(struct walk *w, const struct wanted_pod *p,
			   const struct wanted_container *c, const struct observed_container *runs)
{
	if (runs && runs->pending)
		return;
	if (runs && runs->phase == RUN_RUNNING) {
		if (c->kill)
			add_container(w, ACTION_CONTAINER_KILL, p, c);
	} else if (c->run) {
		add_container(w, ACTION_CONTAINER_START, p, c);
	}
}

static void pod_appears(struct walk *w, const struct wanted_pod *p)
{
	struct action_list *starts = &w->kinds[ACTION_CONTAINER_START];
	uint32_t first = starts->n;

	if (p->stop)
		return;
	add_pod(w, ACTION_POD_CREATE, p, p->why ? p->why : "new")->fresh = true;
	for (uint32_t i = 0; i < p->ncontainers; i++)
		walk_container(w, p, &p->containers[i], NULL);
	for (uint32_t i = first; i < starts->n; i++)
		starts->v[i].fresh = true;
}

static bool same_map(const struct strmap *x, const struct strmap *y)
{
	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (!streq(x->v[i].k, y->v[i].k) || !streq(x->v[i].v, y->v[i].v))
			return false;
	return true;
}

static bool same_metadata(const struct wanted_pod *p, const struct observed_pod *runs)
{
	const struct meta *now = runs->object->meta, *then = p->object.meta;

	return same_map(&now->labels, &then->labels) &&
	       same_map(&now->annotations, &then->annotations);
}

static void pod_goes(struct walk *w, const struct wanted_pod *p, const struct observed_pod *runs)
{
	static const enum action_kind next[] = {
		[POD_STARTING] = ACTION_POD_STOP, [POD_UP] = ACTION_POD_STOP,
		[POD_STOPPING] = ACTION_COUNT,
		[POD_DOWN] = ACTION_POD_REMOVE, [POD_BROKEN] = ACTION_POD_REMOVE,
	};

	if (next[runs->stage] == ACTION_COUNT)
		return;
	if (p && next[runs->stage] == ACTION_POD_STOP && !same_metadata(p, runs))
		add_pod(w, ACTION_POD_UPDATE, p, "labels or annotations changed");
	add(w, next[runs->stage], p ? &p->object : runs->object,
	    p && p->why ? p->why : "not wanted")->pod = p;
}

static void pod_stays(struct walk *w, const struct wanted_pod *p, const struct observed_pod *runs)
{
	if (runs->stage == POD_DOWN || runs->stage == POD_BROKEN)
		return;
	if (p->resize)		/* metadata as well */
		add_pod(w, ACTION_POD_RESIZE, p, p->resize);
	else if (!same_metadata(p, runs))
		add_pod(w, ACTION_POD_UPDATE, p, "labels or annotations changed");
	if (p->evict)
		add_pod(w, ACTION_POD_EVICT, p, p->evict);
	if (runs->config_digest != p->config_digest)
		add_pod(w, ACTION_VOLUMES_UPDATE, p, "a ConfigMap or Secret changed");
	for (uint32_t i = 0; i < p->ncontainers; i++)
		walk_container(w, p, &p->containers[i],
			       find_container(runs, p->containers[i].name));
}

static void walk_pods(struct walk *w, const struct observed *o, const struct wanted *want)
{
	uint32_t i = 0, k = 0;

	while (i < o->npods || k < want->pods.n) {
		const struct observed_pod *runs = i < o->npods ? &o->pods[i] : NULL;
		const struct wanted_pod *p = k < want->pods.n ? &want->pods.v[k] : NULL;

		if (p && p->settled == i + 1) {
			i++;
			k++;
			continue;
		}
		int c = !runs ? 1 : !p ? -1 : object_cmp(runs->object, &p->object);

		if (c < 0)
			pod_goes(w, NULL, runs);
		else if (c > 0)
			pod_appears(w, p);
		else if (p->stop)
			pod_goes(w, p, runs);
		else
			pod_stays(w, p, runs);
		i += c <= 0;
		k += c >= 0;
	}
}

static const char *replicaset_difference(struct arena *a, const struct object *is,
					 const struct object *want)
{
	const struct replicaset *x = is->replicaset, *y = want->replicaset;

	if (x->spec.replicas != y->spec.replicas)
		return arena_printf(a, "replicas %d -> %d", x->spec.replicas, y->spec.replicas);
	if (!schema_equal(&replicaset_spec_type, &x->spec, &y->spec))
		return "specification changed";
	if (!same_map(&x->metadata.labels, &y->metadata.labels) ||
	    !same_map(&x->metadata.annotations, &y->metadata.annotations))
		return "annotations changed";
	if (!x->metadata.uid || !y->metadata.uid || !streq(x->metadata.uid, y->metadata.uid))
		return "belongs to another owner";
	return NULL;
}

static const char *object_difference(struct arena *a, const struct object *is,
				     const struct object *want)
{
	if (is->kind->id == KIND_REPLICASET)
		return replicaset_difference(a, is, want);
	return schema_equal(is->kind->type, is->body, want->body) ? NULL : "changed";
}

static void walk_derived(struct walk *w, const struct object_list *is,
			 const struct object_list *want)
{
	uint32_t i = 0, k = 0;

	while (i < is->n || k < want->n) {
		const struct object *x = i < is->n ? &is->v[i] : NULL;
		const struct object *y = k < want->n ? &want->v[k] : NULL;
		int c = !x ? 1 : !y ? -1 : object_cmp(x, y);
		const char *why = c ? "new" : object_difference(w->a, x, y);

		if (c < 0)
			add(w, ACTION_OBJECT_FORGET, x, "not wanted")->object = x;
		else if (why)
			add(w, ACTION_OBJECT_PUT, y, why)->object = y;
		i += c <= 0;
		k += c >= 0;
	}
}

static const char *entry_difference(struct arena *a, const struct service_entry *x,
				    const struct service_entry *y)
{
	if (!x)
		return arena_printf(a, "%s appears", y->name);
	if (!y)
		return arena_printf(a, "%s goes", x->name);
	if (x->count != y->count)
		return arena_printf(a, "%s: %u -> %u endpoints", y->name, x->count, y->count);
	return arena_printf(a, "%s changes", y->name);
}

/* The first difference, in words; NULL: the maps hold what is wanted. */
static const char *services_difference(struct arena *a, const struct observed *o,
				       const struct wanted *want)
{
	uint32_t i = 0, k = 0;

	while (i < o->nservices || k < want->services.n) {
		const struct service_entry *x = i < o->nservices ? &o->services[i] : NULL;
		const struct service_entry *y = k < want->services.n ? &want->services.v[k] : NULL;
		int c = !x ? 1 : !y ? -1 : service_entry_cmp(x, y);

		if (c || !service_entry_same(x, y))
			return entry_difference(a, c > 0 ? NULL : x, c < 0 ? NULL : y);
		i++;
		k++;
	}
	return NULL;
}

static void walk_services(struct walk *w, const struct observed *o, const struct wanted *want)
{
	const char *why = o->services_known ? services_difference(w->a, o, want) :
					      "not written since orchd started";

	if (why)
		add(w, ACTION_SERVICES, NULL, why);
}

void plan_actions(struct arena *a, const struct observed *o, const struct wanted *want,
		  struct action_list *ret)
{
	struct walk w = { .a = a };

	*ret = (struct action_list){ 0 };
	walk_pods(&w, o, want);
	walk_derived(&w, &o->derived, &want->derived);
	walk_services(&w, o, want);
	for (int k = 0; k < ACTION_COUNT; k++)
		for (uint32_t i = 0; i < w.kinds[k].n; i++)
			*arena_push(a, ret) = w.kinds[k].v[i];
}
