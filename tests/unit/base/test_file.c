/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files, in a directory of their own below $TMPDIR: modes whatever the umask, writers that race,
 * and removal of trees that are deep, linked, mounted on or somebody else's.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/macro.h"

struct fixture {
	char dir[256];
	char path[512];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	snprintf(f->dir, sizeof(f->dir), "%s/orch-file-XXXXXX", tmp ? tmp : "/tmp");
	*state = f;
	umask(077);
	return mkdtemp(f->dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int r = file_rm_rf(f->dir, NULL);

	free(f);
	return r;
}

/* A path inside the directory; valid until the next call. */
static const char *at(struct fixture *f, const char *name)
{
	snprintf(f->path, sizeof(f->path), "%s/%s", f->dir, name);
	return f->path;
}

static void expect_content(const char *path, const char *content)
{
	BUF_AUTO b = { 0 };

	assert_int_equal(file_read(path, 0, &b, NULL), 0);
	assert_string_equal(buf_str(&b), content);
}

static unsigned count_entries(const char *path)
{
	unsigned n = 0;
	DIR *d = opendir(path);

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_read(void **state)
{
	struct fixture *f = *state;
	const char *path = at(f, "a");
	struct err err;
	BUF_AUTO b = { 0 };

	assert_int_equal(file_write(path, "0123456789", 10, 0644, NULL), 0);
	assert_int_equal(file_read(path, 10, &b, &err), 0);
	assert_int_equal(file_read(path, 0, &b, &err), 0);
	assert_string_equal(buf_str(&b), "01234567890123456789");
	assert_int_equal(file_read(path, 9, &b, &err), -EFBIG);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(b.len, 20);
	assert_int_equal(strlen(buf_str(&b)), 20);
	assert_int_equal(file_read("/proc/self/status", 0, &b, &err), 0);
	assert_non_null(strstr(buf_str(&b), "Name:"));
}

static void test_read_refused(void **state)
{
	struct fixture *f = *state;
	struct err err;
	BUF_AUTO b = { 0 };

	assert_int_equal(file_read(at(f, "absent"), 0, &b, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "No such file"));
	assert_int_equal(file_read(f->dir, 0, &b, &err), -EISDIR);
	assert_int_equal(mkfifo(at(f, "fifo"), 0600), 0);
	assert_int_equal(file_read(f->path, 0, &b, &err), -EINVAL);
	assert_int_equal(b.len, 0);
}

static void test_write(void **state)
{
	struct fixture *f = *state;
	const char *path = at(f, "a");

	assert_int_equal(file_write(path, "longer than that", 16, 0664, NULL), 0);
	assert_int_equal(mode_of(path), 0664);
	assert_int_equal(file_write(path, "short", 5, 0600, NULL), 0);
	assert_int_equal(mode_of(path), 0664);
	expect_content(path, "short");
	assert_int_equal(file_write(at(f, "no/a"), "x", 1, 0600, NULL), -ENOENT);
	if (access("/dev/full", W_OK) == 0)
		assert_int_equal(file_write("/dev/full", "x", 1, 0600, NULL), -ENOSPC);
}

static void test_write_atomic(void **state)
{
	struct fixture *f = *state;
	const char *path = at(f, "a");
	struct stat before, after;

	assert_int_equal(file_write_atomic(path, "one", 3, 0640, true, NULL), 0);
	assert_int_equal(mode_of(path), 0640);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(file_write_atomic(path, "two", 3, 0644, false, NULL), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	expect_content(path, "two");
	char old[4] = "";
	assert_int_equal(read(fd, old, 3), 3);
	assert_string_equal(old, "one");	/* who has it open reads on undisturbed */
	close(fd);
	assert_int_equal(count_entries(f->dir), 1);
}

/* What a crash or an enemy left under the temporary name does no harm. */
static void test_write_atomic_leftover(void **state)
{
	struct fixture *f = *state;
	char path[600];
	struct err err;

	snprintf(path, sizeof(path), "%s/a", f->dir);
	assert_int_equal(file_write(at(f, ".a.new"), "leftover, and longer", 20, 0666, NULL), 0);
	assert_int_equal(file_write_atomic(path, "new", 3, 0600, true, NULL), 0);
	expect_content(path, "new");
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(count_entries(f->dir), 1);
	assert_int_equal(file_write(at(f, "victim"), "v", 1, 0600, NULL), 0);
	assert_int_equal(symlink("victim", at(f, ".a.new")), 0);
	assert_int_equal(file_write_atomic(path, "evil", 4, 0600, true, &err), -ELOOP);
	expect_content(at(f, "victim"), "v");
	expect_content(path, "new");
}

static void test_write_atomic_fails(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct rlimit old, limit;

	assert_int_equal(mkdir(at(f, "d"), 0700), 0);
	assert_int_equal(file_write_atomic(f->path, "x", 1, 0600, true, &err), -EISDIR);
	assert_int_equal(file_write_atomic(at(f, "no/a"), "x", 1, 0600, true, &err), -ENOENT);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 4;
	setrlimit(RLIMIT_FSIZE, &limit);
	int r = file_write_atomic(at(f, "big"), "0123456789", 10, 0600, true, &err);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(count_entries(f->dir), 1);	/* only d: no partial file, no temporary */
}

static void write_often(const char *path, char c)
{
	char data[20000];

	memset(data, c, sizeof(data));
	for (int i = 0; i < 300; i++) {
		if (file_write_atomic(path, data, sizeof(data), 0600, false, NULL) < 0)
			_exit(1);
	}
	_exit(0);
}

/* Four writers, and readers that never see a mixture, a part or nothing. */
static void test_write_atomic_race(void **state)
{
	struct fixture *f = *state;
	const char *path = at(f, "a");
	unsigned running = 4;

	assert_int_equal(file_write_atomic(path, "start", 5, 0600, false, NULL), 0);
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			write_often(path, (char)('a' + i));
	}
	while (running) {
		BUF_AUTO b = { 0 };
		int status;
		assert_int_equal(file_read(path, 0, &b, NULL), 0);
		if (b.len != 5) {
			assert_int_equal(b.len, 20000);
			for (size_t i = 1; i < b.len; i++)
				assert_int_equal(b.data[i], b.data[0]);
		}
		if (waitpid(-1, &status, WNOHANG) > 0) {
			assert_int_equal(status, 0);
			running--;
		}
	}
	assert_int_equal(count_entries(f->dir), 1);
}

static void test_mkdir_p(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(file_mkdir_p(at(f, "a/b//c/"), 0700, &err), 0);
	assert_int_equal(file_mkdir_p(at(f, "a/b/c"), 0700, &err), 0);
	assert_true(file_exists(at(f, "a/b/c")));
	assert_int_equal(symlink("a", at(f, "link")), 0);
	assert_int_equal(file_mkdir_p(at(f, "link/d"), 0700, &err), 0);
	assert_true(file_exists(at(f, "a/d")));
	assert_int_equal(file_write(at(f, "file"), "", 0, 0600, &err), 0);
	assert_int_equal(file_mkdir_p(at(f, "file"), 0700, &err), -ENOTDIR);
	assert_int_equal(file_mkdir_p(at(f, "file/x/y"), 0700, &err), -ENOTDIR);
	assert_int_equal(file_mkdir_p("", 0700, &err), -ENOENT);
	assert_int_equal(file_mkdir_p("/", 0700, &err), 0);
}

static void test_rm_rf(void **state)
{
	struct fixture *f = *state;
	struct err err = { .msg = "" };

	assert_int_equal(file_mkdir_p(at(f, "t/a/b/c"), 0700, &err), 0);
	assert_int_equal(file_mkdir_p(at(f, "t/a/e"), 0700, &err), 0);
	for (int i = 0; i < 300; i++) {
		char name[32];
		snprintf(name, sizeof(name), "t/a/b/%d", i);
		assert_int_equal(file_mkdir_p(at(f, name), 0700, &err), 0);
		snprintf(name, sizeof(name), "t/a/b/%d/file", i);
		assert_int_equal(file_write(at(f, name), "x", 1, 0400, &err), 0);
	}
	assert_int_equal(mkfifo(at(f, "t/fifo"), 0600), 0);
	if (file_rm_rf(at(f, "t//"), &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(count_entries(f->dir), 0);
	assert_int_equal(file_rm_rf(at(f, "t"), &err), 0);	/* absent is success */
	assert_int_equal(file_rm_rf(at(f, "no/t"), &err), 0);
	assert_int_equal(file_write(at(f, "file"), "x", 1, 0400, &err), 0);
	assert_int_equal(file_rm_rf(at(f, "file"), &err), 0);
	assert_false(file_exists(at(f, "file")));
	assert_int_equal(file_rm_rf("/", &err), -EINVAL);
	assert_int_equal(file_rm_rf(at(f, ".."), &err), -EINVAL);
	assert_int_equal(file_rm_rf(at(f, "."), &err), -EINVAL);
}

static void test_rm_rf_links(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(file_mkdir_p(at(f, "keep/d"), 0700, NULL), 0);
	assert_int_equal(file_write(at(f, "keep/d/f"), "x", 1, 0600, NULL), 0);
	assert_int_equal(file_mkdir_p(at(f, "t/s"), 0700, NULL), 0);
	assert_int_equal(symlink("../../keep", at(f, "t/s/up")), 0);
	assert_int_equal(symlink(f->dir, at(f, "t/all")), 0);
	assert_int_equal(symlink("nowhere", at(f, "t/broken")), 0);
	assert_int_equal(file_rm_rf(at(f, "t"), NULL), 0);
	assert_false(file_exists(at(f, "t")));
	expect_content(at(f, "keep/d/f"), "x");
	assert_int_equal(symlink("keep", at(f, "l")), 0);
	assert_int_equal(file_rm_rf(at(f, "l"), NULL), 0);	/* the link itself */
	assert_false(file_exists(at(f, "l")));
	expect_content(at(f, "keep/d/f"), "x");
}

/* Far deeper than PATH_MAX, with fewer descriptors than levels. */
static void test_rm_rf_deep(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, limit;
	struct err err = { .msg = "" };
	int dir = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < 3000; i++) {
		assert_int_equal(mkdirat(dir, "a-rather-long-name", 0700), 0);
		int sub = openat(dir, "a-rather-long-name", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(sub >= 0);
		close(dir);
		dir = sub;
	}
	close(dir);
	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	limit.rlim_cur = 32;
	setrlimit(RLIMIT_NOFILE, &limit);
	int r = file_rm_rf(at(f, "a-rather-long-name"), &err);
	setrlimit(RLIMIT_NOFILE, &old);
	if (r < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(count_entries(f->dir), 0);
}

/* In a mount namespace of its own: 0 when all is as it should be, else the line. */
static int try_mounts(struct fixture *f)
{
	char outside[300], inside[300];
	struct err err;

	if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) < 0)
		return 77;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	snprintf(outside, sizeof(outside), "%s/outside", f->dir);
	snprintf(inside, sizeof(inside), "%s/t/d/mnt", f->dir);
	if (mount(outside, inside, NULL, MS_BIND, NULL) < 0)
		return 77;
	if (file_rm_rf(at(f, "t"), &err) != -EBUSY || !strstr(err.msg, "t/d"))
		return __LINE__;
	if (!file_exists(at(f, "outside/file")) || !file_exists(at(f, "t/d/mnt/file")))
		return __LINE__;
	/* nor is a mount emptied that is the very path */
	if (file_rm_rf(inside, &err) != -EBUSY || !file_exists(at(f, "outside/file")))
		return __LINE__;
	if (umount2(inside, MNT_DETACH) < 0 || file_rm_rf(at(f, "t"), &err) < 0)
		return __LINE__;
	return file_exists(at(f, "t")) ? __LINE__ : 0;
}

static void test_rm_rf_mounts(void **state)
{
	struct fixture *f = *state;
	int status;

	assert_int_equal(file_mkdir_p(at(f, "t/d/mnt"), 0755, NULL), 0);
	assert_int_equal(file_mkdir_p(at(f, "outside"), 0755, NULL), 0);
	assert_int_equal(file_write(at(f, "outside/file"), "x", 1, 0644, NULL), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int r = try_mounts(f);
		_exit(r > 254 ? 254 : r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();		/* no mount namespaces for this user */
	assert_int_equal(status, 0);
}

static void test_exists(void **state)
{
	struct fixture *f = *state;

	assert_false(file_exists(at(f, "x")));
	assert_int_equal(symlink("nowhere", at(f, "x")), 0);
	assert_true(file_exists(at(f, "x")));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read),
		TEST(test_read_refused),
		TEST(test_write),
		TEST(test_write_atomic),
		TEST(test_write_atomic_leftover),
		TEST(test_write_atomic_fails),
		TEST(test_write_atomic_race),
		TEST(test_mkdir_p),
		TEST(test_rm_rf),
		TEST(test_rm_rf_links),
		TEST(test_rm_rf_deep),
		TEST(test_rm_rf_mounts),
		TEST(test_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
