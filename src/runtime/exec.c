/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec: a process that joins a running container; and connections into a pod. The descriptors go
 * straight to the caller; what is kept here until it ends is whom to tell. A callback may forget
 * its exec, so that nothing of it is touched after one was called.
 */
#include <stdio.h>

#include "base/macro.h"
#include "runtime/sandbox.h"

struct exec {
	struct exec *next;
	struct runtime_exec caller;
	struct sandbox *p;
	uint64_t id;
	uint32_t seq;
	bool once;		/* the answer is all that comes */
	bool answered;
};

static void unlink_exec(struct runtime *r, struct exec *e)
{
	struct exec **at = &r->execs;

	while (*at && *at != e)
		at = &(*at)->next;
	if (*at)
		*at = e->next;
}

static struct exec *by_id(struct runtime *r, uint64_t id)
{
	struct exec *e = r->execs;

	while (e && e->id != id)
		e = e->next;
	return e;
}

/* Its RESULT, if it is still to come, is nobody's then. */
static void disown_command(struct exec *e)
{
	for (struct command *c = e->p->link.commands; c; c = c->next)
		if (c->exec == e)
			c->exec = NULL;
}

void exec_answered(struct exec *e, int error, const char *message, const int *fds, unsigned nfds)
{
	struct runtime_exec caller = e->caller;

	e->answered = true;
	if (error || e->once) {
		unlink_exec(e->p->rt, e);
		free(e);
	}
	caller.done(caller.data, error, message, fds, nfds);
}

static void exec_end(struct exec *e, int exit_code)
{
	struct runtime_exec caller = e->caller;

	unlink_exec(e->p->rt, e);
	free(e);
	caller.exited(caller.data, exit_code);
}

void exec_ended(struct runtime *r, struct sandbox *p, uint32_t seq, int exit_code)
{
	for (struct exec *e = r->execs; e; e = e->next) {
		if (e->p == p && e->seq == seq) {
			exec_end(e, exit_code);
			return;
		}
	}
}

void exec_lost(struct sandbox *p)
{
	for (struct exec *e = p->rt->execs; e;) {
		if (e->p != p) {
			e = e->next;
			continue;
		}
		disown_command(e);
		if (e->answered)
			exec_end(e, 137);
		else
			exec_answered(e, -ENOTCONN, "the pod's shim is gone", NULL, 0);
		e = p->rt->execs;
	}
}

void execs_release(struct runtime *r)
{
	while (r->execs) {
		struct exec *e = r->execs;

		r->execs = e->next;
		free(e);
	}
}

static int exec_send(struct exec *e, struct container_run *run, struct err *err)
{
	const struct runtime_exec *caller = &e->caller;
	struct shim_exec order = { .tty = caller->tty, .rows = caller->rows, .cols = caller->cols };
	struct strs argv = { 0 }, env = { 0 };
	BUF_AUTO program = { 0 };
	struct arena a = { 0 };

	snprintf(order.name, sizeof(order.name), "%s", run->spec->name);
	for (const char *const *s = caller->argv; *s; s++)
		*arena_push(&a, &argv) = *s;
	int r = record_read_env(&a, e->p, run->spec->name, &env, err);
	if (r == 0 && caller->tty)
		*arena_push(&a, &env) = "TERM=xterm";
	if (r == 0)
		r = container_exec_program(e->p, run, &argv, &env, &a, &program, err);
	if (r == 0)
		r = link_send(&e->p->link, SHIM_EXEC, &order, sizeof(order), &program, NULL, e,
			      &e->seq, err);
	arena_release(&a);
	return r;
}

static int running(struct runtime *r, const char *ns, const char *pod, const char *container,
		   struct sandbox **ret, struct container_run **ret_run, struct err *err)
{
	struct sandbox *p = sandbox_find(r, ns, pod);
	struct container_run *run;

	if (!p)
		return err_set(err, -ENOENT, "pods \"%s\" not found", pod);
	run = container ? sandbox_run(p, container) : p->runs;
	if (!run)
		return err_set(err, -ENOENT, "container %s is not valid for pod %s", container, pod);
	if (run->st.phase != SHIM_RUNNING)
		return err_set(err, -EINVAL, "container not running (%s)", run->spec->name);
	*ret = p;
	*ret_run = run;
	return 0;
}

