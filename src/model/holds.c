/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds over declared objects. Content that undo brought back stands as long as the manifest says
 * what it said then (by digest); pause, resume and restart stand until they are taken back. An
 * object under a hold is a copy: the manifest's own is shared with other generations.
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "model/build.h"
#include "schema/schema.h"

#define CHANGE_CAUSE "kubernetes.io/change-cause"
#define RESTARTED_AT "kubectl.kubernetes.io/restartedAt"

struct hold hold_copy(struct arena *a, const struct hold *h)
{
	struct hold copy = *h;

	copy.key.namespace = arena_strdup(a, h->key.namespace);
	copy.key.name = arena_strdup(a, h->key.name);
	copy.content = arena_strdup(a, h->content);
	copy.restarted_at = arena_strdup(a, h->restarted_at);
	return copy;
}

/* The store frees a hold's strings when it forgets it, so that sets have their own. */
static void end_hold(struct set *s, const struct hold *h)
{
	*arena_push(&s->arena, &s->ended) = hold_copy(&s->arena, h);
}

/* The template, and why it was made: history tells the cause of what runs. */
static int hold_template(struct arena *a, struct object *o, struct object *was)
{
	const char *cause = strmap_get(&was->meta->annotations, CHANGE_CAUSE);

	if (!object_template(was))
		return -EINVAL;
	object_complete(a, was);
	*object_template(o) = *object_template(was);
	if (cause) {
		strmap_set(a, &o->meta->annotations, CHANGE_CAUSE, cause);
		MARK(o->meta, meta, annotations);
	} else {
		strmap_del(&o->meta->annotations, CHANGE_CAUSE);
	}
	return 0;
}

static void hold_configmap(struct configmap *o, const struct configmap *was)
{
	const uint64_t rows =
		UINT64_C(1) << configmap_data_row | UINT64_C(1) << configmap_binary_data_row;

	o->data = was->data;
	o->binary_data = was->binary_data;
	o->node.set = (o->node.set & ~rows) | (was->node.set & rows);
}

static void hold_secret(struct secret *o, const struct secret *was)
{
	const uint64_t row = UINT64_C(1) << secret_data_row;

	o->data = was->data;
	o->node.set = (o->node.set & ~row) | (was->node.set & row);
}

/* -EINVAL when the content is not of this object. */
static int hold_content(struct arena *a, struct object *o, const char *content)
{
	struct object was;

	if (object_parse(a, content, strlen(content), &was, NULL) < 0 || was.kind != o->kind)
		return -EINVAL;
	if (kind_rolls(o->kind))
		return hold_template(a, o, &was);
	switch (o->kind->id) {
	case KIND_CONFIGMAP:
		hold_configmap(o->configmap, was.configmap);
		return 0;
	case KIND_SECRET:
		object_complete(a, &was);
		hold_secret(o->secret, was.secret);
		return 0;
	default:
		return -EINVAL;
	}
}

static void hold_switches(struct arena *a, struct object *o, const struct hold *h)
{
	struct pod_template *t = object_template(o);

	if (o->kind->id == KIND_DEPLOYMENT && h->paused != h->resumed) {
		o->deployment->spec.paused = h->paused;
		MARK(&o->deployment->spec, deployment_spec, paused);
	}
	if (h->restarted_at) {
		strmap_set(a, &t->metadata.annotations, RESTARTED_AT, h->restarted_at);
		MARK(&t->metadata, meta, annotations);
		MARK(t, pod_template, metadata);
	}
}

static void apply(struct set *s, struct object *o, const struct hold *h)
{
	struct arena *a = &s->arena;
	bool switches =
		kind_rolls(o->kind) && (h->paused || h->resumed || h->restarted_at);
	bool content = h->content && h->digest == o->digest;
	struct object copy;

	if (content || switches)
		copy = object_copy(a, o);
	if (content && hold_content(a, &copy, h->content) < 0)
		content = false;
	if (h->content && !content)
		end_hold(s, h);
	if (!content && !switches)
		return;
	if (switches)
		hold_switches(a, &copy, h);
	copy.held = content;
	copy.hold_revision = content ? h->revision : 0;
	copy.rolled_back = content && h->failed;
	copy.digest = object_digest(&copy);
	*arena_push(a, &s->declared) = *o;
	*o = copy;
}

static bool defines(const struct object_list *l, const struct object_key *key)
{
	for (uint32_t i = 0; i < l->n; i++) {
		struct object_key k = object_key(&l->v[i]);

		if (object_key_cmp(&k, key) == 0)
			return true;
	}
	return false;
}

void set_apply_holds(struct set *s, const struct hold_list *holds,
		     const struct object_list *defined, bool complete)
{
	for (uint32_t i = 0; i < holds->n; i++) {
		const struct hold *h = &holds->v[i];
		struct object *o = set_find(s, h->key.kind->id, h->key.namespace, h->key.name);

		if (o) {
			apply(s, o, h);
		} else if (complete && !defines(defined, &h->key)) {
			struct hold gone = { .key = h->key, .digest = h->digest, .time = h->time };
			end_hold(s, &gone);
		}
	}
}
