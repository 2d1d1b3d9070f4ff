/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests and limits of pods that run: what changes in place and what makes another pod, what the
 * node has no room for, what LimitRanges and quotas say, and what containers and status make of it.
 */
#include "fixture.h"

#define MI (1LL << 20)
#define POD_OF(name, more, resources)                                                          \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name "}\nspec:\n" more              \
	"  containers:\n  - {name: c, image: i, resources: {" resources "}}\n"                 \
	"  - {name: d, image: i}\n"
#define POD(resources) POD_OF("p", "", resources)

struct scene {
	struct fixture f;
	struct qtymap allocatable;
};

static void scene_run(struct scene *s)
{
	struct control_in in = {
		.set = s->f.set, .observed = &s->f.observed, .node_name = "node", .now = s->f.now,
		.seed = 42, .allocatable = s->allocatable,
	};

	control_run(&s->f.arena, &in, &s->f.wanted);
}

/* The pods of yaml run on a node of 1 cpu and 1 Gi. */
static void scene_open(struct scene *s, const char *yaml)
{
	struct quantity one;

	*s = (struct scene){ 0 };
	fixture_open(&s->f, yaml);
	quantity_parse(&s->f.arena, "1", &one);
	qtymap_set(&s->f.arena, &s->allocatable, "cpu", one);
	quantity_parse(&s->f.arena, "1Gi", &one);
	qtymap_set(&s->f.arena, &s->allocatable, "memory", one);
	scene_run(s);
	fixture_make(&s->f);
	for (uint32_t i = 0; i < s->f.observed.npods; i++)
		fixture_ready(&s->f.observed.pods[i]);
}

static void scene_edit(struct scene *s, const char *yaml)
{
	struct manifest *m = manifest_load("test.yaml", yaml, strlen(yaml));

	assert_false(m->broken);
	set_unref(s->f.set);
	s->f.set = set_build(&m, 1, NULL, 0, &(struct hold_list){ 0 }, NULL);
	manifest_unref(m);
	for (uint32_t i = 0; i < s->f.set->objects.n; i++)
		fixture_identify(&s->f.set->objects.v[i], &s->f.arena, i);
	scene_run(s);
}

/* What the pass wanted was done: what was updated is what runs. */
static void scene_do(struct scene *s)
{
	for (uint32_t i = 0; i < s->f.observed.npods; i++) {
		struct observed_pod *p = &s->f.observed.pods[i];

		for (uint32_t k = 0; k < s->f.wanted.pods.n; k++)
			if (!object_cmp(&s->f.wanted.pods.v[k].object, p->object)) {
				struct object *own = arena_new(&s->f.arena, struct object);

				*own = object_copy(&s->f.arena, &s->f.wanted.pods.v[k].object);
				p->object = own;
			}
	}
}

static void scene_close(struct scene *s)
{
	fixture_close(&s->f);
}

static const struct wanted_pod *want(struct scene *s, const char *name)
{
	for (uint32_t i = 0; i < s->f.wanted.pods.n; i++)
		if (streq(s->f.wanted.pods.v[i].object.meta->name, name))
			return &s->f.wanted.pods.v[i];
	fail_msg("no pod %s", name);
	return NULL;
}

static const struct condition *condition(const struct wanted_pod *w, const char *type)
{
	for (uint32_t i = 0; i < w->status->conditions.n; i++)
		if (streq(w->status->conditions.v[i].type, type))
			return &w->status->conditions.v[i];
	return NULL;
}

static unsigned count(struct scene *s, const char *reason)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < s->f.wanted.events.n; i++)
		n += streq(s->f.wanted.events.v[i].reason, reason);
	return n;
}

/* "requests limits" of the first container */
static const char *amounts(struct scene *s, const struct resource_requirements *r)
{
	return r ? arena_printf(&s->f.arena, "%s %s", fixture_amounts(&s->f.arena, &r->requests),
				fixture_amounts(&s->f.arena, &r->limits)) : "";
}

static const char *given(struct scene *s, const struct wanted_pod *w)
{
	return amounts(s, w->object.pod->spec.containers.v[0].resources);
}

/* ---- what changes in place ---- */

