/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes: one walk over the applied and the candidate set, both sorted. Held objects show what
 * their hold suppresses; what the walk does not explain, rollouts under way and drift, is added by
 * drift.c. Deletions come last.
 */
#include "plan/drift.h"
#include "plan/impact.h"

static struct change *add(struct planning *p, enum change_op op, const struct object *o,
			  struct impact i)
{
	struct change *c;

	if (p->in->stack && !streq(p->in->stack, o->stack ? o->stack : ""))
		return NULL;
	c = arena_push(p->a, &p->plan->changes);
	*c = (struct change){
		.op = op, .key = object_key(o), .stack = o->stack, .file = o->file,
		.line = o->line, .col = o->col, .effect = i.effect, .why = i.why,
		.restarts = i.restarts,
	};
	return c;
}

/* Who scales an object owns the number; what its manifest says is where that began. */
static bool scaled(struct planning *p, const struct object *o, const struct diff_entry *e)
{
	struct object_list l = set_kind(p->in->candidate, KIND_HPA);

	for (uint32_t i = 0; streq(e->path, "spec.replicas") && i < l.n; i++) {
		const struct cross_version_object_reference *r = l.v[i].hpa->spec.scale_target_ref;

		if (r && streq(r->kind, o->kind->name) && streq(r->name, o->meta->name) &&
		    streq(l.v[i].meta->namespace, o->meta->namespace))
			return true;
	}
	return false;
}

/* What the daemon itself filled in, and a file that leaves it out does not take away. */
static bool allocated(const struct object *o, const struct diff_entry *e)
{
	size_t n = strlen(e->path);

	if (o->kind->id != KIND_SERVICE || e->new)
		return false;
	return streq(e->path, "spec.clusterIP") || (n > 9 && streq(e->path + n - 9, ".nodePort"));
}

static struct diff difference(struct planning *p, const struct object *was, const struct object *is)
{
	struct diff all = { 0 }, d = { 0 };

	if (was->body == is->body)	/* of a file that was not read again */
		return d;
	schema_diff(p->a, is->kind->type, was->body, is->body, "", &all);
	for (uint32_t i = 0; i < all.n; i++)
		if (!allocated(is, &all.v[i]) && !scaled(p, is, &all.v[i]))
			*arena_push(p->a, &d) = all.v[i];
	return d;
}

/* The path of a change that is not allowed; NULL: there is none. */
static const char *refused(struct arena *a, const struct object *was, const struct object *is,
			   const struct diff *d)
{
	for (uint32_t i = 0; i < d->n; i++) {
		if (object_frozen(a, was, is, &d->v[i]))
			return d->v[i].path;
	}
	return NULL;
}

static void refuse(struct planning *p, const struct object *o, const char *path, struct diff d)
{
	struct impact i = {
		.effect = "refused",
		.why = arena_printf(p->a, "%s: field is immutable", path),
	};
	struct change *c = add(p, CHANGE_UPDATE, o, i);

	if (!c)
		return;
	c->refused = true;
	c->diff = d;
}

/* Most objects use nothing that changed: their configuration need not be compared. */
static bool uses_changed(struct planning *p, const struct object *o)
{
	const struct pod_spec *s = p->configs.n ? impact_pod_spec(o) : NULL;

	return s && config_used(p->a, s, o->meta->namespace, &p->configs);
}

static void updated(struct planning *p, const struct object *was, const struct object *is)
{
	struct diff d = difference(p, was, is);
	const char *path = refused(p->a, was, is, &d);
	struct change *c;

	if (path) {
		refuse(p, is, path, d);
	} else if (d.n) {
		c = add(p, CHANGE_UPDATE, is, impact_update(p->a, p->in, was, is, &d));
		if (c)
			c->diff = d;
	} else {
		const char *why = uses_changed(p, is) ? impact_config(p->a, p->in, is) : NULL;

		if (why)
			add(p, CHANGE_UPDATE, is, impact_of_config(p->a, p->in, is, why));
	}
}

static const struct object *declared(const struct set *s, const struct object *o)
{
	for (uint32_t i = 0; i < s->declared.n; i++)
		if (!object_cmp(&s->declared.v[i], o))
			return &s->declared.v[i];
	return NULL;
}

/* Restarts are no edit that a hold could suppress. */
static struct diff suppressed(struct planning *p, const struct object *held,
			      const struct object *file)
{
	struct diff all = difference(p, held, file), d = { 0 };

	for (uint32_t i = 0; i < all.n; i++)
		if (!strstr(all.v[i].path, "kubectl.kubernetes.io/restartedAt"))
			*arena_push(p->a, &d) = all.v[i];
	return d;
}

