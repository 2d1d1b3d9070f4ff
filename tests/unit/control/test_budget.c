/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PodDisruptionBudgets: what is counted, and whom preemption spares. */
#include "fixture.h"

#define PDB(name, more)                                                                        \
	"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: " name "}\n"         \
	"spec: {selector: {matchLabels: {a: b}}, " more "}\n---\n"
#define WEB(n)                                                                                 \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: " n ", "  \
	"selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: "          \
	"{containers: [{name: c, image: rootfs:/}]}}}\n---\n"
#define POD(name, label, spec)                                                                 \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name ", labels: {a: " label "}}\n"        \
	"spec: {" spec "containers: [{name: c, image: rootfs:/, resources: {requests: {cpu: 1}}}]}\n---\n"
#define CLASS                                                                                  \
	"apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\nvalue: 9\n---\n"

static void run(struct fixture *f)
{
	struct control_in in = { .set = f->set, .observed = &f->observed, .node_name = "node",
				 .now = f->now, .seed = 42 };

	qtymap_set(&f->arena, &in.allocatable, "cpu", quantity_from_milli(&f->arena, 2000));
	f->wanted = (struct wanted){ 0 };
	control_run(&f->arena, &in, &f->wanted);
}

static const struct pdb_status *status(struct fixture *f)
{
	for (uint32_t i = 0; i < f->wanted.statuses.n; i++)
		if (f->wanted.statuses.v[i].key.kind->id == KIND_PDB)
			return f->wanted.statuses.v[i].status;
	return NULL;
}

/* Of pods that run so many are ready: "expected healthy desired allowed reason". */
static const struct { const char *text; unsigned ready; const char *expected; } cases[] = {
	{ PDB("p", "minAvailable: 2") WEB("3"), 3, "3 3 2 1 SufficientPods" },
	{ PDB("p", "minAvailable: 2") WEB("3"), 2, "3 2 2 0 InsufficientPods" },
	{ PDB("p", "minAvailable: 50%") WEB("3"), 3, "3 3 2 1 SufficientPods" },
	{ PDB("p", "maxUnavailable: 1") WEB("3"), 3, "3 3 2 1 SufficientPods" },
	{ PDB("p", "maxUnavailable: 1") WEB("3"), 2, "3 2 2 0 InsufficientPods" },
	{ PDB("p", "maxUnavailable: 30%") WEB("10"), 10, "10 10 7 3 SufficientPods" },
	{ PDB("p", "maxUnavailable: 1%") WEB("3"), 3, "3 3 2 1 SufficientPods" },	/* rounded up */
	{ PDB("p", "maxUnavailable: 0") WEB("3"), 3, "3 3 3 0 InsufficientPods" },
	{ PDB("p", "minAvailable: 0") WEB("0"), 0, "0 0 0 0 InsufficientPods" },
	{ PDB("p", "minAvailable: 1") POD("x", "b", ""), 1, "1 1 1 0 InsufficientPods" },
	{ PDB("p", "maxUnavailable: 1") POD("x", "b", ""), 1, "0 1 0 0 SyncFailed" },
	{ PDB("p", "minAvailable: 1") POD("x", "c", ""), 1, "0 0 1 0 InsufficientPods" },
};

static void test_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct pdb_status *s;
		struct fixture f;
		char text[100];

		fixture_open(&f, cases[i].text);
		run(&f);
		fixture_make(&f);
		for (uint32_t k = 0; k < cases[i].ready && k < f.observed.npods; k++)
			fixture_ready(&f.observed.pods[k]);
		run(&f);
		s = status(&f);
		snprintf(text, sizeof(text), "%d %d %d %d %s", s->expected_pods, s->current_healthy,
			 s->desired_healthy, s->disruptions_allowed, s->conditions.v[0].reason);
		assert_string_equal(text, cases[i].expected);
		fixture_close(&f);
	}
}

/* x needs the place of one: the younger one would go, but its budget can't spare it; or neither can
 * be spared, then the younger one goes all the same. */
static void test_spared(void **state)
{
	static const struct { const char *budgets, *victim; } told[] = {
		{ "", "v" },
		{ PDB("p", "minAvailable: 1"), "u" },
		{ PDB("p", "minAvailable: 0"), "v" },
		{ "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: all}\n"
		  "spec: {selector: {}, minAvailable: 2}\n---\n", "v" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		BUF_AUTO text = { 0 };
		struct fixture f, g;

		buf_printf(&text, "%s%s", told[i].budgets, CLASS POD("u", "c", "") POD("v", "b", ""));
		fixture_open(&f, buf_str(&text));
		run(&f);
		fixture_make(&f);
		fixture_ready(&f.observed.pods[0]);
		fixture_ready(&f.observed.pods[1]);
		f.observed.pods[0].created_at -= NSEC;
		buf_puts(&text, POD("x", "d", "priorityClassName: high, "));
		fixture_open(&g, buf_str(&text));
		g.observed = f.observed;
		run(&g);
		for (uint32_t k = 0; k < g.wanted.pods.n; k++) {
			const struct wanted_pod *p = &g.wanted.pods.v[k];

			assert_int_equal(p->stop, streq(p->object.meta->name, told[i].victim));
		}
		fixture_close(&g);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status), cmocka_unit_test(test_spared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
