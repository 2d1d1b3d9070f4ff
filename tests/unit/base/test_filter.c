/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters as the kernel sees them: a child installs one and calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/filter.h"
#include "base/macro.h"

enum { REFUSED, ALLOWED, ARGUMENT };

static const struct sock_filter refused[] = { FILTER_RET(FILTER_ERRNO(EPERM)) };
static const struct sock_filter allowed[] = { FILTER_RET(SECCOMP_RET_ALLOW) };
static const struct sock_filter argument[] = {
	FILTER_ARG(1),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETFD, 0, 1),
	FILTER_RET(SECCOMP_RET_ALLOW),
	FILTER_RET(FILTER_ERRNO(EXDEV)),
};
static const struct filter_block blocks[] = { { refused, 1 }, { allowed, 1 }, { argument, 4 } };

static int fails_with(int error, long result)
{
	return result == -1 && errno == error;
}

/* Every other number is allowed: as many runs as there can be. */
static int many_runs(void)
{
	struct filter f = { .blocks = blocks, .beyond = REFUSED, .foreign = SECCOMP_RET_KILL_PROCESS };

	for (unsigned nr = 0; nr < FILTER_CALLS; nr++)
		f.verdicts[nr] = nr % 2 ? REFUSED : ALLOWED;
	f.verdicts[SYS_exit_group] = f.verdicts[SYS_getppid] = ALLOWED;
	f.verdicts[SYS_getuid] = REFUSED;
	f.verdicts[SYS_fcntl] = ARGUMENT;
	if (filter_install(&f) < 0)
		return 1;
	if (syscall(SYS_getppid) <= 0 || !fails_with(EPERM, syscall(SYS_getuid)))
		return 2;
	if (syscall(SYS_fcntl, 0, F_GETFD) < 0 || !fails_with(EXDEV, syscall(SYS_fcntl, 0, F_GETFL)))
		return 3;
	if (!fails_with(EPERM, syscall(FILTER_CALLS)) || !fails_with(EPERM, syscall(-1L)))
		return 4;
	return 0;
}

/* One run: all that is known is allowed, and what is beyond, too. */
static int one_run(void)
{
	struct filter f = { .blocks = blocks, .beyond = ALLOWED };

	memset(f.verdicts, ALLOWED, sizeof(f.verdicts));
	if (filter_install(&f) < 0 || syscall(SYS_getppid) <= 0)
		return 1;
	return fails_with(ENOSYS, syscall(FILTER_CALLS + 1)) ? 0 : 2;
}

static void test_in_the_kernel(void **state)
{
	static int (*const children[])(void) = { many_runs, one_run };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)	/* without what a sanitizer does at an end */
			syscall(SYS_exit_group, children[i]());
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void test_too_long(void **state)
{
	static struct sock_filter nothing[100];
	static const struct filter_block long_blocks[] = { { nothing, 100 }, { allowed, 1 } };
	struct filter f = { .blocks = long_blocks };
	BUF_AUTO out = { 0 };

	(void)state;
	for (unsigned nr = 0; nr < FILTER_CALLS; nr++)
		f.verdicts[nr] = nr % 2;
	assert_int_equal(filter_build(&f, &out), -E2BIG);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_the_kernel), cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
