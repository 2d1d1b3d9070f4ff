/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Kubernetes' readers and libyaml make of the same text, where they differ or where people
 * trip: each case is a text and the JSON of its documents, one a line, or the message.
 */
#include "toy.h"

#include <time.h>

#include "schema/scalar.h"

struct row { const char *yaml, *json; };

/* The documents as JSON, or what is wrong. */
static const char *read_text(struct toy *t, const char *yaml, size_t n)
{
	struct yaml_docs docs;
	BUF_AUTO out = { 0 };
	BUF_AUTO path = { 0 };
	struct json j;
	struct err err;

	if (yaml_parse(&t->a, "f", yaml, n, &docs, &t->m) < 0)
		return toy_messages(t);
	for (uint32_t i = 0; i < docs.n; i++) {
		json_init(&j, &out, false);
		if (ynode_json(docs.v[i].root, &j, &path, &err) < 0)
			return arena_printf(&t->a, "%u:%u: %s: %s\n", err.line, err.col,
					    buf_str(&path), err.msg);
		buf_putc(&out, '\n');
	}
	return arena_strdup(&t->a, buf_str(&out));
}

static void check_rows(struct toy *t, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *got = read_text(t, rows[i].yaml, strlen(rows[i].yaml));
		if (!streq(got, rows[i].json))
			fail_msg("of %s\nbecame %sinstead of %s", rows[i].yaml, got, rows[i].json);
	}
}

#define ROWS(t, ...)                                                                           \
	do {                                                                                   \
		static const struct row rows_[] = { __VA_ARGS__ };                             \
		check_rows(t, rows_, ARRAY_SIZE(rows_));                                       \
	} while (0)

static void words(void **state)
{
	ROWS(*state,
	      { "[yes, No, ON, off, y, N, true, FALSE]",
		"[true,false,true,false,true,false,true,false]\n" },
	      { "['yes', \"on\", yEs, oN, truE]", "[\"yes\",\"on\",\"yEs\",\"oN\",\"truE\"]\n" },
	      { "a: ~\nb: null\nc: Null\nd: NULL\ne:\nf: nUll\n",
		"{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null,\"f\":\"nUll\"}\n" },
	      /* a word is no key: it would get another name */
	      { "on: 1\n", "1:1: on: a key that YAML takes for another type than string; "
			   "quote it: \"on\"\n" },
	      { "data:\n  y: 1\n", "2:3: data.y: a key that YAML takes for another type than "
				   "string; quote it: \"y\"\n" },
	      { "'on': 1\n80: 2\n", "{\"on\":1,\"80\":2}\n" });
}

static void numbers(void **state)
{
	ROWS(*state,
	      { "[0644, 0o644, 08, 0999, 0x1F, 0b11, 1_000, +1, -1]",
		"[420,420,8,999,31,3,1000,1,-1]\n" },
	      { "[1e3, .5, 1.10, 5., 1E-2]", "[1000,0.5,1.1,5,0.01]\n" },
	      { "[12:30:45, 2024-01-01, 1.2.3, 1_, 0x, 1Gi]",
		"[\"12:30:45\",\"2024-01-01\",\"1.2.3\",1,\"0x\",\"1Gi\"]\n" },
	      { "[9223372036854775807, 9223372036854775808, 1e400]",
		"1:44: [2]: expected a value that JSON knows, not the number 1e400\n" },
	      { "9223372036854775808", "9.223372036854776e+18\n" },
	      { "a: [.inf]", "1:5: a[0]: expected a value that JSON knows, not the number .inf\n" },
	      { "'0644'", "\"0644\"\n" });
}

