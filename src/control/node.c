/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node (node.h). A Node manifest of its name declares labels, taints and whether it takes new
 * pods. Since when a NoExecute taint is there is recorded, as tolerations may last for a time only:
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
#include "control/node.h"

#include <string.h>

/* ---- labels ---- */

const char *node_label(struct pass *p, const char *key)
{
	const struct object *node = p->node.declared;
	const char *v = node ? strmap_get(&node->meta->labels, key) : NULL;

	if (!v && streq(key, "kubernetes.io/hostname"))
		return p->in->node_name;
	if (!v && streq(key, "kubernetes.io/os"))
		return "linux";
	if (!v && streq(key, "kubernetes.io/arch") && p->in->node_info)
		return p->in->node_info->architecture;
	return v;
}

static bool among(const struct strs *l, const char *s)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i], s))
			return true;
	return false;
}

static bool holds(const struct node_selector_requirement *r, const char *v)
{
	long long n = v ? strtoll(v, NULL, 10) : 0;
	long long limit = r->values.n ? strtoll(r->values.v[0], NULL, 10) : 0;

	switch (r->op) {
	case NODE_IN:
		return v && among(&r->values, v);
	case NODE_NOT_IN:
		return !v || !among(&r->values, v);
	case NODE_EXISTS:
		return v;
	case NODE_DOES_NOT_EXIST:
		return !v;
	case NODE_GT:
		return v && n > limit;
	case NODE_LT:
		return v && n < limit;
	default:
		return false;
	}
}

static bool term_holds(struct pass *p, const struct node_selector_term *t)
{
	bool ok = t->match_expressions.n || t->match_fields.n;

	for (uint32_t i = 0; ok && i < t->match_expressions.n; i++) {
		const struct node_selector_requirement *r = &t->match_expressions.v[i];

		ok = holds(r, node_label(p, r->key));
	}
	for (uint32_t i = 0; ok && i < t->match_fields.n; i++)
		ok = holds(&t->match_fields.v[i], p->in->node_name);
	return ok;
}

bool node_selected(struct pass *p, const struct node_selector *s)
{
	for (uint32_t i = 0; s && i < s->node_selector_terms.n; i++)
		if (term_holds(p, &s->node_selector_terms.v[i]))
			return true;
	return !s;
}

bool node_suits(struct pass *p, const struct pod_spec *s)
{
	const struct node_affinity *a = s->affinity ? s->affinity->node_affinity : NULL;

	for (uint32_t i = 0; i < s->node_selector.n; i++) {
		const char *v = node_label(p, s->node_selector.v[i].k);

		if (!v || !streq(v, s->node_selector.v[i].v))
			return false;
	}
	return !a || node_selected(p, a->required_during_scheduling_ignored_during_execution);
}

/* ---- taints ---- */

static bool same_taint(const struct taint *x, const struct taint *y)
{
	return x->effect == y->effect && streq(x->key, y->key) &&
	       streq(x->value ? x->value : "", y->value ? y->value : "");
}

static const struct object *record(struct pass *p)
{
	const struct object_list *l = &p->in->observed->derived;

	for (uint32_t i = 0; i < l->n && l->v[i].kind->id <= KIND_NODE; i++)
		if (l->v[i].kind->id == KIND_NODE && streq(l->v[i].meta->name, p->in->node_name))
			return &l->v[i];
	return NULL;
}

static int64_t added_before(const struct object *known, const struct taint *t)
{
	for (uint32_t i = 0; known && i < known->node->spec.taints.n; i++)
		if (same_taint(&known->node->spec.taints.v[i], t))
			return known->node->spec.taints.v[i].time_added;
	return 0;
}

static void put_record(struct pass *p, const struct taint_list *taints)
{
	struct object o = object_new(p->a, KIND_NODE, NULL, p->in->node_name);

	for (uint32_t i = 0; i < taints->n; i++) {
		struct taint *t = arena_push(p->a, &o.node->spec.taints);

		*t = taints->v[i];
		t->key = arena_strdup(p->a, t->key);
		t->value = arena_strdup(p->a, t->value);
		MARK(t, taint, effect);
		MARK(t, taint, key);
		MARK(t, taint, time_added);
		if (t->value)
			MARK(t, taint, value);
	}
	MARK(&o.node->spec, node_spec, taints);
	MARK(o.node, node_object, spec);
	*arena_push(p->a, &p->out->derived) = o;
}

void node_begin(struct pass *p)
{
	const struct object *o = set_find(p->in->set, KIND_NODE, "", p->in->node_name);
	const struct object *known = record(p);
	struct taint_list timed = { 0 };

	p->node.declared = o;
	for (uint32_t i = 0; o && i < o->node->spec.taints.n; i++) {
		struct taint *t = arena_push(p->a, &p->node.taints);

		*t = o->node->spec.taints.v[i];
		if (t->effect != TAINT_NO_EXECUTE)
			continue;
		if (!t->time_added)
			t->time_added = added_before(known, t);
		if (!t->time_added)
			t->time_added = whole_seconds(p->in->now);
		*arena_push(p->a, &timed) = *t;
	}
	if (o && o->node->spec.unschedulable)
		*arena_push(p->a, &p->node.taints) = (struct taint){
			.key = UNSCHEDULABLE_TAINT, .effect = TAINT_NO_SCHEDULE,
		};
	node_pressure_taints(p);
	if (timed.n)
		put_record(p, &timed);
}

