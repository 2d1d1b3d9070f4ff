/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading logs in CRI format: parts of lines, rotated files, tail, since, limits, what comes later. */
#include "fixture.h"

#include "daemon/log_reader.h"

#define T1 "2026-11-21T10:00:01.000000001Z"
#define T2 "2026-11-21T10:00:02.000000001Z"
#define T3 "2026-11-21T10:00:03.000000001Z"

static const struct log_query everything = { .tail = -1, .limit = -1 };

static void write_log(struct fixture *f, const char *name, const char *text)
{
	char path[200];
	struct err err = { 0 };

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(file_write(path, text, strlen(text), 0644, &err), 0);
}

static void append(struct fixture *f, const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	FILE *log = fopen(path, "ae");
	assert_non_null(log);
	fputs(text, log);
	assert_int_equal(fclose(log), 0);
}

static void rotate(struct fixture *f, const char *name, const char *stamp)
{
	char from[200], to[300];

	snprintf(from, sizeof(from), "%s/%s", f->dir, name);
	snprintf(to, sizeof(to), "%s.%s", from, stamp);
	assert_int_equal(rename(from, to), 0);
}

/* What there is now. */
static void expect(struct log_reader *r, const char *text)
{
	BUF_AUTO out = { 0 };

	while (log_reader_read(r, &out))
		;
	assert_int_equal(out.len, strlen(text));
	assert_memory_equal(buf_str(&out), text, out.len);
}

static void expect_once(struct fixture *f, const struct log_query *q, const char *text)
{
	struct log_reader *r = log_reader_new(f->dir, 0, q);

	expect(r, text);
	log_reader_free(r);
}

#define LINES T1 " stdout F one\n" T2 " stderr P tw\n" T2 " stderr F o\n" T3 " stdout F three\n"

static void lines_lose_their_stamp(void **state)
{
	write_log(*state, "0.log", LINES);
	expect_once(*state, &everything, "one\ntwo\nthree\n");
}

static void stamps_are_kept_when_asked(void **state)
{
	struct log_query q = everything;

	q.timestamps = true;
	write_log(*state, "0.log", LINES);
	expect_once(*state, &q, T1 " one\n" T2 " two\n" T3 " three\n");
}

static void tail_counts_whole_lines(void **state)
{
	static const char *const tails[] = { "", "three\n", "two\nthree\n", "one\ntwo\nthree\n" };
	struct log_query q = everything;

	write_log(*state, "0.log", LINES);
	for (q.tail = 0; q.tail < 4; q.tail++)
		expect_once(*state, &q, tails[q.tail]);
	q.tail = 100;
	expect_once(*state, &q, tails[3]);
}

/* What the first n lines of 60,000 of all lengths leave of their text. */
static const char *after(const char *text, unsigned n)
{
	while (n--)
		text = strchr(text, '\n') + 1;
	return text;
}

static void write_many(struct fixture *f, struct buf *text)
{
	BUF_AUTO log = { 0 };

	for (int i = 0; i < 60000; i++) {
		size_t from = text->len;

		buf_printf(text, "%d %.*s\n", i, i % 97 * (i % 31 == 0), "----------------------------"
			   "------------------------------------------------------------------------");
		size_t half = (text->len - 1 - from) / 2;
		if (i % 7 == 0)
			buf_printf(&log, T1 " stdout P %.*s\n", (int)half, text->data + from);
		buf_printf(&log, T1 " stdout F %s", text->data + from + (i % 7 == 0 ? half : 0));
		if (i == 20000)
			write_log(f, "0.log.20261121-100000", buf_str(&log));
		if (i == 40000)
			write_log(f, "0.log.20261121-100001", buf_str(&log));
		if (i == 20000 || i == 40000)
			buf_reset(&log);
	}
	write_log(f, "0.log", buf_str(&log));
}

/* Any number of lines, from whichever file and however far back they begin. */
static void tail_is_found_from_the_end(void **state)
{
	static const unsigned tails[] = { 1, 2, 7, 500, 1999, 19998, 19999, 20000, 39999, 40000, 59999,
					  60000 };
	struct log_query q = everything;
	struct fixture *f = *state;
	BUF_AUTO text = { 0 };

	write_many(f, &text);
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		q.tail = tails[i];
		expect_once(f, &q, after(buf_str(&text), 60000 - tails[i]));
	}
}

/* The last lines of a long log are read without the rest. */
static void tail_reads_the_end_only(void **state)
{
	struct log_query q = everything;
	struct fixture *f = *state;
	char path[200];

	snprintf(path, sizeof(path), "%s/0.log", f->dir);
	write_log(f, "0.log", "");
	assert_int_equal(truncate(path, 1LL << 40), 0);		/* a hole: nobody reads through it */
	append(f, "0.log", "\n" LINES);
	q.tail = 2;
	expect_once(f, &q, "two\nthree\n");
}

static void tail_goes_on_with_what_comes(void **state)
{
	struct log_query q = everything;
	struct fixture *f = *state;

	write_log(f, "0.log", LINES);
	q.tail = 0;
	struct log_reader *r = log_reader_new(f->dir, 0, &q);
	expect(r, "");
	append(f, "0.log", T3 " stdout F four\n");
	expect(r, "four\n");
	log_reader_free(r);
}

static void since_leaves_out_what_is_older(void **state)
{
	struct log_query q = everything;

	write_log(*state, "0.log", LINES);
	assert_int_equal(time_parse("2026-11-21T10:00:02Z", &q.since), 0);
	expect_once(*state, &q, "two\nthree\n");
	q.tail = 1;
	expect_once(*state, &q, "three\n");
	assert_int_equal(time_parse("2026-11-21T11:00:00Z", &q.since), 0);
	expect_once(*state, &q, "");
}

