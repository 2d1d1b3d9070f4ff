/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parser's wrapper: positions, documents, bounds, and every way in which text is refused. */
#include "toy.h"

#include <time.h>

#include "schema/scalar.h"
#include "schema/yaml_text.h"

static const char *refusal(struct toy *t, const char *yaml, size_t n)
{
	struct yaml_docs docs;

	assert_int_equal(yaml_parse(&t->a, "f", yaml, n, &docs, &t->m), -EINVAL);
	return toy_messages(t);
}

static const char *refused(struct toy *t, const char *yaml)
{
	return refusal(t, yaml, strlen(yaml));
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void positions(void **state)
{
	struct ynode *n = toy_tree(*state, "a: 1\nb:\n- x\n-  y: 'z'\n");

	assert_int_equal(n->kind, Y_MAP);
	assert_int_equal(n->n, 2);
	const struct ynode *b = ynode_get(n, "b");
	assert_int_equal(b->kind, Y_SEQ);
	assert_int_equal(b->line, 3);
	assert_int_equal(b->col, 1);
	const struct ynode *z = ynode_get(b->values[1], "y");
	assert_int_equal(z->line, 4);
	assert_int_equal(z->col, 7);
	assert_string_equal(z->text, "z");
	assert_false(z->plain);
	assert_null(ynode_get(n, "c"));
	assert_null(ynode_get(z, "c"));
}

static void documents(void **state)
{
	struct toy *t = *state;
	static const char text[] =
		"\xef\xbb\xbf# \xc3\xa4 first\na: \xc3\xa4\n---\n---\n# nothing\n"
		"---\nb: 1\n...\n--- {c: 1}\n";
	struct yaml_docs docs;

	assert_int_equal(yaml_parse(&t->a, "f", text, strlen(text), &docs, &t->m), 0);
	assert_int_equal(docs.n, 3);
	assert_int_equal(docs.v[0].line, 2);
	assert_memory_equal(text + docs.v[0].start, "a: \xc3\xa4\n---", 9);
	assert_int_equal(docs.v[0].end - docs.v[0].start, 6);
	assert_int_equal(docs.v[1].line, 6);
	assert_memory_equal(text + docs.v[1].start, "---\nb: 1\n...", 12);
	assert_string_equal(docs.v[2].root->keys[0]->text, "c");
	assert_int_equal(yaml_parse(&t->a, "f", "", 0, &docs, &t->m), 0);
	assert_int_equal(docs.n, 0);
	assert_int_equal(yaml_parse(&t->a, "f", "# only\n", 7, &docs, &t->m), 0);
	assert_int_equal(docs.n, 0);
}

static void styles(void **state)
{
	struct toy *t = *state;

	/* KYAML: flow style with comments, trailing commas and keys with dots and slashes */
	struct ynode *n = toy_tree(t,
		"---\n{\n  # c\n  app.kubernetes.io/name: \"x\",\n  l: [1, 2,],\n}\n");
	assert_string_equal(ynode_get(n, "app.kubernetes.io/name")->text, "x");
	assert_int_equal(ynode_get(n, "l")->n, 2);
	/* CR LF ends a line in block scalars, too, and a tab may stand before a comment */
	n = toy_tree(t, "a: |\r\n  one\r\n  two\r\nb: 1\t# c\r\n");
	assert_string_equal(ynode_get(n, "a")->text, "one\ntwo\n");
	assert_string_equal(ynode_get(n, "b")->text, "1");
	/* a last line without LF gets one, as kubectl gives it */
	assert_string_equal(ynode_get(toy_tree(t, "a: |\n  one"), "a")->text, "one\n");
	/* a surrogate pair is how JSON writes a character beyond 16 bits */
	n = toy_tree(t, "{\"a\": \"\\ud83d\\ude00 \\\\ud83d\\\\ude00\"}");
	assert_int_equal(t->m.n, 0);
	assert_memory_equal(ynode_get(n, "a")->text, "\xf0\x9f\x98\x80 \\ud83d\\ude00", 17);
}

static void tags(void **state)
{
	struct toy *t = *state;
	struct ynode *n = toy_tree(t, "a: !!str 1\nb: !!int \"1\"\nc: !!map {}\nd: !!seq []\n");

	assert_int_equal(scalar_resolve(ynode_get(n, "a")).type, SCALAR_STR);
	assert_int_equal(scalar_resolve(ynode_get(n, "b")).type, SCALAR_INT);
	assert_has(refused(t, "a: !foo 1\n"), "f:1:4: a: tag !foo is not supported");
	assert_has(refused(t, "a: !!int x\n"), "\"x\" is not what its tag");
	assert_has(refused(t, "a: !!binary eA==\n"), "is not supported");
	assert_has(refused(t, "a: !!set {x}\n"), "is not supported");
}

static void aliases(void **state)
{
	struct toy *t = *state;
	struct ynode *n = toy_tree(t, "a: &x {k: 1}\nb: *x\nc: &x 2\nd: *x\n");

	assert_string_equal(ynode_get(ynode_get(n, "b"), "k")->text, "1");
	assert_string_equal(ynode_get(n, "d")->text, "2");
	assert_has(refused(t, "a: *x\n"), "f:1:4: a: alias *x has no anchor &x before it");
	assert_has(refused(t, "a: &x [*x]\n"), "f:1:8: a[0]: alias *x stands inside");
	/* anchors end with their document */
	assert_has(refused(t, "a: &x 1\n---\nb: *x\n"), "has no anchor");
}

static void merges(void **state)
{
	struct toy *t = *state;
	struct ynode *n = toy_tree(t, "base: &b {x: 1, y: 1}\nmore: &m {y: 2, z: 2}\n"
				      "o:\n  x: own\n  <<: [*b, *m]\n  w: 3\n");
	const struct ynode *o = ynode_get(n, "o");

	assert_int_equal(o->n, 4);
	assert_string_equal(ynode_get(o, "x")->text, "own");
	assert_string_equal(ynode_get(o, "y")->text, "1");
	assert_string_equal(ynode_get(o, "z")->text, "2");
	assert_string_equal(ynode_get(o, "w")->text, "3");
	assert_null(ynode_get(o, "<<"));
	/* quoted it is a key like any other */
	assert_int_equal(ynode_get(toy_tree(t, "\"<<\": 1\n"), "<<")->kind, Y_SCALAR);
	assert_has(refused(t, "a:\n  <<: 1\n"), "f:2:7: a: << wants a mapping");
}

static void duplicates(void **state)
{
	struct toy *t = *state;

	assert_string_equal(refused(t, "s:\n- a: 1\n  b: 2\n  a: 3\n  a: 4\nt: 1\nt: 2\n"),
			    "f:4:3: s[0]: duplicate key \"a\", first at 2:3\n"
			    "f:5:3: s[0]: duplicate key \"a\", first at 2:3\n"
			    "f:7:1: duplicate key \"t\", first at 6:1\n");
	assert_has(refused(t, "{\"a\": 1, \"a\": 2}"), "f:1:10: duplicate key \"a\"");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void depth(void **state)
{
	struct toy *t = *state;
	BUF_AUTO deep = { 0 };
	double before = seconds();

	for (int i = 0; i < 1000000; i++)
		buf_putc(&deep, '[');
	assert_has(refusal(t, deep.data, deep.len), "f:1:101:");
	assert_true(seconds() - before < 1);

	buf_reset(&deep);
	for (int i = 0; i < 100; i++)
		buf_printf(&deep, "%*sa:\n", i, "");
	buf_printf(&deep, "%*sb\n", 100, "");
	assert_int_equal(toy_tree(t, deep.data)->kind, Y_MAP);

	/* an alias does not get round the bound: 60 levels, then an alias of 60 more */
	buf_reset(&deep);
	buf_puts(&deep, "- &x ");
	for (int i = 0; i < 120; i++)
		buf_putc(&deep, i < 60 ? '[' : ']');
	buf_puts(&deep, "\n- ");
	for (int i = 0; i < 60; i++)
		buf_putc(&deep, '[');
	buf_puts(&deep, " *x ");
	for (int i = 0; i < 60; i++)
		buf_putc(&deep, ']');
	buf_putc(&deep, '\n');
	assert_has(refusal(t, deep.data, deep.len), "nested more than 100 levels deep");
}

static void alias_bomb(void **state)
{
	struct toy *t = *state;
	BUF_AUTO bomb = { 0 };
	double before = seconds();

	buf_puts(&bomb, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
	for (int i = 1; i < 9; i++) {
		buf_printf(&bomb, "a%d: &a%d [", i, i);
		for (int k = 0; k < 9; k++)
			buf_printf(&bomb, "%s*a%d", k ? "," : "", i - 1);
		buf_puts(&bomb, "]\n");
	}
	assert_has(refusal(t, bomb.data, bomb.len), "too many values");
	/* one long scalar, often */
	buf_reset(&bomb);
	buf_puts(&bomb, "a: &a \"");
	for (int i = 0; i < 1000000; i++)
		buf_putc(&bomb, 'x');
	buf_puts(&bomb, "\"\nb: [");
	for (int i = 0; i < 10000; i++)
		buf_puts(&bomb, "*a,");
	buf_puts(&bomb, "]\n");
	assert_has(refusal(t, bomb.data, bomb.len), "too many values");
	assert_true(seconds() - before < 2);
}

static void sizes(void **state)
{
	struct toy *t = *state;
	BUF_AUTO big = { 0 };

	while (big.len <= YAML_MAX_BYTES)
		buf_puts(&big, "# 012345678901234567890123456789012345678901234567890123456789\n");
	assert_has(refusal(t, big.data, big.len), "larger than 4194304 bytes");
}

static void characters(void **state)
{
	struct toy *t = *state;

	assert_string_equal(refused(t, "a: 1\nb: \xc3\xa4\xff\n"),
		"f:2:5: byte 0xff is not valid UTF-8\n");
	assert_has(refused(t, "a: \xc0\x80\n"), "f:1:4: byte 0xc0");
	assert_has(refusal(t, "a: \0\n", 5), "f:1:4: control character U+0000");
	assert_has(refused(t, "a: \x7f\n"), "U+007F");
	assert_has(refused(t, "a: \xed\xa0\x80\n"), "is not valid UTF-8");
	assert_has(refusal(t, "\xff\xfe" "a\0", 4), "UTF-16");
}

static void hints(void **state)
{
	struct toy *t = *state;
	static const struct { const char *yaml, *said, *hint; } table[] = {
		{ "a:\n\tb: 1\n", "f:2:1: ", "a tab: indent with spaces" },
		{ "a: x\n\t\nb: 1\n", "f:2:1: ", "a tab: indent with spaces" },
		{ "a: |\n  x\n\ty\n", "f:3:1: ", "a tab: indent with spaces" },
		{ "a: {{ .Values.x }}\n", "f:1:5: a: ", "unrendered template" },
		{ "{{ x }}: 1\n", "f:1:2: ", "unrendered template" },
		{ "a: {% if x %}\n", "f:1:5: ", "unrendered template" },
		{ "a: |\n----BEGIN\nabc\n----END\n", "f:3:1: ", "a block scalar must be indented" },
		{ "x:\n  a: >-\n  b\n  c\nd: 1\n", "f:4:3: ", "a block scalar must be indented" },
		{ "a: 1\n...\nb: 2\n", "f:3:1: ", "behind ... the next document begins with ---" },
		{ "{\"a\": 1}\n{\"b\": 2}\n", "f:2:1: ", "two documents stands a line ---" },
		{ "{\"a\": 1} {\"b\": 2}\n", "f:1:10: ", "two documents stands a line ---" },
		{ "a:1\nb: 2\n", "f:2:2: ", "a colon needs a blank behind it" },
		{ "x:\n  a:1\n  b: 2\n", "f:3:4: ", "a colon needs a blank behind it" },
		{ "x:\n  \"a\":1\n", "f:2:6: ", "a colon needs a blank behind it" },
		{ "a: b: c\n", "f:1:5: ", "quote a value that has \": \" in it" },
		{ "a: 1\n  b: 2\n", "f:2:4: ", "the line above has a value already" },
		{ "key\nb: 2\n", "f:2:2: ", "the line above is no key without a colon" },
		{ "a: 1\n- b\n", "f:2:1: ", "a list entry stands where a key is expected" },
		{ "a:\n  b: 1\n c: 2\n", "f:3:2: ", "indented like no key above it" },
		{ "- b: 1\n c: 2\n", "f:2:2: ", "indented like no entry above it" },
		{ "a: 'it's'\n", "f:1:8: ", "write '' for an apostrophe" },
		{ "a: \"x\" y\n", "f:1:8: ", "write \\\" for a quote" },
		{ "a: @x\n", "f:1:4: ", "quote a value that begins with @" },
		{ "a: *.html\n", "f:1:5: ", "quote a value that begins with *" },
		{ "a: \"\\d+\"\n", "f:1:5: ", "between double quotes \\ begins an escape" },
		{ "a: - b\n", "f:1:4: ", "a list begins in a line below its key" },
		{ "a: |\n  x\n b\n", "f:3:2: ", "a block scalar must be indented" },
		{ "a: 1\nb\n\nc\n", "f:4:1: ", "a line without a colon is no key" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *said = refused(t, table[i].yaml);
		assert_has(said, table[i].hint);
		if (strncmp(said, table[i].said, strlen(table[i].said)) != 0)
			fail_msg("%sis not said at %s", said, table[i].said);
	}
	/* what goes wrong elsewhere gets no such guess */
	assert_null(strchr(refused(t, "a: [1\n"), ';'));
	assert_null(strchr(refused(t, "a: \"x: 1\n"), ';'));
}

static void after_an_error(void **state)
{
	struct toy *t = *state;
	struct yaml_docs docs;

	/* one syntax error, and what stood before it still counts */
	assert_int_equal(yaml_parse(&t->a, "f", "a: 1\n---\n[", 10, &docs, &t->m), -EINVAL);
	assert_int_equal(docs.n, 1);
	assert_int_equal(t->m.n, 1);
}

static void resolution(void **state)
{
	static const struct {
		const char *text;
		enum scalar_type type;
		int64_t i;
		double f;
	} table[] = {
		{ "", SCALAR_NULL, 0, 0 }, { "~", SCALAR_NULL, 0, 0 },
		{ "NULL", SCALAR_NULL, 0, 0 }, { "nUll", SCALAR_STR, 0, 0 },
		{ "yes", SCALAR_BOOL, 1, 0 }, { "Y", SCALAR_BOOL, 1, 0 },
		{ "on", SCALAR_BOOL, 1, 0 }, { "True", SCALAR_BOOL, 1, 0 },
		{ "tRue", SCALAR_STR, 0, 0 }, { "off", SCALAR_BOOL, 0, 0 },
		{ "n", SCALAR_BOOL, 0, 0 }, { "0", SCALAR_INT, 0, 0 },
		{ "0644", SCALAR_INT, 420, 0 }, { "0o644", SCALAR_INT, 420, 0 },
		{ "0x1F", SCALAR_INT, 31, 0 }, { "0b11", SCALAR_INT, 3, 0 },
		{ "1_000", SCALAR_INT, 1000, 0 }, { "+1", SCALAR_INT, 1, 0 },
		{ "-0x10", SCALAR_INT, -16, 0 }, { "08", SCALAR_FLOAT, 0, 8 },
		{ "0999", SCALAR_FLOAT, 0, 999 }, { "0x", SCALAR_STR, 0, 0 },
		{ "1e3", SCALAR_FLOAT, 0, 1000 }, { ".5", SCALAR_FLOAT, 0, .5 },
		{ "5.", SCALAR_FLOAT, 0, 5 }, { "1.10", SCALAR_FLOAT, 0, 1.1 },
		{ "1.2.3", SCALAR_STR, 0, 0 }, { ".", SCALAR_STR, 0, 0 }, { "-", SCALAR_STR, 0, 0 },
		{ "1e", SCALAR_STR, 0, 0 }, { "12:30:45", SCALAR_STR, 0, 0 },
		{ "2024-01-01", SCALAR_STR, 0, 0 }, { "500m", SCALAR_STR, 0, 0 },
		{ "_1", SCALAR_STR, 0, 0 }, { "9223372036854775807", SCALAR_INT, INT64_MAX, 0 },
		{ "-9223372036854775808", SCALAR_INT, INT64_MIN, 0 },
		{ "9223372036854775808", SCALAR_FLOAT, 0, 9223372036854775808.0 },
		{ "100000000000000000000", SCALAR_FLOAT, 0, 1e20 },
		{ "0xfffffffffffffffff", SCALAR_STR, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct scalar s = scalar_resolve_text(table[i].text);
		if (s.type != table[i].type || (s.type == SCALAR_BOOL && s.b != table[i].i) ||
		    (s.type == SCALAR_INT && s.i != table[i].i) ||
		    (s.type == SCALAR_FLOAT && s.f != table[i].f))
			fail_msg("%s: type %d, %lld, %g", table[i].text, s.type, (long long)s.i,
				 s.f);
	}
	assert_int_equal(scalar_resolve_text(".inf").type, SCALAR_FLOAT);
	assert_int_equal(scalar_resolve_text(".NaN").type, SCALAR_FLOAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		toy_test(positions), toy_test(documents), toy_test(styles), toy_test(tags),
		toy_test(aliases), toy_test(merges), toy_test(duplicates), toy_test(depth),
		toy_test(alias_bomb), toy_test(sizes), toy_test(characters), toy_test(hints),
		toy_test(after_an_error), toy_test(resolution),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
