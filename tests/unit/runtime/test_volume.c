/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ConfigMap volumes are swapped whole; what it holds of objects and of the pod. */
#include "fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/volume.h"

static char dir[32] = "/tmp/orch-volume-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return file_rm_rf(dir, NULL);
}

static struct volume_file text(const char *path, const char *s, mode_t mode)
{
	return (struct volume_file){ path, { s, strlen(s) }, mode };
}

/* Swaps, and removes the content before as the runtime does later; true when there was any. */
static bool swap(struct volume_file *v, uint32_t n, int64_t now)
{
	struct volume_files l = { .v = v, .n = n };
	const char *old;
	struct arena a = { 0 };
	struct err err = { 0 };

	if (volume_swap(dir, &l, now, &a, &old, &err) < 0)
		fail_msg("%s", err.msg);
	bool had = old != NULL;
	if (had)
		assert_int_equal(file_rm_rf(old, NULL), 0);
	arena_release(&a);
	return had;
}

static void assert_content(const char *name, const char *want)
{
	BUF_AUTO out = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_read(path, 0, &out, NULL), 0);
	assert_string_equal(buf_str(&out), want);
}

static bool there(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return file_exists(path);
}

static void data_target(char ret[128])
{
	char path[256];

	snprintf(path, sizeof(path), "%s/..data", dir);
	ssize_t n = readlink(path, ret, 127);
	assert_true(n > 0);
	ret[n] = '\0';
}

static void test_swap(void **state)
{
	char first[128], second[128];
	struct volume_file a[] = { text("a", "1", 0644), text("sub/b", "2", 0600) };
	struct volume_file b[] = { text("a", "one", 0644), text("c", "3", 0444) };

	(void)state;
	assert_false(swap(a, 2, NSEC));
	assert_content("a", "1");
	assert_content("sub/b", "2");
	data_target(first);
	assert_false(swap(a, 2, 2 * NSEC));	/* the same again touches nothing */
	data_target(second);
	assert_string_equal(first, second);
	assert_true(swap(b, 2, 3 * NSEC));
	assert_content("a", "one");
	assert_content("c", "3");
	assert_false(there("sub"));
	assert_false(there(first));
	assert_false(there("..data_tmp"));
}

static void test_modes(void **state)
{
	struct volume_file a[] = { text("a", "1", 0640) }, b[] = { text("a", "1", 0400) };
	char path[256];
	struct stat st;

	(void)state;
	umask(077);
	swap(a, 1, NSEC);
	umask(022);
	snprintf(path, sizeof(path), "%s/a", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	swap(b, 1, 2 * NSEC);		/* a mode alone is a change, too */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0400);
}

/* A file that is open keeps the old content, one that is opened anew has the new. */
static void test_open_file(void **state)
{
	struct volume_file a[] = { text("a", "old", 0644) }, b[] = { text("a", "new", 0644) };
	char path[256], got[8] = "";

	(void)state;
	swap(a, 1, NSEC);
	snprintf(path, sizeof(path), "%s/a", dir);
	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
	swap(b, 1, 2 * NSEC);
	assert_int_equal(read(fd, got, sizeof(got)), 3);
	assert_string_equal(got, "old");
	assert_content("a", "new");
}

static void test_host_path(void **state)
{
	char path[256];
	struct host_path_volume h = { .path = path, .type = HOST_PATH_DIRECTORY };
	struct err err = { 0 };

	(void)state;
	snprintf(path, sizeof(path), "%s/d", dir);
	assert_int_equal(volume_check_host_path(&h, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "hostPath type check failed"));
	h.type = HOST_PATH_DIRECTORY_OR_CREATE;
	assert_int_equal(volume_check_host_path(&h, &err), 0);
	assert_true(there("d"));
	h.type = HOST_PATH_FILE;
	assert_int_equal(volume_check_host_path(&h, &err), -EINVAL);
	snprintf(path, sizeof(path), "%s/f", dir);
	h.type = HOST_PATH_FILE_OR_CREATE;
	assert_int_equal(volume_check_host_path(&h, &err), 0);
	assert_content("f", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_swap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_modes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_open_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_host_path, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
