/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One directory of a layer over one of the tree, entry by entry; see flatten.h. */
#include "image/flatten.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/within.h"
#include "image/unpack_ops.h"

struct flattening {
	int root;
	struct flatten_implied implied;
	char path[UNPACK_NAME_MAX + 1];		/* of the entry at hand, in the layer */
};

static int copy_xattrs(int from, int to)
{
	char names[4096];
	ssize_t n = flistxattr(from, names, sizeof(names));

	for (const char *name = names; name < names + MAX(n, (ssize_t)0); name += strlen(name) + 1) {
		char value[UNPACK_DATA_MAX];
		ssize_t len = -1;

		if (unpack_keeps_xattr(name))
			len = fgetxattr(from, name, value, sizeof(value));
		if (len >= 0 && fsetxattr(to, name, value, (size_t)len, 0) < 0)
			return -errno;
	}
	return 0;
}

int flatten_copy_directory(int from, int to)
{
	struct stat st;

	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
	    fchmod(to, st.st_mode & 07777) < 0)
		return -errno;
	return copy_xattrs(from, to);
}

static int open_dir(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Where a path of the layer leads in the tree, links followed as if the tree were the root. */
static int open_where_it_leads(const struct flattening *f)
{
	return open_within(f->root, f->path, O_RDONLY | O_DIRECTORY,
			   RESOLVE_IN_ROOT | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
}

/* Whatever is called so in that directory, and all that is below it. */
static int remove_all(int dir, const char *name)
{
	char path[64 + NAME_MAX];

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	return file_rm_rf(path, NULL);
}

static int visit(struct flattening *f, int from, int to);

/* Entries of a directory, each with its path. */
static int each(struct flattening *f, int from, int to,
		int (*handle)(struct flattening *f, int from, int to, const char *name))
{
	size_t len = strlen(f->path);
	int fd = open_dir(from, "."), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		r = -errno;
		fd_cleanup(&fd);
		return r;
	}
	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		if (snprintf(f->path + len, sizeof(f->path) - len, "%s%s", len ? "/" : "",
			     e->d_name) >= (int)(sizeof(f->path) - len))
			r = -ENAMETOOLONG;
		else
			r = handle(f, from, to, e->d_name);
	}
	f->path[len] = '\0';
	closedir(d);
	return r;
}

static int clear_one(struct flattening *f, int from, int to, const char *name)
{
	(void)f, (void)to;
	return remove_all(from, name);
}

/* What the layers below have in it is hidden. */
static int make_opaque(struct flattening *f, int from, int to)
{
	char y;

	if (fgetxattr(from, "trusted.overlay.opaque", &y, 1) != 1 || y != 'y')
		return 0;
	return each(f, to, to, clear_one);
}

/* The directory of the tree that one of the layer goes to; *ret_new: it was made. */
static int enter(struct flattening *f, int to, const char *name, bool implied, bool *ret_new)
{
	struct stat st;
	int fd = -1;

	*ret_new = false;
	if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode))
			return open_dir(to, name);
		if (S_ISLNK(st.st_mode) && implied)
			fd = open_where_it_leads(f);
		if (fd >= 0 || fd == -EAGAIN)
			return fd;
		if (unlinkat(to, name, 0) < 0)
			return -errno;
	}
	*ret_new = true;
	return mkdirat(to, name, 0755) < 0 ? -errno : open_dir(to, name);
}

/* A directory that is only implied changes nothing of one that is there, not even its time. */
static int merge_directory(struct flattening *f, int dir, int to, const char *name)
{
	bool implied = f->implied.ask(f->implied.layer, f->path), is_new;
	FD_AUTO from = open_dir(dir, name);
	struct stat st;

	if (from < 0)
		return from;
	FD_AUTO into = enter(f, to, name, implied, &is_new);
	int r = into < 0 ? into : 0;
	if (r == 0 && fstat(implied && !is_new ? into : from, &st) < 0)
		r = -errno;
	if (r == 0)
		r = make_opaque(f, from, into);
	if (r == 0)
		r = visit(f, from, into);
	if (r == 0 && (!implied || is_new))
		r = flatten_copy_directory(from, into);
	if (r == 0 && futimens(into, (const struct timespec[]){ st.st_mtim, st.st_mtim }) < 0)
		r = -errno;
	return r;
}

static int merge_one(struct flattening *f, int from, int to, const char *name)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return merge_directory(f, from, to, name);
	int r = remove_all(to, name);
	if (r < 0 || (S_ISCHR(st.st_mode) && st.st_rdev == 0))	/* a whiteout */
		return r;
	return linkat(from, name, to, name, 0) < 0 ? -errno : 0;
}

static int visit(struct flattening *f, int from, int to)
{
	return each(f, from, to, merge_one);
}

int flatten_layer(int root, int tree, struct flatten_implied implied)
{
	struct flattening f = { .root = root, .implied = implied };
	struct stat st;
	int r = fstat(implied.ask(implied.layer, "") ? root : tree, &st) < 0 ? -errno : 0;

	if (r == 0)
		r = visit(&f, tree, root);
	if (r == 0 && !implied.ask(implied.layer, ""))
		r = flatten_copy_directory(tree, root);
	if (r == 0 && futimens(root, (const struct timespec[]){ st.st_mtim, st.st_mtim }) < 0)
		r = -errno;
	return r;
}
