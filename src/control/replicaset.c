/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ReplicaSets: as many active pods as wanted, made from the template. Pods belong to a ReplicaSet
 * by the uid of their owner reference, never by labels alone. Too many: those go first that do
 * the least (Kubernetes' order: lost, not yet started, not ready, ready for a shorter time, more
 * restarts, younger).
 */
#include "control/scale.h"

/* Its pods; those that have ended for good go. */
static void collect(struct pass *p, struct rset *rs)
{
	struct owned pods;

	owned_collect(p, rs->object.meta->uid, &pods);
	rs->members = pods.active;
	rs->replaced = pods.replaced;
	rs->stopping = pods.stopping;
	for (uint32_t i = 0; i < pods.finished.n; i++) {
		member_stop(p, pods.finished.v[i], "finished");
		*arena_push(p->a, &rs->stopping) = pods.finished.v[i];
	}
}

struct rset *rset_new(struct pass *p, const struct object *rs, const struct object *stored,
		      int32_t min_ready_seconds)
{
	struct rset *s = arena_new(p->a, struct rset);
	struct replicaset *body = arena_new(p->a, struct replicaset);

	*body = *rs->replicaset;
	body->metadata.annotations = map_copy(p->a, &body->metadata.annotations);
	body->spec.min_ready_seconds = min_ready_seconds;
	body->status = (struct replicaset_status){ 0 };
	s->object = *rs;
	s->object.replicaset = body;
	s->object.meta = &body->metadata;
	s->stored = stored;
	s->replicas = body->spec.replicas;
	if (stored && stored->replicaset->spec.min_ready_seconds != min_ready_seconds)
		rset_own(p, s);
	s->why = "scaled down";
	collect(p, s);
	for (uint32_t i = 0; i < s->members.n; i++)
		s->available += member_available(p, s->members.v[i], min_ready_seconds);
	return s;
}

void rset_own(struct pass *p, struct rset *rs)
{
	struct replicaset *body;

	if (!rs->stored || rs->own)
		return;
	rs->own = true;
	body = schema_copy(p->a, &replicaset_type, rs->object.replicaset);
	body->metadata.annotations = map_copy(p->a, &body->metadata.annotations);
	rs->object.replicaset = body;
	rs->object.meta = &body->metadata;
}

static uint32_t restarts(const struct member *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; m->seen && i < m->seen->ncontainers; i++)
		n = MAX(n, m->seen->containers[i].attempt);
	return n;
}

static bool started(const struct member *m)
{
	for (uint32_t i = 0; m->seen && i < m->seen->ncontainers; i++)
		if (m->seen->containers[i].phase != RUN_CREATED)
			return true;
	return false;
}

#define FIRST(a, b) do { if ((a) != (b)) return (a) < (b) ? -1 : 1; } while (0)

/* Who is stopped first stands first. */
static int rank(const void *x, const void *y)
{
	const struct member *a = *(struct member *const *)x, *b = *(struct member *const *)y;

	FIRST(b->lost, a->lost);
	FIRST(started(a), started(b));
	FIRST(a->ready, b->ready);
	FIRST(b->ready_since, a->ready_since);
	FIRST(restarts(b), restarts(a));
	FIRST(b->seen ? b->seen->created_at : INT64_MAX, a->seen ? a->seen->created_at : INT64_MAX);
	return strcmp(a->want.object.meta->name, b->want.object.meta->name);
}

static void create(struct pass *p, struct rset *rs, uint32_t n)
{
	const struct object *o = &rs->object;

	for (uint32_t i = 0; i < n; i++) {
		const char *name = name_pod(p, o->meta->namespace, o->meta->name);
		const struct member *lost = i < rs->replaced.n ? rs->replaced.v[i] : NULL;
		struct object pod = pod_from_template(p, o, o->replicaset->spec.template, name);
		struct member *m = member_new(p, &pod, lost ? lost->attempt + 1 : 0, &rs->refused);

		if (!m) {
			owned_refused(p, o, name, rs->refused);
			return;
		}
		*arena_push(p->a, &rs->members) = m;
		pass_event(p, o, false, "SuccessfulCreate",
			   arena_printf(p->a, "Created pod: %s", name));
	}
}

