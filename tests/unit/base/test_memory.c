/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arenas, buffers, errors and digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/macro.h"

static void assert_zero(const void *p, size_t n)
{
	const char *c = p;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(c[i], 0);
}

/* Pieces of all sizes are zeroed, aligned and do not overlap. */
static void test_arena_pieces(void **state)
{
	enum { N = 400 };
	struct arena a;
	unsigned char *p[N];
	size_t used = 0;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < N; i++) {
		size_t size = i * i % 9001;
		p[i] = arena_alloc(&a, size);
		assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
		assert_zero(p[i], size);
		memset(p[i], (int)i, size);
		used += size;
	}
	assert_int_equal(a.used, used);
	for (size_t i = 0; i < N; i++) {
		for (size_t k = 0; k < i * i % 9001; k++)
			assert_int_equal(p[i][k], (unsigned char)i);
	}
	arena_release(&a);
	assert_null(a.head);
	assert_int_equal(a.used, 0);
}

static void test_arena_grow(void **state)
{
	struct arena a = { 0 };
	char *p = arena_grow(&a, NULL, 0, 10);

	(void)state;
	memset(p, 'x', 10);
	assert_ptr_equal(arena_grow(&a, p, 10, 100), p);	/* last one: in place */
	assert_zero(p + 10, 90);
	assert_ptr_equal(arena_grow(&a, p, 100, 50), p);
	arena_alloc(&a, 1);
	char *q = arena_grow(&a, p, 100, 200);
	assert_ptr_not_equal(q, p);
	assert_memory_equal(q, p, 100);
	assert_zero(q + 100, 100);
	char *big = arena_grow(&a, q, 200, 1 << 20);
	assert_memory_equal(big, p, 100);
	assert_zero(big + 200, (1 << 20) - 200);
	arena_release(&a);
}

static void test_arena_push(void **state)
{
	struct {
		uint64_t *v;
		unsigned n;
	} list = { 0 }, other = { 0 };
	struct arena a = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		uint64_t *slot = arena_push(&a, &list);
		assert_int_equal(*slot, 0);
		*slot = i;
		if (i % 3 == 0)
			*arena_push(&a, &other) = ~i;
	}
	assert_int_equal(list.n, 10000);
	for (uint64_t i = 0; i < list.n; i++)
		assert_int_equal(list.v[i], i);
	for (uint64_t i = 0; i < other.n; i++)
		assert_int_equal(other.v[i], ~(3 * i));
	arena_release(&a);
}

static void test_arena_strings(void **state)
{
	struct arena a = { 0 };

	(void)state;
	assert_null(arena_strdup(&a, NULL));
	assert_null(arena_strndup(&a, NULL, 3));
	assert_string_equal(arena_strdup(&a, ""), "");
	assert_string_equal(arena_strdup(&a, "pod"), "pod");
	assert_string_equal(arena_strndup(&a, "container", 4), "cont");
	assert_string_equal(arena_strndup(&a, "ab", 40), "ab");
	char *s = arena_printf(&a, "%s/%05d%2000s", "web", 7, "x");
	assert_int_equal(strlen(s), 2009);
	assert_memory_equal(s, "web/00007   ", 12);
	arena_release(&a);
}

static void test_buf(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_add(&b, NULL, 0);
	assert_string_equal(buf_str(&b), "");
	for (int i = 0; i < 1000; i++) {
		buf_printf(&b, "%d,", i);
		buf_putc(&b, ' ');
		buf_puts(&b, "x");
		assert_int_equal(strlen(b.data), b.len);
	}
	assert_memory_equal(b.data, "0, x1, x2, x", 12);
	assert_string_equal(b.data + b.len - 6, "999, x");
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_str(&b), "");
	buf_printf(&b, "%0*d", 100000, 1);
	assert_int_equal(b.len, 100000);
	buf_reset(&b);
	buf_add(&b, "a\0b", 3);
	assert_memory_equal(b.data, "a\0b", 4);
	buf_release(&b);
	assert_null(b.data);
}

static void test_buf_take(void **state)
{
	BUF_AUTO b = { 0 };
	FREE_AUTO char *empty = buf_take(&b);

	(void)state;
	assert_string_equal(empty, "");
	buf_puts(&b, "handed over");
	FREE_AUTO char *s = buf_take(&b);
	assert_string_equal(s, "handed over");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	buf_puts(&b, "usable");
	assert_string_equal(buf_str(&b), "usable");
}

