/* SPDX-License-Identifier: GPL-2.0-or-later */
/* landlock(7), seccomp(2), setresuid(2); see sandbox.h. */
#include "pull/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/macro.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1			/* its shadow takes terabytes of addresses */
#else
#define SANITIZED 0
#endif

#define USER "orch-pull"
#define PASSWD_MAX (1 << 20)
#define DYNAMIC_UIDS 0x7f000000u	/* plus the pid, which is below 2^22 */

/* ---- user ---- */

/* From the file itself: other sources of users would bring their libraries. */
static bool uid_in(char *passwd, uid_t *ret)
{
	char *line, *next = passwd;

	while ((line = strsep(&next, "\n"))) {
		char *name = strsep(&line, ":"), *end;

		if (!line || !streq(name, USER))
			continue;
		strsep(&line, ":");
		unsigned long uid = line ? strtoul(line, &end, 10) : 0;
		*ret = (uid_t)uid;
		return uid > 0 && *end == ':';
	}
	return false;
}

uid_t sandbox_uid(void)
{
	BUF_AUTO text = { 0 };
	uid_t uid;

	if (file_read("/etc/passwd", PASSWD_MAX, &text, NULL) == 0 && text.len &&
	    uid_in(text.data, &uid))
		return uid;
	return DYNAMIC_UIDS + (uid_t)getpid();
}

static int become(uid_t uid, struct err *err)
{
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_sys(err, -errno, "becoming user %u", uid);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, -errno, "no new privileges");
	return 0;
}

/* ---- limits ---- */

static int limit(struct err *err)
{
	static const struct { int what; rlim_t n; } limits[] = {
		{ RLIMIT_CORE, 0 }, { RLIMIT_NOFILE, 512 }, { RLIMIT_NPROC, 32 },
		{ RLIMIT_AS, 1u << 30 }, { RLIMIT_MEMLOCK, 0 }, { RLIMIT_MSGQUEUE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit r = { limits[i].n, limits[i].n };

		if (limits[i].what == RLIMIT_AS && SANITIZED)
			continue;
		if (setrlimit((__rlimit_resource_t)limits[i].what, &r) < 0)
			return err_sys(err, -errno, "setrlimit %d", limits[i].what);
	}
	return 0;
}

/* ---- Landlock ---- */

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#define FS_TRUNCATE (1ULL << 14)	/* ABI 3, Linux 6.2 */
#define FS_IOCTL_DEV (1ULL << 15)	/* ABI 5, Linux 6.10 */
#define NET_BIND_TCP (1ULL << 0)	/* ABI 4, Linux 6.7 */
#define SCOPES 3ULL			/* abstract sockets and signals: ABI 6, Linux 6.12 */

/* struct landlock_ruleset_attr as of ABI 6; older kernels are given less of it. */
struct ruleset {
	uint64_t fs, net, scoped;
};

static const char *const readable[] = {
	"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
	"/etc/services", "/etc/protocols", "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl",
	"/etc/ca-certificates", "/etc/pki", "/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates", "/usr/share/zoneinfo", "/usr/lib", "/usr/lib64", "/lib",
	"/lib64", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
};

static uint64_t all_files(int abi)
{
	uint64_t all = LANDLOCK_ACCESS_FS_REFER - 1;	/* the 13 of ABI 1 */

	all |= abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
	all |= abi >= 3 ? FS_TRUNCATE : 0;
	return all | (abi >= 5 ? FS_IOCTL_DEV : 0);
}

static int allow_reading(int ruleset, const char *path)
{
	FD_AUTO fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = fd,
	};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;	/* what is not there need not be read */
	if (S_ISDIR(st.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	if (S_ISDIR(st.st_mode) && strstr(path, "/lib"))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_EXECUTE;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ?
	       -errno : 0;
}

static int restrict_files(struct err *err)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset attr = {
		.fs = all_files(abi), .net = abi >= 4 ? NET_BIND_TCP : 0,
		.scoped = abi >= 6 ? SCOPES : 0,
	};
	size_t size = abi >= 6 ? sizeof(attr) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
	int r = 0;

	if (abi < 1)
		return 0;	/* an older kernel, or one without it */
	FD_AUTO ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return err_sys(err, -errno, "landlock_create_ruleset");
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(readable); i++)
		r = allow_reading(ruleset, readable[i]);
	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = -errno;
	return r < 0 ? err_sys(err, r, "landlock") : 0;
}

/* ---- system calls ---- */

static const char *const calls[] = {
	"read", "write", "readv", "writev", "pread64", "pwrite64", "close", "lseek", "fstat", "stat",
	"lstat", "newfstatat", "statx", "statfs", "fstatfs", "open", "openat", "access", "faccessat",
	"faccessat2", "readlink", "readlinkat", "getdents64", "ftruncate", "fcntl", "dup", "pipe",
	"pipe2", "eventfd2", "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl",
	"epoll_wait", "epoll_pwait", "connect", "bind", "sendto", "recvfrom", "sendmsg", "recvmsg",
	"sendmmsg", "recvmmsg", "getsockname", "getpeername", "getsockopt", "setsockopt", "shutdown",
	"mmap", "munmap", "mprotect", "mremap", "madvise", "brk", "membarrier", "futex",
	"set_robust_list", "set_tid_address", "rseq", "sched_yield", "sched_getaffinity",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
	"getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getrandom",
	"clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
	"uname", "sysinfo", "getrusage", "times", "exit", "exit_group",
};

static const struct {
	const char *call;
	unsigned arg;
	enum scmp_compare how;
	uint64_t x, y;
} looked_at[] = {
	{ "socket", 0, SCMP_CMP_EQ, AF_INET, 0 },
	{ "socket", 0, SCMP_CMP_EQ, AF_INET6, 0 },
	{ "socket", 0, SCMP_CMP_EQ, AF_NETLINK, 0 },	/* getaddrinfo(3) asks for our addresses */
	{ "socketpair", 0, SCMP_CMP_EQ, AF_UNIX, 0 },
	{ "clone", 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM },
	{ "ioctl", 1, SCMP_CMP_EQ, FIONBIO, 0 },
	{ "ioctl", 1, SCMP_CMP_EQ, FIONREAD, 0 },
	{ "prctl", 0, SCMP_CMP_EQ, PR_SET_NAME, 0 },
	{ "prlimit64", 2, SCMP_CMP_EQ, 0, 0 },		/* to ask, not to set */
};

/* 0 also for a call that this architecture does not have. */
static int allow(scmp_filter_ctx ctx, const char *name, unsigned n, struct scmp_arg_cmp arg)
{
	int nr = seccomp_syscall_resolve_name(name);
	int r = nr < 0 ? 0 : seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, n, &arg);

	return r == -EDOM ? 0 : r;
}

static int restrict_calls(struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(calls); i++)
		r = allow(ctx, calls[i], 0, (struct scmp_arg_cmp){ 0 });
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(looked_at); i++)
		r = allow(ctx, looked_at[i].call, 1,
			  (struct scmp_arg_cmp){ looked_at[i].arg, looked_at[i].how, looked_at[i].x,
						 looked_at[i].y });
	if (r == 0)	/* so that libc makes its threads by clone, whose flags can be seen */
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r == 0)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return r < 0 ? err_sys(err, r, "seccomp") : 0;
}

int sandbox_enter(uid_t uid, struct err *err)
{
	int r = limit(err);

	if (r == 0)
		r = become(uid, err);
	if (r == 0)
		r = restrict_files(err);
	return r < 0 ? r : restrict_calls(err);
}
