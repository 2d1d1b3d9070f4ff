/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs and CronJobs in the simulated machine: the examples of Kubernetes' documentation, and what
 * must hold whatever happens: nothing that succeeded runs again, not even when all pods vanish.
 */
#include "sim.h"

#define JOB(spec, containers) \
	"apiVersion: batch/v1\n" \
	"kind: Job\n" \
	"metadata: {name: j}\n" \
	"spec:\n" spec \
	"  template:\n" \
	"    spec:\n" \
	"      restartPolicy: Never\n" \
	"      containers: [" containers "]\n"
#define RUNS(image) "{name: c, image: 'rootfs:/" image "'}"
#define HOUR (3600 * NSEC)

static void declare(struct sim *s, const char *text)
{
	sim_use(s, sim_set_text(s, text));
}

static const struct object *record(const struct sim *s, enum kind_id kind, const char *name)
{
	for (uint32_t i = 0; i < s->derived.n; i++) {
		const struct object *o = &s->derived.v[i]->object;

		if (o->kind->id == kind && streq(o->meta->name, name))
			return o;
	}
	return NULL;
}

static const struct job_status *status(const struct sim *s)
{
	const struct object *o = record(s, KIND_JOB, "j");

	assert_non_null(o);
	return &o->job->status;
}

static uint32_t count_records(const struct sim *s, enum kind_id kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->derived.n; i++)
		n += s->derived.v[i]->object.kind->id == kind;
	return n;
}

static const struct condition *condition(const struct sim *s, const char *type)
{
	const struct job_status *st = status(s);

	for (uint32_t i = 0; i < st->conditions.n; i++)
		if (streq(st->conditions.v[i].type, type))
			return &st->conditions.v[i];
	return NULL;
}

static void assert_condition(const struct sim *s, const char *type, const char *reason)
{
	const struct condition *c = condition(s, type);

	if (!c)
		fail_msg("no condition %s", type);
	assert_string_equal(c->status, "True");
	assert_string_equal(c->reason, reason);
}

static uint32_t running(const struct sim *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->pods.n; i++)
		for (uint32_t k = 0; k < s->pods.v[i]->n; k++)
			n += s->pods.v[i]->containers[k].c.phase == RUN_RUNNING;
	return n;
}

/* The machine was switched off: no pod is left, what the store has is. */
static void reboot(struct sim *s)
{
	while (s->pods.n) {
		sim_pod_free(s->pods.v[0]);
		s->pods.v[0] = s->pods.v[--s->pods.n];
	}
}

static void test_complete(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 1);
	declare(&s, JOB("  backoffLimit: 4\n", RUNS("exit0")));
	assert_true(sim_settle(&s, 200));
	assert_int_equal(status(&s)->succeeded, 1);
	assert_int_equal(status(&s)->active, 0);
	assert_condition(&s, "SuccessCriteriaMet", "CompletionsReached");
	assert_condition(&s, "Complete", "CompletionsReached");
	assert_true(status(&s)->completion_time >= status(&s)->start_time);
	assert_int_equal(s.pods.n, 1);	/* stays for its log */
	const struct meta *pod = s.pods.v[0]->object.meta;
	assert_string_equal(strmap_get(&pod->labels, "batch.kubernetes.io/job-name"), "j");
	assert_string_equal(strmap_get(&pod->labels, "controller-uid"),
			    record(&s, KIND_JOB, "j")->meta->uid);
	reboot(&s);
	assert_true(sim_settle(&s, 200));
	assert_int_equal(s.pods.n, 0);
	sim_release(&s);
}

/* 10 s, 20 s, 40 s ... between the pods; with all of them gone, nothing more is tried. */
static void test_backoff_limit(void **state)
{
	struct sim s;
	int64_t start;

	(void)state;
	sim_init(&s, 2);
	s.slow = 1;
	start = s.now;
	declare(&s, JOB("  backoffLimit: 3\n", RUNS("exit3")));
	assert_true(sim_settle(&s, 500));
	assert_int_equal(status(&s)->failed, 4);
	assert_condition(&s, "FailureTarget", "BackoffLimitExceeded");
	assert_condition(&s, "Failed", "BackoffLimitExceeded");
	assert_int_equal(s.pods.n, 4);
	assert_true(s.now - start >= 70 * NSEC && s.now - start < 80 * NSEC);
	assert_int_equal(status(&s)->completion_time, 0);
	reboot(&s);
	sim_settle(&s, 200);
	assert_int_equal(s.pods.n, 0);
	sim_release(&s);
}

