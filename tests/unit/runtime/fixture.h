/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects from YAML text, for tests of this room. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "model/set.h"

/* A set of one file; its messages are printed and fail the test. */
static inline struct set *set_from(const char *yaml)
{
	struct manifest *m = manifest_load("test.yaml", yaml, strlen(yaml));
	struct hold_list none = { 0 };
	struct set *s = set_build(&m, 1, NULL, 0, &none, NULL);

	for (uint32_t i = 0; i < s->msgs.n; i++)
		if (!s->msgs.v[i].warning)
			fail_msg("%s: %s", s->msgs.v[i].path, s->msgs.v[i].text);
	manifest_unref(m);
	return s;
}

static inline struct object *pod_in(struct set *s, const char *name)
{
	struct object *o = set_find(s, KIND_POD, "default", name);

	assert_non_null(o);
	o->meta->uid = "0d3cb7b6-0000-4000-8000-000000000001";
	return o;
}
