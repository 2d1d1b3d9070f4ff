/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rollout undo, pause, resume, restart and unhold: none edits a file. Each puts a hold on the
 * declared object (model/set.h) and applies the same files again, so that what is in force, the
 * revision and every plan agree on it. orchd itself undoes what failed, where a manifest asks for it.
 *
 * Undo brings back the template of an old ReplicaSet or ControllerRevision, and the ConfigMaps and
 * Secrets that its pods used: those of the newest recorded revision in which that template and its
 * configuration gave its hash.
 */
#include <stdio.h>

#include "base/log.h"
#include "base/macro.h"
#include "control/control.h"
#include "daemon/daemon.h"
#include "daemon/generation.h"

#define NOTHING_TO_DO 1

struct rollout {
	struct daemon *d;
	struct arena a;
	const char *ns, *name;
	const struct object *object;		/* in force */
	uint32_t to;
	struct hold hold;			/* what is there already, to be changed */
	bool failed;				/* nobody asked: what is in force failed */
	unsigned configs;			/* held along with it */
	struct buf *text;
	struct err *err;
};

static const struct object *declared(const struct daemon *d, const struct object *o)
{
	struct object_key key = object_key(o);

	for (uint32_t i = 0; i < d->applied->declared.n; i++) {
		struct object_key k = object_key(&d->applied->declared.v[i]);

		if (!object_key_cmp(&k, &key))
			return &d->applied->declared.v[i];
	}
	return o;
}

static struct hold existing_hold(struct daemon *d, const struct object *o)
{
	const struct hold_list *holds = store_holds(d->store);
	struct object_key key = object_key(o);

	for (uint32_t i = 0; i < holds->n; i++)
		if (!object_key_cmp(&holds->v[i].key, &key))
			return holds->v[i];
	return (struct hold){ .key = key };
}

static bool paused(const struct object *o)
{
	return o->kind->id == KIND_DEPLOYMENT && o->deployment->spec.paused;
}

/* "deployment.apps/web" */
static const char *title(struct rollout *q)
{
	return arena_printf(&q->a, "%s.apps/%s", q->object->kind->singular, q->name);
}

static const char *hash_of(const struct object *past)
{
	return strmap_get(&past->meta->labels, past->kind->id == KIND_CONTROLLERREVISION ?
			  REVISION_HASH_LABEL : TEMPLATE_HASH_LABEL);
}

/* The record to go back to: of revision to, or the newest but one. */
static int find_target(struct rollout *q, const struct object **ret, const struct object **ret_current)
{
	const struct object_list *all = store_derived(q->d->store);
	struct control_history h = { .to = q->to };

	for (uint32_t i = 0; i < all->n; i++)
		control_history_add(&h, q->object, &all->v[i]);
	*ret_current = h.newest;
	*ret = q->to ? h.asked : h.before;
	if (*ret)
		return 0;
	if (q->to)
		return err_set(q->err, -ENOENT, "unable to find specified revision %u in history",
			       q->to);
	return err_set(q->err, -ENOENT, "no rollout history found for %s \"%s\"",
		       q->object->kind->singular, q->name);
}

/* The set of the newest revision whose configuration made this record; NULL when none is left. */
static struct set *revision_of_config(struct rollout *q, const struct object *past)
{
	const char *wanted = hash_of(past);
	struct pod_template *t = control_history_template(&q->a, past);

	if (!t)
		return NULL;
	for (uint32_t n = store_revision_last(q->d->store); wanted && n > 0; n--) {
		struct arena a = { 0 };
		struct revision r = { 0 };
		struct set *set = NULL;
		char hash[16];

		if (store_revision_load(q->d->store, n, &a, &r, NULL) == 0) {
			set = generation_of_revision(&r);
			control_template_hash(set, q->ns, t, hash);
			if (!streq(hash, wanted)) {
				set_unref(set);
				set = NULL;
			}
		}
		arena_release(&a);
		if (set)
			return set;
	}
	return NULL;
}

static const char *content_of(struct arena *a, const struct object *o)
{
	BUF_AUTO text = { 0 };
	struct json j;

	json_init(&j, &text, false);
	object_json(&j, o, DUMP_WRITTEN);
	return arena_strdup(a, buf_str(&text));
}

