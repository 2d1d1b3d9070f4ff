/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tar archives made here block by block, read through a source that gives a few bytes at a time:
 * where a piece ends must not matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "archive.h"
#include "pieces.h"

/* ---- making archives ---- */

/* "LENGTH KEY=VALUE\n" where LENGTH counts itself. */
static void record(struct buf *out, const char *key, const char *value, size_t n)
{
	size_t length = strlen(key) + n + 3, digits = 1;

	for (size_t power = 10; length + digits >= power; power *= 10)
		digits++;
	buf_printf(out, "%zu %s=", length + digits, key);
	buf_add(out, value, n);
	buf_putc(out, '\n');
}

static void pax(struct buf *out, const struct buf *records)
{
	put_header(out, (struct fields){ .name = "pax", .type = 'x', .size = records->len });
	put_data(out, records->data, records->len);
}

/* ---- reading them ---- */

static struct tar *open_tar(struct pieces *s, const struct buf *b, size_t piece)
{
	*s = (struct pieces){ (const unsigned char *)b->data, b->len, piece };
	return tar_new((struct tar_source){ pieces_give, s });
}

/* All data of the entry with its holes as zeros; the size is checked. */
static void assert_data(struct tar *t, const struct tar_entry *e, const void *want, size_t n)
{
	FREE_AUTO char *got = calloc(1, n + 1);
	const unsigned char *p;
	uint64_t offset;
	size_t k;

	assert_int_equal(e->size, n);
	for (;;) {
		assert_int_equal(tar_data(t, 1000, &p, &k, &offset, NULL), 0);
		if (k == 0)
			break;
		assert_true(offset + k <= n);
		memcpy(got + offset, p, k);
	}
	assert_memory_equal(got, want, n);
}

static void test_plain(void **state)
{
	static const size_t pieces[] = { 1, 7, 511, 512, 513, 1 << 20 };
	BUF_AUTO b = { 0 };

	(void)state;
	put_header(&b, (struct fields){ .name = "dir/", .type = '5', .mode = "0001750",
					 .uid = "0001750" });
	put_header(&b, (struct fields){ .name = "dir/f", .size = 600, .mtime = "14524360000" });
	FREE_AUTO char *text = malloc(600);
	memset(text, 'f', 600);
	put_data(&b, text, 600);
	put_header(&b, (struct fields){ .name = "l", .link = "dir/f", .type = '2', .size = 5 });
	put_end(&b);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct pieces s;
		struct tar *t = open_tar(&s, &b, pieces[i]);
		struct tar_entry e;

		assert_int_equal(tar_next(t, &e, NULL), 1);
		assert_int_equal(e.type, TAR_DIR);
		assert_int_equal(e.mode, 01750);
		assert_int_equal(e.uid, 1000);
		assert_int_equal(tar_next(t, &e, NULL), 1);
		assert_string_equal(e.path, "dir/f");
		assert_int_equal(e.mtime, 014524360000);
		if (i % 2)	/* what is not asked for is skipped */
			assert_data(t, &e, text, 600);
		assert_int_equal(tar_next(t, &e, NULL), 1);
		assert_int_equal(e.type, TAR_SYMLINK);
		assert_string_equal(e.link, "dir/f");
		assert_int_equal(tar_next(t, &e, NULL), 0);
		assert_int_equal(tar_drain(t, NULL), 0);
		assert_int_equal(s.n, 0);
		tar_free(t);
	}
}

/* One entry whose pax header has this one record. */
static int with_record(const char *key, const char *value, size_t n, struct tar_entry *ret,
		       struct tar **ret_tar, struct err *err)
{
	static struct pieces s;
	static struct buf b;
	BUF_AUTO records = { 0 };

	buf_reset(&b);
	record(&records, key, value, n);
	pax(&b, &records);
	put_header(&b, (struct fields){ .name = "short", .uid = "0000007", .mtime = "00000000011" });
	put_end(&b);
	*ret_tar = open_tar(&s, &b, 100);
	return tar_next(*ret_tar, ret, err);
}

