/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HorizontalPodAutoscalers: what metrics ask for, how fast it comes, what is remembered. */
#include "fixture.h"

#define HPA(min, max, more)                                                                    \
	"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\n"       \
	"spec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n"          \
	"  minReplicas: " min "\n  maxReplicas: " max "\n" more "---\n"
#define CPU(target)                                                                            \
	"  metrics: [{type: Resource, resource: {name: cpu, target: {" target "}}}]\n"
#define AT_HALF CPU("type: Utilization, averageUtilization: 50")
#define WEB(n)                                                                                 \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: " n ", "  \
	"selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: "          \
	"{containers: [{name: c, image: rootfs:/, resources: {requests: {cpu: 1, memory: 1Gi}}}]}}}\n---\n"
#define NO_WINDOW                                                                              \
	"  behavior: {scaleDown: {stabilizationWindowSeconds: 0}}\n"

/* Pods of the first pass run and are ready; long ago. */
static void start(struct fixture *f, const char *text)
{
	fixture_open(f, text);
	fixture_run(f);
	fixture_make(f);
	for (uint32_t i = 0; i < f->observed.npods; i++) {
		struct observed_pod *p = &f->observed.pods[i];

		fixture_ready(p);
		p->created_at = NOW - 1000 * NSEC;
		p->ready_since = NOW - 900 * NSEC;
	}
}

/* Milli of cpu and MiB of each pod; below 0: not measured. */
static void use(struct fixture *f, uint32_t i, int64_t cpu, int64_t mib)
{
	f->observed.pods[i].containers[0].used = (struct container_use){
		cpu < 0 ? 0 : f->now, 15 * NSEC, cpu, mib << 20,
	};
}

static void again(struct fixture *f)
{
	f->wanted = (struct wanted){ 0 };
	fixture_run(f);
}

static const struct hpa_status *status(struct fixture *f)
{
	for (uint32_t i = 0; i < f->wanted.statuses.n; i++)
		if (f->wanted.statuses.v[i].key.kind->id == KIND_HPA)
			return f->wanted.statuses.v[i].status;
	fail_msg("no status");
	return NULL;
}

static const struct condition *condition(struct fixture *f, const char *type)
{
	const struct hpa_status *s = status(f);

	for (uint32_t i = 0; i < s->conditions.n; i++)
		if (streq(s->conditions.v[i].type, type))
			return &s->conditions.v[i];
	fail_msg("no %s", type);
	return NULL;
}

/* What a store would give to the next pass. */
static void remember(struct fixture *f)
{
	f->observed.derived = (struct object_list){ 0 };
	for (uint32_t i = 0; i < f->wanted.derived.n; i++)
		*arena_push(&f->arena, &f->observed.derived) =
			object_copy(&f->arena, &f->wanted.derived.v[i]);
}

