/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many pods a Job has, and which. After failures new pods wait: 10 s, doubling to 6 minutes,
 * counted from the last failure since the last success; with backoffLimitPerIndex each index waits
 * for itself. Too many: the ones that did the least go first, and count neither as failed nor as
 * succeeded.
 */
#include "control/job.h"

/* ---- back-off ---- */

/* Of pods that ended by themselves: those that the Job stopped are no failures to wait for. */
struct failures {
	int64_t last;
	int32_t n;			/* that count, */
	int32_t ignored;		/* and those of one index that do not: it waits for both */
};

static int64_t ended_at(const struct member *m)
{
	int64_t t = m->seen->stopped_at;

	for (uint32_t i = 0; i < m->seen->ncontainers; i++)
		t = MAX(t, m->seen->containers[i].end.finished_at);
	return t ? t : m->seen->created_at;
}

static void look_back(const struct member_list *l, int64_t after, struct failures *f,
		      int64_t *ret_success)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct member *m = l->v[i];
		int64_t at = ended_at(m);

		if (at <= after)
			continue;
		if (job_pod_succeeded(m)) {
			*ret_success = MAX(*ret_success, at);
		} else if (job_pod_failed(m)) {
			f->last = MAX(f->last, at);
			f->n++;
		}
	}
}

static struct failures failures_of_job(const struct job_run *r)
{
	struct failures all = { 0 }, f = { 0 };
	int64_t success = 0;

	look_back(&r->pods.finished, 0, &all, &success);
	look_back(&r->pods.replaced, 0, &all, &success);
	look_back(&r->pods.finished, success, &f, &success);
	look_back(&r->pods.replaced, success, &f, &success);
	return f;
}

static int32_t number_of(const struct member *m, const char *annotation)
{
	const char *n = strmap_get(&m->want.object.meta->annotations, annotation);

	return n ? (int32_t)strtol(n, NULL, 10) : 0;
}

static void index_failures(struct job_run *r, const struct member_list *l, int64_t index,
			   struct failures *f)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct member *m = l->v[i];
		const char *why;

		if (job_pod_index(m) != index || !job_pod_failed(m))
			continue;
		bool ignored = job_failure_action(r, m, &why) == FAILURE_IGNORE;
		f->n = MAX(f->n, number_of(m, JOB_FAILURES_ANNOTATION) + !ignored);
		f->ignored = MAX(f->ignored, number_of(m, JOB_IGNORED_ANNOTATION) + ignored);
		f->last = MAX(f->last, ended_at(m));
	}
}

static struct failures failures_of_index(struct job_run *r, int64_t index)
{
	struct failures f = { 0 };

	index_failures(r, &r->pods.finished, index, &f);
	index_failures(r, &r->pods.replaced, index, &f);
	return f;
}

/* May a pod be made now, after these failures? */
static bool waited(struct job_run *r, const struct failures *f)
{
	int64_t delay = JOB_BACKOFF_FIRST;

	if (!f->n && !f->ignored)
		return true;
	for (int32_t i = 1; i < f->n + f->ignored && delay < JOB_BACKOFF_MAX; i++)
		delay *= 2;
	int64_t at = f->last + MIN(delay, JOB_BACKOFF_MAX);
	pass_wake(r->p, at);
	return r->p->in->now >= at;
}

/* ---- making ---- */

static void add_variable(struct arena *a, struct container_list *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		struct env_var_list copy = { 0 };
		struct env_var *v;
		bool there = false;

		for (uint32_t k = 0; k < l->v[i].env.n; k++) {
			*arena_push(a, &copy) = l->v[i].env.v[k];
			there |= streq(l->v[i].env.v[k].name, "JOB_COMPLETION_INDEX");
		}
		if (there)
			continue;
		v = arena_push(a, &copy);
		v->name = "JOB_COMPLETION_INDEX";
		v->value_from = arena_new(a, struct env_source);
		v->value_from->field_ref = arena_new(a, struct object_field_selector);
		v->value_from->field_ref->api_version = "v1";
		v->value_from->field_ref->field_path = "metadata.labels['" JOB_INDEX_KEY "']";
		MARK(v, env_var, name);
		MARK(v, env_var, value_from);
		MARK(v->value_from, env_source, field_ref);
		MARK(v->value_from->field_ref, object_field_selector, field_path);
		l->v[i].env = copy;
		MARK(&l->v[i], container, env);
	}
}

