/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths that stay in a directory, while somebody renames things beside them. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/within.h"

#define LOOKUPS 20000

struct tree {
	char path[64];
	int dir;
};

static int set_up(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));

	snprintf(t->path, sizeof(t->path), "/tmp/orch-within.XXXXXX");
	assert_non_null(mkdtemp(t->path));
	t->dir = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(t->dir >= 0);
	assert_int_equal(mkdirat(t->dir, "usr", 0755), 0);
	assert_int_equal(mkdirat(t->dir, "deep", 0755), 0);
	assert_int_equal(mkdirat(t->dir, "a", 0755), 0);
	assert_int_equal(symlinkat("../usr", t->dir, "deep/up"), 0);
	assert_int_equal(symlinkat("../../etc", t->dir, "deep/out"), 0);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct tree *t = *state;

	close(t->dir);
	assert_int_equal(file_rm_rf(t->path, NULL), 0);
	free(t);
	return 0;
}

/* The kernel answers EAGAIN then and again, which is not what a caller should hear. */
static void test_renames_do_no_harm(void **state)
{
	struct tree *t = *state;
	int failed = 0, status;
	pid_t pid = fork();

	while (pid == 0) {
		renameat(t->dir, "a", t->dir, "b");
		renameat(t->dir, "b", t->dir, "a");
	}
	assert_true(pid > 0);
	for (int i = 0; i < LOOKUPS; i++) {
		FD_AUTO fd = open_within(t->dir, "deep/up", O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);

		failed += fd < 0;
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(failed, 0);
}

static void test_errors(void **state)
{
	struct tree *t = *state;

	assert_int_equal(open_within(t->dir, "none", O_PATH, RESOLVE_IN_ROOT), -ENOENT);
	assert_int_equal(open_within(t->dir, "deep/out", O_PATH, RESOLVE_IN_ROOT), -ENOENT);
	assert_int_equal(open_within(t->dir, "deep/out", O_PATH, RESOLVE_BENEATH), -EXDEV);
	FD_AUTO fd = open_within(t->dir, "usr", O_RDONLY, RESOLVE_BENEATH);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_renames_do_no_harm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
