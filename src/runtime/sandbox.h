/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the room. A sandbox is what there is of one pod on this machine: the object it was
 * made from, its address, its directories, the link to its shim, and what the shim said last of
 * each container. It is recorded in its run directory (record.c) before its shim is started, and
 * the record goes away before anything else of it does, so that a crash at any point leaves
 * either a pod that can be adopted or a leftover that is swept away.
 *
 * Objects and sandboxes that are taken out of use stay readable until the next turn of the loop:
 * the pass that gave the order still looks at them.
 */
#pragma once

#include "runtime/env.h"
#include "runtime/link.h"
#include "runtime/nursery.h"
#include "runtime/runtime.h"
#include "runtime/sweep.h"
#include "runtime/usage.h"
#include "runtime/userns.h"

struct runtime_filter {			/* a seccomp filter, by the capabilities it is for */
	struct runtime_filter *next;
	uint64_t caps;
	struct buf code;
};

struct runtime {
	struct loop *loop;
	struct arena arena;		/* of the settings' strings */
	struct runtime_settings s;
	struct net *net;
	struct cgroup_fs *cg;
	struct runtime_events ev;
	struct sandbox **sandboxes;		/* sorted by namespace, name */
	uint32_t nsandboxes, room;
	uint64_t stamps;			/* of their objects, so far */
	unsigned adopted, unsettled;
	struct loop_timer patience;	/* for shims that do not answer after adoption */
	struct sweep sweep;
	struct usage usage;
	bool counting;			/* memory and processes are observed, too */
	struct runtime_filter *filters;
	struct userns userns;
	int shim_fd;			/* the program that shims are, sealed; -1: not yet */
	struct nursery nursery;
	struct strs hidden;		/* resolved paths that no container sees of a host's root */
	const char *root, *scratch;	/* where mount namespaces of pods mount theirs */
	const char *skeleton;		/* a layer below every image: what is mounted on */
	struct node_size node;
	struct exec *execs;
	uint64_t last_exec;
};

struct container_run {
	const struct container *spec;
	enum container_role role;
	struct shim_container st;
	bool starting;			/* START was sent, its STATE has not come */
	bool killing;			/* STOP was sent, its end has not come */
	uint32_t attempt;		/* that START was sent for last */
	struct start_refusal refused;	/* without its message */
	char message[256];		/* why it could not be started */
	char *last_words;		/* its termination message, NULL: none */
	const char *target;		/* of an ephemeral one: whose processes it sees; NULL: its own */
	char *image_id;			/* of what it was started from; NULL: not known */
	bool due;			/* its group has not the limits of its specification, but */
	struct container_resources in_force;
	bool outdated;			/* due, and this run will never have them */
	uint32_t outdated_attempt;
};

struct resizing {			/* the last change of a pod's resources, resize.c */
	int64_t generation, started_at, tried_at, failed_at, done_at;
	bool pod_due;			/* the pod's group may have more than it should */
	bool failed;			/* when it was tried last */
	char error[256];		/* since failed_at; "": none */
};

struct ephemeral {			/* ephemeral.h */
	struct ephemeral *next;
	struct container spec;
	struct container_run run;
};

struct sandbox {
	struct runtime *rt;
	struct arena arena;		/* of the paths */
	struct arena object_arena;
	struct object object;
	const char *uid;
	const char *run_dir, *state_dir, *log_dir, *cgroup, *host_name;
	uint32_t ip;
	uint32_t ids;			/* first of the pod's own; 0: its users are the host's */
	const char *handler;		/* that makes its containers; NULL: the shim does */
	int64_t created_at, stopped_at, ready_since;
	uint64_t config_digest;
	struct pod_usage usage;
	bool measured;			/* usage is what was there some seconds ago */
	char *evicted;			/* why; NULL: it was not */
	bool cleared;			/* what it had on disk is on its way out */
	uint64_t owned;			/* volumes, by index, that fsGroup was given to */
	enum pod_stage stage;
	bool adopting;			/* its shim has not told everything yet */
	bool quitting;			/* QUIT was sent */
	char message[320];		/* why it is broken */
	struct container_run *runs;	/* in the order of the specification */
	uint32_t nruns;
	struct ephemeral *ephemerals;	/* besides, in the order in which they came */
	struct ephemeral_container_list ephemeral_specs;
	struct resizing *resize;	/* NULL: there was none */
	struct link link;
	struct loop_timer overdue;	/* a stop that takes longer than it may */
};

