/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the store: its directory, and what its files have in common (store.h). */
#pragma once

#include "image/image.h"
#include "image/layer.h"
#include "image/store.h"

struct image_store {
	int dir;		/* open on it */
	int held;		/* the lock file, shared; -1: not held */
	char path[];		/* absolute */
};

/* "blobs/HEX" and the like: where a digest's thing is. -EINVAL for what is no digest. */
#define STORE_NAME_MAX 96
int store_name(const char *kind, const char *digest, char ret[STORE_NAME_MAX], struct err *err);
/* "names/HASH" of a reference. */
void store_ref_name(const char *ref, char ret[STORE_NAME_MAX]);

/* Takes the lock for whoever changes what others rely on. -EBUSY while somebody holds the store. */
int store_lock(struct image_store *s, int *ret_fd, struct err *err);

/* Moves it out of the way, so that nobody takes half of it for whole, then removes it. */
int store_discard(struct image_store *s, const char *name, struct err *err);

int store_open_layer(struct image_store *s, const char *digest, struct layer *ret, int *ret_fd,
		     struct err *err);

/* Calls visit for each entry of a sub-directory; a negative result ends it. */
int store_each(struct image_store *s, const char *sub,
	       int (*visit)(struct image_store *s, const char *name, void *data, struct err *err),
	       void *data, struct err *err);

/* The record file at name ("names/...", "pins/..."). -EBADMSG when it is not whole. */
int store_read_record(struct image_store *s, const char *name, struct arena *a,
		      struct image_record *ret, struct err *err);
/* Are all blobs and layers there? -ENOENT says which is not. */
int store_complete(struct image_store *s, const struct image_record *r, struct err *err);

/*
 * The layer of directories that the layers of r imply, with the owners, modes and times that
 * lower layers gave them, or all of an image whose layers do not stack: chains/ID, by the digest
 * of all of the layers. Makes it when it is needed and not there.
 */
int chain_make(struct image_store *s, const struct image_record *r, struct err *err);
/* *ret_flat: it is all of the image. */
bool chain_find(struct image_store *s, const struct image_record *r, char ret_id[LAYER_ID],
		bool *ret_flat);
void chain_id(const struct image_record *r, char ret_id[LAYER_ID]);
