/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rollout undo, pause, resume, restart, unhold: what they hold, and what ends it. control's part is
 * played by hand: after each change of the template a ReplicaSet of the next revision is recorded.
 */
#include "fixture.h"

#include "control/control.h"

#define WEB(command, more)                                                                     \
	"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"              \
	"  replicas: 2\n" more                                                                    \
	"  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"  \
	"    spec:\n      containers:\n      - name: main\n        image: 'rootfs:/'\n"             \
	"        command: [" command "]\n"                                                        \
	"        envFrom: [{configMapRef: {name: cfg, optional: true}}]\n"
#define CFG(value)                                                                             \
	"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cfg}\ndata: {k: '" value "'}\n"

static const struct object *web(struct fixture *f)
{
	return set_find(f->d.applied, KIND_DEPLOYMENT, "default", "web");
}

static const char *command(struct fixture *f)
{
	return web(f)->deployment->spec.template->spec.containers.v[0].command.v[0];
}

static const char *config(struct fixture *f)
{
	const struct object *o = set_find(f->d.applied, KIND_CONFIGMAP, "default", "cfg");

	return o ? strmap_get(&o->configmap->data, "k") : NULL;
}

/* What control does: the ReplicaSet of the template in force gets the next revision. */
static void roll(struct fixture *f, const char *revision)
{
	struct arena a = { 0 };
	const struct object *d = web(f);
	struct pod_template *t = schema_copy(&a, &pod_template_type, d->deployment->spec.template);
	char hash[16];

	control_template_hash(f->d.applied, "default", t, hash);
	struct object rs = object_new(&a, KIND_REPLICASET, "default",
				      arena_printf(&a, "web-%s", hash));
	struct owner_reference *owner = arena_push(&a, &rs.meta->owner_references);
	owner->kind = "Deployment";
	owner->name = "web";
	owner->uid = d->meta->uid;
	owner->controller = true;
	rs.meta->uid = hash;
	strmap_set(&a, &rs.meta->annotations, REVISION_ANNOTATION, revision);
	strmap_set(&a, &rs.meta->labels, TEMPLATE_HASH_LABEL, hash);
	strmap_set(&a, &t->metadata.labels, TEMPLATE_HASH_LABEL, hash);
	rs.replicaset->spec.template = t;
	store_derived_put(f->d.store, &rs);
	arena_release(&a);
}

static void apply(struct fixture *f, const char *text, const char *revision)
{
	fixture_write(f, "web.yaml", text);
	fixture_apply(f, NULL);
	roll(f, revision);
}

static const char *verb(struct fixture *f, const char *name, uint32_t to)
{
	const struct object_key key = { &kinds[KIND_DEPLOYMENT], "default", "web" };
	BUF_AUTO text = { 0 };
	struct err err = { 0 };

	if (daemon_rollout(&f->d, name, &key, to, &text, &err) < 0)
		return arena_printf(&f->arena, "error: %s", err.msg);
	return arena_strdup(&f->arena, buf_str(&text));
}

static uint32_t holds(struct fixture *f)
{
	return store_holds(f->d.store)->n;
}

static void undo_holds_until_the_manifest_is_edited(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	apply(f, WEB("one", ""), "1");
	apply(f, WEB("two", ""), "2");
	assert_string_equal(verb(f, "undo", 0), "deployment.apps/web rolled back\n");
	assert_string_equal(command(f), "one");
	assert_true(web(f)->held);
	assert_int_equal(web(f)->hold_revision, 1);
	uint32_t revision = f->d.revision;
	fixture_write(f, "web.yaml", WEB("two", ""));	/* the same again, as Ansible does */
	assert_int_equal(fixture_apply(f, NULL), revision);
	assert_string_equal(command(f), "one");
	fixture_write(f, "web.yaml", "# a comment\n" WEB("two", ""));
	fixture_apply(f, NULL);
	assert_string_equal(command(f), "one");
	assert_int_equal(holds(f), 1);
	fixture_write(f, "web.yaml", WEB("three", ""));
	fixture_apply(f, NULL);
	assert_string_equal(command(f), "three");
	assert_int_equal(holds(f), 0);
}

static void undo_of_undo_follows_the_manifest_again(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	apply(f, WEB("one", ""), "1");
	apply(f, WEB("two", ""), "2");
	verb(f, "undo", 0);
	roll(f, "3");			/* the first ReplicaSet again */
	assert_string_equal(verb(f, "undo", 0), "deployment.apps/web rolled back\n");
	assert_string_equal(command(f), "two");
	assert_false(web(f)->held);
	assert_int_equal(holds(f), 0);
}

static void undo_goes_where_it_is_told(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	apply(f, WEB("one", ""), "1");
	assert_string_equal(verb(f, "undo", 0),
			    "error: no rollout history found for deployment \"web\"");
	apply(f, WEB("two", ""), "2");
	apply(f, WEB("three", ""), "3");
	assert_string_equal(verb(f, "undo", 9),
			    "error: unable to find specified revision 9 in history");
	uint32_t revision = f->d.revision;
	assert_non_null(strstr(verb(f, "undo", 3), "skipped rollback"));
	assert_int_equal(f->d.revision, revision);
	assert_int_equal(holds(f), 0);
	verb(f, "undo", 1);
	assert_string_equal(command(f), "one");
	assert_int_equal(f->d.revision, revision + 1);
}

