/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is evicted: limits of local storage. */
#include "fixture.h"

static const char pod[] =
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: p}\n"
	"spec:\n"
	"  containers:\n"
	"  - {name: a, image: x, resources: {limits: {ephemeral-storage: 1Mi}}}\n"
	"  - {name: b, image: x, resources: {limits: {ephemeral-storage: 2Mi}}}\n"
	"  - {name: c, image: x}\n"
	"  volumes:\n"
	"  - {name: e, emptyDir: {sizeLimit: 3Mi}}\n"
	"  - {name: f, emptyDir: {}}\n";

#define KI 1024
#define MI (1024 * KI)

/* Its containers run, and so much is in its volumes and containers. */
static const struct wanted_pod *run_with(struct fixture *f, const int64_t volumes[2],
					 const int64_t containers[3])
{
	struct pod_usage *u;

	fixture_open(f, pod);
	fixture_run(f);
	fixture_make(f);
	fixture_ready(&f->observed.pods[0]);
	u = arena_new(&f->arena, struct pod_usage);
	u->volumes = arena_array(&f->arena, int64_t, 2);
	u->containers = arena_array(&f->arena, int64_t, 3);
	memcpy(u->volumes, volumes, 2 * sizeof(*volumes));
	memcpy(u->containers, containers, 3 * sizeof(*containers));
	f->observed.pods[0].usage = u;
	fixture_run(f);
	return &f->wanted.pods.v[0];
}

static void check(const int64_t volumes[2], const int64_t containers[3], const char *why)
{
	struct fixture f;
	const struct wanted_pod *w = run_with(&f, volumes, containers);

	if (!why) {
		assert_null(w->evict);
		assert_string_not_equal(w->status->phase, "Failed");
	} else {
		assert_string_equal(w->evict, why);
		assert_string_equal(w->status->phase, "Failed");
		assert_string_equal(w->status->reason, "Evicted");
		assert_string_equal(w->status->message, why);
	}
	fixture_close(&f);
}

static void test_limits(void **state)
{
	(void)state;
	check((int64_t[]){ MI, MI }, (int64_t[]){ MI, 0, 0 }, NULL);
	check((int64_t[]){ 3 * MI + 1, 0 }, (int64_t[]){ 2 * MI, 0, 0 },
	      "Usage of EmptyDir volume \"e\" exceeds the limit \"3Mi\". ");
	check((int64_t[]){ 0, 0 }, (int64_t[]){ 0, 2 * MI + 1, 0 },
	      "Container b exceeded its local ephemeral storage limit \"2Mi\". ");
	check((int64_t[]){ 0, MI }, (int64_t[]){ MI, 0, MI + 1 },
	      "Pod ephemeral local storage usage exceeds the total limit of containers 3Mi. ");
	check((int64_t[]){ 0, 0 }, (int64_t[]){ 0, 0, 3 * MI }, NULL);
}

/* Once it is recorded, it is so: whatever is measured later, and nothing starts again. */
static void test_recorded(void **state)
{
	struct fixture f;
	const struct wanted_pod *w = run_with(&f, (int64_t[]){ 0, 0 }, (int64_t[]){ 0, 0, 0 });

	(void)state;
	assert_null(w->evict);
	f.observed.pods[0].evicted = "The node was low. ";
	fixture_run(&f);
	w = &f.wanted.pods.v[0];
	assert_null(w->evict);
	assert_string_equal(w->status->message, "The node was low. ");
	for (uint32_t i = 0; i < w->ncontainers; i++) {
		assert_false(w->containers[i].run);
		assert_true(w->containers[i].kill);
		assert_int_equal(w->containers[i].grace_s, 1);
	}
	fixture_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
