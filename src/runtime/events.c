/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to a sandbox after it was made: its shim's answers and states, its end. A stage
 * only ever goes forward: starting, up, stopping, down, or broken from any of the first two.
 */
#include <stdio.h>

#include "base/macro.h"
#include "runtime/sandbox.h"

/* A start is over when its own run is told of; a kill when the container does not run any more. */
void sandbox_on_state(struct sandbox *p, const struct shim_container *st)
{
	struct container_run *run = sandbox_run(p, st->name);

	if (!run)
		return;
	bool ends = st->phase == SHIM_EXITED_PHASE &&
		    (p->adopting || run->st.phase != st->phase || run->st.attempt != st->attempt);

	run->st = *st;
	if (ends)
		message_read(p, run);
	if (st->phase != SHIM_CREATED && st->attempt == run->attempt)
		run->starting = false;
	if (st->phase != SHIM_RUNNING)
		run->killing = false;
	if (st->phase == SHIM_FAILED)
		fail_of_run(p, run);
	evict_clear(p);
	sandbox_quit_if_idle(p);
	sandbox_changed(p);
}

void sandbox_quit_if_idle(struct sandbox *p)
{
	if (p->stage != POD_STOPPING || p->quitting || p->adopting || sandbox_runs_anything(p))
		return;
	p->quitting = link_send(&p->link, SHIM_QUIT, NULL, 0, NULL, NULL, NULL, NULL, NULL) == 0;
}

/* EALREADY: an orchd before us had sent it, too. */
/* All STATEs were told. What an orchd before us, or an earlier connection, may not have got through
 * is ordered again: the shim makes a sandbox once, and a stop only sooner. */
static void hello_result(struct sandbox *p)
{
	for (uint32_t i = 0; p->stage == POD_STARTING && i < p->nruns; i++)
		if (p->runs[i].st.phase == SHIM_RUNNING || p->runs[i].st.phase == SHIM_EXITED_PHASE)
			p->stage = POD_UP;
	if (p->stage == POD_STARTING)
		sandbox_send_program(p, NULL);
	else if (p->stage == POD_STOPPING)
		sandbox_resume_stop(p);
	sandbox_changed(p);
	sandbox_answered(p);
	sandbox_quit_if_idle(p);
}

static void sandbox_result(struct sandbox *p, const struct shim_result *res)
{
	char why[200];

	if (res->error && res->error != EALREADY) {
		fail_text(&res->fail, res->error, why, sizeof(why));
		sandbox_break(p, "failed to create pod sandbox: %s", why);
	} else if (p->stage == POD_STARTING) {
		p->stage = POD_UP;
	}
}

/* The STATE that follows says the same, unless the container was never known to the shim. */
static void start_result(struct container_run *run, const struct shim_result *res)
{
	if (!res->error)
		return;
	run->starting = false;
	if (run->st.phase == SHIM_RUNNING)
		return;
	run->st.phase = SHIM_FAILED;
	run->st.attempt = run->attempt;
	run->st.end.exit_code = 128;
	run->st.end.finished_at = time_now();
	fail_text(&res->fail, res->error, run->message, sizeof(run->message));
}

static void exec_result(const struct command *c, const struct shim_result *res, const int *fds,
			unsigned nfds)
{
	char why[256] = "";

	if (res->error)
		fail_text(&res->fail, res->error, why, sizeof(why));
	exec_answered(c->exec, -res->error, why, fds, nfds);
}

void sandbox_on_result(struct sandbox *p, const struct command *c, const struct shim_result *res,
		       const int *fds, unsigned nfds)
{
	switch (c->type) {
	case SHIM_HELLO:
		hello_result(p);
		break;
	case SHIM_SANDBOX:
		sandbox_result(p, res);
		sandbox_changed(p);
		break;
	case SHIM_START:
		start_result(c->run, res);
		sandbox_changed(p);
		break;
	case SHIM_STOP:
		if (res->error && c->run)
			c->run->killing = false;
		break;
	case SHIM_EXEC:
	case SHIM_ATTACH:
	case SHIM_CONNECT:
	case SHIM_ROOT:
		if (c->exec)
			exec_result(c, res, fds, nfds);
		break;
	case SHIM_QUIT:		/* refused: something still runs, whose end will be told */
		p->quitting = false;
		break;
	default:
		break;
	}
}

static void lost(struct container_run *run)
{
	struct shim_container *st = &run->st;

	if (st->phase != SHIM_RUNNING)
		return;
	st->phase = SHIM_EXITED_PHASE;
	st->end = (struct shim_end){
		.exit_code = 137, .signal = SIGKILL,
		.started_at = st->started_at, .finished_at = time_now(),
	};
}

void sandbox_containers_lost(struct sandbox *p)
{
	sandbox_forget_orders(p);
	for (uint32_t i = 0; i < p->nruns; i++)
		lost(&p->runs[i]);
	for (struct ephemeral *e = p->ephemerals; e; e = e->next)
		lost(&e->run);
}

void sandbox_on_gone(struct sandbox *p)
{
	bool told = p->stage == POD_STOPPING;

	exec_lost(p);
	loop_timer_cancel(p->rt->loop, &p->overdue);
	if (!p->quitting)
		cgroup_kill(p->rt->cg, p->cgroup, NULL);
	sandbox_containers_lost(p);
	if (told)
		p->stage = POD_DOWN;
	else if (p->stage < POD_STOPPING)
		sandbox_break(p, "the pod's shim has ended unexpectedly");
	sandbox_answered(p);
	sandbox_changed(p);
}
