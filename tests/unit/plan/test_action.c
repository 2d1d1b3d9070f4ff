/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The merge-walk: every combination of what runs and what is wanted, and the order of a pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/macro.h"
#include "plan/plan.h"

struct scene {
	struct arena a;
	struct observed o;
	struct wanted w;
	struct object pod;
	struct observed_pod runs;
	struct wanted_pod want;
	struct observed_container oc;
	struct wanted_container wc;
	struct action_list l;
};

static void scene_open(struct scene *s)
{
	*s = (struct scene){ 0 };
	s->pod = object_new(&s->a, KIND_POD, "default", "one");
	s->oc = (struct observed_container){ .name = "c", .phase = RUN_RUNNING };
	s->wc = (struct wanted_container){ .name = "c", .run = true };
	s->runs = (struct observed_pod){ .object = &s->pod, .stage = POD_UP, .containers = &s->oc,
					 .ncontainers = 1 };
	s->want = (struct wanted_pod){ .object = object_copy(&s->a, &s->pod), .containers = &s->wc,
				       .ncontainers = 1 };
	s->o = (struct observed){ .pods = &s->runs, .npods = 1, .services_known = true };
	s->w.pods.v = &s->want;
	s->w.pods.n = 1;
}

static void walk(struct scene *s)
{
	plan_actions(&s->a, &s->o, &s->w, &s->l);
}

static void expect(struct scene *s, const enum action_kind *order, uint32_t n)
{
	walk(s);
	assert_int_equal(s->l.n, n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(s->l.v[i].kind, order[i]);
	arena_release(&s->a);
}

#define EXPECT(s, ...)                                                                         \
	expect(s, (enum action_kind[]){ __VA_ARGS__ },                                          \
	       sizeof((enum action_kind[]){ __VA_ARGS__ }) / sizeof(enum action_kind))

static void test_same(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	expect(&s, NULL, 0);
}

static void test_new(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	s.o.npods = 0;
	EXPECT(&s, ACTION_POD_CREATE, ACTION_CONTAINER_START);
}

static void test_gone_before_stop(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	s.o.npods = 0;
	s.want.stop = true;
	expect(&s, NULL, 0);
}

static void test_stop(void **state)
{
	static const struct { enum pod_stage stage; uint32_t n; enum action_kind kind; } rows[] = {
		{ POD_STARTING, 1, ACTION_POD_STOP }, { POD_UP, 1, ACTION_POD_STOP },
		{ POD_STOPPING, 0, 0 }, { POD_DOWN, 1, ACTION_POD_REMOVE },
		{ POD_BROKEN, 1, ACTION_POD_REMOVE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 2; i++) {
		struct scene s;

		scene_open(&s);
		s.runs.stage = rows[i / 2].stage;
		if (i % 2)
			s.w.pods.n = 0;	/* nobody wants it at all: the same */
		s.want.stop = true;
		expect(&s, &rows[i / 2].kind, rows[i / 2].n);
	}
}

static void test_update(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	strmap_set(&s.a, &s.want.object.meta->labels, "a", "b");
	s.want.config_digest = 1;
	EXPECT(&s, ACTION_POD_UPDATE, ACTION_VOLUMES_UPDATE);
}

static void test_restart(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	s.oc.phase = RUN_ENDED;
	s.wc.run = false;
	walk(&s);
	assert_int_equal(s.l.n, 0);
	s.wc.run = true;
	walk(&s);
	assert_int_equal(s.l.n, 1);
	assert_int_equal(s.l.v[0].kind, ACTION_CONTAINER_START);
	assert_string_equal(s.l.v[0].container, "c");
	s.oc.pending = true;	/* a start was sent already */
	expect(&s, NULL, 0);
}

static void test_kill(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	s.wc.kill = true;
	EXPECT(&s, ACTION_CONTAINER_KILL);
}

/* Additions, then the service maps, then what takes away; records first and last. */
static void test_order(void **state)
{
	static struct endpoint to[] = { { 1, 80 }, { 2, 80 } };
	struct scene s;
	struct observed_pod runs[2];
	struct wanted_pod want[3];
	struct service_entry is = { .ip = 9, .port = 80, .endpoints = to, .count = 1,
				    .name = "default/web:80" };
	struct service_entry will = is;
	struct object rs;

	(void)state;
	scene_open(&s);
	for (int i = 0; i < 3; i++) {
		want[i] = s.want;
		want[i].object = object_new(&s.a, KIND_POD, "default",
					    i == 0 ? "a" : i == 1 ? "b" : "c");
	}
	for (int i = 0; i < 2; i++) {
		runs[i] = s.runs;
		runs[i].object = &want[i].object;
		want[i].stop = true;
	}
	runs[1].stage = POD_DOWN;
	s.o.pods = runs;
	s.o.npods = 2;
	s.w.pods.v = want;
	s.w.pods.n = 3;
	will.count = 2;
	s.o.services = &is;
	s.o.nservices = 1;
	s.w.services.v = &will;
	s.w.services.n = 1;
	rs = object_new(&s.a, KIND_REPLICASET, "default", "new");
	rs.meta->uid = "1";
	s.w.derived = (struct object_list){ &rs, 1 };
	struct object old = object_new(&s.a, KIND_REPLICASET, "default", "old");
	s.o.derived = (struct object_list){ &old, 1 };
	walk(&s);
	assert_string_equal(s.l.v[3].why, "default/web:80: 1 -> 2 endpoints");
	EXPECT(&s, ACTION_OBJECT_PUT, ACTION_POD_CREATE, ACTION_CONTAINER_START,
	       ACTION_SERVICES,
	       ACTION_POD_STOP, ACTION_POD_REMOVE, ACTION_OBJECT_FORGET);
}

/* Metadata goes with it. */
static void test_resize(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	s.want.resize = "resources changed";
	strmap_set(&s.a, &s.want.object.meta->labels, "a", "b");
	s.want.config_digest = 7;
	EXPECT(&s, ACTION_POD_RESIZE, ACTION_VOLUMES_UPDATE);
}

static void test_services_unknown(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	s.o.services_known = false;
	EXPECT(&s, ACTION_SERVICES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_gone_before_stop),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_services_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
