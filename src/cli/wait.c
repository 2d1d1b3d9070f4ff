/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait --for=condition=C[=V] | delete | jsonpath={PATH}[=V]: asks until it is so. */
#include <stdio.h>
#include <strings.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/cli.h"

#define POLL_US 100000

/* NULL: the object does not exist. *ret_status is set when it could not be asked for. */
static json_t *look(struct cli *c, const struct target *t, int *ret_status)
{
	struct response r = { 0 };
	struct err err = { 0 };
	json_t *v = NULL;

	*ret_status = EXIT_DONE;
	if (client_request(&c->client, "GET", target_path(c, t), NULL, &r, &err) < 0)
		*ret_status = unreachable(&err);
	else if (r.code == 200)
		v = json_loadb(r.body.data, r.body.len, 0, NULL);
	else if (r.code != 404)
		*ret_status = refused(&r);
	response_release(&r);
	return v;
}

static bool has_condition(json_t *o, const char *what)
{
	const char *eq = strchr(what, '=');
	size_t n = eq ? (size_t)(eq - what) : strlen(what);
	json_t *c;
	size_t i;

	json_array_foreach(json_path(o, "status.conditions"), i, c) {
		const char *type = json_text(c, "type");

		if (strlen(type) == n && strncasecmp(type, what, n) == 0)
			return strcasecmp(json_text(c, "status"), eq ? eq + 1 : "true") == 0;
	}
	return false;
}

static bool has_value(struct cli *c, json_t *o, const char *what)
{
	const char *eq = strrchr(what, '}');
	BUF_AUTO text = { 0 };

	eq = eq ? strchr(eq, '=') : strchr(what, '=');
	const char *path = arena_strndup(&c->arena, what, eq ? (size_t)(eq - what) : strlen(what));
	if (jsonpath(c, o, path, &text))
		return false;
	return eq ? streq(buf_str(&text), eq + 1) : text.len > 0;
}

static bool fulfilled(struct cli *c, json_t *o)
{
	const char *f = c->opt.for_condition;

	if (streq(f, "delete"))
		return !o;
	if (!o)
		return false;
	if (strncmp(f, "condition=", 10) == 0)
		return has_condition(o, f + 10);
	return has_value(c, o, f + 9);
}

static int wait_one(struct cli *c, const struct target *t, int64_t until)
{
	bool gone = streq(c->opt.for_condition, "delete");
	const char *group = strchr(t->kind->api_version, '/') ? ".apps" : "";

	for (;;) {
		int status;
		json_t *o = look(c, t, &status);
		bool missing = !o;
		bool done = !status && fulfilled(c, o);

		json_decref(o);
		if (status)
			return status;
		if (done) {
			printf("%s%s/%s %s\n", t->kind->singular, group, t->name,
			       gone ? "deleted" : "condition met");
			return EXIT_DONE;
		}
		if (missing && !c->opt.timeout) {
			fprintf(stderr, "Error from server (NotFound): %s%s \"%s\" not found\n",
				t->kind->plural, group, t->name);
			return EXIT_ERROR;
		}
		if (time_mono() > until) {
			fprintf(stderr, "error: timed out waiting for the condition on %s/%s\n",
				t->kind->plural, t->name);
			return EXIT_ERROR;
		}
		usleep(POLL_US);
	}
}

/* TYPE -l SELECTOR or TYPE alone: every object that is there now. */
static int expand(struct cli *c, struct targets *t)
{
	struct targets all = { 0 };

	for (uint32_t i = 0; i < t->n; i++) {
		BUF_AUTO p = { 0 };
		int status;
		json_t *o;
		size_t k;

		if (t->v[i].name) {
			*arena_push(&c->arena, &all) = t->v[i];
			continue;
		}
		buf_puts(&p, target_path(c, &t->v[i]));
		if (c->opt.selector) {
			buf_puts(&p, "?labelSelector=");
			url_encode(&p, c->opt.selector);
		}
		json_t *list = fetch(c, "GET", buf_str(&p), NULL, &status);
		if (!list)
			return status;
		json_array_foreach(json_object_get(list, "items"), k, o) {
			struct target *n = arena_push(&c->arena, &all);
			const char *name = json_text(json_object_get(o, "metadata"), "name");

			n->kind = t->v[i].kind;
			n->name = arena_strdup(&c->arena, name);
		}
		json_decref(list);
	}
	*t = all;
	return EXIT_DONE;
}

int verb_wait(struct cli *c)
{
	static const char *const forms[] = { "condition=", "jsonpath=", "delete" };
	struct targets t;
	bool known = false;

	for (size_t i = 0; c->opt.for_condition && i < ARRAY_SIZE(forms); i++)
		known |= strncmp(c->opt.for_condition, forms[i], strlen(forms[i])) == 0;
	if (!known) {
		fprintf(stderr, "error: --for=condition=NAME[=VALUE], --for=delete or "
			"--for=jsonpath={PATH}=VALUE\n");
		return EXIT_ERROR;
	}
	int status = targets_parse(c, 0, &t);
	int64_t until = deadline(c, 30);
	if (!status)
		status = expand(c, &t);
	for (uint32_t i = 0; i < t.n && !status; i++)
		status = wait_one(c, &t.v[i], until);
	return status;
}
