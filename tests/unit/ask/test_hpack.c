/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Header blocks, among them those of RFC 7541, appendix C, as far as they need no dynamic table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ask/hpack.h"
#include "base/macro.h"

static int note(void *data, const char *name, const char *value)
{
	if (streq(name, "stop"))
		return -ECANCELED;
	buf_printf(data, "%s=%s\n", name, value);
	return 0;
}

static size_t from_hex(const char *hex, uint8_t *to)
{
	size_t n = 0;

	for (; *hex; hex++) {
		unsigned byte;

		if (*hex == ' ')
			continue;
		assert_int_equal(sscanf(hex++, "%2x", &byte), 1);
		to[n++] = (uint8_t)byte;
	}
	return n;
}

static const struct {
	const char *block;
	const char *fields;	/* NULL: an error */
} rows[] = {
	{ "", "" },
	{ "88", ":status=200\n" }, { "8d", ":status=404\n" }, { "8f", "=\n" }, { "be", NULL },
	{ "80", NULL },
	/* C.2.1, C.2.2: the path has a name of the static table */
	{ "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
	  "custom-key=custom-header\n" },
	{ "040c 2f73 616d 706c 652f 7061 7468", "=/sample/path\n" },
	/* C.4.1, C.4.3, C.6.1: Huffman */
	{ "418c f1e3 c2e5 f23a 6ba0 ab90 f4ff", "=www.example.com\n" },
	{ "4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", "custom-key=custom-value\n" },
	{ "4882 6402", ":status=302\n" },
	{ "6e91 9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3", "=https://www.example.com\n" },
	{ "6196 d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff",
	  "=Mon, 21 Oct 2013 20:13:21 GMT\n" },
	/* trailers as grpc-go writes them */
	{ "40 88 9acac8b21234da8f 01 30", "grpc-status=0\n" },
	{ "08 03 323030", ":status=200\n" }, { "48 82 1001", ":status=200\n" },
	{ "20 88", ":status=200\n" }, { "3f e1 1f", NULL },
	/* long numbers */
	{ "0f 00 01 61", "=a\n" }, { "0f 2e 01 61", "=a\n" }, { "0f 2f 01 61", NULL },
	{ "0f 80 80 80 80 00 01 61", NULL }, { "0f", NULL }, { "7f", NULL }, { "7f 80", NULL },
	/* cut off, not printable, wrong ends of Huffman's */
	{ "00", NULL }, { "00 05 61", NULL }, { "00 01 61", NULL }, { "00 01 61 7f ff ff ff 7f", NULL },
	{ "00 01 61 01 0a", NULL }, { "00 01 61 01 80", NULL }, { "00 01 61 81 1f", "a=a\n" },
	{ "00 01 61 81 18", NULL }, { "00 01 61 82 1f ff", NULL }, { "00 01 61 84 ff ff ff ff", NULL },
	{ "00 01 61 82 ffc7", NULL },	/* NUL, by its 13 bits */
	{ "00 01 61 83 fffe1f", "a=\\\n" },
};

static void test_decode(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t block[128];
		BUF_AUTO text = { 0 };
		int r = hpack_decode(block, from_hex(rows[i].block, block), note, &text);

		if (!rows[i].fields ? r != -EPROTO : r || !streq(buf_str(&text), rows[i].fields))
			fail_msg("%s: %d %s", rows[i].block, r, buf_str(&text));
	}
}

/* Every printable symbol that Huffman's code gives 5 to 8 bits, by the codes of the RFC. */
static void test_symbols(void **state)
{
	uint8_t block[128];
	BUF_AUTO text = { 0 };

	(void)state;
	/* "&*,;XZ": f8 f9 fa fb fc fd; "!": 3f8; "#": ffa; "$": 1ff9; "^": 3ffc; "<": 7ffc */
	size_t n = from_hex("00 01 61 86 f8f9fafbfcfd", block);
	assert_int_equal(hpack_decode(block, n, note, &text), 0);
	n = from_hex("00 01 61 82 fe3f 00 01 61 82 ffaf 00 01 61 82 ffcf 00 01 61 82 fff3"
		     "00 01 61 82 fff9", block);
	assert_int_equal(hpack_decode(block, n, note, &text), 0);
	assert_string_equal(text.data, "a=&*,;XZ\na=!\na=#\na=$\na=^\na=<\n");
}

static void test_stops(void **state)
{
	static const char block[] = "\x00\x04stop\x01x\x88";
	BUF_AUTO text = { 0 };

	(void)state;
	assert_int_equal(hpack_decode((const uint8_t *)block, sizeof(block) - 1, note, &text),
			 -ECANCELED);
	assert_string_equal(buf_str(&text), "");
}

static void test_round_trip(void **state)
{
	char value[300];
	BUF_AUTO block = { 0 };
	BUF_AUTO text = { 0 };
	BUF_AUTO expected = { 0 };

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	hpack_literal(&block, 0, "te", "trailers");
	hpack_literal(&block, 31, NULL, "application/grpc");
	hpack_literal(&block, 0, value, value);
	buf_printf(&expected, "te=trailers\n=application/grpc\n%s=%s\n", value, value);
	assert_int_equal(hpack_decode((const uint8_t *)block.data, block.len, note, &text), 0);
	assert_string_equal(text.data, expected.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode), cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_stops), cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
