/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From files to what is in force: guard, stacks, broken files, revisions and why they were made. */
#include "fixture.h"

#define CM(name, value)                                                                        \
	"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\ndata: {k: '" value "'}\n"

static const struct plan_options all, allowed = { .allow_delete = -1 };

/* "a=1 b=2": the ConfigMaps of a set and what they hold. */
static const char *contents(struct fixture *f, const struct set *s)
{
	struct object_list l = set_kind(s, KIND_CONFIGMAP);
	BUF_AUTO text = { 0 };

	for (uint32_t i = 0; i < l.n; i++)
		buf_printf(&text, "%s%s=%s", i ? " " : "", l.v[i].meta->name,
			   strmap_get(&l.v[i].configmap->data, "k"));
	return arena_strdup(&f->arena, buf_str(&text));
}

static void expect_applied(struct fixture *f, const char *text)
{
	assert_string_equal(contents(f, f->d.applied), text);
}

static const char *last_cause(struct fixture *f)
{
	struct revision *v;
	struct err err = { 0 };
	uint32_t n;

	assert_int_equal(store_revision_list(f->d.store, &f->arena, &v, &n, &err), 0);
	assert_int_equal(v[n - 1].number, f->d.revision);
	return v[n - 1].cause;
}

static void each_edit_is_a_revision(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	assert_int_equal(fixture_apply(f, NULL), 1);
	assert_string_equal(last_cause(f), "no manifests");
	fixture_write(f, "a.yaml", CM("a", "1"));
	fixture_write(f, "shop/b.yaml", CM("b", "1"));
	assert_int_equal(fixture_apply(f, NULL), 2);
	assert_string_equal(last_cause(f), "a.yaml added, shop/b.yaml added");
	expect_applied(f, "a=1 b=1");
	assert_int_equal(fixture_apply(f, NULL), 2);	/* nothing changed */
	fixture_write(f, "a.yaml", CM("a", "2"));
	fixture_write(f, "c.yaml", CM("c", "1"));
	assert_int_equal(fixture_apply(f, NULL), 3);
	assert_string_equal(last_cause(f), "a.yaml changed, c.yaml added");
	fixture_remove(f, "c.yaml");
	assert_int_equal(fixture_apply(f, NULL), 4);
	assert_string_equal(last_cause(f), "c.yaml removed");
	expect_applied(f, "a=2 b=1");
}

static void many_files_are_counted(void **state)
{
	struct fixture *f = *state;
	char name[20], text[200];

	fixture_open(f);
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "%d.yaml", i);
		snprintf(text, sizeof(text),
			 "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\n", i);
		fixture_write(f, name, text);
	}
	fixture_apply(f, NULL);
	assert_string_equal(last_cause(f), "0.yaml added, 1.yaml added, 2.yaml added, 3.yaml added, "
					   "4.yaml added and 4 more");
}

