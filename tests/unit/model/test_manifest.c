/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files: which are read, what is one object and what is several, what becomes of bad ones. */
#include "fixture.h"

#define CONFIG(name) "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\n"

static void test_wanted(void **state)
{
	static const struct { const char *path; bool wanted; } cases[] = {
		{ "a.yaml", true }, { "a.yml", true }, { "a.json", true }, { "x/y/a.b.yaml", true },
		{ "x/orchd.yaml", true }, { "orchd.yml", true }, { "orchd.yaml", false },
		{ "a.yaml~", false }, { ".a.yaml", false }, { "x/.a.yaml", false }, { ".git/a.yaml", false },
		{ "a.YAML", false }, { "a.yaml.swp", false }, { "yaml", false }, { ".yaml", false },
		{ "a", false }, { "", false }, { "a.yaml.new", false }, { "x/.git/y/a.yaml", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(manifest_wanted(cases[i].path), cases[i].wanted);
}

static void test_documents(void **state)
{
	struct fixture *f = *state;
	struct manifest *m = good(f, "shop/web/a.yaml",
		"---\n---\n# nothing\n---\napiVersion: v1\nkind: List\n---\n" CONFIG("one") "---\napiVersion: v1\nkind: List\nitems:\n"
		"- {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}\n"
		"- apiVersion: v1\n  kind: ConfigMapList\n  items:\n"
		"  - {apiVersion: v1, kind: ConfigMap, metadata: {name: three}}\n"
		"---\n" CONFIG("four"));
	static const char *const names[] = { "one", "two", "three", "four" };

	assert_string_equal(m->stack, "shop");
	assert_int_equal(m->objects.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(m->objects.v[i].meta->name, names[i]);
	assert_int_equal(m->objects.v[1].line, 15);
	assert_int_equal(m->objects.v[1].col, 3);
	assert_string_equal(m->objects.v[0].file, "shop/web/a.yaml");
	assert_string_equal(m->objects.v[0].stack, "shop");
}

static void test_json(void **state)
{
	struct manifest *m = good(*state, "a.json",
		"{\n  \"apiVersion\": \"v1\", \"kind\": \"ConfigMap\",\n"
		"  \"metadata\": {\"name\": \"c\"}, \"data\": {\"yes\": \"no\"}\n}\n");

	assert_int_equal(m->objects.n, 1);
	assert_string_equal(strmap_get(&m->objects.v[0].configmap->data, "yes"), "no");
}

static void test_empty(void **state)
{
	static const char *const texts[] = { "", "\n", "---\n", "# x\n", "null\n", "---\n...\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(good(*state, "a.yaml", texts[i])->objects.n, 0);
}

/* One error, and no object of the file counts; its bytes and digest are known. */
static void test_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	static const char text[] = CONFIG("one") "---\n" CONFIG("TWO");
	struct manifest *m = load(f, "a.yaml", text);

	assert_true(m->broken);
	assert_int_equal(m->objects.n, 0);
	assert_int_equal(m->msgs.errors, 1);
	assert_int_equal(m->size, sizeof(text) - 1);
	assert_memory_equal(m->text, text, m->size);
	assert_int_equal(strlen(m->digest), 64);
	assert_string_not_equal(m->digest, load(f, "b.yaml", CONFIG("one"))->digest);
}

static void test_items_say_where(void **state)
{
	struct fixture *f = *state;
	struct manifest *m = load(f, "a.yaml", "apiVersion: v1\nkind: List\nitems:\n- {kind: Pod}\n- 5\n");

	assert_string_equal(messages(f, &m->msgs),
		"a.yaml:4:3: apiVersion: missing; it is required, like v1 or apps/v1\n"
		"a.yaml:5:3: expected a mapping with apiVersion and kind, not a single value\n");
}

static void test_template(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {
		"a: b\n{{- if .Values.x }}\nc: d\n{{- end }}\n", "{{ x }}\n", "a: {{ x }}\n", "a: \"{{ x }}\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct manifest *m = load(f, "a.yaml", texts[i]);

		assert_true(m->broken);
		assert_non_null(strstr(messages(f, &m->msgs), "looks like an unrendered template"));
	}
	struct manifest *m = load(f, "a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
					       "data: {a: \"{{ x }}\"}\n");
	assert_false(m->broken);
}

/* Garbage of all sorts is refused; nothing of it ends the process. */
static void test_garbage(void **state)
{
	struct fixture *f = *state;
	static const char pod[] =
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: b}}\nspec:\n"
		"  containers:\n  - name: a\n    image: rootfs:/\n    env: [{name: A, value: b}]\n"
		"    livenessProbe: {httpGet: {port: 80}}\n  volumes: [{name: v, emptyDir: {}}]\n";
	static const char *const instead[] = { "null", "[]", "{}", "5", "''", "[[]]", "{a: b}", "!!x y" };

	for (const char *p = strchr(pod, ':'); p; p = strchr(p + 1, ':')) {
		for (size_t i = 0; i < ARRAY_SIZE(instead); i++) {
			BUF_AUTO text = { 0 };

			buf_add(&text, pod, (size_t)(p - pod));
			buf_printf(&text, ": %s", instead[i]);
			buf_puts(&text, p + 1 + strcspn(p + 1, ",}]\n"));
			manifest_unref(manifest_load("a.yaml", buf_str(&text), text.len));
		}
	}
	for (size_t n = 0; n < sizeof(pod); n++)
		manifest_unref(manifest_load("a.yaml", pod, n));
	assert_false(load(f, "a.yaml", pod)->broken);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_wanted), TEST(test_documents), TEST(test_json), TEST(test_empty),
		TEST(test_all_or_nothing), TEST(test_items_say_where), TEST(test_template),
		TEST(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
