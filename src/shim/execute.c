/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executes programs: walks the records, one function each, and stops at the first failure. Also
 * here: how the children are made that do so, and what they hold. See execute.h.
 */
#include "shim/execute.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/macro.h"
#include "base/sock.h"
#include "shim/clone.h"
#include "shim/netlink.h"
#include "shim/ops.h"
#include "shim/text.h"

static int op_join(struct prog_run *x, const struct step *st);
static int op_console(struct prog_run *x, const struct step *st);

static int (*const ops[OP_COUNT])(struct prog_run *, const struct step *) = {
	[OP_UNSHARE] = op_unshare,
	[OP_USERNS] = op_userns,
	[OP_ENTER] = op_enter,
	[OP_JOIN] = op_join,
	[OP_KEEP_MOUNTS] = op_keep_mounts,
	[OP_SLAVE] = op_slave,
	[OP_TASKS] = op_tasks,
	[OP_HOSTNAME] = op_hostname,
	[OP_NETLINK_HOST] = op_netlink_host,
	[OP_NETLINK_POD] = op_netlink_pod,
	[OP_WRITE] = op_write,
	[OP_MKDIR] = op_mkdir,
	[OP_MKNOD] = op_mknod,
	[OP_SYMLINK] = op_symlink,
	[OP_FILE] = op_file,
	[OP_MOUNT] = op_mount,
	[OP_BIND] = op_bind,
	[OP_OWN] = op_own,
	[OP_ROOT] = op_root,
	[OP_PIDS] = op_pids,
	[OP_PIVOT] = op_pivot,
	[OP_CONSOLE] = op_console,
	[OP_MASK] = op_mask,
	[OP_READONLY] = op_readonly,
	[OP_CHDIR] = op_chdir,
	[OP_RLIMIT] = op_rlimit,
	[OP_OOM_SCORE] = op_oom_score,
	[OP_GROUPS] = op_groups,
	[OP_GID] = op_gid,
	[OP_UID] = op_uid,
	[OP_CAPS] = op_caps,
	[OP_NO_NEW_PRIVS] = op_no_new_privs,
	[OP_SECCOMP] = op_seccomp,
	[OP_ENV] = op_env,
	[OP_ARG] = op_arg,
	[OP_EXEC] = op_exec,
};

void step_blame(struct prog_run *x, const char *what)
{
	TEXT_COPY(x->fail.what, what);
}

static const struct prog_op *record(const struct prog_run *x, size_t at)
{
	return (const struct prog_op *)((const char *)x->prog + at);
}

static int run_step(struct prog_run *x, const struct prog_op *op)
{
	struct step st = { .op = op };
	const char *s = prog_strings(op);

	for (unsigned i = 0; i < op->nstr; i++) {
		st.s[i] = s;
		s += strlen(s) + 1;
	}
	step_blame(x, op->nstr ? st.s[0] : "");
	return ops[op->op](x, &st);
}

static int run_from_here(struct prog_run *x)
{
	while (x->at < x->size) {
		const struct prog_op *op = record(x, x->at);
		int r = run_step(x, op);
		if (r < 0) {
			x->fail.op = op->op;
			x->fail.index = x->index;
			x->fail.error = -r;
			return r;
		}
		x->at += op->size;
		x->index++;
	}
	return 0;
}

/* Counts what the arrays need, and notes where the root will be. */
static void survey(const void *prog, size_t size, unsigned *args, unsigned *envs, const char **root)
{
	const struct prog_op *op;

	for (size_t at = 0; at < size; at += op->size) {
		op = (const struct prog_op *)((const char *)prog + at);
		*args += op->op == OP_ARG;
		*envs += op->op == OP_ENV;
		if (op->op == OP_PIVOT || op->op == OP_ROOT)
			*root = prog_strings(op);
	}
}

struct prog_run *prog_run_new(const void *prog, size_t size)
{
	unsigned args = 0, envs = 0;
	const char *root = NULL;

