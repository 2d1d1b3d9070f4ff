/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clone3(2) with a function. glibc has no wrapper for clone3: these are the few instructions that
 * C cannot express, since the child comes back from the system call on another stack, without the
 * frame it was called from.
 */
#include "base/clone.h"

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

long clone3_run(struct clone_args *ca, void (*run)(void *), void *arg)
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

/* By the system call: glibc keeps 32 and 33 to itself, and whoever started us may ignore them. */
void child_default_signals(void)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} dfl = { 0 };
	sigset_t none;

	for (int i = 1; i <= 64; i++)
		syscall(SYS_rt_sigaction, i, &dfl, NULL, sizeof(dfl.mask));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
