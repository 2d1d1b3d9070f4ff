/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person at a terminal sees of a message: the line, the caret, the word that was meant. */
#include "toy.h"

static const char *caret_in(struct toy *t, uint32_t line, uint32_t col, const char *text, size_t n)
{
	struct msg m = { .line = line, .col = col };

	buf_reset(&t->text);
	msg_print_caret(&m, text, n, &t->text);
	return buf_str(&t->text);
}

static const char *caret(struct toy *t, uint32_t line, uint32_t col, const char *text)
{
	return caret_in(t, line, col, text, strlen(text));
}

static void carets(void **state)
{
	struct toy *t = *state;

	assert_string_equal(caret(t, 2, 3, "a:\n  b: 1\nc: 2\n"), "      b: 1\n      ^\n");
	assert_string_equal(caret(t, 1, 1, "a"), "    a\n    ^\n");
	assert_string_equal(caret(t, 1, 2, "a\r\nb"), "    a\n     ^\n");
	/* behind the end of a line, and of the text */
	assert_string_equal(caret(t, 1, 9, "a\n"), "    a\n     ^\n");
	assert_string_equal(caret(t, 2, 1, "a\n"), "    \n    ^\n");
	assert_string_equal(caret(t, 3, 1, "a\n"), "");
	assert_string_equal(caret_in(t, 1, 3, "abcdef", 4), "    abcd\n      ^\n");
	/* no place, no line */
	assert_string_equal(caret(t, 0, 0, "a\n"), "");
	assert_string_equal(caret(t, 1, 0, "a\n"), "");
}

static void characters(void **state)
{
	struct toy *t = *state;

	assert_string_equal(caret(t, 1, 3, "a\tb\n"), "    a\tb\n     \t^\n");
	assert_string_equal(caret(t, 1, 4, "\xc3\xa4\xc3\xb6 x\n"),
			    "    \xc3\xa4\xc3\xb6 x\n       ^\n");
	/* two cells wide, and none */
	assert_string_equal(caret(t, 1, 3, "\xe6\x97\xa5\xe6\x9c\xac x"),
			    "    \xe6\x97\xa5\xe6\x9c\xac x\n        ^\n");
	assert_string_equal(caret(t, 1, 3, "e\xcc\x81x"), "    e\xcc\x81x\n     ^\n");
	/* nothing reaches the terminal that it would obey */
	assert_string_equal(caret(t, 1, 5, "\x1b[2J\xc2\x9b\x7f\xff."),
			    "    ?[2J??" "?.\n        ^\n");
}

static void long_lines(void **state)
{
	struct toy *t = *state;
	BUF_AUTO line = { 0 };

	for (unsigned i = 0; i < 100000; i++)
		buf_putc(&line, (char)('a' + i % 26));
	const char *shown = caret_in(t, 1, 50001, line.data, line.len);
	const char *below = strchr(shown, '\n') + 1;
	assert_true(strlen(shown) < 300);
	assert_int_equal(shown[strcspn(below, "^")], 'a' + 50000 % 26);
	assert_memory_equal(shown, "    ...", 7);
	assert_memory_equal(below - 4, "...", 3);
	shown = caret_in(t, 1, 3, line.data, 60);
	assert_memory_equal(shown, "    abcdefg", 11);
}

static void suggestions(void **state)
{
	static const char *const words[] = { "ports", "port", "imagePullPolicy", "image", "env",
					     "envFrom", "terminationGracePeriodSeconds",
					     "terminationMessagePath", "name", NULL };
	static const struct { const char *word, *meant; } table[] = {
		{ "Port", "port" }, { "PORTS", "ports" },
		{ "image-pull-policy", "imagePullPolicy" },
		{ "image_pull_policy", "imagePullPolicy" }, { "env_from", "envFrom" },
		{ "imagePullPolciy", "imagePullPolicy" }, { "prot", "port" }, { "prots", "ports" },
		{ "nmae", "name" }, { "imag", "image" },
		{ "terminationGrace", "terminationGracePeriodSeconds" },
		{ "termination", NULL }, { "volumes", NULL }, { "x", NULL }, { "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *got = suggest(table[i].word, words);
		if (!got != !table[i].meant || (got && strcmp(got, table[i].meant) != 0))
			fail_msg("%s: %s, not %s", table[i].word, got, table[i].meant);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		toy_test(carets), toy_test(characters), toy_test(long_lines), toy_test(suggestions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
