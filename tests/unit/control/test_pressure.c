/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Node-pressure eviction: what looks at the signals mean, who goes, and who stays away. */
#include "fixture.h"

#include "model/types.h"

#define GI (1024LL * 1024 * 1024)
#define MI (1024LL * 1024)

/* ---- looks ---- */

static struct eviction_rules rules_of(const char *const hard[2], const char *const soft[3])
{
	struct settings s = { .eviction_transition = "1m" };
	struct strpair pairs[3];
	struct eviction_rules r;

	MARK(&s, settings, eviction_hard);
	if (hard) {
		pairs[0] = (struct strpair){ hard[0], hard[1] };
		s.eviction_hard = (struct strmap){ &pairs[0], 1 };
	}
	if (soft) {
		pairs[1] = (struct strpair){ soft[0], soft[1] };
		pairs[2] = (struct strpair){ soft[0], soft[2] };
		s.eviction_soft = (struct strmap){ &pairs[1], 1 };
		s.eviction_soft_grace = (struct strmap){ &pairs[2], 1 };
	}
	eviction_rules(&s, &r);
	return r;
}

static struct observed_node node_at(int64_t seconds, enum node_signal s, int64_t available)
{
	struct observed_node n = { .at = NOW + seconds * NSEC };

	n.capacity[s] = 10 * GI;
	n.available[s] = available;
	return n;
}

static void look(const struct eviction_rules *r, int64_t seconds, enum node_signal s,
		 int64_t available, struct eviction_state *e)
{
	struct observed_node n = node_at(seconds, s, available);

	eviction_look(r, &n, e);
}

static void test_defaults(void **state)
{
	struct settings s = { .eviction_transition = "5m0s" };
	struct eviction_rules r;

	(void)state;
	eviction_rules(&s, &r);
	assert_int_equal(eviction_amount_of(&r.hard[SIGNAL_MEMORY], 10 * GI), 100 * MI);
	assert_int_equal(eviction_amount_of(&r.hard[SIGNAL_NODEFS], 1000), 100);
	assert_int_equal(eviction_amount_of(&r.hard[SIGNAL_IMAGEFS], 1000), 150);
	assert_int_equal(eviction_amount_of(&r.hard[SIGNAL_NODEFS_INODES], 1000), 50);
	assert_false(r.hard[SIGNAL_PID].set);
	assert_int_equal(r.transition, 300 * NSEC);
}

/* Who sets one has no others; 0% is none. */
static void test_own_thresholds(void **state)
{
	struct eviction_rules r = rules_of((const char *[]){ "memory.available", "0%" }, NULL);

	(void)state;
	for (int i = 0; i < SIGNALS; i++)
		assert_false(r.hard[i].set);
}

static void test_hard(void **state)
{
	struct eviction_rules r = rules_of((const char *[]){ "memory.available", "1Gi" }, NULL);
	struct eviction_state e = { 0 };

	(void)state;
	look(&r, 0, SIGNAL_MEMORY, GI, &e);
	assert_false(e.reclaiming || e.on[PRESSURE_MEMORY]);
	look(&r, 10, SIGNAL_MEMORY, GI - 1, &e);
	assert_true(e.reclaiming && e.hard && e.on[PRESSURE_MEMORY]);
	assert_int_equal(e.since[PRESSURE_MEMORY], NOW + 10 * NSEC);
	look(&r, 20, SIGNAL_MEMORY, 2 * GI, &e);
	assert_false(e.reclaiming);
	assert_true(e.on[PRESSURE_MEMORY]);	/* a condition outlives its cause */
	look(&r, 69, SIGNAL_MEMORY, 2 * GI, &e);
	assert_true(e.on[PRESSURE_MEMORY]);
	look(&r, 70, SIGNAL_MEMORY, 2 * GI, &e);
	assert_false(e.on[PRESSURE_MEMORY]);
	assert_int_equal(e.since[PRESSURE_MEMORY], NOW + 70 * NSEC);
}

static void test_minimum_reclaim(void **state)
{
	struct eviction_rules r = rules_of((const char *[]){ "nodefs.available", "10%" }, NULL);
	struct eviction_state e = { 0 };

	(void)state;
	r.reclaim[SIGNAL_NODEFS] = (struct eviction_amount){ .set = true, .value = GI };
	look(&r, 0, SIGNAL_NODEFS, GI + MI, &e);
	assert_false(e.reclaiming);
	look(&r, 1, SIGNAL_NODEFS, GI - MI, &e);
	look(&r, 2, SIGNAL_NODEFS, 2 * GI - MI, &e);
	assert_true(e.reclaiming && e.on[PRESSURE_DISK]);
	look(&r, 3, SIGNAL_NODEFS, 2 * GI, &e);
	assert_false(e.reclaiming);
}

