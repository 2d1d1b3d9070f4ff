/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two halves of unpacking, each for itself: the decompressor's limits, what the sandbox of the
 * reader lets pass, and an applier that is told what no honest reader says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "base/macro.h"
#include "image/confine.h"
#include "image/inflate.h"
#include "image/unpack.h"
#include "image/unpack_apply.h"
#include "image/unpack_ops.h"
#include "archive.h"

static char place[] = "/tmp/orch-apply-XXXXXX";

static int make_place(void **state)
{
	(void)state;
	snprintf(place, sizeof(place), "/tmp/orch-apply-XXXXXX");
	return mkdtemp(place) ? 0 : -1;
}

static int remove_place(void **state)
{
	(void)state;
	return file_rm_rf(place, NULL);
}

/* ---- decompression ---- */

static int file_of(const void *data, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_equal(write(fd, data, n), (ssize_t)n);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int inflate_all(int fd, uint64_t max, uint64_t *ret, struct err *err)
{
	const struct inflate_limits l = { max, 1000 };
	struct inflate *f;
	const unsigned char *p;
	size_t n;
	int r = inflate_new(fd, &l, &f, err);

	*ret = 0;
	if (r < 0)
		return r;
	do {
		r = inflate_read(f, SIZE_MAX, &p, &n, err);
		*ret += r == 0 ? n : 0;
	} while (r == 0 && n);
	inflate_free(f);
	return r;
}

static void test_bomb(void **state)
{
	enum { SIZE = 64 << 20 };
	FREE_AUTO char *zeros = calloc(1, SIZE);
	FREE_AUTO char *packed = malloc(SIZE);
	size_t n = ZSTD_compress(packed, SIZE, zeros, SIZE, 3);
	struct err err = { 0 };
	uint64_t out;

	(void)state;
	FD_AUTO fd = file_of(packed, n);
	assert_int_equal(inflate_all(fd, SIZE, &out, &err), 0);
	assert_int_equal(out, SIZE);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(inflate_all(fd, 1 << 20, &out, &err), -EFBIG);
	assert_true(out <= 1 << 20);
}

/* A frame that wants a window of 128 MiB is refused: so is its memory. */
static void test_zstd_window(void **state)
{
	char packed[4096];
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_inBuffer in = { "some text", 9, 0 };
	ZSTD_outBuffer out = { packed, sizeof(packed), 0 };
	struct err err = { 0 };
	uint64_t n;

	(void)state;
	ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, 27);
	/* flushed, not ended at once: else the frame says its true size instead of a window */
	assert_false(ZSTD_isError(ZSTD_compressStream2(c, &out, &in, ZSTD_e_flush)));
	assert_int_equal(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end), 0);
	ZSTD_freeCCtx(c);
	FD_AUTO fd = file_of(packed, out.pos);
	assert_int_equal(inflate_all(fd, 1 << 20, &n, &err), -EBADMSG);
}

static void test_empty_and_short(void **state)
{
	struct err err = { 0 };
	uint64_t n;

	(void)state;
	for (size_t len = 0; len < 4; len++) {
		FD_AUTO fd = file_of("abc", len);

		assert_int_equal(inflate_all(fd, 100, &n, &err), 0);
		assert_int_equal(n, len);
	}
	FD_AUTO gzip = file_of("\x1f\x8b\x08", 3);
	assert_int_equal(inflate_all(gzip, 100, &n, &err), -EBADMSG);
}

/* ---- the sandbox ---- */

