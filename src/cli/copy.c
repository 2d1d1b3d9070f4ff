/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See copy.h. Files appear under their name only when they are whole, as a new file that is renamed:
 * what was there is replaced, never opened, be it a link, a device or a FIFO that somebody waits at.
 */
#include "cli/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/within.h"

#define DEPTH_MAX 256

/* ---- whose rights ---- */

static void act_as(const struct copy_side *s)
{
	bool own = s->uid == (uid_t)-1;

	setfsgid(own ? getegid() : s->gid);
	setfsuid(own ? geteuid() : s->uid);	/* with capabilities only if that is root */
}

/* ---- paths that were given ---- */

static int open_given(const struct copy_side *s, const char *path, uint64_t flags)
{
	act_as(s);
	return s->root < 0 ? open_within(AT_FDCWD, path, flags, 0) :
			     open_within(s->root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

static const char *base_name(struct arena *a, const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	size_t from = n;
	while (from > 0 && path[from - 1] != '/')
		from--;
	return arena_strndup(a, path + from, n - from);
}

static const char *dir_name(struct arena *a, const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	return n ? arena_strndup(a, path, n) : ".";
}

static bool is_proper_name(const char *name)
{
	return *name && !streq(name, "/") && !streq(name, ".") && !streq(name, "..");
}

/* ---- one entry ---- */

struct place {			/* an entry of a directory */
	int dir;
	const char *name;
};

static int copy_entry(struct copy *c, struct place from, struct place to, unsigned depth,
		      const char *shown, struct err *err);

static int copy_bytes(int from, int to)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(from, chunk, sizeof(chunk))) != 0) {
		if (n < 0)
			return -errno;
		for (ssize_t done = 0; done < n;) {
			ssize_t w = write(to, chunk + done, (size_t)(n - done));

			if (w < 0)
				return -errno;
			done += w;
		}
	}
	return 0;
}

/* Writes a new file and gives it its name. */
static int put_file(const struct copy *c, struct place to, int from, mode_t mode)
{
	char temporary[40];

	snprintf(temporary, sizeof(temporary), ".orch-cp.%d", (int)getpid());
	act_as(&c->to);
	FD_AUTO fd = openat(to.dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0600);
	int r = fd < 0 ? -errno : copy_bytes(from, fd);

	if (fd < 0)
		return r;
	if (r == 0 && (fchmod(fd, mode & 0777) < 0 ||
		       renameat(to.dir, temporary, to.dir, to.name) < 0))
		r = -errno;
	if (r < 0)
		unlinkat(to.dir, temporary, 0);
	return r;
}

/* What is no plain file any more is not opened: the descriptor by its number is the same file. */
static int copy_file(const struct copy *c, int found, struct place to, mode_t mode)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", found);
	act_as(&c->from);
	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : put_file(c, to, fd, mode);
}

/*
 * Whoever follows the link later must not be led out of the tree: up only as far as the tree's root,
 * and first; after that through links that were judged likewise.
 */
static bool stays_inside(const char *target, unsigned depth)
{
	bool down = false;

	if (*target == '/')
		return false;
	while (*target) {
		size_t n = strcspn(target, "/");
		bool up = n == 2 && strncmp(target, "..", 2) == 0;

		if (up && (down || depth-- == 0))
			return false;
		down |= n && !up && !(n == 1 && *target == '.');
		target += n + strspn(target + n, "/");
	}
	return true;
}