static void test_soft(void **state)
{
	struct eviction_rules r = rules_of(NULL, (const char *[]){ "pid.available", "50%", "30s" });
	struct eviction_state e = { 0 };

	(void)state;
	look(&r, 0, SIGNAL_PID, GI, &e);
	assert_true(e.on[PRESSURE_PID]);	/* the condition does not wait */
	assert_false(e.reclaiming);
	look(&r, 20, SIGNAL_PID, 6 * GI, &e);
	look(&r, 25, SIGNAL_PID, GI, &e);	/* begins anew */
	look(&r, 54, SIGNAL_PID, GI, &e);
	assert_false(e.reclaiming);
	look(&r, 55, SIGNAL_PID, GI, &e);
	assert_true(e.reclaiming && !e.hard);
	assert_int_equal(e.signal, SIGNAL_PID);
}

/* ---- who goes ---- */

static const char pods[] =
	"apiVersion: v1\nkind: Pod\nmetadata: {name: calm}\n"
	"spec: {containers: [{name: c, image: x, resources: {requests: {memory: 2Gi}}}]}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: eager}\n"
	"spec: {containers: [{name: c, image: x, resources: {requests: {memory: 1Gi}}}]}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: free}\n"
	"spec: {containers: [{name: c, image: x}]}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: system}\n"
	"spec: {containers: [{name: c, image: x}]}\n";

/* All four run; memory of each in MiB, and the priority of two. */
static void four(struct fixture *f, const int mib[4], int32_t eager, int32_t free_pod)
{
	fixture_open(f, pods);
	fixture_run(f);
	fixture_make(f);
	for (uint32_t i = 0; i < 4; i++) {
		struct observed_pod *p = &f->observed.pods[i];

		fixture_ready(p);
		p->containers[0].memory = mib[i] * MI;
		p->containers[0].pids = 10 - i;
		((struct object *)p->object)->pod->spec.priority =
			i == 1 ? eager : i == 2 ? free_pod : i == 3 ? 2000000000 : 0;
	}
}

static const struct wanted_pod *pass(struct fixture *f, const struct eviction_rules *r,
				     const struct eviction_state *e, const struct observed_node *n)
{
	struct control_in in = { .set = f->set, .observed = &f->observed, .node_name = "node",
				 .now = n->at, .seed = 1, .started = NOW, .eviction_rules = r,
				 .eviction = e };
	const struct wanted_pod *gone = NULL;

	f->observed.node = n;
	control_run(&f->arena, &in, &f->wanted);
	for (uint32_t i = 0; i < f->wanted.pods.n; i++) {
		if (!f->wanted.pods.v[i].evict)
			continue;
		assert_null(gone);	/* one at a time */
		gone = &f->wanted.pods.v[i];
	}
	return gone;
}

static const struct {
	int mib[4];
	int32_t eager, free_pod;
	const char *name;		/* NULL: nobody */
} ranking[] = {
	{ { 2000, 1000, 10, 4000 }, 0, 0, "free" },	/* beyond its request; critical ones stay */
	{ { 2000, 1900, 100, 4000 }, 0, 0, "eager" },	/* more beyond it */
	{ { 2000, 1900, 100, 4000 }, 5, 0, "free" },	/* lower priority first */
	{ { 4000, 1900, 100, 4000 }, -1, 0, "eager" },
	{ { 1000, 900, 0, 4000 }, 0, 0, "free" },	/* all within: usage decides */
};

static void test_order_of_memory(void **state)
{
	struct eviction_rules r = rules_of((const char *[]){ "memory.available", "1Gi" }, NULL);
	struct observed_node n = node_at(60, SIGNAL_MEMORY, GI / 2);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ranking); i++) {
		struct eviction_state e = { 0 };
		struct fixture f;

		eviction_look(&r, &n, &e);
		four(&f, ranking[i].mib, ranking[i].eager, ranking[i].free_pod);
		const struct wanted_pod *w = pass(&f, &r, &e, &n);
		assert_non_null(w);
		assert_string_equal(w->object.meta->name, ranking[i].name);
		fixture_close(&f);
	}
}

