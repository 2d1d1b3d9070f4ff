/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The default filter of containers, compiled by base/filter.h; of libseccomp are the numbers of
 * the names.
 *
 * Four verdicts: allowed; refused (EPERM: known, but not for containers); unknown (ENOSYS: newer
 * than libseccomp's tables, so that libc falls back); looked at, by one block of instructions
 * per call whose arguments matter. Calls of a foreign architecture and of the x32 ABI are
 * unknown, too.
 */
#include <sched.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/socket.h>

#include "base/filter.h"
#include "base/macro.h"
#include "sys/privilege.h"

enum verdict {
	UNKNOWN, REFUSED, ALLOWED,
	CHECK_CLONE, CHECK_SOCKET, CHECK_PERSONALITY,
	VERDICTS
};

/* What every program may call. Names another architecture has are skipped. Left out, so refused:
 * namespaces and mounts (unshare setns mount pivot_root open_tree fsopen...), modules and other
 * kernels (init_module kexec_load bpf perf_event_open), the machine's clock, name, swap, reboot
 * and quota, handles that walk out of the root (open_by_handle_at), raw ports (iopl ioperm),
 * keyrings (add_key request_key keyctl: not namespaced), userfaultfd and io_uring (a history of
 * kernel holes; libraries fall back), NUMA placement, obsolete calls. */
static const char *const allowed[] = {
	/* files by name and by descriptor */
	"access", "chdir", "chmod", "chown", "close", "close_range", "copy_file_range", "creat",
	"dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir",
	"fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "fcntl", "fdatasync", "flock",
	"fstat", "fstatfs", "fsync", "ftruncate", "futimesat", "getcwd", "getdents", "getdents64",
	"ioctl", "lchown", "link", "linkat", "lseek", "lstat", "mkdir", "mkdirat", "mknod",
	"mknodat", "newfstatat", "open", "openat", "openat2", "pread64", "preadv", "preadv2",
	"pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv",
	"rename", "renameat", "renameat2", "rmdir", "sendfile", "splice", "stat", "statfs", "statx",
	"symlink", "symlinkat", "sync", "sync_file_range", "syncfs", "tee", "truncate", "umask",
	"unlink", "unlinkat", "utime", "utimensat", "utimes", "vmsplice", "write", "writev",
	"cachestat", "name_to_handle_at",
	/* extended attributes */
	"fgetxattr", "flistxattr", "fremovexattr", "fsetxattr", "getxattr", "lgetxattr",
	"listxattr", "llistxattr", "lremovexattr", "lsetxattr", "removexattr", "setxattr",
	/* memory */
	"brk", "madvise", "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret",
	"mincore", "mlock", "mlock2", "mlockall", "mmap", "mprotect", "mremap", "msync", "munlock",
	"munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect", "process_mrelease",
	"remap_file_pages",
	/* processes, threads, signals */
	"alarm", "arch_prctl", "capget", "capset", "execve", "execveat", "exit", "exit_group",
	"fork", "futex", "futex_requeue", "futex_wait", "futex_waitv", "futex_wake",
	"get_robust_list", "get_thread_area", "getpgid", "getpgrp", "getpid", "getppid",
	"getpriority", "getsid", "gettid", "kill", "landlock_add_rule", "landlock_create_ruleset",
	"landlock_restrict_self", "modify_ldt", "pause", "pidfd_getfd", "pidfd_open",
	"pidfd_send_signal", "prctl", "prlimit64", "process_vm_readv", "process_vm_writev",
	"ptrace", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
	"rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo",
	"seccomp", "set_robust_list", "set_thread_area", "set_tid_address", "setpgid",
	"setpriority", "setsid", "sigaltstack", "tgkill", "tkill", "vfork", "wait4", "waitid",
	/* identities and limits */
	"getegid", "geteuid", "getgid", "getgroups", "getresgid", "getresuid", "getrlimit",
	"getrusage", "getuid", "setfsgid", "setfsuid", "setgid", "setgroups", "setregid",
	"setresgid", "setresuid", "setreuid", "setrlimit", "setuid", "ioprio_get", "ioprio_set",
	/* scheduling */
	"getcpu", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
	"sched_getattr", "sched_getparam", "sched_getscheduler", "sched_rr_get_interval",
	"sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield",
	/* time: reading, sleeping, timers; setting takes CAP_SYS_TIME */
	"adjtimex", "clock_adjtime", "clock_getres", "clock_gettime", "clock_nanosleep",
	"getitimer", "gettimeofday", "nanosleep", "setitimer", "time", "timer_create",
	"timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime", "timerfd_create",
	"timerfd_gettime", "timerfd_settime", "times",
	/* waiting for events */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait",
	"epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "fanotify_mark",
	"inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch", "poll", "ppoll",
	"pselect6", "select", "signalfd", "signalfd4",
	/* sockets and pipes; socket itself is looked at */
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt",
	"listen", "pipe", "pipe2", "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg",
	"sendto", "setsockopt", "shutdown", "socketpair",
	/* System V and POSIX IPC: the pod has an IPC namespace */
	"mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink",
	"msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop", "shmat",
	"shmctl", "shmdt", "shmget",
	/* asynchronous I/O of libaio */
	"io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_setup", "io_submit",
	/* the system */
	"getrandom", "sysinfo", "uname",
	NULL
};

static const struct checked {
	const char *name;
	enum verdict verdict;
} checked[] = {
	{ "clone", CHECK_CLONE },
	{ "socket", CHECK_SOCKET },
	{ "personality", CHECK_PERSONALITY },
	/* Its flags are in memory, where a filter cannot look: libc then uses clone. */
	{ "clone3", UNKNOWN },
};

/* What a capability adds: without it the call would fail in the kernel anyway. */
static const struct grant {
	int cap;
	const char *const *names;
} grants[] = {
#define NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }
	{ CAP_SYS_ADMIN, NAMES("bpf", "clone", "clone3", "fanotify_init", "fsconfig", "fsmount",
			       "fsopen", "fspick", "lookup_dcookie", "mount", "mount_setattr",
			       "move_mount", "open_tree", "perf_event_open", "pivot_root",
			       "quotactl", "quotactl_fd", "setdomainname", "sethostname", "setns",
			       "swapoff", "swapon", "syslog", "umount2", "unshare") },
	{ CAP_BPF, NAMES("bpf") },
	{ CAP_PERFMON, NAMES("perf_event_open") },
	{ CAP_DAC_READ_SEARCH, NAMES("open_by_handle_at") },
	{ CAP_SYS_BOOT, NAMES("reboot", "kexec_load", "kexec_file_load") },
	{ CAP_SYS_CHROOT, NAMES("chroot") },
	{ CAP_SYS_MODULE, NAMES("delete_module", "finit_module", "init_module") },
	{ CAP_SYS_NICE, NAMES("get_mempolicy", "mbind", "migrate_pages", "move_pages",
			      "set_mempolicy", "set_mempolicy_home_node") },
	{ CAP_SYS_PACCT, NAMES("acct") },
	{ CAP_SYS_PTRACE, NAMES("kcmp", "process_madvise") },
	{ CAP_SYS_RAWIO, NAMES("ioperm", "iopl") },
	{ CAP_SYS_TIME, NAMES("clock_settime", "settimeofday") },
	{ CAP_SYS_TTY_CONFIG, NAMES("vhangup") },
	{ CAP_SYSLOG, NAMES("syslog") },
#undef NAMES
};

/* ---- verdict per number ---- */

static void set_one(uint8_t v[FILTER_CALLS], const char *name, enum verdict verdict)
{
	int nr = seccomp_syscall_resolve_name(name);

	/* Negative: libseccomp does not know it, or only as a call of another architecture. */
	if (nr >= 0 && nr < FILTER_CALLS)
		v[nr] = (uint8_t)verdict;
}

static void set_all(uint8_t v[FILTER_CALLS], const char *const *names, enum verdict verdict)
{
	for (; *names; names++)
		set_one(v, *names, verdict);
}

static void verdicts_fill(uint64_t caps, uint8_t v[FILTER_CALLS])
{
	for (int nr = 0; nr < FILTER_CALLS; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);

		v[nr] = name ? REFUSED : UNKNOWN;
		free(name);
	}
	set_all(v, allowed, ALLOWED);
	for (size_t i = 0; i < ARRAY_SIZE(checked); i++)
		set_one(v, checked[i].name, checked[i].verdict);
	for (size_t i = 0; i < ARRAY_SIZE(grants); i++)
		if (caps & 1ULL << grants[i].cap)
			set_all(v, grants[i].names, ALLOWED);
}

