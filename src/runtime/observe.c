/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs, for control and plan: the table as values. */
#include <stdio.h>

#include "base/macro.h"
#include "runtime/handler.h"
#include "runtime/images.h"
#include "runtime/probe.h"
#include "runtime/sandbox.h"

static const enum run_phase phases[] = {
	[SHIM_CREATED] = RUN_CREATED,
	[SHIM_RUNNING] = RUN_RUNNING,
	[SHIM_EXITED_PHASE] = RUN_ENDED,
	[SHIM_FAILED] = RUN_FAILED,
};

static struct run_end end_of(const struct shim_end *e)
{
	return (struct run_end){
		.exit_code = e->exit_code,
		.signal = e->signal,
		.oom_killed = e->oom_killed,
		.started_at = e->started_at,
		.finished_at = e->finished_at,
	};
}

/* Which probes there are is what the specification says: the shim may not know them yet. */
struct observed_container observe_run(const struct container_run *run)
{
	const struct shim_container *st = &run->st;
	struct observed_container c = {
		.name = run->spec->name,
		.phase = phases[st->phase],
		.attempt = st->attempt,
		.backoff = st->backoff,
		.started_at = st->started_at,
		.end = end_of(&st->end),
		.last = end_of(&st->last),
		.pending = run->starting || run->killing,
		.hook_runs = st->post_start == SHIM_HOOK_RUNS,
		.hook_failed = st->post_start == SHIM_HOOK_FAILED,
		.refused = run->refused,
		.outdated = run->outdated && st->attempt == run->outdated_attempt,
		.in_force = run->due && st->phase == SHIM_RUNNING ? &run->in_force : NULL,
	};

	_Static_assert((int)SHIM_READINESS == PROBE_READINESS &&
		       (int)SHIM_LIVENESS == PROBE_LIVENESS &&
		       (int)SHIM_STARTUP == PROBE_STARTUP, "the same order");
	for (int k = 0; k < PROBE_KINDS; k++) {
		c.configured[k] = probe_of(run->spec, (enum shim_probe_kind)k) != NULL;
		c.decided[k] = st->decided >> k & 1;
		c.passed[k] = st->passed >> k & 1;
		c.warned[k] = st->warned >> k & 1;
		c.probe_told_at[k] = st->told_at[k];
	}
	return c;
}

static const char *text_or_null(struct arena *a, const char *s)
{
	return *s ? arena_strdup(a, s) : NULL;
}

/* After the clock of the machine went back, delays count from now: what was written down lies in the
 * future, and would be waited for. */
static void not_later(struct sandbox *p, int64_t now)
{
	p->created_at = MIN(p->created_at, now);
	p->stopped_at = MIN(p->stopped_at, now);
	p->ready_since = MIN(p->ready_since, now);
	if (p->resize)
		p->resize->tried_at = MIN(p->resize->tried_at, now);
	for (uint32_t i = 0; i < p->nruns; i++) {
		struct shim_container *st = &p->runs[i].st;

		st->started_at = MIN(st->started_at, now);
		st->end.finished_at = MIN(st->end.finished_at, now);
	}
}

static void count(const struct sandbox *p, struct observed_container *c)
{
	struct cgroup_usage u;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", p->cgroup, c->name);
	if (c->phase != RUN_RUNNING || cgroup_usage(p->rt->cg, path, &u, NULL) < 0)
		return;
	c->memory = (int64_t)(u.memory - MIN(u.memory, u.memory_inactive_file));
	c->pids = (int64_t)u.pids;
}

/* With its texts. */
static struct observed_container observe_whole(struct arena *a, struct sandbox *p,
					       struct container_run *run)
{
	struct observed_container c = observe_run(run);

	if (p->rt->counting)
		count(p, &c);
	c.image_id = arena_strdup(a, images_id(p, run));
	for (int k = 0; k < PROBE_KINDS; k++)
		c.probe_message[k] = text_or_null(a, run->st.probe_message[k]);
	for (int k = 0; k < SHIM_HOOKS; k++)
		c.hook_message[k] = text_or_null(a, run->st.hook_message[k]);
	c.last_words = text_or_null(a, run->last_words ? run->last_words : "");
	if (c.phase == RUN_FAILED || c.refused.fault)
		c.message = c.refused.message = text_or_null(a, run->message);
	return c;
}