static void check_parallelism(struct sim *s, const struct observed *o, const struct wanted *w)
{
	int stay = 0;

	(void)s;
	for (uint32_t i = 0; i < o->npods; i++)
		stay += o->pods[i].ncontainers && o->pods[i].containers[0].phase == RUN_RUNNING;
	assert_true(stay <= 3);
	(void)w;
}

static void test_parallelism(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 3);
	s.check = check_parallelism;
	declare(&s, JOB("  completions: 8\n  parallelism: 3\n", RUNS("exit0")));
	sim_run_until(&s, s.now + 3 * NSEC);
	assert_true(s.pods.n >= 3);
	assert_true(sim_settle(&s, 1000));
	assert_int_equal(status(&s)->succeeded, 8);
	assert_int_equal(s.pods.n, 8);
	assert_condition(&s, "Complete", "CompletionsReached");
	sim_release(&s);
}

static void test_indexed(void **state)
{
	struct sim s;
	bool seen[5] = { 0 };

	(void)state;
	sim_init(&s, 4);
	declare(&s, JOB("  completions: 5\n  parallelism: 3\n  completionMode: Indexed\n",
			RUNS("exit0")));
	assert_true(sim_settle(&s, 1000));
	assert_string_equal(status(&s)->completed_indexes, "0-4");
	assert_int_equal(s.pods.n, 5);
	for (uint32_t i = 0; i < 5; i++) {
		const struct object *o = &s.pods.v[i]->object;
		const char *index = strmap_get(&o->meta->annotations,
					       "batch.kubernetes.io/job-completion-index");
		char prefix[8];

		assert_non_null(index);
		assert_false(seen[atoi(index)]);
		seen[atoi(index)] = true;
		snprintf(prefix, sizeof(prefix), "j-%s-", index);
		assert_memory_equal(o->meta->name, prefix, strlen(prefix));
		assert_memory_equal(o->pod->spec.hostname, prefix, strlen(prefix) - 1);
		assert_string_equal(o->pod->spec.containers.v[0].env.v[0].name,
				    "JOB_COMPLETION_INDEX");
	}
	sim_release(&s);
}

/* https://kubernetes.io/docs/concepts/workloads/controllers/job/#backoff-limit-per-index */
static void test_backoff_limit_per_index(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 5);
	s.slow = 1;
	declare(&s, JOB("  completions: 3\n  parallelism: 3\n  completionMode: Indexed\n"
			"  backoffLimitPerIndex: 1\n  maxFailedIndexes: 3\n",
			RUNS("exit1")));
	assert_true(sim_settle(&s, 1000));
	assert_string_equal(status(&s)->failed_indexes, "0-2");
	assert_int_equal(status(&s)->failed, 6);
	assert_condition(&s, "Failed", "FailedIndexes");
	sim_release(&s);
}

static void test_max_failed_indexes(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 6);
	declare(&s, JOB("  completions: 10\n  parallelism: 2\n  completionMode: Indexed\n"
			"  backoffLimitPerIndex: 0\n  maxFailedIndexes: 1\n", RUNS("exit1")));
	assert_true(sim_settle(&s, 1000));
	assert_condition(&s, "Failed", "MaxFailedIndexesExceeded");
	assert_true(status(&s)->failed >= 2 && status(&s)->failed <= 4);
	sim_release(&s);
}

/* https://kubernetes.io/docs/tasks/job/pod-failure-policy/ */
static void test_failure_policy(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 7);
	s.slow = NSEC / 2;
	declare(&s, JOB("  completions: 8\n  parallelism: 2\n  backoffLimit: 6\n"
			"  podFailurePolicy:\n"
			"    rules:\n"
			"    - {action: Ignore, onPodConditions: [{type: DisruptionTarget}]}\n"
			"    - action: FailJob\n"
			"      onExitCodes: {containerName: c, operator: In, values: [42]}\n",
			RUNS("exit42")));
	sim_run_until(&s, s.now + NSEC);
	assert_true(s.pods.n > 0);
	for (uint32_t i = 0; i < s.pods.n; i++)
		if (s.pods.v[i]->stage == POD_UP)
			sim_lose(s.pods.v[i], "its shim is gone");
	assert_true(sim_settle(&s, 1000));
	assert_condition(&s, "Failed", "PodFailurePolicy");
	assert_non_null(strstr(condition(&s, "Failed")->message,
			       "failed with exit code 42 matching FailJob rule at index 1"));
	assert_true(status(&s)->failed >= 1 && status(&s)->failed <= 2);
	sim_release(&s);
}