/* Three pods; what they use in milli (-1: not measured); how many there should be, and why not. */
static const struct { const char *text; int64_t cpu[3]; int32_t wanted; const char *type, *reason; }
cases[] = {
	{ HPA("1", "10", AT_HALF) WEB("3"), { 500, 500, 500 }, 3, "ScalingLimited", "DesiredWithinRange" },
	{ HPA("1", "10", AT_HALF) WEB("3"), { 540, 540, 540 }, 3, "ScalingActive", "ValidMetricFound" },
	{ HPA("1", "10", AT_HALF) WEB("3"), { 800, 800, 800 }, 5, "AbleToScale", "SucceededRescale" },
	{ HPA("1", "4", AT_HALF) WEB("3"), { 1000, 1000, 1000 }, 4, "ScalingLimited", "TooManyReplicas" },
	{ HPA("1", "100", AT_HALF) WEB("3"), { 9000, 9000, 9000 }, 7, "ScalingLimited", "ScaleUpLimit" },
	{ HPA("1", "10", AT_HALF NO_WINDOW) WEB("3"), { 100, 100, 100 }, 1, "AbleToScale",
	  "SucceededRescale" },
	{ HPA("2", "10", AT_HALF NO_WINDOW) WEB("3"), { 0, 0, 0 }, 2, "ScalingLimited",
	  "TooFewReplicas" },
	/* of one that is not measured the worst is assumed */
	{ HPA("1", "10", AT_HALF) WEB("3"), { 900, 900, -1 }, 4, "ScalingActive", "ValidMetricFound" },
	{ HPA("1", "10", AT_HALF NO_WINDOW) WEB("3"), { 100, 100, -1 }, 3, "ScalingActive",
	  "ValidMetricFound" },
	{ HPA("1", "10", AT_HALF) WEB("3"), { -1, -1, -1 }, 3, "ScalingActive",
	  "FailedGetResourceMetric" },
	/* without metrics: 80 % of cpu; amounts; one container */
	{ HPA("1", "10", "") WEB("3"), { 1600, 1600, 1600 }, 6, "ScalingActive", "ValidMetricFound" },
	{ HPA("1", "10", CPU("type: AverageValue, averageValue: 300m")) WEB("3"), { 400, 400, 400 }, 4,
	  "ScalingActive", "ValidMetricFound" },
	{ HPA("1", "10", "  metrics: [{type: ContainerResource, containerResource: {name: cpu, container: "
	  "c, target: {type: Utilization, averageUtilization: 50}}}]\n") WEB("3"), { 800, 800, 800 }, 5,
	  "AbleToScale", "SucceededRescale" },
	/* bounds come first */
	{ HPA("5", "10", AT_HALF) WEB("3"), { -1, -1, -1 }, 5, "AbleToScale", "SucceededRescale" },
	{ HPA("1", "2", AT_HALF) WEB("3"), { -1, -1, -1 }, 2, "AbleToScale", "SucceededRescale" },
	/* policies */
	{ HPA("1", "100", AT_HALF "  behavior: {scaleUp: {policies: [{type: Pods, value: 1, "
	  "periodSeconds: 60}]}}\n") WEB("3"), { 900, 900, 900 }, 4, "ScalingLimited", "ScaleUpLimit" },
	{ HPA("1", "100", AT_HALF "  behavior: {scaleUp: {selectPolicy: Min, policies: [{type: Pods, value: "
	  "1, periodSeconds: 60}, {type: Percent, value: 100, periodSeconds: 60}]}}\n") WEB("3"),
	  { 900, 900, 900 }, 4, "ScalingLimited", "ScaleUpLimit" },
	{ HPA("1", "100", AT_HALF "  behavior: {scaleUp: {selectPolicy: Disabled}}\n") WEB("3"),
	  { 900, 900, 900 }, 3, "ScalingLimited", "ScaleUpLimit" },
	{ HPA("1", "100", AT_HALF "  behavior: {scaleUp: {tolerance: '0.7'}}\n") WEB("3"),
	  { 800, 800, 800 }, 3, "ScalingLimited", "DesiredWithinRange" },
	{ HPA("1", "10", AT_HALF "  behavior: {scaleDown: {stabilizationWindowSeconds: 0, policies: "
	  "[{type: Percent, value: 40, periodSeconds: 15}]}}\n") WEB("3"), { 10, 10, 10 }, 1,
	  "AbleToScale", "SucceededRescale" },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;

		start(&f, cases[i].text);
		f.observed.derived.n = 0;
		for (uint32_t k = 0; k < f.wanted.derived.n; k++)	/* ReplicaSets, no record yet */
			if (f.wanted.derived.v[k].kind->id == KIND_REPLICASET)
				*arena_push(&f.arena, &f.observed.derived) =
					object_copy(&f.arena, &f.wanted.derived.v[k]);
		for (uint32_t k = 0; k < 3 && k < f.observed.npods; k++)
			use(&f, k, cases[i].cpu[k], 100);
		again(&f);
		assert_string_equal(condition(&f, cases[i].type)->reason, cases[i].reason);
		assert_int_equal(status(&f)->desired_replicas, cases[i].wanted);
		fixture_close(&f);
	}
}

static uint32_t going(struct fixture *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->wanted.pods.n; i++)
		n += f->wanted.pods.v[i].stop;
	return n;
}

/* The highest recommendation of five minutes holds, over a restart, too; then the pods go. */
static void test_stabilization(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, HPA("1", "10", AT_HALF) WEB("3"));
	remember(&f);
	for (uint32_t i = 0; i < 3; i++)
		use(&f, i, 500, 0);
	again(&f);
	remember(&f);
	f.now += 60 * NSEC;
	for (uint32_t i = 0; i < 3; i++)
		use(&f, i, 100, 0);
	again(&f);
	assert_int_equal(status(&f)->desired_replicas, 3);
	assert_string_equal(condition(&f, "AbleToScale")->reason, "ScaleDownStabilized");
	assert_int_equal(f.wanted.wake, f.now + 300 * NSEC);
	assert_int_equal(going(&f), 0);
	remember(&f);
	f.now += 299 * NSEC;
	again(&f);
	assert_int_equal(status(&f)->desired_replicas, 3);
	remember(&f);
	f.now += NSEC;
	again(&f);
	assert_int_equal(status(&f)->desired_replicas, 1);
	assert_int_equal(going(&f), 2);
	assert_int_equal(status(&f)->last_scale_time, f.now);
	fixture_close(&f);
}

