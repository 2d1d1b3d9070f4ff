/* SPDX-License-Identifier: GPL-2.0-or-later */
/* landlock(7), seccomp(2); see cage.h. */
#include "ask/cage.h"

#include <linux/landlock.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/filter.h"
#include "base/macro.h"

enum verdict { REFUSED, ALLOWED, CHECK_FAMILY, CHECK_PROT };

static const struct {
	uint16_t nr;
	uint8_t verdict;
} calls[] = {
#define ANY(call) { SYS_##call, ALLOWED },
	ANY(read) ANY(write) ANY(readv) ANY(writev) ANY(recvfrom) ANY(sendto) ANY(recvmsg) ANY(sendmsg)
	ANY(ppoll)
#ifdef SYS_poll
	ANY(poll)
#endif
	ANY(connect) ANY(getsockopt) ANY(setsockopt) ANY(close) ANY(fcntl) ANY(fstat) ANY(newfstatat)
	ANY(brk) ANY(munmap) ANY(mremap) ANY(madvise) ANY(futex) ANY(getrandom) ANY(clock_gettime)
	ANY(gettimeofday) ANY(getpid) ANY(gettid) ANY(getuid) ANY(geteuid) ANY(getgid) ANY(getegid)
	ANY(rt_sigprocmask) ANY(rt_sigreturn) ANY(restart_syscall) ANY(sched_yield) ANY(exit)
	ANY(exit_group)
#undef ANY
	{ SYS_socket, CHECK_FAMILY }, { SYS_mmap, CHECK_PROT }, { SYS_mprotect, CHECK_PROT },
};

static const struct sock_filter refused[] = { FILTER_RET(FILTER_ERRNO(EPERM)) };
static const struct sock_filter allowed[] = { FILTER_RET(SECCOMP_RET_ALLOW) };
static const struct sock_filter check_family[] = {
	FILTER_ARG(0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
	FILTER_RET(SECCOMP_RET_ALLOW),
	FILTER_RET(FILTER_ERRNO(EPERM)),
};
static const struct sock_filter check_prot[] = {
	FILTER_ARG(2),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
	FILTER_RET(FILTER_ERRNO(EPERM)),
	FILTER_RET(SECCOMP_RET_ALLOW),
};

static const struct filter_block blocks[] = {
	[REFUSED] = FILTER_BLOCK(refused), [ALLOWED] = FILTER_BLOCK(allowed),
	[CHECK_FAMILY] = FILTER_BLOCK(check_family), [CHECK_PROT] = FILTER_BLOCK(check_prot),
};

static int filter_calls(struct err *err)
{
	struct filter f = { .blocks = blocks, .beyond = REFUSED, .foreign = SECCOMP_RET_KILL_PROCESS };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		f.verdicts[calls[i].nr] = calls[i].verdict;
	int r = filter_install(&f);
	return r < 0 ? err_sys(err, r, "seccomp") : 0;
}

#ifndef LANDLOCK_ACCESS_FS_MAKE_SYM
#define LANDLOCK_ACCESS_FS_MAKE_SYM (1ULL << 12)
#endif
#define ALL_FILES (2 * LANDLOCK_ACCESS_FS_MAKE_SYM - 1)	/* the 13 rights of ABI 1 */

/* No rule: no file. A kernel without it has the filter of calls, which knows no open(2) either. */
static int deny_files(struct err *err)
{
	uint64_t attr = ALL_FILES;
	FD_AUTO ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (ruleset < 0)
		return 0;
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ?
	       err_sys(err, -errno, "landlock") : 0;
}

int cage_enter(struct err *err)
{
	static const struct rlimit none = { 0, 0 }, memory = { 1 << 28, 1 << 28 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_NPROC, &none) < 0 ||
	    setrlimit(RLIMIT_AS, &memory) < 0)
		return err_sys(err, -errno, "limits");
	int r = deny_files(err);
	return r < 0 ? r : filter_calls(err);
}
