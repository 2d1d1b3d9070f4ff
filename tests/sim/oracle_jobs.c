/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about Jobs and CronJobs: never more pods at a time than parallelism, none once the Job is
 * over, no index to success twice, no run of a schedule twice or beside another that forbids it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "oracle.h"

#define INDEX_KEY "batch.kubernetes.io/job-completion-index"

static int64_t index_of(const struct object *pod)
{
	const char *i = strmap_get(&pod->meta->annotations, INDEX_KEY);

	return i ? strtoll(i, NULL, 10) : -1;
}

static bool over(const struct object *job)
{
	const struct condition_list *l = &job->job->status.conditions;

	for (uint32_t i = 0; i < l->n; i++)
		if ((streq(l->v[i].type, "Complete") || streq(l->v[i].type, "Failed")) &&
		    streq(l->v[i].status, "True"))
			return true;
	return false;
}

static bool known_success(const struct oracle *k, const char *uid, int64_t index)
{
	for (uint32_t i = 0; i < k->successes.n; i++)
		if (streq(k->successes.v[i].uid, uid) && k->successes.v[i].index == index)
			return true;
	return false;
}

static void check_index(const struct scene *c, const struct object *pod, const char *uid)
{
	int64_t index = index_of(pod);

	if (known_success(c->oracle, uid, index))
		sim_broken(c->sim, "index-once", "pod %s is made, index %d has succeeded",
			   pod->meta->name, (int)index);
	for (uint32_t i = 0; i < c->sim->pods.n; i++) {
		const struct sim_pod *p = c->sim->pods.v[i];

		if (!scene_owned(&p->object, uid) || index_of(&p->object) != index || p->stopped_at)
			continue;
		if (scene_succeeded(p) || scene_lives(p))
			sim_broken(c->sim, "index-once", "pod %s is made, %s has its index",
				   pod->meta->name, p->object.meta->name);
	}
}

/* The Job that a CronJob made for one time of its schedule. */
static void check_run(const struct scene *c, const struct object *job)
{
	struct oracle *k = c->oracle;
	char name[80];

	if (!scene_owner(job) || k->clock_back)
		return;
	snprintf(name, sizeof(name), "%s %s", scene_owner(job)->uid, job->meta->name);
	for (uint32_t i = 0; i < k->runs.n; i++) {
		if (!streq(k->runs.v[i].name, name))
			continue;
		if (!streq(k->runs.v[i].uid, job->meta->uid))
			sim_broken(c->sim, "schedule-once", "job %s runs again", job->meta->name);
		return;
	}
	struct oracle_run *r = arena_push(&k->arena, &k->runs);
	memcpy(r->name, name, sizeof(r->name));
	snprintf(r->uid, sizeof(r->uid), "%s", job->meta->uid);
}

void oracle_makes_of_job(const struct scene *c, const struct object *pod,
			 const struct owner_reference *r)
{
	const struct object *job = scene_record(&c->w->derived, KIND_JOB, r->uid);
	int32_t n = 0;

	if (!job || over(job)) {
		sim_broken(c->sim, "job-over", "pod %s is made, its Job is over", pod->meta->name);
		return;
	}
	for (uint32_t i = 0; i < c->sim->pods.n; i++)
		n += scene_owned(&c->sim->pods.v[i]->object, r->uid) &&
		     scene_lives(c->sim->pods.v[i]);
	if (n >= job->job->spec.parallelism || job->job->spec.suspend)
		sim_broken(c->sim, "parallelism", "pod %s is made beside %d others",
			   pod->meta->name, n);
	if (index_of(pod) >= 0)
		check_index(c, pod, r->uid);
	check_run(c, job);
}

/* Forbid: none is made while another is active. */
static void check_concurrency(const struct scene *c, const struct object *cron)
{
	int32_t active = 0, made = 0;

	for (uint32_t i = 0; i < c->w->derived.n; i++) {
		const struct object *job = &c->w->derived.v[i];

		if (job->kind->id != KIND_JOB || !scene_owned(job, cron->meta->uid) || over(job))
			continue;
		active++;
		made += !scene_record(&c->o->derived, KIND_JOB, job->meta->uid);
	}
	if (made && active > 1)
		sim_broken(c->sim, "concurrency", "cronjob %s has %d active Jobs", cron->meta->name,
			   active);
}

void oracle_jobs_decided(const struct scene *c)
{
	struct object_list l = set_kind(c->sim->set, KIND_CRONJOB);

	for (uint32_t i = 0; i < l.n; i++)
		if (l.v[i].cronjob->spec.concurrency_policy == CONCURRENCY_FORBID)
			check_concurrency(c, &l.v[i]);
}

/* What was observed to have succeeded is written down by now. */
void oracle_jobs_passed(const struct scene *c)
{
	for (uint32_t i = 0; i < c->sim->pods.n; i++) {
		const struct sim_pod *p = c->sim->pods.v[i];
		const struct owner_reference *r = scene_owner(&p->object);
		int64_t index = index_of(&p->object);

		if (!r || index < 0 || p->stopped_at || !scene_succeeded(p) ||
		    known_success(c->oracle, r->uid, index))
			continue;
		struct oracle_success *s = arena_push(&c->oracle->arena, &c->oracle->successes);
		snprintf(s->uid, sizeof(s->uid), "%s", r->uid);
		s->index = index;
	}
}
