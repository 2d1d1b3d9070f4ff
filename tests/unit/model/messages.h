/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of manifests: tables of texts, each with every message that it gets, to the column.
 * A broken text gives no object. That a kind is only kept is said of every object of it: it is
 * test_foreign.c's matter and left out here.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/macro.h"
#include "model/set.h"

struct message_case {
	const char *text, *expected;
};

static inline bool is_of_kept_kind(const struct msg *m)
{
	return m->warning && streq(m->path, "kind") && strstr(m->text, "is kept and shown");
}

static inline uint32_t count_documents(const char *text)
{
	uint32_t n = 1;

	for (const char *p = text; (p = strstr(p, "\n---\n")); p++)
		n++;
	return n;
}

static inline void check_messages(const struct message_case *c, uint32_t each)
{
	struct manifest *m = manifest_load("t.yaml", c->text, strlen(c->text));
	BUF_AUTO out = { 0 };

	for (uint32_t i = 0; i < m->msgs.n; i++) {
		if (!is_of_kept_kind(&m->msgs.v[i]))
			msg_print(&m->msgs.v[i], &out);
	}
	assert_string_equal(buf_str(&out), c->expected);
	assert_int_equal(m->broken, m->msgs.errors > 0);
	assert_int_equal(m->objects.n, m->broken ? 0 : each * count_documents(c->text));
	manifest_unref(m);
}

/* each: how many objects come of each document of a text that is not broken */
#define MESSAGES_TEST(name, cases, each)                                        \
	static void name(void **state)                                          \
	{                                                                       \
		(void)state;                                                    \
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++)                  \
			check_messages(&(cases)[i], each);                      \
	}
