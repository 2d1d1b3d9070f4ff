/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Revisions: what goes in comes out, over a restart; damage is noticed and named. */
#include "fixture.h"

#include <fcntl.h>

static const char one[] = "# first\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: b}\n";
static const char two[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\ndata: {a: \"\u00e9\\n\"}\n";

static void add(struct fixture *f, const char *cause, int64_t now, uint32_t expected)
{
	const char *const texts[] = { one, two };
	uint32_t number;

	assert_int_equal(store_revision_add(f->store, fixture_set(f, texts, 2), cause, now, &number,
					    &f->err), 0);
	assert_int_equal(number, expected);
	assert_int_equal(store_revision_last(f->store), expected);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct revision rev;
	struct arena a = { 0 };

	assert_int_equal(store_revision_last(f->store), 0);
	add(f, "f0.yaml \"changed\"\nand more", 1795255200123456789, 1);
	fixture_reopen(f);
	assert_int_equal(store_revision_last(f->store), 1);
	assert_int_equal(store_revision_load(f->store, 1, &a, &rev, &f->err), 0);
	assert_int_equal(rev.number, 1);
	assert_true(rev.time == 1795255200123456789);
	assert_string_equal(rev.cause, "f0.yaml \"changed\"\nand more");
	assert_int_equal(rev.nfiles, 2);
	assert_string_equal(rev.files[0].path, "f0.yaml");
	assert_string_equal(rev.files[0].stack, "default");
	assert_string_equal(rev.files[0].text, one);
	assert_int_equal(rev.files[0].size, strlen(one));
	assert_string_equal(rev.files[1].text, two);
	assert_int_equal(store_revision_load(f->store, 2, &a, &rev, &f->err), -ENOENT);
	assert_string_equal(f->err.msg, "there is no revision 2");
	arena_release(&a);
}

static void test_large(void **state)
{
	struct fixture *f = *state;
	BUF_AUTO text = { 0 };
	struct revision rev;
	struct arena a = { 0 };
	uint32_t number;

	buf_puts(&text, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata:\n");
	for (unsigned i = 0; i < 20000; i++)
		buf_printf(&text, "  key%u: value %u\n", i, i * 2654435761u);
	const char *const texts[] = { buf_str(&text) };
	assert_int_equal(store_revision_add(f->store, fixture_set(f, texts, 1), "big", 1, &number,
					    &f->err), 0);
	assert_int_equal(store_revision_load(f->store, number, &a, &rev, &f->err), 0);
	assert_int_equal(rev.files[0].size, text.len);
	assert_memory_equal(rev.files[0].text, text.data, text.len);
	arena_release(&a);
}

static void test_empty_set(void **state)
{
	struct fixture *f = *state;
	struct revision rev;
	struct arena a = { 0 };
	uint32_t number;

	assert_int_equal(store_revision_add(f->store, fixture_set(f, NULL, 0), "emptied", 1, &number,
					    &f->err), 0);
	assert_int_equal(store_revision_load(f->store, number, &a, &rev, &f->err), 0);
	assert_int_equal(rev.nfiles, 0);
	arena_release(&a);
}

static void test_list_and_prune(void **state)
{
	struct fixture *f = *state;
	struct revision *list;
	struct arena a = { 0 };
	uint32_t n;

	for (uint32_t i = 1; i <= 12; i++)
		add(f, "again", i, i);
	fixture_write(f, "revisions/99.zst~", "not ours");
	fixture_write(f, "revisions/0099.zst", "not ours");
	assert_int_equal(store_revision_list(f->store, &a, &list, &n, &f->err), 0);
	assert_int_equal(n, 12);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(list[i].number, i + 1);
		assert_int_equal(list[i].nfiles, 2);
		assert_null(list[i].files[1].text);
		assert_int_equal(list[i].files[1].size, strlen(two));
	}
	assert_int_equal(store_revision_prune(f->store, 3, &f->err), 0);
	assert_int_equal(store_revision_list(f->store, &a, &list, &n, &f->err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(list[0].number, 10);
	assert_int_equal(store_revision_prune(f->store, 0, &f->err), 0);
	fixture_reopen(f);
	add(f, "after", 13, 13);
	assert_non_null(fixture_inode(f, "revisions/99.zst~"));
	arena_release(&a);
}

static void flip_byte(const char *path, off_t from_end)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t at = lseek(fd, -from_end, SEEK_END);
	char c;

	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 0x10;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

static void test_damage(void **state)
{
	struct fixture *f = *state;
	struct revision rev, *list;
	struct arena a = { 0 };
	uint32_t n;

	for (uint32_t i = 1; i <= 4; i++)
		add(f, "fine", i, i);
	fixture_write(f, "revisions/2.zst", "this is no zstd frame at all");
	flip_byte(fixture_path(f, "revisions/3.zst"), 2);	/* in the checksum of the frame */
	assert_int_equal(truncate(fixture_path(f, "revisions/4.zst"), 20), 0);
	for (uint32_t i = 2; i <= 4; i++) {
		assert_int_equal(store_revision_load(f->store, i, &a, &rev, &f->err), -EBADMSG);
		char name[16];
		snprintf(name, sizeof(name), "%u.zst", i);
		assert_non_null(strstr(f->err.msg, name));
	}
	assert_int_equal(store_revision_list(f->store, &a, &list, &n, &f->err), 0);
	assert_int_equal(n, 4);
	assert_string_equal(list[0].cause, "fine");
	assert_true(list[1].unreadable);
	assert_int_equal(list[1].number, 2);
	assert_non_null(strstr(list[1].cause, "2.zst"));
	assert_true(list[3].unreadable);
	arena_release(&a);
}

static void test_another_revision(void **state)
{
	struct fixture *f = *state;
	struct revision rev;
	struct arena a = { 0 };
	char from[256];

	add(f, "fine", 1, 1);
	snprintf(from, sizeof(from), "%s", fixture_path(f, "revisions/1.zst"));
	assert_int_equal(rename(from, fixture_path(f, "revisions/7.zst")), 0);
	assert_int_equal(store_revision_load(f->store, 7, &a, &rev, &f->err), -EBADMSG);
	arena_release(&a);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_large),
		TEST(test_empty_set),
		TEST(test_list_and_prune),
		TEST(test_damage),
		TEST(test_another_revision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
