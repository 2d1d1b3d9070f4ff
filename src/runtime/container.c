/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a container: its program, its probes, the order. The root is an overlay of the image
 * and a writable layer of this attempt's own; no file system of a container but its /dev and
 * what a volume of a device type names honours device nodes, so that CAP_MKNOD, which images rely
 * on, gives nobody the disks of the host. Mounts are made below RUN/pods/UID/root, each container
 * in a mount namespace of its own.
 */
#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"
#include "model/names.h"
#include "runtime/identity.h"
#include "runtime/images.h"
#include "runtime/probe.h"
#include "runtime/sandbox.h"
#include "runtime/volume.h"
#include "sys/privilege.h"

#define OPTIONS_MAX 4096		/* of mount(2), with the NUL */
#define QUIET (MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct builder {
	struct arena *a;
	struct sandbox *p;
	const struct container *c;
	struct image image;
	struct identity id;
	struct env env;
	struct strs argv;
	const char *root;		/* the mount point of the container's root */
	const char *layer;		/* its writable layer: LAYER.upper and LAYER.work */
	const struct wanted_volumes *claims;
	struct buf *out;
};

static void op0(struct builder *b, enum prog_opcode op, uint64_t x, uint64_t y)
{
	prog_add(b->out, op, x, y, NULL, NULL, 0);
}

static void op1(struct builder *b, enum prog_opcode op, uint64_t x, uint64_t y, const char *s)
{
	prog_add(b->out, op, x, y, PROG_S(s), NULL, 0);
}

static const char *in_root(struct builder *b, const char *path)
{
	return arena_printf(b->a, "%s%s", b->root, path);
}

static void bind(struct builder *b, const char *from, const char *to, uint64_t flags)
{
	prog_add(b->out, OP_BIND, flags, BIND_INNER, PROG_S(from, to), NULL, 0);
}

static struct cgroup_entry entry_of(const struct builder *b)
{
	struct cgroup_entry entry;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", b->p->cgroup, b->c->name);
	cgroup_entry(b->p->rt->cg, path, &entry);
	return entry;
}

static void join_cgroup(struct builder *b)
{
	struct cgroup_entry entry = entry_of(b);

	for (unsigned i = 0; i < entry.ntasks; i++)
		op1(b, OP_TASKS, 0, 0, entry.tasks[i]);
}

static void oom_score(struct builder *b)
{
	int64_t score = identity_oom_score(&b->p->object.pod->spec, b->c, b->p->rt->node.memory);

	op0(b, OP_OOM_SCORE, (uint64_t)score, 0);
}

/* ---- root ---- */

/* In options of overlayfs a colon separates directories and a comma options. */
static void option_path(struct buf *out, const char *path)
{
	for (; *path; path++) {
		if (strchr("\\:,", *path))
			buf_putc(out, '\\');
		buf_putc(out, *path);
	}
}

/* path as seen from lower, NULL when it is not below. */
static const char *below(const char *path, const char *lower)
{
	size_t n = streq(lower, "/") ? 0 : strlen(lower);

	return strncmp(path, lower, n) == 0 && path[n] == '/' ? path + n : NULL;
}

/* overlayfs refuses a layer inside another one; an image that holds it is a host's root. */
static bool wants_skeleton(const struct builder *b)
{
	for (const char *const *l = b->image.lowers; *l; l++)
		if (below(b->p->rt->skeleton, *l))
			return false;
	return true;
}

/*
 * volatile: what is written does not outlive the attempt, so nobody waits for a disk. All options
 * must fit into one page (mount(2) cuts off the rest), and an image may have 127 layers: so they
 * are named from the directory that they are in.
 */
static int overlay(struct builder *b, struct err *err)
{
	BUF_AUTO data = { 0 };

	op1(b, OP_CHDIR, 0, 0, b->image.dir);
	buf_puts(&data, "lowerdir=");
	for (const char *const *l = b->image.lowers; *l; l++) {
		const char *inside = below(*l, b->image.dir);

		if (l != b->image.lowers)
			buf_putc(&data, ':');
		option_path(&data, inside && inside[1] ? inside + 1 : *l);
	}
	if (wants_skeleton(b)) {
		buf_putc(&data, ':');
		option_path(&data, b->p->rt->skeleton);
	}
	buf_puts(&data, ",upperdir=");
	option_path(&data, b->layer);
	buf_puts(&data, ".upper,workdir=");
	option_path(&data, b->layer);
	buf_puts(&data, ".work,volatile");
	if (data.len >= OPTIONS_MAX)
		return err_set(err, -E2BIG, "the image has too many layers");
	prog_add(b->out, OP_MOUNT, b->id.privileged ? 0 : MS_NODEV, 0,
		 PROG_S("overlay", b->root, "overlay", buf_str(&data)), NULL, 0);
	return 0;
}

