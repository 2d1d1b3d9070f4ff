/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Container logs: pipes filled by hand, files looked at afterwards. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/macro.h"
#include "shim/logs.h"

struct setup {
	char dir[64];
	struct log_room *room;
	struct log_file file;
	struct log_stream out, err;
	int in[2];		/* write ends of stdout and stderr */
};

static int open_pipe(struct log_stream *s, struct log_file *f, const char *name)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	log_stream_init(s, f, name, ends[0]);
	return ends[1];
}

static int set_up(void **state)
{
	struct setup *t = calloc(1, sizeof(*t));

	*state = t;
	snprintf(t->dir, sizeof(t->dir), "/tmp/orch-logs-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	t->room = log_room_new();
	assert_non_null(t->room);
	assert_int_equal(log_open(&t->file, t->dir, 3, 0, 0), 0);
	t->in[0] = open_pipe(&t->out, &t->file, "stdout");
	t->in[1] = open_pipe(&t->err, &t->file, "stderr");
	return 0;
}

static int tear_down(void **state)
{
	struct setup *t = *state;

	log_finish(&t->out, t->room);
	log_finish(&t->err, t->room);
	log_close(&t->file);
	log_room_free(t->room);
	close(t->in[0]);
	close(t->in[1]);
	file_rm_rf(t->dir, NULL);
	free(t);
	return 0;
}

static void say(struct setup *t, int stream, const void *text, size_t n)
{
	assert_int_equal(write(t->in[stream], text, n), n);
	assert_true(log_pump(stream ? &t->err : &t->out, t->room, 1 << 20));
}

static void says(struct setup *t, int stream, const char *text)
{
	say(t, stream, text, strlen(text));
}

/* Records without their stamps, whose form is checked: "stdout F text" each with a line end. */
static void check_log(struct setup *t, const char *want)
{
	BUF_AUTO log = { 0 }, got = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "%s/3.log", t->dir);
	assert_int_equal(file_read(path, 0, &log, NULL), 0);
	for (const char *p = buf_str(&log); *p;) {
		static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ ";
		for (size_t i = 0; form[i]; i++) {
			bool right = form[i] == 'd' ? *p >= '0' && *p <= '9' : *p == form[i];
			assert_true(right);
			p++;
		}
		const char *end = strchr(p, '\n');
		assert_non_null(end);
		buf_add(&got, p, (size_t)(end + 1 - p));
		p = end + 1;
	}
	assert_string_equal(buf_str(&got), want);
}

static void test_lines_of_two_streams(void **state)
{
	struct setup *t = *state;

	says(t, 0, "one\ntwo\n");
	says(t, 1, "error\n\n");
	check_log(t, "stdout F one\nstdout F two\nstderr F error\nstderr F \n");
}

static void test_line_in_pieces(void **state)
{
	struct setup *t = *state;

	says(t, 0, "be");
	says(t, 1, "other\n");
	says(t, 0, "gin");
	check_log(t, "stderr F other\n");
	says(t, 0, "ning\nnext");
	check_log(t, "stderr F other\nstdout F beginning\n");
	log_finish(&t->out, t->room);
	check_log(t, "stderr F other\nstdout F beginning\nstdout F next\n");
}

static void test_ends_without_text(void **state)
{
	struct setup *t = *state;

	says(t, 0, "x\n");
	log_finish(&t->out, t->room);
	log_finish(&t->err, t->room);
	check_log(t, "stdout F x\n");
}

static void test_finish_takes_what_is_left(void **state)
{
	struct setup *t = *state;

	assert_int_equal(write(t->in[0], "a\nb", 3), 3);
	log_finish(&t->out, t->room);
	check_log(t, "stdout F a\nstdout F b\n");
	assert_int_equal(t->out.fd, -1);
}

/* Lengths around the limit, in one write and byte-wise at the border. */
static void check_long(struct setup *t, size_t n, const size_t *parts, bool ended)
{
	FREE_AUTO char *line = malloc(n + 1);
	BUF_AUTO want = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		line[i] = (char)('a' + i % 26);
	line[n] = '\n';
	say(t, 0, line, n / 2);
	say(t, 0, line + n / 2, n - n / 2 + ended);
	if (!ended)
		log_finish(&t->out, t->room);
	for (; *parts != SIZE_MAX; parts++) {
		buf_puts(&want, parts[1] == SIZE_MAX ? "stdout F " : "stdout P ");
		buf_add(&want, line + at, *parts);
		buf_putc(&want, '\n');
		at += *parts;
	}
	check_log(t, buf_str(&want));
}

#define PARTS(...) ((const size_t[]){ __VA_ARGS__, SIZE_MAX })

