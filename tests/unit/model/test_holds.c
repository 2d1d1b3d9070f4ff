/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds: what they change, when they end, and what of the manifest stays in force beside them. */
#include "fixture.h"

#define WEB(image, replicas)                                                                   \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"                \
	"  replicas: " replicas "\n  selector: {matchLabels: {app: web}}\n"                    \
	"  template:\n    metadata: {labels: {app: web}}\n"                                    \
	"    spec: {containers: [{name: a, image: 'rootfs:" image "'}], volumes: [{name: v}]}\n"
#define CONFIG(data) "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, labels: {v: '2'}}\n" data

static const struct object *web(const struct set *s)
{
	return set_find(s, KIND_DEPLOYMENT, "default", "web");
}

static const char *image(const struct object *o)
{
	return o->deployment->spec.template->spec.containers.v[0].image;
}

static uint64_t template_hash(const struct object *o)
{
	return schema_hash(&pod_template_type, o->deployment->spec.template, 0);
}

/* A hold that brings o back over now. */
static struct hold content_hold(struct fixture *f, const struct object *o, const struct object *now)
{
	return (struct hold){
		.key = object_key(now),
		.content = arena_strdup(&f->arena, json_of(f, o, DUMP_WRITTEN)),
		.digest = now->digest,
		.revision = 1,
	};
}

static struct set *under(struct fixture *f, const char *text, struct hold *h)
{
	struct manifest *m = good(f, "a.yaml", text);
	struct hold_list l = { h, 1 };

	return build(f, &m, 1, &l, NULL);
}

static void test_template(void **state)
{
	struct fixture *f = *state;
	struct set *old = set_of(f, WEB("/one", "2")), *now = set_of(f, WEB("/two", "5"));
	struct hold h = content_hold(f, web(old), web(now));
	struct set *s = under(f, WEB("/two", "5"), &h);

	assert_string_equal(image(web(s)), "rootfs:/one");
	assert_int_equal(web(s)->deployment->spec.replicas, 5);
	assert_true(web(s)->held);
	assert_true(template_hash(web(s)) == template_hash(web(old)));
	assert_true(web(s)->digest != web(now)->digest);
	assert_non_null(web(s)->deployment->spec.template->spec.volumes.v[0].empty_dir);
	assert_int_equal(s->ended.n, 0);
	assert_int_equal(s->declared.n, 1);
	assert_string_equal(image(&s->declared.v[0]), "rootfs:/two");
	assert_false(s->declared.v[0].held);
	/* the manifest's own object is as it was: it is shared with other sets */
	assert_string_equal(image(&s->manifests[0]->objects.v[0]), "rootfs:/two");
}

static void test_edit_ends_it(void **state)
{
	struct fixture *f = *state;
	struct set *old = set_of(f, WEB("/one", "2")), *now = set_of(f, WEB("/two", "5"));
	struct hold h = content_hold(f, web(old), web(now));
	h.failed = true;
	struct set *s = under(f, WEB("/two", "6"), &h);

	assert_string_equal(image(web(s)), "rootfs:/two");
	assert_false(web(s)->held);
	assert_false(web(s)->rolled_back);
	assert_int_equal(s->ended.n, 1);
	assert_ptr_not_equal(s->ended.v[0].content, h.content);
	assert_int_equal(s->declared.n, 0);
}

static void test_layout_does_not_end_it(void **state)
{
	struct fixture *f = *state;
	struct set *old = set_of(f, WEB("/one", "2")), *now = set_of(f, WEB("/two", "5"));
	struct hold h = content_hold(f, web(old), web(now));
	h.failed = true;
	struct set *s = under(f, "# a comment\n---\n" WEB("/two", "  5  "), &h);

	assert_string_equal(image(web(s)), "rootfs:/one");
	assert_true(web(s)->rolled_back);
	assert_int_equal(s->ended.n, 0);
}

static void test_switches(void **state)
{
	struct fixture *f = *state;
	struct hold h = { .key = { &kinds[KIND_DEPLOYMENT], "default", "web" }, .paused = true };
	struct set *plain = set_of(f, WEB("/one", "2"));
	struct set *s = under(f, WEB("/one", "2"), &h);

	assert_true(web(s)->deployment->spec.paused);
	assert_false(web(s)->held);
	assert_int_equal(s->declared.n, 1);
	assert_true(template_hash(web(s)) == template_hash(web(plain)));

	h = (struct hold){ .key = h.key, .resumed = true, .restarted_at = "2026-01-02T03:04:05Z" };
	s = under(f, WEB("/one", "2") "  paused: true\n", &h);
	assert_false(web(s)->deployment->spec.paused);
	assert_true(template_hash(web(s)) != template_hash(web(plain)));
	assert_string_equal(strmap_get(&web(s)->deployment->spec.template->metadata.annotations,
				       "kubectl.kubernetes.io/restartedAt"), "2026-01-02T03:04:05Z");
	assert_int_equal(s->ended.n, 0);
}

