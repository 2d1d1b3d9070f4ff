/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything about a group and those below it: killing, removing, listing. A group is a directory
 * in each hierarchy in use, and each of them is walked, as they may differ after a failure.
 */
#include <dirent.h>
#include <signal.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/macro.h"
#include "sys/cgroup_fs.h"

#define KILL_ROUNDS 20

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
		r = cgroup_path(sub, dir, e->d_name);
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
	int r = cgroup_path(path, dir, "cgroup.procs");

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
		r = cgroup_path(dir, h->root, path);
		/* cgroup.kill is there since 5.14; it reaches forks under way, too. */
		if (r == 0 && !(h->v2 && cgroup_write(dir, "cgroup.kill", "1") == 0))
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
		r = cgroup_path(dir, fs->h[i].root, path);
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

int cgroup_list(struct cgroup_fs *fs, const char *path, struct arena *a, char ***ret,
		unsigned *ret_n, struct err *err)
{
	struct name_list list = { 0 };
	char dir[CG_PATH];

	for (unsigned i = 0; i < fs->nh; i++) {
		DIR *d;

		if (!hierarchy_used(fs, &fs->h[i]))
			continue;
		if (cgroup_path(dir, fs->h[i].root, path))
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