static void test_exactly_full(void **state) { check_long(*state, LOG_LINE, PARTS(LOG_LINE), true); }
static void test_one_more(void **state) { check_long(*state, LOG_LINE + 1, PARTS(LOG_LINE, 1), true); }
static void test_two_full(void **state) { check_long(*state, 2 * LOG_LINE, PARTS(LOG_LINE, LOG_LINE), true); }
static void test_unended(void **state) { check_long(*state, LOG_LINE + 7, PARTS(LOG_LINE, 7), false); }
static void test_unended_full(void **state) { check_long(*state, LOG_LINE, PARTS(LOG_LINE), false); }

static void test_binary_text(void **state)
{
	struct setup *t = *state;

	say(t, 0, "\0\377\n", 3);
	struct stat sb;
	char path[128];
	snprintf(path, sizeof(path), "%s/3.log", t->dir);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_size, strlen("2026-11-21T10:00:00.123456789Z stdout F ") + 3);
	assert_int_equal(sb.st_mode & 07777, 0640 & ~umask(umask(0)));
}

static unsigned count_files(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	for (struct dirent *e; (e = readdir(d));)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

static void test_rotation_keeps_so_many(void **state)
{
	struct setup *t = *state;

	t->file.max_bytes = 100;
	t->file.max_files = 3;
	for (int i = 0; i < 40; i++) {
		says(t, 0, "thirty bytes of text, about so\n");
		assert_true(count_files(t->dir, "3.log") <= 3);
	}
	assert_int_equal(count_files(t->dir, "3.log"), 3);
	assert_int_equal(count_files(t->dir, "3.log."), 2);
}

/* Of those made in one second, ".10" is younger than ".9": the last lines must be there. */
static void test_rotation_removes_the_oldest(void **state)
{
	struct setup *t = *state;
	BUF_AUTO all = { 0 };
	char line[32];

	t->file.max_bytes = 1;
	t->file.max_files = 4;
	for (int i = 0; i < 25; i++) {
		snprintf(line, sizeof(line), "number %d.\n", i);
		says(t, 0, line);
	}
	DIR *d = opendir(t->dir);
	for (struct dirent *e; (e = readdir(d));) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", t->dir, e->d_name);
		if (e->d_name[0] != '.')
			assert_int_equal(file_read(path, 0, &all, NULL), 0);
	}
	closedir(d);
	for (int i = 20; i < 25; i++) {
		snprintf(line, sizeof(line), "number %d.\n", i);
		assert_int_equal(strstr(buf_str(&all), line) != NULL, i >= 22);
	}
}

static void test_no_rotation_inside_a_line(void **state)
{
	struct setup *t = *state;
	static char part[LOG_LINE + 10];

	memset(part, 'x', sizeof(part));
	t->file.max_bytes = 10000;
	say(t, 0, part, sizeof(part));
	assert_int_equal(count_files(t->dir, "3.log"), 1);
	says(t, 1, "other stream\n");
	assert_int_equal(count_files(t->dir, "3.log"), 1);
	says(t, 0, "\n");
	assert_int_equal(count_files(t->dir, "3.log"), 2);
}

/* A line that never ends is no way around the limit. */
static void test_rotation_inside_an_endless_line(void **state)
{
	struct setup *t = *state;
	static char part[LOG_LINE];

	memset(part, 'x', sizeof(part));
	t->file.max_bytes = 30000;
	t->file.max_files = 2;
	for (int i = 0; i < 40; i++)
		say(t, 0, part, sizeof(part));
	assert_int_equal(count_files(t->dir, "3.log"), 2);
	says(t, 0, "\n");
}

static void test_pump_tells_the_end(void **state)
{
	struct setup *t = *state;

	assert_true(log_pump(&t->out, t->room, 1 << 20));
	close(t->in[0]);
	assert_false(log_pump(&t->out, t->room, 1 << 20));
	t->in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void test_missing_directory(void **state)
{
	struct log_file f;

	(void)state;
	assert_int_equal(log_open(&f, "/nonexistent/dir", 0, 0, 0), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines_of_two_streams),
		TEST(test_line_in_pieces),
		TEST(test_ends_without_text),
		TEST(test_finish_takes_what_is_left),
		TEST(test_exactly_full),
		TEST(test_one_more),
		TEST(test_two_full),
		TEST(test_unended),
		TEST(test_unended_full),
		TEST(test_binary_text),
		TEST(test_rotation_keeps_so_many),
		TEST(test_rotation_removes_the_oldest),
		TEST(test_no_rotation_inside_a_line),
		TEST(test_rotation_inside_an_endless_line),
		TEST(test_pump_tells_the_end),
		cmocka_unit_test(test_missing_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
