/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copy, equality and hash: which of them sees what the user wrote, and which the value. */
#include "toy.h"

#include "base/hash.h"

static const char everything[] =
	"metadata: {name: x, labels: {a: '1', b: '2'}}\nenabled: false\nreplicas: 3\nbig: 7\n"
	"size: 2Gi\nsurge: 10%\ndue: 2026-11-21T10:00:00Z\n"
	"rolled: {tools: [{name: a, args: [x, z], ports: [{number: 1}], limits: {cpu: 1}, mainPort: {number: 2}}]}\n"
	"bytes: {k: aGFsbG8=}\nkeys: {}\ndata: {t: x}\nextra: [1]\n";

static uint64_t hash(const struct box *b)
{
	return schema_hash(&box_type, b, FNV64_INIT);
}

static void copies(void **state)
{
	struct toy *t = *state;
	struct arena other = { 0 };
	const struct box *b = toy_box(t, everything);
	struct box *c = schema_copy(&other, &box_type, b);
	uint64_t before = hash(b);

	/* nothing of the copy lies in the arena of the original */
	arena_release(&t->a);
	assert_true(hash(c) == before);
	assert_string_equal(c->metadata.labels.v[1].v, "2");
	assert_string_equal(c->rolled->tools.v[0].args.v[1], "z");
	assert_int_equal(c->rolled->tools.v[0].main_port->number, 2);
	assert_memory_equal(c->bytes.v[0].v.data, "hallo", 5);
	assert_string_equal(c->surge.str, "10%");
	assert_int_equal(c->node.line, 1);
	assert_null(schema_copy(&other, &box_type, NULL));
	arena_release(&other);
}

static void equality(void **state)
{
	struct toy *t = *state;
	static const char *const changes[] = {
		"metadata: {name: z}", "metadata: {labels: {a: '1'}}", "enabled: false", "replicas: 2",
		"big: 1", "size: 2Gi", "surge: 25", "due: 2026-11-21T10:00:00Z", "rolled: {tools: []}",
		"rolled: {tools: [{name: a}]}", "rolled: {tools: [{name: a, args: [x]}]}",
		"rolled: {tools: [{name: a, limits: {cpu: 1}}]}",
		"rolled: {tools: [{name: a, ports: [{number: 1}]}]}", "rolled: {tools: [], mode: 1}",
		"kept: {tools: []}", "bytes: {k: aGFsbG8=}", "bytes: {k: aGFsbG9v}", "data: {t: x}",
		"data: {t: z}", "extra: [1]", "extra: 1",
	};
	struct box *boxes[ARRAY_SIZE(changes)];

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		boxes[i] = toy_box(t, changes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(changes); k++) {
			assert_int_equal(schema_equal(&box_type, boxes[i], boxes[k]), i == k);
			assert_int_equal(hash(boxes[i]) == hash(boxes[k]), i == k);
		}
		assert_true(schema_equal(&box_type, boxes[i], toy_box(t, changes[i])));
	}
}

static void written_defaults(void **state)
{
	struct toy *t = *state;
	const struct box *plain = toy_box(t, "metadata: {}\n");
	const struct box *written = toy_box(t,
		"\n\nenabled: true\nreplicas: 1\nsize: 1024Mi\nsurge: 25%\n");

	assert_true(schema_equal(&box_type, plain, written));
	assert_true(hash(plain) != hash(written));
	assert_true(hash(plain) == FNV64_INIT);
}