/* They wait for their back-off; of one index, too. */
static void test_ignored_failures(void **state)
{
	static const char *const jobs[] = {
#define IGNORED "  podFailurePolicy: {rules: [{action: Ignore, "		\
		"onExitCodes: {operator: NotIn, values: [1]}}]}\n"
		JOB("  backoffLimit: 0\n" IGNORED, RUNS("exit7")),
		JOB("  completionMode: Indexed\n  completions: 1\n  backoffLimitPerIndex: 0\n" IGNORED,
		    RUNS("exit7")),
#undef IGNORED
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		struct sim s;

		sim_init(&s, 8);
		declare(&s, jobs[i]);
		sim_run_until(&s, s.now + 300 * NSEC);
		assert_int_equal(status(&s)->failed, 0);
		assert_null(condition(&s, "Failed"));
		assert_true(s.pods.n >= 4 && s.pods.n <= 6);
		sim_release(&s);
	}
}

/* Jobs of an external controller: https://kubernetes.io/docs/concepts/workloads/controllers/job/ */
static void test_managed_by(void **state)
{
	static const char *const by[] = { "example.com/mine", "kubernetes.io/job-controller" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(by); i++) {
		char text[1000];
		struct sim s;

		sim_init(&s, 10);
		snprintf(text, sizeof(text), JOB("  managedBy: %s\n", RUNS("exit0")), by[i]);
		declare(&s, text);
		assert_true(sim_settle(&s, 1000));
		assert_int_equal(status(&s)->succeeded, i);
		assert_int_equal(status(&s)->start_time != 0, i);
		assert_int_equal(s.pods.n, i);
		sim_release(&s);
	}
}

#define IMPORTANT \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: important}\n" \
	"spec: {priorityClassName: system-cluster-critical, containers: [" RUNS("works") "]}\n"

/* A pod that has to go for another one: a failure, unless the policy looks for that. */
static void test_preempted(void **state)
{
	static const char *const policies[] = { "", "  podFailurePolicy: {rules: [{action: Ignore, "
		"onPodConditions: [{type: DisruptionTarget}]}]}\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		char text[1000], both[2000];
		struct sim s;

		sim_init(&s, 9);
		s.room = 1;
		snprintf(text, sizeof(text), JOB("  backoffLimit: 0\n%s", RUNS("works")),
			 policies[i]);
		snprintf(both, sizeof(both), "%s%s", text, IMPORTANT);
		declare(&s, text);
		sim_run_until(&s, s.now + 60 * NSEC);
		assert_int_equal(status(&s)->ready, 1);
		declare(&s, both);
		sim_run_until(&s, s.now + 60 * NSEC);
		assert_int_equal(status(&s)->failed, i == 0);
		assert_int_equal(condition(&s, "Failed") != NULL, i == 0);
		assert_int_equal(status(&s)->active, i);	/* the next one waits for room */
		assert_true(sim_pod(&s, "default", "important")->ready_since);
		sim_release(&s);
	}
}

/* https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy */
static void test_success_policy(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 9);
	declare(&s, JOB("  completions: 10\n  parallelism: 2\n  completionMode: Indexed\n"
			"  successPolicy: {rules: [{succeededIndexes: '0,2-3', succeededCount: 2}]}\n",
			RUNS("exit0")));
	assert_true(sim_settle(&s, 1000));
	assert_condition(&s, "SuccessCriteriaMet", "SuccessPolicy");
	assert_condition(&s, "Complete", "SuccessPolicy");
	assert_true(status(&s)->succeeded < 6);
	assert_int_equal(running(&s), 0);
	sim_release(&s);
}