static void give_index(struct job_run *r, struct object *pod, int64_t index)
{
	struct arena *a = r->p->a;
	const char *number = arena_printf(a, "%lld", (long long)index);
	struct failures f = failures_of_index(r, index);

	strmap_set(a, &pod->meta->labels, JOB_INDEX_KEY, number);
	strmap_set(a, &pod->meta->annotations, JOB_INDEX_KEY, number);
	if (job_per_index(r->spec))
		strmap_set(a, &pod->meta->annotations, JOB_FAILURES_ANNOTATION,
			   arena_printf(a, "%d", f.n));
	if (job_per_index(r->spec) && f.ignored)
		strmap_set(a, &pod->meta->annotations, JOB_IGNORED_ANNOTATION,
			   arena_printf(a, "%d", f.ignored));
	pod->pod->spec.hostname = arena_printf(a, "%s-%s", r->object.meta->name, number);
	MARK(&pod->pod->spec, pod_spec, hostname);
	pod->meta->generate_name = arena_printf(a, "%s-%s-", r->object.meta->name, number);
	add_variable(a, &pod->pod->spec.containers);
	add_variable(a, &pod->pod->spec.init_containers);
}

/* index -1: it has none */
static void create(struct job_run *r, int64_t index)
{
	const struct meta *m = r->object.meta;
	const struct member *lost = r->made < r->pods.replaced.n ? r->pods.replaced.v[r->made] :
								   NULL;
	const char *base = index < 0 ? m->name :
		arena_printf(r->p->a, "%s-%lld", m->name, (long long)index);
	const char *name = name_pod(r->p, m->namespace, base);
	struct object pod = pod_from_template(r->p, &r->object, r->spec->template, name);

	const char *refused;
	struct member *made;

	r->made++;
	if (index >= 0)
		give_index(r, &pod, index);
	made = member_new(r->p, &pod, lost ? lost->attempt + 1 : 0, &refused);
	if (!made) {
		owned_refused(r->p, &r->object, name, refused);
		return;
	}
	pass_event(r->p, &r->object, false, "SuccessfulCreate",
		   arena_printf(r->p->a, "Created pod: %s", name));
	*arena_push(r->p->a, &r->active) = made;
}

/* ---- indexes ---- */

static bool replaces_late(const struct job_run *r)
{
	return r->spec->pod_replacement_policy == REPLACE_FAILED;
}

static void take_index(struct job_run *r, const struct member *m, struct indexes *busy)
{
	if (job_pod_index(m) >= 0)
		indexes_add(r->p->a, busy, job_pod_index(m));
}

/* It is to be stopped but was not yet told to: it runs, and may still succeed. */
static bool runs_on(const struct member *m)
{
	return !m->lost && !m->seen->stopped_at;
}

static int64_t count_running_on(const struct job_run *r)
{
	int64_t n = 0;

	for (uint32_t i = 0; i < r->pods.stopping.n; i++)
		n += runs_on(r->pods.stopping.v[i]) && !r->pods.stopping.v[i]->finished;
	return n;
}

static void take_indexes(struct job_run *r, struct indexes *busy)
{
	for (uint32_t i = 0; i < r->active.n; i++)
		take_index(r, r->active.v[i], busy);
	for (uint32_t i = 0; i < r->pods.stopping.n; i++) {
		const struct member *m = r->pods.stopping.v[i];

		if (replaces_late(r) || runs_on(m))
			take_index(r, m, busy);
	}
}

/* The first index from i on that needs a pod; completions: none. */
static int64_t next_index(struct job_run *r, const struct indexes *busy, int64_t i)
{
	const struct indexes *const done[] = { &r->succeeded, &r->failed, busy };

	for (size_t k = 0; k < ARRAY_SIZE(done) && i < r->spec->completions; k++) {
		const struct index_range *in = indexes_find(done[k], i);

		if (in) {
			i = in->to + 1;
			k = (size_t)-1;	/* look at all of them again */
		}
	}
	return i;
}