static void a_limit_ends_the_log(void **state)
{
	struct fixture *f = *state;
	struct log_query q = everything;

	write_log(f, "0.log", LINES);
	q.limit = 6;
	struct log_reader *r = log_reader_new(f->dir, 0, &q);
	expect(r, "one\ntw");
	assert_true(log_reader_ended(r));
	append(f, "0.log", LINES);
	expect(r, "");
	log_reader_free(r);
}

static void only_the_attempt_asked_for(void **state)
{
	struct fixture *f = *state;
	struct log_reader *r;

	write_log(f, "0.log", T1 " stdout F first\n");
	write_log(f, "1.log", T1 " stdout F second\n");
	write_log(f, "11.log", T1 " stdout F later\n");
	write_log(f, "11.log.20261121-100000", T1 " stdout F late\n");
	r = log_reader_new(f->dir, 1, &everything);
	expect(r, "second\n");
	log_reader_free(r);
}

static void rotated_files_come_first(void **state)
{
	struct fixture *f = *state;
	struct log_query q = everything;

	write_log(f, "0.log", T3 " stdout F e\n");
	write_log(f, "0.log.20261121-100000", T1 " stdout F a\n");
	write_log(f, "0.log.20261121-100001", T1 " stdout F b\n");
	write_log(f, "0.log.20261121-100001.2", T1 " stdout P c\n");
	write_log(f, "0.log.20261121-100001.10", T1 " stdout F d\n");
	expect_once(f, &q, "a\nb\ncd\ne\n");
	q.tail = 2;
	expect_once(f, &q, "cd\ne\n");
}

static void what_is_no_log_is_left_out(void **state)
{
	write_log(*state, "0.log", "garbage\n\n" T1 " stdout F one\n" T1 " stdout F \n" T1 " half");
	expect_once(*state, &everything, "one\n\n");
}

static void no_log_is_empty(void **state)
{
	expect_once(*state, &everything, "");
}

static void follows_what_is_written(void **state)
{
	struct fixture *f = *state;
	struct log_reader *r = log_reader_new(f->dir, 0, &everything);

	expect(r, "");
	write_log(f, "0.log", T1 " stdout F one\n");
	expect(r, "one\n");
	append(f, "0.log", T2 " stdout F tw");	/* caught in the middle of a write */
	expect(r, "");
	append(f, "0.log", "o\n");
	expect(r, "two\n");
	log_reader_free(r);
}

/* Also what was written after the last look and before the rotation, and whole files in between. */
static void follows_over_rotations(void **state)
{
	struct fixture *f = *state;
	struct log_reader *r;

	write_log(f, "0.log", T1 " stdout F one\n");
	r = log_reader_new(f->dir, 0, &everything);
	expect(r, "one\n");
	append(f, "0.log", T1 " stdout F two\n");
	rotate(f, "0.log", "20261121-100001");
	write_log(f, "0.log", T1 " stdout F three\n");
	rotate(f, "0.log", "20261121-100001.1");
	write_log(f, "0.log", T1 " stdout F four\n");
	expect(r, "two\nthree\nfour\n");
	rotate(f, "0.log", "20261121-100002");
	expect(r, "");		/* the new file is not there yet */
	write_log(f, "0.log", T1 " stdout F five\n");
	expect(r, "five\n");
	log_reader_free(r);
}

/* The file that is open was removed as too old: the oldest that is left goes on. */
static void goes_on_after_what_was_removed(void **state)
{
	struct fixture *f = *state;
	struct log_reader *r;
	char path[200];

	write_log(f, "0.log", T1 " stdout F one\n");
	r = log_reader_new(f->dir, 0, &everything);
	expect(r, "one\n");
	snprintf(path, sizeof(path), "%s/0.log", f->dir);
	assert_int_equal(unlink(path), 0);
	write_log(f, "0.log.20261121-100003", T1 " stdout F three\n");
	write_log(f, "0.log", T1 " stdout F four\n");
	expect(r, "three\nfour\n");
	log_reader_free(r);
}

static void long_logs_come_in_pieces(void **state)
{
	struct fixture *f = *state;
	BUF_AUTO out = { 0 };
	BUF_AUTO text = { 0 };
	unsigned pieces = 0;

	for (int i = 0; i < 20000; i++)
		buf_printf(&text, T1 " stdout F line %d\n", i);
	write_log(f, "0.log", buf_str(&text));
	struct log_reader *r = log_reader_new(f->dir, 0, &everything);
	while (log_reader_read(r, &out))
		pieces++;
	log_reader_free(r);
	assert_in_range(pieces, 2, 20);
	assert_non_null(strstr(buf_str(&out), "line 0\nline 1\n"));
	assert_string_equal(buf_str(&out) + out.len - 11, "line 19999\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(lines_lose_their_stamp),
		TEST(stamps_are_kept_when_asked),
		TEST(tail_counts_whole_lines),
		TEST(tail_is_found_from_the_end),
		TEST(tail_reads_the_end_only),
		TEST(tail_goes_on_with_what_comes),
		TEST(since_leaves_out_what_is_older),
		TEST(a_limit_ends_the_log),
		TEST(only_the_attempt_asked_for),
		TEST(rotated_files_come_first),
		TEST(what_is_no_log_is_left_out),
		TEST(no_log_is_empty),
		TEST(follows_what_is_written),
		TEST(follows_over_rotations),
		TEST(goes_on_after_what_was_removed),
		TEST(long_logs_come_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
