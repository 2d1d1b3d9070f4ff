/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ephemeral.h. What there is of one lives in the sandbox's own arena, as objects come and go. */
#include "runtime/ephemeral.h"

#include <stdio.h>

#include "base/macro.h"

#define EPHEMERALS_MAX 32

void ephemerals_show(struct sandbox *p)
{
	p->object.pod->spec.ephemeral_containers = p->ephemeral_specs;
	p->object.stamp = ++p->rt->stamps;
}

static struct strs copy_words(struct arena *a, const struct strs *from)
{
	struct strs to = { 0 };

	for (uint32_t i = 0; i < from->n; i++)
		*arena_push(a, &to) = arena_strdup(a, from->v[i]);
	return to;
}

/* Takes what this version acts on; nothing else was ever asked for. */
static struct ephemeral *add(struct sandbox *p, const struct ephemeral_container *from)
{
	struct arena *a = &p->arena;
	struct ephemeral_container *spec = arena_push(a, &p->ephemeral_specs);
	struct ephemeral *e = arena_new(a, struct ephemeral), **end = &p->ephemerals;

	spec->name = arena_strdup(a, from->name);
	spec->image = arena_strdup(a, from->image);
	spec->target_container_name = arena_strdup(a, from->target_container_name);
	spec->command = copy_words(a, &from->command);
	spec->stdin = from->stdin;
	spec->tty = from->tty;
	e->spec.name = spec->name;
	e->spec.image = spec->image;
	e->spec.command = spec->command;
	e->spec.stdin = spec->stdin;
	e->spec.tty = spec->tty;
	e->run.spec = &e->spec;
	e->run.role = ROLE_MAIN;
	e->run.target = spec->target_container_name;
	snprintf(e->run.st.name, sizeof(e->run.st.name), "%s", spec->name);
	while (*end)
		end = &(*end)->next;
	*end = e;
	ephemerals_show(p);
	return e;
}

void ephemerals_restore(struct sandbox *p)
{
	const struct ephemeral_container_list had = p->object.pod->spec.ephemeral_containers;

	for (uint32_t i = 0; i < had.n; i++)
		add(p, &had.v[i]);
}

/* ---- a new one ---- */

static int check_target(struct sandbox *p, const char *name, struct err *err)
{
	const struct container_run *run = sandbox_run(p, name);

	if (!run)
		return err_set(err, -EINVAL, "target: pod %s has no container %s",
			       p->object.meta->name, name);
	if (run->st.phase != SHIM_RUNNING)
		return err_set(err, -EINVAL, "container not running (%s)", name);
	return 0;
}

static int check_new(struct sandbox *p, const struct ephemeral_container *e, struct err *err)
{
	if (p->stage != POD_UP)
		return err_set(err, -EINVAL, "pod %s is not running", p->object.meta->name);
	if (sandbox_run(p, e->name))
		return err_set(err, -EBUSY, "pod %s has a container %s already",
			       p->object.meta->name, e->name);
	if (p->ephemeral_specs.n == EPHEMERALS_MAX)
		return err_set(err, -EINVAL, "pod %s has %d ephemeral containers already",
			       p->object.meta->name, EPHEMERALS_MAX);
	return e->target_container_name ? check_target(p, e->target_container_name, err) : 0;
}

static int start(struct sandbox *p, struct container_run *run, const struct set *set,
		 struct err *err)
{
	const struct wanted_container first = { .name = run->spec->name };
	const struct wanted_volumes none = { 0 };
	const struct cgroup_limits unlimited = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", p->cgroup, run->spec->name);
	int r = cgroup_ensure(p->rt->cg, path, &unlimited, true, err);
	if (r == 0)
		r = record_write(p, err);
	return r < 0 ? r : container_start(p, run, &first, &none, set, err);
}

/* One that can't be started stays, as its name is used up. */
int runtime_debug(struct runtime *r, const char *ns, const char *pod,
		  const struct ephemeral_container *e, const struct set *set, struct err *err)
{
	struct sandbox *p = sandbox_find(r, ns, pod);

	if (!p)
		return err_set(err, -ENOENT, "pods \"%s\" not found", pod);
	int code = check_new(p, e, err);
	if (code < 0)
		return code;
	struct container_run *run = &add(p, e)->run;
	code = start(p, run, set, err);
	run->starting = code == 0;
	if (code < 0) {
		run->st.phase = SHIM_FAILED;
		run->st.end.exit_code = 128;
		run->st.end.finished_at = time_now();
		snprintf(run->message, sizeof(run->message), "%.*s", (int)sizeof(run->message) - 1,
			 err->msg);
	}
	sandbox_changed(p);
	return code;
}