static void duplicate_keys(void **state)
{
	ROWS(*state,
	      { "a: 1\nb:\n  c: 1\n  c: 2\na: 2\n", "f:4:3: b: duplicate key \"c\", first at 3:3\n"
						    "f:5:1: duplicate key \"a\", first at 1:1\n" },
	      { "{a: 1, \"a\": 2, 'a': 3}", "f:1:8: duplicate key \"a\", first at 1:2\n"
					    "f:1:16: duplicate key \"a\", first at 1:2\n" },
	      { "a: 1\n---\na: 2\n", "{\"a\":1}\n{\"a\":2}\n" },
	      { "? a\n? a\n", "f:2:3: duplicate key \"a\", first at 1:3\n" },
	      /* in a mapping with many keys they are found in another way */
	      { "{k0,k1,k2,k3,k4,k5,k6,k7,k8,k9,ka,kb,kc,kd,ke,k3,kf,k3}",
		"f:1:47: duplicate key \"k3\", first at 1:11\n"
		"f:1:53: duplicate key \"k3\", first at 1:11\n" });
}

static void anchors(void **state)
{
	ROWS(*state,
	      { "a: &x [1]\nb: *x\nc: &x 2\nd: *x\n", "{\"a\":[1],\"b\":[1],\"c\":2,\"d\":2}\n" },
	      { "a: &k x\n*k : 1\n", "{\"a\":\"x\",\"x\":1}\n" },
	      { "b: &b {x: 1, w: 1}\no: {x: 0, <<: *b, z: 2}\np: {<<: *b, x: 3}\n",
		"{\"b\":{\"x\":1,\"w\":1},\"o\":{\"x\":0,\"z\":2,\"w\":1},"
		"\"p\":{\"x\":3,\"w\":1}}\n" },
	      { "o: {<<: [{x: 1}, {x: 2, w: 2}, {}], z: 3}\n",
		"{\"o\":{\"z\":3,\"x\":1,\"w\":2}}\n" },
	      { "o: {<<: {}}\n", "{\"o\":{}}\n" },
	      /* a merge of what is merged itself */
	      { "a: &a {x: 1}\nb: &b {<<: *a, w: 2}\nc: {<<: *b, x: 3}\n",
		"{\"a\":{\"x\":1},\"b\":{\"w\":2,\"x\":1},\"c\":{\"x\":3,\"w\":2}}\n" },
	      { "o: {<<: {x: 1}, <<: {y: 1}}\n",
		"f:1:17: o: duplicate key \"<<\", first at 1:5\n" },
	      { "o: {<<: [1]}\n", "f:1:10: o: << wants a mapping or a list of mappings\n" },
	      { "a: &x {b: *x}\n", "f:1:11: a.b: alias *x stands inside the value of &x\n" });
}

