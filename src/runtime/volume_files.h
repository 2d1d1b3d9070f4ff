/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of volumes that orchd writes itself: configMap, secret, downwardAPI and projected. They
 * are computed whole, as values, from the objects in force and the pod, and then written and swapped
 * in place (volume_swap.c).
 */
#pragma once

#include <sys/types.h>

#include "model/set.h"
#include "runtime/env.h"

struct volume_file {
	const char *path;	/* in the volume */
	struct bytes content;
	mode_t mode;
};
struct volume_files {
	struct volume_file *v;
	uint32_t n;
	bool grouped;		/* the pod has an fsGroup, who may read everything */
	bool owned;		/* everything is of uid and gid, not of who writes it */
	uid_t uid;
	gid_t gid;
};

struct volume_in;

/* False when an object or key that is not optional is missing: the volume stays as it is. */
bool volume_files(struct arena *a, const struct volume_in *in, const struct set *set,
		  const struct volume *v, struct volume_files *ret);

/*
 * Writes the files beside those that are there, and makes them the volume's content in one rename.
 * now names the directory. *ret_old: path of the content before, from a; NULL: there was none, or
 * it is still right.
 */
int volume_swap(const char *dir, const struct volume_files *files, int64_t now, struct arena *a,
		const char **ret_old, struct err *err);
