/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every controller has a home: the v1 hierarchy that carries it, else cgroup2 when that lists
 * it. A group is made in every home, and in cgroup2 in any case (cgroup.kill, CLONE_INTO_CGROUP),
 * so pure v2, v1 and the mixtures between them are one code path. What differs is in two tables:
 * the files that limits are written to, and those that usage is read from; a row counts when its
 * controller's home has the row's version.
 * Kernel: cgroups(7), Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.
 */
#include "sys/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/macro.h"

#define CG_PATH 256
#define CPU_PERIOD_US 100000
#define KILL_ROUNDS 20

enum controller { CPU, MEMORY, PIDS, CPUACCT, CONTROLLERS };

static const char *const controller_names[CONTROLLERS] = { "cpu", "memory", "pids", "cpuacct" };

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

/* ---- files ---- */

static int path_join(char ret[CG_PATH], const char *dir, const char *name)
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

static int text_write(const char *dir, const char *name, const char *text)
{
	char path[CG_PATH];
	int r = path_join(path, dir, name);

	if (r)
		return r;

	FD_AUTO fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* Reads up to n-1 bytes; cgroup files of interest are small. */
static int text_read(const char *dir, const char *name, char *ret, size_t n)
{
	char path[CG_PATH];
	int r = path_join(path, dir, name);

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

	if (fs->nh == ARRAY_SIZE(fs->h) || path_join(h->mount, mount, ""))
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
	char list[1024];

	for (unsigned i = 0; i < fs->nh; i++) {
		if (fs->h[i].v2)
			unified = &fs->h[i];
		for (unsigned c = 0; c < CONTROLLERS; c++)
			if (fs->h[i].controllers & 1U << c)
				fs->home[c] = &fs->h[i];
	}
	fs->unified = unified;
	if (!unified || text_read(unified->mount, "cgroup.controllers", list, sizeof(list)) < 0)
		return;
	for (unsigned c = CPU; c <= PIDS; c++) {
		if (!fs->home[c] && word_in(list, controller_names[c], " \n")) {
			fs->home[c] = unified;
			unified->controllers |= 1U << c;
		}
	}
	fs->home[CPUACCT] = unified;
}

/* A hierarchy that is nobody's home (a cpuacct of its own beside cgroup2) is left alone. */
static bool hierarchy_used(const struct cgroup_fs *fs, const struct hierarchy *h)
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
	r = text_read(dir, "cgroup.subtree_control", have, sizeof(have));
	for (unsigned c = 0; r == 0 && c < CONTROLLERS; c++) {
		if (!(h->controllers & 1U << c) || word_in(have, controller_names[c], " \n"))
			continue;
		snprintf(want, sizeof(want), "+%s", controller_names[c]);
		r = text_write(dir, "cgroup.subtree_control", want);
	}
	return r;
}

/* Makes every directory of path that is missing below dir; each but a leaf serves children. */
static int hierarchy_mkdir(const struct hierarchy *h, const char *dir, const char *path, bool leaf,
			   bool *ret_fresh)
{
	char full[CG_PATH];
	int r = path_join(full, dir, path);

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

static int root_make(struct hierarchy *h, const char *root, struct err *err)
{
	int r = path_join(h->root, h->mount, root);

	if (r == 0)
		r = subtree_control(h, h->mount);
	if (r == 0)
		r = hierarchy_mkdir(h, h->mount, root, false, NULL);
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
};

static int write_if_different(const char *dir, const char *file, const char *text)
{
	char now[128];
	int r = text_read(dir, file, now, sizeof(now));

	if (r)
		return r;
	now[strcspn(now, "\n")] = '\0';
	return streq(now, text) ? 0 : text_write(dir, file, text);
}

/* fresh: a group just made has no limits yet, so only what is asked for is written. */
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
	r = path_join(dir, home->root, path);
	if (r == 0)
		r = fresh ? text_write(dir, row->file, text) :
			    write_if_different(dir, row->file, text);
	if (r == 0 || (r == -ENOENT && row->optional))
		return 0;
	return err_sys(err, r, "cgroup %s: %s=%s", path, row->file, text);
}

static int limits_apply(const struct cgroup_fs *fs, const char *path,
			const struct cgroup_limits *l, bool fresh, struct err *err)
{
	int r = 0;

	for (size_t i = 0; l && r == 0 && i < ARRAY_SIZE(limits_table); i++)
		r = limit_apply(fs, path, &limits_table[i], l, fresh, err);
	return r;
}

/* When the kernel kills one process of a container for memory, the others go with it. */
static int oom_group(const struct cgroup_fs *fs, const char *path)
{
	const struct hierarchy *home = fs->home[MEMORY];
	char dir[CG_PATH];

	if (!home || !home->v2 || path_join(dir, home->root, path))
		return 0;

	int r = text_write(dir, "memory.oom.group", "1");

	return r == -ENOENT ? 0 : r;
}

int cgroup_ensure(struct cgroup_fs *fs, const char *path, const struct cgroup_limits *limits,
		  bool leaf, struct err *err)
{
	bool all_fresh = true;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < fs->nh; i++) {
		bool fresh = true;

		if (!hierarchy_used(fs, &fs->h[i]))
			continue;
		r = hierarchy_mkdir(&fs->h[i], fs->h[i].root, path, leaf, &fresh);
		all_fresh = all_fresh && fresh;
	}
	if (r == 0 && leaf)
		r = oom_group(fs, path);
	if (r)
		return err_sys(err, r, "cgroup %s", path);
	return limits_apply(fs, path, limits, all_fresh, err);
}