static void test_active_deadline(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 10);
	declare(&s, JOB("  activeDeadlineSeconds: 100\n", RUNS("works")));
	sim_run_until(&s, s.now + 90 * NSEC);
	assert_int_equal(status(&s)->active, 1);
	sim_run_until(&s, s.now + 30 * NSEC);
	assert_condition(&s, "Failed", "DeadlineExceeded");
	assert_int_equal(status(&s)->failed, 1);
	assert_int_equal(s.pods.n, 0);
	sim_release(&s);
}

static void test_ttl(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 11);
	declare(&s, JOB("  ttlSecondsAfterFinished: 100\n", RUNS("exit0")));
	sim_run_until(&s, s.now + 60 * NSEC);
	assert_int_equal(s.pods.n, 1);
	sim_run_until(&s, s.now + 100 * NSEC);
	assert_int_equal(s.pods.n, 0);
	assert_condition(&s, "Complete", "CompletionsReached");
	sim_run_until(&s, s.now + HOUR);
	assert_int_equal(s.pods.n, 0);
	declare(&s, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
	sim_settle(&s, 100);
	assert_int_equal(count_records(&s, KIND_JOB), 0);
	declare(&s, JOB("", RUNS("exit0")));	/* another one of that name */
	sim_run_until(&s, s.now + 60 * NSEC);
	assert_int_equal(s.pods.n, 1);
	sim_release(&s);
}

static void test_suspend(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 12);
	declare(&s, JOB("  suspend: true\n  parallelism: 2\n  completions: 2\n", RUNS("works")));
	sim_run_until(&s, s.now + 60 * NSEC);
	assert_int_equal(s.pods.n, 0);
	assert_condition(&s, "Suspended", "JobSuspended");
	assert_int_equal(status(&s)->start_time, 0);
	declare(&s, JOB("  suspend: false\n  parallelism: 2\n  completions: 2\n", RUNS("works")));
	sim_run_until(&s, s.now + 60 * NSEC);
	assert_int_equal(running(&s), 2);
	assert_string_equal(condition(&s, "Suspended")->status, "False");
	declare(&s, JOB("  suspend: true\n  parallelism: 2\n  completions: 2\n", RUNS("works")));
	sim_run_until(&s, s.now + 60 * NSEC);
	assert_int_equal(s.pods.n, 0);
	assert_int_equal(status(&s)->failed, 0);
	sim_release(&s);
}

/* A work queue: the first success ends it, the others run to their end. */
static void test_work_queue(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 13);
	declare(&s, JOB("  parallelism: 3\n", RUNS("exit0")));
	assert_true(sim_settle(&s, 1000));
	assert_condition(&s, "Complete", "CompletionsReached");
	assert_int_equal(status(&s)->succeeded, (int)s.pods.n);
	assert_true(s.pods.n <= 3);
	sim_release(&s);
}

static void test_scaled_down_is_no_failure(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 14);
	declare(&s, JOB("  parallelism: 4\n  completions: 4\n", RUNS("works")));
	sim_run_until(&s, s.now + 60 * NSEC);
	assert_int_equal(running(&s), 4);
	declare(&s, JOB("  parallelism: 1\n  completions: 4\n", RUNS("works")));
	sim_run_until(&s, s.now + 60 * NSEC);
	assert_int_equal(running(&s), 1);
	assert_int_equal(status(&s)->failed, 0);
	assert_int_equal(status(&s)->active, 1);
	sim_release(&s);
}

/* Whatever is lost or vanishes, no index succeeds twice. */
static void test_reboots(void **state)
{
	(void)state;
	for (uint64_t seed = 20; seed < 40; seed++) {
		struct sim s;
		int total = 0;

		sim_init(&s, seed);
		s.lost_percent = 20;
		declare(&s, JOB("  completions: 12\n  parallelism: 4\n  completionMode: Indexed\n",
				RUNS("exit0")));
		for (int i = 0; i < 4; i++) {
			sim_run_until(&s, s.now + (int64_t)(sim_random(&s) % 8) * NSEC);
			total = count_records(&s, KIND_JOB) ? status(&s)->succeeded : 0;
			reboot(&s);
		}
		s.lost_percent = 0;
		assert_true(sim_settle(&s, 3000));
		assert_int_equal(status(&s)->succeeded, 12);
		assert_true((int)s.pods.n <= 12 - total);
		assert_condition(&s, "Complete", "CompletionsReached");
		sim_release(&s);
	}
}

/* ---- CronJobs; SIM_START is 2025-11-24T16:00:00Z ---- */

