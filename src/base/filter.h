/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters of system calls, compiled here instead of by libseccomp: the kernel simulates a new
 * filter once for every system call number (since 5.11), so a chain of comparisons costs a
 * millisecond per installation. Ours is a binary search over runs of numbers with the same
 * verdict, some seven steps deep, whose leaves are the verdicts' blocks of instructions.
 */
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macro.h"

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define FILTER_ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FILTER_ARCH AUDIT_ARCH_PPC64LE
#else
#error "which AUDIT_ARCH is this?"
#endif

#define FILTER_CALLS 512	/* numbers beyond are unknown: x86_64 and aarch64 are below 480 */

/* What a verdict does; it ends with a return on every way. */
struct filter_block {
	const struct sock_filter *v;
	size_t n;
};
#define FILTER_BLOCK(array) { array, ARRAY_SIZE(array) }

struct filter {
	const struct filter_block *blocks;	/* by verdict */
	uint8_t verdicts[FILTER_CALLS];		/* by number of the call */
	uint8_t beyond;				/* the verdict of all other numbers */
	uint32_t foreign;			/* what is returned for another architecture */
};

#define FILTER_RET(k) BPF_STMT(BPF_RET | BPF_K, (k))
#define FILTER_ERRNO(e) (SECCOMP_RET_ERRNO | ((e) & SECCOMP_RET_DATA))
/* Little-endian: the low half of an argument comes first. The high half is not looked at. */
#define FILTER_ARG(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))

/* struct sock_filter[] appended to out; -E2BIG. */
int filter_build(const struct filter *f, struct buf *out);
/* For the calling process and for good, with PR_SET_NO_NEW_PRIVS. */
int filter_install(const struct filter *f);
