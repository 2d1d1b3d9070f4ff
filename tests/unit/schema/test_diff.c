/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference of two objects, entry by entry, and what each entry does. */
#include "toy.h"

/* "path: old -> new effect line" per entry; "-" for what is not there. */
static const char *diff_of(struct toy *t, const struct box *x, const struct box *y)
{
	struct diff d;

	schema_diff(&t->a, &box_type, x, y, "", &d);
	buf_reset(&t->text);
	for (uint32_t i = 0; i < d.n; i++) {
		const struct diff_entry *e = &d.v[i];
		assert_non_null(e->field);
		buf_printf(&t->text, "%s: %s -> %s %s %u\n", e->path, e->old ? e->old : "-",
			   e->new ? e->new : "-", effect_name(e->effect), e->line);
	}
	return buf_str(&t->text);
}

static void assert_diff(struct toy *t, const char *x, const char *y, const char *expected)
{
	const struct box *old = x ? toy_box(t, x) : NULL, *new = y ? toy_box(t, y) : NULL;

	assert_string_equal(diff_of(t, old, new), expected);
}

static void scalars(void **state)
{
	assert_diff(*state,
		    "replicas: 3\nenabled: false\nsize: 1Gi\ndue: 2026-11-21T10:00:00Z\nbig: 1\n",
		    "replicas: 4\nsurge: 1\nextra: [1]\nbig: 1\n",
		    "enabled: false -> true live 1\n"
		    "replicas: 3 -> 4 live 1\n"
		    "surge: \"25%\" -> 1 live 1\n"
		    "due: \"2026-11-21T10:00:00Z\" -> - live 0\n"
		    "extra: - -> [1] live 1\n");
	assert_diff(*state, "replicas: 1\n", "{}", "");
	assert_diff(*state, "{}", "metadata: {uid: x}\nstatus: {count: 1}\n", "");
}

static void maps(void **state)
{
	assert_diff(*state, "data: {a: '1', b: '2', c: '3'}\nmetadata:\n  labels: {x: '1'}\n",
		    "metadata:\n\n  labels: {x: '2', app.io/y: 'q\"'}\ndata: {b: '2', c: '4', d: '5'}\n",
		    "metadata.labels[app.io/y]: - -> \"q\\\"\" live 3\n"
		    "metadata.labels[x]: \"1\" -> \"2\" live 3\n"
		    "data[a]: \"1\" -> - live 0\n"
		    "data[c]: \"3\" -> \"4\" live 1\n"
		    "data[d]: - -> \"5\" live 1\n");
	assert_diff(*state, "bytes: {a: AA==}\n", "bytes: {a: AQ==}\n",
		    "bytes[a]: \"AA==\" -> \"AQ==\" live 1\n");
}

static void secrets(void **state)
{
	struct toy *t = *state;

	assert_diff(t, "keys: {a: AAAA, b: BBBB, c: CCCC}\n", "keys: {a: AAAB, c: CCCC, d: DDDD}\n",
		    "keys[a]: (hidden) -> (hidden) live 1\n"
		    "keys[b]: (hidden) -> - live 0\n"
		    "keys[d]: - -> (hidden) live 1\n");
}

static void keyed_lists(void **state)
{
	struct toy *t = *state;
	static const char before[] =
		"rolled:\n  tools:\n  - {name: a, args: [x]}\n  - {name: b}\n  - {name: c}\n";

	assert_diff(t, before,
		    "rolled:\n  tools:\n  - {name: a, args: [x, z]}\n  - {name: c}\n"
		    "  - {name: d, ports: [{number: 1}]}\n",
		    "rolled.tools[a].args: [\"x\"] -> [\"x\",\"z\"] rollout 3\n"
		    "rolled.tools[d].name: - -> \"d\" rollout 5\n"
		    "rolled.tools[d].ports[0].number: - -> 1 rollout 5\n"
		    "rolled.tools[b].name: \"b\" -> - rollout 0\n");
	/* another order is a change, but not of the elements */
	assert_diff(t, before, "rolled: {tools: [{name: b}, {name: a, args: [x]}, {name: c}]}\n",
		    "rolled.tools: [\"a\",\"b\",\"c\"] -> [\"b\",\"a\",\"c\"] rollout 1\n");
	/* equal keys pair up in their order */
	assert_diff(t, "rolled: {tools: [{name: a, args: [x]}, {name: a, args: [z]}]}\n",
		    "rolled: {tools: [{name: a, args: [x]}, {name: a, args: [w]}]}\n",
		    "rolled.tools[a].args: [\"z\"] -> [\"w\"] rollout 1\n");
}

static void placed_lists(void **state)
{
	assert_diff(*state,
		    "rolled: {tools: [{name: a, ports: [{number: 1}, {number: 2}, {number: 3}]}]}\n",
		    "rolled: {tools: [{name: a, ports: [{number: 1}, {number: 5}]}]}\n",
		    "rolled.tools[a].ports[1].number: 2 -> 5 rollout 1\n"
		    "rolled.tools[a].ports[2].number: 3 -> - rollout 0\n");
}

static void objects(void **state)
{
	struct toy *t = *state;

	assert_diff(t, NULL, "replicas: 3\nmetadata: {name: x}\n",
		    "metadata.name: - -> \"x\" immutable 2\n"
		    "replicas: - -> 3 live 1\n");
	assert_diff(t, "replicas: 3\n", NULL, "replicas: 3 -> - live 0\n");
	assert_diff(t, "kept: {tools: []}\n", "{}", "kept: {} -> - live 0\n");
	assert_diff(t, "{}", "kept: {tools: [], mode: 1}\n", "kept.mode: - -> 1 live 1\n");
	assert_string_equal(diff_of(t, NULL, NULL), "");
}

/* One change in three places: below a row that rolls out, one that keeps, one that restarts. */
static void effects(void **state)
{
	static const struct {
		const char *field, *before, *after, *rolled, *kept, *restarted;
	} table[] = {
		{ "mode", "mode: 1", "mode: 2", "rollout", "live", "restart" },
		{ "metadata.labels[a]", "metadata: {labels: {a: b}}", "metadata: {labels: {a: c}}",
		  "rollout", "live", "restart" },
		{ "metadata.name", "metadata: {name: a}", "metadata: {name: b}",
		  "rollout", "live", "immutable" },
		{ "tools[a].args", "tools: [{name: a}]", "tools: [{name: a, args: [x]}]",
		  "rollout", "live", "rollout" },
	};
	struct toy *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *const places[][2] = {
			{ "rolled", table[i].rolled }, { "kept", table[i].kept },
			{ "restarted", table[i].restarted },
		};
		bool tools = strstr(table[i].before, "tools");
		for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
			const char *with = tools ? "" : ", tools: []", *place = places[k][0];
			const char *x = arena_printf(&t->a, "%s: {%s%s}", place,
						     table[i].before, with);
			const char *y = arena_printf(&t->a, "%s: {%s%s}", place,
						     table[i].after, with);
			const char *path = arena_printf(&t->a, "box.%s.%s", place, table[i].field);
			struct diff d;

			schema_diff(&t->a, &box_type, toy_box(t, x), toy_box(t, y), "box", &d);
			assert_int_equal(d.n, 1);
			assert_string_equal(d.v[0].path, path);
			assert_string_equal(effect_name(d.v[0].effect), places[k][1]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		toy_test(scalars), toy_test(maps), toy_test(secrets), toy_test(keyed_lists),
		toy_test(placed_lists), toy_test(objects), toy_test(effects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
