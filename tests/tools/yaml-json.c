/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parser makes of files: one line of JSON per document that is not empty. For tests
 * against other readers of YAML.
 *
 *	yaml-json FILE...	exit status: 0, 1 for what is no YAML to us, 2 for what JSON lacks
 */
#include "base/file.h"
#include "base/macro.h"
#include "schema/yaml.h"

static void print_msgs(const struct msgs *m)
{
	BUF_AUTO text = { 0 };

	for (uint32_t i = 0; i < m->n; i++)
		msg_print(&m->v[i], &text);
	fputs(buf_str(&text), stderr);
}

static int print_doc(const char *file, const struct ynode *root)
{
	BUF_AUTO text = { 0 };
	BUF_AUTO path = { 0 };
	struct json j;
	struct err err;

	json_init(&j, &text, false);
	if (ynode_json(root, &j, &path, &err) < 0) {
		fprintf(stderr, "%s:%u:%u: %s: %s\n", file, err.line, err.col, buf_str(&path),
			err.msg);
		return 2;
	}
	puts(buf_str(&text));
	return 0;
}

static int print_file(const char *file)
{
	struct arena a = { 0 };
	struct msgs m = { .arena = &a };
	struct yaml_docs docs;
	BUF_AUTO text = { 0 };
	struct err err;
	int status = 0;

	if (file_read(file, 0, &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 3;
	}
	if (yaml_parse(&a, file, buf_str(&text), text.len, &docs, &m) < 0)
		status = 1;
	for (uint32_t i = 0; status == 0 && i < docs.n; i++)
		status = print_doc(file, docs.v[i].root);
	print_msgs(&m);
	arena_release(&a);
	return status;
}

int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++) {
		int r = print_file(argv[i]);
		status = MAX(status, r);
	}
	return status;
}