/* The template did not change at all, only what its environment comes from. */
static void undo_brings_the_configuration_back(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	apply(f, WEB("one", "") CFG("x"), "1");
	apply(f, WEB("one", "") CFG("y"), "2");
	assert_int_equal(store_derived(f->d.store)->n, 2);
	verb(f, "undo", 0);
	assert_string_equal(config(f), "x");
	assert_int_equal(holds(f), 2);
	roll(f, "3");
	assert_string_equal(verb(f, "unhold", 0), "deployment.apps/web follows its manifest again\n");
	assert_string_equal(config(f), "y");
	assert_int_equal(holds(f), 0);
	verb(f, "undo", 2);		/* 2 is what the files say */
	assert_string_equal(config(f), "y");
	assert_int_equal(holds(f), 0);
}

static void undo_says_what_cannot_come_back(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	apply(f, WEB("one", "") CFG("x"), "1");
	apply(f, WEB("one", ""), "2");
	assert_string_equal(verb(f, "undo", 0), "warning: ConfigMap \"cfg\" is not declared any more "
						"and can't be brought back\ndeployment.apps/web rolled back\n");
}

static void pause_and_resume_take_turns(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	apply(f, WEB("one", ""), "1");
	assert_string_equal(verb(f, "resume", 0), "error: deployments.apps \"web\" is not paused");
	assert_string_equal(verb(f, "pause", 0), "deployment.apps/web paused\n");
	assert_true(web(f)->deployment->spec.paused);
	assert_string_equal(verb(f, "pause", 0), "error: deployments.apps \"web\" is already paused");
	assert_non_null(strstr(verb(f, "undo", 0), "no rollout history"));
	assert_non_null(strstr(verb(f, "restart", 0), "can't restart paused deployment"));
	assert_string_equal(verb(f, "resume", 0), "deployment.apps/web resumed\n");
	assert_int_equal(holds(f), 0);
	fixture_write(f, "web.yaml", WEB("one", "  paused: true\n"));
	fixture_apply(f, NULL);
	assert_true(web(f)->deployment->spec.paused);
	assert_string_equal(verb(f, "resume", 0), "deployment.apps/web resumed\n");
	assert_false(web(f)->deployment->spec.paused);
	assert_int_equal(holds(f), 1);		/* against the file */
}

static void an_edit_does_not_end_a_pause(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	apply(f, WEB("one", ""), "1");
	apply(f, WEB("two", ""), "2");
	verb(f, "undo", 0);
	roll(f, "3");
	verb(f, "pause", 0);
	fixture_write(f, "web.yaml", WEB("four", ""));
	fixture_apply(f, NULL);
	assert_string_equal(command(f), "four");
	assert_true(web(f)->deployment->spec.paused);
	assert_int_equal(holds(f), 1);
	assert_null(store_holds(f->d.store)->v[0].content);
	assert_int_equal(store_holds(f->d.store)->v[0].revision, 0);
}

static const char *restarted_at(struct fixture *f)
{
	return strmap_get(&web(f)->deployment->spec.template->metadata.annotations,
			  RESTARTED_AT_ANNOTATION);
}

/* Or the template would be a third one, and undo would roll forward. */
static void undo_of_a_restart_is_the_template_before_it(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	apply(f, WEB("one", ""), "1");
	assert_string_equal(verb(f, "restart", 0), "deployment.apps/web restarted\n");
	assert_non_null(restarted_at(f));
	roll(f, "2");
	assert_int_equal(store_derived(f->d.store)->n, 2);
	verb(f, "undo", 0);
	assert_null(restarted_at(f));
	roll(f, "3");
	assert_int_equal(store_derived(f->d.store)->n, 2);
	assert_int_equal(holds(f), 0);
	verb(f, "undo", 0);		/* forward again: the restarted one */
	assert_non_null(restarted_at(f));
	roll(f, "4");
	assert_int_equal(store_derived(f->d.store)->n, 2);
}

static void holds_outlive_the_daemon(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	apply(f, WEB("one", "") CFG("x"), "1");
	apply(f, WEB("two", "") CFG("y"), "2");
	verb(f, "undo", 0);
	store_close(f->d.store);
	watch_free(f->d.watch);
	set_unref(f->d.applied);
	set_unref(f->d.candidate);
	f->d.applied = f->d.candidate = NULL;
	f->d.store = NULL;
	f->d.watch = NULL;
	fixture_open(f);
	fixture_apply(f, NULL);
	assert_string_equal(command(f), "one");
	assert_string_equal(config(f), "x");
}

static void unhold_needs_a_hold(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	apply(f, WEB("one", ""), "1");
	assert_string_equal(verb(f, "unhold", 0), "error: deployment \"web\" is not held");
	assert_string_equal(verb(f, "explode", 0), "error: unknown rollout verb \"explode\"");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(undo_holds_until_the_manifest_is_edited),
		TEST(undo_of_undo_follows_the_manifest_again),
		TEST(undo_goes_where_it_is_told),
		TEST(undo_brings_the_configuration_back),
		TEST(undo_says_what_cannot_come_back),
		TEST(pause_and_resume_take_turns),
		TEST(an_edit_does_not_end_a_pause),
		TEST(undo_of_a_restart_is_the_template_before_it),
		TEST(holds_outlive_the_daemon),
		TEST(unhold_needs_a_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
