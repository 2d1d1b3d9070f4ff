/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pods have a place on the node, in the scheduler's words; priorities, preemption, taints. */
#include "fixture.h"

#define POD(name, spec)                                                                        \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name ", labels: {app: " name "}}\n"      \
	"spec: {" spec "containers: [{name: c, image: rootfs:/"
#define ASKS(cpu, memory) ", resources: {requests: {cpu: " cpu ", memory: " memory "}}}]}\n---\n"
#define ASKS_NOTHING "}]}\n---\n"
#define NODE(more)                                                                             \
	"apiVersion: v1\nkind: Node\nmetadata: {name: node, labels: {disk: ssd, size: '4'}}\n"  \
	"spec: {" more "}\n---\n"
#define CLASS(name, value, more)                                                               \
	"apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: " name "}\n"   \
	"value: " value "\n" more "---\n"
#define DAEMONS(more)                                                                          \
	"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d}\nspec: {selector: {matchLabels: "\
	"{a: b}}, template: {metadata: {labels: {a: b}}, spec: {" more "containers: [{name: c, "   \
	"image: rootfs:/}]}}}\n---\n"
#define NO_HELP                                                                                \
	" preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
#define NO_VICTIMS                                                                             \
	" preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."

/* Two CPUs, 1 GiB, four pods. */
static void give(struct control_in *in, struct arena *a)
{
	struct quantity gib;

	quantity_parse(a, "1Gi", &gib);
	qtymap_set(a, &in->allocatable, "cpu", quantity_from_milli(a, 2000));
	qtymap_set(a, &in->allocatable, "memory", gib);
	qtymap_set(a, &in->allocatable, "pods", quantity_from_milli(a, 4000));
}

static void run(struct fixture *f)
{
	struct control_in in = { .set = f->set, .observed = &f->observed, .node_name = "node",
				 .now = f->now, .seed = 42 };

	give(&in, &f->arena);
	f->wanted = (struct wanted){ 0 };
	control_run(&f->arena, &in, &f->wanted);
}

static const struct wanted_pod *pod(struct fixture *f, const char *name)
{
	for (uint32_t i = 0; i < f->wanted.pods.n; i++)
		if (streq(f->wanted.pods.v[i].object.meta->name, name))
			return &f->wanted.pods.v[i];
	return NULL;
}

/* Why the pod is not scheduled; "" when it is. */
static const char *reason(struct fixture *f, const char *name)
{
	const struct wanted_pod *p = pod(f, name);

	assert_non_null(p);
	for (uint32_t i = 0; i < p->status->conditions.n; i++) {
		const struct condition *c = &p->status->conditions.v[i];

		if (!streq(c->type, "PodScheduled"))
			continue;
		bool yes = streq(c->status, "True");
		assert_int_equal(p->ncontainers && p->containers[0].run, yes);
		if (!yes)
			assert_string_equal(p->status->phase, "Pending");
		return yes ? "" : c->message;
	}
	fail_msg("%s has no condition", name);
	return NULL;
}

