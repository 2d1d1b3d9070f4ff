/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selectors: kubectl's text form both ways, and what they match. */
#include "fixture.h"

static struct strmap labels(struct arena *a, const char *text)
{
	struct label_selector s = { 0 };

	assert_int_equal(selector_parse(a, text, &s, NULL), 0);
	assert_int_equal(s.match_expressions.n, 0);
	return s.match_labels;
}

static const struct { const char *text, *printed; const char *yes[3], *no[3]; } good_cases[] = {
	{ "", "<none>", { "", "a=b" }, { NULL } },
	{ "a=b", "a=b", { "a=b", "a=b,c=d" }, { "", "a=c", "b=b" } },
	{ " a == b , c=", "a=b,c=", { "a=b,c=" }, { "a=b" } },
	{ "a!=b", "a notin (b)", { "", "a=c" }, { "a=b" } },
	{ "a in (x, y),c=d", "c=d,a in (x,y)", { "a=x,c=d", "a=y,c=d" }, { "a=z,c=d", "c=d", "a=x" } },
	{ "a notin (x,y)", "a notin (x,y)", { "", "a=z" }, { "a=x", "a=y" } },
	{ "a", "a", { "a=", "a=b" }, { "", "b=a" } },
	{ "!a", "!a", { "", "b=a" }, { "a=" } },
	{ "! a,b", "!a,b", { "b=c" }, { "a=x,b=c", "" } },
	{ "example.com/app=web", "example.com/app=web", { "example.com/app=web" }, { "app=web" } },
	{ "a=b,a=c", "a=b,a in (c)", { NULL }, { "a=b", "a=c" } },
	{ "a in ()", "a=", { "a=" }, { "a=b", "" } },
};

static void test_good(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(good_cases); i++) {
		struct label_selector s = { 0 };

		assert_int_equal(selector_parse(&f->arena, good_cases[i].text, &s, NULL), 0);
		buf_reset(&f->text);
		selector_print(&s, &f->text);
		assert_string_equal(buf_str(&f->text), good_cases[i].printed);
		for (size_t k = 0; k < 3; k++) {
			struct strmap m;

			if (good_cases[i].yes[k]) {
				m = labels(&f->arena, good_cases[i].yes[k]);
				assert_true(selector_matches(&s, &m));
			}
			if (good_cases[i].no[k]) {
				m = labels(&f->arena, good_cases[i].no[k]);
				assert_false(selector_matches(&s, &m));
			}
		}
	}
}

static void test_bad(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *text, *error; } cases[] = {
		{ "a b", "selector: expected , before \"b\"" },
		{ "=b", "selector: a label key is missing before \"=b\"" },
		{ ",a", "selector: a label key is missing before \",a\"" },
		{ "a,", "selector: nothing follows the last ," },
		{ "a in b", "selector: expected ( before \"b\"" },
		{ "a in (b", "selector: expected , or ) before \"\"" },
		{ "a>1", "selector: expected , before \">1\"" },
		{ "a/b/c=1", "selector: label key \"a/b/c\" must be a name of at most 63 letters, digits, "
			     "\"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an "
			     "optional DNS domain and \"/\"" },
		{ "a=-", "selector: value \"-\" must consist of letters, digits, \"-\", \"_\" and \".\", and "
			 "begin and end with a letter or digit" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct label_selector s = { 0 };
		struct err err = { 0 };

		assert_int_equal(selector_parse(&f->arena, cases[i].text, &s, &err), -EINVAL);
		assert_string_equal(err.msg, cases[i].error);
	}
}

static void test_nothing(void **state)
{
	struct strmap none = { 0 };
	struct label_selector empty = { 0 };

	(void)state;
	assert_false(selector_matches(NULL, &none));
	assert_true(selector_matches(&empty, &none));
}

int main(void)
{
	static const struct CMUnitTest tests[] = { TEST(test_good), TEST(test_bad), TEST(test_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
