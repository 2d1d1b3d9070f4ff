/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rollout status, history, undo, pause, resume, restart, unhold: in kubectl's words. */
#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/describe.h"
#include "cli/print.h"

#define POLL_US 100000

static const char *api(struct cli *c, const struct kind *k, const char *ns, const char *name,
		       const char *what)
{
	return arena_printf(&c->arena, "/apis/orch/v1/namespaces/%s/%s/%s/%s", ns, k->plural, name,
			    what);
}

int wait_rollout(struct cli *c, const struct kind *k, const char *ns, const char *name, int64_t until)
{
	const char *said = "";

	for (;;) {
		int status;
		json_t *s = fetch(c, "GET", api(c, k, ns, name, "rolloutstatus"), NULL, &status);

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
	return wait_rollout(c, t->kind, namespace_of(c), t->name, deadline(c, 0, true));
}

static const char *annotation(json_t *o, const char *key)
{
	return json_text(json_path(o, "metadata.annotations"), key);
}

/* One record of a history: a ReplicaSet, or a ControllerRevision of other kinds. */
struct past {
	long revision;
	const char *cause;
	json_t *template;
};
struct past_list { struct past *v; uint32_t n; };

static struct past past_of(const struct target *t, json_t *o)
{
	struct past p = { .cause = annotation(o, "kubernetes.io/change-cause") };

	if (t->kind->id == KIND_DEPLOYMENT) {
		p.revision = strtol(annotation(o, "deployment.kubernetes.io/revision"), NULL, 10);
		p.template = json_path(o, "spec.template");
	} else {
		p.revision = (long)json_integer_value(json_object_get(o, "revision"));
		p.template = json_path(o, "data.spec.template");
	}
	return p;
}

static bool owned(json_t *o, const struct target *t)
{
	json_t *r;
	size_t i;

	json_array_foreach(json_path(o, "metadata.ownerReferences"), i, r)
		if (streq(json_text(r, "name"), t->name) && streq(json_text(r, "kind"), t->kind->name))
			return true;
	return false;
}

static int by_revision(const void *a, const void *b)
{
	const struct past *x = a, *y = b;

	return x->revision < y->revision ? -1 : x->revision > y->revision;
}

static int print_one(struct cli *c, const struct past_list *l, const struct target *t)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->v[i].revision != strtol(c->opt.revision, NULL, 10))
			continue;
		printf("%s.apps/%s with revision #%s\n", t->kind->singular, t->name, c->opt.revision);
		describe_template(c, l->v[i].template);
		return EXIT_DONE;
	}
	fprintf(stderr, "error: unable to find the specified revision\n");
	return EXIT_ERROR;
}

static int print_all(const struct past_list *l, const struct target *t)
{
	BUF_AUTO text = { 0 };
	BUF_AUTO out = { 0 };

	buf_puts(&text, "REVISION\tCHANGE-CAUSE\n");
	for (uint32_t i = 0; i < l->n; i++)
		buf_printf(&text, "%ld\t%s\n", l->v[i].revision,
			   *l->v[i].cause ? l->v[i].cause : "<none>");
	tabs_align(buf_str(&text), 2, &out);
	printf("%s.apps/%s \n%s\n", t->kind->singular, t->name, buf_str(&out));
	return EXIT_DONE;
}

static int history(struct cli *c, const struct target *t)
{
	int code;
	const char *plural = t->kind->id == KIND_DEPLOYMENT ? "replicasets" : "controllerrevisions";
	json_t *list = fetch(c, "GET", arena_printf(&c->arena, "/apis/apps/v1/namespaces/%s/%s",
						    namespace_of(c), plural), NULL, &code), *o;
	struct past_list found = { 0 };
	size_t i;

	if (!list)
		return code;
	json_array_foreach(json_object_get(list, "items"), i, o)
		if (owned(o, t))
			*arena_push(&c->arena, &found) = past_of(t, o);
	if (!found.n) {
		fprintf(stderr, "error: no rollout history found for %s \"%s\"\n", t->kind->singular,
			t->name);
		code = EXIT_ERROR;
	} else {
		qsort(found.v, found.n, sizeof(*found.v), by_revision);
		code = c->opt.revision ? print_one(c, &found, t) : print_all(&found, t);
	}
	json_decref(list);
	return code;
}

/* The verbs that change something: one request, one line. */
static int post(struct cli *c, const struct target *t)
{
	int code;
	const char *path = api(c, t->kind, namespace_of(c), t->name, c->args[0]);

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
		if (!kind_rolls(t.v[i].kind)) {
			fprintf(stderr, "error: rollouts are of Deployments, StatefulSets and DaemonSets: "
				"deployment/NAME\n");
			return EXIT_ERROR;
		}
		code = verbs[v].run(c, &t.v[i]);
	}
	return code;
}
