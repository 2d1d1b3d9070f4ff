/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LimitRanges: what pods are given, which are refused and in which words; what runs stays. */
#include "fixture.h"

#define RANGE(text)                                                                            \
	"apiVersion: v1\nkind: LimitRange\nmetadata: {name: r}\nspec:\n  limits:\n" text "---\n"
#define POD(resources)                                                                         \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"               \
	"  - {name: c, image: i, resources: {" resources "}}\n"
#define DEPLOYMENT(resources)                                                                  \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n" \
	"  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n"     \
	"    spec: {containers: [{name: c, image: i, resources: {" resources "}}]}\n"

/* "requests limits" of the only container of the pod that is made, or what the event says. */
static const char *outcome(struct fixture *f)
{
	const char *text = "nothing";

	for (uint32_t i = 0; i < f->wanted.events.n; i++)
		if (streq(f->wanted.events.v[i].reason, "FailedCreate"))
			return f->wanted.events.v[i].message;
	for (uint32_t i = 0; i < f->wanted.pods.n; i++) {
		const struct resource_requirements *r =
			f->wanted.pods.v[i].object.pod->spec.containers.v[0].resources;
		text = r ? arena_printf(&f->arena, "%s %s", fixture_amounts(&f->arena, &r->requests),
					fixture_amounts(&f->arena, &r->limits)) : " ";
	}
	return text;
}

static const struct { const char *text, *expected; } cases[] = {
	/* default from max, defaultRequest from default */
	{ RANGE("  - {type: Container, max: {cpu: 2}}\n") POD(""), "cpu=2 cpu=2" },
	{ RANGE("  - {type: Container, max: {cpu: 2}, min: {cpu: 100m}, default: {cpu: 1, memory: 64Mi}}\n")
	  POD(""), "cpu=1,memory=64Mi cpu=1,memory=64Mi" },
	{ RANGE("  - {type: Container, default: {cpu: 1}, defaultRequest: {cpu: 500m}}\n") POD(""),
	  "cpu=500m cpu=1" },
	/* requests become the limits before a LimitRange is asked */
	{ RANGE("  - {type: Container, default: {cpu: 1}, defaultRequest: {cpu: 500m}}\n")
	  POD("limits: {cpu: 2}"), "cpu=2 cpu=2" },
	/* a default limit below a written request */
	{ RANGE("  - {type: Container, default: {cpu: 500m}}\n") POD("requests: {cpu: 800m}"),
	  "Error creating: Pod \"p\" is invalid: spec.containers[0].resources.requests: Invalid value: "
	  "\"800m\": must be less than or equal to cpu limit of 500m" },
	{ RANGE("  - {type: Container, min: {memory: 100Mi}}\n") POD("limits: {memory: 50Mi}"),
	  "Error creating: pods \"p\" is forbidden: minimum memory usage per Container is 100Mi, but "
	  "limit is 50Mi" },
	{ RANGE("  - {type: Container, max: {cpu: 1, memory: 1Gi}}\n")
	  POD("limits: {cpu: 2, memory: 2Gi}"),
	  "Error creating: pods \"p\" is forbidden: [maximum cpu usage per Container is 1, but limit is "
	  "2, maximum memory usage per Container is 1Gi, but limit is 2Gi]" },
	{ RANGE("  - {type: Container, maxLimitRequestRatio: {cpu: 2}}\n")
	  POD("limits: {cpu: 3}, requests: {cpu: 1}"),
	  "Error creating: pods \"p\" is forbidden: cpu max limit to request ratio per Container is 2, "
	  "but provided ratio is 3.000000" },
	{ RANGE("  - {type: Container, maxLimitRequestRatio: {cpu: 2}}\n") POD("requests: {cpu: 1}"),
	  "Error creating: pods \"p\" is forbidden: cpu max limit to request ratio per Container is 2, "
	  "but no limit is specified or limit is 0" },
	{ RANGE("  - {type: Pod, max: {cpu: 1}}\n") POD(""),
	  "Error creating: pods \"p\" is forbidden: maximum cpu usage per Pod is 1.  No limit is "
	  "specified" },
	{ RANGE("  - {type: Pod, min: {cpu: 2}}\n") POD("requests: {cpu: 1}"),
	  "Error creating: pods \"p\" is forbidden: minimum cpu usage per Pod is 2, but request is 1" },
	/* the sum of the containers, the other namespace's LimitRange, no bound at all */
	{ RANGE("  - {type: Pod, max: {cpu: 1}}\n") POD("limits: {cpu: 600m}")
	  "  - {name: d, image: i, resources: {limits: {cpu: 600m}}}\n",
	  "Error creating: pods \"p\" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m" },
	{ "apiVersion: v1\nkind: Namespace\nmetadata: {name: o}\n---\napiVersion: v1\nkind: LimitRange\n"
	  "metadata: {name: r, namespace: o}\nspec: {limits: [{type: Container, max: {cpu: 1}}]}\n---\n"
	  POD(""), " " },
	{ RANGE("  - {type: Container, max: {cpu: 1}}\n") DEPLOYMENT("limits: {cpu: 500m}"),
	  "cpu=500m cpu=500m" },
};