	survey(prog, size, &args, &envs, &root);
	size_t mapped = sizeof(struct prog_run) + (args + envs + 2) * sizeof(char *);
	struct prog_run *x = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (x == MAP_FAILED)
		return NULL;
	*x = (struct prog_run){
		.prog = prog, .size = size, .mapped = mapped, .root = root,
		.stdio = { -1, -1, -1 }, .cgroup = -1, .join = -1, .console = -1, .userns = -1,
		.host_mounts = -1, .pids = -1, .owner = -1, .host_netlink = -1, .pod_netlink = -1,
		.oom_score = "0", .root_fd = -1, .masks = { -1, -1 },
	};
	x->argv = (const char **)(x + 1);
	x->envp = x->argv + args + 1;
	x->stack = mmap(NULL, PROG_STACK, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (x->stack != MAP_FAILED)
		return x;
	munmap(x, mapped);
	return NULL;
}

void prog_run_free(struct prog_run *x)
{
	if (!x)
		return;
	munmap(x->stack, PROG_STACK);
	munmap(x, x->mapped);
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

int prog_run_sandbox(struct prog_run *x)
{
	x->in_shim = true;
	x->host_netlink = netlink_open();
	int r = run_from_here(x);
	close_if_open(x->host_netlink);
	close_if_open(x->pod_netlink);
	if (x->own_net)
		close(PROG_NETNS_FD);
	return r;
}

/* ---- children ---- */

static void sort(int v[], int n)
{
	for (int i = 0; i < n; i++) {
		for (int j = i + 1; j < n; j++) {
			if (v[j] < v[i]) {
				int t = v[i];
				v[i] = v[j];
				v[j] = t;
			}
		}
	}
}

/*
 * Stdio in its place and everything else closed but few descriptors: a path that an image
 * smuggles in must not find a directory of the host behind /proc/self/fd.
 */
static int keep_only(struct prog_run *x)
{
	int keep[] = { x->owner, x->join, x->console, x->userns, x->host_mounts,
		       x->pids };
	unsigned from = 3;

	for (int i = 0; i < 3; i++) {
		if (x->stdio[i] >= 0 && dup2(x->stdio[i], i) < 0)
			return -errno;
	}
	sort(keep, ARRAY_SIZE(keep));
	for (size_t i = 0; i < ARRAY_SIZE(keep); i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned)keep[i] > from && close_range(from, (unsigned)keep[i] - 1, 0) < 0)
			return -errno;
		from = (unsigned)keep[i] + 1;
	}
	return close_range(from, ~0U, 0) < 0 ? -errno : 0;
}

/* A session and keyring of its own. The keyring is a courtesy: some kernels have none. */
static void new_session(void)
{
	setsid();
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

/* With CLONE_VM this is still the child's alone: the kernel spares the caller of a vfork. */
static void leave_oom_score(const struct prog_run *x)
{
	FD_AUTO fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, x->oom_score, strlen(x->oom_score));
}

static void child(void *arg)
{
	struct prog_run *x = arg;
	int r = keep_only(x);

	new_session();
	leave_oom_score(x);
	if (r < 0) {
		x->fail.error = -r;
		step_blame(x, "descriptors");
	} else {
		run_from_here(x);
	}
	syscall(SYS_exit_group, 127);
}

static int start(struct prog_run *x, uint64_t flags, pid_t *ret_pid, int *ret_pidfd)
{
	struct clone_child c = {
		.flags = flags,
		.cgroup_fd = x->cgroup,
		.stack = x->stack,
		.stack_size = PROG_STACK,
		.run = child,
		.arg = x,
	};

	x->owner = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (x->owner < 0)
		return -errno;
	pid_t pid = clone_run(&c, ret_pidfd);
	close(x->owner);
	if (pid < 0) {
		x->fail.error = -pid;
		step_blame(x, "clone");
		return pid;
	}
	*ret_pid = pid;
	return 0;
}

static int start_sharing(struct prog_run *x, uint64_t flags, pid_t *ret_pid, int *ret_pidfd)
{
	int r = start(x, CLONE_VM | flags, ret_pid, ret_pidfd);

	if (r == 0 && x->fail.error) {
		close(*ret_pidfd);
		r = -x->fail.error;
	}
	return r;
}

