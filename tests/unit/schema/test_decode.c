/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoding: every kind, every way to get it wrong, and where the message points. */
#include "toy.h"

static void assert_errors(struct toy *t, const char *yaml, const char *expected)
{
	assert_string_equal(toy_errors(t, yaml), expected);
}

static void values(void **state)
{
	struct toy *t = *state;
	const struct box *b = toy_box(t,
		"metadata: {name: x, labels: {b: '1', a: '', c: ~}}\n"
		"enabled: off\nreplicas: 1e3\nbig: 0x7fffffffffffffff\nsize: 1024Mi\nsurge: 3\n"
		"due: 2026-11-21T10:00:00Z\nbytes: {k: \"aGFs\\nbG8=\", e: }\n"
		"extra: {a: [1, 0644, 1.10, yes, ~, 'x', \"1\"], 80: {}}\n");

	assert_string_equal(b->metadata.name, "x");
	assert_int_equal(b->metadata.labels.n, 3);
	assert_string_equal(b->metadata.labels.v[0].k, "a");
	assert_string_equal(strmap_get(&b->metadata.labels, "b"), "1");
	assert_string_equal(strmap_get(&b->metadata.labels, "c"), "");
	assert_false(b->on);
	assert_int_equal(b->replicas, 1000);
	assert_true(b->big == INT64_MAX);
	assert_string_equal(b->size.text, "1Gi");
	assert_null(b->surge.str);
	assert_int_equal(b->surge.num, 3);
	assert_true(b->due == 1795255200LL * NSEC);
	assert_int_equal(b->bytes.v[0].v.len, 0);
	assert_int_equal(b->bytes.v[1].v.len, 5);
	assert_memory_equal(b->bytes.v[1].v.data, "hallo", 5);
	assert_string_equal(b->extra, "{\"a\":[1,420,1.1,true,null,\"x\",\"1\"],\"80\":{}}");
	assert_true(HAS(b, box, replicas));
	assert_false(HAS(b, box, rolled));
	assert_false(HAS(b, box, status));
}

static void lists(void **state)
{
	struct toy *t = *state;
	const struct box *b = toy_box(t,
		"rolled:\n  mode: 0755\n  tools:\n  - name: a\n    args: [x, \"1\"]\n"
		"    limits: {cpu: 1.10, memory: 0x10}\n"
		"    ports: [{number: 80}, {number: 443, color: Green}]\n  - name: b\n");
	const struct tool *a = &b->rolled->tools.v[0];

	assert_int_equal(b->rolled->mode, 0755);
	assert_int_equal(b->rolled->tools.n, 2);
	assert_int_equal(a->args.n, 2);
	assert_string_equal(a->args.v[1], "1");
	assert_string_equal(qtymap_get(&a->limits, "cpu")->text, "1100m");
	assert_string_equal(qtymap_get(&a->limits, "memory")->text, "16");
	assert_int_equal(a->ports.v[0].color, COLOR_RED);
	assert_false(HAS(&a->ports.v[0], port, color));
	assert_int_equal(a->ports.v[1].color, COLOR_GREEN);
	assert_int_equal(a->node.line, 4);
	assert_int_equal(a->node.col, 5);
	assert_null(a->main_port);
}

static void defaults(void **state)
{
	struct toy *t = *state;
	const struct box *b = toy_box(t, "big: ~\nenabled:\n");

	assert_int_equal(b->node.set, 0);
	assert_true(b->on);
	assert_int_equal(b->replicas, 1);
	assert_string_equal(b->size.text, "1Gi");
	assert_string_equal(b->surge.str, "25%");
	assert_null(b->rolled);
	/* what was written stays, zero or not */
	b = toy_box(t, "enabled: false\nreplicas: 0\nsurge: 0\n");
	assert_false(b->on);
	assert_int_equal(b->replicas, 0);
	assert_null(b->surge.str);
}

static void wrong_types(void **state)
{
	struct toy *t = *state;

	assert_errors(t,
		"metadata: {name: 80, labels: {a: yes, b: 1.10, c: 123456789abc}}\n"
		"enabled: \"true\"\nreplicas: \"3\"\nbig: x\nsize: true\nsurge: [1]\ndue: 2026\n"
		"rolled: []\nbytes: {a: '!'}\ndata: x\n",
		"toy.yaml:1:18: metadata.name: expected a string, not the number 80; quote it: \"80\"\n"
		"toy.yaml:1:34: metadata.labels[a]: expected a string, not the boolean yes; quote it: \"yes\"\n"
		"toy.yaml:1:42: metadata.labels[b]: expected a string, not the number 1.10; quote it: \"1.10\"\n"
		"toy.yaml:1:51: metadata.labels[c]: value of \"c\" is longer than 8\n"
		"toy.yaml:2:10: enabled: expected true or false, not the string \"true\"; remove the quotes\n"
		"toy.yaml:3:11: replicas: expected an integer, not the string \"3\"; remove the quotes\n"
		"toy.yaml:4:6: big: expected an integer, not the string \"x\"\n"
		"toy.yaml:5:7: size: expected a quantity, not the boolean true\n"
		"toy.yaml:6:8: surge: expected a number or a string, not a list\n"
		"toy.yaml:7:6: due: expected a time like 2026-11-21T10:00:00Z, not the number 2026\n"
		"toy.yaml:8:9: rolled: expected a mapping, not a list\n"
		"toy.yaml:9:12: bytes[a]: not base64; plain text belongs in stringData or data\n"
		"toy.yaml:10:7: data: expected a mapping, not the string \"x\"\n");
	assert_errors(t, "metadata: {name: \"a\\0b\"}\n",
		"toy.yaml:1:18: metadata.name: a NUL character cannot stand in a string\n");
	assert_errors(t, "due: 2026-13-01T00:00:00Z\nsize: 12x\n",
		"toy.yaml:1:6: due: \"2026-13-01T00:00:00Z\" is no time like 2026-11-21T10:00:00Z\n"
		"toy.yaml:2:7: size: \"12x\" is no quantity, like 500m, 2, 128Mi or 1G\n");
}

