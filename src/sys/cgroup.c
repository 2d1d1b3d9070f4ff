/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every controller has a home: the v1 hierarchy that carries it, else cgroup2 when that lists
 * it. A group is made in every home, and in cgroup2 in any case (cgroup.kill, CLONE_INTO_CGROUP),
 * so pure v2, v1 and the mixtures between them are one code path. What differs between versions
 * is in the tables of cgroup_limits.c.
 * Kernel: cgroups(7), Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.
 */
#include "sys/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/macro.h"
#include "sys/cgroup_fs.h"
#include "sys/node.h"

const char *const controller_names[CONTROLLERS] = {
	"cpu", "memory", "pids", "hugetlb", "cpuacct",
};

/* ---- files ---- */

int cgroup_path(char ret[CG_PATH], const char *dir, const char *name)
{
	size_t n = strlen(dir), m = strlen(name);

	if (n + m + 2 > CG_PATH)
		return -ENAMETOOLONG;
	memcpy(ret, dir, n);
	if (m)
		ret[n++] = '/';
	memcpy(ret + n, name, m + 1);
	return 0;
}

int cgroup_write(const char *dir, const char *name, const char *text)
{
	char path[CG_PATH];
	int r = cgroup_path(path, dir, name);

	if (r)
		return r;

	FD_AUTO fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

int cgroup_read(const char *dir, const char *name, char *ret, size_t n)
{
	char path[CG_PATH];
	int r = cgroup_path(path, dir, name);

	if (r)
		return r;

	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got = 0;

	if (fd < 0)
		return -errno;
	while (len < n - 1 && (got = read(fd, ret + len, n - 1 - len)) > 0)
		len += (size_t)got;
	ret[len] = '\0';
	return got < 0 ? -errno : 0;
}

static bool word_in(const char *list, const char *word, const char *separators)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, separators)) {
		p += strspn(p, separators);
		if (strncmp(p, word, n) == 0 && (p[n] == '\0' || strchr(separators, p[n])))
			return true;
	}
	return false;
}

/* ---- what is mounted ---- */

static unsigned options_controllers(const char *options)
{
	unsigned bits = 0;

	for (unsigned c = 0; c < CONTROLLERS; c++)
		if (word_in(options, controller_names[c], ",\n"))
			bits |= 1U << c;
	return bits;
}

static void hierarchy_add(struct cgroup_fs *fs, const char *mount, bool v2, unsigned controllers)
{
	struct hierarchy *h = &fs->h[fs->nh];

	if (fs->nh == ARRAY_SIZE(fs->h) || cgroup_path(h->mount, mount, ""))
		return;
	h->v2 = v2;
	h->controllers = controllers;
	fs->nh++;
}

/* One line of proc_pid_mountinfo(5); the first mount of a hierarchy counts. */
static void mountinfo_line(struct cgroup_fs *fs, char *line)
{
	char mount[CG_PATH], type[32], options[CG_PATH];
	const char *tail = strstr(line, " - ");
	unsigned bits, known = 0;
	bool v2;

	if (!tail || sscanf(line, "%*s %*s %*s %*s %255s", mount) != 1 ||
	    sscanf(tail, " - %31s %*s %255s", type, options) != 2)
		return;
	v2 = streq(type, "cgroup2");
	if (!v2 && !streq(type, "cgroup"))
		return;
	bits = v2 ? 0 : options_controllers(options);
	for (unsigned i = 0; i < fs->nh; i++) {
		known |= fs->h[i].controllers;
		if (v2 && fs->h[i].v2)
			return;
	}
	if (v2 || (bits & ~known))
		hierarchy_add(fs, mount, v2, bits & ~known);
}

