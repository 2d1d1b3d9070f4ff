/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies a file or a tree between this machine and a container, whose root is a descriptor. Of a
 * path in the container every component, symbolic links and ".." included, is resolved inside
 * that root; what is found below is opened name by name without following anything. So what a
 * container puts into its tree, or changes there meanwhile, leads nowhere else, in neither
 * direction.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/* A place: a path below root, or, with root -1, one of this machine. */
struct copy_side {
	int root;
	const char *path;
	/* who looks and makes files there, in a container of root's; -1: we as we are */
	uid_t uid;
	gid_t gid;
};

struct copy {
	struct copy_side from, to;
	void (*warn)(const char *path, const char *what);	/* something was left out */
};

/* As cp -r: into to, when that is a directory, else in its place. */
int copy_tree(struct copy *c, struct err *err);
