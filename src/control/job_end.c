/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a Job. First it is decided (FailureTarget or SuccessCriteriaMet) and what still runs
 * is stopped; Failed or Complete follows when nothing runs any more. Reasons and messages are
 * Kubernetes': https://kubernetes.io/docs/concepts/workloads/controllers/job/
 */
#include "control/job.h"

const struct condition *job_condition(const struct job_status *s, const char *type)
{
	for (uint32_t i = 0; i < s->conditions.n; i++) {
		const struct condition *c = &s->conditions.v[i];

		if (streq(c->type, type))
			return c->status && streq(c->status, "True") ? c : NULL;
	}
	return NULL;
}

void job_set_condition(struct job_run *r, const char *type, bool yes, const char *reason,
		       const char *message)
{
	int64_t now = whole_seconds(r->p->in->now);
	struct condition *c = NULL;

	for (uint32_t i = 0; i < r->status->conditions.n && !c; i++)
		if (streq(r->status->conditions.v[i].type, type))
			c = &r->status->conditions.v[i];
	if (!c)
		c = arena_push(r->p->a, &r->status->conditions);
	*c = (struct condition){
		.type = type,
		.status = yes ? "True" : "False",
		.reason = reason,
		.message = message,
		.last_transition_time = now,
		.last_probe_time = now,
	};
}

int64_t job_finished_at(const struct job_status *s, bool *ret_failed)
{
	const struct condition *complete = job_condition(s, "Complete");
	const struct condition *failed = job_condition(s, "Failed");

	*ret_failed = !complete && failed;
	return complete ? complete->last_transition_time :
	       failed ? failed->last_transition_time : 0;
}

void job_fail(struct job_run *r, const char *reason, const char *message)
{
	if (r->reason)
		return;
	r->reason = reason;
	r->message = message;
}

/* ---- what it fails for ---- */

/* With OnFailure, containers that are started again are failures, too. */
static int64_t restarts(const struct job_run *r)
{
	int64_t n = 0;

	for (uint32_t i = 0; i < r->active.n; i++) {
		const struct observed_pod *seen = r->active.v[i]->seen;

		for (uint32_t k = 0; seen && k < seen->ncontainers; k++)
			n += seen->containers[k].attempt;
	}
	return n;
}

static bool beyond_backoff_limit(const struct job_run *r)
{
	int64_t limit = r->spec->backoff_limit;

	if (r->status->failed > limit)
		return true;
	if (r->spec->template->spec.restart_policy != RESTART_ON_FAILURE)
		return false;
	return limit ? restarts(r) >= limit : restarts(r) > 0;
}

static bool beyond_deadline(const struct job_run *r)
{
	int64_t seconds = r->spec->active_deadline_seconds, length, at;

	if (!HAS(r->spec, job_spec, active_deadline_seconds) || r->spec->suspend ||
	    !r->status->start_time)
		return false;
	if (__builtin_mul_overflow(seconds, NSEC, &length) ||
	    __builtin_add_overflow(r->status->start_time, length, &at))
		return false;
	pass_wake(r->p, at);
	return r->p->in->now >= at;
}

static void judge_indexes(struct job_run *r)
{
	int64_t all = r->spec->completions;
	int64_t failed = indexes_count(&r->failed, NULL, all);

	if (HAS(r->spec, job_spec, max_failed_indexes) && failed > r->spec->max_failed_indexes)
		job_fail(r, "MaxFailedIndexesExceeded",
			 "Job has exceeded the specified maximal number of failed indexes");
	if (failed && failed + r->status->succeeded >= all)
		job_fail(r, "FailedIndexes", "Job has failed indexes");
}

static bool rule_met(struct job_run *r, const struct success_policy_rule *rule)
{
	int64_t all = r->spec->completions, needed = rule->succeeded_count, have;
	struct indexes among;

	indexes_parse(r->p->a, rule->succeeded_indexes, &among);
	have = indexes_count(&r->succeeded, rule->succeeded_indexes ? &among : NULL, all);
	if (!HAS(rule, success_policy_rule, succeeded_count))
		needed = indexes_count(&among, NULL, all);
	return have >= needed;
}

static void judge_success(struct job_run *r)
{
	const struct success_policy *s = r->spec->success_policy;

	for (uint32_t i = 0; s && r->indexed && i < s->rules.n; i++) {
		if (!rule_met(r, &s->rules.v[i]))
			continue;
		job_set_condition(r, "SuccessCriteriaMet", true, "SuccessPolicy",
				  arena_printf(r->p->a, "Matched rules at index %u", i));
		return;
	}
}

void job_judge(struct job_run *r)
{
	const struct condition *target = job_condition(r->status, "FailureTarget");

	if (target) {
		r->reason = target->reason;
		r->message = target->message;
	}
	if (r->reason || job_condition(r->status, "SuccessCriteriaMet"))
		return;
	if (beyond_backoff_limit(r))
		job_fail(r, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
	else if (beyond_deadline(r))
		job_fail(r, "DeadlineExceeded", "Job was active longer than specified deadline");
	if (r->indexed)
		judge_indexes(r);
	if (!r->reason)
		judge_success(r);
}

/* ---- the end itself ---- */

static bool nothing_runs(const struct job_run *r)
{
	return !r->active.n && !r->pods.stopping.n;
}

static void finish_failed(struct job_run *r)
{
	if (!job_condition(r->status, "FailureTarget"))
		job_set_condition(r, "FailureTarget", true, r->reason, r->message);
	job_stop_all(r);
	if (!nothing_runs(r))
		return;
	job_set_condition(r, "Failed", true, r->reason, r->message);
	pass_event(r->p, &r->object, true, r->reason, r->message);
}

static void finish_complete(struct job_run *r)
{
	const struct condition *met = job_condition(r->status, "SuccessCriteriaMet");
	struct condition as = *met;	/* the list may move */

	job_stop_all(r);
	if (!nothing_runs(r))
		return;
	job_set_condition(r, "Complete", true, as.reason, as.message);
	r->status->completion_time = whole_seconds(r->p->in->now);
	pass_event(r->p, &r->object, false, "Completed", "Job completed");
}

static bool reached(const struct job_run *r)
{
	if (r->active.n)
		return false;
	return job_is_counted(r->spec) ? r->status->succeeded >= r->spec->completions :
					 r->status->succeeded > 0;
}

bool job_finish(struct job_run *r)
{
	if (!r->reason && reached(r) && !job_condition(r->status, "SuccessCriteriaMet"))
		job_set_condition(r, "SuccessCriteriaMet", true, "CompletionsReached",
				  "Reached expected number of succeeded pods");
	if (r->reason)
		finish_failed(r);
	else if (job_condition(r->status, "SuccessCriteriaMet"))
		finish_complete(r);
	else
		return false;
	return true;
}