/* Directories of orchd's own that are part of the image, as in rootfs:/. */
static void hide_own(struct builder *b)
{
	const struct strs *hidden = &b->p->rt->hidden;

	for (const char *const *l = b->image.lowers; *l; l++) {
		for (uint32_t i = 0; i < hidden->n; i++) {
			const char *inside = below(hidden->v[i], *l);

			if (inside)
				op1(b, OP_MASK, 0, 0, in_root(b, inside));
		}
	}
}

/* ---- file systems of the kernel ---- */

static const struct {
	const char *type, *path, *data;
	uint64_t flags;
} mounts[] = {
	{ "proc", "/proc", "", QUIET },
	{ "tmpfs", "/dev", "mode=0755,size=64k", MS_NOSUID | MS_NODEV | MS_STRICTATIME },
	{ "devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5",
	  MS_NOSUID | MS_NOEXEC },
	{ "mqueue", "/dev/mqueue", "", QUIET },
	{ "sysfs", "/sys", "", QUIET | MS_RDONLY },
};

static const char *const devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
};

static const struct {
	const char *target, *path;
} links[] = {
	{ "/proc/self/fd", "/dev/fd" },
	{ "/proc/self/fd/0", "/dev/stdin" },
	{ "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" },
	{ "pts/ptmx", "/dev/ptmx" },
};

/* What the host has in its /dev, but what every container has one of its own. */
static void all_devices(struct builder *b)
{
	static const char *const own[] = {
		".", "..", "fd", "stdin", "stdout", "stderr", "ptmx", "pts", "shm", "mqueue",
		"null", "zero", "full", "random", "urandom", "tty", "console", "log", "core", NULL,
	};
	DIR *d = opendir("/dev");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		const char *const *o = own;

		while (*o && !streq(*o, e->d_name))
			o++;
		if (*o || (e->d_type != DT_CHR && e->d_type != DT_BLK && e->d_type != DT_DIR))
			continue;
		const char *path = arena_printf(b->a, "/dev/%s", e->d_name);
		bind(b, path, in_root(b, path), MS_REC | MS_NOSUID | MS_NOEXEC);
	}
	if (d)
		closedir(d);
}