static const struct observed_resize *observe_resize(struct arena *a, const struct sandbox *p)
{
	const struct resizing *z = p->resize;
	struct observed_resize *r = z ? arena_new(a, struct observed_resize) : NULL;

	if (r)
		*r = (struct observed_resize){
			.generation = z->generation, .started_at = z->started_at,
			.tried_at = z->tried_at, .failed_at = z->failed_at, .done_at = z->done_at,
			.error = text_or_null(a, z->error),
		};
	return r;
}

static void observe_sandbox(struct arena *a, struct sandbox *p, struct observed_pod *ret)
{
	*ret = (struct observed_pod){
		.object = &p->object,
		.stamp = p->object.stamp,
		.stage = p->stage,
		.ip = p->ip,
		.created_at = p->created_at,
		.stopped_at = p->stopped_at,
		.ready_since = p->ready_since,
		.config_digest = p->config_digest,
		.usage = p->measured ? &p->usage : NULL,
		.evicted = p->evicted ? arena_strdup(a, p->evicted) : NULL,
		.resize = observe_resize(a, p),
		.message = text_or_null(a, p->message),
		.containers = arena_array(a, struct observed_container, p->nruns),
		.ncontainers = p->nruns,
	};
	for (uint32_t i = 0; i < p->nruns; i++)
		ret->containers[i] = observe_whole(a, p, &p->runs[i]);
	for (struct ephemeral *e = p->ephemerals; e; e = e->next)
		*arena_push(a, &ret->ephemerals) = observe_whole(a, p, &e->run);
}

void runtime_observe(struct runtime *r, struct arena *a, struct observed *ret)
{
	int64_t now = time_now();

	ret->npods = r->nsandboxes;
	ret->pods = arena_array(a, struct observed_pod, r->nsandboxes);
	for (uint32_t i = 0; i < r->nsandboxes; i++) {
		not_later(r->sandboxes[i], now);
		observe_sandbox(a, r->sandboxes[i], &ret->pods[i]);
	}
}

/* In words that users of container runtimes know. */
static bool exec_text(const struct prog_fail *f, int error, char *ret, size_t n)
{
	if (error == ENOENT && strchr(f->what, '/'))
		snprintf(ret, n, "exec: \"%s\": stat %s: no such file or directory", f->what,
			 f->what);
	else if (error == ENOENT)
		snprintf(ret, n, "exec: \"%s\": executable file not found in $PATH", f->what);
	else if (error == EACCES)
		snprintf(ret, n, "exec: \"%s\": permission denied", f->what);
	else
		return false;
	return true;
}

/* A source "DIR//SUB" is that of a subPath. */
static bool sub_path_text(const struct prog_fail *f, int error, char *ret, size_t n)
{
	const char *sub = strstr(f->what, "//");

	if (f->op != OP_BIND || !sub)
		return false;
	snprintf(ret, n, "failed to prepare subPath %s of %.*s: %s", sub + 2,
		 (int)(sub - f->what), f->what, strerror(error));
	return true;
}

static bool idmap_text(const struct prog_fail *f, int error, char *ret, size_t n)
{
	if (f->op != OP_BIND || error != EOPNOTSUPP)
		return false;
	snprintf(ret, n, "%s: its file system, or one below it, cannot be mapped to the ids of a user "
		 "namespace; set hostUsers: true", f->what);
	return true;
}

void fail_text(const struct prog_fail *f, int error, char *ret, size_t n)
{
	if (!error)
		error = f->error;
	if (f->op == OP_EXEC && f->error && exec_text(f, error, ret, n))
		return;
	if (f->error && idmap_text(f, error, ret, n))
		return;
	if (f->error && sub_path_text(f, error, ret, n))
		return;
	if (f->error)
		snprintf(ret, n, "%s %s: %s", prog_op_name(f->op), f->what, strerror(error));
	else
		snprintf(ret, n, "%s%s%s", f->what, *f->what ? ": " : "", strerror(error));
}

/* ECHILD: an OCI runtime has ended without having made the container. */
void fail_of_run(const struct sandbox *p, struct container_run *run)
{
	if (p->handler && run->st.fail.error == ECHILD)
		handler_fail_text(p, run->spec, run->message, sizeof(run->message));
	else
		fail_text(&run->st.fail, 0, run->message, sizeof(run->message));
}
