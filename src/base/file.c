/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files; see file.h. */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"

int file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t total = 0;
	char chunk[16384];
	ssize_t n;

	if (fd < 0)
		return err_sys(err, -errno, "%s", path);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		total += (size_t)n;
		if (max && total > max)
			return err_set(err, -EFBIG, "%s: larger than %zu bytes", path, max);
		buf_add(out, chunk, (size_t)n);
	}
	return n < 0 ? err_sys(err, -errno, "%s", path) : 0;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int file_write(const char *path, const void *data, size_t n, mode_t mode, struct err *err)
{
	FD_AUTO fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0)
		return err_sys(err, -errno, "%s", path);
	int r = write_all(fd, data, n);
	return r < 0 ? err_sys(err, r, "%s", path) : 0;
}

static int sync_parent(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int n = slash ? (int)(slash - path) : 0;

	snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : n, slash ? path : "");
	FD_AUTO fd = open(*dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int file_write_atomic(const char *path, const void *data, size_t n, mode_t mode, bool durable,
		      struct err *err)
{
	char tmp[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash - path) + 1 : 0;

	/* hidden, so that whoever reads the directory does not take it for the file */
	if (snprintf(tmp, sizeof(tmp), "%.*s.%s.XXXXXX", dir, path, path + dir) >= (int)sizeof(tmp))
		return err_sys(err, -ENAMETOOLONG, "%s", path);
	FD_AUTO fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, -errno, "%s", tmp);
	int r = write_all(fd, data, n);
	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	if (r == 0 && durable && fdatasync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(tmp);
		return err_sys(err, r, "%s", path);
	}
	r = durable ? sync_parent(path) : 0;
	return r < 0 ? err_sys(err, r, "directory of %s", path) : 0;
}

int file_mkdir_p(const char *path, mode_t mode, struct err *err)
{
	char part[PATH_MAX];

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return err_sys(err, -ENAMETOOLONG, "%s", path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return err_sys(err, -errno, "%s", part);
		*p = '/';
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "%s", path);
	return 0;
}

/* Empties the directory behind fd, which stays on device dev. */
static int empty_dir(int fd, dev_t dev)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!d) {
		close(fd);
		return -errno;
	}
	while (r == 0 && (e = readdir(d))) {
		struct stat st;
		int sub;

		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			r = -errno;
			break;
		}
		sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0 || fstat(sub, &st) < 0) {
			r = -errno;
			if (sub >= 0)
				close(sub);
		} else if (st.st_dev != dev) {
			close(sub);
			r = -EXDEV;
		} else {
			r = empty_dir(sub, dev);
			if (r == 0 && unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) < 0)
				r = -errno;
		}
	}
	closedir(d);
	return r;
}

int file_rm_rf(const char *path, struct err *err)
{
	struct stat st;

	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return err_sys(err, r, "%s", path);
	}
	int r = empty_dir(fd, st.st_dev);
	if (r == 0 && rmdir(path) < 0 && errno != ENOENT)
		r = -errno;
	return r < 0 ? err_sys(err, r, "remove %s", path) : 0;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}
