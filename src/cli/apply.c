/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply: puts the files of -f into the config directory, asks orchd to carry out the plan, and
 * waits until everything is so. Text goes out as it happens; with -o json there is one object at
 * the end, and progress goes to standard error.
 */
#include <stdio.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/units.h"
#include "cli/manifests.h"
#include "cli/plan.h"

#define POLL_US 100000

static const char *config_dir(struct cli *c, int *ret_status)
{
	json_t *s = fetch(c, "GET", "/apis/orch/v1/status", NULL, ret_status);
	const char *dir = s ? arena_strdup(&c->arena, json_text(s, "configDir")) : NULL;

	json_decref(s);
	return dir;
}

/* Whole or not at all; a file that is there already is left alone. */
static int land(struct cli *c, const char *dir, const struct loaded_file *f)
{
	const char *path = arena_printf(&c->arena, "%s/%s", dir, f->place);
	const char *parent = arena_strndup(&c->arena, path, (size_t)(strrchr(path, '/') - path));
	BUF_AUTO there = { 0 };
	struct err err = { 0 };

	if (file_read(path, 0, &there, NULL) == 0 && there.len == f->manifest->size &&
	    memcmp(buf_str(&there), f->manifest->text, there.len) == 0)
		return EXIT_DONE;
	if (file_mkdir_p(parent, 0755, &err) == 0 &&
	    file_write_atomic(path, f->manifest->text, f->manifest->size, 0600, true, &err) == 0)
		return EXIT_DONE;
	fprintf(stderr, "error: %s\n", err.msg);
	return EXIT_ERROR;
}

/* Names under which orchd would not read them are refused before anything is written. */
static int check_names(const struct loaded *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->v[i].context || manifest_wanted(l->v[i].place))
			continue;
		fprintf(stderr, "error: %s: orch reads files named *.yaml, *.yml and *.json\n",
			l->v[i].place);
		return EXIT_ERROR;
	}
	return EXIT_DONE;
}

/* All files are checked, among those that are there, before the first one lands. */
static int land_files(struct cli *c)
{
	const char *stack = c->opt.stack && !streq(c->opt.stack, "default") ? c->opt.stack : NULL;
	struct loaded l = { 0 };
	struct msgs m;
	int status = EXIT_DONE;
	const char *dir = c->opt.nfiles ? config_dir(c, &status) : NULL;

	for (unsigned i = 0; i < c->opt.nfiles && !status; i++)
		status = manifests_load(&l, c->opt.files[i], stack);
	if (!status && dir)
		status = manifests_load_context(&l, dir, false);
	if (!status)
		status = check_names(&l);
	if (!status && dir) {
		manifests_check(&l, &m);
		manifests_print(&l, &m, manifests_style(c));
		status = m.errors ? EXIT_INVALID : EXIT_DONE;
	}
	for (uint32_t i = 0; i < l.n && !status; i++)
		if (!l.v[i].context)
			status = land(c, dir, &l.v[i]);
	manifests_release(&l);
	return status;
}

/* How far each workload is, said when that changed. */
struct progress {
	struct cli *c;
	FILE *to;
	struct arena arena;
	struct strmap said;
	unsigned failed, waiting;
};

/* A workload that needs no question: all of it is new and available, and nothing of it can have
 * been rolled back. */
static bool is_done(json_t *o)
{
	json_t *asks = json_object_get(json_path(o, "metadata.annotations"),
				       "orch/rollback-on-failure");
	json_t *s = json_object_get(o, "status"), *spec = json_object_get(o, "spec");
	long long wanted = json_number(spec, "replicas");

	return !asks && json_object_get(spec, "replicas") && json_number(s, "observedGeneration") >=
		       json_number(json_object_get(o, "metadata"), "generation") &&
	       json_number(s, "updatedReplicas") == wanted &&
	       json_number(s, "replicas") == wanted &&
	       json_number(s, "availableReplicas") == wanted;
}

static void say(struct progress *p, const char *name, const char *message)
{
	const char *before = strmap_get(&p->said, name);

	if (before && streq(before, message))
		return;
	fprintf(p->to, "%s: %s\n", name, message);
	fflush(p->to);
	strmap_set(&p->arena, &p->said, arena_strdup(&p->arena, name),
		   arena_strdup(&p->arena, message));
}

static int follow_one(struct progress *p, const char *plural, json_t *o)
{
	json_t *meta = json_object_get(o, "metadata");
	const char *ns = json_text(meta, "namespace"), *name = json_text(meta, "name");
	BUF_AUTO path = { 0 };
	BUF_AUTO full = { 0 };
	BUF_AUTO message = { 0 };
	int status;

	buf_printf(&path, "/apis/orch/v1/namespaces/%s/%s/%s/rolloutstatus", ns, plural, name);
	buf_printf(&full, "%s/%s", ns, name);
	json_t *s = fetch(p->c, "GET", buf_str(&path), NULL, &status);
	if (!s)
		return status;
	bool done = json_is_true(json_object_get(s, "done"));
	bool failed = json_is_true(json_object_get(s, "failed"));
	const char *text = json_text(s, "message");
	buf_add(&message, text, strcspn(text, "\n"));
	p->failed += failed;
	p->waiting += !done && !failed;
	if (!done)
		say(p, buf_str(&full), buf_str(&message));
	json_decref(s);
	return EXIT_DONE;
}