static void escapes(void **state)
{
	struct toy *t = *state;

	ROWS(t,
	      { "a: \"it\\'s\"\nb: \"\\'\\'\\\"\" # c\n", "{\"a\":\"it's\",\"b\":\"''\\\"\"}\n" },
	      /* elsewhere it is what it looks like */
	      { "a: \"\\'\"\nb: 'x\\'\nc: |\n  '\\''\nd: x\\'y\ne: \"\\\\'\"\n# \"\\'\n",
		"{\"a\":\"'\",\"b\":\"x\\\\\",\"c\":\"'\\\\''\\n\","
		"\"d\":\"x\\\\'y\",\"e\":\"\\\\'\"}\n" },
	      { "{\"a\": \"\\ud83d\\ude00 \\\\ud83d\\\\ude00\"}",
		"{\"a\":\"\xf0\x9f\x98\x80 \\\\ud83d\\\\ude00\"}\n" },
	      { "a: \"\\ud83d\\ude00\"\nb: '\\ud83d\\ude00'\n",
		"{\"a\":\"\xf0\x9f\x98\x80\",\"b\":\"\\\\ud83d\\\\ude00\"}\n" },
	      { "{a: [\"\\ud83d\\ude00\", {b: \"\\ud83d\\ude01\"}], "
		"c: '\\ud83d\\ude00', # \"\\ud83d\n"
		"d: x\"\\ud83d\\ude00\"}",
		"{\"a\":[\"\xf0\x9f\x98\x80\",{\"b\":\"\xf0\x9f\x98\x81\"}],"
		"\"c\":\"\\\\ud83d\\\\ude00\",\"d\":\"x\\\"\\\\ud83d\\\\ude00\\\"\"}\n" },
	      /* in block style a comma or a word does not end the value before it */
	      { "a: [\"\\ud83d\\ude00\", 1]\nb: 1,\"\\ud83d\\ude00\"\n",
		"{\"a\":[\"\xf0\x9f\x98\x80\",1],\"b\":\"1,\\\"\\\\ud83d\\\\ude00\\\"\"}\n" },
	      { "[\"\\ud83d\\ude00\", true\"\\ud83d\\ude00\"]",
		"[\"\xf0\x9f\x98\x80\",\"true\\\"\\\\ud83d\\\\ude00\\\"\"]\n" },
	      { "{\"a\": \"\\ud83d\"}", "f:1:10: found invalid Unicode character escape code\n" },
	      { "\"\\u00e4\\x41\\n\\/\\e\"", "\"\xc3\xa4" "A\\n/\\u001b\"\n" });
	/* what stands behind is found in its place */
	assert_string_equal(read_text(t, "{\"a\": \"\\ud83d\\ude00\\'\", \"a\": 1}", 31),
			    "f:1:25: duplicate key \"a\", first at 1:2\n");
	struct yaml_docs docs;
	static const char text[] = "a: \"\\'\"\n---\nb: 1\n";
	assert_int_equal(yaml_parse(&t->a, "f", text, sizeof(text) - 1, &docs, &t->m), 0);
	assert_int_equal(docs.v[1].start, 8);
	assert_int_equal(docs.v[1].end, sizeof(text) - 1);
}

static void json_text(void **state)
{
	ROWS(*state,
	      { "{\"a\":1,\"b\":[true,null,1.5e3,\"x\\u0041\\/\"],\"c\":{}}",
		"{\"a\":1,\"b\":[true,null,1500,\"xA/\"],\"c\":{}}\n" },
	      { "{\n\t\"a\":\t\"b\"\n}\n", "{\"a\":\"b\"}\n" },
	      { "[]", "[]\n" });
}

static void kyaml(void **state)
{
	ROWS(*state,
	      { "---\n{\n  # about a\n  a: \"x\",\n  app.kubernetes.io/name: \"y\", # z\n"
		"  list: [\n    \"1\",\n    2,\n  ],\n  nested: [{\n    b: {},\n  }],\n}\n",
		"{\"a\":\"x\",\"app.kubernetes.io/name\":\"y\",\"list\":[\"1\",2],"
		"\"nested\":[{\"b\":{}}]}\n" },
	      { "{\n  a: \"one \\\n    two\",\n}\n---\n{b: \"no\"}\n",
		"{\"a\":\"one two\"}\n{\"b\":\"no\"}\n" },
	      { "{a:1,b: http://x:80/y,c}",
		"{\"a:1\":null,\"b\":\"http://x:80/y\",\"c\":null}\n" });
}

static void tabs(void **state)
{
	ROWS(*state,
	      { "a: 1\t# c\nb:\t2\nc: [\t1,\t2 ]\t\n", "{\"a\":1,\"b\":2,\"c\":[1,2]}\n" },
	      { "a: |\n  x\ty\n", "{\"a\":\"x\\ty\\n\"}\n" },
	      { "a:\n\tb: 1\n", "f:2:1: found character that cannot start any token; "
				"a tab: indent with spaces\n" },
	      { "a:\n  b: 1\n\tc: 1\n", "f:3:1: found a tab character that violates indentation "
					"(while scanning a plain scalar that began in line 2); "
					"a tab: indent with spaces\n" });
}