int prog_run_container(struct prog_run *x, pid_t *ret_pid, int *ret_pidfd)
{
	return start_sharing(x, CLONE_NEWNS | x->pid_flags, ret_pid, ret_pidfd);
}

int prog_run_outside(struct prog_run *x, pid_t *ret_pid, int *ret_pidfd)
{
	return start_sharing(x, 0, ret_pid, ret_pidfd);
}

int prog_run_exec(struct prog_run *x, pid_t *ret_pid, int *ret_pidfd)
{
	int pidfd;
	int r = start(x, 0, ret_pid, &pidfd);

	if (r < 0)
		return r;
	close(pidfd);
	if (x->fail.error)
		return -x->fail.error;
	if (!x->joined)
		return -EINVAL;
	*ret_pid = x->joined;
	*ret_pidfd = (int)syscall(SYS_pidfd_open, x->joined, 0);
	return *ret_pidfd < 0 ? -errno : 0;
}

/* ---- joining ---- */

/* The container may have put anything at this path: a pty multiplexer is known by its number. */
static int open_multiplexer(void)
{
	struct open_how how = {
		.flags = O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	FD_AUTO fd = (int)syscall(SYS_openat2, AT_FDCWD, "/dev/pts/ptmx", &how, sizeof(how));
	struct stat sb;
	struct statfs fs;

	if (fd < 0 || fstat(fd, &sb) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (!S_ISCHR(sb.st_mode) || sb.st_rdev != makedev(5, 2) || fs.f_type != DEVPTS_SUPER_MAGIC)
		return -ENOTTY;
	if (fcntl(fd, F_SETFL, 0) < 0)
		return -errno;
	return fd_take(&fd);
}

/* A pty of the container's own /dev/pts, so that its name means something inside. */
static int make_console(struct prog_run *x)
{
	struct winsize size = { .ws_row = x->rows, .ws_col = x->cols };
	int unlocked = 0;
	FD_AUTO master = open_multiplexer();

	if (master < 0)
		return master;
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return -errno;
	FD_AUTO tty = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty < 0 || (x->rows && ioctl(master, TIOCSWINSZ, &size) < 0) ||
	    ioctl(tty, TIOCSCTTY, 0) < 0)
		return -errno;
	for (int i = 0; i < 3; i++) {
		if (dup2(tty, i) < 0)
			return -errno;
	}
	ssize_t n = sock_send(x->console, "", 1, &master, 1);
	return n < 0 ? (int)n : 0;
}

static int op_console(struct prog_run *x, const struct step *st)
{
	(void)st;
	step_blame(x, "/dev/pts/ptmx");
	return x->console < 0 || x->in_shim ? -ENOTTY : make_console(x);
}

/* What goes on inside: the records after JOIN. */
static void joined_child(void *arg)
{
	struct prog_run *x = arg;

	new_session();
	int r = x->console >= 0 ? make_console(x) : 0;
	if (r < 0) {
		x->fail = (struct prog_fail){ .error = -r, .op = OP_JOIN, .index = x->index };
		step_blame(x, "/dev/pts/ptmx");
	} else {
		x->at += record(x, x->at)->size;
		x->index++;
		run_from_here(x);
	}
	syscall(SYS_exit_group, 127);
}

static int op_join(struct prog_run *x, const struct step *st)
{
	int pidfd;
	struct clone_child c = {
		.flags = CLONE_PARENT,
		.cgroup_fd = -1,
		.stack = x->stack,
		.stack_size = PROG_STACK / 2,
		.run = joined_child,
		.arg = x,
	};

	if (x->in_shim || x->join < 0)
		return -ESRCH;
	bool other_users = st->op->b & CLONE_NEWUSER;
	if (other_users)
		userns_give_stdio(st->op->a, false);
	if (setns(x->join, (int)st->op->b) < 0)
		return -errno;
	int r = other_users ? userns_become_root() : 0;
	if (r < 0)
		return r;
	x->in_root = true;
	pid_t pid = clone_run(&c, &pidfd);
	if (pid < 0)
		return pid;
	x->joined = pid;
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}
