/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole-file helpers. Atomic writes go through one fixed temporary name per target, held under
 * flock(2): two writers never share it, and a crash leaves nothing that the next write would not
 * reuse. Removal walks down and up with one descriptor, so that neither depth nor a hostile tree
 * exhausts descriptors or stack.
 */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/macro.h"

/* ---- reading ---- */

static int read_all(int fd, size_t max, struct buf *out)
{
	char chunk[8192];
	size_t start = out->len;

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if (max && out->len - start + (size_t)n > max)
			return -EFBIG;
		buf_add(out, chunk, (size_t)n);
	}
}

int file_read_fd(int fd, const char *name, size_t max, struct buf *out, struct err *err)
{
	size_t start = out->len;
	int r = read_all(fd, max, out);

	if (r == 0)
		return 0;
	if (out->data) {
		out->len = start;
		out->data[start] = '\0';
	}
	if (r == -EFBIG)
		return err_set(err, r, "%s is larger than %zu bytes", name, max);
	return err_sys(err, r, "cannot read %s", name);
}

int file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	struct stat st;
	/* O_NONBLOCK: somebody's named pipe must not hang us before fstat can tell */
	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, -errno, "cannot read %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL,
			       "%s is not a regular file", path);
	return file_read_fd(fd, path, max, out, err);
}

bool file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* ---- writing ---- */

static int write_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t r = write(fd, data, n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		data += r;
		n -= (size_t)r;
	}
	return 0;
}

/*
 * Opens and locks dir/name for writing. Whoever held the lock before us may have renamed the
 * file away meanwhile: then what we hold is somebody's finished file, and we start over.
 */
static int open_temp(int dir, const char *name)
{
	for (;;) {
		struct stat mine, there;
		FD_AUTO fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return -errno;
		while (flock(fd, LOCK_EX) < 0) {
			if (errno != EINTR)
				return -errno;
		}
		if (fstat(fd, &mine) < 0)
			return -errno;
		if (fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		    mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
			return fd_take(&fd);
	}
}

static int fill(int fd, const void *data, size_t n, mode_t mode, bool durable)
{
	if (ftruncate(fd, 0) < 0)
		return -errno;
	int r = write_all(fd, data, n);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0)
		return -errno;
	return durable && fsync(fd) < 0 ? -errno : 0;
}

static int write_in(int dir, const char *name, const void *data, size_t n, mode_t mode,
		    bool durable)
{
	char temp[NAME_MAX + 1];

	if ((size_t)snprintf(temp, sizeof(temp), ".%s.new", name) >= sizeof(temp))
		return -ENAMETOOLONG;
	FD_AUTO fd = open_temp(dir, temp);
	if (fd < 0)
		return fd;
	int r = fill(fd, data, n, mode, durable);
	if (r == 0 && renameat(dir, temp, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, temp, 0);
	else if (durable && fsync(dir) < 0)
		r = -errno;
	return r;
}

/* Opens the directory that path is in; *ret_name points at the last component. */
static int open_parent(const char *path, const char **ret_name)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');

	*ret_name = slash ? slash + 1 : path;
	if (slash && (size_t)(slash - path) + 1 >= sizeof(parent))
		return -ENAMETOOLONG;
	if (slash)
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path) + 1, path);
	int fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int file_write_atomic(const char *path, const void *data, size_t n, mode_t mode, bool durable,
		      struct err *err)
{
	const char *name;
	FD_AUTO dir = open_parent(path, &name);
	int r = dir < 0 ? dir : write_in(dir, name, data, n, mode, durable);

	return r < 0 ? err_sys(err, r, "cannot write %s", path) : 0;
}

static int open_for_write(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	FD_AUTO made = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	if (made < 0 || fchmod(made, mode) < 0)
		return -errno;
	return fd_take(&made);
}

int file_write(const char *path, const void *data, size_t n, mode_t mode, struct err *err)
{
	FD_AUTO fd = open_for_write(path, mode);
	int r = fd < 0 ? fd : write_all(fd, data, n);

	return r < 0 ? err_sys(err, r, "cannot write %s", path) : 0;
}

/* ---- directories ---- */