/* The hash sees names and values of what was written, not places, not the order of the file. */
static void hashes(void **state)
{
	struct toy *t = *state;
	static const char text[] = "replicas: 3\nmetadata: {name: x, labels: {a: '1', b: '2'}}\n";
	uint64_t h = hash(toy_box(t, text));

	assert_true(h == hash(toy_box(t,
		"\nmetadata:\n  labels:\n    b: \"2\"\n    a: '1'\n  name: x\n  uid: u\n"
		"replicas: 0x3\nstatus: {count: 5}\n")));
	assert_true(h != hash(toy_box(t,
		"big: 3\nmetadata: {name: x, labels: {a: '1', b: '2'}}\n")));
	/* a value that moves between neighbours is seen */
	assert_true(hash(toy_box(t, "data: {a: bc}")) != hash(toy_box(t, "data: {ab: c}")));
	assert_true(hash(toy_box(t, "rolled: {tools: [{name: a, args: [x]}, {name: b}]}")) !=
		    hash(toy_box(t, "rolled: {tools: [{name: a}, {name: b, args: [x]}]}")));
	assert_true(hash(toy_box(t, "rolled: {tools: []}")) !=
		    hash(toy_box(t, "kept: {tools: []}")));
	/* names of ReplicaSets and digests on disk are made of it: it must never change */
	assert_true(hash(toy_box(t, everything)) == UINT64_C(0x57f057e925c036aa));
}

/* Objects made in code: MARK is what writing is in a file; server fields do not count. */
static void made(void **state)
{
	struct toy *t = *state;
	struct box b = { .replicas = 3, .metadata.name = "x", .status.count = 2 };
	const struct box *read = toy_box(t, "replicas: 3\nmetadata: {name: x}\n");

	assert_true(hash(&b) == FNV64_INIT);
	MARK(&b, box, replicas);
	MARK(&b.metadata, label, name);
	MARK(&b.status, box_status, count);
	assert_true(hash(&b) == hash(read));
	b.status.count = 0;
	schema_defaults(&t->a, &box_type, &b);
	assert_int_equal(b.replicas, 3);
	assert_true(b.on);
	assert_true(hash(&b) == hash(read));
	assert_true(schema_equal(&box_type, &b, read));
}

static void defaults(void **state)
{
	struct toy *t = *state;
	struct port ports[] = { { .number = 1 }, { .number = 2, .color = COLOR_GREEN } };
	struct tool tool = { .name = "a", .ports = { ports, 2 } };
	struct job job = { .tools = { &tool, 1 } };
	struct box b = { .rolled = &job, .replicas = 7 };

	schema_defaults(&t->a, &box_type, &b);
	assert_int_equal(ports[0].color, COLOR_RED);
	assert_int_equal(ports[1].color, COLOR_GREEN);
	assert_int_equal(job.mode, 0644);
	assert_int_equal(b.replicas, 7);
	assert_int_equal(b.size.milli, 1000LL << 30);
	assert_null(b.kept);
	assert_null(tool.main_port);
}

static void maps(void **state)
{
	struct toy *t = *state;
	struct strmap m = { 0 }, part = { 0 };

	assert_null(strmap_get(&m, "a"));
	for (const char *k = "gacebdf"; *k; k++)
		strmap_set(&t->a, &m, (char[]){ *k, 0 }, (char[]){ *k, '1', 0 });
	assert_int_equal(m.n, 7);
	for (uint32_t i = 0; i < m.n; i++)
		assert_int_equal(m.v[i].k[0], 'a' + (int)i);
	struct strmap shared = m;
	strmap_set(&t->a, &m, "c", "new");
	strmap_set(&t->a, &m, "bb", "between");
	assert_string_equal(strmap_get(&m, "c"), "new");
	assert_string_equal(m.v[2].k, "bb");
	assert_null(strmap_get(&shared, "bb"));

	assert_true(strmap_contains(&m, &part));
	strmap_set(&t->a, &part, "a", "a1");
	strmap_set(&t->a, &part, "g", "g1");
	assert_true(strmap_contains(&m, &part));
	strmap_del(&m, "a");
	strmap_del(&m, "nothing");
	assert_int_equal(m.n, 7);
	assert_null(strmap_get(&m, "a"));
	assert_false(strmap_contains(&m, &part));
	assert_false(strmap_contains(&part, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		toy_test(copies), toy_test(equality), toy_test(written_defaults), toy_test(hashes),
		toy_test(made), toy_test(defaults), toy_test(maps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
