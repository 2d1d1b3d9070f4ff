/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state directory: lock, damaged files, holds and ReplicaSets over a restart. */
#include "fixture.h"

#include <dirent.h>

#include "base/hash.h"
#include "schema/schema.h"

static void test_lock(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct store *second;
	char pid[16];

	assert_int_equal(store_open(f->dir, &second, &err), -EBUSY);
	assert_non_null(strstr(err.msg, "in use by another orchd"));
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_non_null(strstr(err.msg, pid));
	fixture_reopen(f);
}

static void test_private(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	chmod(f->dir, 0755);
	fixture_reopen(f);
	assert_int_equal(stat(f->dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_damaged(void **state)
{
	static const struct { const char *name, *text, *says; } rows[] = {
		{ "inventory", "", "inventory:" },
		{ "inventory", "[{\"kind\":", "inventory:1:" },
		{ "inventory", "{}\n", "inventory: damaged: a list was expected" },
		{ "inventory", "[{}]\n", "inventory: record 1:" },
		{ "inventory", "[{\"apiVersion\":\"v9\",\"kind\":\"Foo\",\"namespace\":\"\",\"name\":\"x\"}]",
		  "v9 Foo is not a kind" },
		{ "holds", "[[]]", "holds: record 1:" },
		{ "holds", "[1, 2", "holds:1:" },
		{ "derived", "[{\"created\":\"2026-11-21T10:00:00Z\",\"object\":\"{}\",\"template\":\"\"}]",
		  "derived: record 1:" },
	};
	struct fixture *f = *state;

	store_close(f->store);
	f->store = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		BUF_AUTO after = { 0 };
		struct err err = { 0 };

		fixture_write(f, rows[i].name, rows[i].text);
		assert_int_equal(store_open(f->dir, &f->store, &err), -EBADMSG);
		if (!strstr(err.msg, rows[i].says))
			fail_msg("\"%s\" does not say \"%s\"", err.msg, rows[i].says);
		assert_int_equal(file_read(fixture_path(f, rows[i].name), 0, &after, NULL), 0);
		assert_string_equal(buf_str(&after), rows[i].text);	/* left as it is */
		unlink(fixture_path(f, rows[i].name));
	}
	fixture_open(f);
}

static struct object_key deployment(const char *name)
{
	return (struct object_key){ &kinds[KIND_DEPLOYMENT], "default", name };
}

static void test_holds(void **state)
{
	struct fixture *f = *state;
	struct hold web = {
		.key = deployment("web"), .content = "{\"a\":\"\\\"x\\\"\\n\"}", .digest = UINT64_MAX - 1,
		.revision = 3, .failed = true, .time = 1795255200123456789,
	};
	struct hold api = { .key = deployment("api"), .paused = true, .restarted_at = "2026-11-21T10:00:00Z" };

	assert_int_equal(store_hold_put(f->store, &web, &f->err), 0);
	assert_int_equal(store_hold_put(f->store, &api, &f->err), 0);
	fixture_reopen(f);

	const struct hold_list *l = store_holds(f->store);
	assert_int_equal(l->n, 2);
	assert_string_equal(l->v[0].key.name, "api");
	assert_true(l->v[0].paused);
	assert_false(l->v[0].resumed);
	assert_null(l->v[0].content);
	assert_string_equal(l->v[0].restarted_at, api.restarted_at);
	assert_ptr_equal(l->v[1].key.kind, &kinds[KIND_DEPLOYMENT]);
	assert_string_equal(l->v[1].content, web.content);
	assert_true(l->v[1].digest == web.digest);
	assert_int_equal(l->v[1].revision, 3);
	assert_true(l->v[1].failed);
	assert_false(l->v[0].failed);
	assert_true(l->v[1].time == web.time);
	assert_null(l->v[1].restarted_at);
}

static void test_holds_replace_and_delete(void **state)
{
	struct fixture *f = *state;
	struct object_key key = deployment("nothing");
	struct hold h = { .key = deployment("web"), .revision = 1 };

	assert_int_equal(store_hold_put(f->store, &h, &f->err), 0);
	ino_t inode = fixture_inode(f, "holds");
	assert_int_equal(store_hold_put(f->store, &h, &f->err), 0);
	assert_int_equal(store_hold_del(f->store, &key, &f->err), 0);
	assert_int_equal(fixture_inode(f, "holds"), inode);	/* the same: not written */
	h.revision = 2;
	assert_int_equal(store_hold_put(f->store, &h, &f->err), 0);
	assert_int_equal(store_holds(f->store)->n, 1);
	assert_int_equal(store_holds(f->store)->v[0].revision, 2);
	/* the key may be the store's own */
	assert_int_equal(store_hold_del(f->store, &store_holds(f->store)->v[0].key, &f->err), 0);
	assert_int_equal(store_holds(f->store)->n, 0);
	fixture_reopen(f);
	assert_int_equal(store_holds(f->store)->n, 0);
}

/* Strings of a hold survive changes of others; a write that fails changes nothing. */
static void test_holds_stay(void **state)
{
	struct fixture *f = *state;
	struct hold a = { .key = deployment("a"), .content = "{}" }, b = { .key = deployment("b") };

	assert_int_equal(store_hold_put(f->store, &b, &f->err), 0);
	assert_int_equal(store_hold_put(f->store, &a, &f->err), 0);
	struct hold kept = store_holds(f->store)->v[0];
	assert_int_equal(store_hold_del(f->store, &b.key, &f->err), 0);
	assert_string_equal(kept.key.name, "a");

	unlink(fixture_path(f, "holds"));
	assert_int_equal(mkdir(fixture_path(f, "holds"), 0700), 0);
	assert_int_not_equal(store_hold_put(f->store, &b, &f->err), 0);
	assert_non_null(strstr(f->err.msg, "holds"));
	assert_int_not_equal(store_hold_del(f->store, &a.key, &f->err), 0);
	assert_int_equal(store_holds(f->store)->n, 1);
	rmdir(fixture_path(f, "holds"));
	kept.paused = true;
	assert_int_equal(store_hold_put(f->store, &kept, &f->err), 0);
	fixture_reopen(f);
	assert_int_equal(store_holds(f->store)->n, 1);
	assert_true(store_holds(f->store)->v[0].paused);
	assert_string_equal(store_holds(f->store)->v[0].content, "{}");
}

static const char deployment_yaml[] =
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"metadata: {name: web}\n"
	"spec:\n"
	"  selector: {matchLabels: {app: web}}\n"
	"  template:\n"
	"    metadata: {labels: {app: web}}\n"
	"    spec:\n"
	"      containers:\n"
	"      - name: web\n"
	"        image: \"rootfs:/\"\n"
	"        command: [sleep, \"1000\"]\n"
	"        resources: {limits: {memory: 64Mi}}\n";

/* As control makes one: from the template of a deployment. */
static struct object replicaset_of(struct arena *a, const struct set *set, const char *name)
{
	struct object *d = set_find(set, KIND_DEPLOYMENT, "default", "web");
	struct object rs = object_new(a, KIND_REPLICASET, "default", name);

	assert_non_null(d);
	rs.replicaset->spec.selector = d->deployment->spec.selector;
	rs.replicaset->spec.template = d->deployment->spec.template;
	rs.replicaset->spec.replicas = 2;
	rs.meta->uid = "00000000-0000-4000-8000-000000000001";
	rs.meta->creation_timestamp = 1795255200123456789;
	rs.meta->generation = 7;
	strmap_set(a, &rs.meta->annotations, "deployment.kubernetes.io/revision", "4");
	*arena_push(a, &rs.meta->owner_references) = (struct owner_reference){
		.api_version = "apps/v1", .kind = "Deployment", .name = "web", .uid = "u", .controller = true,
	};
	return rs;
}

static void test_replicasets(void **state)
{
	struct fixture *f = *state;
	struct arena a = { 0 };
	const char *const texts[] = { deployment_yaml };
	struct object rs = replicaset_of(&a, fixture_set(f, texts, 1), "web-1");
	uint64_t hash = schema_hash(&pod_template_type, rs.replicaset->spec.template, FNV64_INIT);

	store_derived_put(f->store, &rs);
	assert_int_equal(store_save(f->store, &f->err), 0);
	fixture_reopen(f);

	const struct object_list *l = store_derived(f->store);
	assert_int_equal(l->n, 1);
	const struct replicaset *got = l->v[0].replicaset;
	assert_true(schema_hash(&pod_template_type, got->spec.template, FNV64_INIT) == hash);
	assert_true(schema_equal(&replicaset_spec_type, &got->spec, &rs.replicaset->spec));
	assert_string_equal(got->metadata.name, "web-1");
	assert_string_equal(got->metadata.namespace, "default");
	assert_string_equal(got->metadata.uid, rs.meta->uid);
	assert_int_equal(got->metadata.generation, 7);
	assert_true(got->metadata.creation_timestamp == rs.meta->creation_timestamp);
	assert_string_equal(strmap_get(&got->metadata.annotations, "deployment.kubernetes.io/revision"), "4");
	assert_int_equal(got->metadata.owner_references.n, 1);
	assert_string_equal(got->metadata.owner_references.v[0].name, "web");
	assert_true(got->metadata.owner_references.v[0].controller);
	arena_release(&a);
}

static void test_replicasets_written_once(void **state)
{
	struct fixture *f = *state;
	struct arena a = { 0 };
	const char *const texts[] = { deployment_yaml };
	const struct set *set = fixture_set(f, texts, 1);
	struct object rs = replicaset_of(&a, set, "web-2"), first = replicaset_of(&a, set, "web-1");

	assert_int_equal(fixture_inode(f, "derived"), 0);
	store_derived_put(f->store, &rs);
	store_derived_put(f->store, &first);
	assert_int_equal(store_save(f->store, &f->err), 0);
	ino_t inode = fixture_inode(f, "derived");
	assert_int_not_equal(inode, 0);

	rs.replicaset->status.replicas = 2;	/* a status is no reason to write */
	store_derived_put(f->store, &rs);
	store_derived_put(f->store, &store_derived(f->store)->v[1]);
	assert_int_equal(store_save(f->store, &f->err), 0);
	assert_int_equal(fixture_inode(f, "derived"), inode);
	assert_int_equal(store_derived(f->store)->v[1].replicaset->status.replicas, 2);
	assert_string_equal(store_derived(f->store)->v[0].meta->name, "web-1");

	store_derived_del(f->store, &(struct object_key){ &kinds[KIND_REPLICASET], "default", "web-1" });
	store_derived_del(f->store, &(struct object_key){ &kinds[KIND_REPLICASET], "default", "web-1" });
	assert_int_equal(store_save(f->store, &f->err), 0);
	assert_int_not_equal(fixture_inode(f, "derived"), inode);
	fixture_reopen(f);
	assert_int_equal(store_derived(f->store)->n, 1);
	assert_string_equal(store_derived(f->store)->v[0].meta->name, "web-2");
	inode = fixture_inode(f, "derived");
	assert_int_equal(store_save(f->store, &f->err), 0);
	assert_int_equal(fixture_inode(f, "derived"), inode);
	arena_release(&a);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_lock),
		TEST(test_private),
		TEST(test_damaged),
		TEST(test_holds),
		TEST(test_holds_replace_and_delete),
		TEST(test_holds_stay),
		TEST(test_replicasets),
		TEST(test_replicasets_written_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