/* The pod "x" of each text. */
static const struct { const char *text, *expected; } cases[] = {
	{ POD("x", "") ASKS("2", "1Gi"), "" },
	{ POD("x", "") ASKS("2001m", "2Gi"),
	  "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory." NO_VICTIMS },
	{ POD("a", "") ASKS("1500m", "0") POD("x", "") ASKS("600m", "0"),
	  "0/1 nodes are available: 1 Insufficient cpu." NO_VICTIMS },
	{ POD("a", "") ASKS("2", "0") POD("x", "") ASKS("0", "0"), "" },
	{ POD("a", "") ASKS_NOTHING POD("b", "") ASKS_NOTHING POD("c", "") ASKS_NOTHING
	  POD("d", "") ASKS_NOTHING POD("x", "") ASKS_NOTHING, "0/1 nodes are available: 1 Too many pods." NO_VICTIMS },
	{ POD("x", "") ", resources: {limits: {example.com/gpu: 1}}}]}\n",
	  "0/1 nodes are available: 1 Insufficient example.com/gpu." NO_VICTIMS },
	/* an init container that needs more than all others together */
	{ POD("x", "initContainers: [{name: i, image: rootfs:/, resources: {requests: {cpu: 3}}}], ")
	  ASKS("1", "0"), "0/1 nodes are available: 1 Insufficient cpu." NO_VICTIMS },
	/* the node */
	{ NODE("") POD("x", "nodeSelector: {disk: ssd, kubernetes.io/hostname: node}, ") ASKS_NOTHING, "" },
	{ NODE("") POD("x", "nodeSelector: {disk: tape}, ") ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." NO_HELP },
	{ NODE("") POD("x", "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
	  "{nodeSelectorTerms: [{matchExpressions: [{key: size, operator: Gt, values: ['3']}]}]}}}, ")
	  ASKS_NOTHING, "" },
	{ NODE("") POD("x", "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
	  "{nodeSelectorTerms: [{matchExpressions: [{key: size, operator: Lt, values: ['3']}]}]}}}, ")
	  ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." NO_HELP },
	{ NODE("") POD("x", "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: "
	  "[{weight: 1, preference: {matchExpressions: [{key: none, operator: Exists}]}}]}}, ")
	  ASKS_NOTHING, "" },
	{ NODE("unschedulable: true") POD("x", "") ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) were unschedulable." NO_HELP },
	{ NODE("taints: [{key: k, value: v, effect: NoSchedule}]") POD("x", "") ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) had untolerated taint {k: v}." NO_HELP },
	{ NODE("taints: [{key: k, value: v, effect: PreferNoSchedule}]") POD("x", "") ASKS_NOTHING, "" },
	{ NODE("taints: [{key: k, value: v, effect: NoSchedule}]")
	  POD("x", "tolerations: [{key: k, operator: Equal, value: v}], ") ASKS_NOTHING, "" },
	{ NODE("taints: [{key: k, value: v, effect: NoExecute}]")
	  POD("x", "tolerations: [{operator: Exists, effect: NoSchedule}], ") ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) had untolerated taint {k: v}." NO_HELP },
	{ POD("x", "schedulingGates: [{name: a.b/c}], ") ASKS_NOTHING,
	  "Scheduling is blocked due to non-empty scheduling gates" },
	/* other pods */
#define AFFINITY(kind, term)                                                                   \
	"affinity: {" kind ": {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "  \
	"kubernetes.io/hostname, " term "}]}}, "
	{ POD("x", AFFINITY("podAffinity", "labelSelector: {matchLabels: {app: a}}")) ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) didn't match pod affinity rules." NO_VICTIMS },
	{ POD("a", "") ASKS_NOTHING
	  POD("x", AFFINITY("podAffinity", "labelSelector: {matchLabels: {app: a}}")) ASKS_NOTHING, "" },
	{ POD("x", AFFINITY("podAffinity", "labelSelector: {matchLabels: {app: x}}")) ASKS_NOTHING, "" },
	{ POD("a", "") ASKS_NOTHING
	  POD("x", AFFINITY("podAntiAffinity", "labelSelector: {matchLabels: {app: a}}")) ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules." NO_VICTIMS },
	{ POD("a", AFFINITY("podAntiAffinity", "labelSelector: {matchLabels: {app: x}}")) ASKS_NOTHING
	  POD("x", "") ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules."
	  NO_VICTIMS },
	{ POD("a", "") ASKS_NOTHING
	  POD("x", AFFINITY("podAntiAffinity", "labelSelector: {}, namespaces: [other]")) ASKS_NOTHING, "" },
	{ POD("a", "") ASKS_NOTHING
	  POD("x", AFFINITY("podAntiAffinity", "labelSelector: {}, namespaceSelector: {}")) ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules." NO_VICTIMS },
	{ POD("a", "") ASKS_NOTHING
	  POD("x", AFFINITY("podAntiAffinity", "labelSelector: {}, matchLabelKeys: [app]"))
	  ASKS_NOTHING, "" },
	/* spread: one place is always even, but for those that are missing */
#define SPREAD(more)                                                                           \
	"topologySpreadConstraints: [{maxSkew: 1, whenUnsatisfiable: DoNotSchedule, "            \
	"labelSelector: {}, " more "}], "
	{ POD("a", "") ASKS_NOTHING POD("x", SPREAD("topologyKey: kubernetes.io/hostname"))
	  ASKS_NOTHING, "" },
	{ POD("x", SPREAD("topologyKey: zone")) ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing "
	  "required label)." NO_HELP },
	{ POD("a", "") ASKS_NOTHING POD("x", SPREAD("topologyKey: kubernetes.io/hostname, minDomains: 2"))
	  ASKS_NOTHING,
	  "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints." NO_VICTIMS },
	/* the more important one has the place */
	{ CLASS("high", "10", "") POD("a", "") ASKS("2", "0")
	  POD("x", "priorityClassName: high, ") ASKS("1", "0"), "" },
	{ CLASS("high", "10", "globalDefault: true\n") CLASS("low", "-5", "") POD("a", "") ASKS("2", "0")
	  POD("x", "priorityClassName: low, ") ASKS("1", "0"),
	  "0/1 nodes are available: 1 Insufficient cpu." NO_VICTIMS },
	{ CLASS("high", "10", "preemptionPolicy: Never\n") POD("a", "priorityClassName: "
	  "system-node-critical, ") ASKS("2", "0") POD("x", "priorityClassName: high, ") ASKS("1", "0"),
	  "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to "
	  "preemptionPolicy=Never." },
};

static void test_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;

		fixture_open(&f, cases[i].text);
		run(&f);
		assert_string_equal(reason(&f, "x"), cases[i].expected);
		fixture_close(&f);
	}
}

static const char *refusal(struct fixture *f)
{
	for (uint32_t i = 0; i < f->wanted.events.n; i++)
		if (streq(f->wanted.events.v[i].reason, "FailedCreate"))
			return f->wanted.events.v[i].message;
	return "";
}

static void test_classes(void **state)
{
	static const struct { const char *text; int32_t priority; const char *refusal; } told[] = {
		{ POD("x", "") ASKS_NOTHING, 0, "" },
		{ POD("x", "priorityClassName: system-cluster-critical, ") ASKS_NOTHING, 2000000000, "" },
		{ CLASS("a", "7", "globalDefault: true\n") CLASS("b", "5", "globalDefault: true\n")
		  POD("x", "") ASKS_NOTHING, 5, "" },
		{ POD("x", "priorityClassName: gone, ") ASKS_NOTHING, 0,
		  "Error creating: pods \"x\" is forbidden: no PriorityClass with name gone was found" },
		{ CLASS("a", "7", "") POD("x", "priority: 8, priorityClassName: a, ") ASKS_NOTHING, 0,
		  "Error creating: pods \"x\" is forbidden: the integer value of priority (8) must not be "
		  "provided in pod spec; priority admission controller computed 7 from the given "
		  "PriorityClass name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		struct fixture f;

		fixture_open(&f, told[i].text);
		run(&f);
		assert_string_equal(refusal(&f), told[i].refusal);
		if (!*told[i].refusal)
			assert_int_equal(pod(&f, "x")->object.pod->spec.priority, told[i].priority);
		fixture_close(&f);
	}
}

#define RUNTIME_CLASS(more)                                                                    \
	"apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: crun}\nhandler: crun\n" \
	more "---\n"
#define OF_CLASS "runtimeClassName: crun, "

/* What a RuntimeClass adds to a pod, and what it does not go together with. */
static void test_runtime_classes(void **state)
{
	static const struct { const char *text, *refusal, *waits; } told[] = {
		{ POD("x", OF_CLASS) ASKS_NOTHING, "", "" },	/* the node finds out */
		{ RUNTIME_CLASS("") POD("x", OF_CLASS) ASKS_NOTHING, "", "" },
		{ POD("x", "overhead: {cpu: 1}, ") ASKS_NOTHING,
		  "Error creating: pods \"x\" is forbidden: pod rejected: Pod Overhead set without "
		  "corresponding RuntimeClass defined Overhead", "" },
		{ RUNTIME_CLASS("overhead: {podFixed: {cpu: 1}}\n")
		  POD("x", OF_CLASS "overhead: {cpu: 1000m}, ") ASKS("500m", "1Mi"), "", "" },
		{ RUNTIME_CLASS("overhead: {podFixed: {cpu: 1}}\n")
		  POD("x", OF_CLASS "overhead: {cpu: 2}, ") ASKS_NOTHING,
		  "Error creating: pods \"x\" is forbidden: pod rejected: Pod's Overhead doesn't match "
		  "RuntimeClass's defined Overhead", "" },
		{ RUNTIME_CLASS("overhead: {podFixed: {cpu: 1}}\n") POD("x", OF_CLASS) ASKS("1500m", "1Mi"),
		  "", "0/1 nodes are available: 1 Insufficient cpu." NO_VICTIMS },
		{ NODE("") RUNTIME_CLASS("scheduling: {nodeSelector: {disk: hdd}}\n")
		  POD("x", OF_CLASS "nodeSelector: {size: '4'}, ") ASKS_NOTHING, "",
		  "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." NO_HELP },
		{ NODE("") RUNTIME_CLASS("scheduling: {nodeSelector: {disk: ssd}}\n")
		  POD("x", OF_CLASS "nodeSelector: {disk: hdd}, ") ASKS_NOTHING,
		  "Error creating: pods \"x\" is forbidden: pod rejected: conflict: "
		  "runtimeClass.scheduling.nodeSelector[disk] = ssd; pod.spec.nodeSelector[disk] = hdd", "" },
		{ NODE("taints: [{key: k, effect: NoSchedule}]")
		  RUNTIME_CLASS("scheduling: {tolerations: [{key: k, operator: Exists}]}\n")
		  POD("x", OF_CLASS "tolerations: [{key: k, operator: Exists}], ") ASKS_NOTHING, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		struct fixture f;

		fixture_open(&f, told[i].text);
		run(&f);
		assert_string_equal(refusal(&f), told[i].refusal);
		if (!*told[i].refusal)
			assert_string_equal(reason(&f, "x"), told[i].waits);
		if (i == ARRAY_SIZE(told) - 1)
			assert_int_equal(pod(&f, "x")->object.pod->spec.tolerations.n, 1);
		fixture_close(&f);
	}
}

static void start(struct fixture *f)
{
	fixture_make(f);
	for (uint32_t i = 0; i < f->observed.npods; i++)
		fixture_ready(&f->observed.pods[i]);
}

/* A second set over what runs in the first one. */
static void change(struct fixture *f, const char *text)
{
	struct fixture g;

	fixture_open(&g, text);
	set_unref(f->set);
	f->set = g.set;
	for (uint32_t i = 0; i < f->set->objects.n; i++)
		fixture_identify(&f->set->objects.v[i], &f->arena, i);
	arena_release(&g.arena);
}

static const char *disruption(struct fixture *f, const char *name)
{
	const struct condition_list *l = &pod(f, name)->status->conditions;

	for (uint32_t i = 0; i < l->n; i++)
		if (streq(l->v[i].type, "DisruptionTarget"))
			return l->v[i].reason;
	return "";
}

#define THREE                                                                                  \
	CLASS("low", "1", "") CLASS("mid", "5", "") CLASS("high", "10", "")                    \
	POD("a", "priorityClassName: mid, ") ASKS("800m", "0")                                 \
	POD("b", "priorityClassName: low, ") ASKS("600m", "0")                                 \
	POD("c", "priorityClassName: low, ") ASKS("600m", "0")

/* The fewest and least important ones go, and the place is kept until they are gone. */
static void test_preemption(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, THREE);
	run(&f);
	start(&f);
	f.observed.pods[1].created_at -= NSEC;		/* b is older than c */
	change(&f, THREE POD("x", "priorityClassName: high, ") ASKS("500m", "0")
	       POD("z", "") ASKS("100m", "0"));
	f.observed.npods = 3;
	run(&f);
	assert_true(pod(&f, "c")->stop);
	assert_string_equal(pod(&f, "c")->why, "preempted by default/x");
	assert_false(pod(&f, "a")->stop || pod(&f, "b")->stop);
	assert_string_equal(pod(&f, "x")->status->nominated_node_name, "node");
	assert_string_equal(reason(&f, "x"), "0/1 nodes are available: 1 Insufficient cpu.");
	assert_string_equal(disruption(&f, "c"), "PreemptionByScheduler");
	/* while it goes nobody else is stopped, and y does not take the place */
	f.observed.pods[2].object = &pod(&f, "c")->object;
	f.observed.pods[2].stage = POD_STOPPING;
	f.observed.pods[2].stopped_at = NOW;
	run(&f);
	assert_false(pod(&f, "a")->stop || pod(&f, "b")->stop);
	assert_string_equal(disruption(&f, "c"), "PreemptionByScheduler");
	assert_string_equal(disruption(&f, "a"), "");
	assert_string_equal(pod(&f, "x")->status->nominated_node_name, "node");
	assert_string_not_equal(reason(&f, "z"), "");
	f.observed.npods = 2;				/* gone */
	run(&f);
	assert_string_equal(reason(&f, "x"), "");
	assert_string_not_equal(reason(&f, "c"), "");	/* it is declared, and waits */
	fixture_close(&f);
}

/* Nobody goes when it would not help, or for an equal. */
static void test_no_preemption(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, THREE);
	run(&f);
	start(&f);
	change(&f, THREE POD("x", "priorityClassName: high, ") ASKS("3", "0")
	       POD("z", "priorityClassName: low, ") ASKS("500m", "0"));
	f.observed.npods = 3;
	run(&f);
	assert_false(pod(&f, "a")->stop || pod(&f, "b")->stop || pod(&f, "c")->stop);
	assert_string_equal(reason(&f, "x"), "0/1 nodes are available: 1 Insufficient cpu." NO_VICTIMS);
	fixture_close(&f);
}

/* What runs keeps its place whatever the node becomes; NoExecute lets it go, in time. */
static void test_taints(void **state)
{
	const char *pods = POD("x", "tolerations: [{key: k, operator: Exists, effect: NoExecute, "
			       "tolerationSeconds: 100}], ") ASKS_NOTHING POD("z", "") ASKS_NOTHING;
	struct fixture f;
	BUF_AUTO text = { 0 };

	(void)state;
	fixture_open(&f, pods);
	run(&f);
	start(&f);
	buf_puts(&text, NODE("unschedulable: true, taints: [{key: q, effect: NoSchedule}]"));
	buf_puts(&text, pods);
	change(&f, buf_str(&text));
	run(&f);
	assert_false(pod(&f, "x")->stop || pod(&f, "z")->stop);
	assert_string_equal(reason(&f, "x"), "");
	text.len = 0;
	buf_puts(&text, NODE("taints: [{key: k, effect: NoExecute}]"));
	buf_puts(&text, pods);
	change(&f, buf_str(&text));
	run(&f);
	assert_true(pod(&f, "z")->stop);
	assert_false(pod(&f, "x")->stop);
	assert_int_equal(f.wanted.wake, NOW + 100 * NSEC);
	assert_int_equal(f.wanted.derived.n, 1);	/* since when is not forgotten */
	f.observed.derived = f.wanted.derived;
	f.now = NOW + 100 * NSEC;
	run(&f);
	assert_true(pod(&f, "x")->stop);
	fixture_close(&f);
}

/* Where labels do not suit there is no pod, and one that runs goes. */
static void test_daemons_leave(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, NODE("") DAEMONS("nodeSelector: {disk: ssd}, "));
	for (uint32_t k = 0; k < f.set->objects.n; k++)
		fixture_identify(&f.set->objects.v[k], &f.arena, 0);
	run(&f);
	start(&f);
	assert_int_equal(f.observed.npods, 1);
	change(&f, DAEMONS("nodeSelector: {disk: ssd}, "));
	fixture_identify(&f.set->objects.v[0], &f.arena, 0);
	run(&f);
	assert_true(f.wanted.pods.v[0].stop);
	f.observed.npods = 0;
	run(&f);
	assert_int_equal(f.wanted.pods.n, 0);
	for (uint32_t i = 0; i < f.wanted.statuses.n; i++)
		if (f.wanted.statuses.v[i].key.kind->id == KIND_DAEMONSET)
			assert_int_equal(((const struct daemonset_status *)f.wanted.statuses.v[i].status)
						 ->desired_number_scheduled, 0);
	fixture_close(&f);
}

/* A cordon is tolerated; what runs stays on new taints that are for new pods only. */
static void test_daemons(void **state)
{
	static const struct { const char *node, *daemons; unsigned first, running; } told[] = {
		{ "", DAEMONS(""), 1, 1 },
		{ NODE(""), DAEMONS("nodeSelector: {disk: ssd}, "), 1, 1 },
		{ NODE("unschedulable: true"), DAEMONS(""), 1, 1 },
		{ NODE("taints: [{key: k, effect: NoSchedule}]"), DAEMONS(""), 0, 1 },
		{ NODE("taints: [{key: k, effect: NoExecute}]"), DAEMONS(""), 0, 0 },
		{ NODE("taints: [{key: k, effect: NoExecute}]"),
		  DAEMONS("tolerations: [{operator: Exists}], "), 1, 1 },
	};
	BUF_AUTO text = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		struct fixture f;

		text.len = 0;
		buf_printf(&text, "%s%s", i == 1 ? NODE("") : "", told[i].daemons);
		fixture_open(&f, buf_str(&text));
		for (uint32_t k = 0; k < f.set->objects.n; k++)
			fixture_identify(&f.set->objects.v[k], &f.arena, 0);
		run(&f);
		start(&f);
		uint32_t n = f.observed.npods;
		text.len = 0;
		buf_printf(&text, "%s%s", told[i].node, told[i].daemons);
		change(&f, buf_str(&text));
		for (uint32_t k = 0; k < f.set->objects.n; k++)	/* the same object */
			if (f.set->objects.v[k].kind->id == KIND_DAEMONSET)
				fixture_identify(&f.set->objects.v[k], &f.arena, 0);
		f.observed.npods = 0;
		run(&f);
		assert_int_equal(f.wanted.pods.n, told[i].first);
		if (told[i].first)
			assert_string_equal(f.wanted.pods.v[0].status->phase, "Pending");
		f.observed.npods = n;
		run(&f);
		bool stays = false;
		for (uint32_t k = 0; k < f.wanted.pods.n; k++)
			stays |= !f.wanted.pods.v[k].stop;
		assert_int_equal(stays, told[i].running);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places), cmocka_unit_test(test_classes),
		cmocka_unit_test(test_runtime_classes),
		cmocka_unit_test(test_preemption), cmocka_unit_test(test_no_preemption),
		cmocka_unit_test(test_taints), cmocka_unit_test(test_daemons),
		cmocka_unit_test(test_daemons_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