/* ---- instructions ---- */

#define NEW_NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |           \
			CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* Of the arguments that are looked at only the low half counts: they are ints (clone's flags: the
 * namespace bits are in the low half). */
static const struct sock_filter block_clone[] = {
	FILTER_ARG(0),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1),
	FILTER_RET(FILTER_ERRNO(EPERM)),
	FILTER_RET(SECCOMP_RET_ALLOW),
};

/* AF_VSOCK reaches the hypervisor, AF_ALG a part of the kernel with a history of holes. */
static const struct sock_filter block_socket[] = {
	FILTER_ARG(0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_VSOCK, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_ALG, 1, 0),
	FILTER_RET(SECCOMP_RET_ALLOW),
	FILTER_RET(FILTER_ERRNO(EPERM)),
};

/* PER_LINUX, PER_LINUX32, both with UNAME26, and the question what it is. */
static const struct sock_filter block_personality[] = {
	FILTER_ARG(0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffff, 2, 0),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~0x20008U),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
	FILTER_RET(SECCOMP_RET_ALLOW),
	FILTER_RET(FILTER_ERRNO(EPERM)),
};

static const struct sock_filter block_unknown[] = { FILTER_RET(FILTER_ERRNO(ENOSYS)) };
static const struct sock_filter block_refused[] = { FILTER_RET(FILTER_ERRNO(EPERM)) };
static const struct sock_filter block_allowed[] = { FILTER_RET(SECCOMP_RET_ALLOW) };

static const struct filter_block blocks[VERDICTS] = {
	[UNKNOWN] = FILTER_BLOCK(block_unknown),
	[REFUSED] = FILTER_BLOCK(block_refused),
	[ALLOWED] = FILTER_BLOCK(block_allowed),
	[CHECK_CLONE] = FILTER_BLOCK(block_clone),
	[CHECK_SOCKET] = FILTER_BLOCK(block_socket),
	[CHECK_PERSONALITY] = FILTER_BLOCK(block_personality),
};

int seccomp_default(uint64_t caps, struct buf *out, struct err *err)
{
	struct filter f = { .blocks = blocks, .beyond = UNKNOWN, .foreign = FILTER_ERRNO(ENOSYS) };

	verdicts_fill(caps, f.verdicts);
	return filter_build(&f, out) < 0 ? err_set(err, -E2BIG, "seccomp filter") : 0;
}
