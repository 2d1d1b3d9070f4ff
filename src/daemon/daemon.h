/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orchd as a whole: the rooms wired together (daemon.c), the one pass that everything leads to
 * (reconcile.c), and what the API may ask for (below). One thread, one loop; all of these
 * functions return at once.
 */
#pragma once

#include "base/loop.h"
#include "daemon/images.h"
#include "daemon/pressure.h"
#include "daemon/settings.h"
#include "daemon/view.h"
#include "daemon/watch.h"
#include "daemon/zones.h"
#include "model/set.h"
#include "net/net.h"
#include "plan/plan.h"
#include "runtime/runtime.h"
#include "store/store.h"

struct http;
struct memo;
struct retry;
struct session;

/* From files to objects in force; generation.c builds and applies them. */
struct generation {
	struct set *said;	/* what the files say */
	struct set *set;	/* what may be made true now: said, plus what the prune guard keeps */
	char *guard;		/* why they differ, for people; NULL: they do not */
};

struct daemon {
	struct arena arena;		/* lives as long as the daemon */
	struct loop *loop;
	const struct settings *settings;
	const char *node_name;
	struct cidr4 pod_cidr, service_cidr;
	struct store *store;
	struct net *net;
	struct cgroup_fs *cgroup;
	struct images *images;
	struct runtime *runtime;
	struct watch *watch;
	struct view *view;
	struct http *http;
	struct session *sessions;	/* of exec */

	struct set *applied;		/* what is being made true */
	struct set *candidate;		/* what the files say */
	struct generation planned;	/* of the last plan, which points into it, */
	struct set *planned_over;	/* and into what was in force then */
	char *guard;			/* deletions that wait, for people; NULL: none */
	uint32_t revision;		/* of applied */
	struct zones zones;
	struct metrics *metrics;	/* for autoscalers; NULL: nothing is measured */
	struct qtymap capacity, allocatable;	/* of the node */
	struct node_system_info *node_info;
	struct pressure pressure;
	int64_t started;

	struct loop_defer pass;		/* the next reconcile */
	struct loop_timer wake;
	struct loop_io ruleset;		/* somebody changed the nft rule set */
	struct loop_signal sigterm[2], sighup;
	struct memo *memo;		/* what passes keep for the next one */
	struct retry *retries;		/* objects whose last action failed */
	bool settled;			/* last pass had nothing to do and nothing is on its way */
	bool worked;			/* something was done since it was settled last */
	struct arena programmed_arena;	/* what the service maps hold */
	const struct service_entry *programmed;
	uint32_t nprogrammed;
	bool services_known;		/* the maps were written once since the start */
	bool stopping;			/* SIGTERM with --stop-pods: everything goes */
	bool stop_pods;
};

int daemon_new(const struct invocation *in, struct daemon **ret, struct err *err);
int daemon_run(struct daemon *d);		/* until SIGTERM or SIGINT */
void daemon_free(struct daemon *d);		/* pods stay */

/* Marks dirty, hence not settled: one pass runs after the present turn of the loop. */
void daemon_dirty(struct daemon *d);

/* Remembers what net_services() was given. */
void daemon_services_programmed(struct daemon *d, const struct service_entry *v, uint32_t n);

/* apply.c: the files were read again: builds the candidate; in sync mode auto applies it. */
void daemon_files_changed(struct daemon *d);

struct plan_options {
	int allow_delete;		/* 0: guarded, -1: all, N: at most N */
	const char *stack;		/* NULL: all */
};
/* What apply would do now: reads the directory first. Never changes anything. */
void daemon_plan(struct daemon *d, struct arena *a, const struct plan_options *o, struct plan *ret);
/* Reads the directory, applies, returns what it set going; *ret_revision the revision in force. */
int daemon_apply(struct daemon *d, struct arena *a, const struct plan_options *o,
		 struct plan *ret, uint32_t *ret_revision, struct err *err);

/* rollout undo|pause|resume|restart|unhold of a declared Deployment, StatefulSet or DaemonSet. to:
 * revision for undo, 0: the one before. ret_text: what kubectl would print. -ENOENT, -EINVAL with
 * kubectl's words. */
int daemon_rollout(struct daemon *d, const char *verb, const struct object_key *key, uint32_t to,
		   struct buf *ret_text, struct err *err);
/* Undo of what failed, as its manifest asks for; errors are logged. */
void daemon_roll_back(struct daemon *d, const struct object_key *key, uint32_t to);

/* JSON of the daemon's state: sync mode, revision, files in error, holds, counts, guard, settled. */
void daemon_status(struct daemon *d, struct json *j);
