/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a Deployment is, in Kubernetes' words. Conditions are worked out afresh in each pass;
 * their times come from what is observed and from the annotations of the current ReplicaSet.
 * Progress is: the ReplicaSet became current, a pod of it was made (other than in place of a
 * lost one), became ready or available, or an old pod was told to stop. The deadline counts from
 * the last of these. Available is true since the pod was available that made up the number.
 */
#include "control/deployment.h"
#include "control/scale.h"

static int32_t pods(const struct rollout *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->sets.n; i++)
		n += r->sets.v[i]->members.n;
	return (int32_t)n;
}

static int32_t updated(const struct rollout *r)
{
	return r->current ? (int32_t)r->current->members.n : 0;
}

bool rollout_complete(const struct rollout *r)
{
	return r->current && updated(r) == r->spec->replicas && pods(r) == r->spec->replicas &&
	       r->current->available == r->spec->replicas;
}

/* Complete once, and nothing but its pods since. */
static bool was_complete(const struct rollout *r)
{
	return r->current && rollout_time(r->current, COMPLETE_ANNOTATION) && pods(r) == updated(r);
}

static int64_t current_since(const struct rollout *r)
{
	int64_t t = r->current ? rollout_time(r->current, CURRENT_ANNOTATION) : 0;

	return MAX(t, r->object->meta->creation_timestamp);
}

static int64_t member_progress(const struct rollout *r, const struct member *m)
{
	int64_t ready = m->ready_since, available = ready + r->spec->min_ready_seconds * NSEC;
	int64_t t = m->attempt ? 0 : m->seen ? m->seen->created_at : r->p->in->now;

	t = MAX(t, ready);
	return ready && available <= r->p->in->now ? MAX(t, available) : t;
}

static int64_t last_progress(const struct rollout *r)
{
	int64_t t = current_since(r);

	for (uint32_t i = 0; i < r->current->members.n; i++)
		t = MAX(t, member_progress(r, r->current->members.v[i]));
	for (uint32_t i = 0; i < r->sets.n; i++) {
		const struct member_list *l = &r->sets.v[i]->stopping;

		for (uint32_t k = 0; k < l->n; k++)
			t = MAX(t, l->v[k]->seen ? l->v[k]->seen->stopped_at : 0);
	}
	return t;
}

static struct condition *condition_new(struct rollout *r, struct deployment_status *s,
				       const char *type)
{
	struct condition *c = arena_push(r->p->a, &s->conditions);

	c->type = type;
	return c;
}

static void set_condition(struct condition *c, const char *status, const char *reason,
			  const char *message, int64_t updated_at, int64_t changed_at)
{
	c->status = status;
	c->reason = reason;
	c->message = message;
	c->last_update_time = whole_seconds(updated_at);
	c->last_transition_time = whole_seconds(changed_at);
}

/* The newest template that once ran everywhere. */
static const struct rset *last_complete(const struct rollout *r)
{
	const struct rset *found = NULL;

	for (uint32_t i = 0; i < r->sets.n; i++) {
		const struct rset *rs = r->sets.v[i];

		if (rs == r->current || !rollout_time(rs, COMPLETE_ANNOTATION))
			continue;
		if (!found || rollout_number(rs, REVISION_ANNOTATION) >
			      rollout_number(found, REVISION_ANNOTATION))
			found = rs;
	}
	return found;
}

/* Once: what somebody went back to and fails as well is left as it is. */
static void roll_back(struct rollout *r, int64_t deadline)
{
	const struct object *o = r->object;
	const char *asked = strmap_get(&o->meta->annotations, ROLLBACK_ANNOTATION);
	const struct rset *rs = asked && streq(asked, "true") && !o->held ? last_complete(r) : NULL;

	if (!rs)
		return;
	*arena_push(r->p->a, &r->p->out->rollbacks) = (struct wanted_rollback){
		object_key(o), (uint32_t)rollout_number(rs, REVISION_ANNOTATION) };
	pass_event_at(r->p, o, true, "DeploymentRollback",
		      arena_printf(r->p->a, "Rolled back to ReplicaSet \"%s\": \"%s\" has timed out "
				   "progressing", rs->object.meta->name,
				   r->current->object.meta->name), deadline);
}

/* Under way, and not paused: in time, or too late. */
static void set_progress(struct rollout *r, struct condition *c)
{
	const char *name = r->current->object.meta->name;
	int64_t born = r->object->meta->creation_timestamp, last = last_progress(r);
	int64_t deadline = last + r->spec->progress_deadline_seconds * NSEC;

	if (r->p->in->now >= deadline) {
		set_condition(c, "False", "ProgressDeadlineExceeded",
			      arena_printf(r->p->a, "ReplicaSet \"%s\" has timed out progressing.",
					   name),
			      deadline, deadline);
		roll_back(r, deadline);
		return;
	}
	pass_wake(r->p, deadline);
	if (!r->current->stored)
		set_condition(c, "True", "NewReplicaSetCreated",
			      arena_printf(r->p->a, "Created new replica set \"%s\"", name),
			      last, born);
	else
		set_condition(c, "True", "ReplicaSetUpdated",
			      arena_printf(r->p->a, "ReplicaSet \"%s\" is progressing.", name),
			      last, born);
}

