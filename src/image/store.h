/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image store, STATE/images:
 *
 *   blobs/HEX          verified contents by their SHA-256: manifests, configurations, layers
 *   partial/HEX        contents that are being downloaded; kept by a crash, to be resumed
 *   layers/ID/tree     a layer unpacked: one overlay lower. ID: 16 digits of the blob's HEX
 *   layers/ID/layer    its full digest, size, and what unpack.h says about implied directories
 *   chains/ID/tree     directories on top of an image's layers, or with chains/ID/flat all of it
 *                      (chain.c)
 *   new/               layers being unpacked; swept at open
 *   names/HASH         the record of an image by the hash of its reference (record.h)
 *   pins/OWNER         a hard link to the record that a container was started from
 *   boot, lock
 *
 * Layers are named by the digest of their blob, not of their tar: the blob's digest was computed
 * by a privileged process, the tar's is the word of one that parsed untrusted bytes, and a layer
 * may not be passed off as another image's.
 *
 * A thing is either complete or not there: made under another name, then renamed. It is known to
 * be on the disk once its mode has no write bit for the owner (image_store_settle() syncs and then
 * takes it away): what still has it after a reboot is not trusted and removed. So nobody waits for
 * a disk while pulling, and a crash costs no more than pulling what was lost again. A record
 * names what it needs; an image with a missing part is not there.
 *
 * Pullers hold the store shared, the collector exclusively, and only when it can: image_store_gc()
 * waits for 3 seconds and returns -EBUSY while somebody pulls. Any number of processes may use one
 * store.
 */
#pragma once

#include <stdbool.h>

#include "image/image.h"
#include "image/record.h"

struct image_store;

/* Makes what is missing, sweeps what a crash left when nobody else is at work. */
int image_store_open(const char *dir, struct image_store **ret, struct err *err);
void image_store_close(struct image_store *s);

/* Around everything a pull does, from its first question to image_store_add(). */
int image_store_hold(struct image_store *s, struct err *err);
void image_store_release(struct image_store *s);

/* ---- blobs ---- */

bool image_store_has_blob(struct image_store *s, const char *digest);
/* Read-only descriptor. -ENOENT. */
int image_store_open_blob(struct image_store *s, const char *digest, int *ret_fd,
			  struct err *err);

/*
 * A write-only descriptor to hand to whoever downloads, positioned at *ret_offset: so much is
 * there of an earlier attempt (ftruncate to 0 to begin anew). -EBUSY: another process is at it,
 * -EEXIST: it is there already.
 */
struct image_blob {
	int fd;
	char digest[IMAGE_DIGEST_MAX];
};
int image_store_begin_blob(struct image_store *s, const char *digest, struct image_blob *ret,
			   uint64_t *ret_offset, struct err *err);
/*
 * Closes b->fd and computes the digest. Everybody else must have closed theirs: -ETXTBSY when
 * somebody could still write. -EBADMSG when the contents are other than the digest says: the
 * partial file is gone then. size: expected, UINT64_MAX: any.
 */
int image_store_commit_blob(struct image_store *s, struct image_blob *b, uint64_t size,
			    struct err *err);
void image_store_abort_blob(struct image_blob *b);	/* keeps what is there */

/* ---- layers: made by unpack.h ---- */

bool image_store_has_layer(struct image_store *s, const char *digest);

/* ---- images ---- */

struct image_records { struct image_record *v; uint32_t n; };

/* r->ref now names this image. -ENOENT when a part of it is missing. */
int image_store_add(struct image_store *s, const struct image_record *r, struct err *err);
/* -ENOENT: not there, or not all of it. */
int image_store_find(struct image_store *s, const char *ref, struct arena *a,
		     struct image_record *ret, struct err *err);
int image_store_list(struct image_store *s, struct arena *a, struct image_records *ret,
		     struct err *err);
/* Takes the name away; what only it needed goes with the next image_store_gc(). -ENOENT. */
int image_store_remove(struct image_store *s, const char *ref, struct err *err);

/*
 * What a container is made from, and a pin: the image stays, whatever becomes of its name, until
 * the owner lets it go. owner is a file name ("UID.CONTAINER"); pinning again replaces.
 */
int image_store_pin(struct image_store *s, const char *ref, const char *owner, struct err *err);
int image_store_unpin(struct image_store *s, const char *owner, struct err *err);
int image_store_pins(struct image_store *s, struct arena *a, const char *const **ret,
		     struct err *err);		/* the owners */
/* Of the pinned image when there is a pin of owner (NULL: none), else by name. -ENOENT. */
int image_store_resolve(struct image_store *s, struct arena *a, const char *ref,
			const char *owner, struct image *ret, struct err *err);

/* ---- space ---- */

struct image_store_usage {
	uint64_t images, layers, blobs;		/* how many */
	uint64_t layer_bytes, blob_bytes, partial_bytes;
	uint64_t unused_bytes;			/* what pruning all that is not in use would free */
	uint64_t disk_bytes, disk_free;		/* of the file system */
};
int image_store_usage(struct image_store *s, struct image_store_usage *ret, struct err *err);

/*
 * Removes what no name and no pin needs. Images too: when all, every image that is neither pinned
 * nor in use; else, when the file system is fuller than high per cent, the least recently used
 * first until it is under low. min_age_s spares images younger than that.
 */
struct image_gc {
	const char *const *in_use;	/* references, NULL-terminated; NULL: none */
	bool all;
	unsigned high, low;		/* 0: by space nothing is removed */
	unsigned min_age_s;
};
struct image_gc_result {
	unsigned images, layers, blobs;
	uint64_t bytes;
	bool enough;		/* below high now */
};
int image_store_gc(struct image_store *s, const struct image_gc *gc, struct image_gc_result *ret,
		   struct err *err);

/* Puts what is new on the disk and marks it so: slow, for when nobody waits. */
int image_store_settle(struct image_store *s, struct err *err);

/* ---- other forms ---- */

/* Writes the image as an OCI layout in a tar (oci-archive) that podman, skopeo and docker load. */
int image_store_export(struct image_store *s, const char *ref, int fd, struct err *err);