static void stop(struct pass *p, struct rset *rs, uint32_t n)
{
	struct member_list *l = &rs->members;

	qsort(l->v, l->n, sizeof(*l->v), rank);
	for (uint32_t i = 0; i < n; i++) {
		member_stop(p, l->v[i], rs->why);
		*arena_push(p->a, &rs->stopping) = l->v[i];
		pass_event(p, &rs->object, false, "SuccessfulDelete",
			   arena_printf(p->a, "Deleted pod: %s", l->v[i]->want.object.meta->name));
	}
	l->n -= n;
	memmove(l->v, l->v + n, l->n * sizeof(*l->v));
}

static void make_status(struct pass *p, struct rset *rs)
{
	struct replicaset_status *s = &rs->object.replicaset->status;
	int32_t min_ready = rs->object.replicaset->spec.min_ready_seconds;

	s->replicas = s->fully_labeled_replicas = (int32_t)rs->members.n;
	for (uint32_t i = 0; i < rs->members.n; i++) {
		s->ready_replicas += rs->members.v[i]->ready;
		s->available_replicas += member_available(p, rs->members.v[i], min_ready);
	}
	s->observed_generation = rs->object.meta->generation;
	if (rs->refused)
		condition_add(p->a, &s->conditions, &(struct condition){
			.type = "ReplicaFailure", .status = "True", .reason = "FailedCreate",
			.message = rs->refused,
			.last_transition_time = whole_seconds(rs->object.meta->creation_timestamp),
		});
}

void rset_settle(struct pass *p, struct rset *rs)
{
	uint32_t wanted = (uint32_t)MAX(rs->replicas, 0);

	if (rs->stored && rs->stored->replicaset->spec.replicas != rs->replicas) {
		rset_own(p, rs);
		rs->object.meta->generation++;
	}
	if (rs->members.n < wanted)
		create(p, rs, wanted - rs->members.n);
	else if (rs->members.n > wanted)
		stop(p, rs, rs->members.n - wanted);
	rs->object.replicaset->spec.replicas = rs->replicas;
	make_status(p, rs);
	rs->available = rs->object.replicaset->status.available_replicas;
}

void rset_put(struct pass *p, struct rset *rs)
{
	*arena_push(p->a, &p->out->derived) = rs->object;
}

/* Those that stand in a manifest are recorded like the others; the manifest rules. */
void replicasets_declared(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_REPLICASET);

	for (uint32_t i = 0; i < l.n; i++) {
		const struct object *o = &l.v[i];
		struct rset *rs = rset_new(p, o, NULL, o->replicaset->spec.min_ready_seconds);

		rs->replicas = scale_replicas(p, o);
		rset_settle(p, rs);
		rset_put(p, rs);
		pass_status(p, o, &rs->object.replicaset->status);
	}
}

/* In the shape of a ReplicaSet; kind, name and uid stay, so that its pods are its own. */
static struct object as_replicaset(struct pass *p, const struct object *o)
{
	const struct replication_controller_spec *spec = &o->replication_controller->spec;
	struct replicaset *body = arena_new(p->a, struct replicaset);
	struct object rs = *o;

	body->metadata = *o->meta;
	body->spec.replicas = spec->replicas;
	body->spec.template = spec->template;
	rs.replicaset = body;
	rs.meta = &body->metadata;
	return rs;
}

void replication_controllers_run(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_REPLICATIONCONTROLLER);

	for (uint32_t i = 0; i < l.n; i++) {
		struct object shape = as_replicaset(p, &l.v[i]);
		struct rset *rs = rset_new(p, &shape, NULL,
					   l.v[i].replication_controller->spec.min_ready_seconds);
		struct replication_controller_status *s =
			arena_new(p->a, struct replication_controller_status);

		rs->replicas = scale_replicas(p, &l.v[i]);
		rset_settle(p, rs);
		const struct replicaset_status *from = &rs->object.replicaset->status;
		s->replicas = from->replicas;
		s->fully_labeled_replicas = from->fully_labeled_replicas;
		s->ready_replicas = from->ready_replicas;
		s->available_replicas = from->available_replicas;
		s->observed_generation = from->observed_generation;
		s->conditions = from->conditions;
		scale_status(p, &l.v[i], s);
	}
}
