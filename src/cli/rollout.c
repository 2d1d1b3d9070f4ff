/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rollout status, history, undo, pause, resume, restart, unhold: in kubectl's words. */
#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/describe.h"
#include "cli/print.h"

#define POLL_US 100000

static const char *api(struct cli *c, const char *ns, const char *name, const char *what)
{
	return arena_printf(&c->arena, "/apis/orch/v1/namespaces/%s/deployments/%s/%s", ns, name,
			    what);
}

int wait_rollout(struct cli *c, const char *ns, const char *name, int64_t until)
{
	const char *said = "";

	for (;;) {
		int status;
		json_t *s = fetch(c, "GET", api(c, ns, name, "rolloutstatus"), NULL, &status);

		if (!s)
			return status;
		const char *message = arena_strdup(&c->arena, json_text(s, "message"));
		bool done = json_is_true(json_object_get(s, "done"));
		bool failed = json_is_true(json_object_get(s, "failed"));
		json_decref(s);
		if (failed) {
			fprintf(stderr, "%s%s%s", strncmp(message, "error: ", 7) ? "error: " : "",
				message, strchr(message, '\n') ? "" : "\n");
			return EXIT_ROLLOUT;
		}
		if (!streq(message, said))
			printf("%s%s", message, strchr(message, '\n') ? "" : "\n");
		fflush(stdout);
		said = message;
		if (done || c->opt.once)
			return EXIT_DONE;
		if (time_mono() >= until) {
			fprintf(stderr, "error: timed out waiting for the condition\n");
			return EXIT_ROLLOUT;
		}
		usleep(POLL_US);
	}
}

static int status(struct cli *c, const struct target *t)
{
	return wait_rollout(c, namespace_of(c), t->name, deadline(c, 0, true));
}

static const char *annotation(json_t *rs, const char *key)
{
	return json_text(json_path(rs, "metadata.annotations"), key);
}

static bool owned(json_t *rs, const char *name)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_path(rs, "metadata.ownerReferences"), i, o)
		if (streq(json_text(o, "name"), name) && streq(json_text(o, "kind"), "Deployment"))
			return true;
	return false;
}

static int by_revision(const void *a, const void *b)
{
	long x = strtol(annotation(*(json_t *const *)a, "deployment.kubernetes.io/revision"), NULL,
			10);
	long y = strtol(annotation(*(json_t *const *)b, "deployment.kubernetes.io/revision"), NULL,
			10);

	return x < y ? -1 : x > y;
}

static int print_one(struct cli *c, json_t **v, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++) {
		if (!streq(annotation(v[i], "deployment.kubernetes.io/revision"), c->opt.revision))
			continue;
		printf("deployment.apps/%s with revision #%s\n", name, c->opt.revision);
		describe_template(c, json_path(v[i], "spec.template"));
		return EXIT_DONE;
	}
	fprintf(stderr, "error: unable to find the specified revision\n");
	return EXIT_ERROR;
}

static void print_all(json_t **v, unsigned n, const char *name)
{
	BUF_AUTO text = { 0 };
	BUF_AUTO out = { 0 };

	buf_puts(&text, "REVISION\tCHANGE-CAUSE\n");
	for (unsigned i = 0; i < n; i++) {
		const char *cause = annotation(v[i], "kubernetes.io/change-cause");

		buf_printf(&text, "%s\t%s\n", annotation(v[i], "deployment.kubernetes.io/revision"),
			   *cause ? cause : "<none>");
	}
	tabs_align(buf_str(&text), 2, &out);
	printf("deployment.apps/%s \n%s\n", name, buf_str(&out));
}

static int history(struct cli *c, const struct target *t)
{
	int code;
	const char *path = arena_printf(&c->arena, "/apis/apps/v1/namespaces/%s/replicasets",
					namespace_of(c));
	json_t *list = fetch(c, "GET", path, NULL, &code), *rs;
	struct { json_t **v; uint32_t n; } found = { 0 };
	size_t i;

	if (!list)
		return code;
	json_array_foreach(json_object_get(list, "items"), i, rs)
		if (owned(rs, t->name))
			*arena_push(&c->arena, &found) = rs;
	if (!found.n) {
		fprintf(stderr, "error: no rollout history found for deployment \"%s\"\n", t->name);
		code = EXIT_ERROR;
	} else {
		qsort(found.v, found.n, sizeof(*found.v), by_revision);
		if (c->opt.revision)
			code = print_one(c, found.v, found.n, t->name);
		else
			print_all(found.v, found.n, t->name);
	}
	json_decref(list);
	return code;
}

/* The verbs that change something: one request, one line. */
static int post(struct cli *c, const struct target *t)
{
	int code;
	const char *path = api(c, namespace_of(c), t->name, c->args[0]);

	if (c->opt.to_revision)
		path = arena_printf(&c->arena, "%s?toRevision=%s", path, c->opt.to_revision);
	json_t *answer = fetch(c, "POST", path, NULL, &code);
	if (answer)
		puts(json_text(answer, "message"));
	json_decref(answer);
	return code;
}

static const struct {
	const char *name;
	int (*run)(struct cli *c, const struct target *t);
} verbs[] = {
	{ "status", status }, { "history", history }, { "undo", post }, { "pause", post },
	{ "resume", post }, { "restart", post }, { "unhold", post },
};

int verb_rollout(struct cli *c)
{
	struct targets t;
	size_t v = 0;

	while (v < ARRAY_SIZE(verbs) && (!c->nargs || !streq(verbs[v].name, c->args[0])))
		v++;
	if (v == ARRAY_SIZE(verbs)) {
		fprintf(stderr,
			"error: rollout status, history, undo, pause, resume, restart or unhold?\n");
		return EXIT_ERROR;
	}
	int code = targets_parse(c, 1, &t);
	if (!code)
		code = targets_expand(c, &t);
	for (uint32_t i = 0; i < t.n && !code; i++) {
		if (t.v[i].kind->id != KIND_DEPLOYMENT) {
			fprintf(stderr, "error: rollouts are of Deployments: deployment/NAME\n");
			return EXIT_ERROR;
		}
		code = verbs[v].run(c, &t.v[i]);
	}
	return code;
}
