/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unix sockets: stale ones, long paths, modes, descriptors that arrive and those that must not. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/sock.h"

struct fixture {
	char dir[256];
	char path[512];
	int pair[2];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	snprintf(f->dir, sizeof(f->dir), "%s/orch-sock-XXXXXX", tmp ? tmp : "/tmp");
	*state = f;
	umask(077);
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->pair);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int r = file_rm_rf(f->dir, NULL);

	fd_cleanup(&f->pair[0]);
	fd_cleanup(&f->pair[1]);
	free(f);
	return r;
}

static unsigned open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 200; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void expect_talk(struct fixture *f, int type)
{
	struct err err;
	char text[8] = "";
	struct stat st;
	FD_AUTO l = sock_listen(f->path, type, 0666, &err);

	assert_true(l >= 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);	/* whatever the umask */
	FD_AUTO c = sock_connect(f->path, type, &err);
	assert_true(c >= 0);
	assert_true(fcntl(c, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(c, F_GETFD) & FD_CLOEXEC);
	FD_AUTO s = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	assert_true(s >= 0);
	assert_int_equal(sock_send(c, "hello", 5, NULL, 0), 5);
	assert_int_equal(sock_recv(s, text, sizeof(text), NULL, NULL), 5);
	assert_string_equal(text, "hello");
	pid_t pid;
	uid_t uid;
	assert_int_equal(sock_peer(s, &pid, &uid, NULL), 0);
	assert_int_equal(pid, getpid());
	assert_int_equal(uid, geteuid());
}

static void test_talk(void **state)
{
	expect_talk(*state, SOCK_STREAM);
	expect_talk(*state, SOCK_SEQPACKET);	/* over the stale one */
}

static void test_long_path(void **state)
{
	struct fixture *f = *state;

	snprintf(f->path, sizeof(f->path), "%s/%0150d", f->dir, 7);
	assert_int_equal(file_mkdir_p(f->path, 0700, NULL), 0);
	snprintf(f->path, sizeof(f->path), "%s/%0150d/sock", f->dir, 7);
	unsigned before = open_fds();
	expect_talk(f, SOCK_SEQPACKET);
	assert_int_equal(open_fds(), before);
	snprintf(f->path, sizeof(f->path), "%s/%0150d/%0100d", f->dir, 7, 1);
	assert_int_equal(sock_connect(f->path, SOCK_STREAM, NULL), -ENAMETOOLONG);
	assert_int_equal(open_fds(), before);
}

static void test_in_use(void **state)
{
	struct fixture *f = *state;
	struct err err;
	FD_AUTO l = sock_listen(f->path, SOCK_STREAM, 0600, &err);

	assert_true(l >= 0);
	assert_int_equal(sock_listen(f->path, SOCK_STREAM, 0600, &err), -EADDRINUSE);
	assert_non_null(strstr(err.msg, f->path));
	assert_int_equal(sock_listen(f->path, SOCK_SEQPACKET, 0600, &err), -EADDRINUSE);
	FD_AUTO c = sock_connect(f->path, SOCK_STREAM, &err);
	assert_true(c >= 0);		/* still there */
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(sock_connect(f->path, SOCK_STREAM, &err), -ENOENT);
	assert_int_equal(file_write(f->path, "precious", 8, 0600, NULL), 0);
	assert_int_equal(sock_listen(f->path, SOCK_STREAM, 0600, &err), -EADDRINUSE);
	BUF_AUTO b = { 0 };
	assert_int_equal(file_read(f->path, 0, &b, NULL), 0);
	assert_string_equal(buf_str(&b), "precious");
}

static void test_fds(void **state)
{
	struct fixture *f = *state;
	int fds[SOCK_FDS_MAX], got[SOCK_FDS_MAX] = { -1, -1, -1, -1 };
	unsigned n = SOCK_FDS_MAX;
	char text[4] = "";

	for (int i = 0; i < SOCK_FDS_MAX; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(sock_send(f->pair[0], "x", 1, fds, SOCK_FDS_MAX + 1), -EINVAL);
	assert_int_equal(sock_send(f->pair[0], "fds", 3, fds, SOCK_FDS_MAX), 3);
	assert_int_equal(sock_recv(f->pair[1], text, sizeof(text), got, &n), 3);
	assert_int_equal(n, SOCK_FDS_MAX);
	for (int i = 0; i < SOCK_FDS_MAX; i++) {
		struct stat a, b;
		assert_true(fcntl(got[i], F_GETFD) & FD_CLOEXEC);
		assert_int_equal(fstat(got[i], &a) | fstat(fds[i], &b), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		close(got[i]);
		close(fds[i]);
	}
}

/* Descriptors nobody asked for do not pile up. */
static void test_fds_without_room(void **state)
{
	struct fixture *f = *state;
	int fds[3], got[1];
	unsigned n = 1;
	char text[4];

	for (int i = 0; i < 3; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	unsigned before = open_fds();
	assert_int_equal(sock_send(f->pair[0], "a", 1, fds, 3), 1);
	assert_int_equal(sock_recv(f->pair[1], text, sizeof(text), got, &n), 1);
	assert_int_equal(n, 1);
	assert_int_equal(open_fds(), before + 1);
	close(got[0]);
	assert_int_equal(sock_send(f->pair[0], "a", 1, fds, 3), 1);
	assert_int_equal(sock_recv(f->pair[1], text, sizeof(text), NULL, NULL), 1);
	assert_int_equal(open_fds(), before);
	n = 1;
	assert_int_equal(sock_send(f->pair[0], "too long", 8, fds, 1), 8);
	assert_int_equal(sock_recv(f->pair[1], text, sizeof(text), got, &n), -EMSGSIZE);
	assert_int_equal(n, 0);
	assert_int_equal(open_fds(), before);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void test_end(void **state)
{
	struct fixture *f = *state;
	char text[4];
	unsigned n = 0;
	int got[1];

	close(f->pair[0]);
	f->pair[0] = -1;
	assert_int_equal(sock_recv(f->pair[1], text, sizeof(text), got, &n), 0);
	assert_int_equal(sock_send(f->pair[1], "x", 1, NULL, 0), -EPIPE);	/* and no signal */
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_talk),
		TEST(test_long_path),
		TEST(test_in_use),
		TEST(test_refused),
		TEST(test_fds),
		TEST(test_fds_without_room),
		TEST(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
