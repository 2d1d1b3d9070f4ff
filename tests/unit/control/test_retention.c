/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which claims of a StatefulSet go with the pods that are one too many. */
#include "fixture.h"

static const char *set_text(struct arena *a, int replicas, const char *policy)
{
	return arena_printf(a, "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n"
			    "  {replicas: %d, podManagementPolicy: Parallel, serviceName: db,\n"
			    "   persistentVolumeClaimRetentionPolicy: {%s},\n"
			    "   selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},\n"
			    "   spec: {containers: [{name: c, image: rootfs:/}]}},\n"
			    "   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: "
			    "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}\n",
			    replicas, policy);
}

static void change(struct fixture *f, int replicas, const char *policy)
{
	struct fixture g;

	fixture_open(&g, set_text(&f->arena, replicas, policy));
	set_unref(f->set);
	f->set = g.set;
	fixture_identify(&f->set->objects.v[0], &f->arena, 0);
	arena_release(&g.arena);
	f->wanted = (struct wanted){ 0 };
	fixture_run(f);
}

static void remember(struct fixture *f)
{
	f->observed.derived = (struct object_list){ 0 };
	for (uint32_t i = 0; i < f->wanted.derived.n; i++)
		*arena_push(&f->arena, &f->observed.derived) =
			object_copy(&f->arena, &f->wanted.derived.v[i]);
}

/* "data-db-0 data-db-1 " */
static const char *claims(struct fixture *f)
{
	const char *text = "";

	for (uint32_t i = 0; i < f->wanted.derived.n; i++)
		if (f->wanted.derived.v[i].kind->id == KIND_PVC)
			text = arena_printf(&f->arena, "%s%s ", text,
					    f->wanted.derived.v[i].meta->name);
	return text;
}

static void begin(struct fixture *f, const char *policy)
{
	struct arena a = { 0 };

	fixture_open(f, set_text(&a, 2, policy));
	arena_release(&a);
	fixture_run(f);
	fixture_make(f);
	fixture_ready(&f->observed.pods[0]);
	fixture_ready(&f->observed.pods[1]);
}

static void test_scaled(void **state)
{
	static const struct { const char *policy, *left; } told[] = {
		{ "whenScaled: Retain", "data-db-0 data-db-1 " },
		{ "whenScaled: Delete", "data-db-0 " },
		{ "whenScaled: Delete, whenDeleted: Delete", "data-db-0 " },
		{ "whenDeleted: Delete", "data-db-0 data-db-1 " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		struct fixture f;

		begin(&f, told[i].policy);
		change(&f, 1, told[i].policy);
		assert_true(f.wanted.pods.v[1].stop);
		assert_string_equal(claims(&f), "data-db-0 data-db-1 ");	/* it is still there */
		remember(&f);
		f.observed.npods = 1;
		change(&f, 1, told[i].policy);
		assert_string_equal(claims(&f), told[i].left);
		fixture_close(&f);
	}
}

/* Wanted again before it was gone: the claim stays, for the pod that comes. */
static void test_wanted_again(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "whenScaled: Delete");
	change(&f, 1, "whenScaled: Delete");
	remember(&f);
	f.observed.pods[1].stage = POD_STOPPING;
	f.observed.pods[1].stopped_at = NOW;
	change(&f, 2, "whenScaled: Delete");
	remember(&f);
	f.observed.npods = 1;
	change(&f, 2, "whenScaled: Delete");
	assert_string_equal(claims(&f), "data-db-0 data-db-1 ");
	assert_int_equal(f.wanted.pods.n, 2);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scaled), cmocka_unit_test(test_wanted_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
