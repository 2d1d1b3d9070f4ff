/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where redirects lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ask/url.h"
#include "base/macro.h"

static const struct url base = { false, 8080, "10.0.0.7", "/b/c/d?q=1" };

static const struct {
	const char *location, *expected;
} rows[] = {
	{ "", "http://10.0.0.7:8080/b/c/d?q=1" },
	{ "#part", "http://10.0.0.7:8080/b/c/d?q=1" },
	{ "?y", "http://10.0.0.7:8080/b/c/d?y" },
	{ "/", "http://10.0.0.7:8080/" },
	{ "/x?y#z", "http://10.0.0.7:8080/x?y" },
	{ "g", "http://10.0.0.7:8080/b/c/g" },
	{ "./g/.", "http://10.0.0.7:8080/b/c/g/" },
	{ "../g", "http://10.0.0.7:8080/b/g" },
	{ "../..", "http://10.0.0.7:8080/" },
	{ "../../../../g?a/../b", "http://10.0.0.7:8080/g?a/../b" },
	{ "/a/./b/../../c", "http://10.0.0.7:8080/c" },
	{ "...", "http://10.0.0.7:8080/b/c/..." },
	{ "a:b", NULL },
	{ "./a:b", "http://10.0.0.7:8080/b/c/a:b" },
	{ "//other", "http://other:80/" },
	{ "//other:81?x", "http://other:81/?x" },
	{ "https://10.0.0.7", "https://10.0.0.7:443/" },
	{ "HTTPS://10.0.0.7:8443/a b", "https://10.0.0.7:8443/a%20b" },
	{ "http://[fd00::1]/x", "http://[fd00::1]:80/x" },
	{ "http://[fd00::1]:7/x", "http://[fd00::1]:7/x" },
	{ "http://h:/x", "http://h:80/x" },
	{ "/\xc3\xa4", "http://10.0.0.7:8080/%C3%A4" },
	{ "http:/x", NULL }, { "http:x", NULL }, { "http:///x", NULL }, { "ftp://h/x", NULL },
	{ "http://u@h/x", NULL }, { "http://u:p@h/x", NULL }, { "http://[::1/x", NULL },
	{ "http://[::1]x/", NULL }, { "http://h:0/", NULL }, { "http://h:65536/", NULL },
	{ "http://h:8x/", NULL }, { "http://h:123456/", NULL }, { "/a\tb", NULL }, { "/\x7f", NULL },
};

static void test_resolve(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[URL_TARGET_MAX + 300], authority[URL_AUTHORITY_MAX];
		struct url u;
		int r = url_resolve(&base, rows[i].location, &u);

		if (r < 0) {
			if (rows[i].expected)
				fail_msg("%s: %d", rows[i].location, r);
			continue;
		}
		url_authority(&u, authority);
		snprintf(text, sizeof(text), "http%s://%s%s", u.tls ? "s" : "", authority, u.target);
		if (!rows[i].expected)
			fail_msg("%s: is %s", rows[i].location, text);
		assert_string_equal(text, rows[i].expected);
	}
}

static void test_schemes_and_sizes(void **state)
{
	char text[3000];
	struct url u;

	(void)state;
	assert_int_equal(url_resolve(&base, "unix:///x", &u), -EPROTONOSUPPORT);
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	text[URL_TARGET_MAX - 3] = '\0';
	assert_int_equal(url_resolve(&base, text, &u), 0);
	text[URL_TARGET_MAX - 3] = 'a';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(url_resolve(&base, text, &u), -E2BIG);
	text[1] = '/';
	assert_int_equal(url_resolve(&base, text, &u), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve), cmocka_unit_test(test_schemes_and_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
