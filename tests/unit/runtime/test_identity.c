/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OOM scores, by the rules of kubelet. */
#include "fixture.h"

#include "base/macro.h"
#include "runtime/identity.h"

#define GI (1024LL * 1024 * 1024)

#define POD(name, more) \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name "}\nspec:\n  " more "\n---\n"
#define MEMORY(n) "resources: {requests: {memory: " n "}}"

static const char yaml[] =
	POD("best", "containers: [{name: c, image: x}]")
	POD("full", "containers: [{name: c, image: x, resources: {limits: {cpu: 1, memory: 1Gi}}}]")
	POD("half", "containers: [{name: c, image: x, " MEMORY("5Gi") "}]")
	POD("tiny", "containers: [{name: c, image: x, " MEMORY("1") "}]")
	POD("cpu", "containers: [{name: c, image: x, resources: {requests: {cpu: 1}}}]")
	POD("huge", "containers: [{name: c, image: x, " MEMORY("9999Mi") "}]")
	POD("more", "containers: [{name: c, image: x, " MEMORY("99Gi") "}]")
	POD("side", "initContainers: [{name: c, image: x, restartPolicy: Always, " MEMORY("1Gi") "}]\n"
	    "  containers: [{name: a, image: x, " MEMORY("3Gi") "}, {name: b, image: x, "
	    MEMORY("2Gi") "}]")
	POD("big-side", "initContainers: [{name: c, image: x, restartPolicy: Always, " MEMORY("4Gi")
	    "}]\n  containers: [{name: a, image: x, " MEMORY("3Gi") "}]");

static const struct { const char *pod; int64_t score; } scores[] = {
	{ "best", 1000 }, { "full", -997 }, { "half", 500 }, { "tiny", 999 }, { "cpu", 999 },
	{ "huge", 24 }, { "more", 3 }, { "side", 800 }, { "big-side", 600 },
};

static void test_scores(void **state)
{
	struct set *s = set_from(yaml);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scores); i++) {
		const struct pod_spec *spec = &pod_in(s, scores[i].pod)->pod->spec;
		int c = pod_container_find(spec, "c");

		assert_int_equal(identity_oom_score(spec, pod_container(spec, (uint32_t)c), 10 * GI),
				 scores[i].score);
	}
	set_unref(s);
}

/* https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/ */
static void test_critical(void **state)
{
	struct set *s = set_from(yaml);
	struct pod_spec *spec = &pod_in(s, "best")->pod->spec;

	(void)state;
	spec->priority = 2000000000;
	assert_int_equal(identity_oom_score(spec, pod_container(spec, 0), 10 * GI), 1000);
	spec->priority = 2000001000;
	assert_int_equal(identity_oom_score(spec, pod_container(spec, 0), 10 * GI), -997);
	set_unref(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scores),
		cmocka_unit_test(test_critical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