static void test_pax(void **state)
{
	static const struct {
		const char *key, *value;
		const char *path;
		uint32_t uid;
		int64_t mtime;
		uint32_t ns;
	} rows[] = {
		{ "path", "a/long name", "a/long name", 7, 9, 0 },
		{ "uid", "4294967294", "short", 4294967294, 9, 0 },
		{ "uid", "", "short", 7, 9, 0 },
		{ "mtime", "12.5", "short", 7, 12, 500000000 },
		{ "mtime", "-1.5", "short", 7, -2, 500000000 },
		{ "mtime", "-3", "short", 7, -3, 0 },
		{ "mtime", "1.1234567891234", "short", 7, 1, 123456789 },
		{ "comment", "x=y", "short", 7, 9, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tar_entry e;
		struct tar *t;

		assert_int_equal(with_record(rows[i].key, rows[i].value, strlen(rows[i].value), &e, &t,
					     NULL), 1);
		assert_string_equal(e.path, rows[i].path);
		assert_int_equal(e.uid, rows[i].uid);
		assert_int_equal(e.mtime, rows[i].mtime);
		assert_int_equal(e.mtime_ns, rows[i].ns);
		tar_free(t);
	}
}

static void test_pax_refused(void **state)
{
	static const struct { const char *key, *value; size_t n; } rows[] = {
		{ "path", "a\0b", 3 }, { "uid", "4294967295", 10 }, { "uid", "-1", 2 },
		{ "uid", "1x", 2 },
		{ "size", "99999999999999999999", 20 }, { "size", "9300000000000000000", 19 },
		{ "mtime", "x", 1 }, { "mtime", "1.2.3", 5 }, { "mtime", "-", 1 },
		{ "GNU.sparse.major", "2", 1 },
		{ "GNU.sparse.map", "1,x", 3 }, { "SCHILY.xattr.", "v", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = { 0 };
		struct tar_entry e;
		struct tar *t;

		assert_int_equal(with_record(rows[i].key, rows[i].value, rows[i].n, &e, &t, &err),
				 -EBADMSG);
		assert_non_null(strstr(err.msg, "pax header"));
		tar_free(t);
	}
}

static void test_xattrs(void **state)
{
	static const char value[] = "a\0=\n\xff";
	struct tar_entry e;
	struct tar *t;

	(void)state;
	assert_int_equal(with_record("SCHILY.xattr.user.x", value, 5, &e, &t, NULL), 1);
	assert_int_equal(e.nxattrs, 1);
	assert_string_equal(e.xattrs[0].name, "user.x");
	assert_int_equal(e.xattrs[0].n, 5);
	assert_memory_equal(e.xattrs[0].value, value, 5);
	assert_int_equal(tar_next(t, &e, NULL), 0);
	tar_free(t);
}

static void test_gnu_sparse(void **state)
{
	char h[512], want[5000] = { 0 };
	struct tar_entry e;
	struct pieces s;
	BUF_AUTO b = { 0 };

	(void)state;
	put_header(&b, (struct fields){ .name = "sparse", .type = 'S', .size = 600 });
	memcpy(h, b.data, 512);
	memcpy(h + 257, "ustar  ", 8);
	memset(h + 345, 0, 155);
	snprintf(h + 386, 100, "%011o%c%011o%c%011o%c%011o", 1024, 0, 512, 0, 4096, 0, 88);
	memcpy(h + 386 + 12, "00000001000", 12);
	memcpy(h + 386 + 24, "00000010000", 12);
	memcpy(h + 386 + 36, "00000000130", 12);
	snprintf(h + 483, 12, "%011o", 5000);
	seal(h);
	buf_reset(&b);
	buf_add(&b, h, 512);
	memset(want + 1024, 'a', 512);
	memset(want + 4096, 'b', 88);
	char pieces[600];
	memset(pieces, 'a', 512);
	memset(pieces + 512, 'b', 88);
	put_data(&b, pieces, 600);
	put_end(&b);
	struct tar *t = open_tar(&s, &b, 300);
	assert_int_equal(tar_next(t, &e, NULL), 1);
	assert_data(t, &e, want, sizeof(want));
	assert_int_equal(tar_next(t, &e, NULL), 0);
	tar_free(t);
}

/* A map that is not in order, leaves the file, or is of more or less data than there is. */
static void test_sparse_maps_refused(void **state)
{
	static const char *const maps[] = {
		"10,5,0,5", "0,5,4,5", "0,5,96,5", "0,4", "0,11", "0,18446744073709551615",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		BUF_AUTO b = { 0 };
		BUF_AUTO records = { 0 };
		struct tar_entry e;
		struct pieces s;

		record(&records, "GNU.sparse.size", "100", 3);
		record(&records, "GNU.sparse.map", maps[i], strlen(maps[i]));
		pax(&b, &records);
		put_header(&b, (struct fields){ .size = 10 });
		put_data(&b, "0123456789", 10);
		put_end(&b);
		struct tar *t = open_tar(&s, &b, 512);
		assert_int_equal(tar_next(t, &e, NULL), -EBADMSG);
		tar_free(t);
	}
}

/* Headers before an entry are bounded one by one and together. */
static void test_too_many_headers(void **state)
{
	BUF_AUTO b = { 0 };
	BUF_AUTO records = { 0 };
	struct err err = { 0 };
	struct tar_entry e;
	struct pieces s;

	(void)state;
	record(&records, "comment", "x", 1);
	for (int i = 0; i < 20; i++)
		pax(&b, &records);
	put_header(&b, (struct fields){ 0 });
	put_end(&b);
	struct tar *t = open_tar(&s, &b, 512);
	assert_int_equal(tar_next(t, &e, &err), -EFBIG);
	assert_non_null(strstr(err.msg, "too many headers"));
	tar_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_pax),
		cmocka_unit_test(test_pax_refused),
		cmocka_unit_test(test_xattrs),
		cmocka_unit_test(test_gnu_sparse),
		cmocka_unit_test(test_sparse_maps_refused),
		cmocka_unit_test(test_too_many_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