/* Pause stays when the content has ended. */
static void test_both(void **state)
{
	struct fixture *f = *state;
	struct set *old = set_of(f, WEB("/one", "2")), *now = set_of(f, WEB("/two", "2"));
	struct hold h = content_hold(f, web(old), web(now));

	h.paused = true;
	struct set *s = under(f, WEB("/three", "2"), &h);
	assert_string_equal(image(web(s)), "rootfs:/three");
	assert_true(web(s)->deployment->spec.paused);
	assert_int_equal(s->ended.n, 1);
	assert_true(s->ended.v[0].paused);
}

static void test_configmap(void **state)
{
	struct fixture *f = *state;
	struct set *old = set_of(f, CONFIG("data: {a: old}\nbinaryData: {b: aGk=}\n"));
	struct set *now = set_of(f, CONFIG("data: {a: new, c: d}\n"));
	struct object *then = set_find(old, KIND_CONFIGMAP, "default", "c");
	struct hold h = content_hold(f, then, set_find(now, KIND_CONFIGMAP, "default", "c"));

	strmap_set(&old->arena, &then->meta->labels, "v", "1");
	struct set *s = under(f, CONFIG("data: {a: new, c: d}\n"), &h);
	const struct object *o = set_find(s, KIND_CONFIGMAP, "default", "c");
	assert_true(o->held);
	assert_int_equal(o->configmap->data.n, 1);
	assert_string_equal(strmap_get(&o->configmap->data, "a"), "old");
	assert_int_equal(o->configmap->binary_data.n, 1);
	assert_string_equal(strmap_get(&o->meta->labels, "v"), "2");
}

static void test_secret(void **state)
{
	struct fixture *f = *state;
#define SECRET "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
	struct set *old = set_of(f, SECRET "stringData: {a: old}\n");
	struct set *now = set_of(f, SECRET "stringData: {a: new}\n");
	struct hold h = content_hold(f, set_find(old, KIND_SECRET, "default", "s"),
				     set_find(now, KIND_SECRET, "default", "s"));
	struct set *s = under(f, SECRET "data: {a: bmV3}\n", &h);
	const struct secret *o = set_find(s, KIND_SECRET, "default", "s")->secret;

	assert_int_equal(o->data.n, 1);
	assert_memory_equal(o->data.v[0].v.data, "old", 3);
}

static void test_gone(void **state)
{
	struct fixture *f = *state;
	struct set *now = set_of(f, WEB("/two", "5"));
	struct hold h = content_hold(f, web(now), web(now));

	h.paused = true;
	struct set *s = under(f, CONFIG(""), &h);
	assert_int_equal(s->ended.n, 1);
	assert_null(s->ended.v[0].content);
	assert_false(s->ended.v[0].paused);

	/* refused or unreadable is not gone */
	struct set *twice = under(f, WEB("/two", "5") "---\n" WEB("/three", "5"), &h);
	assert_int_equal(twice->objects.n, 0);
	assert_int_equal(twice->ended.n, 0);
	struct manifest *bad = load(f, "a.yaml", WEB("/two", "x"));
	struct hold_list l = { &h, 1 };
	struct set *broken = set_build(NULL, 0, &bad, 1, &l, NULL);
	f->sets[f->nsets++] = broken;
	assert_int_equal(broken->ended.n, 0);
}

static void test_damaged(void **state)
{
	struct fixture *f = *state;
	static const char *const contents[] = {
		"", "{", "{}", "[]", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\"}}",
		"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"}}",
	};
	struct set *now = set_of(f, WEB("/two", "5"));

	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		struct hold h = { .key = object_key(web(now)), .content = contents[i],
				  .digest = web(now)->digest };
		struct set *s = under(f, WEB("/two", "5"), &h);

		assert_string_equal(image(web(s)), "rootfs:/two");
		assert_false(web(s)->held);
		assert_int_equal(s->ended.n, 1);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_template), TEST(test_edit_ends_it), TEST(test_layout_does_not_end_it),
		TEST(test_switches), TEST(test_both), TEST(test_configmap), TEST(test_secret),
		TEST(test_gone), TEST(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
