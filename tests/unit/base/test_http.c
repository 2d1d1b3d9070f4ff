/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Status lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/macro.h"

static void test_status_line(void **state)
{
	static const struct {
		const char *answer;
		int status;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\n", 200 }, { "HTTP/1.0 503", 503 }, { "HTTP/2.0 399 ", 399 },
		{ "HTTP/1.1 20", 0 },		{ "", 0 },		  { "HTT", 0 },
		{ "http/1.1 200", -1 },		{ "SSH-2.0-x", -1 },	  { "HTTP/1.1  200", -1 },
		{ "HTTP/1.1 2x0", -1 },		{ "HTTP/1.1 000", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(http_status(rows[i].answer, strlen(rows[i].answer)), rows[i].status);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_status_line) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
