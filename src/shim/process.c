/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on the process itself: namespaces, cgroup, limits, identity, execve. System calls are
 * made directly where glibc would change all threads (set*id) or keep state of its own.
 *
 * PR_SET_PDEATHSIG makes a container die with its shim. The kernel clears it whenever credentials
 * change, and a seccomp filter might refuse it, so it is set after the one and before the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/clone.h"
#include "base/macro.h"
#include "shim/ops.h"
#include "shim/text.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int result(long r)
{
	return r < 0 ? -errno : 0;
}

/* The number by which NETLINK_HOST moves an interface's peer into the new namespace. */
int process_own_netns(struct prog_run *x)
{
	FD_AUTO fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	x->own_net = true;
	if (fd < 0)
		return -errno;
	return result(dup3(fd, PROG_NETNS_FD, O_CLOEXEC));
}

int op_unshare(struct prog_run *x, const struct step *st)
{
	int r = result(unshare((int)st->op->a));

	if (r < 0 || !x->in_shim || !(st->op->a & CLONE_NEWNET))
		return r;
	return process_own_netns(x);
}

/* It was noted before anything was executed. */
int op_root(struct prog_run *x, const struct step *st)
{
	(void)x, (void)st;
	return 0;
}

/* Not closed by execve(2): who makes the container opens it by its number in /proc/self/fd. */
int op_pids(struct prog_run *x, const struct step *st)
{
	int fd = (int)st->op->a;

	if (x->in_shim || x->pids < 0)
		return -EBADF;
	return x->pids == fd ? result(fcntl(fd, F_SETFD, 0)) : result(dup2(x->pids, fd));
}

int op_tasks(struct prog_run *x, const struct step *st)
{
	FD_AUTO fd = open(st->s[0], O_WRONLY | O_CLOEXEC);

	(void)x;
	return fd < 0 ? -errno : result(write(fd, "0", 1));
}

int op_hostname(struct prog_run *x, const struct step *st)
{
	(void)x;
	return result(sethostname(st->s[0], strlen(st->s[0])));
}

int op_rlimit(struct prog_run *x, const struct step *st)
{
	struct rlimit limit = { st->op->b, st->op->b };

	(void)x;
	return result(setrlimit((int)st->op->a, &limit));
}

int op_oom_score(struct prog_run *x, const struct step *st)
{
	int64_t score = (int64_t)st->op->a;
	char number[24];
	struct text t = TEXT(number);

	(void)x;
	text_num(text_put(&t, score < 0 ? "-" : ""), (uint64_t)(score < 0 ? -score : score));
	FD_AUTO fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, number, t.len) < 0)
		return errno == EACCES || errno == EPERM ? 0 : -errno;
	return 0;
}

int op_groups(struct prog_run *x, const struct step *st)
{
	(void)x;
	return result(syscall(SYS_setgroups, st->op->nbytes / sizeof(gid_t), prog_bytes(st->op)));
}

int op_gid(struct prog_run *x, const struct step *st)
{
	gid_t gid = (gid_t)st->op->a;

	x->armed = false;
	return result(syscall(SYS_setresgid, gid, gid, gid));
}

/* So that a process without privileges can open /dev/stdout; devices are not given away. */
static void give_stdio(uid_t uid, bool tty)
{
	struct stat sb;

	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &sb) == 0 && (tty || S_ISFIFO(sb.st_mode)) &&
		    fchown(fd, uid, (gid_t)-1) < 0)
			return;
	}
}

int op_uid(struct prog_run *x, const struct step *st)
{
	uid_t uid = (uid_t)st->op->a;

	if (!x->in_shim)
		give_stdio(uid, x->console >= 0);
	x->armed = false;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	return result(syscall(SYS_setresuid, uid, uid, uid));
}

static int cap_sets(bool set, struct __user_cap_data_struct sets[2])
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return result(syscall(set ? SYS_capset : SYS_capget, &head, sets));
}