static void kernel_mounts(struct builder *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		uint64_t writable = b->id.privileged ? MS_RDONLY : 0;

		prog_add(b->out, OP_MOUNT, mounts[i].flags & ~writable, 0,
			 PROG_S(mounts[i].type, in_root(b, mounts[i].path), mounts[i].type,
				mounts[i].data), NULL, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		bind(b, devices[i], in_root(b, devices[i]), MS_NOSUID | MS_NOEXEC);
	if (b->id.privileged)
		all_devices(b);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		prog_add(b->out, OP_SYMLINK, 0, 0,
			 PROG_S(links[i].target, in_root(b, links[i].path)), NULL, 0);
}

/* The container's own groups, under the names of their v1 hierarchies. */
static void cgroup_v1_mounts(struct builder *b, const struct cgroup_entry *entry)
{
	uint64_t read_only = b->id.privileged ? 0 : MS_RDONLY;
	static const char place[] = "/sys/fs/cgroup/";
	const size_t n = sizeof(place) - 1;

	prog_add(b->out, OP_MOUNT, QUIET, 0,
		 PROG_S("tmpfs", in_root(b, "/sys/fs/cgroup"), "tmpfs", "mode=0755,size=64k"),
		 NULL, 0);
	for (unsigned i = 0; i < entry->ntasks; i++) {
		const char *tasks = entry->tasks[i];

		if (strncmp(tasks, place, n) != 0)
			continue;
		size_t dir = (size_t)(strrchr(tasks, '/') - tasks);
		const char *group = arena_strndup(b->a, tasks, dir);
		const char *name = arena_strndup(b->a, tasks, n + strcspn(tasks + n, "/"));
		bind(b, group, in_root(b, name), QUIET | read_only);
	}
}

static void cgroup_mounts(struct builder *b)
{
	struct cgroup_entry entry = entry_of(b);

	if (entry.ntasks)
		cgroup_v1_mounts(b, &entry);
	else
		prog_add(b->out, OP_MOUNT, QUIET | (b->id.privileged ? 0 : MS_RDONLY), 0,
			 PROG_S("cgroup2", in_root(b, "/sys/fs/cgroup"), "cgroup2", ""), NULL, 0);
}

/* ---- binds: files of /etc, shared memory, volumes ---- */

struct mount_point {
	const char *from, *to;		/* to: in the container */
	uint64_t flags, how;		/* MS_, BIND_ */
};
struct mount_points { struct mount_point *v; uint32_t n; };

static unsigned depth(const char *path)
{
	unsigned n = 0;

	for (; *path; path++)
		n += path[0] == '/' && path[1] && path[1] != '/';
	return n;
}

static bool same_path(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	while (n > 1 && a[n - 1] == '/')
		n--;
	while (m > 1 && b[m - 1] == '/')
		m--;
	return n == m && memcmp(a, b, n) == 0;
}

/* Outer ones before inner ones, else in the order they came in. */
static void mount_point_add(struct arena *a, struct mount_points *l, struct mount_point m)
{
	unsigned d = depth(m.to);

	arena_push(a, l);
	uint32_t i = l->n - 1;
	for (; i > 0 && depth(l->v[i - 1].to) > d; i--)
		l->v[i] = l->v[i - 1];
	l->v[i] = m;
}

/* What the volume is on the host, made if its type says so. */
static int volume_path(struct builder *b, const struct volume_in *in, const struct volume *v,
		       const char **ret, struct err *err)
{
	const struct wanted_volume *claim = volume_claim(in, v);
	struct host_path_volume at = { 0 };

	*ret = volume_source(b->a, in, v);
	if (!*ret)
		return err_set(err, -ENOENT, "volume \"%s\": %s", v->name,
			       v->persistent_volume_claim || v->ephemeral ? "its claim is not bound" :
			       "orch cannot mount its kind of source");
	if (v->host_path)
		return volume_check_host_path(v->host_path, err);
	if (!claim)
		return 0;
	at.path = claim->path;
	at.type = claim->type;
	return volume_check_host_path(&at, err);
}

/* As kubelet: what is not there is no empty text here, and the result is no way out. */
static int expand_sub_path(struct builder *b, const char *expr, const char **ret, struct err *err)
{
	const char *missing = NULL;

	*ret = env_expand_strict(b->a, expr, &b->env.vars, &missing);
	if (missing)
		return err_set(err, -EINVAL, "missing value for \"%s\"", missing);
	if (**ret == '/')
		return err_set(err, -EINVAL, "error SubPath `%s` must not be an absolute path", *ret);
	if (path_has_dotdot(*ret))
		return err_set(err, -EINVAL, "error SubPath `%s` must not contain '..'", *ret);
	return 0;
}

static int sub_path(struct builder *b, const struct volume_mount *m, const char **ret,
		    struct err *err)
{
	*ret = m->sub_path && *m->sub_path ? m->sub_path : NULL;
	if (*ret || !m->sub_path_expr || !*m->sub_path_expr)
		return 0;
	return expand_sub_path(b, m->sub_path_expr, ret, err);
}

static uint64_t propagation(const struct volume_mount *m)
{
	return m->mount_propagation > PROPAGATION_NONE ? MS_SLAVE : 0;
}

static bool recursive(const struct volume_mount *m)
{
	return m->recursive_read_only == RECURSIVE_IF_POSSIBLE ||
	       m->recursive_read_only == RECURSIVE_ENABLED;
}

static bool is_read_only(const struct volume_in *in, const struct volume *v,
			 const struct volume_mount *m)
{
	const struct wanted_volume *claim = volume_claim(in, v);

	return m->read_only || volume_is_files(v) || (claim && claim->read_only);
}

/* Once in the life of the pod, before anything of it may write there. */
static void own_volume(struct builder *b, const struct volume_in *in, const struct volume *v)
{
	const struct pod_spec *s = &b->p->object.pod->spec;
	const struct wanted_volume *claim = volume_claim(in, v);
	uint32_t i = (uint32_t)(v - s->volumes.v);
	gid_t group;

	if (!claim || !claim->own || claim->read_only || !volume_group(&b->p->object, &group) ||
	    (i < 64 && b->p->owned >> i & 1))
		return;
	prog_add(b->out, OP_OWN, group,
		 s->security_context->fs_group_change_policy == FS_GROUP_ON_ROOT_MISMATCH,
		 PROG_S(claim->path), NULL, 0);
	if (i < 64)
		b->p->owned |= UINT64_C(1) << i;
}

static int add_volume(struct builder *b, const struct volume_mount *m, struct mount_points *l,
		      struct err *err)
{
	const struct volume_in in = { &b->p->object, b->p->run_dir, b->p->state_dir, b->p->rt->node,
				      b->claims->v, b->claims->n };
	const struct volume *v = volume_find(&b->p->object.pod->spec, m->name);
	struct mount_point at = { .to = m->mount_path, .how = BIND_INNER };
	const char *sub = NULL;
	int r;

	if (!v)
		return err_set(err, -EINVAL, "there is no volume \"%s\"", m->name);
	r = volume_path(b, &in, v, &at.from, err);
	if (r == 0)
		r = sub_path(b, m, &sub, err);
	if (r < 0)
		return r;
	own_volume(b, &in, v);
	at.flags = MS_REC | (volume_keeps_devices(v) ? 0 : MS_NODEV) | propagation(m);
	if (is_read_only(&in, v, m)) {
		at.flags |= MS_RDONLY;
		at.how |= recursive(m) ? 0 : BIND_TOP;
	}
	if (sub) {
		at.from = arena_printf(b->a, "%s//%s", at.from, sub);
		at.how |= volume_is_files(v) ? 0 : BIND_MAKE;
	}
	mount_point_add(b->a, l, at);
	return 0;
}

/* Unless a volume of the pod is mounted there. */
static void add_own(struct builder *b, struct mount_points *l, const char *from, const char *to,
		    uint64_t flags)
{
	const struct volume_mount_list *m = &b->c->volume_mounts;

	for (uint32_t k = 0; k < m->n; k++) {
		if (same_path(m->v[k].mount_path, to))
			return;
	}
	mount_point_add(b->a, l, (struct mount_point){ from, to, flags, BIND_INNER });
}

static int collect_mounts(struct builder *b, struct mount_points *l, struct err *err)
{
	static const char *const files[][2] = {
		{ "hosts", "/etc/hosts" }, { "hostname", "/etc/hostname" },
		{ "resolv.conf", "/etc/resolv.conf" },
	};
	const char *message = b->c->termination_message_path;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		add_own(b, l, arena_printf(b->a, "%s/%s", b->p->run_dir, files[i][0]), files[i][1],
			MS_NODEV);
	add_own(b, l, b->p->object.pod->spec.host_ipc ? "/dev/shm" :
		arena_printf(b->a, "%s/shm", b->p->rt->scratch), "/dev/shm", QUIET);
	if (message && *message)
		add_own(b, l, message_path(b->a, b->p, b->c), message, QUIET);
	for (uint32_t i = 0; r == 0 && i < b->c->volume_mounts.n; i++)
		r = add_volume(b, &b->c->volume_mounts.v[i], l, err);
	return r;
}

static int binds(struct builder *b, struct err *err)
{
	struct mount_points l = { 0 };
	int r = collect_mounts(b, &l, err);

	for (uint32_t i = 0; r == 0 && i < l.n; i++)
		prog_add(b->out, OP_BIND, l.v[i].flags, l.v[i].how,
			 PROG_S(l.v[i].from, in_root(b, l.v[i].to)), NULL, 0);
	return r;
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

static const char *work_dir(const struct builder *b)
{
	return b->c->working_dir ? b->c->working_dir : b->image.workdir;
}

/* A working directory that is missing is made while the root can still be written. */
static void enter_root(struct builder *b)
{
	op1(b, OP_PIVOT, 0, 0, b->root);
	for (size_t i = 0; !b->id.privileged && i < ARRAY_SIZE(masked); i++)
		op1(b, OP_MASK, 0, 0, masked[i]);
	for (size_t i = 0; !b->id.privileged && i < ARRAY_SIZE(read_only_paths); i++)
		op1(b, OP_READONLY, 0, 0, read_only_paths[i]);
	op1(b, OP_CHDIR, 0, 1, work_dir(b));
	if (!b->id.read_only_root)
		return;
	prog_add(b->out, OP_MOUNT, MS_REMOUNT | MS_BIND | MS_RDONLY |
		 (b->id.privileged ? 0 : MS_NODEV), 0,
		 PROG_S("", "/", "", ""), NULL, 0);
	op1(b, OP_CHDIR, 0, 0, work_dir(b));
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

/* Identity, rights, environment and command: the end of every program. */
static int become(struct builder *b, struct err *err)
{
	const struct buf *filter;
	int r = filter_of(b->p->rt, b->id.caps, &filter, err);

	if (r < 0)
		return r;
	bool gains = b->id.may_gain;
	/* without no_new_privs a filter takes CAP_SYS_ADMIN, which goes with CAPS: seccomp(2) */
	if (gains && !b->id.no_filter)
		prog_add(b->out, OP_SECCOMP, 0, 0, NULL, filter->data, filter->len);
	prog_add(b->out, OP_GROUPS, 0, 0, NULL, b->id.groups, b->id.ngroups * sizeof(gid_t));
	op0(b, OP_GID, b->id.gid, 0);
	op0(b, OP_UID, b->id.uid, 0);
	op0(b, OP_CAPS, b->id.caps, 0);
	if (!gains)
		op0(b, OP_NO_NEW_PRIVS, 0, 0);
	if (!gains && !b->id.no_filter)
		prog_add(b->out, OP_SECCOMP, 0, 0, NULL, filter->data, filter->len);
	for (uint32_t i = 0; i < b->env.list.n; i++)
		op1(b, OP_ENV, 0, 0, b->env.list.v[i]);
	for (uint32_t i = 0; i < b->argv.n; i++)
		op1(b, OP_ARG, 0, 0, b->argv.v[i]);
	op0(b, OP_EXEC, 0, 0);
	return 0;
}

/* ---- programs ---- */

static int container_program(struct builder *b, struct err *err)
{
	join_cgroup(b);
	op0(b, OP_UNSHARE, CLONE_NEWCGROUP, 0);
	oom_score(b);
	int r = overlay(b, err);
	if (r < 0)
		return r;
	hide_own(b);
	kernel_mounts(b);
	cgroup_mounts(b);
	r = binds(b, err);
	if (r < 0)
		return r;
	enter_root(b);
	return become(b, err);
}

static int exec_program(struct builder *b, struct err *err)
{
	join_cgroup(b);
	oom_score(b);
	op0(b, OP_JOIN, 0, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP);
	op1(b, OP_CHDIR, 0, 0, work_dir(b));
	return become(b, err);
}

static int builder_init(struct builder *b, struct arena *a, struct sandbox *p,
			struct container_run *run, bool start, struct buf *out, struct err *err)
{
	*b = (struct builder){ .a = a, .p = p, .c = run->spec, .out = out };
	b->root = p->rt->root;
	int r = images_resolve(p, run, start, a, &b->image, err);
	return r < 0 ? r : identity_of(a, &p->object.pod->spec, b->c, &b->image, &b->id, err);
}

int container_exec_program(struct sandbox *p, struct container_run *run,
			   const struct strs *argv, const struct strs *env, struct arena *a,
			   struct buf *out, struct err *err)
{
	struct builder b;
	int r = builder_init(&b, a, p, run, false, out, err);

	b.argv = *argv;
	b.env.list = *env;
	return r < 0 ? r : exec_program(&b, err);
}

/* ---- starting ---- */

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

	if (r == 0)
		r = env_command(b->a, &in, &b->env, &b->argv, err);
	return r < 0 ? r : record_write_env(b->p, b->c->name, &b->env.list, err);
}

static const char *layer_path(struct arena *a, const struct sandbox *p, const char *container,
			      uint32_t attempt)
{
	return arena_printf(a, "%s/%s.%u", p->state_dir, container, attempt);
}

static int make_directory(const char *path, struct err *err)
{
	/* overlayfs shows the mode of upper as that of the root, whatever the umask is */
	if ((mkdir(path, 0755) < 0 && errno != EEXIST) || chmod(path, 0755) < 0)
		return err_sys(err, -errno, "%s", path);
	return 0;
}

/* One that is there is left of an orchd that was killed before it could order the start. */
static int make_layer(struct builder *b, uint32_t attempt, struct err *err)
{
	b->layer = layer_path(b->a, b->p, b->c->name, attempt);
	const char *upper = arena_printf(b->a, "%s.upper", b->layer);
	const char *work = arena_printf(b->a, "%s.work", b->layer);
	int r = 0;

	if (file_exists(work) && (r = file_rm_rf(upper, err)) == 0)
		r = file_rm_rf(work, err);
	if (r == 0)
		r = file_mkdir_p(b->p->state_dir, 0700, err);
	if (r == 0)
		r = make_directory(work, err);
	return r < 0 ? r : make_directory(upper, err);
}

static void sweep_layer(struct builder *b, uint32_t attempt)
{
	const char *layer = layer_path(b->a, b->p, b->c->name, attempt);

	sweep_add(&b->p->rt->sweep, NULL, 0, (const char *const[SWEEP_DIRS]){
		arena_printf(b->a, "%s.upper", layer), arena_printf(b->a, "%s.work", layer) });
}

/* The program of a probe or hook; none when it is no command. */
static int try_program(struct builder *b, const struct exec_action *exec, struct buf *out,
		       struct err *err)
{
	struct builder own = *b;

	if (!exec)
		return 0;
	own.out = out;
	own.argv = exec->command;
	return exec_program(&own, err);
}

static int send_probe(struct builder *b, enum shim_probe_kind kind, struct err *err)
{
	const struct probe *p = probe_of(b->c, kind);
	BUF_AUTO program = { 0 };
	struct shim_probe order;

	if (!p)
		return 0;
	int r = probe_order(b->c, kind, b->p->ip, &order, err);
	if (r == 0)
		r = try_program(b, p->exec, &program, err);
	if (r < 0)
		return r;
	return link_send(&b->p->link, SHIM_PROBE, &order, sizeof(order), &program, NULL,
			 NULL, NULL, err);
}

static int send_hook(struct builder *b, enum shim_hook_kind kind, struct err *err)
{
	const struct lifecycle_handler *h = hook_of(b->c, kind);
	BUF_AUTO program = { 0 };
	struct shim_hook order;

	if (!h)
		return 0;
	int r = hook_order(b->c, kind, b->p->ip, &order, err);
	if (r == 0 && !h->sleep)
		r = try_program(b, h->exec, &program, err);
	if (r < 0)
		return r;
	return link_send(&b->p->link, SHIM_HOOK, &order, sizeof(order), &program, NULL,
			 NULL, NULL, err);
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

static enum shim_pids pids_of(const struct pod_spec *s)
{
	return s->host_pid ? SHIM_PIDS_HOST : s->share_process_namespace ? SHIM_PIDS_POD :
									   SHIM_PIDS_OWN;
}

static int send_start(struct builder *b, struct container_run *run,
		      const struct wanted_container *w, struct err *err)
{
	const struct runtime_settings *s = &b->p->rt->s;
	struct cgroup_entry entry = entry_of(b);
	struct shim_start order = {
		.attempt = w->attempt, .backoff = w->backoff,
		.log_max_bytes = s->log_max_bytes, .log_max_files = s->log_max_files,
		.stop_rank = stop_rank(b->p, run),
		.stop_signal = stop_signal(b),
		.pids = pids_of(&b->p->object.pod->spec),
	};

	snprintf(order.name, sizeof(order.name), "%s", b->c->name);
	snprintf(order.cgroup_dir, sizeof(order.cgroup_dir), "%s", entry.dir);
	snprintf(order.oom_file, sizeof(order.oom_file), "%s", entry.oom_file);
	snprintf(order.message_file, sizeof(order.message_file), "%s",
		 message_path(b->a, b->p, b->c));
	int r = log_directory(b, &order, err);
	for (int k = 0; r == 0 && k < SHIM_PROBES; k++)
		r = send_probe(b, (enum shim_probe_kind)k, err);
	for (int k = 0; r == 0 && k < SHIM_HOOKS; k++)
		r = send_hook(b, (enum shim_hook_kind)k, err);
	return r < 0 ? r : link_send(&b->p->link, SHIM_START, &order, sizeof(order),
				     b->out, run, NULL, NULL, err);
}

int container_start(struct sandbox *p, struct container_run *run, const struct wanted_container *w,
		    const struct wanted_volumes *volumes, const struct set *set, struct err *err)
{
	BUF_AUTO program = { 0 };
	struct arena a = { 0 };
	struct builder b;
	int r = builder_init(&b, &a, p, run, true, &program, err);

	b.claims = volumes;
	if (r == 0)
		r = environment(&b, set, err);
	if (r == 0)
		r = make_layer(&b, w->attempt, err);
	if (r == 0)
		r = container_program(&b, err);
	if (r == 0)
		r = send_start(&b, run, w, err);
	if (r == 0 && run->attempt != w->attempt)
		sweep_layer(&b, run->attempt);
	arena_release(&a);
	return r;
}
