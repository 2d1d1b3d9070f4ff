/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes and hooks of a container, told to the shim before the container is started: what to ask,
 * and the program that asks, which is a command in the container or one of ours without rights.
 */
#include <sched.h>

#include "base/macro.h"
#include "runtime/builder.h"
#include "runtime/probe.h"

/* Names are looked up as the pod does, by the files that its containers have in /etc. */
static void use_names_of_pod(struct builder *b)
{
	static const char *const files[] = { "hosts", "resolv.conf" };

	builder_op0(b, OP_UNSHARE, CLONE_NEWNS, 0);
	builder_op0(b, OP_SLAVE, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		prog_add(b->out, OP_BIND, MS_RDONLY, 0,
			 PROG_S(arena_printf(b->a, "%s/%s", b->p->run_dir, files[i]),
				arena_printf(b->a, "/etc/%s", files[i])), NULL, 0);
}

/* A user for each pod's, of the numbers above those of pullers (pull/sandbox.c): no process of
 * another may look into it. */
#define ASK_UIDS 0x7f400000u

static void ask_program(struct builder *b, const struct ask *ask)
{
	uid_t uid = ASK_UIDS + (b->p->ip & 0x3fffff);

	if (ask->names)
		use_names_of_pod(b);
	builder_op1(b, OP_CHDIR, 0, 0, "/");
	prog_add(b->out, OP_GROUPS, 0, 0, NULL, NULL, 0);
	builder_op0(b, OP_GID, uid, 0);
	builder_op0(b, OP_UID, uid, 0);
	builder_op0(b, OP_CAPS, 0, 0);
	builder_op0(b, OP_NO_NEW_PRIVS, 0, 0);
	for (uint32_t i = 0; i < ask->env.n; i++)
		builder_op1(b, OP_ENV, 0, 0, ask->env.v[i]);
	builder_op1(b, OP_ARG, 0, 0, arena_printf(b->a, "%s/%s", b->p->rt->s.programs, ask->program));
	for (uint32_t i = 0; i < ask->args.n; i++)
		builder_op1(b, OP_ARG, 0, 0, ask->args.v[i]);
	builder_op0(b, OP_EXEC, 0, 0);
}

/* Sends what to ask, with the program that asks: a command, one of ours, or none. */
static int send_check(struct builder *b, enum shim_type type, const void *order, size_t size,
		      const struct exec_action *exec, const struct ask *ask, struct err *err)
{
	BUF_AUTO program = { 0 };
	struct builder own = *b;
	int r = 0;

	own.out = &program;
	if (ask->program)
		ask_program(&own, ask);
	if (exec) {
		own.argv = exec->command;
		r = container_join(&own, err);
	}
	return r < 0 ? r : link_send(&b->p->link, type, order, size, &program, NULL, NULL, NULL, err);
}

static int send_probe(struct builder *b, enum shim_probe_kind kind, struct err *err)
{
	const struct probe *p = probe_of(b->c, kind);
	struct shim_probe order;
	struct ask ask;

	if (!p)
		return 0;
	int r = probe_order(b->a, b->c, kind, b->p->ip, &order, &ask, err);
	return r < 0 ? r : send_check(b, SHIM_PROBE, &order, sizeof(order), p->exec, &ask, err);
}

static int send_hook(struct builder *b, enum shim_hook_kind kind, struct err *err)
{
	const struct lifecycle_handler *h = hook_of(b->c, kind);
	struct shim_hook order;
	struct ask ask;

	if (!h)
		return 0;
	int r = hook_order(b->a, b->c, kind, b->p->ip, &order, &ask, err);
	return r < 0 ? r : send_check(b, SHIM_HOOK, &order, sizeof(order),
					h->sleep ? NULL : h->exec, &ask, err);
}

int container_checks(struct builder *b, struct err *err)
{
	int r = 0;

	for (int k = 0; r == 0 && k < SHIM_PROBES; k++)
		r = send_probe(b, (enum shim_probe_kind)k, err);
	for (int k = 0; r == 0 && k < SHIM_HOOKS; k++)
		r = send_hook(b, (enum shim_hook_kind)k, err);
	return r;
}
