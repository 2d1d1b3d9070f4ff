/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New content of a volume in one rename, as kubelet does it: the files are in a directory named
 * after the time, the symbolic link ..data leads to it, and links of the files' names lead through
 * ..data. A reader sees all of the old or all of the new.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/macro.h"
#include "runtime/volume_files.h"

#define DATA "..data"
#define DATA_NEW "..data_tmp"

/* A hash of everything a reader could see, so that the same content is not written again. */
static uint64_t files_hash(const struct volume_files *l)
{
	uint64_t h = FNV64_INIT;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct volume_file *f = &l->v[i];

		h = fnv64_str(h, f->path);
		h = fnv64(h, &f->mode, sizeof(f->mode));
		h = fnv64(h, &f->content.len, sizeof(f->content.len));
		h = fnv64(h, f->content.data, f->content.len);
	}
	return h;
}

/* "..2026_11_21_12_00_00.123456789-HASH" */
static void data_name(int64_t now, uint64_t hash, char *ret, size_t n)
{
	time_t seconds = (time_t)(now / NSEC);
	struct tm tm;
	char stamp[32];

	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y_%m_%d_%H_%M_%S", &tm);
	snprintf(ret, n, "..%s.%09lld-%016llx", stamp, (long long)(now % NSEC),
		 (unsigned long long)hash);
}

static bool same_hash(const char *a, const char *b)
{
	const char *x = strrchr(a, '-'), *y = strrchr(b, '-');

	return x && y && streq(x, y);
}

/* Files are the group's to read, directories to enter, and what is made in them is the group's. */
static int give(const char *path, mode_t mode, const struct volume_files *l, struct err *err)
{
	if (!l->owned)
		return 0;
	if (chown(path, l->uid, l->gid) < 0 || (l->grouped && chmod(path, mode) < 0))
		return err_sys(err, -errno, "%s", path);
	return 0;
}

/* The directories between dir and the file. */
static int make_parents(char *path, size_t dir, const struct volume_files *l, struct err *err)
{
	int r = 0;

	for (char *slash = strchr(path + dir + 1, '/'); r == 0 && slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = file_mkdir_p(path, 0755, err);
		if (r == 0)
			r = give(path, S_ISGID | 0755, l, err);
		*slash = '/';
	}
	return r;
}

static int write_file(const char *dir, const struct volume_file *f, const struct volume_files *l,
		      struct err *err)
{
	mode_t mode = f->mode | (l->grouped ? 0440 : 0);
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, f->path) >= sizeof(path))
		return err_sys(err, -ENAMETOOLONG, "%s/%s", dir, f->path);
	int r = make_parents(path, strlen(dir), l, err);
	if (r == 0)
		r = file_write(path, f->content.data, f->content.len, mode, err);
	return r < 0 ? r : give(path, mode, l, err);
}

static size_t first_component(const char *path)
{
	return strcspn(path, "/");
}

/* A link NAME -> ..data/NAME for the first component of every path. */
static int link_names(int dir, const struct volume_files *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const char *p = l->v[i].path;
		int n = (int)first_component(p);
		char name[NAME_MAX + 1], target[NAME_MAX + sizeof(DATA) + 2];

		snprintf(name, sizeof(name), "%.*s", n, p);
		snprintf(target, sizeof(target), DATA "/%s", name);
		if (symlinkat(target, dir, name) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static bool has_name(const struct volume_files *l, const char *name)
{
	for (uint32_t i = 0; i < l->n; i++) {
		size_t n = first_component(l->v[i].path);

		if (n == strlen(name) && memcmp(l->v[i].path, name, n) == 0)
			return true;
	}
	return false;
}

static void unlink_stale_names(int dir, const struct volume_files *l)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d));)
		if (strncmp(e->d_name, "..", 2) != 0 && !streq(e->d_name, ".") &&
		    !has_name(l, e->d_name))
			unlinkat(dir, e->d_name, 0);
	closedir(d);
}

static int swap_data(int dir, const char *name)
{
	unlinkat(dir, DATA_NEW, 0);
	if (symlinkat(name, dir, DATA_NEW) < 0 || renameat(dir, DATA_NEW, dir, DATA) < 0)
		return -errno;
	return 0;
}

static int write_data(const char *path, const struct volume_files *files, struct err *err)
{
	int r = file_mkdir_p(path, 0755, err);

	if (r == 0)
		r = give(path, S_ISGID | 0755, files, err);
	for (uint32_t i = 0; r == 0 && i < files->n; i++)
		r = write_file(path, &files->v[i], files, err);
	return r;
}

/* The directory that ..data leads to, "" when there is none. */
static void current_data(int dir, char ret[NAME_MAX + 1])
{
	ssize_t n = readlinkat(dir, DATA, ret, NAME_MAX);

	ret[n > 0 ? n : 0] = '\0';
}

static int put_in_place(int dir, const char *name, const struct volume_files *files)
{
	int r = swap_data(dir, name);

	if (r == 0)
		r = link_names(dir, files);
	if (r == 0)
		unlink_stale_names(dir, files);
	return r;
}

int volume_swap(const char *dir, const struct volume_files *files, int64_t now, struct arena *a,
		const char **ret_old, struct err *err)
{
	FD_AUTO fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[96], old[NAME_MAX + 1];

	*ret_old = NULL;
	if (fd < 0)
		return err_sys(err, -errno, "%s", dir);
	data_name(now, files_hash(files), name, sizeof(name));
	current_data(fd, old);
	if (same_hash(old, name))
		return 0;
	const char *path = arena_printf(a, "%s/%s", dir, name);
	int r = write_data(path, files, err);
	if (r < 0) {
		file_rm_rf(path, NULL);
		return r;
	}
	if ((r = put_in_place(fd, name, files)) < 0)
		return err_sys(err, r, "%s", dir);
	if (*old)
		*ret_old = arena_printf(a, "%s/%s", dir, old);
	return 0;
}
