/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan, diff and apply. The text comes from orchd, which computed it with the code that then does it;
 * here it gets colours and an exit status. A saved plan is the JSON answer; applying it first
 * asks for the plan again and refuses when the two differ.
 */
#include <libgen.h>
#include <stdio.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/units.h"
#include "cli/cli.h"
#include "model/set.h"

#define POLL_NS (100 * MSEC)

static const char *plan_path(struct cli *c, const char *verb)
{
	BUF_AUTO p = { 0 };

	buf_printf(&p, "/apis/orch/v1/%s?allowDelete=%s", verb,
		   c->opt.allow_delete ? c->opt.allow_delete : "0");
	if (c->opt.stack) {
		buf_puts(&p, "&stack=");
		url_encode(&p, c->opt.stack);
	}
	return arena_strdup(&c->arena, buf_str(&p));
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

static void print_plan(const struct cli *c, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		const char *color = c->color ? color_of(text[strspn(text, " ")]) : NULL;

		printf("%s%.*s%s\n", color ? color : "", (int)n, text, color ? "\033[0m" : "");
		text += n + (text[n] == '\n');
	}
}

static bool flag(const json_t *answer, const char *key)
{
	return json_is_true(json_object_get(answer, key));
}

static long count(const json_t *answer, const char *key)
{
	return (long)json_integer_value(json_object_get(answer, key));
}

static void show(const struct cli *c, const json_t *answer)
{
	if (c->opt.output && streq(c->opt.output, "json"))
		print_json(json_object_get(answer, "plan"));
	else
		print_plan(c, json_text(answer, "text"));
}

static int save(const char *path, const json_t *answer)
{
	char *text = json_dumps(answer, JSON_INDENT(2) | JSON_SORT_KEYS);
	struct err err = { 0 };
	int r = file_write_atomic(path, text, strlen(text), 0600, false, &err);

	free(text);
	if (r < 0)
		fprintf(stderr, "error: %s\n", err.msg);
	return r < 0 ? EXIT_ERROR : EXIT_DONE;
}

/* 0 nothing to do, 2 changes, 3 a manifest is invalid. */
static int plan_status(const struct cli *c, const json_t *answer)
{
	if (count(answer, "errors"))
		return EXIT_INVALID;
	return c->opt.detailed_exitcode && !flag(answer, "empty") ? EXIT_CHANGES : EXIT_DONE;
}

int verb_plan(struct cli *c)
{
	int status;
	json_t *answer = fetch(c, "GET", plan_path(c, "plan"), NULL, &status);

	if (!answer)
		return status;
	show(c, answer);
	if (c->opt.out)
		status = save(c->opt.out, answer);
	if (!status)
		status = plan_status(c, answer);
	json_decref(answer);
	return status;
}

int verb_diff(struct cli *c)
{
	int status;

	c->opt.detailed_exitcode = true;
	status = verb_plan(c);
	return status == EXIT_CHANGES ? EXIT_ERROR : status;
}

/* Is the plan of this file what apply would do now? */
static int check_saved(struct cli *c, const char *path)
{
	json_error_t why;
	json_t *saved = json_load_file(path, 0, &why), *now;
	int status = EXIT_DONE;

	if (!saved) {
		fprintf(stderr, "error: %s: %s\n", path, why.text);
		return EXIT_ERROR;
	}
	now = fetch(c, "GET", plan_path(c, "plan"), NULL, &status);
	if (now && (!json_equal(json_object_get(saved, "text"), json_object_get(now, "text")) ||
		    !json_equal(json_object_get(saved, "revision"), json_object_get(now, "revision")))) {
		fprintf(stderr, "error: %s is stale: the files or what runs have changed since; plan again\n",
			path);
		status = EXIT_STALE;
	}
	json_decref(now);
	json_decref(saved);
	return status;
}

static const char *config_dir(struct cli *c, int *ret_status)
{
	json_t *s = fetch(c, "GET", "/apis/orch/v1/status", NULL, ret_status);
	const char *dir = s ? arena_strdup(&c->arena, json_text(s, "configDir")) : NULL;

	json_decref(s);
	return dir;
}

