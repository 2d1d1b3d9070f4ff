/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The API's memory: versions, tombstones, cursors, events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/units.h"
#include "daemon/view.h"
#include "schema/schema.h"

struct fixture {
	struct view *view;
	struct arena arena;
	unsigned changes;
};

static void on_changed(void *data)
{
	((struct fixture *)data)->changes++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->view = view_new(100, on_changed, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	view_free(f->view);
	arena_release(&f->arena);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *value)
{
	struct object o = object_new(&f->arena, KIND_CONFIGMAP, "default", name);

	strmap_set(&f->arena, &o.configmap->data, "k", value);
	view_put(f->view, &o);
}

static void pass(struct fixture *f, const char *const *pairs)
{
	view_begin(f->view);
	for (; *pairs; pairs += 2)
		put(f, pairs[0], pairs[1]);
	view_end(f->view);
}
#define PASS(f, ...) pass(f, (const char *const[]){ __VA_ARGS__ })

/* "+a ~b -c": what changed after a version. */
static void changes(struct fixture *f, uint64_t after, char *out, size_t n)
{
	struct view_entry *e;

	*out = '\0';
	assert_int_equal(view_changes(f->view, KIND_CONFIGMAP, after, &e), 0);
	for (; e; e = view_next_change(f->view, e, KIND_CONFIGMAP))
		snprintf(out + strlen(out), n - strlen(out), "%s%c%s", *out ? " " : "",
			 e->deleted ? '-' : e->created > after ? '+' : '~', e->object.meta->name);
}

static void equal_objects_keep_their_version(void **state)
{
	struct fixture *f = *state;

	PASS(f, "a", "1", "b", "1", NULL);
	uint64_t before = view_version(f->view);
	unsigned changed = f->changes;
	PASS(f, "a", "1", "b", "1", NULL);
	assert_int_equal(view_version(f->view), before);
	assert_int_equal(f->changes, changed);
}

static void a_cursor_sees_each_change_once(void **state)
{
	struct fixture *f = *state;
	char seen[128];

	PASS(f, "a", "1", "b", "1", NULL);
	changes(f, 100, seen, sizeof(seen));
	assert_string_equal(seen, "+a +b");
	uint64_t cursor = view_version(f->view);
	PASS(f, "a", "2", "c", "1", NULL);
	changes(f, cursor, seen, sizeof(seen));
	assert_string_equal(seen, "~a +c -b");
	changes(f, view_version(f->view), seen, sizeof(seen));
	assert_string_equal(seen, "");
}

static void many_changes_in_between_are_one(void **state)
{
	struct fixture *f = *state;
	char seen[128];

	PASS(f, "a", "1", NULL);
	uint64_t cursor = view_version(f->view);
	PASS(f, "a", "2", NULL);
	PASS(f, "a", "3", NULL);
	changes(f, cursor, seen, sizeof(seen));
	assert_string_equal(seen, "~a");
}

static void gone_and_back_is_seen_as_both(void **state)
{
	struct fixture *f = *state;
	char seen[128];

	PASS(f, "a", "1", NULL);
	uint64_t cursor = view_version(f->view);
	PASS(f, NULL);
	PASS(f, "a", "1", NULL);
	changes(f, cursor, seen, sizeof(seen));
	assert_string_equal(seen, "-a +a");
}

static void too_old_a_cursor_is_told(void **state)
{
	struct fixture *f = *state;
	struct view_entry *e;
	char name[32];

	for (int i = 0; i < 2100; i++) {
		snprintf(name, sizeof(name), "a%d", i);
		PASS(f, name, "1", NULL);
	}
	assert_int_equal(view_changes(f->view, KIND_CONFIGMAP, 100, &e), -ERANGE);
	assert_int_equal(view_changes(f->view, KIND_CONFIGMAP, view_version(f->view), &e), 0);
}

static void lists_are_sorted_and_found(void **state)
{
	struct fixture *f = *state;
	uint32_t n;

	PASS(f, "c", "1", "a", "1", "b", "1", NULL);
	struct view_entry **v = view_list(f->view, KIND_CONFIGMAP, &n);
	assert_int_equal(n, 3);
	assert_string_equal(v[0]->object.meta->name, "a");
	assert_string_equal(v[2]->object.meta->name, "c");
	assert_non_null(view_get(f->view, KIND_CONFIGMAP, "default", "b"));
	assert_null(view_get(f->view, KIND_CONFIGMAP, "other", "b"));
}

static void equal_events_are_counted(void **state)
{
	struct fixture *f = *state;
	struct object_key key = { &kinds[KIND_POD], "default", "web" };
	uint32_t n;

	for (int i = 0; i < 3; i++)
		view_event(f->view, &key, "u", true, "BackOff", "again", "node", NSEC * (i + 1));
	view_event(f->view, &key, "u", false, "Started", "up", "node", NSEC * 9);
	struct view_entry **v = view_list(f->view, KIND_EVENT, &n);
	assert_int_equal(n, 2);
	unsigned total = 0;
	for (uint32_t i = 0; i < n; i++)
		total += (unsigned)v[i]->object.event->count;
	assert_int_equal(total, 4);
}

static void events_are_bounded_and_survive_passes(void **state)
{
	struct fixture *f = *state;
	struct object_key key = { &kinds[KIND_POD], "default", "web" };
	uint32_t n;
	char text[32];

	for (int i = 0; i < 1200; i++) {
		snprintf(text, sizeof(text), "%d", i);
		view_event(f->view, &key, "u", false, "Started", text, "node", NSEC * (i + 1));
	}
	PASS(f, NULL);
	view_list(f->view, KIND_EVENT, &n);
	assert_int_equal(n, 1000);
}

static void a_burst_of_events_stays_while_it_is_young(void **state)
{
	struct fixture *f = *state;
	uint32_t n;
	char name[32];

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 1200; i++) {
			struct object_key key = { &kinds[KIND_POD], "default", name };

			snprintf(name, sizeof(name), "web-%d", i);
			view_event(f->view, &key, "u", false, "Started", "up", "node", NSEC);
		}
		view_list(f->view, KIND_EVENT, &n);
		assert_int_equal(n, 1200);
	}
	struct object_key late = { &kinds[KIND_POD], "default", "late" };

	view_event(f->view, &late, "u", false, "Started", "up", "node", 62 * NSEC);
	view_list(f->view, KIND_EVENT, &n);
	assert_int_equal(n, 1000);
}

