/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See node.h; proc_stat(5), proc_meminfo(5). */
#include "sys/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/units.h"

/* The first line sums up all CPUs: user nice system idle iowait irq softirq steal. */
static int busy(const char *stat, uint64_t *ret)
{
	uint64_t v[8];
	int n = sscanf(stat, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		       " %" SCNu64 " %" SCNu64 " %" SCNu64, &v[0], &v[1], &v[2], &v[3], &v[4],
		       &v[5], &v[6], &v[7]);

	if (n != 8)
		return -EINVAL;
	*ret = (v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) * (NSEC / (uint64_t)sysconf(_SC_CLK_TCK));
	return 0;
}

static uint64_t bytes_of(const char *meminfo, const char *key)
{
	const char *at = strstr(meminfo, key);

	return at ? strtoull(at + strlen(key), NULL, 10) << 10 : 0;
}

int node_usage(struct node_usage *ret, struct err *err)
{
	BUF_AUTO stat = { 0 };
	BUF_AUTO meminfo = { 0 };
	struct node_usage u = { 0 };
	int r = file_read("/proc/stat", 0, &stat, err);

	if (r == 0)
		r = file_read("/proc/meminfo", 0, &meminfo, err);
	if (r < 0)
		return r;
	if (busy(buf_str(&stat), &u.cpu_ns) < 0)
		return err_set(err, -EINVAL, "/proc/stat: not what is expected");
	const char *m = buf_str(&meminfo);
	uint64_t unused = bytes_of(m, "MemFree:") + bytes_of(m, "Inactive(file):");
	u.memory_total = bytes_of(m, "MemTotal:");
	u.memory = u.memory_total - MIN(unused, u.memory_total);
	*ret = u;
	return 0;
}

int node_disk(const char *path, struct node_disk *ret, struct err *err)
{
	struct statvfs v;

	if (statvfs(path, &v) < 0)
		return err_sys(err, -errno, "%s", path);
	*ret = (struct node_disk){
		.size = v.f_blocks * v.f_frsize, .free = v.f_bavail * v.f_frsize,
		.inodes = v.f_files, .free_inodes = v.f_favail,
	};
	return 0;
}

static int number(const char *path, uint64_t *ret, struct err *err)
{
	BUF_AUTO text = { 0 };
	int r = file_read(path, 0, &text, err);

	if (r == 0)
		*ret = strtoull(buf_str(&text), NULL, 10);
	return r;
}

/* The fourth field of proc_loadavg(5) is RUNNING/ALL. */
int node_processes(uint64_t *ret_used, uint64_t *ret_most, struct err *err)
{
	BUF_AUTO load = { 0 };
	uint64_t pids, threads;
	int r = file_read("/proc/loadavg", 0, &load, err);

	if (r == 0)
		r = number("/proc/sys/kernel/pid_max", &pids, err);
	if (r == 0)
		r = number("/proc/sys/kernel/threads-max", &threads, err);
	const char *slash = r == 0 ? strchr(buf_str(&load), '/') : NULL;
	if (r < 0 || !slash)
		return r < 0 ? r : err_set(err, -EINVAL, "/proc/loadavg: not what is expected");
	*ret_used = strtoull(slash + 1, NULL, 10);
	*ret_most = MIN(pids, threads);
	return 0;
}

uint64_t node_huge_pages(unsigned kib)
{
	char path[96];
	uint64_t n;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%ukB/nr_hugepages", kib);
	return number(path, &n, NULL) == 0 ? n : 0;
}
