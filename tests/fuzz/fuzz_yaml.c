/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML without a schema: a refused text has a message with a position inside it; what is accepted
 * and has a JSON form keeps it when that JSON is written as YAML and read again.
 */
#include <errno.h>

#include "base/macro.h"
#include "fuzz.h"
#include "schema/schema.h"
#include "schema/yaml.h"

static int tree_json(const struct ynode *root, struct buf *out)
{
	BUF_AUTO path = { 0 };
	struct json j;
	struct err err;

	json_init(&j, out, false);
	int r = ynode_json(root, &j, &path, &err);
	fuzz_check(r == 0 || err.msg[0], "no message");
	return r;
}

/* The number -0 is an integer, and so 0, once JSON has taken its point away. */
static bool same(const char *a, const char *b)
{
	while (*a && *b) {
		a += a[0] == '-' && a[1] == '0' && b[0] == '0';
		if (*a++ != *b++)
			return false;
	}
	return *a == *b;
}

static void check_tree(const struct ynode *root)
{
	struct arena a = { 0 };
	struct msgs m = { .arena = &a };
	struct yaml_docs docs = { 0 };
	BUF_AUTO json = { 0 };
	BUF_AUTO yaml = { 0 };
	BUF_AUTO again = { 0 };

	if (tree_json(root, &json) == 0 && json_to_yaml(buf_str(&json), &yaml) == 0) {
		int r = yaml_parse(&a, "again", buf_str(&yaml), yaml.len, &docs, &m);
		fuzz_check(r == 0, "%s\n%s: %s", buf_str(&json), buf_str(&yaml),
			   m.n ? m.v[0].text : "");
		fuzz_check(docs.n == 1 || streq(buf_str(&json), "null"), "%s", buf_str(&yaml));
		if (docs.n == 1)
			tree_json(docs.v[0].root, &again);
		fuzz_check(!docs.n || same(buf_str(&json), buf_str(&again)), "%s\n%s\n%s",
			   buf_str(&json), buf_str(&yaml), buf_str(&again));
	}
	arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct msgs m = { .arena = &a };
	struct yaml_docs docs = { 0 };

	int r = yaml_parse(&a, "fuzz", (const char *)data, size, &docs, &m);
	fuzz_check(r == 0 || m.errors, "no message");
	for (uint32_t i = 0; i < m.n; i++)
		fuzz_check(m.v[i].line <= size + 1 && m.v[i].text[0], "line %u", m.v[i].line);
	for (uint32_t i = 0; r == 0 && i < docs.n; i++) {
		fuzz_check(docs.v[i].start <= docs.v[i].end, "document %u", i);
		check_tree(docs.v[i].root);
	}
	arena_release(&a);
	return 0;
}
