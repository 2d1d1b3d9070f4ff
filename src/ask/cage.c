/* SPDX-License-Identifier: GPL-2.0-or-later */
/* landlock(7), seccomp(2); see cage.h. Without libseccomp, as it runs anew for each probe. */
#include "ask/cage.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/macro.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_PPC64LE
#else
#error "which AUDIT_ARCH is this?"
#endif

/* The call is allowed when its argument arg, as far as mask looks at it, is value. */
static const struct {
	uint32_t nr;
	uint32_t arg, mask, value;
} calls[] = {
#define ANY(call) { SYS_##call, 0, 0, 0 },
	ANY(read) ANY(write) ANY(readv) ANY(writev) ANY(recvfrom) ANY(sendto) ANY(ppoll)
#ifdef SYS_poll
	ANY(poll)
#endif
	ANY(connect) ANY(getsockopt) ANY(setsockopt) ANY(close) ANY(fcntl) ANY(fstat) ANY(newfstatat)
	ANY(brk) ANY(munmap) ANY(mremap) ANY(madvise) ANY(futex) ANY(getrandom) ANY(clock_gettime)
	ANY(gettimeofday) ANY(getpid) ANY(gettid) ANY(getuid) ANY(geteuid) ANY(getgid) ANY(getegid)
	ANY(rt_sigprocmask) ANY(rt_sigreturn) ANY(restart_syscall) ANY(sched_yield) ANY(exit)
	ANY(exit_group)
#undef ANY
	{ SYS_socket, 0, ~0U, AF_INET }, { SYS_socket, 0, ~0U, AF_INET6 },
	{ SYS_mmap, 2, PROT_EXEC, 0 }, { SYS_mprotect, 2, PROT_EXEC, 0 },
};

#define DATA(member) ((uint32_t)offsetof(struct seccomp_data, member))
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW(arg) (DATA(args) + 8 * (arg))
#else
#define LOW(arg) (DATA(args) + 8 * (arg) + 4)
#endif
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define UNLESS(k, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), 0, (skip))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))

#define PER_CALL 6
#define HEAD 3

static int filter_calls(struct err *err)
{
	struct sock_filter code[HEAD + PER_CALL * ARRAY_SIZE(calls) + 1] = {
		LOAD(DATA(arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct sock_filter part[PER_CALL] = {
			LOAD(DATA(nr)),
			UNLESS(calls[i].nr, 4),
			LOAD(LOW(calls[i].arg)),
			BPF_STMT(BPF_ALU | BPF_AND | BPF_K, calls[i].mask),
			UNLESS(calls[i].value, 1),
			RETURN(SECCOMP_RET_ALLOW),
		};
		memcpy(&code[HEAD + PER_CALL * i], part, sizeof(part));
	}
	code[ARRAY_SIZE(code) - 1] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0 ?
	       err_sys(err, -errno, "seccomp") : 0;
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
