/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A state directory of its own for each test, and sets from YAML text. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"
#include "store/store.h"

struct fixture {
	char dir[64];
	struct store *store;
	struct err err;
	struct set *sets[32];
	unsigned nsets;
};

static inline void fixture_open(struct fixture *f)
{
	int r = store_open(f->dir, &f->store, &f->err);

	if (r < 0)
		fail_msg("store_open: %s", f->err.msg);
}

/* As after a restart: only what is on disk is left. */
static inline void fixture_reopen(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	fixture_open(f);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/test-store-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	fixture_open(f);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < f->nsets; i++)
		set_unref(f->sets[i]);
	store_close(f->store);
	file_rm_rf(f->dir, NULL);
	free(f);
	return 0;
}

/* A set of one manifest for each text; text i is "fI.yaml". */
static inline struct set *fixture_set(struct fixture *f, const char *const *texts, uint32_t n)
{
	struct manifest *m[8];

	for (uint32_t i = 0; i < n; i++) {
		char path[16];

		snprintf(path, sizeof(path), "f%u.yaml", i);
		m[i] = manifest_load(path, texts[i], strlen(texts[i]));
		if (m[i]->broken)
			fail_msg("%s: %s", m[i]->msgs.v[0].path, m[i]->msgs.v[0].text);
	}
	struct set *set = set_build(m, n, NULL, 0, store_holds(f->store), NULL);
	for (uint32_t i = 0; i < n; i++)
		manifest_unref(m[i]);
	f->sets[f->nsets++] = set;
	return set;
}

static inline char *fixture_path(const struct fixture *f, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

static inline void fixture_write(const struct fixture *f, const char *name, const char *text)
{
	assert_int_equal(file_write(fixture_path(f, name), text, strlen(text), 0600, NULL), 0);
}

/* Inode number: another one means that the file was written again. 0: absent. */
static inline ino_t fixture_inode(const struct fixture *f, const char *name)
{
	struct stat st;

	return stat(fixture_path(f, name), &st) == 0 ? st.st_ino : 0;
}
