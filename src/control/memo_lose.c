/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a memo loses when a pass begins. Whatever is not known to be harmless loses everything. Sets
 * are compared object by object, of which unchanged files share nearly all; pods by value; records
 * by their stamps.
 */
#include "control/unit.h"

/* What is lost with a change of a declared object of a kind; all, where nothing else is said. */
enum loss { LOSS_ALL, LOSS_OWN, LOSS_CONFIG, LOSS_NONE };

static const enum loss losses[KIND_COUNT] = {
	[KIND_DEPLOYMENT] = LOSS_OWN,
	[KIND_STATEFULSET] = LOSS_OWN,
	[KIND_DAEMONSET] = LOSS_OWN,
	[KIND_SERVICE] = LOSS_OWN,
	[KIND_CONFIGMAP] = LOSS_CONFIG,
	[KIND_SECRET] = LOSS_CONFIG,
	/* these are worked out in every pass, and no unit reads them */
	[KIND_POD] = LOSS_NONE,
	[KIND_REPLICASET] = LOSS_NONE,
	[KIND_REPLICATIONCONTROLLER] = LOSS_NONE,
	[KIND_JOB] = LOSS_NONE,
	[KIND_CRONJOB] = LOSS_NONE,
	[KIND_PDB] = LOSS_NONE,
	[KIND_HPA] = LOSS_NONE,
};

static void lose(struct pass *p, struct unit *u)
{
	if (!u || !u->kept)
		return;
	u->kept = false;
	for (uint32_t i = 0; i < u->labels.n; i++)
		*arena_push(p->own, &p->stale) = u->labels.v[i];
}

static void lose_all(struct pass *p)
{
	for (uint32_t i = 0; i < p->in->memo->nunits; i++)
		lose(p, p->in->memo->units[i]);
}

static void lose_object(struct pass *p, const struct object *o)
{
	if (o->meta->uid)
		lose(p, memo_find(p->in->memo, uid_hash(o->meta->uid)));
}

static bool uses(struct pass *p, const struct unit *u, const struct object_list *configs)
{
	const char *ns = u->object.meta->namespace;
	const struct pod_template *t = object_template(&u->object);
	bool used = t && config_used(p->own, &t->spec, ns, configs);

	for (uint32_t i = 0; i < u->members.n && !used; i++)
		used = config_used(p->own, &u->members.v[i]->want.object.pod->spec, ns, configs);
	return used;
}

static void lose_users(struct pass *p, const struct object_list *configs)
{
	const struct memo *m = p->in->memo;

	for (uint32_t i = 0; configs->n && i < m->nunits; i++) {
		struct unit *u = m->units[i];

		if (u->kept && u->object.kind->id != KIND_SERVICE && uses(p, u, configs))
			lose(p, u);
	}
}

static bool same_object(const struct object *x, const struct object *y)
{
	return x->held == y->held && x->hold_revision == y->hold_revision &&
	       x->rolled_back == y->rolled_back &&
	       (x->body == y->body || schema_equal(x->kind->type, x->body, y->body));
}

static void object_changed(struct pass *p, const struct object *o, struct object_list *configs)
{
	switch (losses[o->kind->id]) {
	case LOSS_ALL:
		lose_all(p);
		break;
	case LOSS_OWN:
		lose_object(p, o);
		break;
	case LOSS_CONFIG:
		*arena_push(p->own, configs) = *o;
		break;
	case LOSS_NONE:
		break;
	}
}

/* Both are sorted; of a file that was not read again the body is the same one. */
static void compare_sets(struct pass *p)
{
	const struct object_list *was = &p->in->memo->set->objects, *is = &p->in->set->objects;
	struct object_list configs = { 0 };
	uint32_t i = 0, k = 0;

	while (i < was->n || k < is->n) {
		const struct object *x = i < was->n ? &was->v[i] : NULL;
		const struct object *y = k < is->n ? &is->v[k] : NULL;
		int c = !x ? 1 : !y ? -1 : x->body == y->body ? 0 : object_cmp(x, y);

		if (c < 0 || (c == 0 && !same_object(x, y)))
			object_changed(p, x, &configs);
		if (c > 0 || (c == 0 && !same_object(x, y)))
			object_changed(p, y, &configs);
		i += c <= 0;
		k += c >= 0;
	}
	lose_users(p, &configs);
}