static void lines(void **state)
{
	ROWS(*state,
	      { "a: |\r\n  x\r\n  y\r\nb: 1\r\n", "{\"a\":\"x\\ny\\n\",\"b\":1}\n" },
	      { "a: |\n  x", "{\"a\":\"x\\n\"}\n" },
	      { "a: |-\n  x", "{\"a\":\"x\"}\n" },
	      { "a: >\n  x\n  y\n\n  z\n", "{\"a\":\"x y\\nz\\n\"}\n" },
	      { "a: |+\n  x\n\n", "{\"a\":\"x\\n\\n\"}\n" },
	      { "a: |2\n   x\n", "{\"a\":\" x\\n\"}\n" },
	      { "a:\n- 1\n- b: 2\n  c:\n  - 3\n", "{\"a\":[1,{\"b\":2,\"c\":[3]}]}\n" },
	      { "\xef\xbb\xbf" "a: 1\n---\n\xef\xbb\xbf" "b: 1\nc: 2\n",
		"{\"a\":1}\n{\"b\":1,\"c\":2}\n" });
}

static void documents(void **state)
{
	struct toy *t = *state;

	ROWS(t,
	      { "", "" }, { "---\n", "" }, { "---\n---\n# c\n---\n", "" }, { "# c", "" },
	      { "---\na: 1\n---\n---\nb: 1\n---\n", "{\"a\":1}\n{\"b\":1}\n" },
	      { "--- {a: 1}\n--- # c\nb: 1\n--- text\n", "{\"a\":1}\n{\"b\":1}\n\"text\"\n" },
	      { "a: 1\n...\n---\nb: 1\n...\n", "{\"a\":1}\n{\"b\":1}\n" },
	      { "%YAML 1.2\n---\na: 1\n", "{\"a\":1}\n" },
	      { "%YAML 1.1\n---\na: 1\n", "{\"a\":1}\n" },
	      { "%YAML 1.3\n---\na: 1\n", "f:1:1: found incompatible YAML document\n" },
	      { "a: '---'\nb: |\n  ---\n  x\n", "{\"a\":\"---\",\"b\":\"---\\nx\\n\"}\n" });
	/* where a document begins and ends behind a BOM */
	static const char text[] = "\xef\xbb\xbf" "a: \xc3\xa4\n---\n"
				   "\xef\xbb\xbf" "b: 1\n---\nc: 1\n";
	struct yaml_docs docs;
	assert_int_equal(yaml_parse(&t->a, "f", text, sizeof(text) - 1, &docs, &t->m), 0);
	assert_int_equal(docs.n, 3);
	assert_memory_equal(text + docs.v[2].start, "---\nc: 1\n", 10);
	assert_int_equal(docs.v[2].end, sizeof(text) - 1);
}

static void tags(void **state)
{
	ROWS(*state,
	      { "a: !!str 1\nb: !!int '1'\nc: !!bool 'yes'\nd: !!float '1'\ne: !!null ''\nf: ! 1\n",
		"{\"a\":\"1\",\"b\":1,\"c\":true,\"d\":1,\"e\":null,\"f\":\"1\"}\n" },
	      { "a: !!binary eA==\n", "f:1:4: a: tag tag:yaml.org,2002:binary is not supported\n" },
	      { "a: !Ref x\n", "f:1:4: a: tag !Ref is not supported\n" },
	      { "a: !x!y z\n", "f:1:4: found undefined tag handle\n" });
}

