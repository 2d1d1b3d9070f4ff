/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON of described structs, YAML of JSON, and that both are read back as what they were. */
#include "toy.h"

static const char *json_of(struct toy *t, const struct box *b, unsigned flags)
{
	struct json j;

	buf_reset(&t->text);
	json_init(&j, &t->text, false);
	schema_json_value(&j, &box_type, b, flags);
	return arena_strdup(&t->a, t->text.data);
}

static void written(void **state)
{
	struct toy *t = *state;
	static const char text[] =
		"{\"metadata\":{\"name\":\"x\",\"labels\":{\"a\":\"1\"}},\"enabled\":false,\"replicas\":0,"
		"\"big\":7,\"size\":\"2Gi\",\"surge\":3,\"due\":\"2026-11-21T10:00:00Z\","
		"\"rolled\":{\"tools\":[{\"name\":\"a\",\"args\":[],\"ports\":[{\"number\":1,\"color\":\"Green\"}],"
		"\"limits\":{\"cpu\":\"100m\"}}]},\"bytes\":{\"k\":\"aGFsbG8=\"},\"data\":{},\"extra\":{\"x\":[1]}}";

	assert_string_equal(json_of(t, toy_box(t, text), DUMP_WRITTEN), text);
	assert_string_equal(json_of(t, toy_box(t, "{}"), DUMP_WRITTEN), "{}");
}

static void complete(void **state)
{
	struct toy *t = *state;
	struct box *b = toy_box(t, "kept: {tools: [{name: a, ports: [{number: 1}]}]}");

	b->metadata.created = 1795255200LL * NSEC + 5;
	b->metadata.uid = "u";
	b->status.phase = "Running";
	assert_string_equal(json_of(t, b, 0),
		"{\"metadata\":{\"uid\":\"u\",\"created\":\"2026-11-21T10:00:00Z\"},\"enabled\":true,"
		"\"replicas\":1,\"size\":\"1Gi\",\"surge\":\"25%\",\"kept\":{\"tools\":[{\"name\":\"a\","
		"\"ports\":[{\"number\":1,\"color\":\"Red\"}]}],\"mode\":420},"
		"\"status\":{\"count\":0,\"phase\":\"Running\"}}");
	b->metadata.created = 0;
	assert_null(strstr(json_of(t, b, 0), "created"));
	assert_null(strstr(json_of(t, b, DUMP_WRITTEN), "status"));
}

static void round_trip(void **state)
{
	struct toy *t = *state;
	struct box *b = toy_box(t, "metadata: {name: x, labels: {a: \"\\x01\\u2028\\U0001f600\"}}\n"
				   "rolled: {tools: [{name: a, mainPort: {number: 5}}]}\nkeys: {k: AAH/}\n"
				   "data: {a: \"l1\\n l2\\n\\n\", 'on': 'yes'}\n");
	struct box again = { 0 };
	struct msgs *m = &t->m;

	b->metadata.uid = "u";
	b->status.count = 5;
	struct ynode *n = toy_tree(t, json_of(t, b, 0));
	assert_int_equal(schema_decode_record(&t->a, &box_type, NULL, n, "", NULL, &again, m), 0);
	assert_true(schema_equal(&box_type, b, &again));
	n = toy_tree(t, json_of(t, b, DUMP_WRITTEN));
	again = (struct box){ 0 };
	assert_int_equal(schema_decode_record(&t->a, &box_type, NULL, n, "", NULL, &again, m), 0);
	assert_true(schema_hash(&box_type, b, 1) == schema_hash(&box_type, &again, 1));
}

static const char *yaml_of(struct toy *t, const char *json)
{
	buf_reset(&t->text);
	assert_int_equal(json_to_yaml(json, &t->text), 0);
	return buf_str(&t->text);
}

static void yaml_style(void **state)
{
	struct toy *t = *state;

	assert_string_equal(yaml_of(t,
		"{\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\",\"labels\":{}},"
		"\"list\":[{\"a\":1,\"b\":{\"c\":[]}},{\"d\":[[1,2],[]]},\"s\"],\"empty\":[]}"),
		"apiVersion: v1\nmetadata:\n  name: x\n  labels: {}\nlist:\n- a: 1\n  b:\n    c: []\n"
		"- d:\n  - - 1\n    - 2\n  - []\n- s\nempty: []\n");
	assert_string_equal(yaml_of(t, " { \"a\" : [ { } ] , \"b\" : null } "),
		"a:\n- {}\nb: null\n");
	assert_string_equal(yaml_of(t, "[]"), "[]\n");
	assert_string_equal(yaml_of(t, "{}"), "{}\n");
	assert_string_equal(yaml_of(t, "[{\"a\":{\"b\":1},\"c\":2}]"), "- a:\n    b: 1\n  c: 2\n");
	assert_string_equal(yaml_of(t,
		"{\"a\":{\"s\":\"one\\ntwo\\n\",\"t\":[\"x\\ny\"]},\"b\":\"z\\n\\n\"}"),
		"a:\n  s: |\n    one\n    two\n  t:\n  - |-\n    x\n    y\nb: |+\n  z\n\n");
}

