/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON Schema of all kinds: every reference leads somewhere, every kind is one of the documents. */
#include "fixture.h"

#include "model/json_schema.h"

static const struct ynode *parse(struct fixture *f, const char *text)
{
	struct msgs m = { .arena = &f->arena };
	struct yaml_docs docs = { 0 };

	assert_int_equal(yaml_parse(&f->arena, "schema", text, strlen(text), &docs, &m), 0);
	assert_int_equal(docs.n, 1);
	return docs.v[0].root;
}

static const struct ynode *schema(struct fixture *f, const struct kind *only)
{
	struct json j;

	buf_reset(&f->text);
	json_init(&j, &f->text, false);
	kinds_json_schema(&j, only);
	return parse(f, buf_str(&f->text));
}

/* How many references there are; all of them must be found. */
static unsigned references(const struct ynode *n, const struct ynode *definitions)
{
	static const char prefix[] = "#/definitions/";
	unsigned found = 0;

	for (uint32_t i = 0; n->kind != Y_SCALAR && i < n->n; i++) {
		const struct ynode *v = n->values[i];

		found += references(v, definitions);
		if (n->kind != Y_MAP || !streq(n->keys[i]->text, "$ref") || streq(v->text, "#"))
			continue;
		assert_memory_equal(v->text, prefix, sizeof(prefix) - 1);
		if (!ynode_get(definitions, v->text + sizeof(prefix) - 1))
			fail_msg("%s leads nowhere", v->text);
		found++;
	}
	return found;
}

static void test_all_kinds(void **state)
{
	const struct ynode *s = schema(*state, NULL);
	const struct ynode *definitions = ynode_get(s, "definitions");
	unsigned declared = 0;

	assert_true(references(s, definitions) > 200);
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct ynode *d = ynode_get(definitions, kinds[i].name);

		assert_int_equal(d != NULL, kinds[i].use != KIND_MADE);
		if (!d)
			continue;
		declared++;
		const struct ynode *p = ynode_get(d, "properties");
		assert_string_equal(ynode_get(ynode_get(p, "kind"), "const")->text, kinds[i].name);
		assert_string_equal(ynode_get(ynode_get(p, "apiVersion"), "const")->text,
				    kinds[i].api_version);
		assert_string_equal(ynode_get(d, "additionalProperties")->text, "false");
	}
	/* and a List, what is not ours, versions that are converted */
	assert_true(ynode_get(s, "oneOf")->n > declared + 2);
}

static void test_one_kind(void **state)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct ynode *s = schema(*state, &kinds[i]);

		assert_true(references(s, ynode_get(s, "definitions")) > 0);
		assert_null(ynode_get(ynode_get(s, "definitions"), "no such"));
	}
}

static void test_settings(void **state)
{
	struct fixture *f = *state;
	struct json j;

	json_init(&j, &f->text, false);
	settings_json_schema(&j);
	const struct ynode *p = ynode_get(parse(f, buf_str(&f->text)), "properties");
	assert_non_null(ynode_get(p, "settleMilliseconds"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_kinds, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_one_kind, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_settings, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