static struct exec *exec_new(struct sandbox *p, const struct runtime_exec *caller)
{
	struct exec *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	*e = (struct exec){ .caller = *caller, .p = p, .id = ++p->rt->last_exec };
	return e;
}

/* Of one that was sent: it is kept, or forgotten when it could not be. */
static int keep(struct exec *e, int code, uint64_t *ret_id)
{
	struct runtime *r = e->p->rt;

	if (code < 0) {
		disown_command(e);
		free(e);
		return code;
	}
	e->next = r->execs;
	r->execs = e;
	*ret_id = e->id;
	return 0;
}

int runtime_exec(struct runtime *r, const struct runtime_exec *x, uint64_t *ret_id, struct err *err)
{
	struct container_run *run = NULL;
	struct sandbox *p = NULL;
	int code = running(r, x->ns, x->pod, x->container, &p, &run, err);

	if (code == 0 && !x->argv[0])
		code = err_set(err, -EINVAL, "no command specified");
	if (code < 0)
		return code;
	struct exec *e = exec_new(p, x);
	return keep(e, exec_send(e, run, err), ret_id);
}

int runtime_attach(struct runtime *r, const struct runtime_attach *a, uint64_t *ret_id,
		   struct err *err)
{
	struct runtime_exec caller = { .done = a->done, .data = a->data };
	struct shim_attach order = { .input = a->input };
	struct container_run *run = NULL;
	struct sandbox *p = NULL;
	int code = running(r, a->ns, a->pod, a->container, &p, &run, err);

	if (code < 0)
		return code;
	snprintf(order.name, sizeof(order.name), "%s", run->spec->name);
	struct exec *e = exec_new(p, &caller);
	e->once = true;
	code = link_send(&p->link, SHIM_ATTACH, &order, sizeof(order), NULL, NULL, e, NULL, err);
	return keep(e, code, ret_id);
}

int runtime_root(struct runtime *r, const struct runtime_root *x, struct arena *a,
		 struct runtime_user *ret, uint64_t *ret_id, struct err *err)
{
	struct runtime_exec caller = { .done = x->done, .data = x->data };
	struct container_run *run = NULL;
	struct shim_root order = { 0 };
	struct sandbox *p = NULL;
	int code = running(r, x->ns, x->pod, x->container, &p, &run, err);

	if (code == 0)
		code = container_user(p, run, a, ret, err);
	if (code < 0)
		return code;
	snprintf(order.name, sizeof(order.name), "%s", run->spec->name);
	struct exec *e = exec_new(p, &caller);
	e->once = true;
	code = link_send(&p->link, SHIM_ROOT, &order, sizeof(order), NULL, NULL, e, NULL, err);
	return keep(e, code, ret_id);
}

int runtime_connect(struct runtime *r, const struct runtime_connect *c, uint64_t *ret_id,
		    struct err *err)
{
	struct sandbox *p = sandbox_find(r, c->ns, c->pod);
	struct runtime_exec caller = { .done = c->done, .data = c->data };
	struct shim_connect order = { .port = c->port };

	if (!p)
		return err_set(err, -ENOENT, "pods \"%s\" not found", c->pod);
	if (p->stage != POD_UP)
		return err_set(err, -EINVAL, "unable to forward port because pod is not running");
	struct exec *e = exec_new(p, &caller);
	e->once = true;
	int code = link_send(&p->link, SHIM_CONNECT, &order, sizeof(order), NULL, NULL, e, NULL,
			     err);
	return keep(e, code, ret_id);
}

void runtime_exec_resize(struct runtime *r, uint64_t id, uint16_t rows, uint16_t cols)
{
	const struct exec *e = by_id(r, id);

	if (!e)
		return;
	struct shim_resize order = { e->seq, rows, cols };
	link_send(&e->p->link, SHIM_RESIZE, &order, sizeof(order), NULL, NULL, NULL, NULL, NULL);
}

void runtime_exec_forget(struct runtime *r, uint64_t id)
{
	struct exec *e = by_id(r, id);

	if (!e)
		return;
	disown_command(e);
	unlink_exec(r, e);
	free(e);
}
