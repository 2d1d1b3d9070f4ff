/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests and sets from text; everything is released at the end of the test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/macro.h"
#include "model/set.h"
#include "schema/schema.h"

struct fixture {
	struct manifest *manifests[32];
	struct set *sets[32];
	unsigned nmanifests, nsets;
	struct arena arena;
	struct buf text;
};

static inline int fixture_setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < f->nsets; i++)
		set_unref(f->sets[i]);
	for (unsigned i = 0; i < f->nmanifests; i++)
		manifest_unref(f->manifests[i]);
	arena_release(&f->arena);
	buf_release(&f->text);
	free(f);
	return 0;
}

static inline struct manifest *load(struct fixture *f, const char *path, const char *text)
{
	struct manifest *m = manifest_load(path, text, strlen(text));

	f->manifests[f->nmanifests++] = m;
	return m;
}

/* All messages as they are printed. */
static inline const char *messages(struct fixture *f, const struct msgs *m)
{
	buf_reset(&f->text);
	for (uint32_t i = 0; i < m->n; i++)
		msg_print(&m->v[i], &f->text);
	return buf_str(&f->text);
}

static inline struct manifest *good(struct fixture *f, const char *path, const char *text)
{
	struct manifest *m = load(f, path, text);

	if (m->broken)
		fail_msg("%s", messages(f, &m->msgs));
	return m;
}

static inline struct set *build(struct fixture *f, struct manifest *const *m, uint32_t n,
				const struct hold_list *holds, const struct set *previous)
{
	struct set *s = set_build(m, n, NULL, 0, holds, previous);

	f->sets[f->nsets++] = s;
	return s;
}

/* A set of one good manifest, a.yaml. */
static inline struct set *set_of(struct fixture *f, const char *text)
{
	struct manifest *m = good(f, "a.yaml", text);

	return build(f, &m, 1, NULL, NULL);
}

static inline const char *json_of(struct fixture *f, const struct object *o, unsigned flags)
{
	struct json j;

	buf_reset(&f->text);
	json_init(&j, &f->text, false);
	object_json(&j, o, flags);
	return buf_str(&f->text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
