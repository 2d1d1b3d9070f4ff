/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CronJobs: a Job at each time of the schedule, named after its minute. When the last one was due
 * stands in the record that the store keeps, so that a restart neither repeats nor forgets any. Of
 * several times that were missed only the latest is made up for, and that only within
 * startingDeadlineSeconds. A clock that went back makes nothing due again.
 * https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
 */
#include <stdio.h>

#include "base/cron.h"
#include "control/job.h"
#include "control/quota.h"

#define SCHEDULED_ANNOTATION "batch.kubernetes.io/cronjob-scheduled-timestamp"
#define MINUTE (60 * NSEC)
#define MANY_MISSED 100
/* Timers follow no change of the clock: this is how late one is noticed. */
#define CLOCK_CHECK MINUTE

struct cron_run {
	struct pass *p;
	struct object object;		/* a private copy of the body: the record */
	const struct cronjob_spec *spec;
	struct cronjob_status *status;
	struct cron cron;
	const struct zone *zone;
	struct object_list jobs;	/* its Jobs that stay, as the store has them, oldest first */
	struct object_list done;	/* as they are after this pass */
};

static bool finished(const struct object *job)
{
	bool failed;

	return job_finished_at(&job->job->status, &failed) != 0;
}

static uint32_t count_active(const struct cron_run *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->jobs.n; i++)
		n += !finished(&c->jobs.v[i]);
	return n;
}

static bool was_active(const struct cron_run *c, const char *name)
{
	for (uint32_t i = 0; i < c->status->active.n; i++)
		if (streq(c->status->active.v[i].name, name))
			return true;
	return false;
}

static int by_age(const void *x, const void *y)
{
	const struct object *a = x, *b = y;
	int64_t i = a->meta->creation_timestamp, k = b->meta->creation_timestamp;

	if (i != k)
		return i < k ? -1 : 1;
	return strcmp(a->meta->name, b->meta->name);
}

static void open_record(struct cron_run *c, const struct object *o)
{
	struct object_list l = derived_below(c->p, KIND_JOB, o->meta);
	const struct object *record = derived_find(c->p, o);
	struct cronjob *body = arena_new(c->p->a, struct cronjob);

	*body = *o->cronjob;
	body->status = (struct cronjob_status){ 0 };
	if (record)
		body->status = *(struct cronjob_status *)schema_copy(
			c->p->a, &cronjob_status_type, &record->cronjob->status);
	for (uint32_t i = 0; i < l.n; i++) {
		if (owned_by(l.v[i].meta, o->meta->uid))
			*arena_push(c->p->a, &c->jobs) = l.v[i];
	}
	if (c->jobs.n)
		qsort(c->jobs.v, c->jobs.n, sizeof(*c->jobs.v), by_age);
	c->object = *o;
	c->object.cronjob = body;
	c->object.meta = &body->metadata;
	c->spec = &body->spec;
	c->status = &body->status;
}

/* ---- when ---- */

/* The latest time after base, not after now; 0: none. The window grows until there is one in it. */
static int64_t latest(const struct cron_run *c, int64_t base, int64_t now)
{
	int64_t first, t, next;

	if (c->cron.every) {
		int64_t n = (now - base) / c->cron.every;

		return n > 0 ? base + n * c->cron.every : 0;
	}
	first = cron_next(&c->cron, c->zone, base);
	if (!first || first > now)
		return 0;
	for (int64_t window = MINUTE;; window *= 2) {
		t = now - window > base ? cron_next(&c->cron, c->zone, now - window) : first;
		if (t && t <= now)
			break;
	}
	while ((next = cron_next(&c->cron, c->zone, t)) && next <= now)
		t = next;
	return t;
}

static bool missed_many(const struct cron_run *c, int64_t base, int64_t now)
{
	unsigned n = 0;

	while (n <= MANY_MISSED && (base = cron_next(&c->cron, c->zone, base)) && base <= now)
		n++;
	return n > MANY_MISSED;
}

static void wake_for_next(const struct cron_run *c, int64_t base, int64_t now)
{
	int64_t next;

	if (c->cron.every)
		next = base + (MAX(now - base, (int64_t)0) / c->cron.every + 1) * c->cron.every;
	else
		next = cron_next(&c->cron, c->zone, now);
	if (next)
		pass_wake(c->p, MIN(next, now + CLOCK_CHECK));
}