/* table.c */
struct sandbox *sandbox_find(struct runtime *r, const char *ns, const char *name);
struct sandbox *sandbox_new(struct runtime *r, const struct object *o);
void sandbox_free(struct sandbox *p);
void sandbox_insert(struct sandbox *p);
void sandbox_take_out(struct sandbox *p);
void sandbox_set_object(struct sandbox *p, const struct object *o);
struct container_run *sandbox_run(struct sandbox *p, const char *name);
void sandbox_break(struct sandbox *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sandbox_changed(struct sandbox *p);	/* recomputes readiness, calls changed() */
void sandbox_answered(struct sandbox *p);	/* adopting has ended */
void sandbox_forget_orders(struct sandbox *p);
bool sandbox_runs_anything(const struct sandbox *p);

/* events.c: what happens to a sandbox, most of it told by link.c */
void sandbox_on_state(struct sandbox *p, const struct shim_container *st);
void sandbox_on_result(struct sandbox *p, const struct command *c, const struct shim_result *res,
		   const int *fds, unsigned nfds);
void sandbox_on_gone(struct sandbox *p);
void sandbox_quit_if_idle(struct sandbox *p);
void sandbox_containers_lost(struct sandbox *p);	/* the shim is gone, and with it what ran */

/* record.c */
struct record {
	struct object object;
	uint32_t ip, ids;
	int64_t created_at, stopped_at;
	uint64_t config_digest;
	char handler[64];		/* empty: none */
};
int record_create(const struct sandbox *p, struct err *err);
int record_write(const struct sandbox *p, struct err *err);	/* again, whole or not at all */
int record_read(const char *run_dir, struct arena *a, struct record *ret, struct err *err);
void record_remove(const struct sandbox *p);
int record_write_env(const struct sandbox *p, const char *container, const struct strs *env,
		     struct err *err);
int record_read_env(struct arena *a, const struct sandbox *p, const char *container,
		    struct strs *ret, struct err *err);
/* The shim's state file: fills the containers. *ret_pid 0: it never wrote one, or is dead. */
int record_read_state(struct sandbox *p, pid_t *ret_pid, int *ret_pidfd);

/* observe.c */
struct observed_container observe_run(const struct container_run *run);	/* without its texts */

/* adopt.c */
int adopt_all(struct runtime *r, struct err *err);

/* exec.c */
struct exec;
void exec_answered(struct exec *e, int error, const char *message, const int *fds, unsigned nfds);
void exec_ended(struct runtime *r, struct sandbox *p, uint32_t seq, int exit_code);
void exec_lost(struct sandbox *p);
void execs_release(struct runtime *r);

#define SHIM_CPU_MILLI 100		/* promised, so that logs are written under load */

/* sandbox.c: making one */
int sandbox_make(struct sandbox *p, const struct set *set, struct err *err);
/* What capabilities its containers may have. */
uint64_t sandbox_caps(const struct pod_spec *s);
int sandbox_send_program(struct sandbox *p, struct err *err);

/* limits.c: the groups and their limits; of those that are there, what differs is written again. */
int sandbox_limit(const struct sandbox *p, struct err *err);
struct cgroup_limits limits_of_pod(const struct sandbox *p);
struct cgroup_limits limits_of_container(const struct sandbox *p, const struct container *c);
int limits_protect(const struct sandbox *p, struct err *err);

/* resize.c */
bool resize_restore(struct sandbox *p);		/* of an adopted pod; false: nothing is due */
void resize_apply(struct sandbox *p);		/* of what is due, what is possible */
void resize_at_start(struct sandbox *p, struct container_run *run);	/* nothing of run is there */

/* runtime.c */
void sandbox_resume_stop(struct sandbox *p);	/* that an orchd before us had ordered */

/* container.c */
int container_start(struct sandbox *p, struct container_run *run, const struct wanted_container *w,
		    const struct wanted_volumes *volumes, const struct set *set, struct err *err);
/* Whom the container runs as, as the host sees it. */
int container_user(struct sandbox *p, struct container_run *run, struct arena *a,
		   struct runtime_user *ret, struct err *err);
int container_exec_program(struct sandbox *p, struct container_run *run,
			   const struct strs *argv, const struct strs *env, struct arena *a,
			   struct buf *out, struct err *err);

/* container.c: of an attempt; LAYER.upper and LAYER.work */
const char *layer_path(struct arena *a, const struct sandbox *p, const char *container,
		       uint32_t attempt);

/* evict.c */
void evict_restore(struct sandbox *p);	/* of an adopted pod, what was recorded */
void evict_clear(struct sandbox *p);	/* a container has ended: is there disk space to gain? */

/* message.c: a file for each container's termination message, outside of what its image holds. */
const char *message_path(struct arena *a, const struct sandbox *p, const struct container *c);
void message_read(struct sandbox *p, struct container_run *run);	/* after the end of a run */

/* What went wrong in a program, in the words of container runtimes. */
void fail_text(const struct prog_fail *f, int error, char *ret, size_t n);
/* Why a container has not started, for its message. */
void fail_of_run(const struct sandbox *p, struct container_run *run);
