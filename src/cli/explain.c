/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain: kinds and fields as the rows describe them, for people and, as JSON Schema, for editors. */
#include <stdio.h>

#include "base/macro.h"
#include "cli/print.h"
#include "model/json_schema.h"

#define SETTINGS "OrchdConfiguration"

/* What a word of the command line stands for. kind NULL: the settings of orchd. */
struct subject {
	const struct kind *kind;
	const char *path;
};

static int unknown(struct cli *c, const char *word)
{
	const char *names[3 * KIND_COUNT + 2] = { SETTINGS };
	size_t n = 1;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		names[n++] = kinds[i].name;
		names[n++] = kinds[i].plural;
		names[n++] = kinds[i].singular;
	}
	const char *near = suggest(word, names);
	fprintf(stderr, "error: the server doesn't have a resource type \"%s\"%s\n", word,
		near ? arena_printf(&c->arena, "; did you mean \"%s\"?", near) : "");
	return EXIT_ERROR;
}

static int find(struct cli *c, const char *arg, struct subject *ret)
{
	size_t n = strcspn(arg, ".");
	const char *word = arena_strndup(&c->arena, arg, n);

	*ret = (struct subject){ kind_by_word(word), arg[n] ? arg + n + 1 : "" };
	if (ret->kind || streq(word, SETTINGS) || streq(word, "settings"))
		return EXIT_DONE;
	return unknown(c, word);
}

static int print_schema(const struct subject *s)
{
	BUF_AUTO out = { 0 };
	struct json j;

	json_init(&j, &out, true);
	if (s && !s->kind)
		settings_json_schema(&j);
	else
		kinds_json_schema(&j, s ? s->kind : NULL);
	puts(buf_str(&out));
	return EXIT_DONE;
}

static int print_text(struct cli *c, const struct subject *s)
{
	static const char *const unused[] = {
		[KIND_ACTED] = NULL,
		[KIND_KEPT] = "kept and shown only",
		[KIND_MADE] = "made by orch",
	};
	const struct explain e = {
		.kind = s->kind ? s->kind->name : SETTINGS,
		.version = s->kind ? s->kind->api_version : "orch/v1",
		.unused = s->kind ? unused[s->kind->use] : NULL,
		.recursive = c->opt.recursive,
	};
	BUF_AUTO out = { 0 };
	struct err err = { 0 };

	if (schema_explain(s->kind ? s->kind->type : &settings_type, &e, s->path, &out, &err) < 0) {
		fprintf(stderr, "error: %s\n", err.msg);
		return EXIT_ERROR;
	}
	fputs(buf_str(&out), stdout);
	return EXIT_DONE;
}

int verb_explain(struct cli *c)
{
	struct subject s;

	if (c->opt.json_schema && !c->nargs)
		return print_schema(NULL);
	if (c->nargs != 1) {
		fprintf(stderr, "error: explain KIND[.path], or explain --json-schema [KIND]\n");
		return EXIT_ERROR;
	}
	int status = find(c, c->args[0], &s);
	if (status)
		return status;
	return c->opt.json_schema ? print_schema(&s) : print_text(c, &s);
}