/* Holds the object that `then` shows at what it was, unless its manifest says that anyway. */
static int hold_config(struct rollout *q, const struct object *then)
{
	const struct object *now = set_find(q->d->applied, then->kind->id, q->ns, then->meta->name);

	if (!now) {
		buf_printf(q->text, "warning: %s \"%s\" is not declared any more and can't be brought back\n",
			   then->kind->name, then->meta->name);
		return 0;
	}
	struct hold h = existing_hold(q->d, now);
	if (declared(q->d, now)->digest == then->digest)
		return h.content ? store_hold_del(q->d->store, &h.key, q->err) : 0;
	q->configs++;
	h.content = content_of(&q->a, then);
	h.digest = declared(q->d, now)->digest;
	h.revision = q->to;
	h.time = time_now();
	return store_hold_put(q->d->store, &h, q->err);
}

/* The ConfigMaps and Secrets that a template uses, as "ConfigMap/x". */
static struct strs config_names(struct rollout *q, const struct pod_template *t)
{
	struct strs names = { 0 };

	set_config_hash(q->d->applied, q->ns, &t->spec, false, &q->a, &names);
	set_config_hash(q->d->applied, q->ns, &t->spec, true, &q->a, &names);
	return names;
}

static enum kind_id config_kind(const char *name)
{
	return strncmp(name, "Secret/", 7) ? KIND_CONFIGMAP : KIND_SECRET;
}

/* Every ConfigMap and Secret that the pods of the past used, as it was in that revision. */
static int hold_configs(struct rollout *q, const struct object *past, const struct pod_template *t)
{
	struct strs names = config_names(q, t);
	struct set *then = names.n ? revision_of_config(q, past) : NULL;
	int r = 0;

	for (uint32_t i = 0; then && i < names.n && r == 0; i++) {
		const struct object *o = set_find(then, config_kind(names.v[i]), q->ns,
						  strchr(names.v[i], '/') + 1);

		if (o)
			r = hold_config(q, o);
	}
	set_unref(then);
	return r;
}

/* Nothing is held when the manifest says the same. */
static void hold_template(struct rollout *q, struct pod_template *t, const char *cause)
{
	const struct object *said = declared(q->d, q->object);
	struct object held = object_copy(&q->a, said);

	q->hold.content = NULL;
	q->hold.revision = 0;
	q->hold.failed = false;
	q->hold.restarted_at = NULL;	/* the template has it, if it was restarted then */
	if (!q->configs && schema_equal(&pod_template_type, t, object_template(said)))
		return;
	*object_template(&held) = *t;
	strmap_del(&held.meta->annotations, CHANGE_CAUSE_ANNOTATION);
	if (cause)
		strmap_set(&q->a, &held.meta->annotations, CHANGE_CAUSE_ANNOTATION, cause);
	MARK(held.meta, meta, annotations);
	q->hold.content = content_of(&q->a, &held);
	q->hold.digest = said->digest;
	q->hold.revision = q->to;
	q->hold.failed = q->failed;
}

static int verb_undo(struct rollout *q)
{
	const struct object *past, *current;
	struct pod_template *t;
	int r = find_target(q, &past, &current);

	if (r < 0)
		return r;
	if (paused(q->object))
		return err_set(q->err, -EINVAL, "you cannot rollback a paused deployment; resume it "
			       "first with 'orchctl rollout resume deployment/%s' and try again", q->name);
	q->to = control_history_revision(past);
	if (past == current) {
		buf_printf(q->text, "%s skipped rollback (current template already matches revision %u)\n",
			   title(q), q->to);
		return NOTHING_TO_DO;
	}
	t = control_history_template(&q->a, past);
	if (!t)
		return err_set(q->err, -EBADMSG, "revision %u can't be understood", q->to);
	r = hold_configs(q, past, t);
	hold_template(q, t, strmap_get(&past->meta->annotations, CHANGE_CAUSE_ANNOTATION));
	buf_printf(q->text, "%s rolled back\n", title(q));
	return r;
}

/* pause and resume are of Deployments only, as kubectl says it. */
static int only_deployments(struct rollout *q, const char *what)
{
	if (q->object->kind->id == KIND_DEPLOYMENT)
		return 0;
	return err_set(q->err, -EINVAL, "%s.apps \"%s\" %s is not supported", q->object->kind->plural,
		       q->name, what);
}

static int verb_pause(struct rollout *q)
{
	int r = only_deployments(q, "pausing");

	if (r < 0)
		return r;
	if (paused(q->object))
		return err_set(q->err, -EINVAL, "deployments.apps \"%s\" is already paused", q->name);
	q->hold.paused = !paused(declared(q->d, q->object));
	q->hold.resumed = false;
	buf_printf(q->text, "deployment.apps/%s paused\n", q->name);
	return 0;
}