static struct unit *home_of(const struct memo *m, const struct meta *meta)
{
	const char *owner = controller_uid(meta);

	return *owner ? memo_find(m, uid_hash(owner)) : NULL;
}

/* Of a pod that is gone only what the unit has of it is there. */
static int pod_order(const struct kept_pod *kept, const struct observed_pod *seen)
{
	int r;

	if (seen->stamp && kept->seen.stamp == seen->stamp)
		return 0;
	r = strcmp(kept->namespace, seen->object->meta->namespace);
	return r ? r : strcmp(kept->name, seen->object->meta->name);
}

/* What of pod i was kept; those before it that are gone are lost. */
static struct kept_pod *kept_of(struct pass *p, const struct observed_pod *seen, uint32_t *at)
{
	const struct memo *m = p->in->memo;
	int r = 1;

	while (*at < m->pods.n && (r = pod_order(m->pods.v[*at], seen)) < 0)
		lose(p, m->pods.v[(*at)++]->unit);
	return *at < m->pods.n && r == 0 ? m->pods.v[(*at)++] : NULL;
}

static void compare_pods(struct pass *p)
{
	const struct observed *o = p->in->observed;
	const struct memo *m = p->in->memo;
	uint32_t at = 0;

	p->seen_as.kept = arena_array(p->own, struct kept_pod *, o->npods);
	p->seen_as.homes = arena_array(p->own, struct unit *, o->npods);
	for (uint32_t i = 0; i < o->npods; i++) {
		struct kept_pod *was = kept_of(p, &o->pods[i], &at);

		if (was && observed_pod_same(&was->seen, &o->pods[i])) {
			p->seen_as.kept[i] = was;
			p->seen_as.homes[i] = was->unit;
			continue;
		}
		if (was)
			lose(p, was->unit);
		p->seen_as.homes[i] = home_of(m, o->pods[i].object->meta);
		lose(p, p->seen_as.homes[i]);
	}
	while (at < m->pods.n)
		lose(p, m->pods.v[at++]->unit);
}

static void lose_owner(struct pass *p, uint64_t owner)
{
	if (owner)
		lose(p, memo_find(p->in->memo, owner));
}

/* Both lists have the order of keys, and what did not change has it among itself. */
static void compare_records(struct pass *p)
{
	const struct object_list *is = &p->in->observed->derived;
	const struct memo *m = p->in->memo;
	uint32_t i = 0, k = 0;

	while (i < m->records.n || k < is->n) {
		uint64_t stamp = k < is->n ? is->v[k].stamp : 0;
		bool newer = k < is->n && (!stamp || stamp > m->newest);

		if (stamp && i < m->records.n && m->records.v[i].stamp == stamp) {
			i++;
			k++;
		} else if (i < m->records.n && !newer) {
			lose_owner(p, m->records.v[i++].owner);
		} else {
			lose_owner(p, record_mark(&is->v[k++]).owner);
		}
	}
}

/* Units that have to work again give their memory back. */
static void sweep(struct pass *p)
{
	struct memo *m = p->in->memo;

	for (uint32_t i = 0; i < m->nunits; i++) {
		struct unit *u = m->units[i];

		if (u->kept && u->wake && u->wake <= p->in->now)
			lose(p, u);
		if (!u->kept)
			memo_reset(m, u);
		p->repulsion |= u->repels;
	}
}

static bool same_machine(const struct memo *m, const struct control_in *in)
{
	return m->node_ip == in->node_ip && m->node_info == in->node_info &&
	       m->node_name && in->node_name && streq(m->node_name, in->node_name) && m->now <= in->now;
}

void memo_begin(struct pass *p)
{
	struct memo *m = p->in->memo;

	if (!m)
		return;
	memo_drop_unused(m);
	if (!m->set || !same_machine(m, p->in))
		lose_all(p);
	else if (m->set != p->in->set)
		compare_sets(p);
	compare_pods(p);
	compare_records(p);
	sweep(p);
	m->passes++;
	m->counts = (struct memo_counts){ 0 };
}
