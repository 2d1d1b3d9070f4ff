/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Image references and what they stand for: directories to stack as overlayfs lowers, and the
 * defaults that the image brings. Transports of this version: rootfs:/PATH.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct image {
	const char *id;			/* "rootfs:/PATH" */
	const char *const *lowers;	/* topmost first, NULL-terminated */
	const char *const *env;		/* NAME=VALUE, NULL-terminated */
	const char *const *entrypoint, *const *cmd;	/* NULL-terminated, may be empty */
	const char *workdir;		/* "/" when the image names none */
	const char *user;		/* "" when the image names none */
};

/* Syntax only; no file is looked at. -EINVAL. */
int image_check(const char *ref, struct err *err);
/* -ENOENT and the like when it is not there. */
int image_resolve(struct arena *a, const char *ref, struct image *ret, struct err *err);
