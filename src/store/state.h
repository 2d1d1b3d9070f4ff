/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the store, shared by its files. Each part of the state is loaded whole at open and
 * lives in memory; a state file remembers the digest of what is on disk, so that writing the same
 * again touches nothing. What is written at once (holds) changes in memory after it is on disk, so
 * that a failed write leaves both as they were.
 */
#pragma once

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>

#include "base/hash.h"
#include "base/json.h"
#include "store/store.h"

struct state_file {
	char path[PATH_MAX];
	char digest[DIGEST_HEX];	/* of the file's bytes; empty: there is no file */
};

/* *ret is NULL when the file is absent; else the JSON, which the caller owns. */
int state_file_read(struct state_file *f, json_t **ret, struct err *err);
int state_file_write(struct state_file *f, const struct buf *content, struct err *err);

static inline void json_cleanup(json_t **j) { json_decref(*j); }
#define JSON_AUTO __attribute__((cleanup(json_cleanup))) json_t

/* "apiVersion", "kind", "namespace", "name" of record i, which strings last as long as the arena. */
int state_key_read(struct arena *a, const struct state_file *f, size_t i, json_t *record,
		   struct object_key *ret, struct err *err);
void state_key_write(struct json *j, const struct object_key *key);
void state_time_write(struct json *j, const char *key, int64_t ns);
/* -EBADMSG: record i of f is not what we wrote. */
int state_bad(const struct state_file *f, size_t i, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

struct inventory {
	struct arena arena;
	struct inventory_entry *v;	/* sorted by key */
	uint32_t n;
};

struct derived_record {
	struct arena arena;		/* of the object at the same place in the list */
};

struct hold_table {
	struct hold_list list;		/* sorted by key */
	struct arena *arenas;		/* of the hold at the same place */
};

struct store {
	char *dir;
	int lock;
	uint32_t last_revision;

	struct state_file inventory_file, holds_file, derived_file;
	struct inventory inventory;
	struct hold_table holds;
	struct object_list derived;			/* sorted, malloc'd */
	struct derived_record *derived_records;	/* malloc'd, in the same order */
	uint64_t derived_stamps;			/* so far */
	bool inventory_dirty, derived_dirty;
};

int inventory_load(struct store *s, struct err *err);
int inventory_save(struct store *s, struct err *err);
const struct inventory_entry *inventory_find(const struct inventory *inv,
					     const struct object_key *key);
struct inventory_port *inventory_port(const struct inventory_entry *e, unsigned protocol,
				      unsigned port);

int holds_load(struct store *s, struct err *err);
void holds_release(struct store *s);
int derived_load(struct store *s, struct err *err);
int derived_save(struct store *s, struct err *err);
void derived_release(struct store *s);
int revisions_open(struct store *s, struct err *err);
