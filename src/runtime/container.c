/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a container: its program and the order. Mounts are made below
 * RUN/pods/UID/root, each container in a mount namespace of its own.
 */
#include <sched.h>
#include <stdio.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/builder.h"
#include "runtime/handler.h"
#include "runtime/localhost.h"
#include "sys/privilege.h"

struct cgroup_entry builder_cgroup(const struct builder *b)
{
	struct cgroup_entry entry;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", b->p->cgroup, b->c->name);
	cgroup_entry(b->p->rt->cg, path, &entry);
	return entry;
}

static void join_cgroup(struct builder *b)
{
	struct cgroup_entry entry = builder_cgroup(b);

	for (unsigned i = 0; i < entry.ntasks; i++)
		builder_op1(b, OP_TASKS, 0, 0, entry.tasks[i]);
}

static void oom_score(struct builder *b)
{
	int64_t score = identity_oom_score(&b->p->object.pod->spec, b->c, b->p->rt->node.memory);

	builder_op0(b, OP_OOM_SCORE, (uint64_t)score, 0);
}

/* ---- after PIVOT ---- */

static const char *const masked[] = {
	"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
	"/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
};

static const char *const read_only_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

const struct paths container_masked = { masked, ARRAY_SIZE(masked) };
const struct paths container_read_only = { read_only_paths, ARRAY_SIZE(read_only_paths) };

static const char *work_dir(const struct builder *b)
{
	return b->c->working_dir ? b->c->working_dir : b->image.workdir;
}

/* What the image declares as its volumes can be written, though the root can not: each becomes a
 * mount of its own, of what the layers have there. */
static void keep_image_volumes(struct builder *b)
{
	for (const char *const *v = b->image.volumes; *v; v++) {
		const char *at = b->p->handler ? builder_in_root(b, *v) : *v;

		if (**v != '/')
			continue;
		builder_op1(b, OP_CHDIR, 0, 1, at);
		prog_add(b->out, OP_BIND, MS_REC | (b->id.privileged ? 0 : MS_NODEV), 0,
			 PROG_S(at, at), NULL, 0);
	}
}

/* A working directory that is missing is made while the root can still be written. */
static void enter_root(struct builder *b)
{
	builder_op1(b, OP_PIVOT, 0, 0, b->root);
	if (b->c->tty) {		/* the first of its /dev/pts */
		builder_op0(b, OP_CONSOLE, 0, 0);
		prog_add(b->out, OP_BIND, MS_NOSUID | MS_NOEXEC, 0,
			 PROG_S("/dev/pts/0", "/dev/console"), NULL, 0);
	}
	for (size_t i = 0; !b->id.all_proc && i < ARRAY_SIZE(masked); i++)
		builder_op1(b, OP_MASK, 0, 0, masked[i]);
	for (size_t i = 0; !b->id.all_proc && i < ARRAY_SIZE(read_only_paths); i++)
		builder_op1(b, OP_READONLY, 0, 0, read_only_paths[i]);
	if (b->p->ids)
		builder_op0(b, OP_ENTER, b->p->ids, CLONE_NEWNS | CLONE_NEWCGROUP);
	builder_op1(b, OP_CHDIR, 0, 1, work_dir(b));
	if (!b->id.read_only_root)
		return;
	keep_image_volumes(b);
	prog_add(b->out, OP_MOUNT, MS_REMOUNT | MS_BIND | MS_RDONLY |
		 (b->id.privileged ? 0 : MS_NODEV), 0,
		 PROG_S("", "/", "", ""), NULL, 0);
	builder_op1(b, OP_CHDIR, 0, 0, work_dir(b));
}

static int filter_of(struct runtime *r, uint64_t caps, const struct buf **ret, struct err *err)
{
	struct runtime_filter *f = r->filters;

	while (f && f->caps != caps)
		f = f->next;
	if (!f) {
		f = calloc(1, sizeof(*f));
		if (!f)
			abort();
		f->caps = caps;
		f->next = r->filters;
		r->filters = f;
	}
	*ret = &f->code;
	return f->code.len ? 0 : seccomp_default(caps, &f->code, err);
}

/* A profile of the node is compiled once for a start with all its probes. */
static int choose_filter(struct builder *b, struct err *err)
{
	BUF_AUTO own = { 0 };
	const struct buf *code = &own;
	int r = 0;

	if (b->filter.len || b->id.no_filter)
		return 0;
	if (b->id.profile)
		r = localhost_profile(b->p->rt->s.state_dir, b->id.profile, b->id.caps, &own, err);
	else
		r = filter_of(b->p->rt, b->id.caps, &code, err);
	if (r < 0)
		return r;
	void *copy = arena_alloc(b->a, code->len);
	memcpy(copy, code->data, code->len);
	b->filter = (struct bytes){ copy, code->len };
	return 0;
}