static void test_outcomes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;

		fixture_open(&f, cases[i].text);
		fixture_run(&f);
		assert_string_equal(outcome(&f), cases[i].expected);
		fixture_close(&f);
	}
}

/* The words come again in each pass as they were, and the Deployment has its condition. */
static void test_replica_failure(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RANGE("  - {type: Container, max: {cpu: 1}}\n") DEPLOYMENT("limits: {cpu: 2}"));
	fixture_run(&f);
	assert_int_equal(f.wanted.pods.n, 0);
	const char *text = outcome(&f);
	assert_non_null(strstr(text, "- \" is forbidden") ? text : strstr(text, "-\" is forbidden"));
	for (uint32_t i = 0; i < f.wanted.statuses.n; i++) {
		const struct deployment_status *s = f.wanted.statuses.v[i].status;

		if (f.wanted.statuses.v[i].key.kind->id != KIND_DEPLOYMENT)
			continue;
		assert_int_equal(s->conditions.n, 3);
		assert_string_equal(s->conditions.v[2].type, "ReplicaFailure");
		assert_string_equal(s->conditions.v[2].reason, "FailedCreate");
		assert_non_null(strstr(s->conditions.v[2].message, "maximum cpu usage per Container"));
	}
	fixture_close(&f);
}

/* A pod that runs was admitted: a LimitRange that comes later changes nothing. */
static void test_runs_on(void **state)
{
	struct fixture f, g;

	(void)state;
	fixture_open(&f, POD("limits: {cpu: 2}"));
	fixture_run(&f);
	fixture_make(&f);
	fixture_open(&g, RANGE("  - {type: Container, max: {cpu: 1}, default: {memory: 1Gi}}\n")
		     POD("limits: {cpu: 2}"));
	g.observed = f.observed;
	fixture_run(&g);
	assert_int_equal(g.wanted.pods.n, 1);
	assert_false(g.wanted.pods.v[0].stop);
	assert_string_equal(outcome(&g), "cpu=2 cpu=2");
	fixture_close(&g);
	fixture_close(&f);
}

/* What was given is not a difference to the manifest: the pod stays in the next pass. */
static void test_given_stays(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RANGE("  - {type: Container, max: {cpu: 1}}\n") POD(""));
	fixture_run(&f);
	fixture_make(&f);
	f.wanted = (struct wanted){ 0 };
	fixture_run(&f);
	assert_int_equal(f.wanted.pods.n, 1);
	assert_false(f.wanted.pods.v[0].stop);
	assert_string_equal(outcome(&f), "cpu=1 cpu=1");
	fixture_close(&f);
}

/* Told where it is written: an error of a Pod, a warning of a template. */
static void test_messages(void **state)
{
	static const struct { const char *text, *expected; } told[] = {
		{ RANGE("  - {type: Container, max: {cpu: 1}}\n") POD("limits: {cpu: 2}"),
		  "test.yaml:13:36: spec.containers[0].resources: forbidden by a LimitRange: maximum cpu "
		  "usage per Container is 1, but limit is 2\n" },
		{ RANGE("  - {type: Container, max: {cpu: 1}}\n") DEPLOYMENT("limits: {cpu: 2}"),
		  "test.yaml:16:56: warning: spec.template.spec.containers[0].resources: forbidden by a "
		  "LimitRange: maximum cpu usage per Container is 1, but limit is 2\n" },
		{ RANGE("  - {type: PersistentVolumeClaim, max: {storage: 1Gi}}\n")
		  "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec:\n"
		  "  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 2Gi}}\n",
		  "test.yaml:12:3: spec.resources.requests.storage: forbidden by a LimitRange: maximum "
		  "storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi\n" },
		{ RANGE("  - {type: Container, max: {cpu: 1}}\n") POD("limits: {cpu: 1}"), "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		BUF_AUTO out = { 0 };
		struct fixture f;

		fixture_open(&f, told[i].text);
		for (uint32_t k = 0; k < f.set->msgs.n; k++)
			msg_print(&f.set->msgs.v[k], &out);
		assert_string_equal(buf_str(&out), told[i].expected);
		fixture_close(&f);
	}
}

/* A claim that is refused gets no volume. */
static void test_claim(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RANGE("  - {type: PersistentVolumeClaim, min: {storage: 1Gi}}\n")
		     "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec:\n"
		     "  volumeName: v\n  storageClassName: ''\n"
		     "  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Mi}}\n"
		     "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec:\n"
		     "  {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}}\n");
	fixture_run(&f);
	assert_int_equal(f.wanted.events.n, 1);
	assert_string_equal(f.wanted.events.v[0].message,
			    "persistentvolumeclaims \"c\" is forbidden: minimum storage usage per "
			    "PersistentVolumeClaim is 1Gi, but request is 1Mi");
	for (uint32_t i = 0; i < f.wanted.shown.n; i++)
		if (f.wanted.shown.v[i].kind->id == KIND_PVC)
			assert_string_equal(f.wanted.shown.v[i].pvc->status.phase, "Pending");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes), cmocka_unit_test(test_replica_failure),
		cmocka_unit_test(test_runs_on), cmocka_unit_test(test_given_stays),
		cmocka_unit_test(test_messages), cmocka_unit_test(test_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