static const struct { const char *was, *is; bool another; } verdicts[] = {
	{ POD("requests: {cpu: 100m}"), POD("requests: {cpu: 200m}"), false },
	{ POD("requests: {cpu: 100m}"), POD("requests: {cpu: 100m, memory: 1Mi}"), false },
	{ POD("requests: {cpu: 100m}"), POD("requests: {cpu: 100m}, limits: {cpu: 1}"), false },
	{ POD("limits: {memory: 1Mi}"), POD("limits: {memory: 2Mi}"), false },
	/* taken away */
	{ POD("requests: {cpu: 100m, memory: 1Mi}"), POD("requests: {cpu: 100m}"), true },
	{ POD("requests: {cpu: 100m}, limits: {cpu: 1}"), POD("requests: {cpu: 100m}"), true },
	/* another quality of service */
	{ POD(""), POD("requests: {cpu: 100m}"), true },
	{ POD("requests: {cpu: 100m}"), POD(""), true },
	/* another resource, and something else besides */
	{ POD("requests: {cpu: 100m}"), POD("requests: {cpu: 100m, ephemeral-storage: 1Mi}"), true },
	{ POD("requests: {cpu: 100m}"),
	  POD_OF("p", "  priority: 7\n", "requests: {cpu: 200m}"), true },
	{ POD_OF("p", "  initContainers: [{name: i, image: i, restartPolicy: Always, resources: "
		      "{requests: {cpu: 1m}}}]\n", ""),
	  POD_OF("p", "  initContainers: [{name: i, image: i, restartPolicy: Always, resources: "
		      "{requests: {cpu: 2m}}}]\n", ""), false },
	{ POD_OF("p", "  initContainers: [{name: i, image: i, resources: {requests: {cpu: 1m}}}]\n", ""),
	  POD_OF("p", "  initContainers: [{name: i, image: i, resources: {requests: {cpu: 2m}}}]\n", ""),
	  true },
};

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		struct scene s;

		scene_open(&s, verdicts[i].was);
		scene_edit(&s, verdicts[i].is);
		if (want(&s, "p")->stop != verdicts[i].another || !want(&s, "p")->resize !=
		    verdicts[i].another)
			fail_msg("%zu: %s -> %s", i, verdicts[i].was, verdicts[i].is);
		scene_close(&s);
	}
}

static void test_granted(void **state)
{
	const struct wanted_pod *w;
	struct scene s;

	(void)state;
	scene_open(&s, POD("requests: {cpu: 100m}"));
	assert_int_equal(want(&s, "p")->object.meta->generation, 1);
	scene_edit(&s, POD("requests: {cpu: 900m}"));
	w = want(&s, "p");
	assert_string_equal(given(&s, w), "cpu=900m ");
	assert_int_equal(w->object.meta->generation, 2);
	assert_int_equal(w->status->observed_generation, 2);
	assert_null(w->resize_waits);
	assert_null(w->declared);
	assert_non_null(condition(w, "PodResizeInProgress"));
	/* not before this pass is over */
	assert_string_equal(amounts(&s, w->status->container_statuses.v[0].resources), "cpu=100m ");
	scene_do(&s);
	scene_run(&s);
	w = want(&s, "p");
	assert_null(w->resize);
	assert_int_equal(w->object.meta->generation, 2);
	assert_string_equal(amounts(&s, w->status->container_statuses.v[0].resources), "cpu=900m ");
	scene_close(&s);
}

/* ---- room ---- */

static void test_infeasible_and_deferred(void **state)
{
	const struct wanted_pod *w;
	struct scene s;
	int64_t wish;

	(void)state;
	scene_open(&s, POD("requests: {memory: 100Mi}") POD_OF("q", "", "requests: {memory: 800Mi}"));
	scene_edit(&s, POD("requests: {memory: 2Gi}") POD_OF("q", "", "requests: {memory: 800Mi}"));
	w = want(&s, "p");
	assert_false(w->stop);
	assert_null(w->resize);
	assert_string_equal(given(&s, w), "memory=100Mi ");
	assert_string_equal(amounts(&s, w->declared->containers.v[0].resources), "memory=2Gi ");
	assert_string_equal(w->resize_waits, "infeasible: Node didn't have enough capacity: memory, "
					     "requested: 2147483648, capacity: 1073741824");
	assert_string_equal(condition(w, "PodResizePending")->reason, "Infeasible");
	assert_int_equal(count(&s, "ResizeInfeasible"), 1);
	scene_do(&s);
	s.f.now += 60 * NSEC;
	scene_edit(&s, POD("requests: {memory: 300Mi}") POD_OF("q", "", "requests: {memory: 800Mi}"));
	w = want(&s, "p");
	wish = s.f.now;
	assert_int_equal(w->object.meta->generation, 3);
	assert_string_equal(condition(w, "PodResizePending")->reason, "Deferred");
	assert_string_equal(condition(w, "PodResizePending")->message,
			    "Node didn't have enough resource: memory, requested: 314572800, used: "
			    "838860800, capacity: 1073741824");
	assert_int_equal(count(&s, "ResizeDeferred"), 1);
	/* later it is the same wish, and no news any more */
	scene_do(&s);
	s.f.now += 60 * NSEC;
	scene_run(&s);
	w = want(&s, "p");
	assert_int_equal(w->object.meta->generation, 3);
	assert_int_equal(condition(w, "PodResizePending")->last_transition_time, wish);
	assert_int_equal(count(&s, "ResizeDeferred"), 0);
	/* until there is room */
	scene_edit(&s, POD("requests: {memory: 300Mi}") POD_OF("q", "", "requests: {memory: 700Mi}"));
	assert_string_equal(given(&s, want(&s, "q")), "memory=700Mi ");
	scene_do(&s);
	scene_run(&s);
	assert_string_equal(given(&s, want(&s, "p")), "memory=300Mi ");
	assert_int_equal(want(&s, "p")->object.meta->generation, 3);
	assert_null(strmap_get(&want(&s, "p")->object.meta->annotations, "orch/resize-pending"));
	scene_close(&s);
}