static int status_of(void (*act)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		FD_AUTO null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (confine_reader(null, null, 61000, 5) < 0)
			_exit(99);
		act();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void reads_and_writes(void)
{
	char c = 'x';
	void *p = malloc(1 << 20);

	if (read(0, &c, 1) != 0 || write(1, &c, 1) != 1 || !p)
		_exit(1);
}

static void opens(void) { open("/etc/passwd", O_RDONLY | O_CLOEXEC); }
static void connects(void) { socket(AF_INET, SOCK_STREAM, 0); }
static void forks(void) { fork(); }
static void kills(void) { kill(getppid(), 0); }
static void protects(void) { mprotect(NULL, 4096, PROT_EXEC); }

static void test_reader_can_only_read_and_write(void **state)
{
	static void (*const forbidden[])(void) = { opens, connects, forks, kills, protects };

	(void)state;
	assert_int_equal(status_of(reads_and_writes), 0);
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++) {
		int status = status_of(forbidden[i]);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

/* ---- what takes too long ---- */

/* A directory after a long comment, compressed, so many times: a few bytes that are work to read. */
static int long_archive(unsigned times)
{
	static const char comment[60 << 10];
	unsigned char packed[4096];
	BUF_AUTO tar = { 0 };
	int fd = memfd_create("test", MFD_CLOEXEC);

	put_header(&tar, (struct fields){ .type = 'g', .size = sizeof(comment) });
	put_data(&tar, comment, sizeof(comment));
	put_header(&tar, (struct fields){ .name = "d/", .mode = "0000755", .type = '5' });
	z_stream z = { .next_in = (unsigned char *)tar.data, .avail_in = (unsigned)tar.len,
		       .next_out = packed, .avail_out = sizeof(packed) };
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	for (unsigned i = 0; i < times; i++)
		assert_int_equal(write(fd, packed, z.total_out), (ssize_t)z.total_out);
	deflateEnd(&z);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void test_reader_has_so_much_time(void **state)
{
	const struct unpack_limits l = { .bytes = 1ULL << 40, .entries = 1 << 30, .ratio = 100000,
					 .cpu_s = 1 };
	struct err err = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip();
	FD_AUTO fd = long_archive(100000);
	assert_int_equal(unpack_archive(fd, place, &l, 61000, &err), -ETIME);
	assert_string_equal(err.msg, "the layer takes too long to read");
}

/* ---- the applier ---- */

struct told {
	struct buf b;
};

static void tell(struct told *t, struct unpack_op op, const char *name, const void *data, size_t n)
{
	op.nname = (uint32_t)strlen(name);
	op.ndata = (uint32_t)n;
	buf_add(&t->b, &op, sizeof(op));
	buf_add(&t->b, name, op.nname);
	buf_add(&t->b, data, n);
}

static void tell_end(struct told *t)
{
	static const char digest[] =
		"sha256:1111111111111111111111111111111111111111111111111111111111111111";

	tell(t, (struct unpack_op){ .op = UNPACK_END }, "", digest, sizeof(digest) - 1);
}

static int apply(struct told *t, struct err *err)
{
	const struct unpack_limits l = { .bytes = 1 << 20, .entries = 100 };
	FD_AUTO in = file_of(t->b.data, t->b.len);
	FD_AUTO root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct applied done = { 0 };
	int r = unpack_apply(in, root, &l, false, &done, err);

	buf_release(&done.implied);
	buf_release(&t->b);
	t->b = (struct buf){ 0 };
	return r;
}

#define OP(o, ...) (struct unpack_op){ .op = UNPACK_##o, __VA_ARGS__ }

static void test_applier_refuses(void **state)
{
	static const struct {
		struct unpack_op op;
		const char *name, *data;
		size_t n;
	} rows[] = {
		{ OP(DIR, .mode = 0755), "../x", NULL, 0 }, { OP(DIR, .mode = 0755), "/x", NULL, 0 },
		{ OP(FILE, .mode = 0644), "a//b", NULL, 0 },
		{ OP(FILE, .mode = 0644), "a/./b", NULL, 0 },
		{ OP(FILE, .mode = 0644), "a/", NULL, 0 }, { OP(FILE, .mode = 0644), "", NULL, 0 },
		{ OP(LINK), "l", "../../etc/passwd", 16 }, { OP(LINK), "l", "", 0 },
		{ OP(DATA), "", "contents of nothing", 19 }, { OP(XATTR), "user.x", "of nothing", 10 },
		{ OP(SYMLINK), "s", "a\0b", 3 }, { OP(NODE, .mode = S_IFREG | 0644), "n", NULL, 0 },
		{ OP(FILE, .offset = 1ULL << 40), "large", NULL, 0 },
		{ OP(DIR, .mtime_ns = 2000000000), "d", NULL, 0 },
		{ { .op = 99 }, "x", NULL, 0 }, { { .op = 0 }, "x", NULL, 0 },
		{ OP(END), "", "sha256:short", 12 }, { OP(FAIL), "", "told to", 7 },
	};

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct told t = { 0 };
		struct err err = { 0 };

		tell(&t, rows[i].op, rows[i].name, rows[i].data, rows[i].n);
		tell_end(&t);
		if (apply(&t, &err) >= 0)
			fail_msg("row %zu was carried out", i);
		assert_true(err.code < 0);
	}
}

static void test_applier_ends_early(void **state)
{
	struct told t = { 0 };
	struct err err = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip();
	tell(&t, OP(DIR, .mode = 0755), "d", NULL, 0);
	assert_int_equal(apply(&t, &err), -EPIPE);
	tell(&t, OP(DIR, .mode = 0755), "d", NULL, 0);
	t.b.len -= 1;
	assert_int_equal(apply(&t, &err), -EPIPE);
	for (int i = 0; i < 201; i++)
		tell(&t, OP(DIR, .mode = 0755), "d", NULL, 0);
	tell_end(&t);
	assert_int_equal(apply(&t, &err), -EFBIG);
}

/* Data beyond the size that was announced, and attributes that no reader lets pass. */
static void test_applier_counts_itself(void **state)
{
	static const char *const names[] = { "trusted.overlay.opaque", "user.overlay.x",
					      "security.ima" };
	struct told t = { 0 };
	struct err err = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip();
	tell(&t, OP(FILE, .mode = 0644, .offset = 4), "f", NULL, 0);
	tell(&t, OP(DATA, .offset = 2), "", "abc", 3);
	assert_int_equal(apply(&t, &err), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		tell(&t, OP(DIR, .mode = 0755), "d", NULL, 0);
		tell(&t, OP(XATTR), names[i], "y", 1);
		assert_int_equal(apply(&t, &err), -EBADMSG);
	}
}

static void test_applier_works(void **state)
{
	struct told t = { 0 };
	struct err err = { 0 };
	char path[64];
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	tell(&t, OP(FILE, .mode = S_IFREG | 04751, .uid = 7, .gid = 8, .offset = 9, .mtime = 5), "a/f",
	     NULL, 0);
	tell(&t, OP(DATA, .offset = 2), "", "abc", 3);
	tell(&t, OP(WHITEOUT), "gone", NULL, 0);
	tell_end(&t);
	assert_int_equal(apply(&t, &err), 0);
	snprintf(path, sizeof(path), "%s/a/f", place);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 04751);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_size, 9);
	assert_int_equal(st.st_mtime, 5);
	snprintf(path, sizeof(path), "%s/gone", place);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_zstd_window),
		cmocka_unit_test(test_empty_and_short),
		cmocka_unit_test(test_reader_can_only_read_and_write),
		cmocka_unit_test_setup_teardown(test_reader_has_so_much_time, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(test_applier_refuses, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_applier_ends_early, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_applier_counts_itself, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_applier_works, make_place, remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