/* Identity, rights, environment and command: the end of every program. */
static int become(struct builder *b, struct err *err)
{
	int r = choose_filter(b, err);

	if (r < 0)
		return r;
	bool gains = b->id.may_gain;
	/* without no_new_privs a filter takes CAP_SYS_ADMIN, which goes with CAPS: seccomp(2) */
	if (gains && !b->id.no_filter)
		prog_add(b->out, OP_SECCOMP, 0, 0, NULL, b->filter.data, b->filter.len);
	prog_add(b->out, OP_GROUPS, 0, 0, NULL, b->id.groups, b->id.ngroups * sizeof(gid_t));
	builder_op0(b, OP_GID, b->id.gid, 0);
	builder_op0(b, OP_UID, b->id.uid, 0);
	builder_op0(b, OP_CAPS, b->id.caps, 0);
	if (!gains)
		builder_op0(b, OP_NO_NEW_PRIVS, 0, 0);
	if (!gains && !b->id.no_filter)
		prog_add(b->out, OP_SECCOMP, 0, 0, NULL, b->filter.data, b->filter.len);
	for (uint32_t i = 0; i < b->env.list.n; i++)
		builder_op1(b, OP_ENV, 0, 0, b->env.list.v[i]);
	for (uint32_t i = 0; i < b->argv.n; i++)
		builder_op1(b, OP_ARG, 0, 0, b->argv.v[i]);
	builder_op0(b, OP_EXEC, 0, 0);
	return 0;
}

static enum shim_pids pids_of(const struct sandbox *p, const struct container_run *run)
{
	const struct pod_spec *s = &p->object.pod->spec;

	return run->target ? SHIM_PIDS_TARGET : s->host_pid ? SHIM_PIDS_HOST :
	       s->share_process_namespace ? SHIM_PIDS_POD : SHIM_PIDS_OWN;
}

/* ---- programs ---- */

static int handled_program(struct builder *b, const struct container_run *run, uint32_t attempt,
			   struct err *err)
{
	int r = choose_filter(b, err);

	if (r < 0)
		return r;
	builder_op1(b, OP_CHDIR, 0, 1, builder_in_root(b, work_dir(b)));
	if (b->id.read_only_root)
		keep_image_volumes(b);
	return handler_program(b, attempt, pids_of(b->p, run), err);
}

static int container_program(struct builder *b, const struct container_run *run, uint32_t attempt,
			     struct err *err)
{
	join_cgroup(b);
	builder_op0(b, OP_UNSHARE, CLONE_NEWCGROUP, 0);
	oom_score(b);
	if (b->p->handler)
		builder_op1(b, OP_ROOT, 0, 0, b->root);
	int r = container_root(b, err);
	if (r == 0)
		r = container_binds(b, err);
	if (r < 0)
		return r;
	if (b->p->handler)
		return handled_program(b, run, attempt, err);
	enter_root(b);
	return become(b, err);
}

int container_join(struct builder *b, struct err *err)
{
	join_cgroup(b);
	oom_score(b);
	builder_op0(b, OP_JOIN, b->p->ids, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP |
	    (b->p->ids ? CLONE_NEWUSER : 0));
	builder_op1(b, OP_CHDIR, 0, 0, work_dir(b));
	return become(b, err);
}

static int builder_init(struct builder *b, struct arena *a, struct sandbox *p,
			struct container_run *run, bool start, struct buf *out, struct err *err)
{
	*b = (struct builder){
		.a = a, .p = p, .c = run->spec, .out = out, .fault = FAULT_CREATE,
	};
	b->root = p->rt->root;
	int r = images_resolve(p, run, start, a, &b->image, err);
	if (r < 0)
		return r;
	b->fault = FAULT_CONFIG;
	r = identity_of(a, &p->object.pod->spec, b->c, &b->image, &b->id, err);
	return r == 0 && p->ids ? identity_within(&b->id, USERNS_IDS, err) : r;
}

int container_user(struct sandbox *p, struct container_run *run, struct arena *a,
		   struct runtime_user *ret, struct err *err)
{
	struct builder b;
	int r = builder_init(&b, a, p, run, false, NULL, err);

	if (r < 0)
		return r;
	*ret = (struct runtime_user){ .uid = p->ids + b.id.uid, .gid = p->ids + b.id.gid };
	for (uint32_t i = 0; i < b.id.ngroups; i++)
		*arena_push(a, &ret->groups) = p->ids + b.id.groups[i];
	ret->work_dir = work_dir(&b);
	return 0;
}

int container_exec_program(struct sandbox *p, struct container_run *run,
			   const struct strs *argv, const struct strs *env, struct arena *a,
			   struct buf *out, struct err *err)
{
	struct builder b;
	int r = builder_init(&b, a, p, run, false, out, err);

	b.argv = *argv;
	b.env.list = *env;
	return r < 0 ? r : container_join(&b, err);
}

/* ---- starting ---- */

/* What kubelet's runtimes say of a terminal, unless somebody knows better. */
static void terminal_type(struct builder *b)
{
	for (uint32_t i = 0; i < b->env.list.n; i++)
		if (strncmp(b->env.list.v[i], "TERM=", 5) == 0)
			return;
	*arena_push(b->a, &b->env.list) = "TERM=xterm";
}

