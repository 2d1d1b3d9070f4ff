/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manifests: decode, dump and decode is the identity. What was written of an accepted object, as
 * JSON and as YAML, is a manifest of one object that equals it and differs in no field, and its
 * whole form is a record that reads back as it was written. The objects together make a set.
 */
#include "base/macro.h"
#include "fuzz.h"
#include "model/set.h"
#include "schema/schema.h"

static void dump(const struct object *o, unsigned flags, struct buf *out)
{
	struct json j;

	buf_reset(out);
	json_init(&j, out, false);
	object_json(&j, o, flags);
}

/* The text is a manifest that says the same as o. */
static void check_manifest(const struct object *o, const struct buf *text)
{
	struct manifest *m = manifest_load(o->file, buf_str(text), text->len);
	const struct object *again = m->objects.v;

	fuzz_check(!m->broken, "%s\n%s: %s", buf_str(text), m->msgs.v[0].path, m->msgs.v[0].text);
	fuzz_check(m->objects.n == 1, "%u objects: %s", m->objects.n, buf_str(text));
	fuzz_check(again->kind == o->kind, "%s", buf_str(text));
	fuzz_check(schema_equal(o->kind->type, o->body, again->body), "not equal: %s", buf_str(text));
	fuzz_check(again->digest == o->digest, "another digest: %s", buf_str(text));
	struct diff diff = { 0 };
	schema_diff(&m->arena, o->kind->type, o->body, again->body, "", &diff);
	fuzz_check(!diff.n, "%s: %s", diff.v[0].path, buf_str(text));
	manifest_unref(m);
}

static void check_record(struct arena *a, const struct object *o)
{
	struct object again;
	struct err err;
	BUF_AUTO one = { 0 };
	BUF_AUTO two = { 0 };

	dump(o, 0, &one);
	fuzz_check(object_parse(a, buf_str(&one), one.len, &again, &err) == 0, "%s\n%s",
		   buf_str(&one), err.msg);
	dump(&again, 0, &two);
	fuzz_check(streq(buf_str(&one), buf_str(&two)), "%s\n%s", buf_str(&one), buf_str(&two));
}

static void check_object(const struct object *o)
{
	struct arena a = { 0 };
	BUF_AUTO json = { 0 };
	BUF_AUTO yaml = { 0 };

	dump(o, DUMP_WRITTEN, &json);
	check_manifest(o, &json);
	fuzz_check(json_to_yaml(buf_str(&json), &yaml) == 0, "%s", buf_str(&json));
	check_manifest(o, &yaml);
	check_record(&a, o);
	arena_release(&a);
}

static void check_set(struct manifest *m)
{
	const struct hold_list none = { 0 };
	struct set *set = set_build(&m, 1, NULL, 0, &none, NULL);

	for (uint32_t i = 1; i < set->objects.n; i++)
		fuzz_check(object_cmp(&set->objects.v[i - 1], &set->objects.v[i]) < 0,
			   "objects %u and %u of the set are out of order", i - 1, i);
	set_unref(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest *m = manifest_load("fuzz.yaml", (const char *)data, size);

	fuzz_check(!m->broken == !m->msgs.errors, "broken without a message, or the reverse");
	for (uint32_t i = 0; i < m->objects.n; i++)
		check_object(&m->objects.v[i]);
	if (!m->broken)
		check_set(m);
	manifest_unref(m);
	return 0;
}