static int mountinfo_read(struct cgroup_fs *fs, struct err *err)
{
	BUF_AUTO text = { 0 };
	char *save = NULL;
	int r = file_read("/proc/self/mountinfo", 0, &text, err);

	if (r)
		return r;
	if (text.len == 0)
		return err_set(err, -ENOENT, "/proc/self/mountinfo is empty");
	for (char *l = strtok_r(text.data, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		mountinfo_line(fs, l);
	return fs->nh ? 0 : err_set(err, -ENOENT, "no cgroup file system is mounted");
}

/* The controllers that no v1 hierarchy carries live in cgroup2, when it has them. cpuacct is no
 * controller of v2: cpu.stat is in every group there, which makes the v1 one needless. */
static void homes_assign(struct cgroup_fs *fs)
{
	struct hierarchy *unified = NULL;
	/* without pages that were set aside, groups for them would be made for nothing */
	bool huge = node_huge_pages(2048) || node_huge_pages(1048576);
	char list[1024];

	for (unsigned i = 0; i < fs->nh; i++) {
		if (fs->h[i].v2)
			unified = &fs->h[i];
		for (unsigned c = 0; c < CONTROLLERS; c++)
			if (fs->h[i].controllers & 1U << c && (huge || c != HUGETLB))
				fs->home[c] = &fs->h[i];
	}
	fs->unified = unified;
	if (!unified || cgroup_read(unified->mount, "cgroup.controllers", list, sizeof(list)) < 0)
		return;
	for (unsigned c = CPU; c <= HUGETLB; c++) {
		if (!fs->home[c] && (huge || c != HUGETLB) &&
		    word_in(list, controller_names[c], " \n")) {
			fs->home[c] = unified;
			unified->controllers |= 1U << c;
		}
	}
	fs->home[CPUACCT] = unified;
}

bool hierarchy_used(const struct cgroup_fs *fs, const struct hierarchy *h)
{
	for (unsigned c = 0; c < CONTROLLERS; c++)
		if (fs->home[c] == h)
			return true;
	return h == fs->unified;
}

/* ---- making groups ---- */

/* Enables for the children of dir what this hierarchy is the home of. */
static int subtree_control(const struct hierarchy *h, const char *dir)
{
	char have[1024], want[64];
	int r;

	if (!h->v2 || !h->controllers)
		return 0;
	r = cgroup_read(dir, "cgroup.subtree_control", have, sizeof(have));
	for (unsigned c = 0; r == 0 && c < CONTROLLERS; c++) {
		if (!(h->controllers & 1U << c) || word_in(have, controller_names[c], " \n"))
			continue;
		snprintf(want, sizeof(want), "+%s", controller_names[c]);
		r = cgroup_write(dir, "cgroup.subtree_control", want);
	}
	return r;
}

/* Makes every directory of path that is missing below dir; each but a leaf serves children. */
static int hierarchy_mkdirs(const struct hierarchy *h, const char *dir, const char *path, bool leaf,
			   bool *ret_fresh)
{
	char full[CG_PATH];
	int r = cgroup_path(full, dir, path);

	if (r)
		return r;
	for (char *p = full + strlen(dir); *p;) {
		char *end = p + 1 + strcspn(p + 1, "/");
		bool last = *end == '\0';
		char keep = *end;

		*end = '\0';
		r = mkdir(full, 0755) < 0 ? -errno : 0;
		if (last && ret_fresh)
			*ret_fresh = r == 0;
		if (r == -EEXIST)
			r = 0;
		if (r == 0 && !(last && leaf))
			r = subtree_control(h, full);
		if (r)
			return r;
		*end = keep;
		p = end;
	}
	return 0;
}

/* A leaf's parents are there in nearly every case, and serve it. */
static int hierarchy_mkdir(const struct hierarchy *h, const char *dir, const char *path, bool leaf,
			   bool *ret_fresh)
{
	char full[CG_PATH];
	int r = leaf ? cgroup_path(full, dir, path) : -ENOENT;

	if (r == 0)
		r = mkdir(full, 0755) < 0 ? -errno : 0;
	if (r == -ENOENT)
		return hierarchy_mkdirs(h, dir, path, leaf, ret_fresh);
	*ret_fresh = r == 0;
	return r == -EEXIST ? 0 : r;
}

static int root_make(struct hierarchy *h, const char *root, struct err *err)
{
	int r = cgroup_path(h->root, h->mount, root);

	if (r == 0)
		r = subtree_control(h, h->mount);
	if (r == 0)
		r = hierarchy_mkdirs(h, h->mount, root, false, NULL);
	if (r == -EBUSY)
		return err_set(err, r, "cgroup %s: a group above it has processes of its own, so "
			       "it cannot serve controllers", h->root);
	return r ? err_sys(err, r, "cgroup %s", h->root) : 0;
}

int cgroup_fs_new(const char *root, struct cgroup_fs **ret, struct err *err)
{
	struct cgroup_fs *fs = calloc(1, sizeof(*fs));
	int r;

	if (!fs)
		return err_sys(err, -ENOMEM, "cgroups");
	r = mountinfo_read(fs, err);
	if (r == 0)
		homes_assign(fs);
	for (unsigned i = 0; r == 0 && i < fs->nh; i++)
		if (hierarchy_used(fs, &fs->h[i]))
			r = root_make(&fs->h[i], root, err);
	if (r) {
		cgroup_fs_free(fs);
		return r;
	}
	*ret = fs;
	return 0;
}

void cgroup_fs_free(struct cgroup_fs *fs)
{
	free(fs);
}

bool cgroup_fs_is_v2(const struct cgroup_fs *fs)
{
	return fs->nh == 1 && fs->unified;
}

/* When the kernel kills one process of a container for memory, the others go with it. */
static int oom_group(const struct cgroup_fs *fs, const char *path)
{
	const struct hierarchy *home = fs->home[MEMORY];
	char dir[CG_PATH];

	if (!home || !home->v2 || cgroup_path(dir, home->root, path))
		return 0;

	int r = cgroup_write(dir, "memory.oom.group", "1");

	return r == -ENOENT ? 0 : r;
}

/* Groups of cgroup2 are made in any case: they are born into. */
static bool is_of_cpu(const struct hierarchy *h)
{
	return h->v2 || h->controllers & (1U << CPU | 1U << CPUACCT);
}

static int ensure(struct cgroup_fs *fs, const char *path, const struct cgroup_limits *limits,
		  bool leaf, bool cpu_alone, struct err *err)
{
	bool all_fresh = true;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < fs->nh; i++) {
		bool fresh = true;

		if (!hierarchy_used(fs, &fs->h[i]) || (cpu_alone && !is_of_cpu(&fs->h[i])))
			continue;
		r = hierarchy_mkdir(&fs->h[i], fs->h[i].root, path, leaf, &fresh);
		all_fresh = all_fresh && fresh;
	}
	if (r == 0 && leaf)
		r = oom_group(fs, path);
	if (r)
		return err_sys(err, r, "cgroup %s", path);
	/* what is not asked for may have no file to be written to */
	return cgroup_limits_apply(fs, path, limits, all_fresh || cpu_alone, err);
}

int cgroup_ensure(struct cgroup_fs *fs, const char *path, const struct cgroup_limits *limits,
		  bool leaf, struct err *err)
{
	return ensure(fs, path, limits, leaf, false, err);
}

int cgroup_ensure_cpu(struct cgroup_fs *fs, const char *path, int64_t request, struct err *err)
{
	return ensure(fs, path, &(struct cgroup_limits){ .cpu_request = request }, true, true, err);
}

static void entry(struct cgroup_fs *fs, const char *path, bool cpu_alone, struct cgroup_entry *ret)
{
	const struct hierarchy *memory = fs->home[MEMORY];
	struct cgroup_entry e = { 0 };
	char dir[CG_PATH];

	for (unsigned i = 0; i < fs->nh; i++) {
		const struct hierarchy *h = &fs->h[i];

		if (!hierarchy_used(fs, h) || cgroup_path(dir, h->root, path))
			continue;
		if (cpu_alone && !is_of_cpu(h))
			*strrchr(dir, '/') = '\0';
		if (h->v2)
			snprintf(e.dir, sizeof(e.dir), "%s", dir);
		else if (cgroup_path(e.tasks[e.ntasks], dir, "tasks") == 0)
			e.ntasks++;
	}
	if (memory && cgroup_path(dir, memory->root, path) == 0)
		cgroup_path(e.oom_file, dir, memory->v2 ? "memory.events" : "memory.oom_control");
	*ret = e;
}

void cgroup_entry(struct cgroup_fs *fs, const char *path, struct cgroup_entry *ret)
{
	entry(fs, path, false, ret);
}

void cgroup_entry_cpu(struct cgroup_fs *fs, const char *path, struct cgroup_entry *ret)
{
	entry(fs, path, true, ret);
}
