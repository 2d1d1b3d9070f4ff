/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The config directory: what counts, what is kept, what is not read. Uses a real directory. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/macro.h"
#include "daemon/watch.h"

#define CM(name, value)                                                                        \
	"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " name "\ndata:\n  k: \"" value "\"\n"

struct fixture {
	char dir[64];
	struct loop *loop;
	struct watch *watch;
	unsigned changes;
	bool busy;		/* what changed can't be dealt with */
};

static void on_changed(void *data)
{
	struct fixture *f = data;

	f->changes++;
	if (!f->busy)
		watch_taken(f->watch);
}

static void put(struct fixture *f, const char *name, const char *text)
{
	char path[256];
	struct err err = { 0 };

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(file_write(path, text, strlen(text), 0644, &err), 0);
}

static void take_away(struct fixture *f, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(unlink(path), 0);
}

static uint32_t in_force(struct fixture *f, uint32_t *ret_broken)
{
	struct manifest **good, **broken;
	uint32_t n, nbroken;

	watch_manifests(f->watch, &good, &n, &broken, &nbroken);
	if (ret_broken)
		*ret_broken = nbroken;
	return n;
}

/* Turns the loop until something changed or the time is up. */
static bool changed_within(struct fixture *f, int ms)
{
	unsigned before = f->changes;

	for (int64_t until = time_mono() + ms * MSEC; time_mono() < until;) {
		loop_turn(f->loop, 10);
		if (f->changes != before)
			return true;
	}
	return false;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct watch_events ev = { on_changed, f };
	struct err err = { 0 };

	snprintf(f->dir, sizeof(f->dir), "/tmp/orch-watch-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	put(f, "a.yaml", CM("a", "1"));
	put(f, "b.yaml", CM("b", "1"));
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(watch_new(f->loop, f->dir, 20, NULL, 0, ev, &f->watch, &err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	watch_free(f->watch);
	loop_free(f->loop);
	file_rm_rf(f->dir, NULL);
	free(f);
	return 0;
}

static void reads_what_is_there(void **state)
{
	assert_int_equal(in_force(*state, NULL), 2);
	assert_null(watch_warning(((struct fixture *)*state)->watch));
}

static void notices_a_new_file_and_a_deletion(void **state)
{
	struct fixture *f = *state;

	put(f, "c.yml", CM("c", "1"));
	assert_true(changed_within(f, 2000));
	assert_int_equal(in_force(f, NULL), 3);
	take_away(f, "c.yml");
	assert_true(changed_within(f, 2000));
	assert_int_equal(in_force(f, NULL), 2);
}

static void notices_a_stack(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/shop", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	put(f, "shop/x.yaml", CM("x", "1"));
	assert_true(changed_within(f, 2000));
	assert_int_equal(in_force(f, NULL), 3);
	put(f, "shop/x.yaml", CM("x", "2"));
	assert_true(changed_within(f, 2000));
}

static void the_same_content_is_no_change(void **state)
{
	struct fixture *f = *state;

	put(f, "a.yaml", CM("a", "1"));
	assert_false(changed_within(f, 200));
}

static void ignores_what_editors_leave(void **state)
{
	static const char *const names[] = { ".a.yaml.swp", "a.yaml~", "4913", "a.yaml.bak", ".hidden.yaml" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put(f, names[i], CM("zzz", "1"));
	assert_false(changed_within(f, 200));
	assert_int_equal(in_force(f, NULL), 2);
}

static void a_broken_file_keeps_its_last_good_version(void **state)
{
	struct fixture *f = *state;
	uint32_t broken;

	put(f, "a.yaml", "apiVersion: v1\nkind: [\n");
	assert_true(changed_within(f, 2000));
	assert_int_equal(in_force(f, &broken), 2);
	assert_int_equal(broken, 1);
	put(f, "a.yaml", CM("a", "2"));
	assert_true(changed_within(f, 2000));
	assert_int_equal(in_force(f, &broken), 2);
	assert_int_equal(broken, 0);
}

static void an_empty_directory_deletes_nothing(void **state)
{
	struct fixture *f = *state;

	take_away(f, "a.yaml");
	take_away(f, "b.yaml");
	assert_true(changed_within(f, 2000));
	assert_int_equal(in_force(f, NULL), 2);
	assert_non_null(watch_warning(f->watch));
}

static void a_vanished_directory_deletes_nothing(void **state)
{
	struct fixture *f = *state;
	char away[80];

	snprintf(away, sizeof(away), "%s.away", f->dir);
	assert_int_equal(rename(f->dir, away), 0);
	assert_true(changed_within(f, 2000));
	assert_int_equal(in_force(f, NULL), 2);
	assert_non_null(watch_warning(f->watch));
	assert_int_equal(rename(away, f->dir), 0);
	assert_true(changed_within(f, 6000));
	assert_null(watch_warning(f->watch));
}

static void a_file_open_for_writing_is_not_read(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/a.yaml", f->dir);
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	put(f, "c.yaml", CM("c", "1"));		/* something else leads to a walk */
	assert_true(changed_within(f, 2000));
	assert_int_equal(in_force(f, NULL), 3);
	assert_int_equal(write(fd, CM("a", "9"), strlen(CM("a", "9"))), strlen(CM("a", "9")));
	close(fd);
	assert_true(changed_within(f, 2000));
}

static void a_cut_off_file_waits(void **state)
{
	struct fixture *f = *state;
	struct manifest **good, **broken;
	uint32_t n, nbroken;

	put(f, "a.yaml", "");
	assert_false(changed_within(f, 300));
	watch_manifests(f->watch, &good, &n, &broken, &nbroken);
	assert_int_equal(good[0]->objects.n, 1);
	assert_true(watch_scan(f->watch));	/* somebody asks: it counts as it is */
	watch_manifests(f->watch, &good, &n, &broken, &nbroken);
	assert_int_equal(good[0]->objects.n, 0);
}

/* Looking takes no news away from who acts on it. */
static void a_scan_leaves_the_news(void **state)
{
	struct fixture *f = *state;

	put(f, "b.yaml", CM("b", "2"));
	assert_true(watch_scan(f->watch));
	assert_true(changed_within(f, 2000));
	assert_false(changed_within(f, 200));
	put(f, "c.yaml", CM("c", "1"));
	assert_true(watch_scan(f->watch));
	watch_taken(f->watch);
	assert_false(changed_within(f, 200));
}

static void news_stays_until_it_is_taken(void **state)
{
	struct fixture *f = *state;

	f->busy = true;
	put(f, "b.yaml", CM("b", "2"));
	assert_true(changed_within(f, 2000));
	f->busy = false;
	assert_false(watch_scan(f->watch));	/* nothing else changed */
	assert_true(changed_within(f, 2000));
	assert_false(changed_within(f, 200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_what_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(notices_a_new_file_and_a_deletion, setup, teardown),
		cmocka_unit_test_setup_teardown(notices_a_stack, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_content_is_no_change, setup, teardown),
		cmocka_unit_test_setup_teardown(ignores_what_editors_leave, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_file_keeps_its_last_good_version, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_directory_deletes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_vanished_directory_deletes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_open_for_writing_is_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cut_off_file_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scan_leaves_the_news, setup, teardown),
		cmocka_unit_test_setup_teardown(news_stays_until_it_is_taken, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
