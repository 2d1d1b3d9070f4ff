/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs: what is written comes back, and nothing that does not add up passes the check. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macro.h"
#include "shim/program.h"

static void test_records_come_back(void **state)
{
	BUF_AUTO p = { 0 };
	static const uint32_t gids[] = { 5, 6, 7 };

	(void)state;
	prog_add(&p, OP_MOUNT, 14, 0, PROG_S("proc", "/proc", "proc", ""), NULL, 0);
	prog_add(&p, OP_GROUPS, 0, 0, NULL, gids, sizeof(gids));
	prog_add(&p, OP_EXEC, 1, 2, NULL, NULL, 0);
	assert_int_equal(prog_check(p.data, p.len), 0);

	const struct prog_op *op = (const struct prog_op *)p.data;
	assert_int_equal(op->op, OP_MOUNT);
	assert_int_equal(op->a, 14);
	const char *s = prog_strings(op);
	assert_memory_equal(s, "proc\0/proc\0proc\0\0", 17);

	op = (const struct prog_op *)((const char *)op + op->size);
	assert_int_equal(op->op, OP_GROUPS);
	assert_int_equal(op->nbytes, sizeof(gids));	/* no padding counted in */
	assert_memory_equal(prog_bytes(op), gids, sizeof(gids));
	assert_int_equal((uintptr_t)prog_bytes(op) % 8, 0);

	op = (const struct prog_op *)((const char *)op + op->size);
	assert_int_equal(op->op, OP_EXEC);
	assert_ptr_equal((const char *)op + op->size, p.data + p.len);
}

static void test_bytes_and_strings_together(void **state)
{
	BUF_AUTO p = { 0 };

	(void)state;
	prog_add(&p, OP_FILE, 0644, 0, PROG_S("/etc/hosts"), "abc", 3);
	const struct prog_op *op = (const struct prog_op *)p.data;
	assert_int_equal(op->size % 8, 0);
	assert_int_equal(op->nbytes, 3);
	assert_string_equal(prog_strings(op), "/etc/hosts");
	assert_int_equal(prog_check(p.data, p.len), 0);
}

static void test_empty_is_right(void **state)
{
	(void)state;
	assert_int_equal(prog_check(NULL, 0), 0);
}

static void test_exec_is_last(void **state)
{
	BUF_AUTO p = { 0 };

	(void)state;
	prog_add(&p, OP_EXEC, 0, 0, NULL, NULL, 0);
	prog_add(&p, OP_SLAVE, 0, 0, NULL, NULL, 0);
	assert_int_equal(prog_check(p.data, p.len), -EINVAL);
}

/* Every length that is not a whole program. */
static void test_cut_anywhere(void **state)
{
	BUF_AUTO p = { 0 };

	(void)state;
	prog_add(&p, OP_BIND, 0, 0, PROG_S("/a", "/b"), NULL, 0);
	size_t first = p.len;
	prog_add(&p, OP_FILE, 0, 0, PROG_S("/c"), "0123456789", 10);
	for (size_t n = 1; n < p.len; n++)
		assert_int_equal(prog_check(p.data, n), n == first ? 0 : -EINVAL);
}

static int check_with(void (*damage)(struct prog_op *))
{
	BUF_AUTO p = { 0 };

	prog_add(&p, OP_FILE, 0, 0, PROG_S("/c"), "0123456789", 10);
	damage((struct prog_op *)p.data);
	return prog_check(p.data, p.len);
}

static void unknown_op(struct prog_op *op) { op->op = OP_COUNT; }
static void more_strings(struct prog_op *op) { op->nstr = 2; }
static void wrong_count(struct prog_op *op) { op->op = OP_SLAVE; }
static void no_size(struct prog_op *op) { op->size = 0; }
static void odd_size(struct prog_op *op) { op->size -= 1; }
static void long_size(struct prog_op *op) { op->size += 8; }
static void bytes_beyond(struct prog_op *op) { op->nbytes = 1000; }
static void bytes_wrap(struct prog_op *op) { op->nbytes = UINT32_MAX; }
static void bytes_over_string(struct prog_op *op) { op->nbytes = 24; }
static void no_end(struct prog_op *op) { memset((char *)(op + 1) + 16, 'x', 8); }

static void test_damage_is_found(void **state)
{
	static void (*const damages[])(struct prog_op *) = {
		unknown_op, more_strings, wrong_count, no_size, odd_size, long_size,
		bytes_beyond, bytes_wrap, bytes_over_string, no_end,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		if (check_with(damages[i]) != -EINVAL)
			fail_msg("damage %zu was not found", i);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(prog_op_name(OP_PIVOT), "PIVOT");
	assert_string_equal(prog_op_name(OP_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_come_back),
		cmocka_unit_test(test_bytes_and_strings_together),
		cmocka_unit_test(test_empty_is_right),
		cmocka_unit_test(test_exec_is_last),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_damage_is_found),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
