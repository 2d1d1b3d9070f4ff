/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters of system calls from a profile, by libseccomp: rules are added one by one, then they
 * become instructions. Words are those of OCI runtimes (SCMP_ACT_ALLOW, SCMP_CMP_EQ,
 * SCMP_ARCH_X86).
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct seccomp_profile_filter;

struct seccomp_condition {
	uint32_t arg;		/* number of the argument, from 0 */
	const char *how;
	uint64_t value, mask;	/* mask of SCMP_CMP_MASKED_EQ: value is the mask, as with libseccomp */
};

/* What happens to a call: action, and the errno of SCMP_ACT_ERRNO (negative: EPERM) or the data of
 * SCMP_ACT_TRACE. -EINVAL for a word that is none, or that orch has no use for. */
int seccomp_filter_new(const char *action, int data, struct seccomp_profile_filter **ret,
		       struct err *err);
void seccomp_filter_free(struct seccomp_profile_filter *f);	/* NULL is fine */

/* Programs of another architecture, beside those of this machine. One that this machine has no
 * use for is fine. */
int seccomp_filter_arch(struct seccomp_profile_filter *f, const char *arch, struct err *err);
/* All conditions must hold; several for the same argument: any of them. A call that libseccomp
 * does not know is left out. */
int seccomp_filter_rule(struct seccomp_profile_filter *f, const char *call, const char *action,
			int data, const struct seccomp_condition *conditions, uint32_t n,
			struct err *err);
/* struct sock_filter[] appended to out. */
int seccomp_filter_build(struct seccomp_profile_filter *f, struct buf *out, struct err *err);
