/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a plan shows besides edits. A rollout that is not complete is progress, as are resources
 * that a pod does not have yet. An action whose declared object neither changes nor rolls out is
 * drift: something died, vanished or was altered. Bookkeeping (ReplicaSet records) is never shown;
 * service maps only when nothing else is.
 */
#include "plan/drift.h"

#include "plan/impact.h"

static bool explains(const struct change *c, const struct object_key *key)
{
	return c->op != CHANGE_HELD && c->op != CHANGE_DRIFT && !c->guarded && !c->refused &&
	       !object_key_cmp(&c->key, key);
}

/* The first change of the walk that is not before key. */
static uint32_t walked_at(const struct planning *p, const struct object_key *key)
{
	uint32_t lo = 0, hi = p->walked;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (object_key_cmp(&p->plan->changes.v[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool explained(const struct planning *p, const struct object_key *key)
{
	const struct change *c = p->plan->changes.v;

	for (uint32_t i = walked_at(p, key); i < p->walked; i++) {
		if (object_key_cmp(&c[i].key, key))
			break;
		if (explains(&c[i], key))
			return true;
	}
	for (uint32_t i = p->walked; i < p->plan->changes.n; i++) {
		if (explains(&c[i], key))
			return true;
	}
	return false;
}

static bool config_changes(const struct planning *p, const char *ns)
{
	for (uint32_t i = 0; i < p->plan->changes.n; i++) {
		const struct object_key *k = &p->plan->changes.v[i].key;

		if ((k->kind->id == KIND_CONFIGMAP || k->kind->id == KIND_SECRET) &&
		    streq(k->namespace, ns))
			return true;
	}
	return false;
}

/* A change about a declared object, or about what no file declares any more. */
static struct change *add(struct planning *p, enum change_op op, const struct object_key *key)
{
	const struct object *o = set_find(p->in->candidate, key->kind->id, key->namespace,
					  key->name);
	const char *stack = o ? o->stack : NULL;
	struct change *c;

	if (p->in->stack && !streq(p->in->stack, stack ? stack : ""))
		return NULL;
	c = arena_push(p->a, &p->plan->changes);
	*c = (struct change){ .op = op, .key = *key, .stack = stack };
	if (o) {
		c->file = o->file;
		c->line = o->line;
		c->col = o->col;
	}
	return c;
}

static const char *progress_reason(const struct deployment_status *s)
{
	for (uint32_t i = 0; i < s->conditions.n; i++)
		if (streq(s->conditions.v[i].type, "Progressing"))
			return s->conditions.v[i].reason;
	return "";
}

static const char *progress_text(struct arena *a, const struct deployment_status *s,
				 int32_t replicas)
{
	const char *reason = progress_reason(s);
	const char *pause = streq(reason, "DeploymentPaused") ? "paused: " : "";

	if (streq(reason, "ProgressDeadlineExceeded"))
		return arena_printf(a,
				    "rollout failed: exceeded its progress deadline, %d of %d pods "
				    "updated, %d available", s->updated_replicas, replicas,
				    s->available_replicas);
	if (s->updated_replicas < replicas)
		return arena_printf(a, "%s%d of %d pods updated", pause, s->updated_replicas,
				    replicas);
	if (s->replicas > s->updated_replicas)
		return arena_printf(a, "%s%d old pods to go", pause,
				    s->replicas - s->updated_replicas);
	if (s->available_replicas < s->updated_replicas && !*pause)
		return arena_printf(a, "%d of %d updated pods available", s->available_replicas,
				    s->updated_replicas);
	return NULL;
}

static void resize(struct planning *p, const struct object *pod, const char *text)
{
	struct object_key key = object_key(pod);
	struct change *c = explained(p, &key) ? NULL : add(p, CHANGE_PROGRESS, &key);

	if (c)
		c->effect = text;
}

/* Resources that pods were asked to have and do not have yet. */
static void resizes(struct planning *p)
{
	const struct wanted *w = p->in->wanted;

	for (uint32_t i = 0; i < w->pods.n; i++)
		if (w->pods.v[i].resize_waits)
			resize(p, &w->pods.v[i].object,
			       arena_printf(p->a, "resize %s", w->pods.v[i].resize_waits));
	for (uint32_t i = 0; i < p->in->observed->npods; i++) {
		const struct observed_pod *o = &p->in->observed->pods[i];

		if (o->resize && o->resize->error && !o->resize->done_at && !o->stopped_at)
			resize(p, o->object, arena_printf(p->a, "resize in progress: %s",
							  o->resize->error));
	}
}

void plan_progress(struct planning *p)
{
	const struct wanted *w = p->in->wanted;

	for (uint32_t i = 0; i < w->statuses.n; i++) {
		const struct wanted_status *s = &w->statuses.v[i];
		const struct object *o;
		struct change *c;
		const char *text;

		if (s->key.kind->id != KIND_DEPLOYMENT ||
		    streq(progress_reason(s->status), "NewReplicaSetAvailable") ||
		    explained(p, &s->key))
			continue;
		o = set_find(p->in->candidate, KIND_DEPLOYMENT, s->key.namespace, s->key.name);
		text = o ? progress_text(p->a, s->status, o->deployment->spec.replicas) : NULL;
		c = text ? add(p, CHANGE_PROGRESS, &s->key) : NULL;
		if (c)
			c->effect = text;
	}
	resizes(p);
}

struct tally {
	struct object_key key;
	unsigned n[ACTION_COUNT];
	unsigned starts;		/* of containers, those of new pods included */
	bool made;			/* why is that of a new pod */
	bool drift;			/* more than the end of pods that were told to stop */
	const char *why;
};
struct tally_list { struct tally *v; uint32_t n; };

static const struct object *pod_of(const struct planning *p, const struct action *a)
{
	const struct observed_pod *runs;

	if (a->pod)
		return &a->pod->object;
	runs = observed_find(p->in->observed, a->namespace, a->name);
	return runs ? runs->object : NULL;
}

/* The end of a pod that was stopped before. */
static bool told(const struct planning *p, const struct action *a)
{
	const struct observed_pod *runs = observed_find(p->in->observed, a->namespace, a->name);

	return runs && runs->stopped_at;
}

static bool shown(const struct planning *p, const struct action *a)
{
	switch (a->kind) {
	case ACTION_OBJECT_PUT:
	case ACTION_OBJECT_FORGET:
	case ACTION_SERVICES:
		return false;
	case ACTION_VOLUMES_UPDATE:
		return !config_changes(p, a->namespace);
	default:
		return true;
	}
}

static struct tally *tally_of(struct planning *p, struct tally_list *l,
			      const struct object_key *key)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!object_key_cmp(&l->v[i].key, key))
			return &l->v[i];
	struct tally *t = arena_push(p->a, l);
	t->key = *key;
	return t;
}

static const char *tally_text(struct arena *a, const struct tally *t)
{
	static const struct { enum action_kind kind; const char *verb, *noun; } words[] = {
		{ ACTION_POD_CREATE, "create", "pod" },
		{ ACTION_POD_UPDATE, "update", "pod" },
		{ ACTION_POD_RESIZE, "resize", "pod" },
		{ ACTION_VOLUMES_UPDATE, "update volumes of", "pod" },
		{ ACTION_CONTAINER_START, "start", "container" },
		{ ACTION_CONTAINER_KILL, "kill", "container" },
		{ ACTION_POD_STOP, "stop", "pod" },
		{ ACTION_POD_REMOVE, "remove", "pod" },
	};
	const char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		unsigned n = t->n[words[i].kind];

		if (n)
			text = impact_join(a, text, arena_printf(a, "%s %u %s%s", words[i].verb, n,
								 words[i].noun, n == 1 ? "" : "s"));
	}
	return text;
}

/* The service that the reason begins with, "NS/SERVICE:..."; else the first one there is. */
static bool service_key(const struct planning *p, const char *why, struct object_key *ret)
{
	const char *slash = strchr(why, '/'), *colon = slash ? strchr(slash, ':') : NULL;
	const struct object_list all = set_kind(p->in->candidate, KIND_SERVICE);

	if (!colon) {
		if (all.n)
			*ret = object_key(&all.v[0]);
		return all.n > 0;
	}
	ret->kind = &kinds[KIND_SERVICE];
	ret->namespace = arena_strndup(p->a, why, (size_t)(slash - why));
	ret->name = arena_strndup(p->a, slash + 1, (size_t)(colon - slash - 1));
	return true;
}

static void services_drift(struct planning *p, const struct action *a)
{
	struct object_key key;
	struct change *c;

	if (p->plan->changes.n || !service_key(p, a->why, &key))
		return;
	c = add(p, CHANGE_DRIFT, &key);
	if (!c)
		return;
	c->effect = "program services";
	c->why = a->why;
}

static void count(struct planning *p, struct tally_list *l, const struct action *a)
{
	const struct object *pod = pod_of(p, a);
	struct object_key key;
	struct tally *t;

	if (!shown(p, a) || !pod)
		return;
	key = impact_owner(p->in, pod);
	if (explained(p, &key))
		return;
	t = tally_of(p, l, &key);
	t->starts += a->kind == ACTION_CONTAINER_START;
	if (!a->fresh || a->kind == ACTION_POD_CREATE)
		t->n[a->kind]++;
	if (!t->why || t->made)		/* what goes says more than what comes in its place */
		t->why = a->why;
	t->made = a->fresh;
	t->drift |= a->kind != ACTION_POD_REMOVE || !told(p, a);
}

void plan_drift(struct planning *p)
{
	const struct action_list *actions = &p->plan->actions;
	struct tally_list l = { 0 };

	for (uint32_t i = 0; i < actions->n; i++)
		count(p, &l, &actions->v[i]);
	for (uint32_t i = 0; i < l.n; i++) {
		enum change_op op = l.v[i].drift ? CHANGE_DRIFT : CHANGE_PROGRESS;
		struct change *c = add(p, op, &l.v[i].key);

		if (!c)
			continue;
		c->effect = tally_text(p->a, &l.v[i]);
		c->why = l.v[i].why;
		c->restarts = l.v[i].starts;
	}
	for (uint32_t i = 0; i < actions->n; i++)
		if (actions->v[i].kind == ACTION_SERVICES)
			services_drift(p, &actions->v[i]);
}