static void numbers(void **state)
{
	struct toy *t = *state;

	assert_errors(t, "replicas: 1.5\n",
		"toy.yaml:1:11: replicas: expected an integer, not the number 1.5\n");
	assert_errors(t, "replicas: -1\n", "toy.yaml:1:11: replicas: -1 is less than 0\n");
	assert_errors(t, "replicas: 2147483648\n",
		"toy.yaml:1:11: replicas: 2147483648 is not in 0-2147483647\n");
	assert_errors(t, "big: 9223372036854775808\n",
		"toy.yaml:1:6: big: 9223372036854775808 is out of range\n");
	assert_errors(t, "surge: 2147483648\n",
		"toy.yaml:1:8: surge: 2147483648 is out of range\n");
	assert_errors(t, "rolled: {mode: 0999, tools: []}\n",
		"toy.yaml:1:16: rolled.mode: expected an integer, not the number 0999: "
		"digits after a leading 0 are octal\n");
	assert_errors(t, "rolled: {mode: 01000, tools: []}\n",
		"toy.yaml:1:16: rolled.mode: 01000 is not in 0-511\n");
	assert_errors(t, "rolled: {tools: [{name: a, ports: [{number: 80}, {number: 70000}]}]}\n",
		"toy.yaml:1:59: rolled.tools[0].ports[1].number: 70000 is not in 1-65535\n");
}

static void words(void **state)
{
	struct toy *t = *state;

	assert_errors(t,
		"rolled:\n  tools:\n  - name: a\n    ports: [{number: 1, color: green}, {number: 2, color: x}]\n"
		"    mainPort: {number: 1, color: \"\"}\n",
		"toy.yaml:4:32: rolled.tools[0].ports[0].color: \"green\" is not Red, Green or Ultraviolet; "
		"did you mean \"Green\"?\n"
		"toy.yaml:4:59: rolled.tools[0].ports[1].color: \"x\" is not Red, Green or Ultraviolet\n");
}

static void unknown_fields(void **state)
{
	struct toy *t = *state;

	assert_errors(t,
		"replcias: 1\nmetadata: {labelz: {}}\nrolled: {tools: [{name: a, argz: 1}]}\n"
		"qqqqqqq: 1\n",
		"toy.yaml:1:1: unknown field \"replcias\"; did you mean \"replicas\"?\n"
		"toy.yaml:2:12: metadata: unknown field \"labelz\"; did you mean \"labels\"?\n"
		"toy.yaml:3:28: rolled.tools[0]: unknown field \"argz\"; did you mean \"args\"?\n"
		"toy.yaml:4:1: unknown field \"qqqqqqq\"\n");
	/* field names are case-sensitive */
	assert_errors(t, "Replicas: 1\n",
		"toy.yaml:1:1: unknown field \"Replicas\"; did you mean \"replicas\"?\n");
}

static void presence(void **state)
{
	struct toy *t = *state;

	assert_errors(t, "rolled:\n  tools:\n  - args: []\n  - name: ~\nkept: {}\n",
		"toy.yaml:3:5: rolled.tools[0].name: missing; it is required\n"
		"toy.yaml:4:5: rolled.tools[1].name: missing; it is required\n"
		"toy.yaml:5:7: kept.tools: missing; it is required\n");
	assert_errors(t, "rolled: {tools: [~, 1]}\n",
		"toy.yaml:1:18: rolled.tools[0]: expected a mapping, not null\n"
		"toy.yaml:1:21: rolled.tools[1]: expected a mapping, not the number 1\n");
	assert_errors(t, "rolled: {tools: [{name: a, hooks: {x: 1}, tty: true}]}\n",
		"toy.yaml:1:35: rolled.tools[0].hooks: not supported by orch: Hooks.\n"
		"toy.yaml:1:48: warning: rolled.tools[0].tty: known to Kubernetes, not acted on by orch\n");
	/* what asks for nothing is no reason to turn a manifest away */
	assert_errors(t, "rolled: {tools: [{name: a, hooks: ~}, {name: b, hooks: []}]}\n", "");
	assert_errors(t, "rolled: {tools: [{name: a, hooks: {}}]}\n",
		      "toy.yaml:1:35: rolled.tools[0].hooks: not supported by orch: Hooks.\n");
}