#define CRONJOB(spec, job, image) \
	"apiVersion: batch/v1\n" \
	"kind: CronJob\n" \
	"metadata: {name: c}\n" \
	"spec:\n" spec \
	"  jobTemplate:\n" \
	"    spec: {" job "template: {spec: {restartPolicy: Never, containers: [" RUNS(image) "]}}}\n"

static const struct cronjob_status *cron_status(const struct sim *s)
{
	const struct object *o = record(s, KIND_CRONJOB, "c");

	assert_non_null(o);
	return &o->cronjob->status;
}

static void test_cron_history(void **state)
{
	struct sim s;
	char name[40];

	(void)state;
	sim_init(&s, 50);
	declare(&s, CRONJOB("  schedule: '*/10 * * * *'\n", "", "exit0"));
	sim_run_until(&s, SIM_START + 9 * 60 * NSEC);
	assert_int_equal(count_records(&s, KIND_JOB), 0);
	sim_run_until(&s, SIM_START + 11 * 60 * NSEC);
	assert_int_equal(count_records(&s, KIND_JOB), 1);
	snprintf(name, sizeof(name), "c-%lld", (long long)(SIM_START / NSEC / 60 + 10));
	const struct object *job = record(&s, KIND_JOB, name);
	assert_non_null(job);
	assert_string_equal(strmap_get(&job->meta->annotations,
				       "batch.kubernetes.io/cronjob-scheduled-timestamp"),
			    "2025-11-24T16:10:00Z");
	assert_string_equal(job->meta->owner_references.v[0].kind, "CronJob");
	assert_int_equal(cron_status(&s)->last_schedule_time, SIM_START + 600 * NSEC);
	sim_run_until(&s, SIM_START + 5 * HOUR);
	assert_int_equal(count_records(&s, KIND_JOB), 3);	/* the history */
	assert_int_equal(s.pods.n, 3);
	assert_int_equal(cron_status(&s)->active.n, 0);
	assert_true(cron_status(&s)->last_successful_time > SIM_START + 4 * HOUR);
	sim_release(&s);
}

static void test_cron_concurrency(void **state)
{
	static const struct { const char *text; uint32_t jobs; } cases[] = {
		{ CRONJOB("  schedule: '*/10 * * * *'\n  concurrencyPolicy: Allow\n", "", "works"), 6 },
		{ CRONJOB("  schedule: '*/10 * * * *'\n  concurrencyPolicy: Forbid\n", "", "works"), 1 },
		{ CRONJOB("  schedule: '*/10 * * * *'\n  concurrencyPolicy: Replace\n", "", "works"), 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim s;

		sim_init(&s, 51 + i);
		declare(&s, cases[i].text);
		sim_run_until(&s, SIM_START + 65 * 60 * NSEC);
		assert_int_equal(count_records(&s, KIND_JOB), cases[i].jobs);
		assert_int_equal(running(&s), cases[i].jobs);
		assert_int_equal(cron_status(&s)->active.n, cases[i].jobs);
		/* Replace: the one that runs is the latest; Forbid: the first */
		int64_t last = i == 1 ? 10 : 60;
		assert_int_equal(cron_status(&s)->last_schedule_time,
				 SIM_START + last * 60 * NSEC);
		sim_release(&s);
	}
}

/* orchd was off for a day: the latest is made up for, the others are not. */
static void test_cron_missed(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 60);
	declare(&s, CRONJOB("  schedule: '*/10 * * * *'\n", "", "exit0"));
	sim_run_until(&s, SIM_START + 15 * 60 * NSEC);
	assert_int_equal(count_records(&s, KIND_JOB), 1);
	reboot(&s);
	s.now += 24 * HOUR;
	sim_run_until(&s, s.now + 60 * NSEC);
	assert_int_equal(count_records(&s, KIND_JOB), 2);
	assert_int_equal(cron_status(&s)->last_schedule_time, SIM_START + 24 * HOUR + 600 * NSEC);
	sim_release(&s);

	sim_init(&s, 61);
	declare(&s, CRONJOB("  schedule: '0 * * * *'\n  startingDeadlineSeconds: 60\n", "", "exit0"));
	sim_pass(&s);
	s.now += 90 * 60 * NSEC;
	sim_run_until(&s, s.now + 60 * NSEC);
	assert_int_equal(count_records(&s, KIND_JOB), 0);
	sim_run_until(&s, SIM_START + 2 * HOUR + 60 * NSEC);
	assert_int_equal(count_records(&s, KIND_JOB), 1);
	sim_release(&s);
}