static void progressing(struct rollout *r, struct deployment_status *s)
{
	struct condition *c = condition_new(r, s, "Progressing");
	int64_t born = r->object->meta->creation_timestamp;

	if (r->spec->paused)
		set_condition(c, "Unknown", "DeploymentPaused", "Deployment is paused",
			      current_since(r), current_since(r));
	else if (was_complete(r))
		set_condition(c, "True", "NewReplicaSetAvailable",
			      arena_printf(r->p->a,
					   "ReplicaSet \"%s\" has successfully progressed.",
					   r->current->object.meta->name),
			      rollout_time(r->current, COMPLETE_ANNOTATION), born);
	else if (r->current)
		set_progress(r, c);
	else if (r->refused)
		set_condition(c, "False", CREATE_ERROR, r->refused, born, born);
	else
		set_condition(c, "True", "ReplicaSetUpdated",
			      "Old pods are stopped before new ones are created.", born, born);
}

static int time_cmp(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

/* When the n-th of the pods that are available now became it. */
static int64_t available_since(struct rollout *r, int32_t n)
{
	struct { int64_t *v; uint32_t n; } times = { 0 };

	for (uint32_t i = 0; i < r->sets.n; i++) {
		const struct member_list *l = &r->sets.v[i]->members;

		for (uint32_t k = 0; k < l->n; k++)
			if (member_available(r->p, l->v[k], r->spec->min_ready_seconds))
				*arena_push(r->p->a, &times) =
					l->v[k]->ready_since + r->spec->min_ready_seconds * NSEC;
	}
	if (n <= 0 || (uint32_t)n > times.n)
		return current_since(r);
	qsort(times.v, times.n, sizeof(*times.v), time_cmp);
	return times.v[n - 1];
}

static void available(struct rollout *r, struct deployment_status *s)
{
	struct condition *c = condition_new(r, s, "Available");
	int32_t least = r->spec->replicas - r->unavailable;
	int64_t since = available_since(r, least);

	if (s->available_replicas >= least)
		set_condition(c, "True", "MinimumReplicasAvailable",
			      "Deployment has minimum availability.", since, since);
	else
		set_condition(c, "False", "MinimumReplicasUnavailable",
			      "Deployment does not have minimum availability.", since, since);
}

/* As a ReplicaSet of it says. */
static void replica_failure(struct rollout *r, struct deployment_status *s)
{
	for (uint32_t i = 0; i < r->sets.n; i++) {
		struct condition *c;

		if (!r->sets.v[i]->refused)
			continue;
		c = condition_new(r, s, "ReplicaFailure");
		set_condition(c, "True", "FailedCreate", r->sets.v[i]->refused, current_since(r),
			      current_since(r));
		return;
	}
}

void deployment_status_make(struct rollout *r)
{
	struct deployment_status *s = arena_new(r->p->a, struct deployment_status);
	int32_t wanted = 0;

	s->observed_generation = r->object->meta->generation;
	s->replicas = pods(r);
	s->updated_replicas = updated(r);
	for (uint32_t i = 0; i < r->sets.n; i++) {
		wanted += r->sets.v[i]->replicas;
		s->ready_replicas += r->sets.v[i]->object.replicaset->status.ready_replicas;
		s->available_replicas += r->sets.v[i]->available;
	}
	s->unavailable_replicas = MAX(wanted - s->available_replicas, 0);
	available(r, s);
	progressing(r, s);
	replica_failure(r, s);
	scale_status(r->p, r->object, s);
}

static const struct condition *find_condition(const struct deployment_status *s, const char *type)
{
	for (uint32_t i = 0; i < s->conditions.n; i++)
		if (streq(s->conditions.v[i].type, type))
			return &s->conditions.v[i];
	return NULL;
}

void deployment_rollout(const struct object *deployment, struct buf *out, bool *ret_done,
			bool *ret_failed)
{
	const struct deployment_status *s = &deployment->deployment->status;
	const struct condition *c = find_condition(s, "Progressing");
	int32_t replicas = deployment->deployment->spec.replicas;
	const char *name = deployment->meta->name;

	if (deployment->rolled_back) {
		*ret_failed = true;
		buf_printf(out, "error: deployment \"%s\" exceeded its progress deadline and was "
			   "rolled back to revision %u\n", name, deployment->hold_revision);
	} else if (deployment->meta->generation > s->observed_generation) {
		buf_puts(out, "Waiting for deployment spec update to be observed...\n");
	} else if (c && streq(c->reason, "ProgressDeadlineExceeded")) {
		*ret_failed = true;
		buf_printf(out, "error: deployment \"%s\" exceeded its progress deadline\n", name);
	} else if (s->updated_replicas < replicas) {
		buf_printf(out, "Waiting for deployment \"%s\" rollout to finish: %d out of %d new "
			   "replicas have been updated...\n", name, s->updated_replicas, replicas);
	} else if (s->replicas > s->updated_replicas) {
		buf_printf(out,
			   "Waiting for deployment \"%s\" rollout to finish: %d old replicas are "
			   "pending termination...\n", name, s->replicas - s->updated_replicas);
	} else if (s->available_replicas < s->updated_replicas) {
		buf_printf(out, "Waiting for deployment \"%s\" rollout to finish: %d of %d updated "
			   "replicas are available...\n", name, s->available_replicas,
			   s->updated_replicas);
	} else {
		*ret_done = true;
		buf_printf(out, "deployment \"%s\" successfully rolled out\n", name);
	}
}