/* While nothing changes nothing is written. */
static void test_quiet(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, HPA("1", "10", AT_HALF) WEB("3"));
	for (uint32_t i = 0; i < 3; i++)
		use(&f, i, 500, 0);
	again(&f);
	for (int round = 0; round < 3; round++) {
		remember(&f);
		f.now += 400 * NSEC;
		again(&f);
		assert_int_equal(f.wanted.derived.n, f.observed.derived.n);
		for (uint32_t i = 0; i < f.wanted.derived.n; i++)
			assert_true(schema_equal(f.wanted.derived.v[i].kind->type,
						 f.wanted.derived.v[i].body,
						 f.observed.derived.v[i].body));
	}
	fixture_close(&f);
}

/* Steps of the period count: one pod a minute is one pod a minute. */
static void test_rate(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, HPA("1", "100", AT_HALF "  behavior: {scaleUp: {policies: [{type: Pods, value: 1, "
		      "periodSeconds: 60}]}}\n") WEB("3"));
	for (uint32_t i = 0; i < 3; i++)
		use(&f, i, 5000, 0);
	again(&f);
	assert_int_equal(status(&f)->desired_replicas, 4);
	remember(&f);
	f.now += 30 * NSEC;
	again(&f);
	assert_int_equal(status(&f)->desired_replicas, 4);
	assert_int_equal(f.wanted.wake, f.now + 30 * NSEC);
	remember(&f);
	f.now += 30 * NSEC;
	again(&f);
	assert_int_equal(status(&f)->desired_replicas, 5);
	fixture_close(&f);
}

/* Pods that start hold back; the manifest's number is where it began; 0 switches it off. */
static void test_scale(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, HPA("1", "10", AT_HALF) WEB("3"));
	for (uint32_t i = 0; i < 3; i++)
		use(&f, i, 800, 0);
	f.observed.pods[2].created_at = f.observed.pods[2].ready_since = f.now - 5 * NSEC;
	again(&f);
	assert_int_equal(status(&f)->desired_replicas, 3);	/* (800 + 800 + 0) / 1500 is near */
	f.observed.pods[2].ready_since = f.now - 20 * NSEC;
	again(&f);
	assert_int_equal(status(&f)->desired_replicas, 5);
	assert_int_equal(f.wanted.pods.n, 5);
	for (uint32_t i = 0; i < f.wanted.statuses.n; i++) {
		const struct wanted_status *s = &f.wanted.statuses.v[i];

		if (s->key.kind->id != KIND_DEPLOYMENT)
			continue;
		assert_true(s->scaled);
		assert_int_equal(s->replicas, 5);
	}
	fixture_close(&f);
	start(&f, HPA("1", "10", AT_HALF) WEB("0"));
	assert_string_equal(condition(&f, "ScalingActive")->reason, "ScalingDisabled");
	assert_int_equal(f.wanted.pods.n, 0);
	fixture_close(&f);
}

/* What was chosen for one target is nothing to another. */
static void test_another_target(void **state)
{
	struct cross_version_object_reference *to;
	struct fixture f;

	(void)state;
	start(&f, HPA("1", "10", AT_HALF) WEB("3"));
	for (uint32_t i = 0; i < 3; i++)
		use(&f, i, 800, 0);
	again(&f);
	remember(&f);
	assert_int_equal(status(&f)->desired_replicas, 5);
	f.observed.npods = 0;
	again(&f);
	assert_int_equal(status(&f)->desired_replicas, 5);
	for (uint32_t i = 0; i < f.observed.derived.n; i++) {
		struct object *o = &f.observed.derived.v[i];

		if (o->kind->id != KIND_HPA)
			continue;
		to = o->hpa->spec.scale_target_ref;
		assert_string_equal(to->name, "web");
		to->name = "api";
	}
	again(&f);
	assert_int_equal(status(&f)->desired_replicas, 3);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases), cmocka_unit_test(test_stabilization),
		cmocka_unit_test(test_quiet), cmocka_unit_test(test_rate), cmocka_unit_test(test_scale),
		cmocka_unit_test(test_another_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