int cgroup_set(struct cgroup_fs *fs, const char *path, const struct cgroup_limits *limits,
	       struct err *err)
{
	return limits_apply(fs, path, limits, false, err);
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

		if (!home || home->v2 != s->v2 || path_join(dir, home->root, path) ||
		    text_read(dir, s->file, text, sizeof(text)) < 0)
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

/* ---- walking, killing, removing ---- */

/* Calls fn for dir and everything below it, children first. 0, or the first failure. */
static int walk(const char *dir, int (*fn)(const char *dir, void *arg), void *arg)
{
	DIR *d = opendir(dir);
	int code = 0, r;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *e; (e = readdir(d));) {
		char sub[CG_PATH];

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		r = path_join(sub, dir, e->d_name);
		if (r == 0)
			r = walk(sub, fn, arg);
		code = code ? code : r;
	}
	closedir(d);
	r = fn(dir, arg);
	return code ? code : r;
}

/* Signals what cgroup.procs lists; *arg counts. Pids of outer pid namespaces read as 0. */
static int kill_procs(const char *dir, void *arg)
{
	BUF_AUTO text = { 0 };
	char path[CG_PATH], *save = NULL;
	unsigned *count = arg;
	int r = path_join(path, dir, "cgroup.procs");

	if (r || file_read(path, 0, &text, NULL) < 0 || text.len == 0)
		return r;
	for (char *p = strtok_r(text.data, "\n", &save); p; p = strtok_r(NULL, "\n", &save)) {
		pid_t pid = (pid_t)strtol(p, NULL, 10);

		if (pid > 1 && kill(pid, SIGKILL) == 0)
			(*count)++;
	}
	return 0;
}

/* Again until nobody is left, because a process may fork between the reading and the signal;
 * the dying stay listed for a moment, so the rounds are limited. */
static int kill_loop(const char *dir)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < KILL_ROUNDS; i++) {
		unsigned count = 0;

		r = walk(dir, kill_procs, &count);
		if (!count)
			break;
	}
	return r;
}

int cgroup_kill(struct cgroup_fs *fs, const char *path, struct err *err)
{
	char dir[CG_PATH];
	int r = 0;

	for (unsigned i = 0; r == 0 && i < fs->nh; i++) {
		const struct hierarchy *h = &fs->h[i];

		if (!hierarchy_used(fs, h))
			continue;
		r = path_join(dir, h->root, path);
		/* cgroup.kill is there since 5.14; it reaches forks under way, too. */
		if (r == 0 && !(h->v2 && text_write(dir, "cgroup.kill", "1") == 0))
			r = kill_loop(dir);
	}
	return r ? err_sys(err, r, "cgroup %s: kill", path) : 0;
}

static int remove_dir(const char *dir, void *arg)
{
	(void)arg;
	return rmdir(dir) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_remove(struct cgroup_fs *fs, const char *path, struct err *err)
{
	char dir[CG_PATH];
	int code = 0;

	for (unsigned i = 0; i < fs->nh; i++) {
		int r;

		if (!hierarchy_used(fs, &fs->h[i]))
			continue;
		r = path_join(dir, fs->h[i].root, path);
		if (r == 0)
			r = walk(dir, remove_dir, NULL);
		code = code ? code : r;
	}
	return code ? err_sys(err, code, "cgroup %s: remove", path) : 0;
}

struct name_list {
	char **v;
	unsigned n;
};

static void names_add(struct arena *a, struct name_list *list, const char *name)
{
	for (unsigned i = 0; i < list->n; i++)
		if (streq(list->v[i], name))
			return;
	*arena_push(a, list) = arena_strdup(a, name);
}

int cgroup_list(struct cgroup_fs *fs, const char *path, struct arena *a, char ***ret, unsigned *ret_n,
		struct err *err)
{
	struct name_list list = { 0 };
	char dir[CG_PATH];

	for (unsigned i = 0; i < fs->nh; i++) {
		DIR *d;

		if (!hierarchy_used(fs, &fs->h[i]))
			continue;
		if (path_join(dir, fs->h[i].root, path))
			return err_sys(err, -ENAMETOOLONG, "cgroup %s", path);
		d = opendir(dir);
		if (!d)
			continue;
		for (struct dirent *e; (e = readdir(d));)
			if (e->d_type == DT_DIR && e->d_name[0] != '.')
				names_add(a, &list, e->d_name);
		closedir(d);
	}
	*ret = list.v;
	*ret_n = list.n;
	return 0;
}

void cgroup_entry(struct cgroup_fs *fs, const char *path, struct cgroup_entry *ret)
{
	const struct hierarchy *memory = fs->home[MEMORY];
	struct cgroup_entry e = { 0 };
	char dir[CG_PATH];

	for (unsigned i = 0; i < fs->nh; i++) {
		const struct hierarchy *h = &fs->h[i];

		if (!hierarchy_used(fs, h) || path_join(dir, h->root, path))
			continue;
		if (h->v2)
			snprintf(e.dir, sizeof(e.dir), "%s", dir);
		else if (path_join(e.tasks[e.ntasks], dir, "tasks") == 0)
			e.ntasks++;
	}
	if (memory && path_join(dir, memory->root, path) == 0)
		path_join(e.oom_file, dir, memory->v2 ? "memory.events" : "memory.oom_control");
	*ret = e;
}
