/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON writer: commas, indentation, escapes and what is not UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/macro.h"

static void write_sample(struct json *j)
{
	json_begin_object(j);
	json_kstr(j, "name", "web");
	json_kint(j, "n", INT64_MIN);
	json_kbool(j, "ready", true);
	json_key(j, "empty");
	json_begin_object(j);
	json_end_object(j);
	json_key(j, "list");
	json_begin_array(j);
	json_int(j, 1);
	json_begin_array(j);
	json_end_array(j);
	json_begin_object(j);
	json_kstr(j, "none", NULL);
	json_end_object(j);
	json_raw(j, "{\"raw\":1}");
	json_put_null(j);
	json_bool(j, false);
	json_end_array(j);
	json_end_object(j);
}

static void test_compact(void **state)
{
	BUF_AUTO b = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &b, false);
	write_sample(&j);
	assert_string_equal(buf_str(&b),
			    "{\"name\":\"web\",\"n\":-9223372036854775808,\"ready\":true,"
			    "\"empty\":{},\"list\":[1,[],{\"none\":null},{\"raw\":1},null,false]}");
}

static void test_pretty(void **state)
{
	BUF_AUTO b = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &b, true);
	write_sample(&j);
	assert_string_equal(buf_str(&b), "{\n"
					 "  \"name\": \"web\",\n"
					 "  \"n\": -9223372036854775808,\n"
					 "  \"ready\": true,\n"
					 "  \"empty\": {},\n"
					 "  \"list\": [\n"
					 "    1,\n"
					 "    [],\n"
					 "    {\n"
					 "      \"none\": null\n"
					 "    },\n"
					 "    {\"raw\":1},\n"
					 "    null,\n"
					 "    false\n"
					 "  ]\n"
					 "}");
}

/* A writer can write one text after the other, as a watch does. */
static void test_stream(void **state)
{
	BUF_AUTO b = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &b, false);
	for (int i = 0; i < 2; i++) {
		json_begin_object(&j);
		json_kint(&j, "i", i);
		json_end_object(&j);
		buf_putc(&b, '\n');
	}
	json_str(&j, "x");
	json_int(&j, 5);
	assert_string_equal(buf_str(&b), "{\"i\":0}\n{\"i\":1}\n\"x\"5");
}

static void expect(const char *s, size_t n, const char *text)
{
	BUF_AUTO b = { 0 };
	struct json j;

	json_init(&j, &b, false);
	json_strn(&j, s, n);
	assert_string_equal(buf_str(&b), text);
}

#define BAD "\xef\xbf\xbd"

static void test_strings(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "", "\"\"" },
		{ "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
		{ "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
		{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
		/* what YAML does not allow, or reads as a line break or byte order mark */
		{ "\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0", "\"\\u0080\\u0085\\u009f\xc2\xa0\"" },
		{ "\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa",
		  "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"" },
		{ "\xef\xbb\xbf\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf",
		  "\"\\ufeff\xef\xbf\xbd\\ufffe\\uffff\"" },
		{ "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3",
		  "\"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3\"" },
		{ "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
		  "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"" },
		{ "a\xff" "b", "\"a" BAD "b\"" },
		{ "\x80", "\"" BAD "\"" },
		{ "\xc0\xaf", "\"" BAD BAD "\"" },		/* overlong */
		{ "\xe0\x9f\x80", "\"" BAD BAD BAD "\"" },	/* overlong */
		{ "\xed\xa0\x80", "\"" BAD BAD BAD "\"" },	/* surrogate */
		{ "\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\"" },	/* above U+10FFFF */
		{ "\xf5\x80", "\"" BAD BAD "\"" },
		{ "\xc3", "\"" BAD "\"" },			/* cut off */
		{ "\xe2\x82", "\"" BAD BAD "\"" },
		{ "\xe2\x82z", "\"" BAD BAD "z\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(cases[i].in, strlen(cases[i].in), cases[i].out);
	expect("a\0b", 3, "\"a\\u0000b\"");
	expect("\xe2\x82\xac", 2, "\"" BAD BAD "\"");
}

static void test_keys(void **state)
{
	BUF_AUTO b = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &b, false);
	json_begin_object(&j);
	json_kstr(&j, "a\"\n", "x");
	json_end_object(&j);
	assert_string_equal(buf_str(&b), "{\"a\\\"\\n\":\"x\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