static bool value_tolerated(const struct toleration *t, const char *value)
{
	const char *mine = t->value ? t->value : "";

	switch (t->op) {
	case TOLERATION_EXISTS:
		return true;
	case TOLERATION_LT:
		return *value && strtoll(value, NULL, 10) < strtoll(mine, NULL, 10);
	case TOLERATION_GT:
		return *value && strtoll(value, NULL, 10) > strtoll(mine, NULL, 10);
	default:
		return streq(mine, value);
	}
}

static bool tolerates(const struct toleration *t, const struct taint *taint)
{
	if (t->effect && t->effect != taint->effect)
		return false;
	if (t->key && *t->key && !streq(t->key, taint->key))
		return false;
	return value_tolerated(t, taint->value ? taint->value : "");
}

static const struct toleration *toleration_of(const struct pod_spec *s, const struct taint *taint)
{
	for (uint32_t i = 0; i < s->tolerations.n; i++)
		if (tolerates(&s->tolerations.v[i], taint))
			return &s->tolerations.v[i];
	return NULL;
}

const struct taint *node_repels(struct pass *p, const struct pod_spec *s, bool no_schedule)
{
	for (uint32_t i = 0; i < p->node.taints.n; i++) {
		const struct taint *t = &p->node.taints.v[i];
		bool counts = t->effect == TAINT_NO_EXECUTE ||
			      (no_schedule && t->effect == TAINT_NO_SCHEDULE);

		if (!counts || toleration_of(s, t))
			continue;
		if (streq(t->key, MEMORY_PRESSURE_TAINT) && !streq(pod_qos(s), "BestEffort"))
			continue;	/* theirs by right */
		return t;
	}
	return NULL;
}

/* Of several tolerations of one taint the shortest counts; -1: none has an end. */
static int64_t shortest(const struct pod_spec *s, const struct taint *taint)
{
	int64_t seconds = -1;

	for (uint32_t i = 0; i < s->tolerations.n; i++) {
		const struct toleration *t = &s->tolerations.v[i];

		if (!tolerates(t, taint) || !HAS(t, toleration, toleration_seconds))
			continue;
		int64_t own = MAX(t->toleration_seconds, (int64_t)0);
		seconds = seconds < 0 ? own : MIN(seconds, own);
	}
	return seconds;
}

int64_t node_evicts_at(struct pass *p, const struct pod_spec *s, int64_t since)
{
	int64_t at = 0;

	for (uint32_t i = 0; i < p->node.taints.n; i++) {
		const struct taint *t = &p->node.taints.v[i];
		int64_t from = MAX(t->time_added, since), seconds = 0;

		if (t->effect != TAINT_NO_EXECUTE)
			continue;
		if (toleration_of(s, t) && (seconds = shortest(s, t)) < 0)
			continue;
		int64_t end = from + MIN(seconds, (int64_t)INT32_MAX) * NSEC;
		at = at ? MIN(at, end) : end;
	}
	return at;
}

/* ---- what is shown ---- */

static void add_label(struct pass *p, struct meta *m, const char *key)
{
	const char *v = node_label(p, key);

	if (v && !strmap_get(&m->labels, key))
		strmap_set(p->a, &m->labels, key, v);
}

static void add_address(struct pass *p, struct node_status *s, const char *type, const char *address)
{
	struct node_address *a = arena_push(p->a, &s->addresses);

	a->type = type;
	a->address = address;
}

static void status(struct pass *p, struct node_status *s)
{
	char ip[16];

	s->capacity = p->in->capacity;
	s->allocatable = p->in->allocatable;
	node_pressure_conditions(p, s);
	condition_add(p->a, &s->conditions, &(struct condition){
		.type = "Ready", .status = "True", .reason = "OrchdReady",
		.message = "orchd is posting ready status",
		.last_heartbeat_time = whole_seconds(p->in->started),
		.last_transition_time = whole_seconds(p->in->started),
	});
	if (p->in->node_ip) {
		ip4_format(p->in->node_ip, ip);
		add_address(p, s, "InternalIP", arena_strdup(p->a, ip));
	}
	add_address(p, s, "Hostname", p->in->node_name);
	if (p->in->node_info) {
		s->node_info = arena_new(p->a, struct node_system_info);
		*s->node_info = *p->in->node_info;
	}
}

/* The declared one with what is known of it, or one that says what the machine is. */
void node_show(struct pass *p)
{
	const struct object *d = p->node.declared;
	struct object o = object_new(p->a, KIND_NODE, NULL, p->in->node_name);
	char uid[37];

	if (d) {
		*o.node = *d->node;
		o.file = d->file;
		o.stack = d->stack;
		o.line = d->line;
		o.col = d->col;
		o.meta->labels = map_copy(p->a, &d->meta->labels);
	} else {
		name_uid_below(p->in->node_name, "node", uid);
		o.meta->uid = arena_strdup(p->a, uid);
		o.meta->creation_timestamp = whole_seconds(p->in->started);
	}
	add_label(p, o.meta, "kubernetes.io/hostname");
	add_label(p, o.meta, "kubernetes.io/os");
	add_label(p, o.meta, "kubernetes.io/arch");
	o.node->spec.taints = p->node.taints;
	status(p, &o.node->status);
	*arena_push(p->a, &p->out->shown) = o;
}