static void held(struct planning *p, const struct object *o)
{
	const struct object *file = declared(p->in->candidate, o);
	struct diff d = { 0 };
	struct change *c;
	const char *at, *why = o->rolled_back ? ", since its rollout failed" : "";

	if (!o->held || !file)
		return;
	d = suppressed(p, o, file);
	if (!d.n)
		return;
	at = o->hold_revision ? arena_printf(p->a, " at revision %u", o->hold_revision) : "";
	c = add(p, CHANGE_HELD, o, (struct impact){
		.effect = arena_printf(p->a, "held%s%s; %s says otherwise: %u change%s suppressed",
				       at, why,
				       o->file ?
					       o->file : "its manifest", d.n, d.n == 1 ? "" : "s"),
	});
	if (c)
		c->diff = d;
}

static bool listed(const struct object_list *l, const struct object *o)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!object_cmp(&l->v[i], o))
			return true;
	return false;
}

static void deleted(struct planning *p, const struct object *o)
{
	struct change *c = add(p, CHANGE_DELETE, o, impact_delete(p->a, p->in, o));

	if (!c || !listed(&p->keep, o))
		return;
	c->guarded = true;
	c->why = "waits for apply --allow-delete";
}

static void walk(struct planning *p)
{
	static const struct object_list none;
	const struct object_list *was = p->in->applied ? &p->in->applied->objects : &none;
	const struct object_list *is = &p->in->candidate->objects;
	uint32_t i = 0, k = 0;

	while (i < was->n || k < is->n) {
		const struct object *x = i < was->n ? &was->v[i] : NULL;
		const struct object *y = k < is->n ? &is->v[k] : NULL;
		int c = !x ? 1 : !y ? -1 : object_cmp(x, y);

		if (c > 0)
			add(p, CHANGE_CREATE, y, impact_create(p->a, y));
		else if (c < 0)
			deleted(p, x);
		else
			updated(p, x, y);
		if (c >= 0)
			held(p, y);
		i += c <= 0;
		k += c >= 0;
	}
	p->walked = p->plan->changes.n;
}

static void find_configs(struct planning *p, enum kind_id kind)
{
	struct object_list was = set_kind(p->in->applied, kind);
	struct object_list is = set_kind(p->in->candidate, kind);
	uint32_t i = 0, k = 0;

	while (i < was.n || k < is.n) {
		int c = i == was.n ? 1 : k == is.n ? -1 : object_cmp(&was.v[i], &is.v[k]);

		if (c || was.v[i].body != is.v[k].body)
			*arena_push(p->a, &p->configs) = c < 0 ? was.v[i] : is.v[k];
		i += c <= 0;
		k += c >= 0;
	}
}

static int change_cmp(const void *x, const void *y)
{
	const struct change *a = x, *b = y;
	int da = a->op == CHANGE_DELETE, db = b->op == CHANGE_DELETE;
	int c = da != db ? da - db : object_key_cmp(&a->key, &b->key);

	return c ? c : (int)a->op - (int)b->op;
}

static void count(struct plan *p)
{
	for (uint32_t i = 0; i < p->changes.n; i++) {
		const struct change *c = &p->changes.v[i];

		p->creates += c->op == CHANGE_CREATE;
		p->updates += c->op == CHANGE_UPDATE && !c->refused;
		p->deletes += c->op == CHANGE_DELETE && !c->guarded;
		p->held += c->op == CHANGE_HELD;
		p->guarded += c->guarded;
		p->refused += c->refused;
		p->restarts += c->restarts;
	}
}

void plan_make(struct arena *a, const struct plan_in *in, struct plan *ret)
{
	struct planning p = { .a = a, .in = in, .plan = ret };

	*ret = (struct plan){ .msgs = &in->candidate->msgs };
	plan_actions(a, in->observed, in->wanted, &ret->actions);
	plan_guard(a, in->applied, in->candidate, in->allow_delete, &p.keep, &ret->guard);
	if (in->applied) {
		find_configs(&p, KIND_CONFIGMAP);
		find_configs(&p, KIND_SECRET);
	}
	walk(&p);
	plan_progress(&p);
	plan_drift(&p);
	if (ret->changes.n)
		qsort(ret->changes.v, ret->changes.n, sizeof(*ret->changes.v), change_cmp);
	count(ret);
}

bool plan_empty(const struct plan *p)
{
	/* what a hold suppresses is told, but nothing is to be done about it */
	return p->changes.n == p->held && !p->actions.n;
}
