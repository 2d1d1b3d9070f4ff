/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces that once broke a rule of the simulator, tests/sim/golden: they hold. */
#include "sim.h"

#include <stdlib.h>
#include <unistd.h>

#include "../../sim/steps.h"

#define DIRECTORY "tests/sim/golden"

static void replay(const char *path)
{
	struct outcome o = { 0 };
	struct err err = { 0 };
	struct trace t;

	if (trace_read(&t, path, &err) < 0)
		fail_msg("%s: %s", path, err.msg);
	assert_true(t.n > 0);
	trace_run(&t, &o);
	if (o.rule)
		fail_msg("%s: %s: %s", path, o.rule, o.what);
	trace_release(&t);
}

static void test_golden(void **state)
{
	DIR *d = opendir(DIRECTORY);
	struct dirent *e;
	char path[400];
	unsigned n = 0;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		if (!strstr(e->d_name, ".trace"))
			continue;
		snprintf(path, sizeof(path), DIRECTORY "/%s", e->d_name);
		replay(path);
		n++;
	}
	closedir(d);
	assert_true(n > 0);
}

/* What is printed is what was run: a trace that is read back goes the same way. */
static void test_print_and_read(void **state)
{
	char path[] = "/tmp/trace.XXXXXX";
	struct outcome before = { 0 }, after = { 0 };
	struct trace t, again;
	struct err err = { 0 };
	BUF_AUTO text = { 0 };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	trace_invent(&t, 4711);
	trace_print(&t, &text);
	assert_int_equal(write(fd, text.data, text.len), text.len);
	close(fd);
	assert_int_equal(trace_read(&again, path, &err), 0);
	unlink(path);
	assert_int_equal(again.n, t.n);
	trace_run(&t, &before);
	trace_run(&again, &after);
	assert_true(before.passes > 0);
	assert_int_equal(before.passes, after.passes);
	assert_int_equal(before.actions, after.actions);
	assert_int_equal(before.simulated, after.simulated);
	trace_release(&t);
	trace_release(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_print_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