static void create_indexed(struct job_run *r, int64_t n)
{
	struct indexes busy = { 0 };
	int64_t i = 0;

	take_indexes(r, &busy);
	while (n > 0 && (i = next_index(r, &busy, i)) < r->spec->completions) {
		struct failures f = failures_of_index(r, i);

		if (!job_per_index(r->spec) || waited(r, &f)) {
			create(r, i);
			n--;
		}
		i++;
	}
}

/* ---- stopping ---- */

static bool started(const struct member *m)
{
	for (uint32_t i = 0; m->seen && i < m->seen->ncontainers; i++)
		if (m->seen->containers[i].phase != RUN_CREATED)
			return true;
	return false;
}

/* Who is stopped first stands first. */
static int by_work(const void *x, const void *y)
{
	const struct member *a = *(struct member *const *)x, *b = *(struct member *const *)y;
	int64_t born[] = { a->seen ? a->seen->created_at : INT64_MAX,
			   b->seen ? b->seen->created_at : INT64_MAX };

	if (started(a) != started(b))
		return started(a) ? 1 : -1;
	if (a->ready != b->ready)
		return a->ready ? 1 : -1;
	if (born[0] != born[1])
		return born[0] > born[1] ? -1 : 1;
	return strcmp(a->want.object.meta->name, b->want.object.meta->name);
}

/* Out of the active ones, at i of them. */
static void stop_one(struct job_run *r, uint32_t i, const char *why)
{
	struct member *m = r->active.v[i];

	owned_stop(r->p, &r->object, m, why);
	job_decided(r, m);
	*arena_push(r->p->a, &r->pods.stopping) = m;
	memmove(r->active.v + i, r->active.v + i + 1,
		(r->active.n - i - 1) * sizeof(*r->active.v));
	r->active.n--;
}

static void stop_first(struct job_run *r, int64_t n, const char *why)
{
	if (r->active.n)
		qsort(r->active.v, r->active.n, sizeof(*r->active.v), by_work);
	for (; n > 0 && r->active.n; n--)
		stop_one(r, 0, why);
}

/* Pods of an Indexed Job whose index is done with or does not exist any more. */
static bool stop_needless(struct job_run *r)
{
	uint32_t before = r->active.n;

	for (uint32_t i = r->active.n; r->indexed && i-- > 0;) {
		int64_t index = job_pod_index(r->active.v[i]);

		if (index < 0 || index >= r->spec->completions ||
		    indexes_find(&r->succeeded, index) || indexes_find(&r->failed, index))
			stop_one(r, i, "its index needs no pod");
	}
	return r->active.n != before;
}

void job_suspend(struct job_run *r)
{
	stop_first(r, r->active.n, "its Job is suspended");
}

void job_stop_all(struct job_run *r)
{
	while (r->active.n) {
		struct member *m = r->active.v[0];

		if (!r->indexed || !indexes_find(&r->succeeded, job_pod_index(m)))
			r->status->failed++;
		stop_one(r, 0, "its Job is over");
	}
}

/* ---- how many ---- */

static int64_t pods_wanted(const struct job_run *r)
{
	int64_t most = r->spec->parallelism;

	if (!job_is_counted(r->spec))
		return r->status->succeeded ? (int64_t)r->active.n : most;
	int64_t missing = (int64_t)r->spec->completions - r->status->succeeded;
	if (r->indexed)
		missing -= indexes_count(&r->failed, NULL, r->spec->completions);
	return MAX(MIN(missing, most), (int64_t)0);
}

void job_manage(struct job_run *r)
{
	struct failures f;
	int64_t wanted;

	if (stop_needless(r))
		return;
	wanted = pods_wanted(r);
	if (r->active.n > wanted) {
		stop_first(r, r->active.n - wanted, "not needed any more");
		return;
	}
	wanted -= r->active.n;
	wanted -= replaces_late(r) ? (int64_t)r->pods.stopping.n : count_running_on(r);
	if (wanted <= 0)
		return;
	f = failures_of_job(r);
	if (!job_per_index(r->spec) && !waited(r, &f))
		return;
	if (r->indexed)
		create_indexed(r, wanted);
	for (; !r->indexed && wanted > 0; wanted--)
		create(r, -1);
}
