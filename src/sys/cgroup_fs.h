/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of control groups share: which hierarchy is the home of a controller, and
 * reading and writing the kernel's small files. Only for cgroup*.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sys/cgroup.h"

#define CG_PATH 256

enum controller { CPU, MEMORY, PIDS, HUGETLB, CPUACCT, CONTROLLERS };

extern const char *const controller_names[CONTROLLERS];

struct hierarchy {
	char mount[CG_PATH];
	char root[CG_PATH];	/* mount/ROOT */
	bool v2;
	unsigned controllers;	/* bits of what it is the home of */
};

struct cgroup_fs {
	struct hierarchy h[CONTROLLERS + 1];
	unsigned nh;
	const struct hierarchy *home[CONTROLLERS];	/* NULL: this kernel does not have it */
	const struct hierarchy *unified;		/* NULL: no cgroup2 mount */
};

/* A hierarchy that is nobody's home (a cpuacct of its own beside cgroup2) is left alone. */
bool hierarchy_used(const struct cgroup_fs *fs, const struct hierarchy *h);

int cgroup_path(char ret[CG_PATH], const char *dir, const char *name);
int cgroup_write(const char *dir, const char *name, const char *text);
/* Reads up to n-1 bytes; the files of interest are small. */
int cgroup_read(const char *dir, const char *name, char *ret, size_t n);

/* fresh: the group was just made, so only what is asked for is written. l NULL: nothing. */
int cgroup_limits_apply(const struct cgroup_fs *fs, const char *path,
			const struct cgroup_limits *l, bool fresh, struct err *err);