static int copy_link(const struct copy *c, struct place from, struct place to, unsigned depth,
		     const char *shown)
{
	char target[PATH_MAX];

	act_as(&c->from);
	ssize_t n = readlinkat(from.dir, from.name, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (c->to.root < 0 && !stays_inside(target, depth)) {
		c->warn(shown, "a symbolic link that leads out of the tree");
		return 0;
	}
	act_as(&c->to);
	if (unlinkat(to.dir, to.name, 0) < 0 && errno != ENOENT)
		return -errno;
	return symlinkat(target, to.dir, to.name) < 0 ? -errno : 0;
}

static int make_dir(const struct copy *c, struct place to)
{
	act_as(&c->to);
	if (mkdirat(to.dir, to.name, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = openat(to.dir, to.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int copy_entries(struct copy *c, DIR *d, int to, unsigned depth, const char *shown,
			struct err *err)
{
	int r = 0;

	while (r == 0) {
		struct arena a = { 0 };
		struct dirent *e = readdir(d);

		if (!e)
			break;
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			r = copy_entry(c, (struct place){ dirfd(d), e->d_name },
				       (struct place){ to, e->d_name }, depth,
				       arena_printf(&a, "%s/%s", shown, e->d_name), err);
		arena_release(&a);
	}
	return r;
}

static int copy_dir(struct copy *c, struct place from, struct place to, unsigned depth, mode_t mode,
		    const char *shown, struct err *err)
{
	act_as(&c->from);
	FD_AUTO source = openat(from.dir, from.name,
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0)
		return err_sys(err, -errno, "%s", shown);
	FD_AUTO target = make_dir(c, to);
	if (target < 0)
		return err_sys(err, target, "%s", shown);
	if (depth == DEPTH_MAX)
		return err_sys(err, -ELOOP, "%s", shown);
	DIR *d = fdopendir(source);
	if (!d)
		return err_sys(err, -errno, "%s", shown);
	fd_take(&source);
	int r = copy_entries(c, d, target, depth + 1, shown, err);
	closedir(d);
	act_as(&c->to);
	if (r == 0 && fchmod(target, mode & 0777) < 0)
		r = err_sys(err, -errno, "%s", shown);
	return r;
}

/* depth: how many directories below the one that was named. */
static int copy_entry(struct copy *c, struct place from, struct place to, unsigned depth,
		      const char *shown, struct err *err)
{
	struct stat sb;
	int r = 0;

	act_as(&c->from);
	FD_AUTO found = openat(from.dir, from.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (found < 0 || fstat(found, &sb) < 0)
		return err_sys(err, -errno, "%s", shown);
	if (S_ISDIR(sb.st_mode))
		return copy_dir(c, from, to, depth, sb.st_mode, shown, err);
	if (S_ISREG(sb.st_mode))
		r = copy_file(c, found, to, sb.st_mode);
	else if (S_ISLNK(sb.st_mode))
		r = copy_link(c, from, to, depth ? depth - 1 : 0, shown);
	else
		c->warn(shown, "neither file, directory nor symbolic link");
	return r < 0 ? err_sys(err, r, "%s", shown) : 0;
}

/* ---- the two that were named ---- */

/* Links are followed to what is meant. */
static int open_source(const struct copy *c, struct stat *ret, struct place *ret_in,
		       struct err *err)
{
	FD_AUTO fd = open_given(&c->from, c->from.path, O_PATH);

	if (fd < 0 || fstat(fd, ret) < 0)
		return err_sys(err, fd < 0 ? fd : -errno, "%s", c->from.path);
	*ret_in = (struct place){ fd_take(&fd), "." };
	return 0;
}

/* Where it goes: into a directory that is there, or to a new name in one. */
static int open_target(const struct copy *c, struct arena *a, struct place *ret, struct err *err)
{
	const char *name = base_name(a, c->from.path), *path = c->to.path;
	int fd = open_given(&c->to, path, O_PATH | O_DIRECTORY);

	if (fd == -ENOENT || fd == -ENOTDIR) {
		name = base_name(a, path);
		if (path[strlen(path) - 1] == '/')
			return err_sys(err, fd, "%s", path);
		fd = open_given(&c->to, dir_name(a, path), O_PATH | O_DIRECTORY);
	}
	if (fd < 0)
		return err_sys(err, fd, "%s", path);
	*ret = (struct place){ fd, name };
	if (!is_proper_name(name))
		return err_set(err, -EINVAL, "%s: what shall it be called?", path);
	return 0;
}

static int copy_named(struct copy *c, struct place from, struct place to, mode_t mode,
		      struct err *err)
{
	if (S_ISDIR(mode))
		return copy_dir(c, from, to, 0, mode, c->from.path, err);
	if (!S_ISREG(mode))
		return err_set(err, -EINVAL, "%s: neither file nor directory", c->from.path);
	int r = copy_file(c, from.dir, to, mode);
	return r < 0 ? err_sys(err, r, "%s", c->from.path) : 0;
}

int copy_tree(struct copy *c, struct err *err)
{
	static const struct copy_side ourselves = { .uid = (uid_t)-1 };
	struct place from = { -1, NULL }, to = { -1, NULL };
	struct arena a = { 0 };
	struct stat sb;
	int r = open_source(c, &sb, &from, err);

	if (r == 0)
		r = open_target(c, &a, &to, err);
	if (r == 0)
		r = copy_named(c, from, to, sb.st_mode, err);
	act_as(&ourselves);
	if (from.dir >= 0)
		close(from.dir);
	if (to.dir >= 0)
		close(to.dir);
	arena_release(&a);
	return r;
}