static void test_words(void **state)
{
	struct eviction_rules r = rules_of((const char *[]){ "memory.available", "1Gi" }, NULL);
	struct observed_node n = node_at(60, SIGNAL_MEMORY, 512 * MI);
	struct eviction_state e = { 0 };
	struct fixture f;

	(void)state;
	eviction_look(&r, &n, &e);
	four(&f, (int[]){ 1, 1900, 1, 1 }, 0, 5);
	const struct wanted_pod *w = pass(&f, &r, &e, &n);
	assert_string_equal(w->evict, "The node was low on resource: memory. Threshold quantity: 1Gi, "
			    "available: 512Mi. Container c was using 1900Mi, request is 1Gi, has larger "
			    "consumption of memory. ");
	assert_string_equal(w->status->reason, "Evicted");
	assert_true(w->containers[0].kill);
	assert_int_equal(w->containers[0].grace_s, 1);
	fixture_close(&f);
}

/* Between two pods the node is looked at again, and the first one must be gone. */
static void test_one_after_the_other(void **state)
{
	struct eviction_rules r = rules_of((const char *[]){ "memory.available", "1Gi" }, NULL);
	struct observed_node n = node_at(60, SIGNAL_MEMORY, GI / 2);
	struct eviction_state e = { 0 };
	struct fixture f;

	(void)state;
	eviction_look(&r, &n, &e);
	four(&f, (int[]){ 1, 1, 1, 1 }, 0, 0);
	assert_non_null(pass(&f, &r, &e, &n));
	e.evicted_at = n.at;
	assert_null(pass(&f, &r, &e, &n));
	n.at += NSEC;
	f.observed.pods[2].evicted = "why";
	assert_null(pass(&f, &r, &e, &n));
	f.observed.pods[2].containers[0].phase = RUN_ENDED;
	const struct wanted_pod *w = pass(&f, &r, &e, &n);
	assert_string_equal(w->object.meta->name, "eager");
	fixture_close(&f);
}

/* A soft threshold leaves time, though not more than the pod's own. */
static void test_grace_of_soft(void **state)
{
	struct eviction_rules r = rules_of(NULL, (const char *[]){ "memory.available", "1Gi", "0s" });
	struct observed_node n = node_at(60, SIGNAL_MEMORY, GI / 2);
	struct eviction_state e = { 0 };
	struct fixture f;

	(void)state;
	r.max_grace_s = 20;
	eviction_look(&r, &n, &e);
	four(&f, (int[]){ 1, 1, 1, 1 }, 0, 0);
	assert_int_equal(pass(&f, &r, &e, &n)->containers[0].grace_s, 20);
	r.max_grace_s = 100;
	assert_int_equal(pass(&f, &r, &e, &n)->containers[0].grace_s, 30);
	fixture_close(&f);
}

static void test_order_of_processes(void **state)
{
	struct eviction_rules r = rules_of((const char *[]){ "pid.available", "90%" }, NULL);
	struct observed_node n = node_at(60, SIGNAL_PID, GI);
	struct eviction_state e = { 0 };
	struct fixture f;

	(void)state;
	eviction_look(&r, &n, &e);
	four(&f, (int[]){ 1, 1, 1, 1 }, 0, 0);
	assert_string_equal(pass(&f, &r, &e, &n)->object.meta->name, "calm");
	fixture_close(&f);
}

/* Of a disk what nobody uses goes first; then all pods have to be measured. */
static void test_disk(void **state)
{
	struct eviction_rules r = rules_of((const char *[]){ "nodefs.available", "10%" }, NULL);
	struct observed_node n = node_at(60, SIGNAL_NODEFS, GI / 2);
	int64_t used[4] = { 1, 7, 3, 99 };
	struct pod_usage u[4];
	struct eviction_state e = { 0 };
	struct fixture f;

	(void)state;
	eviction_look(&r, &n, &e);
	four(&f, (int[]){ 1, 1, 1, 1 }, 0, 0);
	for (int i = 0; i < 3; i++) {
		u[i] = (struct pod_usage){ .containers = &used[i] };
		f.observed.pods[i].usage = &u[i];
	}
	assert_null(pass(&f, &r, &e, &n));
	e.cleaned_at = n.at;
	assert_null(pass(&f, &r, &e, &n));
	n.at += NSEC;
	f.observed.pods[2].usage = NULL;
	assert_null(pass(&f, &r, &e, &n));
	f.observed.pods[2].usage = &u[2];
	u[3] = (struct pod_usage){ .containers = &used[3] };
	f.observed.pods[3].usage = &u[3];
	const struct wanted_pod *w = pass(&f, &r, &e, &n);
	assert_string_equal(w->object.meta->name, "eager");
	assert_true(strstr(w->evict, "low on resource: ephemeral-storage."));
	fixture_close(&f);
}

