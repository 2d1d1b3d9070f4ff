/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait --for=condition=C[=V] | create | delete | jsonpath={PATH}[=V]: asks until it is so. */
#include <stdio.h>
#include <strings.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/print.h"

#define POLL_US 100000

/* What --for says. o is NULL when the object does not exist. */
struct goal {
	const char *name;
	bool (*reached)(struct cli *c, json_t *o, const char *value);
	bool may_be_missing;
};

static bool is_deleted(struct cli *c, json_t *o, const char *value)
{
	(void)c, (void)value;
	return !o;
}

static bool is_created(struct cli *c, json_t *o, const char *value)
{
	(void)c, (void)value;
	return o != NULL;
}

/* "Available", "Ready=false" */
static bool has_condition(struct cli *c, json_t *o, const char *what)
{
	const char *eq = strchr(what, '=');
	size_t n = eq ? (size_t)(eq - what) : strlen(what);
	json_t *k;
	size_t i;

	(void)c;
	json_array_foreach(json_path(o, "status.conditions"), i, k) {
		const char *type = json_text(k, "type");

		if (strlen(type) == n && strncasecmp(type, what, n) == 0)
			return strcasecmp(json_text(k, "status"), eq ? eq + 1 : "true") == 0;
	}
	return false;
}

/* The template of "{.status.phase}=Running", and what it must give; NULL: anything. */
static const char *split_jsonpath(struct cli *c, const char *what, const char **ret_value)
{
	const char *brace = strrchr(what, '}');
	const char *eq = strchr(brace ? brace : what, '=');

	*ret_value = eq ? eq + 1 : NULL;
	return arena_strndup(&c->arena, what, eq ? (size_t)(eq - what) : strlen(what));
}

static bool has_value(struct cli *c, json_t *o, const char *what)
{
	const char *value;
	const char *template = split_jsonpath(c, what, &value);
	BUF_AUTO text = { 0 };

	if (!o || jsonpath(c, o, template, &text))
		return false;
	return value ? streq(buf_str(&text), value) : text.len > 0;
}

static const struct goal goals[] = {
	{ "condition=", has_condition, false }, { "jsonpath=", has_value, false },
	{ "delete", is_deleted, true }, { "create", is_created, true },
};

/* *ret_value: what follows the name. A template that can't be read is refused here, once. */
static const struct goal *find_goal(struct cli *c, const char **ret_value)
{
	const char *text = c->opt.for_condition, *unused;
	BUF_AUTO out = { 0 };

	for (size_t i = 0; text && i < ARRAY_SIZE(goals); i++) {
		size_t n = strlen(goals[i].name);
		bool open = goals[i].name[n - 1] == '=';

		if (strncmp(text, goals[i].name, n) || open != (text[n] != '\0'))
			continue;
		*ret_value = text + n;
		if (goals[i].reached == has_value &&
		    jsonpath(c, NULL, split_jsonpath(c, text + n, &unused), &out))
			return NULL;
		return &goals[i];
	}
	fprintf(stderr, "error: --for=condition=NAME[=VALUE], --for=create, --for=delete or "
		"--for=jsonpath={PATH}[=VALUE]\n");
	return NULL;
}

/* NULL: the object does not exist. *ret_status is set when it could not be asked for. */
static json_t *look(struct cli *c, const char *path, int *ret_status)
{
	struct response r = { 0 };
	struct err err = { 0 };
	json_t *v = NULL;

	*ret_status = EXIT_DONE;
	if (client_request(&c->client, "GET", path, NULL, &r, &err) < 0)
		*ret_status = unreachable(&err);
	else if (r.code == 200)
		v = json_loadb(buf_str(&r.body), r.body.len, 0, NULL);
	else if (r.code != 404)
		*ret_status = refused(&r);
	response_release(&r);
	return v;
}

static int wait_one(struct cli *c, const struct target *t, const struct goal *g, const char *value,
		    int64_t until)
{
	const char *path = target_path(c, t);

	for (;;) {
		int status;
		json_t *o = look(c, path, &status);
		bool missing = !o, done = !status && g->reached(c, o, value);

		json_decref(o);
		if (status)
			return status;
		if (done) {
			printf("%s/%s condition met\n",
			       target_resource(c, t->kind, t->kind->singular), t->name);
			fflush(stdout);
			return EXIT_DONE;
		}
		if (missing && !g->may_be_missing) {
			fprintf(stderr, "Error from server (NotFound): %s \"%s\" not found\n",
				target_resource(c, t->kind, t->kind->plural), t->name);
			return EXIT_ERROR;
		}
		if (time_mono() >= until) {
			fprintf(stderr, "error: timed out waiting for the condition on %s/%s\n",
				t->kind->plural, t->name);
			return EXIT_ERROR;
		}
		usleep(POLL_US);
	}
}

int verb_wait(struct cli *c)
{
	const char *value;
	const struct goal *g = find_goal(c, &value);
	struct targets t;
	int status = g ? targets_parse(c, 0, &t) : EXIT_ERROR;
	int64_t until = deadline(c, 30, false);

	if (!status)
		status = targets_expand(c, &t);
	if (status)
		return status;
	if (!t.n) {
		fprintf(stderr, "error: no matching resources found\n");
		return EXIT_ERROR;
	}
	for (uint32_t i = 0; i < t.n && status != EXIT_UNREACHABLE; i++) {
		int one = wait_one(c, &t.v[i], g, value, until);

		status = one ? one : status;
	}
	return status;
}
