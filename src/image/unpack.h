/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the blob of a layer to a directory that overlayfs can stack. Two processes, so that nothing
 * that parses has privileges, and nothing that has privileges parses:
 *
 *   reader   unprivileged, may only read its one input and write its one pipe (seccomp: no call
 *            that names a file, a process or an address). It decompresses, checks the digest of
 *            the uncompressed tar, parses the tar, enforces the limits, and writes a flat stream
 *            of operations (unpack_ops.h).
 *   applier  privileged, never sees the tar. It carries the operations out below one directory,
 *            every path resolved by the kernel with that directory as the root (openat2
 *            RESOLVE_IN_ROOT), and counts bytes and entries once more.
 *
 * The other way, the parser as root of a user namespace that maps all ids, saves a pipe, but gives
 * a broken parser CAP_CHOWN and the like over every id and a far larger part of the kernel, and can
 * make neither devices nor trusted.overlay attributes.
 *
 * Whiteouts become overlay's own (a 0:0 character device; trusted.overlay.opaque). An image cannot
 * set overlay's attributes. Devices are made: every container's root is mounted nodev.
 * Directories that a layer implies and does not list are written down (layers/ID/implied), since
 * they must not hide the mode and owner of the same directory in a lower layer, nor a link
 * (chain.c).
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "image/store.h"

struct unpack_limits {
	uint64_t bytes;		/* of file contents */
	uint64_t entries;
	uint64_t ratio;		/* uncompressed to compressed, beyond the first GiB */
	unsigned cpu_s;		/* of the reader */
};
extern const struct unpack_limits unpack_limits_default;

struct unpack_want {
	const char *digest;		/* of the blob, which is in the store */
	const char *diff;		/* expected of the uncompressed tar; NULL: not known */
	struct unpack_limits limits;
	uid_t uid;			/* whom the reader runs as; its group is the same number */
};

struct unpack_done {
	uint64_t bytes, entries;
	char diff[IMAGE_DIGEST_MAX];
};

/* An unpacking that goes on in processes of its own. */
struct unpack {
	struct image_store *store;
	pid_t pid;			/* 0: the layer was there */
	int fd;				/* readable when it has ended; poll it */
	int lock;			/* nobody else unpacks the same layer */
	char digest[IMAGE_DIGEST_MAX];
	char dir[64];			/* below the store, "new/..." */
};

/*
 * Makes layer want->digest of the store; a layer that is there already is success at once.
 * Several may run at the same time, also of the same layer. Must be called by a process with one
 * thread, since it forks; the children end with the caller.
 */
int unpack_begin(struct image_store *s, const struct unpack_want *want, struct unpack *ret,
		 struct err *err);
/* Waits for the end. -EBADMSG for what is no proper layer, -EFBIG beyond a limit, -ENOSPC... */
int unpack_end(struct unpack *u, struct unpack_done *ret, struct err *err);
void unpack_kill(struct unpack *u);	/* and reaps it; no unpack_end() after it */

/*
 * The same for an archive that is no layer (oci-archive, docker-archive): its plain files and
 * directories come to be in the existing directory dir, owned by root; symbolic links are left
 * out, other links and devices refused. file may be compressed.
 */
int unpack_archive(int file, const char *dir, const struct unpack_limits *limits, uid_t uid,
		   struct err *err);

/*
 * The numbers of user ("", "web", "1000", "web:staff") by etc/passwd and etc/group of the topmost
 * of these layers that have them, which a sandboxed reader parses: "UID:GID[,GID...]". A name
 * that is not there is -ENOENT.
 */
int unpack_user(struct image_store *s, const struct image_layers *layers, const char *user,
		uid_t uid, char *ret, size_t n, struct err *err);
