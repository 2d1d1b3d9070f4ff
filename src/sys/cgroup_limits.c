/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the versions do differently, as two tables: the files that limits are written to, and
 * those that usage is read from. A row counts when its controller's home has the row's version.
 * Kernel: Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst, scheduler/sched-bwc.rst.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"
#include "sys/cgroup_fs.h"

#define CPU_PERIOD_US 100000

/* ---- limits ---- */

/* Text of one file; false: this limit is not asked for (text is then what removes it). */
typedef bool (*limit_text)(const struct cgroup_limits *l, char *ret, size_t n);

static bool number_or(int64_t v, const char *none, char *ret, size_t n)
{
	if (v > 0)
		snprintf(ret, n, "%lld", (long long)v);
	else
		snprintf(ret, n, "%s", none);
	return v > 0;
}

/* The kernel refuses quotas below 1 ms. */
static int64_t quota_us(const struct cgroup_limits *l)
{
	return l->cpu_milli > 0 ? MAX(l->cpu_milli * CPU_PERIOD_US / 1000, 1000) : 0;
}

static int64_t cpu_shares(const struct cgroup_limits *l)
{
	int64_t shares = MAX(l->cpu_request * 1024 / 1000, 2);

	return MIN(shares, 262144);
}

static bool v1_quota(const struct cgroup_limits *l, char *ret, size_t n)
{
	return number_or(quota_us(l), "-1", ret, n);
}

static bool v1_shares(const struct cgroup_limits *l, char *ret, size_t n)
{
	return number_or(cpu_shares(l), "", ret, n);
}

static bool v1_memory(const struct cgroup_limits *l, char *ret, size_t n)
{
	return number_or(l->memory, "-1", ret, n);
}

/* A limit is about memory: without this the group would go to swap instead. */
static bool v1_swappiness(const struct cgroup_limits *l, char *ret, size_t n)
{
	snprintf(ret, n, "%s", l->memory > 0 ? "0" : "60");
	return l->memory > 0;
}

static bool v2_quota(const struct cgroup_limits *l, char *ret, size_t n)
{
	if (l->cpu_milli > 0)
		snprintf(ret, n, "%lld %d", (long long)quota_us(l), CPU_PERIOD_US);
	else
		snprintf(ret, n, "max %d", CPU_PERIOD_US);
	return l->cpu_milli > 0;
}

/* The mapping Kubernetes uses from shares 2..262144 to weights 1..10000. */
static bool v2_weight(const struct cgroup_limits *l, char *ret, size_t n)
{
	return number_or(1 + (cpu_shares(l) - 2) * 9999 / 262142, "", ret, n);
}

static bool v2_memory(const struct cgroup_limits *l, char *ret, size_t n)
{
	return number_or(l->memory, "max", ret, n);
}

static bool v2_swap(const struct cgroup_limits *l, char *ret, size_t n)
{
	snprintf(ret, n, "%s", l->memory > 0 ? "0" : "max");
	return l->memory > 0;
}

static bool any_pids(const struct cgroup_limits *l, char *ret, size_t n)
{
	return number_or(l->pids, "max", ret, n);
}

static bool v2_min(const struct cgroup_limits *l, char *ret, size_t n)
{
	return number_or(l->memory_min, "0", ret, n);
}

static bool v2_high(const struct cgroup_limits *l, char *ret, size_t n)
{
	return number_or(l->memory_high, "max", ret, n);
}

/* Always asked for: who has no limit may have none. */
static bool huge_2m(const struct cgroup_limits *l, char *ret, size_t n)
{
	snprintf(ret, n, "%lld", (long long)l->huge_2m);
	return true;
}

static bool huge_1g(const struct cgroup_limits *l, char *ret, size_t n)
{
	snprintf(ret, n, "%lld", (long long)l->huge_1g);
	return true;
}

static const struct limit {
	enum controller controller;
	bool v2, optional;	/* optional: doing without is fine */
	const char *file;
	limit_text text;
} limits_table[] = {
	{ CPU, false, false, "cpu.cfs_quota_us", v1_quota },
	{ CPU, false, true, "cpu.shares", v1_shares },
	{ MEMORY, false, false, "memory.limit_in_bytes", v1_memory },
	{ MEMORY, false, true, "memory.swappiness", v1_swappiness },
	{ PIDS, false, false, "pids.max", any_pids },
	{ CPU, true, false, "cpu.max", v2_quota },
	{ CPU, true, true, "cpu.weight", v2_weight },
	{ MEMORY, true, false, "memory.max", v2_memory },
	{ MEMORY, true, true, "memory.swap.max", v2_swap },
	{ PIDS, true, false, "pids.max", any_pids },
	{ MEMORY, true, true, "memory.min", v2_min },
	{ MEMORY, true, true, "memory.high", v2_high },
	{ HUGETLB, false, true, "hugetlb.2MB.limit_in_bytes", huge_2m },
	{ HUGETLB, false, true, "hugetlb.1GB.limit_in_bytes", huge_1g },
	{ HUGETLB, true, true, "hugetlb.2MB.max", huge_2m },
	{ HUGETLB, true, true, "hugetlb.1GB.max", huge_1g },
};

static int write_if_different(const char *dir, const char *file, const char *text)
{
	char now[128];
	int r = cgroup_read(dir, file, now, sizeof(now));

	if (r)
		return r;
	now[strcspn(now, "\n")] = '\0';
	return streq(now, text) ? 0 : cgroup_write(dir, file, text);
}

