/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What workloads, Jobs and autoscalers are when a file says the least it can. */
#include "fixture.h"
#include "model/build.h"

#define BOX "{metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: 'rootfs:/'}]}}"
#define ONCE                                                                                   \
	"template: {metadata: {labels: {app: x}}, spec: {restartPolicy: Never, containers: [{name: a, image: 'rootfs:/'}]}}"
#define DOC(api, kind) "apiVersion: " api "\nkind: " kind "\nmetadata: {name: x}\n"
#define APPS(kind) DOC("apps/v1", kind) "spec: {selector: {matchLabels: {app: x}}, template: " BOX "}\n"
#define HPA(more)                                                                              \
	DOC("autoscaling/v2", "HorizontalPodAutoscaler")                                       \
	"spec: {scaleTargetRef: {kind: Deployment, name: d}, maxReplicas: 3" more "}\n"

static const struct object *only(struct fixture *f, const char *text)
{
	struct manifest *m = good(f, "a.yaml", text);

	assert_int_equal(m->objects.n, 1);
	return &m->objects.v[0];
}

static void test_statefulset(void **state)
{
	const struct statefulset_spec *s = &only(*state, APPS("StatefulSet"))->statefulset->spec;

	assert_int_equal(s->replicas, 1);
	assert_int_equal(s->revision_history_limit, 10);
	assert_int_equal(s->pod_management_policy, MANAGEMENT_ORDERED_READY);
	assert_int_equal(s->update_strategy.type, UPDATE_ROLLING);
	assert_int_equal(s->update_strategy.rolling_update->partition, 0);
	assert_int_equal(s->update_strategy.rolling_update->max_unavailable.num, 1);
	assert_int_equal(s->persistent_volume_claim_retention_policy.when_deleted, CLAIM_RETAIN);
	assert_int_equal(s->persistent_volume_claim_retention_policy.when_scaled, CLAIM_RETAIN);
	assert_int_equal(s->template->spec.containers.v[0].image_pull_policy, PULL_IF_NOT_PRESENT);
}

static void test_daemonset(void **state)
{
	const struct daemonset_spec *s = &only(*state, APPS("DaemonSet"))->daemonset->spec;

	assert_int_equal(s->revision_history_limit, 10);
	assert_int_equal(s->update_strategy.type, UPDATE_ROLLING);
	assert_int_equal(s->update_strategy.rolling_update->max_unavailable.num, 1);
	assert_int_equal(s->update_strategy.rolling_update->max_surge.num, 0);
}

static void test_replication_controller(void **state)
{
	const struct object *o = only(*state, DOC("v1", "ReplicationController")
				      "spec: {template: " BOX "}\n");
	const struct replication_controller_spec *s = &o->replication_controller->spec;

	assert_int_equal(s->replicas, 1);
	assert_string_equal(strmap_get(&s->selector, "app"), "x");
	assert_string_equal(strmap_get(&o->meta->labels, "app"), "x");
	assert_false(HAS(s, replication_controller_spec, selector));
}

static void test_job(void **state)
{
	const struct object *o = only(*state, DOC("batch/v1", "Job") "spec: {" ONCE "}\n");
	const struct job_spec *s = &o->job->spec;

	assert_int_equal(s->parallelism, 1);
	assert_int_equal(s->completions, 1);
	assert_int_equal(s->backoff_limit, 6);
	assert_int_equal(s->completion_mode, COMPLETION_NON_INDEXED);
	assert_int_equal(s->pod_replacement_policy, REPLACE_TERMINATING_OR_FAILED);
	assert_false(s->suspend);
	assert_string_equal(strmap_get(&o->meta->labels, "app"), "x");
}

static void test_job_variants(void **state)
{
	const struct job_spec *queue, *indexed, *policy;

	queue = &only(*state, DOC("batch/v1", "Job") "spec: {parallelism: 3, " ONCE "}\n")->job->spec;
	assert_int_equal(queue->completions, 0);
	assert_false(HAS(queue, job_spec, completions));
	indexed = &only(*state, DOC("batch/v1", "Job") "spec: {completionMode: Indexed, completions: 3, "
			"backoffLimitPerIndex: 0, " ONCE "}\n")->job->spec;
	assert_int_equal(indexed->backoff_limit, INT32_MAX);
	policy = &only(*state, DOC("batch/v1", "Job") "spec: {podFailurePolicy: {rules: "
		       "[{action: Ignore, onPodConditions: [{type: a}]}]}, " ONCE "}\n")->job->spec;
	assert_int_equal(policy->pod_replacement_policy, REPLACE_FAILED);
	assert_int_equal(policy->pod_failure_policy->rules.v[0].on_pod_conditions.v[0].status,
			 PATTERN_TRUE);
}