/* ---- the node, and who stays away ---- */

static const struct node_object *node_of(const struct wanted *w)
{
	for (uint32_t i = 0; i < w->shown.n; i++)
		if (w->shown.v[i].kind->id == KIND_NODE)
			return w->shown.v[i].node;
	fail_msg("no Node");
	return NULL;
}

static const char *condition(const struct wanted *w, const char *type)
{
	const struct node_object *n = node_of(w);

	for (uint32_t i = 0; i < n->status.conditions.n; i++)
		if (streq(n->status.conditions.v[i].type, type))
			return n->status.conditions.v[i].status;
	return "";
}

static void test_node(void **state)
{
	struct eviction_rules r = rules_of((const char *[]){ "memory.available", "1Gi" }, NULL);
	struct observed_node n = node_at(60, SIGNAL_MEMORY, GI / 2);
	struct eviction_state e = { 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f, pods);
	pass(&f, &r, &e, &n);
	const struct node_object *node = node_of(&f.wanted);
	assert_string_equal(condition(&f.wanted, "MemoryPressure"), "False");
	assert_string_equal(condition(&f.wanted, "Ready"), "True");
	assert_int_equal(node->spec.taints.n, 0);
	eviction_look(&r, &n, &e);
	pass(&f, &r, &e, &n);
	node = node_of(&f.wanted);
	assert_string_equal(condition(&f.wanted, "MemoryPressure"), "True");
	assert_string_equal(condition(&f.wanted, "DiskPressure"), "False");
	assert_int_equal(node->spec.taints.n, 1);
	assert_string_equal(node->spec.taints.v[0].key, "node.kubernetes.io/memory-pressure");
	fixture_close(&f);
}

/* Those with requests of memory bear it, those that tolerate it, and those that have begun. */
static void test_who_stays_away(void **state)
{
	static const char yaml[] =
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
		"spec: {containers: [{name: c, image: x}]}\n---\n"
		"apiVersion: v1\nkind: Pod\nmetadata: {name: b}\n"
		"spec: {containers: [{name: c, image: x, resources: {requests: {memory: 1Mi}}}]}\n---\n"
		"apiVersion: v1\nkind: Pod\nmetadata: {name: c}\n"
		"spec:\n  containers: [{name: c, image: x}]\n"
		"  tolerations: [{key: node.kubernetes.io/memory-pressure, operator: Exists}]\n";
	static const char away[] = "0/1 nodes are available: 1 node(s) had untolerated taint "
				   "{node.kubernetes.io/memory-pressure: }";
	struct eviction_rules r = rules_of((const char *[]){ "memory.available", "1Gi" }, NULL);
	struct observed_node n = node_at(60, SIGNAL_MEMORY, GI / 2);
	struct eviction_state e = { 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f, yaml);
	eviction_look(&r, &n, &e);
	e.reclaiming = false;
	pass(&f, &r, &e, &n);
	for (uint32_t i = 0; i < 3; i++) {
		const struct wanted_pod *w = &f.wanted.pods.v[i];
		const struct condition *c = NULL;

		for (uint32_t k = 0; k < w->status->conditions.n; k++)
			if (streq(w->status->conditions.v[k].type, "PodScheduled"))
				c = &w->status->conditions.v[k];
		assert_false(i == 0 && w->containers[0].run);
		assert_string_equal(c->status, i > 0 ? "True" : "False");
		if (i == 0)
			assert_non_null(strstr(c->message, away));
	}
	fixture_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_own_thresholds),
		cmocka_unit_test(test_hard),
		cmocka_unit_test(test_minimum_reclaim),
		cmocka_unit_test(test_soft),
		cmocka_unit_test(test_order_of_memory),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_grace_of_soft),
		cmocka_unit_test(test_order_of_processes),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_who_stays_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