static void old_revisions_go(void **state)
{
	struct fixture *f = *state;
	struct revision *v;
	struct err err = { 0 };
	char text[200];
	uint32_t n;

	f->settings.history_limit = 3;
	fixture_open(f);
	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text),
			 "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: '%d'}\n", i);
		fixture_write(f, "a.yaml", text);
		fixture_apply(f, NULL);
	}
	assert_int_equal(store_revision_list(f->d.store, &f->arena, &v, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(v[0].number, 8);
}

/* The guard keeps what would go, also over a restart, until it is told that it may. */
static void guarded_objects_stay(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	fixture_write(f, "a.yaml", CM("a", "1"));
	fixture_write(f, "shop/b.yaml", CM("b", "1"));
	fixture_write(f, "shop/c.yaml", CM("c", "1"));
	fixture_apply(f, NULL);
	char *uid = strdup(set_find(f->d.applied, KIND_CONFIGMAP, "default", "b")->meta->uid);
	fixture_remove(f, "shop/b.yaml");
	fixture_remove(f, "shop/c.yaml");
	fixture_apply(f, NULL);
	expect_applied(f, "a=1 b=1 c=1");
	assert_non_null(strstr(f->d.guard, "2 deletions wait"));
	assert_string_equal(contents(f, f->d.candidate), "a=1");
	assert_string_equal(last_cause(f), "shop/b.yaml removed, shop/c.yaml removed");
	assert_string_equal(set_find(f->d.applied, KIND_CONFIGMAP, "default", "b")->meta->uid, uid);
	uint32_t revision = fixture_apply(f, NULL);
	expect_applied(f, "a=1 b=1 c=1");
	assert_int_equal(fixture_apply(f, NULL), revision);	/* keeping is no change */

	struct plan_options one = { .allow_delete = 1 };
	fixture_apply(f, &one);
	expect_applied(f, "a=1 b=1 c=1");
	struct plan_options two = { .allow_delete = 2 };
	assert_int_equal(fixture_apply(f, &two), revision + 1);
	assert_string_equal(last_cause(f), "deletions allowed");
	expect_applied(f, "a=1");
	assert_null(f->d.guard);
	free(uid);
}

static void a_revision_knows_what_was_kept(void **state)
{
	struct fixture *f = *state;
	struct revision r = { 0 };
	struct err err = { 0 };

	fixture_open(f);
	fixture_write(f, "a.yaml", CM("a", "1"));
	fixture_write(f, "shop/b.yaml", CM("b", "1"));
	fixture_apply(f, NULL);
	fixture_remove(f, "shop/b.yaml");
	fixture_apply(f, NULL);
	assert_int_equal(store_revision_load(f->d.store, f->d.revision, &f->arena, &r, &err), 0);
	struct set *s = generation_of_revision(&r);
	assert_string_equal(contents(f, s), "a=1 b=1");
	assert_string_equal(set_find(s, KIND_CONFIGMAP, "default", "b")->stack, "shop");
	set_unref(s);
}

static void what_comes_back_is_no_longer_kept(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	fixture_write(f, "a.yaml", CM("a", "1"));
	fixture_write(f, "shop/b.yaml", CM("b", "1"));
	fixture_apply(f, NULL);
	fixture_remove(f, "shop/b.yaml");
	fixture_apply(f, NULL);
	fixture_write(f, "shop/other.yaml", CM("b", "2"));
	fixture_apply(f, NULL);
	expect_applied(f, "a=1 b=2");
	assert_null(f->d.guard);
	assert_int_equal(f->d.applied->msgs.errors, 0);
}

static void a_broken_file_keeps_its_objects(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	fixture_write(f, "a.yaml", CM("a", "1"));
	uint32_t revision = fixture_apply(f, NULL);
	fixture_write(f, "a.yaml", "kind: [");
	assert_int_equal(fixture_apply(f, NULL), revision);
	expect_applied(f, "a=1");
	assert_int_not_equal(f->d.candidate->msgs.errors, 0);
}

/* apply --stack: what other files say waits, and is still said afterwards. */
static void one_stack_alone(void **state)
{
	struct fixture *f = *state;
	struct plan_options shop = { .stack = "shop" };
	struct plan_options shop_allowed = { .stack = "shop", .allow_delete = -1 };

	fixture_open(f);
	fixture_write(f, "a.yaml", CM("a", "1"));
	fixture_write(f, "shop/b.yaml", CM("b", "1"));
	fixture_apply(f, NULL);
	fixture_write(f, "a.yaml", CM("a", "2"));
	fixture_write(f, "shop/b.yaml", CM("b", "2"));
	fixture_write(f, "shop/c.yaml", CM("c", "2"));
	fixture_apply(f, &shop);
	expect_applied(f, "a=1 b=2 c=2");
	assert_string_equal(last_cause(f), "shop/b.yaml changed, shop/c.yaml added");
	fixture_remove(f, "shop/b.yaml");
	fixture_remove(f, "shop/c.yaml");
	fixture_apply(f, &shop);
	expect_applied(f, "a=1 b=2 c=2");
	fixture_apply(f, &shop_allowed);
	expect_applied(f, "a=1");
	fixture_apply(f, NULL);
	expect_applied(f, "a=2");
}

static void a_stack_alone_minds_broken_files_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct plan_options shop = { .stack = "shop" };
	struct generation g;

	fixture_open(f);
	fixture_write(f, "a.yaml", "kind: [");
	fixture_write(f, "shop/b.yaml", CM("b", "1"));
	watch_scan(f->d.watch);
	generation_build(&f->d, &shop, &g);
	assert_int_equal(g.said->msgs.errors, 0);
	generation_release(&g);
	generation_build(&f->d, &all, &g);
	assert_int_not_equal(g.said->msgs.errors, 0);
	generation_release(&g);
}

static void a_dry_admission_takes_nothing(void **state)
{
	struct fixture *f = *state;
	struct generation g;
	struct err err = { 0 };
	uint32_t n;

	fixture_open(f);
	fixture_write(f, "a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
				   "spec: {selector: {a: b}, ports: [{port: 80}]}\n");
	watch_scan(f->d.watch);
	generation_build(&f->d, &allowed, &g);
	assert_int_equal(generation_admit_dry(&f->d, &g, &err), 0);
	const struct object *s = set_find(g.set, KIND_SERVICE, "default", "s");
	char *ip = strdup(s->service->spec.cluster_ip);
	store_inventory(f->d.store, &n);
	assert_int_equal(n, 0);
	assert_int_equal(store_revision_last(f->d.store), 0);
	generation_release(&g);
	fixture_apply(f, NULL);
	s = set_find(f->d.applied, KIND_SERVICE, "default", "s");
	assert_string_equal(s->service->spec.cluster_ip, ip);	/* as the plan said */
	free(ip);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_edit_is_a_revision),
		TEST(many_files_are_counted),
		TEST(old_revisions_go),
		TEST(guarded_objects_stay),
		TEST(a_revision_knows_what_was_kept),
		TEST(what_comes_back_is_no_longer_kept),
		TEST(a_broken_file_keeps_its_objects),
		TEST(one_stack_alone),
		TEST(a_stack_alone_minds_broken_files_of_its_own),
		TEST(a_dry_admission_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
