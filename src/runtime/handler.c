/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runtime handlers; see handler.h. */
#include "runtime/handler.h"

#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "base/macro.h"

#define LOG_MAX 4096		/* of what a runtime says */

static const struct runtime_handler *find(const struct runtime *r, const char *name)
{
	for (uint32_t i = 0; i < r->s.handlers.n; i++)
		if (streq(r->s.handlers.v[i].name, name))
			return &r->s.handlers.v[i];
	return NULL;
}

static int check(const struct sandbox *p, const char *name, struct err *err)
{
	const struct pod_spec *s = &p->object.pod->spec;
	const struct runtime_handler *h = find(p->rt, name);

	if (!h)
		return err_set(err, -ENOENT, "RuntimeHandler \"%s\" not supported", name);
	if (access(h->path, X_OK) < 0)
		return err_sys(err, -errno, "RuntimeHandler \"%s\": %s", name, h->path);
	if (HAS(s, pod_spec, host_users) && !s->host_users)
		return err_set(err, -EINVAL, "RuntimeHandler \"%s\" does not support user namespaces "
			       "(hostUsers: false)", name);
	return 0;
}

int handler_choose(struct sandbox *p, const struct set *set, struct err *err)
{
	const char *name = p->object.pod->spec.runtime_class_name;

	if (!name || !*name)
		return 0;
	const struct object *class = set_find(set, KIND_RUNTIMECLASS, "", name);
	if (!class)
		return err_set(err, -ENOENT, "runtimeclass.node.k8s.io \"%s\" not found", name);
	int r = check(p, class->runtime_class->handler, err);
	if (r == 0)
		p->handler = arena_strdup(&p->arena, class->runtime_class->handler);
	return r;
}

const char *handler_dir(struct arena *a, const struct container *c)
{
	return arena_printf(a, "oci/%s", c->name);
}

/* What is left of the run before goes. */
static int make_bundle(struct builder *b, const char *dir, enum shim_pids pids, struct err *err)
{
	const struct bundle x = {
		.work_dir = b->c->working_dir ? b->c->working_dir : b->image.workdir, .pids = pids,
	};
	BUF_AUTO config = { 0 };
	int r = file_rm_rf(dir, err);

	if (r == 0)
		r = file_mkdir_p(dir, 0700, err);
	if (r < 0)
		return r;
	bundle_config(b, &x, &config);
	return file_write(arena_printf(b->a, "%s/config.json", dir), config.data, config.len, 0600,
			  err);
}

static void add_arguments(struct builder *b, const char *path, const char *dir, uint32_t attempt)
{
	const char *const args[] = {
		path, "--root", "state", "--log", "log", "--cgroup-manager=disabled",
		"run", "--detach", "--pid-file", "pid", "--bundle", dir,
	};

	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		builder_op1(b, OP_ARG, 0, 0, args[i]);
	if (b->c->tty)
		builder_op1(b, OP_ARG, 0, 0, "--console-socket=console");
	builder_op1(b, OP_ARG, 0, 0, arena_printf(b->a, "%s-%u", b->c->name, attempt));
}

int handler_program(struct builder *b, uint32_t attempt, enum shim_pids pids, struct err *err)
{
	const struct runtime_handler *h = find(b->p->rt, b->p->handler);
	const char *dir = arena_printf(b->a, "%s/%s", b->p->run_dir, handler_dir(b->a, b->c));

	if (!h)
		return err_set(err, -ENOENT, "RuntimeHandler \"%s\" not supported", b->p->handler);
	int r = make_bundle(b, dir, pids, err);
	if (r < 0)
		return r;
	/* runtimes give up where both versions are mounted, though they need not touch them */
	builder_op1(b, OP_MASK, 0, 0, "/sys/fs/cgroup/unified");
	if (pids == SHIM_PIDS_POD || pids == SHIM_PIDS_TARGET)
		builder_op0(b, OP_PIDS, PROG_PIDS_FD, 0);
	builder_op1(b, OP_CHDIR, 0, 0, dir);
	add_arguments(b, h->path, dir, attempt);
	builder_op0(b, OP_EXEC, 0, 0);
	return 0;
}

void handler_fail_text(const struct sandbox *p, const struct container *c, char *ret, size_t n)
{
	BUF_AUTO text = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/oci/%s/log", p->run_dir, c->name);
	if (file_read(path, LOG_MAX, &text, NULL) < 0 || !text.len)
		snprintf(ret, n, "OCI runtime create failed: %s has ended without a word", p->handler);
	else
		snprintf(ret, n, "OCI runtime create failed: %s: %.*s", p->handler,
			 (int)strcspn(text.data, "\n"), text.data);
}
