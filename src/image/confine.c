/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sandboxes; see confine.h. The filters are lists of what is allowed. A reader needs no namespaces
 * and no Landlock of its own: it has no call left that could name anything outside of it.
 */
#include "image/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/filter.h"
#include "base/macro.h"

#define READER_MEMORY (512UL << 20)

#ifdef __SANITIZE_ADDRESS__	/* what a sanitizer does at the end of a process */
#define SANITIZER SYS_sigaltstack, SYS_prctl, SYS_sched_yield, SYS_gettid,
#else
#define SANITIZER
#endif

#define ANY_PROCESS SANITIZER							\
	SYS_read, SYS_write, SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_exit_group, \
	SYS_rt_sigreturn, SYS_futex, SYS_getrandom, SYS_clock_gettime

static const unsigned reader_calls[] = { ANY_PROCESS };

static const unsigned applier_calls[] = {
	ANY_PROCESS, SYS_openat, SYS_openat2, SYS_close, SYS_fstat, SYS_newfstatat, SYS_getdents64,
	SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_linkat, SYS_unlinkat, SYS_fchown, SYS_fchownat,
	SYS_fchmod, SYS_fchmodat, SYS_fsetxattr, SYS_lsetxattr, SYS_fgetxattr, SYS_fremovexattr,
	SYS_utimensat, SYS_ftruncate, SYS_pwrite64, SYS_fchdir, SYS_wait4, SYS_kill, SYS_lseek,
	SYS_fcntl,
#ifdef SYS_open		/* where glibc still uses those */
	SYS_open, SYS_mkdir, SYS_unlink, SYS_rmdir,
#endif
};

static const cap_value_t applier_caps[] = {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_MKNOD, CAP_SETFCAP,
	CAP_SYS_ADMIN,		/* attributes trusted.* */
	CAP_KILL,		/* the reader */
};

static int allow_only(const unsigned *calls, size_t n, unsigned otherwise)
{
	const struct sock_filter refused[] = { FILTER_RET(otherwise) };
	static const struct sock_filter allowed[] = { FILTER_RET(SECCOMP_RET_ALLOW) };
	const struct filter_block blocks[] = { FILTER_BLOCK(refused), FILTER_BLOCK(allowed) };
	struct filter f = { .blocks = blocks, .foreign = SECCOMP_RET_KILL_PROCESS };

	for (size_t i = 0; i < n; i++)
		f.verdicts[calls[i]] = 1;
	return filter_install(&f);
}

/* in and out may be each other's target, hence the detour. */
static int only_these(int in, int out)
{
	int in2 = fcntl(in, F_DUPFD_CLOEXEC, 3), out2 = fcntl(out, F_DUPFD_CLOEXEC, 3);

	if (in2 < 0 || out2 < 0 || dup2(in2, 0) < 0 || dup2(out2, 1) < 0)
		return -errno;
	return syscall(SYS_close_range, 2U, ~0U, 0U) < 0 ? -errno : 0;
}

static int limits(unsigned cpu_s)
{
	const struct { int resource; struct rlimit limit; } all[] = {
		/* at once at its hard limit a process would be killed without SIGXCPU */
		{ RLIMIT_CPU, { cpu_s, cpu_s + 1 } },
		{ RLIMIT_FSIZE, { 0, 0 } }, { RLIMIT_NOFILE, { 2, 2 } }, { RLIMIT_NPROC, { 0, 0 } },
		{ RLIMIT_CORE, { 0, 0 } },
#ifndef __SANITIZE_ADDRESS__	/* it reserves terabytes */
		{ RLIMIT_AS, { READER_MEMORY, READER_MEMORY } },
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (setrlimit((__rlimit_resource_t)all[i].resource, &all[i].limit) < 0)
			return -errno;
	return 0;
}

/* PR_SET_PDEATHSIG comes last of these: a change of ids takes it back. */
static int become(uid_t uid)
{
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
			       setresuid(uid, uid, uid) < 0))
		return -errno;
	return prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

int confine_reader(int in, int out, uid_t uid, unsigned cpu_s)
{
	int r = only_these(in, out);

	if (r == 0)
		r = become(uid);
	if (r == 0)
		r = limits(cpu_s);
	return r < 0 ? r : allow_only(reader_calls, ARRAY_SIZE(reader_calls),
				      SECCOMP_RET_KILL_PROCESS);
}

static int keep_caps(void)
{
	cap_t caps = cap_init();
	int r = -ENOMEM;

	if (caps) {
		int n = (int)ARRAY_SIZE(applier_caps);

		r = cap_set_flag(caps, CAP_PERMITTED, n, applier_caps, CAP_SET) < 0 ||
		    cap_set_flag(caps, CAP_EFFECTIVE, n, applier_caps, CAP_SET) < 0 ||
		    cap_set_proc(caps) < 0 ? -errno : 0;
		cap_free(caps);
	}
	return r;
}

int confine_applier(int dir)
{
	if (fchdir(dir) < 0 || chroot(".") < 0)
		return -errno;
	int r = keep_caps();
	return r < 0 ? r : allow_only(applier_calls, ARRAY_SIZE(applier_calls),
				      SECCOMP_RET_ERRNO | EPERM);
}