/* Its pods are replaced when somebody deletes them. */
static bool waits_for_somebody(json_t *o)
{
	return streq(json_text(json_path(o, "spec.updateStrategy"), "type"), "OnDelete");
}

static int follow_kind(struct progress *p, const char *plural)
{
	int status;
	json_t *list = fetch(p->c, "GET", arena_printf(&p->arena, "/apis/apps/v1/%s", plural), NULL,
			     &status), *o;
	size_t i;

	json_array_foreach(json_object_get(list, "items"), i, o)
		if (!status && !is_done(o) && !waits_for_somebody(o))
			status = follow_one(p, plural, o);
	json_decref(list);
	return status;
}

static int follow(struct progress *p)
{
	static const char *const plurals[] = { "deployments", "statefulsets", "daemonsets" };
	int status = EXIT_DONE;

	p->failed = p->waiting = 0;
	for (size_t i = 0; i < ARRAY_SIZE(plurals) && !status; i++)
		status = follow_kind(p, plurals[i]);
	return status;
}

static bool is_settled(struct cli *c, int *ret_status)
{
	json_t *s = fetch(c, "GET", "/apis/orch/v1/status", NULL, ret_status);
	bool settled = s && json_is_true(json_object_get(s, "settled"));

	json_decref(s);
	return settled;
}

/* Until the daemon has nothing to do and every rollout has ended. */
static int wait_settled(struct progress *p)
{
	int64_t until = deadline(p->c, 600, true);

	for (;;) {
		int status = follow(p);
		bool settled = !status && is_settled(p->c, &status);

		if (status)
			return status;
		if (p->failed) {
			fprintf(stderr, "error: %u rollout%s failed\n", p->failed,
				p->failed > 1 ? "s" : "");
			return EXIT_ROLLOUT;
		}
		if (settled && !p->waiting)
			return EXIT_DONE;
		if (time_mono() >= until) {
			fprintf(stderr, "error: timed out waiting for the condition\n");
			return EXIT_ROLLOUT;
		}
		usleep(POLL_US);
	}
}

/* What apply ends with, by what it found. */
static int apply_status(const struct cli *c, const json_t *answer)
{
	if (json_number(answer, "errors")) {
		fprintf(stderr,
			"error: %lld error%s in the files; the last good version of what they are about "
			"stays\n",
			json_number(answer, "errors"),
			json_number(answer, "errors") == 1 ? "" : "s");
		return EXIT_INVALID;
	}
	if (json_number(answer, "guarded")) {
		fprintf(stderr,
			"error: %lld deletion%s kept by the prune guard; apply --allow-delete carries "
			"them out\n",
			json_number(answer, "guarded"),
			json_number(answer, "guarded") == 1 ? " is" : "s are");
		return EXIT_GUARD;
	}
	return c->opt.detailed_exitcode && !json_is_true(json_object_get(answer, "empty")) ?
		       EXIT_CHANGES :
		       EXIT_DONE;
}

/* Objects that this apply changed: not what a guard or a hold keeps, nor what is under way. */
static long long count_changed(json_t *plan)
{
	json_t *s = json_object_get(plan, "summary");

	return json_number(s, "create") + json_number(s, "update") + json_number(s, "delete");
}

/* What Ansible reads: counts first, the plan below. */
static void print_result(json_t *answer, const struct progress *p, int status)
{
	json_t *plan = json_object_get(answer, "plan"), *s = json_object_get(plan, "summary");
	long long touched = json_number(s, "create") + json_number(s, "update");
	long long objects = json_number(answer, "objects");
	json_t *out = json_pack(
		"{s:I, s:I, s:I, s:I, s:i, s:O}", "changed", (json_int_t)count_changed(plan),
		"unchanged", (json_int_t)MAX(objects - touched, 0LL), "failed",
		(json_int_t)(json_number(answer, "errors") + json_number(s, "refused") + p->failed),
		"revision", (json_int_t)json_number(answer, "revision"), "status", status, "plan",
		plan);

	print_json(out);
	json_decref(out);
}

static int carry_out(struct cli *c, const struct plan_request *q)
{
	bool json = output_is(c, "json");
	struct progress p = { .c = c, .to = json ? stderr : stdout };
	int status;
	json_t *answer = plan_fetch(c, "POST", "apply", q, &status);

	if (!answer)
		return status;
	if (!json)
		plan_show(c, answer);
	fflush(stdout);
	if (!c->opt.no_wait)
		status = wait_settled(&p);
	if (!status)
		status = apply_status(c, answer);
	if (json)
		print_result(answer, &p, status);
	else if (status == EXIT_DONE || status == EXIT_CHANGES)
		printf("Applied: revision %lld.\n", json_number(answer, "revision"));
	arena_release(&p.arena);
	json_decref(answer);
	return status;
}

int verb_apply(struct cli *c)
{
	struct plan_request q = plan_requested(c);
	int status = EXIT_DONE;

	if (c->opt.output && !output_is(c, "json") && !output_is(c, "table")) {
		fprintf(stderr, "error: apply prints text, or JSON with -o json\n");
		return EXIT_ERROR;
	}
	if (c->nargs > 1 || (c->nargs && (c->opt.nfiles || c->opt.stack || c->opt.allow_delete))) {
		fprintf(stderr, "error: a saved plan is applied as it was asked for, alone\n");
		return EXIT_ERROR;
	}
	if (c->nargs)
		status = plan_check_saved(c, c->args[0], &q);
	if (!status)
		status = land_files(c);
	return status ? status : carry_out(c, &q);
}
