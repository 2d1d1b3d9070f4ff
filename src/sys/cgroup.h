/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups: one interface, two back ends, chosen once at start by what is mounted: pure
 * cgroup v2, or v1/hybrid (v1 controllers, and a cgroup2 mount that gives cgroup.kill and
 * CLONE_INTO_CGROUP). A group is named by its path below the root group, "podUID/NAME".
 * Kernel: Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct cgroup_fs;

/* 0 means no limit; a cpu_request of 0 is the smallest weight, as Kubernetes gives it. */
struct cgroup_limits {
	int64_t cpu_milli;	/* quota in thousandths of a CPU, period 100 ms */
	int64_t cpu_request;	/* in thousandths; shares = milli * 1024 / 1000, at least 2 */
	int64_t memory;		/* bytes */
	int64_t pids;
	int64_t memory_min, memory_high;	/* bytes; v2 only */
	int64_t huge_2m, huge_1g;	/* bytes in huge pages; 0: none */
};

struct cgroup_usage {
	uint64_t cpu_ns, memory, memory_inactive_file;	/* working set = memory - inactive_file */
	uint64_t throttled, oom_kills, pids;
};

/* Creates the root group and enables its controllers; root is NAME of --cgroup-root, "a/b" too. */
int cgroup_fs_new(const char *root, struct cgroup_fs **ret, struct err *err);
void cgroup_fs_free(struct cgroup_fs *fs);
bool cgroup_fs_is_v2(const struct cgroup_fs *fs);

/* Idempotent: makes the group and its parents, sets the limits. leaf: processes will live in it
 * (on v2 its children get no controllers). */
int cgroup_ensure(struct cgroup_fs *fs, const char *path, const struct cgroup_limits *limits,
		  bool leaf, struct err *err);
/* A leaf that is about its promise of CPU alone: on v1 it is made in no other hierarchy, and in those
 * its processes are its parent's. A group of memory is the dearest of all to make. */
int cgroup_ensure_cpu(struct cgroup_fs *fs, const char *path, int64_t request, struct err *err);
int cgroup_set(struct cgroup_fs *fs, const char *path, const struct cgroup_limits *limits,
	       struct err *err);
/* Bytes; 0: no limit. */
int cgroup_memory_limit(struct cgroup_fs *fs, const char *path, int64_t *ret, struct err *err);
/* memory.min of the group, "" being the root group; nothing on v1. */
int cgroup_protect(struct cgroup_fs *fs, const char *path, int64_t bytes, struct err *err);
int cgroup_usage(struct cgroup_fs *fs, const char *path, struct cgroup_usage *ret, struct err *err);
int cgroup_kill(struct cgroup_fs *fs, const char *path, struct err *err);  /* the whole subtree */
/* Removes the subtree; -EBUSY while processes are in it; absent is success. */
int cgroup_remove(struct cgroup_fs *fs, const char *path, struct err *err);
/* Names of the groups directly below path, for finding leftovers. */
int cgroup_list(struct cgroup_fs *fs, const char *path, struct arena *a, char ***ret,
		unsigned *ret_n, struct err *err);

/* How a new process gets in without writing cgroup.procs, which can wait for a grace period:
 * the cgroup2 directory for CLONE_INTO_CGROUP, and the v1 tasks files to write 0 into. */
struct cgroup_entry {
	char dir[256];		/* "" when there is no cgroup2 mount */
	char tasks[8][256];
	unsigned ntasks;
	char oom_file[256];	/* a file with a line "oom_kill N" */
};
void cgroup_entry(struct cgroup_fs *fs, const char *path, struct cgroup_entry *ret);
void cgroup_entry_cpu(struct cgroup_fs *fs, const char *path, struct cgroup_entry *ret);
