/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Durable state below the state directory. Every write is a new file, fsync, rename, fsync of
 * the directory: a crash leaves the old or the new state, never half of one.
 *
 *	revisions/N.zst	one per applied generation: a JSON header line and the bytes of all files
 *	inventory	JSON: every declared object with uid, generation, cluster IP, node ports
 *	holds		JSON: what overrides declared objects
 *	derived		JSON: objects that control made and must find again
 *
 * No file is written when its content would not change.
 */
#pragma once

#include "base/err.h"
#include "model/set.h"

struct store;

/* Makes dir (0700) and locks it: -EBUSY when another orchd has it. A state file that cannot be
 * understood is an error that names it, and is left as it is. */
int store_open(const char *dir, struct store **ret, struct err *err);
void store_close(struct store *s);

struct revision_file {
	const char *path, *stack;
	char digest[65];
	const char *text;	/* NULL in listings */
	size_t size;
};
struct revision {
	uint32_t number;	/* from 1 */
	int64_t time;
	const char *cause;	/* "web.yaml changed", "rollout undo deployment/web" */
	struct revision_file *files;
	uint32_t nfiles;
	bool unreadable;	/* in listings */
};
/* Records the manifests in force; returns its number. */
int store_revision_add(struct store *s, const struct set *set, const char *cause, int64_t now,
		       uint32_t *ret, struct err *err);
int store_revision_load(struct store *s, uint32_t number, struct arena *a, struct revision *ret,
			struct err *err);	/* -ENOENT */
uint32_t store_revision_last(const struct store *s);	/* 0: none */
/* Headers only, oldest first. One that cannot be read is listed with a cause that says so. */
int store_revision_list(struct store *s, struct arena *a, struct revision **ret, uint32_t *ret_n,
			struct err *err);
/* Keeps the newest keep, and at least one. */
int store_revision_prune(struct store *s, uint32_t keep, struct err *err);

/* The inventory: what is remembered of every declared object. Lives in memory, is saved by
 * store_save. */
struct inventory_port {
	uint16_t port, node_port;
	uint8_t protocol;	/* enum protocol */
};
struct inventory_entry {
	struct object_key key;
	const char *stack;
	char uid[37];
	int64_t created;
	int64_t generation;	/* counts changes of digest */
	uint64_t digest;
	uint32_t cluster_ip;	/* Services; 0: none */
	struct { struct inventory_port *v; uint32_t n; } ports;	/* that have a node port */
};
/* Sorted by key; *ret_n entries, valid until the next store_admit. */
const struct inventory_entry *store_inventory(const struct store *s, uint32_t *ret_n);

struct store_ranges {
	struct cidr4 service_cidr;
	uint16_t node_port_min, node_port_max;
};
/*
 * Admits a set: gives every object uid, creationTimestamp, generation, every Service its address
 * and node ports, as recorded or newly allocated (from the upper band; fixed ones win), and
 * forgets objects that are gone. Nothing is written before store_save. With dry set, the
 * inventory is left as it is (for plans). Clashing fixed addresses or ports are errors in set->msgs,
 * and such a Service keeps what it had. Bodies are shared with other generations, so that what has to
 * change is copied to the set's arena; admitting a set again changes nothing.
 */
int store_admit(struct store *s, struct set *set, const struct store_ranges *r, int64_t now,
		uint64_t seed, bool dry, struct err *err);

/* One per object, sorted by key; v is valid until the next put or del, the strings of a hold until
 * that hold is changed. */
const struct hold_list *store_holds(const struct store *s);
int store_hold_put(struct store *s, const struct hold *h, struct err *err);	/* durable */
int store_hold_del(struct store *s, const struct object_key *key, struct err *err);	/* absent: 0 */

/* Sorted; valid until the next put or del. After a start statuses of ReplicaSets are empty: they are
 * not saved. */
const struct object_list *store_derived(const struct store *s);
void store_derived_put(struct store *s, const struct object *o);	/* copied */
void store_derived_del(struct store *s, const struct object_key *key);

/* Writes what changed since the last save (inventory, derived), durably. */
int store_save(struct store *s, struct err *err);