/* From when on times count. */
static int64_t base_of(struct cron_run *c)
{
	int64_t now = whole_seconds(c->p->in->now);

	if (!c->status->last_schedule_time)
		return MIN(c->object.meta->creation_timestamp, now);
	if (c->status->last_schedule_time > now)
		c->status->last_schedule_time = now;	/* the clock went back */
	return c->status->last_schedule_time;
}

/* "2026-11-21T10:00:00+01:00" */
static const char *local_time(const struct cron_run *c, int64_t t)
{
	int32_t offset = c->spec->time_zone ? zone_at(c->zone, t / NSEC).offset : 0;
	unsigned minutes = (unsigned)abs(offset) / 60;
	char text[32];

	time_format(t + offset * NSEC, text);
	if (!offset)
		return arena_strdup(c->p->a, text);
	return arena_printf(c->p->a, "%.19s%c%02u:%02u", text, offset < 0 ? '-' : '+', minutes / 60,
			    minutes % 60);
}

/* The time whose Job should be started now; 0: none. */
static int64_t due(struct cron_run *c)
{
	int64_t now = c->p->in->now, base = base_of(c), t;

	if (c->spec->suspend)
		return 0;
	wake_for_next(c, base, now);
	t = latest(c, base, now);
	if (!t)
		return 0;
	if (HAS(c->spec, cronjob_spec, starting_deadline_seconds)) {
		int64_t late = (now - t) / NSEC;

		if (late <= c->spec->starting_deadline_seconds)
			return t;
		pass_event_at(c->p, &c->object, true, "MissSchedule",
			      arena_printf(c->p->a, "Missed scheduled time to start a job: %s",
					   local_time(c, t)), t);
		return 0;
	}
	if (missed_many(c, base, now))
		pass_event_at(c->p, &c->object, true, "TooManyMissedTimes",
			      "too many missed start times. Set or decrease "
			      ".spec.startingDeadlineSeconds or check clock skew", t);
	return t;
}

/* ---- what ---- */

static const char *job_name(const struct cron_run *c, int64_t t)
{
	int64_t unit = c->cron.every && c->cron.every < MINUTE ? NSEC : MINUTE;

	return arena_printf(c->p->a, "%s-%lld", c->object.meta->name, (long long)(t / unit));
}

static struct object job_new(struct cron_run *c, const char *name, int64_t t)
{
	const struct job_template_spec *from = c->spec->job_template;
	struct arena *a = c->p->a;
	const char *ns = c->object.meta->namespace;
	struct object o = object_new(a, KIND_JOB, ns, name);
	char uid[37];

	name_uid(c->p, "job", ns, name, uid);
	o.job->spec = from->spec;
	o.meta->uid = arena_strdup(a, uid);
	o.meta->creation_timestamp = whole_seconds(c->p->in->now);
	o.meta->generation = 1;
	o.meta->labels = map_copy(a, &from->metadata.labels);
	o.meta->annotations = map_copy(a, &from->metadata.annotations);
	strmap_set(a, &o.meta->annotations, SCHEDULED_ANNOTATION, local_time(c, t));
	owner_add(a, o.meta, &c->object);
	if (o.meta->labels.n)
		MARK(o.meta, meta, labels);
	MARK(o.meta, meta, annotations);
	MARK(o.job, job, metadata);
	MARK(o.job, job, spec);
	return o;
}

static void drop(struct cron_run *c, uint32_t i)
{
	const char *name = arena_strdup(c->p->a, c->jobs.v[i].meta->name);
	struct member_list pods = members_owned_by(c->p, c->jobs.v[i].meta->uid);

	for (uint32_t k = 0; k < pods.n; k++)
		member_stop(c->p, pods.v[k], "its Job was deleted");
	pass_event(c->p, &c->object, false, "SuccessfulDelete",
		   arena_printf(c->p->a, "Deleted job %s", name));
	memmove(c->jobs.v + i, c->jobs.v + i + 1, (c->jobs.n - i - 1) * sizeof(*c->jobs.v));
	c->jobs.n--;
}

static bool name_is_taken(const struct cron_run *c, const char *name)
{
	if (set_find(c->p->in->set, KIND_JOB, c->object.meta->namespace, name))
		return true;
	for (uint32_t i = 0; i < c->jobs.n; i++)
		if (streq(c->jobs.v[i].meta->name, name))
			return true;
	return false;
}