static void what_stays_need_not_be_put(void **state)
{
	struct fixture *f = *state;
	struct meta known = { .namespace = "default", .name = "b" };
	struct meta unknown = { .namespace = "default", .name = "z" };
	uint64_t version;

	pass(f, (const char *[]){ "a", "1", "b", "1", "c", "1", NULL });
	version = view_get(f->view, KIND_CONFIGMAP, "default", "b")->version;
	view_begin(f->view);
	put(f, "a", "2");
	assert_true(view_stays(f->view, &known, KIND_CONFIGMAP));
	assert_false(view_stays(f->view, &unknown, KIND_CONFIGMAP));
	view_end(f->view);
	assert_int_equal(view_get(f->view, KIND_CONFIGMAP, "default", "b")->version, version);
	assert_true(view_get(f->view, KIND_CONFIGMAP, "default", "a")->version > version);
	assert_null(view_get(f->view, KIND_CONFIGMAP, "default", "c"));
	assert_null(view_get(f->view, KIND_CONFIGMAP, "default", "z"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(equal_objects_keep_their_version, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cursor_sees_each_change_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_stays_need_not_be_put, setup, teardown),
		cmocka_unit_test_setup_teardown(many_changes_in_between_are_one, setup, teardown),
		cmocka_unit_test_setup_teardown(gone_and_back_is_seen_as_both, setup, teardown),
		cmocka_unit_test_setup_teardown(too_old_a_cursor_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_are_sorted_and_found, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_events_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(events_are_bounded_and_survive_passes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_burst_of_events_stays_while_it_is_young, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
