/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A copy runs as the program does, and cannot be changed: not by its descriptor, nor by /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/macro.h"
#include "sys/sealed.h"
#include "sys/spawn.h"

static int run(const char *path)
{
	const char *argv[] = { "sh", "-c", "exit 7", NULL };
	struct spawn s = { .path = path, .argv = argv, .fds = { -1 }, .nfds = 8 };
	struct err err = { 0 };
	int pidfd = -1, status;
	pid_t pid = -1;

	for (unsigned i = 0; i < s.nfds; i++)
		s.fds[i] = -1;
	if (spawn(&s, &pid, &pidfd, &err) < 0)
		fail_msg("%s", err.msg);
	close(pidfd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void test_copy(void **state)
{
	char path[64];
	int fd = -1;

	(void)state;
	assert_int_equal(sealed_copy("/bin/sh", &fd, NULL), 0);
	sealed_path(fd, path, sizeof(path));
	assert_int_equal(run(path), 7);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(run(path), 7);
	int again = open(path, O_RDWR | O_CLOEXEC);	/* may be opened, not changed */
	if (again >= 0) {
		assert_int_equal(write(again, "x", 1), -1);
		assert_int_equal(errno, EPERM);
		assert_int_equal(ftruncate(again, 0), -1);
		assert_ptr_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, again, 0), MAP_FAILED);
		close(again);
	}
	close(fd);
}

static void test_failure(void **state)
{
	struct err err = { 0 };
	int fd = -7;

	(void)state;
	assert_int_equal(sealed_copy("/nonexistent/program", &fd, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent/program"));
	assert_int_equal(fd, -7);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_copy), cmocka_unit_test(test_failure) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