static int limit_bounding(uint64_t caps)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		int r = caps >> cap & 1 ? 0 : prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (r < 0)
			break;		/* after the last one that this kernel knows */
		if (r == 1 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

static int raise_ambient(uint64_t caps)
{
	int r = result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));

	for (unsigned cap = 0; r == 0 && cap < 64; cap++) {
		if (caps >> cap & 1)
			r = result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0));
	}
	return r;
}

/* Limits the calling process to caps, as far as it has them; bounding set included. */
static int limit_caps(uint64_t caps, uint64_t ambient)
{
	struct __user_cap_data_struct sets[2];
	int r = cap_sets(false, sets);

	if (r < 0)
		return r;
	/* setresuid() has emptied the effective set, and dropping needs CAP_SETPCAP in it */
	for (int i = 0; i < 2; i++)
		sets[i].effective = sets[i].permitted;
	r = cap_sets(true, sets);
	if (r == 0)
		r = limit_bounding(caps);
	if (r < 0)
		return r;
	for (int i = 0; i < 2; i++) {
		sets[i].permitted &= (uint32_t)(caps >> 32 * i);
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = sets[i].permitted & (uint32_t)(ambient >> 32 * i);
	}
	r = cap_sets(true, sets);
	ambient = sets[0].inheritable | (uint64_t)sets[1].inheritable << 32;
	return r < 0 ? r : raise_ambient(ambient);
}

int op_caps(struct prog_run *x, const struct step *st)
{
	x->armed = false;
	return limit_caps(st->op->a, st->op->b);
}

int op_no_new_privs(struct prog_run *x, const struct step *st)
{
	(void)x, (void)st;
	return result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* -ESRCH when the shim is gone already, as then no signal would come any more. */
static int arm(struct prog_run *x)
{
	struct pollfd owner = { .fd = x->owner, .events = POLLIN };

	if (x->armed || x->in_shim)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	x->armed = true;
	return poll(&owner, 1, 0) == 0 ? 0 : -ESRCH;
}

int op_seccomp(struct prog_run *x, const struct step *st)
{
	struct sock_fprog filter = {
		.len = (unsigned short)(st->op->nbytes / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)prog_bytes(st->op),
	};
	int r = arm(x);

	if (r < 0)
		return r;
	return result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
}

int op_env(struct prog_run *x, const struct step *st)
{
	x->envp[x->nenvp++] = st->s[0];
	return 0;
}

int op_arg(struct prog_run *x, const struct step *st)
{
	x->argv[x->nargv++] = st->s[0];
	return 0;
}

static const char *search_path(const struct prog_run *x)
{
	for (unsigned i = 0; i < x->nenvp; i++) {
		if (strncmp(x->envp[i], "PATH=", 5) == 0)
			return x->envp[i] + 5;
	}
	return DEFAULT_PATH;
}

static int execute(const struct prog_run *x, const char *file)
{
	execve(file, (char *const *)x->argv, (char *const *)x->envp);
	return -errno;
}

/* As execvp(3): the first that can be executed; one that is there but may not be is remembered. */
static int execute_in_path(const struct prog_run *x)
{
	int found = -ENOENT;
	char file[PATH_MAX];

	for (const char *dir = search_path(x), *end; ; dir = end + 1) {
		end = dir + strcspn(dir, ":");
		struct text t = TEXT(file);
		text_putn(&t, dir, (size_t)(end - dir));
		text_put(text_put(&t, t.len ? "/" : "./"), x->argv[0]);
		int r = execute(x, file);
		if (r == -EACCES)
			found = r;
		else if (r != -ENOENT && r != -ENOTDIR)
			return r;
		if (!*end)
			return found;
	}
}

int op_exec(struct prog_run *x, const struct step *st)
{
	(void)st;
	if (x->in_shim || !x->nargv)
		return -EINVAL;
	step_blame(x, x->argv[0]);
	int r = arm(x);
	if (r < 0)
		return r;
	umask(022);
	child_default_signals();
	return strchr(x->argv[0], '/') ? execute(x, x->argv[0]) : execute_in_path(x);
}