static int limit_apply(const struct cgroup_fs *fs, const char *path, const struct limit *row,
		       const struct cgroup_limits *l, bool fresh, struct err *err)
{
	const struct hierarchy *home = fs->home[row->controller];
	char dir[CG_PATH], text[64];
	bool asked = row->text(l, text, sizeof(text));
	int r;

	if (!home && asked && row->v2 && !row->optional)
		return err_set(err, -ENOTSUP, "cgroup controller %s is not available",
			       controller_names[row->controller]);
	if (!home || home->v2 != row->v2 || (fresh && !asked))
		return 0;
	r = cgroup_path(dir, home->root, path);
	if (r == 0)
		r = fresh ? cgroup_write(dir, row->file, text) :
			    write_if_different(dir, row->file, text);
	if (r == 0 || (r == -ENOENT && row->optional))
		return 0;
	return err_sys(err, r, "cgroup %s: %s=%s", path, row->file, text);
}

int cgroup_limits_apply(const struct cgroup_fs *fs, const char *path,
			const struct cgroup_limits *l, bool fresh, struct err *err)
{
	int r = 0;

	for (size_t i = 0; l && r == 0 && i < ARRAY_SIZE(limits_table); i++)
		r = limit_apply(fs, path, &limits_table[i], l, fresh, err);
	return r;
}

/* v1 writes the greatest number of whole pages where there is no limit. */
int cgroup_memory_limit(struct cgroup_fs *fs, const char *path, int64_t *ret, struct err *err)
{
	const struct hierarchy *home = fs->home[MEMORY];
	char dir[CG_PATH], text[64];
	int64_t limit;
	int r = home ? cgroup_path(dir, home->root, path) : -ENOTSUP;

	if (r == 0)
		r = cgroup_read(dir, home->v2 ? "memory.max" : "memory.limit_in_bytes", text,
				sizeof(text));
	if (r < 0)
		return err_sys(err, r, "cgroup %s: its memory limit", path);
	limit = strtoll(text, NULL, 10);	/* 0 of "max" */
	*ret = limit < INT64_MAX / 2 ? limit : 0;
	return 0;
}

int cgroup_protect(struct cgroup_fs *fs, const char *path, int64_t bytes, struct err *err)
{
	const struct hierarchy *home = fs->home[MEMORY];
	char dir[CG_PATH], text[32];

	if (!home || !home->v2)
		return 0;
	snprintf(text, sizeof(text), "%lld", (long long)bytes);
	int r = cgroup_path(dir, home->root, path);
	if (r == 0)
		r = write_if_different(dir, "memory.min", text);
	return r < 0 && r != -ENOENT ? err_sys(err, r, "cgroup %s: memory.min=%s", dir, text) : 0;
}

int cgroup_set(struct cgroup_fs *fs, const char *path, const struct cgroup_limits *limits,
	       struct err *err)
{
	return cgroup_limits_apply(fs, path, limits, false, err);
}

/* ---- usage ---- */

#define USAGE(member) offsetof(struct cgroup_usage, member)

static const struct source {
	enum controller controller;
	bool v2;
	const char *file, *key;	/* key NULL: the file is one number */
	size_t member;
	uint64_t scale;
} sources[] = {
	{ CPUACCT, false, "cpuacct.usage", NULL, USAGE(cpu_ns), 1 },
	{ CPUACCT, true, "cpu.stat", "usage_usec", USAGE(cpu_ns), 1000 },
	{ CPU, false, "cpu.stat", "nr_throttled", USAGE(throttled), 1 },
	{ CPU, true, "cpu.stat", "nr_throttled", USAGE(throttled), 1 },
	{ MEMORY, false, "memory.usage_in_bytes", NULL, USAGE(memory), 1 },
	{ MEMORY, true, "memory.current", NULL, USAGE(memory), 1 },
	{ MEMORY, false, "memory.stat", "total_inactive_file", USAGE(memory_inactive_file), 1 },
	{ MEMORY, true, "memory.stat", "inactive_file", USAGE(memory_inactive_file), 1 },
	{ MEMORY, false, "memory.oom_control", "oom_kill", USAGE(oom_kills), 1 },
	{ MEMORY, true, "memory.events", "oom_kill", USAGE(oom_kills), 1 },
	{ PIDS, false, "pids.current", NULL, USAGE(pids), 1 },
	{ PIDS, true, "pids.current", NULL, USAGE(pids), 1 },
};

/* The number behind "KEY " at the start of a line; 0 when there is none. */
static uint64_t keyed_number(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = text; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
		if (strncmp(p, key, n) == 0 && p[n] == ' ')
			return strtoull(p + n, NULL, 10);
	return 0;
}

int cgroup_usage(struct cgroup_fs *fs, const char *path, struct cgroup_usage *ret, struct err *err)
{
	struct cgroup_usage u = { 0 };
	unsigned found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		const struct source *s = &sources[i];
		const struct hierarchy *home = fs->home[s->controller];
		char dir[CG_PATH], text[8192];

		if (!home || home->v2 != s->v2 || cgroup_path(dir, home->root, path) ||
		    cgroup_read(dir, s->file, text, sizeof(text)) < 0)
			continue;
		found++;
		*(uint64_t *)((char *)&u + s->member) =
			s->scale * (s->key ? keyed_number(text, s->key) : strtoull(text, NULL, 10));
	}
	if (!found)
		return err_set(err, -ENOENT, "cgroup %s: no such group", path);
	*ret = u;
	return 0;
}