static void keys(void **state)
{
	struct toy *t = *state;
	BUF_AUTO long_key = { 0 };

	ROWS(t,
	      { "? [a]\n: 1\n", "f:1:3: a key must be a string, not a list\n" },
	      { "a:b\n", "\"a:b\"\n" },
	      { "a: b:c\n", "{\"a\":\"b:c\"}\n" });
	/* libyaml's bound, and Kubernetes': longer keys must be marked by a question mark */
	for (unsigned i = 0; i < 1100; i++)
		buf_putc(&long_key, 'k');
	buf_puts(&long_key, ": 1\n");
	const char *said = read_text(t, long_key.data, long_key.len);
	assert_memory_equal(said, "f:1:1101: mapping values", 24);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void repeat(struct buf *out, const char *part, size_t bytes)
{
	while (out->len < bytes)
		buf_puts(out, part);
}

/* Text made to cost more than its length; how it must end. */
static void hostile(void **state)
{
	struct toy *t = *state;
	static const struct { const char *head, *part, *said; } table[] = {
		{ "", "[", "nested more than 100 levels deep" },
		{ "", "[\n", "nested more than 100 levels deep" },
		{ "", "{a: ", "nested more than 100 levels deep" },
		{ "", "{\"a\":", "nested more than 100 levels deep" },
		{ "", "- ", "nested more than 100 levels deep" },
		{ "", "? ", "nested more than 100 levels deep" },
		{ "", ": ", "did not find expected key" },
		{ "", "[{? ", "nested more than 100 levels deep" },
		{ "", "a: ", "mapping values are not allowed" },
		{ "a", ": b", "mapping values are not allowed" },
		{ "", "]", "" },
		{ "", "a\n", "" },
		{ "", "%TAG !a! b\n", "more than 100 lines of %TAG" },
		{ "[", "{a,a},", "further errors of this file are left out" },
		{ "a: &a {b: c}\nd: [", "{<<: *a},", "too many values" },
		{ "? ", "x", "" },
		{ "- &", "x", "" },
		{ "- *", "x", "has no anchor" },
		{ "- !<", "x", "did not find the expected '>'" },
		{ "\"", "\\'", "unexpected end of stream" },
		{ "[\"\\'\"", ",\n\"\\'\"", "did not find expected ',' or ']'" },
		{ "", "--- \"\\'\"\n", "unknown escape" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		BUF_AUTO text = { 0 };
		double before = seconds();

		buf_puts(&text, table[i].head);
		repeat(&text, table[i].part, 1000000);
		const char *said = read_text(t, text.data, text.len);
		bool refused = !strncmp(said, "f:", 2);
		if (!strstr(said, table[i].said) || (refused && strlen(said) > 100000))
			fail_msg("%s: %.1000s", table[i].part, said);
		double took = seconds() - before;
		if (took > 5)
			fail_msg("%s%s: %.1f s", table[i].head, table[i].part, took);
		arena_release(&t->a);
		t->m = (struct msgs){ .arena = &t->a };
	}
}

/* CPU time of parsing so many bytes of a shape. */
static double cost(struct toy *t, const char *head, const char *part, size_t bytes)
{
	double best = 1e9;

	for (unsigned i = 0; i < 3; i++) {
		BUF_AUTO text = { 0 };
		struct yaml_docs docs;

		buf_puts(&text, head);
		repeat(&text, part, bytes);
		double before = seconds();
		if (yaml_parse(&t->a, "f", text.data, text.len, &docs, &t->m) < 0)
			fail_msg("%s: %s", part, toy_messages(t));
		double took = seconds() - before;
		best = MIN(best, took);
		arena_release(&t->a);
	}
	return best;
}

/* Eight times the text costs about eight times as much, and not sixty-four. */
static void linear(void **state)
{
	struct toy *t = *state;
	static const struct { const char *head, *part; } table[] = {
		{ "a: ", "word " }, { "a: |\n", "  a line of it\n" }, { "a: |\n  x\n", "\n" },
		{ "a: |\n", "  x\t\n" }, { "a: ", "b\n\n " }, { "", "# comment\n" },
		{ "", "- item of a list\n" }, { "", "--- 1\n" }, { "- &a 1\n", "- *a\n" },
		{ "", "---\n- &a 1\n- *a\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		double small = cost(t, table[i].head, table[i].part, 200000);
		double large = cost(t, table[i].head, table[i].part, 1600000);
		if (large > 0.05 && large > 24 * small)
			fail_msg("%s: %g s, %g s", table[i].part, small, large);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		toy_test(words), toy_test(numbers), toy_test(duplicate_keys), toy_test(anchors),
		toy_test(escapes), toy_test(json_text), toy_test(kyaml), toy_test(tabs),
		toy_test(lines), toy_test(documents), toy_test(tags), toy_test(keys),
		toy_test(hostile), toy_test(linear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