static int verb_resume(struct rollout *q)
{
	int r = only_deployments(q, "resuming");

	if (r < 0)
		return r;
	if (!paused(q->object))
		return err_set(q->err, -EINVAL, "deployments.apps \"%s\" is not paused", q->name);
	q->hold.paused = false;
	q->hold.resumed = paused(declared(q->d, q->object));
	buf_printf(q->text, "deployment.apps/%s resumed\n", q->name);
	return 0;
}

static int verb_restart(struct rollout *q)
{
	char now[32];

	if (paused(q->object))
		return err_set(q->err, -EINVAL, "can't restart paused deployment (run rollout resume first)");
	time_format(time_now(), now);
	q->hold.restarted_at = arena_strdup(&q->a, now);
	buf_printf(q->text, "%s restarted\n", title(q));
	return 0;
}

/* Ends the holds of undo: of the Deployment and of the configuration that came back with it. */
static int verb_unhold(struct rollout *q)
{
	struct strs names = config_names(q, object_template(q->object));

	if (!q->hold.content)
		return err_set(q->err, -EINVAL, "%s \"%s\" is not held",
			       q->object->kind->singular, q->name);
	for (uint32_t i = 0; i < names.n; i++) {
		struct object_key key = { &kinds[config_kind(names.v[i])], q->ns,
					  strchr(names.v[i], '/') + 1 };
		int r = store_hold_del(q->d->store, &key, q->err);

		if (r < 0)
			return r;
	}
	q->hold.content = NULL;
	q->hold.revision = 0;
	q->hold.failed = false;
	buf_printf(q->text, "%s follows its manifest again\n", title(q));
	return 0;
}

enum { VERB_UNDO };

static const struct {
	const char *name;
	int (*run)(struct rollout *q);
} verbs[] = {
	[VERB_UNDO] = { "undo", verb_undo }, { "pause", verb_pause }, { "resume", verb_resume },
	{ "restart", verb_restart }, { "unhold", verb_unhold },
};

static int put_hold(struct rollout *q)
{
	const struct hold *h = &q->hold;

	if (!h->content && !h->paused && !h->resumed && !h->restarted_at)
		return store_hold_del(q->d->store, &h->key, q->err);
	return store_hold_put(q->d->store, h, q->err);
}

static int run(struct rollout *q, size_t verb)
{
	BUF_AUTO cause = { 0 };
	struct generation g;

	int r = verbs[verb].run(q);
	if (r)
		return r < 0 ? r : 0;
	q->hold.time = time_now();
	r = put_hold(q);
	if (r < 0)
		return r;
	buf_printf(&cause, "rollout %s %s/%s", verbs[verb].name, q->object->kind->singular, q->name);
	if (q->to)
		buf_printf(&cause, " to revision %u%s", q->to, q->failed ? ", since it failed" : "");
	generation_of_applied(q->d, &g);
	r = generation_apply(q->d, &g, buf_str(&cause), q->err);
	generation_release(&g);
	return r;
}

static int rollout(struct daemon *d, size_t verb, const struct object_key *key, uint32_t to,
		   bool failed, struct buf *text, struct err *err)
{
	struct rollout q = {
		.d = d, .ns = key->namespace, .name = key->name, .to = to, .failed = failed,
		.text = text, .err = err,
	};

	if (d->stopping)
		return err_set(err, -EBUSY, "orchd is stopping");
	q.object = d->applied ? set_find(d->applied, key->kind->id, key->namespace, key->name) : NULL;
	if (!q.object)
		return err_set(err, -ENOENT, "%s.apps \"%s\" not found", key->kind->plural, key->name);
	q.hold = existing_hold(d, q.object);
	int r = run(&q, verb);
	arena_release(&q.a);
	return r;
}

int daemon_rollout(struct daemon *d, const char *verb, const struct object_key *key, uint32_t to,
		   struct buf *ret_text, struct err *err)
{
	size_t v = 0;

	while (v < ARRAY_SIZE(verbs) && !streq(verbs[v].name, verb))
		v++;
	if (v == ARRAY_SIZE(verbs))
		return err_set(err, -EINVAL, "unknown rollout verb \"%s\"", verb);
	return rollout(d, v, key, to, false, ret_text, err);
}

void daemon_roll_back(struct daemon *d, const struct object_key *key, uint32_t to)
{
	BUF_AUTO text = { 0 };
	struct err err = { 0 };

	if (rollout(d, VERB_UNDO, key, to, true, &text, &err) < 0)
		log_error("rollback of %s/%s/%s: %s", key->kind->singular, key->namespace, key->name,
			  err.msg);
	else
		log_warning("%s/%s/%s failed: back to its revision %u", key->kind->singular,
			    key->namespace, key->name, to);
}
