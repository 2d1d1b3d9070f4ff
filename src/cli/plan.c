/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan and diff. The text comes from orchd, which computed it with the code that then does it; here
 * it gets colours and an exit status. A saved plan is the JSON answer with what it was asked for:
 * applying it asks again and refuses when the answers differ. They hold the digests of the files,
 * so that an edit is seen even where values are masked.
 */
#include "cli/plan.h"

#include <stdio.h>

#include "base/file.h"
#include "base/macro.h"

struct plan_request plan_requested(const struct cli *c)
{
	return (struct plan_request){ c->opt.stack,
				      c->opt.allow_delete ? c->opt.allow_delete : "0" };
}

json_t *plan_fetch(struct cli *c, const char *method, const char *verb,
		   const struct plan_request *q, int *ret_status)
{
	BUF_AUTO p = { 0 };

	buf_printf(&p, "/apis/orch/v1/%s?allowDelete=", verb);
	url_encode(&p, q->allow_delete);
	if (q->stack) {
		buf_puts(&p, "&stack=");
		url_encode(&p, q->stack);
	}
	return fetch(c, method, buf_str(&p), NULL, ret_status);
}

static const char *color_of(char first)
{
	switch (first) {
	case '+': return "\033[32m";
	case '-': return "\033[31m";
	case '~': return "\033[33m";
	case '=': return "\033[36m";
	default: return NULL;
	}
}

void plan_show(const struct cli *c, const json_t *answer)
{
	const char *text = json_text(answer, "text");

	while (*text) {
		size_t n = strcspn(text, "\n");
		const char *color = c->color ? color_of(*text) : NULL;

		printf("%s%.*s%s\n", color ? color : "", (int)n, text, color ? "\033[0m" : "");
		text += n + (text[n] == '\n');
	}
}

static int save(const struct cli *c, json_t *answer)
{
	struct plan_request q = plan_requested(c);
	struct err err = { 0 };

	json_object_set_new(
		answer, "request",
		json_pack("{s:s?, s:s}", "stack", q.stack, "allowDelete", q.allow_delete));
	FREE_AUTO char *text = json_dumps(answer, JSON_INDENT(2) | JSON_SORT_KEYS);
	if (!text)
		abort();
	if (file_write_atomic(c->opt.out, text, strlen(text), 0600, false, &err) == 0)
		return EXIT_DONE;
	fprintf(stderr, "error: %s\n", err.msg);
	return EXIT_ERROR;
}

static bool is_same(const json_t *x, const json_t *y)
{
	static const char *const keys[] = { "revision", "files", "plan" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const json_t *a = json_object_get(x, keys[i]), *b = json_object_get(y, keys[i]);

		if ((a || b) && !json_equal(a, b))
			return false;
	}
	return true;
}

int plan_check_saved(struct cli *c, const char *path, struct plan_request *ret)
{
	json_error_t why;
	json_t *saved = json_load_file(path, 0, &why), *now;
	json_t *asked = json_object_get(saved, "request");
	int status;

	if (!asked) {
		fprintf(stderr, "error: %s: %s\n", path,
			saved ? "not a plan saved by plan --out" : why.text);
		json_decref(saved);
		return EXIT_ERROR;
	}
	*ret = (struct plan_request){
		arena_strdup(&c->arena, json_string_value(json_object_get(asked, "stack"))),
		arena_strdup(&c->arena, json_text(asked, "allowDelete")),
	};
	now = plan_fetch(c, "GET", "plan", ret, &status);
	if (now && !is_same(saved, now)) {
		fprintf(stderr,
			"error: %s is stale: the files or what runs have changed since; plan again\n",
			path);
		status = EXIT_STALE;
	}
	json_decref(now);
	json_decref(saved);
	return status;
}

/* 0 nothing to do, 2 changes, 3 a manifest is invalid. */
static int plan_status(const struct cli *c, const json_t *answer)
{
	if (json_number(answer, "errors"))
		return EXIT_INVALID;
	return c->opt.detailed_exitcode && !json_is_true(json_object_get(answer, "empty")) ?
		       EXIT_CHANGES :
		       EXIT_DONE;
}

int verb_plan(struct cli *c)
{
	struct plan_request q = plan_requested(c);
	int status;

	if (c->opt.output && !output_is(c, "json") && !output_is(c, "yaml") &&
	    !output_is(c, "table")) {
		fprintf(stderr, "error: a plan is text, or json or yaml with -o\n");
		return EXIT_ERROR;
	}
	json_t *answer = plan_fetch(c, "GET", "plan", &q, &status);
	if (!answer)
		return status;
	if (output_is(c, "json"))
		print_json(json_object_get(answer, "plan"));
	else if (output_is(c, "yaml"))
		print_yaml(json_object_get(answer, "plan"));
	else
		plan_show(c, answer);
	if (c->opt.out)
		status = save(c, answer);
	if (!status)
		status = plan_status(c, answer);
	json_decref(answer);
	return status;
}

int verb_diff(struct cli *c)
{
	c->opt.detailed_exitcode = true;

	int status = verb_plan(c);

	return status == EXIT_CHANGES ? EXIT_ERROR : status;
}