static bool may_start(struct cron_run *c, int64_t t)
{
	if (!count_active(c))
		return true;
	if (c->spec->concurrency_policy == CONCURRENCY_FORBID) {
		pass_event_at(c->p, &c->object, false, "JobAlreadyActive",
			      "Not starting job because prior execution is running and "
			      "concurrency policy is Forbid", t);
		return false;
	}
	for (uint32_t i = c->jobs.n; c->spec->concurrency_policy == CONCURRENCY_REPLACE && i-- > 0;)
		if (!finished(&c->jobs.v[i]))
			drop(c, i);
	return true;
}

/* False: a quota has no room for it. It stays due. */
static bool admit(struct cron_run *c, const struct object *job)
{
	const char *why = quotas_admit_object(c->p, job);

	if (why)
		pass_event(c->p, &c->object, true, "FailedCreate",
			   arena_printf(c->p->a, "Error creating job: %s", why));
	return !why;
}

static void start(struct cron_run *c)
{
	int64_t t = due(c);
	struct object job;
	const char *name;

	if (!t || !may_start(c, t))
		return;
	name = job_name(c, t);
	if (!name_is_taken(c, name)) {
		job = job_new(c, name, t);
		if (!admit(c, &job))
			return;
		*arena_push(c->p->a, &c->jobs) = job;
		pass_event(c->p, &c->object, false, "SuccessfulCreate",
			   arena_printf(c->p->a, "Created job %s", name));
	}
	c->status->last_schedule_time = whole_seconds(t);
}

/* ---- history and status ---- */

/* The oldest beyond the limit go. */
static void forget_old(struct cron_run *c, bool failures, int32_t limit)
{
	int32_t n = 0;

	for (uint32_t i = c->jobs.n; i-- > 0;) {
		bool failed;

		if (job_finished_at(&c->jobs.v[i].job->status, &failed) && failed == failures &&
		    ++n > limit)
			drop(c, i);
	}
}

static void note_end(struct cron_run *c, const struct object *job)
{
	int64_t at = job->job->status.completion_time;
	bool failed;

	if (!job_finished_at(&job->job->status, &failed))
		return;
	c->status->last_successful_time = MAX(c->status->last_successful_time, at);
	if (was_active(c, job->meta->name))
		pass_event(c->p, &c->object, false, "SawCompletedJob",
			   arena_printf(c->p->a, "Saw completed job: %s, condition: %s",
					job->meta->name, failed ? "Failed" : "Complete"));
}

static void list_active(struct cron_run *c)
{
	c->status->active.n = 0;
	c->status->active.v = NULL;
	for (uint32_t i = 0; i < c->done.n; i++) {
		struct object_reference *r;

		if (finished(&c->done.v[i]))
			continue;
		r = arena_push(c->p->a, &c->status->active);
		r->api_version = kinds[KIND_JOB].api_version;
		r->kind = kinds[KIND_JOB].name;
		r->namespace = c->done.v[i].meta->namespace;
		r->name = c->done.v[i].meta->name;
		r->uid = c->done.v[i].meta->uid;
	}
}

static void run_jobs(struct cron_run *c)
{
	for (uint32_t i = 0; i < c->jobs.n; i++) {
		struct object record;

		if (!job_run(c->p, NULL, &c->jobs.v[i], &record))
			continue;
		note_end(c, &record);
		*arena_push(c->p->a, &c->done) = record;
		*arena_push(c->p->a, &c->p->out->derived) = record;
	}
}

static void run(struct pass *p, const struct object *o)
{
	struct cron_run c = { .p = p };
	struct err err = { 0 };

	open_record(&c, o);
	if (p->in->zone)
		c.zone = p->in->zone(p->in->zone_data, c.spec->time_zone);
	forget_old(&c, false, c.spec->successful_jobs_history_limit);
	forget_old(&c, true, c.spec->failed_jobs_history_limit);
	if (cron_parse(c.spec->schedule, &c.cron, &err) == 0)
		start(&c);
	run_jobs(&c);
	list_active(&c);
	*arena_push(p->a, &p->out->derived) = c.object;
}

void cronjobs_run(struct pass *p)
{
	struct object_list l = set_kind(p->in->set, KIND_CRONJOB);

	for (uint32_t i = 0; i < l.n; i++)
		run(p, &l.v[i]);
}
