/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pods of a Job that ended are counted once, in the pass that first sees their end; which of those
 * that still exist were counted stands in the record, in the same write as the figures. A pod that
 * the Job itself stopped was decided about before. One that went in another way has failed, unless
 * it never got as far as running anything.
 */
#include "control/job.h"

bool job_pod_succeeded(const struct member *m)
{
	const struct container_list *l = &m->want.object.pod->spec.containers;

	if (!m->finished || m->expired || m->evicted)
		return false;
	for (uint32_t i = 0; i < l->n; i++) {
		const struct observed_container *c = member_container(m, l->v[i].name);

		if (!c || c->phase != RUN_ENDED || observed_container_failed(c))
			return false;
	}
	return true;
}

static bool ran(const struct member *m)
{
	for (uint32_t i = 0; m->seen && i < m->seen->ncontainers; i++)
		if (m->seen->containers[i].phase != RUN_CREATED)
			return true;
	return false;
}

bool job_pod_failed(const struct member *m)
{
	if (m->finished)
		return !job_pod_succeeded(m);
	return ran(m) || !m->lost;
}

int64_t job_pod_index(const struct member *m)
{
	const char *s = strmap_get(&m->want.object.meta->annotations, JOB_INDEX_KEY);

	return s ? strtoll(s, NULL, 10) : -1;
}

static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = list; s && (s = strstr(s, name)); s += n)
		if ((s == list || s[-1] == ',') && (!s[n] || s[n] == ','))
			return true;
	return false;
}

void job_decided(struct job_run *r, const struct member *m)
{
	*arena_push(r->p->a, &r->counted) = arena_strdup(r->p->a, m->want.object.meta->name);
}

/* Beyond completions, after these were reduced, an index is of no interest any more. */
static bool index_counts(const struct job_run *r, int64_t index)
{
	return index >= 0 && index < r->spec->completions;
}

static void count_success(struct job_run *r, const struct member *m)
{
	int64_t index = job_pod_index(m);

	if (!r->indexed)
		r->status->succeeded++;
	else if (index_counts(r, index) && !indexes_find(&r->failed, index))
		indexes_add(r->p->a, &r->succeeded, index);
}

/* Failures of the index before this pod, which carries their number. */
static int32_t failures_before(const struct member *m)
{
	const char *s = strmap_get(&m->want.object.meta->annotations, JOB_FAILURES_ANNOTATION);

	return s ? (int32_t)strtol(s, NULL, 10) : 0;
}

static void count_failure(struct job_run *r, const struct member *m)
{
	const char *why = NULL;
	enum failure_action action = job_failure_action(r, m, &why);
	int64_t index = job_pod_index(m);

	if (action == FAILURE_IGNORE)
		return;
	r->status->failed++;
	if (action == FAILURE_FAIL_JOB)
		job_fail(r, "PodFailurePolicy", why);
	if (!job_per_index(r->spec) || !index_counts(r, index) || indexes_find(&r->succeeded, index))
		return;
	if (action == FAILURE_FAIL_INDEX ||
	    failures_before(m) >= r->spec->backoff_limit_per_index)
		indexes_add(r->p->a, &r->failed, index);
}

static void count_list(struct job_run *r, const struct member_list *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		struct member *m = l->v[i];

		if (!listed(r->old_counted, m->want.object.meta->name)) {
			if (job_pod_succeeded(m))
				count_success(r, m);
			else if (job_pod_failed(m))
				count_failure(r, m);
		} else if (r->indexed && !m->seen->stopped_at && job_pod_succeeded(m)) {
			count_success(r, m);	/* it was to be stopped, and was faster */
		}
		job_decided(r, m);
	}
}

void job_count(struct job_run *r)
{
	count_list(r, &r->pods.finished);
	count_list(r, &r->pods.stopping);
	for (uint32_t i = 0; i < r->pods.active.n; i++) {
		struct member *m = r->pods.active.v[i];

		if (!listed(r->old_counted, m->want.object.meta->name)) {
			*arena_push(r->p->a, &r->active) = m;
			continue;
		}
		/* it was to be stopped when orchd ended */
		owned_stop(r->p, &r->object, m, "stopped by its Job");
		*arena_push(r->p->a, &r->pods.stopping) = m;
		job_decided(r, m);
	}
	if (r->indexed)
		r->status->succeeded = (int32_t)indexes_count(&r->succeeded, NULL,
							      r->spec->completions);
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

void job_remember(struct job_run *r)
{
	struct strmap *annotations = &r->object.meta->annotations;
	BUF_AUTO b = { 0 };
	bool failed;

	if (job_finished_at(r->status, &failed))
		r->counted.n = 0;	/* nothing will be counted any more */

	if (r->counted.n)
		qsort(r->counted.v, r->counted.n, sizeof(*r->counted.v), by_name);
	for (uint32_t i = 0; i < r->counted.n; i++)
		buf_printf(&b, "%s%s", i ? "," : "", r->counted.v[i]);
	strmap_del(annotations, JOB_COUNTED_ANNOTATION);
	if (b.len)
		strmap_set(r->p->a, annotations, JOB_COUNTED_ANNOTATION,
			   arena_strdup(r->p->a, buf_str(&b)));
	MARK(r->object.meta, meta, annotations);
	r->status->completed_indexes = indexes_text(r->p->a, &r->succeeded);
	r->status->failed_indexes = job_per_index(r->spec) ? indexes_text(r->p->a, &r->failed) : NULL;
}
