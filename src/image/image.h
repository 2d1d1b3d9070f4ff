/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reference stands for: directories to stack as overlayfs lowers, and the defaults that the
 * image brings. rootfs:/PATH is a directory of this machine; everything else is in the store
 * (store.h), where something else has put it.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* Lists are NULL-terminated, never NULL. */
struct image {
	const char *id;			/* "rootfs:/PATH", or the manifest's "sha256:..." */
	const char *const *lowers;	/* topmost first */
	const char *dir;		/* that lowers can be named from, to be short */
	const char *const *env;		/* NAME=VALUE */
	const char *const *entrypoint, *const *cmd;
	const char *workdir;		/* "/" when the image names none */
	const char *user;		/* "" when the image names none, else "UID:GID" */
	const uint32_t *groups;		/* its further groups */
	uint32_t ngroups;
	int stop_signal;		/* 0 when the image names none */
	const char *const *volumes;
};

struct image_store;

/*
 * -ENOENT and the like when it is not there. What owner pinned (image_store_pin()) comes before
 * what ref names now. store may be NULL: only rootfs: resolves then; owner may be NULL.
 */
int image_resolve(struct arena *a, struct image_store *store, const char *ref, const char *owner,
		  struct image *ret, struct err *err);

/* "SIGQUIT", "QUIT", "3", "SIGRTMIN+3"; 0 for what is none. */
int image_signal(const char *s);
