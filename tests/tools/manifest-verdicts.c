/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What orch says of each document of files: one line of JSON per document, items of a List
 * counting as documents of their own. Every document is looked at alone; what an accepted one says
 * must survive being written and read again ("roundtrip" is "" then, else what went wrong). A file
 * that is no YAML gives one line without a kind.
 *
 *	manifest-verdicts FILE...	exit status: 0, 1 for a file that could not be opened
 */
#include <inttypes.h>

#include "base/file.h"
#include "base/macro.h"
#include "model/set.h"
#include "schema/schema.h"

static const char *scalar(const struct ynode *doc, const char *key)
{
	const struct ynode *n = doc->kind == Y_MAP ? ynode_get(doc, key) : NULL;

	return n && n->kind == Y_SCALAR ? n->text : "";
}

static void dump(const struct object *o, unsigned flags, struct buf *out)
{
	struct json j;

	buf_reset(out);
	json_init(&j, out, false);
	object_json(&j, o, flags);
}

/* The text is a manifest that says the same as o. */
static void reread(const struct object *o, const struct buf *text, const char *form,
		   struct buf *fault)
{
	struct manifest *m = manifest_load(o->file, buf_str(text), text->len);
	const struct object *again = m->objects.v;

	if (m->broken)
		buf_printf(fault, "%s is refused: %s: %s", form, m->msgs.v[0].path,
			   m->msgs.v[0].text);
	else if (m->objects.n != 1 || again->kind != o->kind)
		buf_printf(fault, "%s gives %u objects", form, m->objects.n);
	else if (!schema_equal(o->kind->type, o->body, again->body))
		buf_printf(fault, "%s differs", form);
	else if (again->digest != o->digest)
		buf_printf(fault, "%s has another digest", form);
	manifest_unref(m);
}

static void reread_record(const struct object *o, struct buf *fault)
{
	struct arena a = { 0 };
	struct object again;
	struct err err;
	BUF_AUTO one = { 0 };
	BUF_AUTO two = { 0 };

	dump(o, 0, &one);
	if (object_parse(&a, buf_str(&one), one.len, &again, &err) < 0) {
		buf_printf(fault, "the record is refused: %s", err.msg);
	} else {
		dump(&again, 0, &two);
		if (!streq(buf_str(&one), buf_str(&two)))
			buf_puts(fault, "the record differs");
	}
	arena_release(&a);
}

static void roundtrip(const struct object *o, struct buf *fault)
{
	BUF_AUTO json = { 0 };
	BUF_AUTO yaml = { 0 };

	dump(o, DUMP_WRITTEN, &json);
	reread(o, &json, "JSON", fault);
	if (!fault->len && json_to_yaml(buf_str(&json), &yaml) < 0)
		buf_puts(fault, "no YAML of it");
	if (!fault->len)
		reread(o, &yaml, "YAML", fault);
	if (!fault->len)
		reread_record(o, fault);
}

static void print_line(const char *file, uint32_t doc, const struct ynode *n, const char *verdict,
		       const char *fault, const struct msgs *m)
{
	BUF_AUTO text = { 0 };
	struct json j;

	json_init(&j, &text, false);
	json_begin_object(&j);
	json_kstr(&j, "file", file);
	json_kint(&j, "doc", doc);
	if (n) {
		json_kstr(&j, "apiVersion", scalar(n, "apiVersion"));
		json_kstr(&j, "kind", scalar(n, "kind"));
		json_kint(&j, "line", n->line);
	}
	json_kstr(&j, "verdict", verdict);
	json_kstr(&j, "roundtrip", fault);
	json_key(&j, "messages");
	msgs_json(m, &j);
	json_end_object(&j);
	puts(buf_str(&text));
}

static void judge(const char *file, uint32_t *doc, const struct ynode *n)
{
	size_t len = strlen(scalar(n, "kind"));
	const struct ynode *items = n->kind == Y_MAP ? ynode_get(n, "items") : NULL;

	if (len >= 4 && streq(scalar(n, "kind") + len - 4, "List") && items && items->kind == Y_SEQ) {
		for (uint32_t i = 0; i < items->n; i++)
			judge(file, doc, items->values[i]);
		return;
	}
	struct arena a = { 0 };
	struct msgs m = { .arena = &a };
	struct object o;
	BUF_AUTO fault = { 0 };
	int r = object_decode(&a, file, n, &o, &m);
	if (r == 0 && o.kind)
		roundtrip(&o, &fault);
	print_line(file, (*doc)++, n, r < 0 ? "refused" : o.kind ? "accepted" : "passed over",
		   buf_str(&fault), &m);
	arena_release(&a);
}

static int judge_file(const char *file)
{
	struct arena a = { 0 };
	struct msgs m = { .arena = &a };
	struct yaml_docs docs;
	BUF_AUTO text = { 0 };
	struct err err;
	uint32_t doc = 0;

	if (file_read(file, 0, &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	if (yaml_parse(&a, file, buf_str(&text), text.len, &docs, &m) < 0)
		print_line(file, 0, NULL, "refused", "", &m);
	else
		for (uint32_t i = 0; i < docs.n; i++)
			judge(file, &doc, docs.v[i].root);
	arena_release(&a);
	return 0;
}

int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++)
		status |= judge_file(argv[i]);
	return status;
}