static void yaml_quotes(void **state)
{
	static const struct { const char *json, *yaml; } table[] = {
		{ "\"x y\"", "x y" }, { "\"\"", "\"\"" }, { "\"yes\"", "\"yes\"" },
		{ "\"80\"", "\"80\"" }, { "\"1.10\"", "\"1.10\"" }, { "\"null\"", "\"null\"" },
		{ "\"0644\"", "\"0644\"" }, { "\"~\"", "\"~\"" }, { "\"a: b\"", "'a: b'" },
		{ "\"a #b\"", "'a #b'" }, { "\"a#b\"", "a#b" }, { "\"-c\"", "-c" },
		{ "\"- c\"", "'- c'" }, { "\"-\"", "'-'" }, { "\"*\"", "'*'" },
		{ "\"it's\"", "it's" }, { "\"'q'\"", "'''q'''" }, { "\" x\"", "' x'" },
		{ "\"x \"", "'x '" }, { "\"a:\"", "'a:'" }, { "\"a:b\"", "a:b" },
		{ "\"<<\"", "'<<'" }, { "\"12:30\"", "\"12:30\"" },
		{ "\"2024-01-01\"", "\"2024-01-01\"" }, { "\"500m\"", "500m" },
		{ "\"25%\"", "25%" }, { "\"\\t\"", "\"\\t\"" },
		{ "\"\\u00e4\\ud83d\\ude00\"", "\xc3\xa4\xf0\x9f\x98\x80" }, { "\"/a/b\"", "/a/b" },
		{ "\"{x}\"", "'{x}'" }, { "\"a\\\\b\"", "a\\b" }, { "\"\\\"q\\\"\"", "'\"q\"'" },
		{ "\"---\"", "'---'" }, { "\"%x\"", "'%x'" }, { "1e3", "1e3" }, { "-1.5", "-1.5" },
		{ "true", "true" }, { "\" a\\nb\"", "\" a\\nb\"" }, { "\"a \\nb\"", "\"a \\nb\"" },
		{ "\"\\n\"", "\"\\n\"" }, { "\"=\"", "'='" },
	};
	struct toy *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *json = arena_printf(&t->a, "{\"k\":%s}", table[i].json);
		const char *yaml = arena_printf(&t->a, "k: %s\n", table[i].yaml);
		assert_string_equal(yaml_of(t, json), yaml);
	}
	assert_string_equal(yaml_of(t, "{\"on\":1,\"a b\":2,\"80\":3,\"x/y.z\":4}"),
			    "\"on\": 1\na b: 2\n\"80\": 3\nx/y.z: 4\n");
}

/* Whatever the string, the YAML is read back as it. */
static void yaml_returns(void **state)
{
	struct toy *t = *state;
	static const char alphabet[] = "a1 :#-\n'\"\\,[]{}&*!|>%@`~?.=\t<yn0x_/";
	uint32_t seed = 1;

	for (int i = 0; i < 3000; i++) {
		char s[8] = { 0 };
		BUF_AUTO json = { 0 };
		struct json j;

		for (size_t k = 0; k < 1 + (size_t)i % 7; k++) {
			seed = seed * 1103515245 + 12345;
			s[k] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		json_init(&j, &json, false);
		json_begin_object(&j);
		json_kstr(&j, "k", s);
		json_kstr(&j, s, "v");
		json_end_object(&j);
		struct ynode *n = toy_tree(t, yaml_of(t, json.data));
		const struct ynode *k = ynode_get(n, "k");
		if (n->n != 2 || !k || strcmp(k->text, s) || strcmp(n->keys[1]->text, s) ||
		    (k->plain && ynode_is_null(k)))
			fail_msg("%s: %s", json.data, buf_str(&t->text));
	}
}

/* Without a "?", a key may be 1024 characters long. */
static void yaml_long_key(void **state)
{
	static const char *const values[] = { "1", "{\"a\":{\"b\":2}}", "[{\"c\":3}]", "\"x\\ny\"" };
	struct toy *t = *state;
	char key[1101];

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		BUF_AUTO back = { 0 };
		BUF_AUTO path = { 0 };
		struct json j;
		const char *json = arena_printf(&t->a, "{\"l\":[{\"%s\":%s,\"m\":0}]}", key, values[i]);

		json_init(&j, &back, false);
		assert_int_equal(ynode_json(toy_tree(t, yaml_of(t, json)), &j, &path, NULL), 0);
		assert_string_equal(buf_str(&back), json);
	}
}

static void yaml_refuses(void **state)
{
	static const char *const bad[] = {
		"", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1]", "[1,", "[1}", "\"x",
		"\"\\q\"", "\"\\u12\"", "{a:1}", "1 2", "{} x",
	};
	struct toy *t = *state;
	BUF_AUTO deep = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		buf_reset(&t->text);
		if (json_to_yaml(bad[i], &t->text) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
	}
	for (int i = 0; i < 100000; i++)
		buf_putc(&deep, '[');
	assert_int_equal(json_to_yaml(deep.data, &t->text), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		toy_test(written), toy_test(complete), toy_test(round_trip), toy_test(yaml_style),
		toy_test(yaml_quotes), toy_test(yaml_returns), toy_test(yaml_long_key),
		toy_test(yaml_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
