/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file becomes a device, the same one when it is asked for again, and ends being one. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/macro.h"
#include "sys/loopdev.h"

static bool is_used(void *data, const char *file)
{
	size_t n = strlen(data);

	return strlen(file) >= n && streq(file + strlen(file) - n, data);
}

static uint64_t size_of(const char *device)
{
	uint64_t size = 0;
	FD_AUTO fd = open(device, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, BLKGETSIZE64, &size), 0);
	return size;
}

static void make_file(const char *path, off_t size)
{
	assert_int_equal(file_write(path, "begins", 6, 0600, NULL), 0);
	assert_int_equal(truncate(path, size), 0);
}

static void test_devices(void **state)
{
	char dir[] = "/tmp/orch-loopdev-XXXXXX", a[64], b[64];
	char first[LOOPDEV_NAME], again[LOOPDEV_NAME], second[LOOPDEV_NAME], text[6];
	struct err err = { 0 };

	(void)state;
	if (geteuid() != 0 || access("/dev/loop-control", R_OK | W_OK) < 0)
		skip();
	assert_non_null(mkdtemp(dir));
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	make_file(a, 1 << 20);
	make_file(b, 1 << 20);
	if (loopdev_attach(a, first, &err) < 0 || loopdev_attach(b, second, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_not_equal(first, second);
	assert_int_equal(size_of(first), 1 << 20);
	assert_int_equal(truncate(a, 2 << 20), 0);
	assert_int_equal(loopdev_attach(a, again, &err), 0);
	assert_string_equal(first, again);
	assert_int_equal(size_of(first), 2 << 20);

	int fd = open(second, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), sizeof(text));
	assert_memory_equal(text, "begins", sizeof(text));
	close(fd);
	loopdev_detach(dir, is_used, (void *)"/a");
	assert_int_equal(size_of(first), 2 << 20);
	assert_int_equal(size_of(second), 0);
	loopdev_detach(dir, is_used, (void *)"/none");
	assert_int_equal(size_of(first), 0);
	assert_int_equal(loopdev_attach("/nonexistent/file", first, &err), -ENOENT);
	file_rm_rf(dir, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_devices) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