static void test_cron_clock_goes_back(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 62);
	declare(&s, CRONJOB("  schedule: '0 * * * *'\n", "", "exit0"));
	sim_run_until(&s, SIM_START + 3 * HOUR + 60 * NSEC);
	assert_int_equal(count_records(&s, KIND_JOB), 3);
	s.now = SIM_START + 2 * HOUR + 1800 * NSEC;
	sim_run_until(&s, SIM_START + 4 * HOUR + 60 * NSEC);
	/* 19:00 is there already and does not run again; 20:00 does */
	assert_int_equal(cron_status(&s)->last_schedule_time, SIM_START + 4 * HOUR);
	assert_int_equal(count_records(&s, KIND_JOB), 3);
	sim_release(&s);
}

static void test_cron_suspend_and_every(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 63);
	declare(&s, CRONJOB("  schedule: '@every 2s'\n  suspend: true\n", "", "exit0"));
	sim_run_until(&s, SIM_START + 60 * NSEC);
	assert_int_equal(count_records(&s, KIND_JOB), 0);
	declare(&s, CRONJOB("  schedule: '@every 2s'\n", "ttlSecondsAfterFinished: 1, ", "exit0"));
	s.slow = 1;
	sim_run_until(&s, SIM_START + 100 * NSEC);
	assert_true(count_records(&s, KIND_JOB) <= 3);
	assert_true(cron_status(&s)->last_schedule_time >= SIM_START + 98 * NSEC);
	assert_true(cron_status(&s)->last_successful_time >= SIM_START + 90 * NSEC);
	declare(&s, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
	assert_true(sim_settle(&s, 100));
	assert_int_equal(s.derived.n, 0);
	assert_int_equal(s.pods.n, 0);
	sim_release(&s);
}

static const struct zone *find_zone(void *data, const char *name)
{
	const struct zone *zone = NULL;
	struct err err = { 0 };

	if (name && zone_load(data, name, ZONE_DIR, &zone, &err) < 0)
		fail_msg("%s", err.msg);
	return zone;
}

/* https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones */
static void test_cron_time_zone(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 64);
	s.zone = find_zone;
	declare(&s, CRONJOB("  schedule: '0 9 * * *'\n  timeZone: Europe/Berlin\n", "", "exit0"));
	sim_run_until(&s, SIM_START + 16 * HOUR - 60 * NSEC);
	assert_int_equal(count_records(&s, KIND_JOB), 0);
	sim_run_until(&s, SIM_START + 16 * HOUR + 60 * NSEC);	/* 08:00 UTC */
	assert_int_equal(count_records(&s, KIND_JOB), 1);
	for (uint32_t i = 0; i < s.derived.n; i++)
		if (s.derived.v[i]->object.kind->id == KIND_JOB)
			assert_string_equal(
				strmap_get(&s.derived.v[i]->object.meta->annotations,
					   "batch.kubernetes.io/cronjob-scheduled-timestamp"),
				"2025-11-25T09:00:00+01:00");
	sim_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_backoff_limit),
		cmocka_unit_test(test_parallelism),
		cmocka_unit_test(test_indexed),
		cmocka_unit_test(test_backoff_limit_per_index),
		cmocka_unit_test(test_max_failed_indexes),
		cmocka_unit_test(test_failure_policy),
		cmocka_unit_test(test_ignored_failures), cmocka_unit_test(test_preempted),
		cmocka_unit_test(test_managed_by),
		cmocka_unit_test(test_success_policy),
		cmocka_unit_test(test_active_deadline),
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_suspend),
		cmocka_unit_test(test_work_queue),
		cmocka_unit_test(test_scaled_down_is_no_failure),
		cmocka_unit_test(test_reboots),
		cmocka_unit_test(test_cron_history),
		cmocka_unit_test(test_cron_concurrency),
		cmocka_unit_test(test_cron_missed),
		cmocka_unit_test(test_cron_clock_goes_back),
		cmocka_unit_test(test_cron_suspend_and_every),
		cmocka_unit_test(test_cron_time_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
