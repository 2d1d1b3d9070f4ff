/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs: pods that run to their end until enough of them have succeeded. Every Job, whether it
 * stands in a manifest or a CronJob made it, is a record of the store with its status, so that no
 * restart makes anything run twice. One that is finished is only kept: its pods stay for their logs
 * until it goes or its ttlSecondsAfterFinished are over. Then a Job of a CronJob goes; the record of
 * a declared one stays, as without it the manifest would run again.
 */
#include "control/job.h"

#define UID_KEY "controller-uid"
#define NAME_KEY "job-name"
#define PREFIX "batch.kubernetes.io/"

static void add_labels(struct pass *p, const struct meta *m, struct strmap *labels)
{
	strmap_set(p->a, labels, PREFIX UID_KEY, m->uid);
	strmap_set(p->a, labels, PREFIX NAME_KEY, m->name);
	strmap_set(p->a, labels, UID_KEY, m->uid);
	strmap_set(p->a, labels, NAME_KEY, m->name);
}

/* The selector and labels that Kubernetes makes when the user did not. */
static void add_selector(struct job_run *r)
{
	struct job *job = r->object.job;
	struct meta *m = r->object.meta;
	struct pod_template *t;

	if (job->spec.manual_selector)
		return;
	t = arena_new(r->p->a, struct pod_template);
	*t = *job->spec.template;
	t->metadata.labels = map_copy(r->p->a, &t->metadata.labels);
	add_labels(r->p, m, &t->metadata.labels);
	job->spec.template = t;
	job->spec.selector = arena_new(r->p->a, struct label_selector);
	strmap_set(r->p->a, &job->spec.selector->match_labels, PREFIX UID_KEY, m->uid);
	MARK(job->spec.selector, label_selector, match_labels);
	MARK(&job->spec, job_spec, selector);
	if (!HAS(m, meta, labels)) {
		m->labels = map_copy(r->p->a, &m->labels);
		add_labels(r->p, m, &m->labels);
	}
}

/* A copy of its own: while this pass is carried out, the new record takes the place of the old. */
static void open_record(struct job_run *r, const struct object *declared,
			const struct object *stored)
{
	struct arena *a = r->p->a;
	struct job *body = arena_new(a, struct job);

	if (declared) {
		*body = *declared->job;
		body->metadata.annotations = map_copy(a, &body->metadata.annotations);
		r->object = *declared;
	} else {
		body = schema_copy(a, &job_type, stored->job);
		r->object = *stored;
	}
	body->status = (struct job_status){ 0 };
	if (stored)
		body->status = *(struct job_status *)schema_copy(a, &job_status_type,
								 &stored->job->status);
	r->object.job = body;
	r->object.meta = &body->metadata;
	r->spec = &body->spec;
	r->status = &body->status;
	r->indexed = body->spec.completion_mode == COMPLETION_INDEXED;
	r->old_counted = stored ? strmap_get(&stored->meta->annotations, JOB_COUNTED_ANNOTATION) :
				  NULL;
	if (r->old_counted)
		r->old_counted = arena_strdup(a, r->old_counted);
	indexes_parse(a, r->status->completed_indexes, &r->succeeded);
	indexes_parse(a, r->status->failed_indexes, &r->failed);
	add_selector(r);
}

static bool is_suspended(const struct job_run *r)
{
	return job_condition(r->status, "Suspended");
}

static void suspend_or_resume(struct job_run *r)
{
	if (r->spec->suspend && !is_suspended(r)) {
		job_set_condition(r, "Suspended", true, "JobSuspended", "Job suspended");
		pass_event(r->p, &r->object, false, "Suspended", "Job suspended");
	} else if (!r->spec->suspend && is_suspended(r)) {
		job_set_condition(r, "Suspended", false, "JobResumed", "Job resumed");
		r->status->start_time = 0;	/* its deadline counts from now on */
		pass_event(r->p, &r->object, false, "Resumed", "Job resumed");
	}
	if (!r->spec->suspend && !r->status->start_time)
		r->status->start_time = whole_seconds(r->p->in->now);
}

static void count_active(struct job_run *r)
{
	r->status->active = (int32_t)r->active.n;
	r->status->terminating = (int32_t)r->pods.stopping.n;
	r->status->ready = 0;
	for (uint32_t i = 0; i < r->active.n; i++)
		r->status->ready += r->active.v[i]->ready;
}

static void run(struct job_run *r)
{
	job_count(r);
	job_judge(r);
	if (!job_finish(r)) {
		suspend_or_resume(r);
		if (r->spec->suspend)
			job_suspend(r);
		else
			job_manage(r);
	}
	count_active(r);
	job_remember(r);
}

static void stop_list(struct job_run *r, const struct member_list *l, const char *why)
{
	for (uint32_t i = 0; i < l->n; i++)
		owned_stop(r->p, &r->object, l->v[i], why);
}

/* False: its time is over. */
static bool keep_finished(struct job_run *r, int64_t finished)
{
	int64_t end = finished + r->spec->ttl_seconds_after_finished * NSEC;

	stop_list(r, &r->pods.active, "its Job is over");
	if (!HAS(r->spec, job_spec, ttl_seconds_after_finished))
		return true;
	pass_wake(r->p, end);
	if (r->p->in->now < end)
		return true;
	stop_list(r, &r->pods.finished, "its Job's ttlSecondsAfterFinished are over");
	return false;
}

/* By a controller that is none of Kubernetes' own. */
static bool is_managed_elsewhere(const struct job_spec *s)
{
	return s->managed_by && *s->managed_by &&
	       !streq(s->managed_by, "kubernetes.io/job-controller");
}

bool job_run(struct pass *p, const struct object *declared, const struct object *stored,
	     struct object *ret)
{
	struct job_run r = { .p = p };
	int64_t finished;
	bool failed, stays = true;

	open_record(&r, declared, stored);
	*ret = r.object;
	if (is_managed_elsewhere(r.spec))
		return true;
	owned_collect(p, r.object.meta->uid, &r.pods);
	finished = job_finished_at(r.status, &failed);
	if (finished)
		stays = keep_finished(&r, finished);
	else
		run(&r);
	*ret = r.object;
	return stays || declared;
}

void jobs_declared(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_JOB);

	for (uint32_t i = 0; i < l.n; i++) {
		struct object record;

		job_run(p, &l.v[i], derived_find(p, &l.v[i]), &record);
		*arena_push(p->a, &p->out->derived) = record;
	}
}
