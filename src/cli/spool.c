/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pipe's contents go to a file that goes with this process; see spool.h. */
#include "cli/spool.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"

#define PIECE (256 * 1024)

static bool is_whole_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno != EINTR)
			return -errno;
		p += MAX(w, (ssize_t)0);
		n -= (size_t)MAX(w, (ssize_t)0);
	}
	return 0;
}

static int copy(int from, int to)
{
	FREE_AUTO char *piece = malloc(PIECE);
	int r = piece ? 0 : -ENOMEM;

	while (r == 0) {
		ssize_t n = read(from, piece, PIECE);

		if (n == 0)
			break;
		if (n > 0)
			r = write_all(to, piece, (size_t)n);
		else if (errno != EINTR)
			r = -errno;
	}
	return r;
}

static int spool_stdin(struct arena *a, const char **ret, struct err *err)
{
	const char *dir = getenv("TMPDIR");
	int fd = STDIN_FILENO;

	if (isatty(fd))
		return err_set(err, -ENOTTY, "an archive does not come from a terminal");
	if (!is_whole_file(fd)) {
		dir = dir && *dir ? dir : "/var/tmp";
		fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		int r = fd < 0 ? -errno : copy(STDIN_FILENO, fd);

		if (r < 0)
			return err_sys(err, r, "a copy of standard input in %s", dir);
	}
	*ret = arena_printf(a, "/proc/%d/fd/%d", (int)getpid(), fd);
	return 0;
}

int spool_path(struct arena *a, const char *file, const char **ret, struct err *err)
{
	char real[PATH_MAX];

	if (streq(file, "-"))
		return spool_stdin(a, ret, err);
	if (!realpath(file, real))
		return err_sys(err, -errno, "%s", file);
	*ret = arena_strdup(a, real);
	return 0;
}