/* Checks one file and puts it into the config directory, whole or not at all. */
static int land(const char *dir, const char *file)
{
	BUF_AUTO text = { 0 };
	BUF_AUTO path = { 0 };
	BUF_AUTO out = { 0 };
	struct err err = { 0 };
	char *copy = strdup(file);
	const char *base = basename(copy);
	int status = EXIT_DONE;

	buf_printf(&path, "%s/%s", dir, base);
	if (file_read(file, 0, &text, &err) < 0) {
		fprintf(stderr, "error: %s\n", err.msg);
		status = EXIT_ERROR;
	}
	struct manifest *m = status ? NULL : manifest_load(file, buf_str(&text), text.len);
	for (uint32_t i = 0; m && i < m->msgs.n; i++)
		msg_print(&m->msgs.v[i], &out);
	fputs(buf_str(&out), stderr);
	if (m && m->broken) {
		status = EXIT_INVALID;
	} else if (m && !manifest_wanted(base)) {
		fprintf(stderr, "error: %s: orch reads *.yaml, *.yml and *.json\n", base);
		status = EXIT_ERROR;
	} else if (m && file_write_atomic(buf_str(&path), text.data, text.len, 0600, true, &err) < 0) {
		fprintf(stderr, "error: %s\n", err.msg);
		status = EXIT_ERROR;
	}
	manifest_unref(m);
	free(copy);
	return status;
}

static int land_files(struct cli *c)
{
	int status = EXIT_DONE;
	const char *dir = c->opt.nfiles ? config_dir(c, &status) : NULL;

	for (unsigned i = 0; i < c->opt.nfiles && !status; i++)
		status = land(dir, c->opt.files[i]);
	return status;
}

/* Prints how far each Deployment is, when that changed; counts those that failed. */
struct progress {
	struct strmap said;
	unsigned failed, waiting;
};

static void follow_one(struct cli *c, struct progress *p, const char *ns, const char *name)
{
	int status;
	const char *key = arena_printf(&c->arena, "%s/%s", ns, name);
	const char *path = arena_printf(&c->arena,
		"/apis/orch/v1/namespaces/%s/deployments/%s/rolloutstatus", ns, name);
	json_t *s = fetch(c, "GET", path, NULL, &status);
	const char *message = s ? json_text(s, "message") : "";
	const char *before = strmap_get(&p->said, key);

	p->failed += flag(s, "failed");
	p->waiting += !flag(s, "done") && !flag(s, "failed");
	if (s && !flag(s, "done") && (!before || !streq(before, message))) {
		printf("%s: %s\n", key, arena_strndup(&c->arena, message, strcspn(message, "\n")));
		fflush(stdout);
		strmap_set(&c->arena, &p->said, key, arena_strdup(&c->arena, message));
	}
	json_decref(s);
}

static int follow(struct cli *c, struct progress *p)
{
	int status;
	json_t *list = fetch(c, "GET", "/apis/apps/v1/deployments", NULL, &status), *o;
	size_t i;

	if (!list)
		return status;
	p->failed = p->waiting = 0;
	json_array_foreach(json_object_get(list, "items"), i, o) {
		json_t *meta = json_object_get(o, "metadata");

		follow_one(c, p, json_text(meta, "namespace"), json_text(meta, "name"));
	}
	json_decref(list);
	return EXIT_DONE;
}

/* Until the daemon has nothing to do and every rollout has ended. */
static int wait_settled(struct cli *c)
{
	struct progress p = { 0 };
	int64_t until = deadline(c, 600);

	for (;;) {
		int status = follow(c, &p);
		json_t *s = status ? NULL : fetch(c, "GET", "/apis/orch/v1/status", NULL, &status);
		bool settled = s && flag(s, "settled");

		json_decref(s);
		if (status)
			return status;
		if (p.failed) {
			fprintf(stderr, "error: %u rollout%s failed\n", p.failed, p.failed > 1 ? "s" : "");
			return EXIT_ROLLOUT;
		}
		if (settled && !p.waiting)
			return EXIT_DONE;
		if (time_mono() > until) {
			fprintf(stderr, "error: timed out waiting\n");
			return EXIT_ROLLOUT;
		}
		usleep(POLL_NS / 1000);
	}
}

/* What apply says in the end, by what it found. */
static int apply_status(struct cli *c, const json_t *answer)
{
	if (count(answer, "errors"))
		return EXIT_INVALID;
	if (count(answer, "guarded"))
		return EXIT_GUARD;
	return c->opt.detailed_exitcode && !flag(answer, "empty") ? EXIT_CHANGES : EXIT_DONE;
}

int verb_apply(struct cli *c)
{
	int status = c->nargs ? check_saved(c, c->args[0]) : EXIT_DONE;

	if (!status)
		status = land_files(c);
	if (status)
		return status;
	json_t *answer = fetch(c, "POST", plan_path(c, "apply"), NULL, &status);
	if (!answer)
		return status;
	show(c, answer);
	fflush(stdout);
	if (!c->opt.no_wait)
		status = wait_settled(c);
	if (!status)
		status = apply_status(c, answer);
	if (!status && !(c->opt.output && streq(c->opt.output, "json")))
		printf("Applied: revision %ld.\n", count(answer, "revision"));
	json_decref(answer);
	return status;
}