static void server_fields(void **state)
{
	struct toy *t = *state;
	static const char text[] = "metadata: {name: a, uid: x, created: 2026-11-21T10:00:00Z}\n"
				   "status: {count: 3, phase: Running, unheard: of}\n";
	const struct box *b = toy_box(t, text);

	assert_int_equal(t->m.n, 0);
	assert_null(b->metadata.uid);
	assert_int_equal(b->status.count, 0);
	/* nothing about them can be wrong in a manifest */
	assert_errors(t, "metadata: {uid: [1], created: x}\nstatus: 5\n", "");

	struct box r = { 0 };
	struct ynode *n = toy_tree(t, text);
	assert_int_equal(schema_decode_record(&t->a, &box_type, NULL, n, "", NULL, &r, &t->m), 0);
	assert_string_equal(r.metadata.uid, "x");
	assert_int_equal(r.status.count, 3);
	assert_string_equal(r.status.phase, "Running");
}

static void keys(void **state)
{
	struct toy *t = *state;

	assert_errors(t, "data: {80: x, on: y, 1.10: z, 0644: w, '1.20': ok}\n",
		"toy.yaml:1:15: data[on]: a key that YAML takes for another type than string; quote it: \"on\"\n"
		"toy.yaml:1:22: data[1.10]: a key that YAML takes for another type than string; "
		"quote it: \"1.10\"\n"
		"toy.yaml:1:31: data[0644]: a key that YAML takes for another type than string; "
		"quote it: \"0644\"\n");
}

static void checks(void **state)
{
	struct toy *t = *state;

	assert_errors(t, "rolled: {tools: [{name: A, args: [a, B]}]}\n",
		"toy.yaml:1:25: rolled.tools[0].name: \"A\" is not lower case\n"
		"toy.yaml:1:38: rolled.tools[0].args[1]: \"B\" is not lower case\n");
	/* a type's check points at the child in the file */
	assert_errors(t,
		"rolled:\n  tools:\n  - name: a\n    ports:\n    - number: 1\n    - number: 1\n",
		"toy.yaml:6:15: rolled.tools[0].ports[1].number: 1 is used twice\n");
	assert_errors(t, "rolled: {tools: [{name: forbidden}]}\n",
		"toy.yaml:1:18: rolled.tools[0]: not this one\n");
	assert_errors(t,
		"rolled: {tools: [{name: a, ports: [{number: 1}, {number: 2}, {number: 3}]}]}\n",
		"toy.yaml:1:35: warning: rolled.tools[0].ports: many ports\n");
	/* and is not asked about a struct that lacks what it may rely on */
	assert_errors(t, "rolled: {tools: [{args: []}]}\n",
		"toy.yaml:1:18: rolled.tools[0].name: missing; it is required\n");
}

static void roots(void **state)
{
	struct toy *t = *state;
	static const char *const skip[] = { "apiVersion", "kind", NULL };
	struct box b = { 0 };
	struct ynode *n = toy_tree(t, "kind: Box\napiVersion: v1\n");

	assert_int_equal(schema_decode(&t->a, &box_type, "f", n, "", skip, &b, &t->m), 0);
	n = toy_tree(t, "- 1\n");
	assert_int_equal(schema_decode(&t->a, &box_type, "f", n, "spec", skip, &b, &t->m), -EINVAL);
	assert_string_equal(toy_messages(t), "f:1:1: spec: expected a mapping, not a list\n");
	n = toy_tree(t, "big: x\n");
	assert_int_equal(schema_decode(&t->a, &box_type, NULL, n, "spec", NULL, &b, &t->m),
			 -EINVAL);
	assert_string_equal(toy_messages(t),
			    "1:6: spec.big: expected an integer, not the string \"x\"\n");
	assert_errors(t, "extra: .inf\n",
		      "toy.yaml:1:8: extra: expected a value that JSON knows, not the number .inf\n");
}

/* A file full of mistakes ends with a sentence, not with a million of them. */
static void floods(void **state)
{
	struct toy *t = *state;
	BUF_AUTO text = { 0 };

	buf_puts(&text, "rolled:\n  tools:\n");
	for (int i = 0; i < 5000; i++)
		buf_puts(&text, "  - {}\n");
	toy_errors(t, text.data);
	assert_int_equal(t->m.n, 0);
	assert_non_null(strstr(buf_str(&t->text),
			       "tools[199].name: missing; it is required; further errors of this "
			       "document are left out\n"));
	assert_null(strstr(buf_str(&t->text), "tools[200]"));
	buf_reset(&text);
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, "unknown%d: 1\n", i);
	assert_null(strstr(toy_errors(t, text.data), "unknown20\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		toy_test(values), toy_test(lists), toy_test(defaults), toy_test(wrong_types),
		toy_test(numbers), toy_test(words), toy_test(unknown_fields), toy_test(presence),
		toy_test(server_fields), toy_test(keys), toy_test(checks), toy_test(roots),
		toy_test(floods),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
