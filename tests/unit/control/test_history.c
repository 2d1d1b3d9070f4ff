/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an object's pods were made from, among what is recorded. */
#include "fixture.h"

static struct object record(struct arena *a, enum kind_id kind, const char *name, const char *owner)
{
	struct object o = object_new(a, kind, "default", name);
	struct owner_reference *r = arena_push(a, &o.meta->owner_references);

	r->uid = owner;
	r->controller = true;
	return o;
}

static struct object revision(struct arena *a, const char *name, const char *owner, int64_t n)
{
	struct object o = record(a, KIND_CONTROLLERREVISION, name, owner);

	o.controller_revision->revision = n;
	return o;
}

/* Claims that go with their StatefulSet are its own, too; they are nothing to go back to. */
static void test_owned_claims_are_no_history(void **state)
{
	struct arena a = { 0 };
	struct object owner = object_new(&a, KIND_STATEFULSET, "default", "db");
	struct object claim = record(&a, KIND_PVC, "data-db-0", "me");
	struct object one = revision(&a, "db-1", "me", 1);
	struct control_history h = { 0 };

	(void)state;
	owner.meta->uid = "me";
	control_history_add(&h, &owner, &one);
	control_history_add(&h, &owner, &claim);
	assert_ptr_equal(h.newest, &one);
	assert_null(h.before);
	arena_release(&a);
}

static void test_order(void **state)
{
	struct arena a = { 0 };
	struct object owner = object_new(&a, KIND_STATEFULSET, "default", "db");
	struct object records[] = {
		revision(&a, "db-2", "me", 2), revision(&a, "db-4", "me", 4),
		revision(&a, "db-3", "me", 3), revision(&a, "web-9", "somebody", 9),
	};
	struct control_history h = { .to = 2 };

	(void)state;
	owner.meta->uid = "me";
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		control_history_add(&h, &owner, &records[i]);
	assert_ptr_equal(h.newest, &records[1]);
	assert_ptr_equal(h.before, &records[2]);
	assert_ptr_equal(h.asked, &records[0]);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owned_claims_are_no_history),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