static int environment(struct builder *b, const struct set *set, struct err *err)
{
	const struct runtime *rt = b->p->rt;
	const struct env_in in = {
		.pod = &b->p->object, .container = b->c, .set = set, .image = &b->image,
		.host_name = b->p->host_name, .home = b->id.uid ? "/" : "/root",
		.node_name = rt->s.node_name,
		.ip = b->p->ip, .node_ip = net_node_ip(rt->net), .node = rt->node,
	};
	int r = env_build(b->a, &in, &b->env, err);

	if (r == 0 && b->c->tty)
		terminal_type(b);
	if (r == 0)
		r = env_command(b->a, &in, &b->env, &b->argv, err);
	return r < 0 ? r : record_write_env(b->p, b->c->name, &b->env.list, err);
}

static int log_directory(const struct builder *b, struct shim_start *s, struct err *err)
{
	int n = snprintf(s->log_dir, sizeof(s->log_dir), "%s/%s", b->p->log_dir, b->c->name);

	if ((size_t)n >= sizeof(s->log_dir))
		return err_set(err, -ENAMETOOLONG, "log directory %s/%s", b->p->log_dir,
			       b->c->name);
	return file_mkdir_p(s->log_dir, 0755, err);
}

/* Sidecars are stopped after all others, the last one first. */
static uint32_t stop_rank(const struct sandbox *p, const struct container_run *run)
{
	return run->role == ROLE_SIDECAR ? p->nruns - (uint32_t)(run - p->runs) : 0;
}

/* The specification's, else the image's; 0: the usual one. */
static int stop_signal(const struct builder *b)
{
	const char *name = b->c->lifecycle ? b->c->lifecycle->stop_signal : NULL;

	for (int i = 1; name && strncmp(name, "SIG", 3) == 0 && i < NSIG; i++) {
		const char *word = sigabbrev_np(i);	/* "TERM" */

		if (word && streq(word, name + 3))
			return i;
	}
	return b->image.stop_signal;
}

static uint32_t stdio_of(const struct container *c)
{
	return (c->stdin ? SHIM_STDIO_IN : 0) | (c->stdin_once ? SHIM_STDIO_ONCE : 0) |
	       (c->tty ? SHIM_STDIO_TTY : 0);
}

static int send_start(struct builder *b, struct container_run *run,
		      const struct wanted_container *w, struct err *err)
{
	const struct runtime_settings *s = &b->p->rt->s;
	struct cgroup_entry entry = builder_cgroup(b);
	struct shim_start order = {
		.attempt = w->attempt, .backoff = w->backoff,
		.log_max_bytes = s->log_max_bytes, .log_max_files = s->log_max_files,
		.stop_rank = stop_rank(b->p, run),
		.stop_signal = stop_signal(b),
		.pids = pids_of(b->p, run),
		.stdio = stdio_of(b->c),
	};

	snprintf(order.name, sizeof(order.name), "%s", b->c->name);
	snprintf(order.target, sizeof(order.target), "%s", run->target ? run->target : "");
	snprintf(order.cgroup_dir, sizeof(order.cgroup_dir), "%s", entry.dir);
	snprintf(order.oom_file, sizeof(order.oom_file), "%s", entry.oom_file);
	snprintf(order.message_file, sizeof(order.message_file), "%s",
		 message_path(b->a, b->p, b->c));
	if (b->p->handler)
		snprintf(order.launch_dir, sizeof(order.launch_dir), "%s", handler_dir(b->a, b->c));
	int r = log_directory(b, &order, err);
	if (r == 0)
		r = container_checks(b, err);
	return r < 0 ? r : link_send(&b->p->link, SHIM_START, &order, sizeof(order),
				     b->out, run, NULL, NULL, err);
}

static int start(struct builder *b, struct container_run *run, const struct wanted_container *w,
		 const struct set *set, struct err *err)
{
	b->fault = FAULT_CONFIG;
	int r = environment(b, set, err);

	if (r < 0)
		return r;
	b->fault = FAULT_CREATE;
	r = container_layer(b, w->attempt, err);
	if (r == 0)
		r = container_program(b, run, w->attempt, err);
	if (r == 0)
		r = send_start(b, run, w, err);
	if (r == 0 && run->attempt != w->attempt)
		container_layer_sweep(b, run->attempt);
	return r;
}

static void refused(struct container_run *run, enum start_fault fault, const struct err *err)
{
	run->refused.fault = fault;
	run->refused.times++;
	run->refused.at = time_now();
	snprintf(run->message, sizeof(run->message), "%.*s", (int)sizeof(run->message) - 1, err->msg);
}

int container_start(struct sandbox *p, struct container_run *run, const struct wanted_container *w,
		    const struct wanted_volumes *volumes, const struct set *set, struct err *err)
{
	struct err own = { 0 }, *e = err ? err : &own;
	BUF_AUTO program = { 0 };
	struct arena a = { 0 };
	struct builder b;
	int r = builder_init(&b, &a, p, run, true, &program, e);

	b.claims = volumes;
	if (r == 0)
		r = start(&b, run, w, set, e);
	if (r < 0)
		refused(run, b.fault, e);
	else
		run->refused = (struct start_refusal){ 0 };
	arena_release(&a);
	return r;
}