static void test_revoked(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, POD("requests: {cpu: 100m}"));
	scene_edit(&s, POD("requests: {cpu: 2}"));
	scene_do(&s);
	scene_edit(&s, POD("requests: {cpu: 100m}"));
	assert_null(want(&s, "p")->declared);
	assert_null(condition(want(&s, "p"), "PodResizePending"));
	assert_int_equal(want(&s, "p")->object.meta->generation, 3);
	assert_null(strmap_get(&want(&s, "p")->object.meta->annotations, "orch/resize-pending"));
	scene_close(&s);
}

/* What is deferred keeps a new pod from the room that it waits for; what can't ever be does not. */
static void test_room_is_kept(void **state)
{
	static const char *const wishes[] = {
		POD("requests: {cpu: 600m}") POD_OF("q", "", "requests: {cpu: 500m}"),
		POD("requests: {cpu: 6}") POD_OF("q", "", "requests: {cpu: 500m}"),
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct wanted_pod *w;
		struct scene s;

		scene_open(&s, POD("requests: {cpu: 100m}") POD_OF("q", "", "requests: {cpu: 500m}"));
		scene_edit(&s, arena_printf(&s.f.arena, "%s%s", wishes[i],
					    POD_OF("r", "", "requests: {cpu: 200m}")));
		w = want(&s, "r");
		assert_string_equal(condition(w, "PodScheduled")->status, i ? "True" : "False");
		scene_close(&s);
	}
}

/* What shrinks has its room until it is smaller. */
static void test_room_is_given_back(void **state)
{
	const char *both = POD("requests: {cpu: 100m}") POD_OF("q", "", "requests: {cpu: 200m}");
	struct scene s;

	(void)state;
	scene_open(&s, POD("requests: {cpu: 900m}"));
	scene_edit(&s, both);
	assert_non_null(want(&s, "p")->resize);
	assert_string_equal(condition(want(&s, "q"), "PodScheduled")->status, "False");
	scene_do(&s);
	scene_edit(&s, both);
	assert_string_equal(condition(want(&s, "q"), "PodScheduled")->status, "True");
	scene_close(&s);
}

/* Who is more important, or Guaranteed, comes first; who does not fit is no obstacle for others. */
static void test_order(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, POD_OF("a", "", "requests: {cpu: 100m}")
		   POD_OF("b", "  priorityClassName: system-node-critical\n", "requests: {cpu: 100m}")
		   POD_OF("c", "", "requests: {cpu: 100m}"));
	scene_edit(&s, POD_OF("a", "", "requests: {cpu: 500m}")
		   POD_OF("b", "  priorityClassName: system-node-critical\n", "requests: {cpu: 700m}")
		   POD_OF("c", "", "requests: {cpu: 150m}"));
	assert_non_null(want(&s, "b")->resize);
	assert_non_null(want(&s, "a")->resize_waits);
	assert_non_null(want(&s, "c")->resize);
	scene_close(&s);
}

/* ---- admission ---- */

#define RANGE "---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: r}\nspec:\n  limits:\n" \
	      "  - {type: Container, max: {cpu: 500m}}\n"
#define QUOTA "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: "     \
	      "{requests.cpu: 300m}}\n"
#define ALONE(cpu) "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n" \
		   "  - {name: c, image: i, resources: {limits: {cpu: " cpu "}}}\n"

