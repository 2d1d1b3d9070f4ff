/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clone3(2) on a stack of its own; see clone.h. glibc has no wrapper for clone3: these are the
 * few instructions that a C function cannot express, since the child comes back from the system
 * call without the frame it was called from.
 */
#include "shim/clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/macro.h"

static long clone3_call(struct clone_args *ca, void (*run)(void *), void *arg)
{
#if defined(__x86_64__)
	long ret;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "movq %[arg], %%rdi\n\t"
			 "callq *%[run]\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(ret)
			 : "0"((long)SYS_clone3), "D"(ca), "S"(sizeof(*ca)), [run] "r"(run),
			   [arg] "r"(arg)
			 : "rcx", "r11", "memory", "cc");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = SYS_clone3;
	register long x0 __asm__("x0") = (long)ca;
	register long x1 __asm__("x1") = (long)sizeof(*ca);

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, %[arg]\n\t"
			 "blr %[run]\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), [run] "r"(run), [arg] "r"(arg)
			 : "memory", "cc");
	return x0;
#else
#error "clone3_call: add this architecture"
#endif
}

pid_t clone_run(const struct clone_child *c, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args ca = {
		.flags = c->flags | CLONE_VFORK | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		/* With CLONE_PARENT the child ends as its parent's parent was told it would. */
		.exit_signal = c->flags & CLONE_PARENT ? 0 : SIGCHLD,
		.stack = (uintptr_t)c->stack,
		.stack_size = c->stack_size,
	};

	if (c->cgroup_fd >= 0) {
		ca.flags |= CLONE_INTO_CGROUP;
		ca.cgroup = (uint64_t)c->cgroup_fd;
	}
	long pid = clone3_call(&ca, c->run, c->arg);
	if (pid < 0)
		return (pid_t)pid;
	*ret_pidfd = pidfd;
	return (pid_t)pid;
}
