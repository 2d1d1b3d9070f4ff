/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines as they arrive on stderr, which is a pipe here while a message is written. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/units.h"

/* The line without the time stamp, which has the form of every other time. */
static const char *after_stamp(const char *line)
{
	int64_t ns;
	char stamp[25] = "";

	if (strlen(line) < 25 || line[24] != ' ')
		return line;
	memcpy(stamp, line, 24);
	assert_int_equal(time_parse(stamp, &ns), 0);
	assert_true(time_now() - ns < 60 * NSEC);
	return line + 25;
}

static void expect(enum log_level level, const char *msg, const char *line)
{
	char got[8192] = "";
	int saved = dup(STDERR_FILENO), p[2];

	assert_int_equal(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	dup2(p[1], STDERR_FILENO);
	errno = 4242;
	log_msg(level, "%s", msg);
	int after = errno;
	dup2(saved, STDERR_FILENO);
	ssize_t n = read(p[0], got, sizeof(got) - 1);
	close(saved);
	close(p[0]);
	close(p[1]);
	assert_int_equal(after, 4242);
	assert_string_equal(n > 0 ? after_stamp(got) : "", line);
}

static void test_lines(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	expect(LOG_LEVEL_ERROR, "broken", "error: broken\n");
	expect(LOG_LEVEL_WARNING, "odd", "warning: odd\n");
	expect(LOG_LEVEL_INFO, "fine", "info: fine\n");
	expect(LOG_LEVEL_INFO, "two\nlines\x1b[31m\r", "info: two lines [31m \n");
	setenv("JOURNAL_STREAM", "1:2", 1);
	expect(LOG_LEVEL_ERROR, "broken", "<3>broken\n");
	expect(LOG_LEVEL_INFO, "fine", "<6>fine\n");
	unsetenv("JOURNAL_STREAM");
}

static void test_levels(void **state)
{
	enum log_level level = LOG_LEVEL_INFO;

	(void)state;
	expect(LOG_LEVEL_DEBUG, "detail", "");
	assert_int_equal(log_level_parse("debug", &level), 0);
	log_set_level(level);
	expect(LOG_LEVEL_DEBUG, "detail", "debug: detail\n");
	assert_int_equal(log_level_parse("error", &level), 0);
	log_set_level(level);
	expect(LOG_LEVEL_WARNING, "odd", "");
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
	log_set_level(LOG_LEVEL_INFO);
}

/* What is too long is cut, and still ends the line. */
static void test_long(void **state)
{
	char msg[5000], line[2100];

	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	memset(msg, 'x', sizeof(msg) - 1);
	msg[sizeof(msg) - 1] = '\0';
	snprintf(line, sizeof(line), "<6>%.2043s\n", msg);
	expect(LOG_LEVEL_INFO, msg, line);
	unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