static void test_admission(void **state)
{
	static const struct { const char *rule, *reason, *says; } cases[] = {
		{ RANGE, "Infeasible", "maximum cpu usage per Container is 500m, but limit is 600m" },
		{ QUOTA, "Deferred", "exceeded quota: q, requested: requests.cpu=500m, used: "
				     "requests.cpu=100m, limited: requests.cpu=300m" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct condition *c;
		struct scene s;

		scene_open(&s, i ? ALONE("100m") QUOTA : ALONE("100m") RANGE);
		scene_edit(&s, arena_printf(&s.f.arena, "%s%s", ALONE("600m"), cases[i].rule));
		c = condition(want(&s, "p"), "PodResizePending");
		assert_string_equal(c->reason, cases[i].reason);
		assert_non_null(strstr(c->message, cases[i].says));
		scene_edit(&s, arena_printf(&s.f.arena, "%s%s", ALONE("300m"), cases[i].rule));
		assert_string_equal(given(&s, want(&s, "p")), "cpu=300m cpu=300m");
		scene_close(&s);
	}
}

/* ---- containers ---- */

static void test_restarts(void **state)
{
	static const char was[] = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
		"  restartPolicy: OnFailure\n  containers:\n"
		"  - {name: c, image: 'rootfs:/', resources: {requests: {cpu: 100m}}, resizePolicy: "
		"[{resourceName: cpu, restartPolicy: RestartContainer}]}\n";
	struct observed_container *c;
	struct scene s;
	char is[sizeof(was)];

	(void)state;
	scene_open(&s, was);
	memcpy(is, was, sizeof(was));
	memcpy(strstr(is, "100m"), "200m", 4);
	scene_edit(&s, is);
	assert_int_equal(want(&s, "p")->resize_restarts, 1);
	scene_do(&s);
	c = &s.f.observed.pods[0].containers[0];
	c->outdated = true;
	c->attempt = 3;
	c->backoff = 3;
	scene_run(&s);
	assert_true(want(&s, "p")->containers[0].kill);
	assert_int_equal(count(&s, "Killing"), 1);
	/* its policy and its back-off would keep it from it */
	c->phase = RUN_ENDED;
	c->end = (struct run_end){ .started_at = NOW - 50 * NSEC, .finished_at = NOW };
	scene_run(&s);
	assert_true(want(&s, "p")->containers[0].run);
	assert_int_equal(want(&s, "p")->containers[0].attempt, 4);
	assert_int_equal(want(&s, "p")->containers[0].backoff, 3);
	assert_string_equal(want(&s, "p")->status->phase, "Running");
	scene_close(&s);
}

static void test_in_progress(void **state)
{
	const struct container_resources had = { .cpu_request_milli = 100, .memory_request = MI,
						 .memory_limit = 64 * MI };
	struct observed_resize r = { .generation = 2, .started_at = NOW, .tried_at = NOW,
				     .failed_at = NOW, .error = "in use" };
	const struct condition *c;
	struct scene s;

	(void)state;
	scene_open(&s, POD("requests: {cpu: 100m, memory: 1Mi}, limits: {memory: 32Mi}"));
	s.f.observed.pods[0].resize = &r;
	s.f.observed.pods[0].containers[0].in_force = &had;
	scene_run(&s);
	c = condition(want(&s, "p"), "PodResizeInProgress");
	assert_string_equal(c->reason, "Error");
	assert_string_equal(c->message, "in use");
	assert_int_equal(c->observed_generation, 2);
	assert_string_equal(amounts(&s, want(&s, "p")->status->container_statuses.v[0].resources),
			    "cpu=100m,memory=1Mi memory=64Mi");
	assert_int_equal(count(&s, "ResizeError"), 1);
	assert_int_equal(s.f.wanted.wake, NOW + 5 * NSEC);
	assert_null(want(&s, "p")->resize);
	s.f.now = NOW + 5 * NSEC;
	scene_run(&s);
	assert_string_equal(want(&s, "p")->resize, "in use");
	r.done_at = s.f.now;
	r.error = NULL;
	scene_run(&s);
	assert_null(condition(want(&s, "p"), "PodResizeInProgress"));
	assert_int_equal(count(&s, "ResizeCompleted"), 1);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts), cmocka_unit_test(test_granted),
		cmocka_unit_test(test_infeasible_and_deferred), cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_room_is_kept), cmocka_unit_test(test_room_is_given_back),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_admission), cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_in_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