static void test_cronjob(void **state)
{
	const struct cronjob_spec *s = &only(*state, DOC("batch/v1", "CronJob")
		"spec: {schedule: '@daily', jobTemplate: {spec: {" ONCE "}}}\n")->cronjob->spec;

	assert_int_equal(s->concurrency_policy, CONCURRENCY_ALLOW);
	assert_int_equal(s->successful_jobs_history_limit, 3);
	assert_int_equal(s->failed_jobs_history_limit, 1);
	assert_null(s->time_zone);
	assert_int_equal(s->job_template->spec.backoff_limit, 6);
	assert_int_equal(s->job_template->spec.completions, 1);
}

static void test_hpa(void **state)
{
	const struct hpa_spec *s = &only(*state, HPA(""))->hpa->spec;

	assert_int_equal(s->min_replicas, 1);
	assert_int_equal(s->metrics.n, 1);
	assert_string_equal(s->metrics.v[0].resource->name, "cpu");
	assert_int_equal(s->metrics.v[0].resource->target->average_utilization, 80);
	const struct hpa_scaling_rules *up = s->behavior->scale_up, *down = s->behavior->scale_down;
	assert_int_equal(up->stabilization_window_seconds, 0);
	assert_int_equal(up->select_policy, SCALING_MAX);
	assert_int_equal(up->policies.n, 2);
	assert_int_equal(up->policies.v[0].value, 4);
	assert_int_equal(up->policies.v[1].value, 100);
	assert_int_equal(down->stabilization_window_seconds, 300);
	assert_int_equal(down->policies.n, 1);
	assert_int_equal(down->policies.v[0].type, SCALING_PERCENT);
}

/* What is written stays, 0 included; what is not is filled in beside it. */
static void test_hpa_written(void **state)
{
	const struct hpa_behavior *b = only(*state, HPA(", behavior: {scaleDown: "
		"{stabilizationWindowSeconds: 0, policies: [{type: Pods, value: 1, periodSeconds: 60}]}}"))->
		hpa->spec.behavior;

	assert_int_equal(b->scale_down->stabilization_window_seconds, 0);
	assert_int_equal(b->scale_down->policies.n, 1);
	assert_int_equal(b->scale_down->policies.v[0].period_seconds, 60);
	assert_int_equal(b->scale_up->policies.n, 2);
}

/* A template by name makes no pods, so no Service selects them; the others do. */
static void test_pods_of_kinds(void **state)
{
	static const struct { const char *text, *path; bool labels; } kinds_of[] = {
		{ APPS("StatefulSet"), "spec.template.spec", true },
		{ APPS("DaemonSet"), "spec.template.spec", true },
		{ DOC("v1", "ReplicationController") "spec: {template: " BOX "}\n",
		  "spec.template.spec", true },
		{ DOC("batch/v1", "Job") "spec: {" ONCE "}\n", "spec.template.spec", true },
		{ DOC("batch/v1", "CronJob")
		  "spec: {schedule: '@daily', jobTemplate: {spec: {" ONCE "}}}\n",
		  "spec.jobTemplate.spec.template.spec", true },
		{ DOC("v1", "PodTemplate") "template: " BOX "\n", "template.spec", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds_of); i++) {
		const struct object *o = only(*state, kinds_of[i].text);
		const char *path;
		const struct pod_spec *s = object_pod_spec(o, &path);

		assert_string_equal(s->containers.v[0].name, "a");
		assert_string_equal(path, kinds_of[i].path);
		assert_int_equal(object_pod_labels(o) != NULL, kinds_of[i].labels);
	}
}

/* generateName: the same text, the same name; its dump, too. */
static void test_generated_name(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: c-}\n"
				   "data: {a: '1'}\n";
	const struct object *one = only(f, text), *two = only(f, text);
	const struct object *other = only(f, "apiVersion: v1\nkind: ConfigMap\n"
					     "metadata: {generateName: c-}\ndata: {a: '2'}\n");

	assert_int_equal(strlen(one->meta->name), 7);
	assert_string_equal(one->meta->name, two->meta->name);
	assert_string_not_equal(one->meta->name, other->meta->name);
	const char *dump = arena_strdup(&f->arena, json_of(f, one, DUMP_WRITTEN));
	assert_null(strstr(dump, "\"name\""));
	assert_string_equal(only(f, dump)->meta->name, one->meta->name);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_statefulset), TEST(test_daemonset), TEST(test_replication_controller),
		TEST(test_job), TEST(test_job_variants), TEST(test_cronjob), TEST(test_hpa),
		TEST(test_hpa_written), TEST(test_pods_of_kinds), TEST(test_generated_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
