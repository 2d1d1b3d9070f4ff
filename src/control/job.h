/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One Job in one pass. job.c takes stock and decides, job_count.c counts the pods that ended,
 * job_pods.c makes and stops pods, job_end.c knows when it is over. The record that the store keeps
 * is all that is remembered: its status and, in an annotation, which of the pods that still exist
 * were decided about, so that none is counted twice and what was counted is never run again.
 */
#pragma once

#include "control/job_index.h"
#include "control/pass.h"

#define JOB_COUNTED_ANNOTATION "orch/counted-pods"
#define JOB_INDEX_KEY "batch.kubernetes.io/job-completion-index"
#define JOB_FAILURES_ANNOTATION "batch.kubernetes.io/job-index-failure-count"
#define JOB_IGNORED_ANNOTATION "batch.kubernetes.io/job-index-ignored-failure-count"
#define JOB_BACKOFF_FIRST (10 * NSEC)
#define JOB_BACKOFF_MAX (360 * NSEC)

struct job_run {
	struct pass *p;
	struct object object;		/* a private copy of the body: the record */
	const struct job_spec *spec;
	struct job_status *status;	/* of the copy */
	struct owned pods;
	struct member_list active;	/* those that stay */
	struct indexes succeeded, failed;	/* of an Indexed Job */
	struct strs counted;		/* names of pods that exist and were decided about */
	const char *old_counted;	/* the annotation as it was; NULL: none */
	uint32_t made;			/* pods, in this pass */
	bool indexed;
	const char *reason, *message;	/* why it fails; NULL: it does not */
};

static inline bool job_is_counted(const struct job_spec *s)	/* else one success ends it */
{
	return s->completions || HAS(s, job_spec, completions);
}

static inline bool job_per_index(const struct job_spec *s)
{
	return HAS(s, job_spec, backoff_limit_per_index);
}

/* The first reason counts. */
void job_fail(struct job_run *r, const char *reason, const char *message);
/* NULL: there is none, or it is not true. */
const struct condition *job_condition(const struct job_status *s, const char *type);
void job_set_condition(struct job_run *r, const char *type, bool yes, const char *reason,
		       const char *message);

/* job_count.c */
void job_count(struct job_run *r);
void job_decided(struct job_run *r, const struct member *m);
void job_remember(struct job_run *r);	/* into the record */
bool job_pod_succeeded(const struct member *m);
bool job_pod_failed(const struct member *m);	/* it ended, and not well */
int64_t job_pod_index(const struct member *m);	/* -1: none */

/* job_policy.c: what the failure of this pod leads to; FailJob says why in *ret_message */
enum failure_action job_failure_action(struct job_run *r, const struct member *m,
				       const char **ret_message);

/* job_pods.c */
void job_manage(struct job_run *r);
void job_suspend(struct job_run *r);
void job_stop_all(struct job_run *r);	/* they count as failed */

/* job_end.c */
void job_judge(struct job_run *r);	/* has it failed, or succeeded early? */
bool job_finish(struct job_run *r);	/* false: it goes on */
/* Since when the Job is finished; 0: it is not. */
int64_t job_finished_at(const struct job_status *s, bool *ret_failed);

/* job.c: one Job, declared (stored may be NULL) or only stored. False: it is to be forgotten. */
bool job_run(struct pass *p, const struct object *declared, const struct object *stored,
	     struct object *ret);
