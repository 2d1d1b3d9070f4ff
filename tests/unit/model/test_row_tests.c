/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who looks at what a row of a pod does: tests/data/row-tests.tsv names, for every row that a
 * manifest can say of a pod or its containers and that is acted on, integration tests that see its
 * effect, or says why there is nothing to see. Held in both directions: no row without a line, no
 * line without its row, no test that is not there.
 */
#include "fixture.h"

#include <stdio.h>

#include "base/file.h"

#define LINES "tests/data/row-tests.tsv"
#define TESTS "tests/integration/"
#define NOTHING "- "			/* and why */

struct seen { const struct type *v[256]; unsigned n; };
struct line { const char *type, *key, *tests; bool met; };
struct line_list { struct line *v; uint32_t n; };

/* Tables of their own: of all kinds, of claims, and of what is never in a manifest. */
static bool is_elsewhere(const struct type *t)
{
	return t == &meta_type || t == &pvc_spec_type || t == &ephemeral_container_type;
}

static bool is_acted_on(const struct field *f)
{
	return !(f->flags & (F_NOTED | F_SERVER | F_REFUSED));
}

static void collect(const struct type *t, struct seen *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->v[i] == t)
			return;
	}
	assert_true(s->n < ARRAY_SIZE(s->v));
	s->v[s->n++] = t;
	for (unsigned i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];

		if (f->sub && is_acted_on(f) && !is_elsewhere(f->sub))
			collect(f->sub, s);
	}
}

static void read_lines(struct arena *a, struct line_list *ret)
{
	FILE *f = fopen(LINES, "r");
	char text[1024];

	assert_non_null(f);
	while (fgets(text, sizeof(text), f)) {
		char *at = arena_strndup(a, text, strcspn(text, "\n"));
		struct line *l;

		if (*at == '#')
			continue;
		l = arena_push(a, ret);
		l->type = strsep(&at, ".");
		l->key = at ? strsep(&at, "\t") : "";
		l->tests = at ? at : "";
	}
	fclose(f);
}

static unsigned fault(const char *type, const char *key, const char *what)
{
	print_error(LINES ": %s.%s: %s\n", type, key, what);
	return 1;
}

static unsigned hold_row(struct line_list *l, const struct type *t, const struct field *f)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		if (streq(l->v[i].type, t->name) && streq(l->v[i].key, f->key)) {
			l->v[i].met = true;
			n++;
		}
	}
	if (n != is_acted_on(f))
		return fault(t->name, f->key, n ? "more lines than needed" :
			     "acted on, but no line names a test that sees it");
	return 0;
}

static void test_every_row_has_its_test(void **state)
{
	struct fixture *f = *state;
	struct line_list lines = { 0 };
	struct seen s = { 0 };
	unsigned faults = 0;

	read_lines(&f->arena, &lines);
	collect(&pod_spec_type, &s);
	for (unsigned i = 0; i < s.n; i++) {
		for (unsigned k = 0; k < s.v[i]->nfields; k++)
			faults += hold_row(&lines, s.v[i], &s.v[i]->fields[k]);
	}
	for (uint32_t i = 0; i < lines.n; i++) {
		if (!lines.v[i].met)
			faults += fault(lines.v[i].type, lines.v[i].key, "there is no such row");
	}
	assert_true(lines.n > 200);
	assert_int_equal(faults, 0);
}

/* FILE::TEST */
static bool is_there(struct arena *a, const char *test)
{
	const char *name = strstr(test, "::");
	BUF_AUTO text = { 0 };

	return name && file_read(arena_printf(a, TESTS "%.*s", (int)(name - test), test), 0, &text,
				 NULL) == 0 &&
	       strstr(buf_str(&text), arena_printf(a, "\ndef %s(", name + 2));
}

static void test_every_test_is_there(void **state)
{
	struct fixture *f = *state;
	struct line_list lines = { 0 };
	unsigned faults = 0;

	read_lines(&f->arena, &lines);
	for (uint32_t i = 0; i < lines.n; i++) {
		const struct line *l = &lines.v[i];
		char *rest = arena_strdup(&f->arena, l->tests), *test;

		if (strncmp(rest, NOTHING, strlen(NOTHING)) == 0 && rest[strlen(NOTHING)])
			continue;
		while ((test = strsep(&rest, " "))) {
			if (!is_there(&f->arena, test))
				faults += fault(l->type, l->key, arena_printf(&f->arena,
						"there is no test %s", test));
		}
	}
	assert_int_equal(faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_row_has_its_test, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_every_test_is_there, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
