/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: what an edit changes (changes, for people) and what this pass does about it
 * (actions, for the kernel). Both are pure functions of values, the same for `orchctl plan` and
 * for the daemon: orchd executes exactly plan.actions. A plan is empty when there is neither a
 * change nor an action, but what holds suppress.
 */
#pragma once

#include "base/json.h"
#include "model/observed.h"
#include "model/set.h"
#include "model/wanted.h"
#include "schema/schema.h"

enum action_kind {
#define ACTION(name, words, inverse, doc) ACTION_##name,
#include "plan/actions.def"
#undef ACTION
	ACTION_COUNT
};

struct action {
	enum action_kind kind;
	const char *namespace, *name;	/* of the pod or ReplicaSet; "" for SERVICES */
	const char *container;		/* CONTAINER_x */
	const struct wanted_pod *pod;	/* POD_x, VOLUMES_x, CONTAINER_x; NULL: not wanted at all */
	const struct wanted_container *run;	/* CONTAINER_x */
	const struct object *object;	/* OBJECT_x */
	bool fresh;			/* the pod is yet to be made, perhaps with another name */
	const char *why;
};
struct action_list { struct action *v; uint32_t n; };

const char *action_words(enum action_kind k);

enum change_op {
	CHANGE_CREATE, CHANGE_UPDATE, CHANGE_DELETE,
	CHANGE_HELD,		/* a hold suppresses what the manifest says */
	CHANGE_DRIFT,		/* no edit: something that runs differs from what should */
	CHANGE_PROGRESS,	/* no edit: a rollout is under way */
};

struct change {
	enum change_op op;
	struct object_key key;
	const char *stack, *file;
	uint32_t line, col;
	const char *effect;	/* "create", "update in place", "rolling replace of 3 pods" */
	const char *why;	/* "spec.replicas changed"; may be NULL */
	unsigned restarts;	/* containers that restart or are replaced */
	struct diff diff;	/* update and held: field by field, secrets masked */
	bool guarded;		/* waits for apply --allow-delete */
	bool refused;		/* immutable field: why says which */
};
struct change_list { struct change *v; uint32_t n; };

struct plan {
	struct change_list changes;	/* in the order of kinds, deletions last */
	struct action_list actions;	/* in the order of actions.def */
	const struct msgs *msgs;	/* errors and warnings of the files; NULL: none */
	unsigned creates, updates, deletes, held, restarts, guarded, refused;
	const char *guard;		/* why deletions wait, for people; NULL: they do not */
};

struct plan_in {
	const struct set *applied;	/* NULL: nothing was applied yet */
	const struct set *candidate;
	const struct observed *observed;
	const struct wanted *wanted;	/* control_run of the candidate */
	int allow_delete;		/* guarded deletions: 0 none, -1 any, N at most N */
	const char *stack;		/* only this stack's changes; NULL: all */
};

/* The merge-walk of wanted and observed: what one pass does. */
void plan_actions(struct arena *a, const struct observed *o, const struct wanted *w,
		  struct action_list *ret);
/* Everything; applied == candidate gives drift and progress only. */
void plan_make(struct arena *a, const struct plan_in *in, struct plan *ret);
bool plan_empty(const struct plan *p);

/* What the guard keeps becomes a manifest of this name in its stack, which no file can have. */
#define KEPT_FILE ".kept.json"

/*
 * Prune guard: with deletions not allowed, the objects whose deletion waits are put back: their
 * last applied definitions are appended to keep. Guarded is: all objects of a stack, more than half
 * of more than four, any Namespace, anything annotated orch/prune: disabled, anything that
 * waits already.
 */
void plan_guard(struct arena *a, const struct set *applied, const struct set *candidate,
		int allow_delete, struct object_list *keep, const char **ret_why);

void plan_text(const struct plan *p, struct buf *out);
void plan_json(const struct plan *p, struct json *j);
