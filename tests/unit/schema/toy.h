/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Described structs of the tests' own (toy.def), so that they say what the schema does whatever
 * the model's rows become, and the steps that every test takes: text in, struct or messages out.
 */
#pragma once

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "schema/check.h"
#include "schema/schema.h"

enum color { color_unset, COLOR_RED, COLOR_GREEN, COLOR_ULTRAVIOLET };
static const char *const color_words[] = { "", "Red", "Green", "Ultraviolet", NULL };
static const struct enum_type color_values = { "color", color_words };

#define ROWS_STRUCT
#include "schema/rows.h"
#include "toy.def"
#undef ROWS_STRUCT
#define ROWS_INDEX
#include "schema/rows.h"
#include "toy.def"
#undef ROWS_INDEX

static inline void check_lower(struct check *c, const void *value)
{
	for (const char *s = *(const char *const *)value; *s; s++) {
		if (isupper((unsigned char)*s)) {
			check_fail(c, "\"%s\" is not lower case", *(const char *const *)value);
			return;
		}
	}
}

static inline void check_pair(struct check *c, const void *value)
{
	const struct strpair *p = value;

	if (strlen(p->v) > 8)
		check_fail(c, "value of \"%s\" is longer than 8", p->k);
}

static inline void check_tool(struct check *c, const void *obj)
{
	const struct tool *t = obj;

	if (t->ports.n == 2 && t->ports.v[0].number == t->ports.v[1].number)
		check_fail_at(c, "ports[1].number", "%d is used twice", t->ports.v[1].number);
	if (t->ports.n > 2)
		check_warn_at(c, "ports", "many ports");
	if (streq(t->name, "forbidden"))
		check_fail_at(c, "", "not this one");
}

#define ROWS_TABLE
#include "schema/rows.h"
#include "toy.def"
#undef ROWS_TABLE

struct toy {
	struct arena a;
	struct msgs m;
	struct buf text;	/* of the messages */
};

static inline int toy_setup(void **state)
{
	struct toy *t = calloc(1, sizeof(*t));

	t->m.arena = &t->a;
	*state = t;
	return 0;
}

static inline int toy_teardown(void **state)
{
	struct toy *t = *state;

	arena_release(&t->a);
	buf_release(&t->text);
	free(t);
	return 0;
}

/* All messages so far as text; none are left. */
static inline const char *toy_messages(struct toy *t)
{
	buf_reset(&t->text);
	for (uint32_t i = 0; i < t->m.n; i++)
		msg_print(&t->m.v[i], &t->text);
	t->m = (struct msgs){ .arena = &t->a };
	return buf_str(&t->text);
}

/* The only document of the text; fails the test when it does not parse. */
static inline struct ynode *toy_tree(struct toy *t, const char *yaml)
{
	struct yaml_docs docs;

	if (yaml_parse(&t->a, "toy.yaml", yaml, strlen(yaml), &docs, &t->m) < 0)
		fail_msg("%s", toy_messages(t));
	assert_int_equal(docs.n, 1);
	return docs.v[0].root;
}

static inline struct box *toy_box(struct toy *t, const char *yaml)
{
	struct box *b = arena_new(&t->a, struct box);

	if (schema_decode(&t->a, &box_type, "toy.yaml", toy_tree(t, yaml), "", NULL, b, &t->m) < 0)
		fail_msg("%s", toy_messages(t));
	return b;
}

/* What is wrong with the text, "" when it decodes. */
static inline const char *toy_errors(struct toy *t, const char *yaml)
{
	struct box *b = arena_new(&t->a, struct box);
	struct ynode *n = toy_tree(t, yaml);
	int r = schema_decode(&t->a, &box_type, "toy.yaml", n, "", NULL, b, &t->m);

	assert_int_equal(r, t->m.errors ? -EINVAL : 0);
	return toy_messages(t);
}

#define toy_test(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)