static void test_err(void **state)
{
	struct err err;

	(void)state;
	memset(&err, 0xff, sizeof(err));
	assert_int_equal(err_set(&err, -EINVAL, "%d is not in 1-65535", 70000), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.msg, "70000 is not in 1-65535");
	assert_int_equal(err.line, 0);
	assert_string_equal(err.file, "");
	assert_int_equal(err_prefix(&err, "ports[%d]", 1), -EINVAL);
	assert_string_equal(err.msg, "ports[1]: 70000 is not in 1-65535");
	assert_int_equal(err_at(&err, "web.yaml", 17, 9), -EINVAL);
	assert_int_equal(err_at(&err, "other.yaml", 1, 1), -EINVAL);
	assert_string_equal(err.file, "web.yaml");
	assert_int_equal(err.line, 17);
	assert_int_equal(err_set(&err, -EIO, "again: %s", err.msg), -EIO);
	assert_string_equal(err.msg, "again: ports[1]: 70000 is not in 1-65535");
	assert_string_equal(err.file, "");
	assert_int_equal(err_sys(&err, -ENOENT, "cannot open %s", "x"), -ENOENT);
	assert_string_equal(err.msg, "cannot open x: No such file or directory");
	assert_int_equal(err_set(NULL, -EPERM, "x"), -EPERM);
	assert_int_equal(err_sys(NULL, -EPERM, "x"), -EPERM);
	assert_true(err_prefix(NULL, "x") < 0);
	assert_true(err_at(NULL, "x", 1, 1) < 0);
}

static void test_err_long(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, -EINVAL, "%5000s", "end");
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	err_prefix(&err, "at");
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_memory_equal(err.msg, "at:    ", 7);
	err_sys(&err, -EIO, "%5000s", "end");
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

/* Known digests: the FNV page's and FIPS 180-2's test vectors. */
static void test_hash(void **state)
{
	char hex[DIGEST_HEX];

	(void)state;
	assert_true(fnv64(FNV64_INIT, "", 0) == 0xcbf29ce484222325ULL);
	assert_true(fnv64(FNV64_INIT, "a", 1) == 0xaf63dc4c8601ec8cULL);
	assert_true(fnv64(FNV64_INIT, "foobar", 6) == 0x85944171f73967e8ULL);
	assert_int_equal(fnv32("", 0), 0x811c9dc5U);
	assert_int_equal(fnv32("foobar", 6), 0xbf9cf968U);
	assert_true(fnv64_str(fnv64_str(FNV64_INIT, "a"), "b") != fnv64_str(FNV64_INIT, "ab"));
	assert_true(fnv64_str(FNV64_INIT, NULL) != fnv64_str(FNV64_INIT, ""));
	digest_hex("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
				 "b00361a396177a9cb410ff61f20015ad");
	digest_hex("", 0, hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb924"
				 "27ae41e4649b934ca495991b7852b855");
}

/* In pieces of any size, by the processor's instructions (where it has them) and without. */
static void test_digest_pieces(void **state)
{
	static const char *const million_a =
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";	/* FIPS 180-4 */
	static const size_t pieces[] = { 1, 63, 64, 65, 1000, 100000 };
	char a[100000], hex[DIGEST_HEX], whole[DIGEST_HEX];

	(void)state;
	memset(a, 'a', sizeof(a));
	for (size_t i = 0; i < 2 * ARRAY_SIZE(pieces); i++) {
		size_t piece = pieces[i / 2], left = 1000000;
		struct digest d;

		digest_init(&d);
		d.fast &= i % 2 == 0;
		for (; left; left -= MIN(left, piece))
			digest_add(&d, a, MIN(left, piece));
		digest_end(&d, hex);
		assert_string_equal(hex, million_a);
	}
	for (size_t n = 0; n < 200; n++) {	/* every place that the padding can begin at */
		struct digest d;

		digest_init(&d);
		digest_add(&d, a, n / 3);
		digest_add(&d, a, n - n / 3);
		d.fast = false;
		digest_end(&d, hex);
		digest_hex(a, n, whole);
		assert_string_equal(hex, whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_pieces),
		cmocka_unit_test(test_arena_grow),
		cmocka_unit_test(test_arena_push),
		cmocka_unit_test(test_arena_strings),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_buf_take),
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_err_long),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_digest_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