static int make_dir(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/* Goes up to what is there, and from there makes each directory on the way to path, then path. */
static int make_dirs(char *path, mode_t mode)
{
	size_t n = strlen(path), at = n;
	int r = -ENOENT;

	while (r == -ENOENT) {
		const char *slash = strrchr(path, '/');

		if (!slash)
			return r;
		at = (size_t)(slash - path);
		path[at] = '\0';
		r = at ? make_dir(path, mode) : 0;
	}
	while (r == 0 && at < n) {
		path[at] = '/';
		at += strlen(path + at);
		r = make_dir(path, mode);
	}
	return r;
}

int file_mkdir_p(const char *path, mode_t mode, struct err *err)
{
	char copy[PATH_MAX];
	int r = make_dir(path, mode);

	if (r == -ENOENT && *path) {
		r = -ENAMETOOLONG;
		if ((size_t)snprintf(copy, sizeof(copy), "%s", path) < sizeof(copy))
			r = make_dirs(copy, mode);
	}
	return r < 0 ? err_sys(err, r, "cannot create directory %s", path) : 0;
}

/* ---- removal ---- */

/* Where a removal is: cur is open on the directory path inside parent. */
struct removal {
	int parent;
	int cur;		/* -1 above the top of the tree */
	struct buf path;
};

/* RESOLVE_NO_XDEV also refuses bind mounts of the same file system, which st_dev cannot tell. */
static int open_dir(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Removes a file or an empty directory: 1 when it is a directory that is not empty. */
static int remove_one(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST ? 1 : -errno;
}

static int descend(struct removal *rm, const char *name)
{
	int fd = open_dir(rm->cur >= 0 ? rm->cur : rm->parent, name);

	if (fd < 0)
		return fd;
	fd_cleanup(&rm->cur);
	rm->cur = fd;
	if (rm->path.len)
		buf_putc(&rm->path, '/');
	buf_puts(&rm->path, name);
	return 0;
}

/* Whether dir/name is what fd is open on: a tree that others move meanwhile is left alone. */
static bool is_same(int fd, int dir, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Goes up one level and removes the directory left, which the sweep found empty. */
static int ascend(struct removal *rm)
{
	char *slash = strrchr(rm->path.data, '/');
	const char *name = slash ? slash + 1 : rm->path.data;
	int up = slash ? open_dir(rm->cur, "..") : -1;

	if (slash && up < 0)
		return up;
	int dir = slash ? up : rm->parent;
	int r = is_same(rm->cur, dir, name) ? remove_one(dir, name) : -ESTALE;
	fd_cleanup(&rm->cur);
	rm->cur = up;
	if (r != 0)
		return r < 0 ? r : -ENOTEMPTY;	/* somebody adds to it while we remove */
	rm->path.len = slash ? (size_t)(slash - rm->path.data) : 0;
	rm->path.data[rm->path.len] = '\0';
	return 0;
}

static bool is_dots(const char *name)
{
	return streq(name, ".") || streq(name, "..");
}

/* Removes entries up to the first sub-directory that is not empty: descends, or 1 at the end. */
static int sweep_entries(struct removal *rm, DIR *d)
{
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(d);
		if (!e)
			return errno ? -errno : 1;
		int r = is_dots(e->d_name) ? 0 : remove_one(rm->cur, e->d_name);
		if (r != 0)
			return r < 0 ? r : descend(rm, e->d_name);
	}
}

static int sweep(struct removal *rm)
{
	int copy = open_dir(rm->cur, ".");

	if (copy < 0)
		return copy;
	DIR *d = fdopendir(copy);
	if (!d) {
		close(copy);
		return -ENOMEM;
	}
	int r = sweep_entries(rm, d);
	closedir(d);
	return r;
}

static int remove_tree(struct removal *rm, const char *name)
{
	int r = remove_one(rm->parent, name);

	if (r > 0)
		r = descend(rm, name);
	while (r >= 0 && rm->cur >= 0) {
		r = sweep(rm);
		if (r > 0)
			r = ascend(rm);
	}
	return r;
}

int file_rm_rf(const char *path, struct err *err)
{
	char copy[PATH_MAX];
	size_t len = strlen(path);
	const char *name;

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len >= sizeof(copy))
		return err_sys(err, -ENAMETOOLONG, "cannot remove %s", path);
	snprintf(copy, sizeof(copy), "%.*s", (int)len, path);
	struct removal rm = { .parent = open_parent(copy, &name), .cur = -1 };
	int r = rm.parent;
	if (r >= 0)
		r = !*name || is_dots(name) ? -EINVAL : remove_tree(&rm, name);
	if (r < 0 && r != -ENOENT)
		err_sys(err, r, "cannot remove %s (in %s)", path, rm.path.len ? rm.path.data : ".");
	fd_cleanup(&rm.parent);
	fd_cleanup(&rm.cur);
	buf_release(&rm.path);
	return r == -ENOENT ? 0 : r;
}
