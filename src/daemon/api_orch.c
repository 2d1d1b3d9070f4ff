/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /apis/orch/v1: what Kubernetes has no word for: plan, apply, revisions, holds, status. */
#include <string.h>

#include "base/macro.h"
#include "control/control.h"
#include "daemon/request.h"

static void plan_options(const struct request *q, struct plan_options *o)
{
	o->stack = request_query(q, "stack");
	o->allow_delete = (int)request_int(q, "allowDelete", 0);
}

static void put_plan(struct json *j, const struct plan *p)
{
	BUF_AUTO text = { 0 };

	plan_text(p, &text);
	json_kbool(j, "empty", plan_empty(p));
	json_kint(j, "errors", p->msgs ? p->msgs->errors : 0);
	json_kint(j, "guarded", p->guarded);
	json_kstr(j, "text", buf_str(&text));
	json_key(j, "plan");
	plan_json(p, j);
}

/* What a saved plan was made from: an edit shows even where values are masked. */
static void put_digests(struct json *j, const struct set *s)
{
	json_key(j, "files");
	json_begin_object(j);
	for (uint32_t i = 0; s && i < s->nmanifests; i++)
		json_kstr(j, s->manifests[i]->path, s->manifests[i]->digest);
	json_end_object(j);
}

void api_plan(struct request *q, struct reply *r)
{
	struct plan_options o;
	struct plan p = { 0 };
	struct json j;

	plan_options(q, &o);
	daemon_plan(q->d, &q->arena, &o, &p);
	if (streq(request_query(q, "output") ?: "", "text")) {
		r->type = "text/plain; charset=utf-8";
		plan_text(&p, &r->body);
		return;
	}
	json_init(&j, &r->body, false);
	json_begin_object(&j);
	json_kint(&j, "revision", q->d->revision);
	put_digests(&j, q->d->planned.said);
	put_plan(&j, &p);
	json_end_object(&j);
}

void api_apply(struct request *q, struct reply *r)
{
	struct plan_options o;
	struct plan p = { 0 };
	struct err err = { 0 };
	uint32_t revision;
	struct json j;

	plan_options(q, &o);
	if (daemon_apply(q->d, &q->arena, &o, &p, &revision, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	json_init(&j, &r->body, false);
	json_begin_object(&j);
	json_kint(&j, "revision", revision);
	json_kint(&j, "objects", q->d->applied ? q->d->applied->objects.n : 0);
	put_plan(&j, &p);
	json_end_object(&j);
}

static void put_revision(struct json *j, const struct revision *v)
{
	char when[32];

	time_format(v->time, when);
	json_begin_object(j);
	json_kint(j, "revision", v->number);
	json_kstr(j, "time", when);
	json_kstr(j, "cause", v->cause);
	json_key(j, "files");
	json_begin_array(j);
	for (uint32_t i = 0; i < v->nfiles; i++) {
		const struct revision_file *f = &v->files[i];

		json_begin_object(j);
		json_kstr(j, "path", f->path);
		json_kstr(j, "stack", f->stack);
		json_kstr(j, "sha256", f->digest);
		json_kint(j, "size", (int64_t)f->size);
		if (f->text) {
			json_key(j, "text");
			json_strn(j, f->text, f->size);
		}
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

void api_revisions(struct request *q, struct reply *r)
{
	struct revision *v;
	struct err err = { 0 };
	uint32_t n;
	struct json j;

	if (store_revision_list(q->d->store, &q->arena, &v, &n, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	json_init(&j, &r->body, false);
	json_begin_object(&j);
	json_key(&j, "items");
	json_begin_array(&j);
	for (uint32_t i = 0; i < n; i++)
		put_revision(&j, &v[i]);
	json_end_array(&j);
	json_end_object(&j);
}

void api_revision(struct request *q, struct reply *r)
{
	char *end;
	uint32_t n = (uint32_t)strtoul(q->args[0], &end, 10);
	struct revision v = { 0 };
	struct err err = { 0 };
	struct json j;

	if (*end) {
		reply_status(r, 400, "BadRequest", "%s is not the number of a revision", q->args[0]);
		return;
	}
	if (store_revision_load(q->d->store, n, &q->arena, &v, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	json_init(&j, &r->body, false);
	put_revision(&j, &v);
}

void api_status(struct request *q, struct reply *r)
{
	struct json j;

	json_init(&j, &r->body, false);
	daemon_status(q->d, &j);
}

/* Of "deployments", "statefulsets" or "daemonsets"; NULL after a reply was made. */
static const struct kind *rolling_kind(const char *plural, struct reply *r)
{
	const struct kind *k = kind_by_word(plural);

	if (k && streq(k->plural, plural) && kind_rolls(k))
		return k;
	reply_status(r, 404, "NotFound", "%s have no rollouts", plural);
	return NULL;
}

/* args: namespace, plural, name, verb */
void api_rollout(struct request *q, struct reply *r)
{
	const struct kind *k = rolling_kind(q->args[1], r);
	struct object_key key = { k, q->args[0], q->args[2] };
	uint32_t to = (uint32_t)request_int(q, "toRevision", 0);
	struct err err = { 0 };
	BUF_AUTO text = { 0 };
	struct json j;

	if (!k)
		return;
	if (daemon_rollout(q->d, q->args[3], &key, to, &text, &err) < 0) {
		reply_error(r, &err);
		return;
	}
	if (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	json_init(&j, &r->body, false);
	json_begin_object(&j);
	json_kstr(&j, "message", buf_str(&text));
	json_kint(&j, "revision", q->d->revision);
	json_end_object(&j);
}

void api_rollout_status(struct request *q, struct reply *r)
{
	const struct kind *k = rolling_kind(q->args[1], r);
	const struct view_entry *e = k ? view_get(q->d->view, k->id, q->args[0], q->args[2]) : NULL;
	bool done, failed;
	BUF_AUTO text = { 0 };
	struct json j;

	if (!k)
		return;
	if (!e) {
		reply_not_found(r, k, q->args[2]);
		return;
	}
	control_rollout_status(&e->object, &text, &done, &failed);
	json_init(&j, &r->body, false);
	json_begin_object(&j);
	json_kstr(&j, "message", buf_str(&text));
	json_kbool(&j, "done", done);
	json_kbool(&j, "failed", failed);
	json_end_object(&j);
}
