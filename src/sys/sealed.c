/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memfd_create(2) and its seals; see sealed.h. */
#include "sys/sealed.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/macro.h"

#define HIGH 64		/* clear of the descriptors that a child is given */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* Before Linux 6.3 nobody knows MFD_EXEC, and all of them can be executed. */
static int new_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

static int copy(int from, int to)
{
	struct stat st;

	if (fstat(from, &st) < 0)
		return -errno;
	while (st.st_size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)st.st_size);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		st.st_size -= n;
	}
	return 0;
}

/* As long as one is open to be written, nothing is executed (ETXTBSY). */
static int reopen(int fd)
{
	char path[32];

	sealed_path(fd, path, sizeof(path));
	FD_AUTO low = open(path, O_RDONLY | O_CLOEXEC);
	int high = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, HIGH);
	return high < 0 ? -errno : high;
}

int sealed_copy(const char *path, int *ret_fd, struct err *err)
{
	const char *slash = strrchr(path, '/');
	FD_AUTO from = open(path, O_RDONLY | O_CLOEXEC);
	FD_AUTO fd = from < 0 ? -1 : new_memfd(slash ? slash + 1 : path);
	int r = from < 0 || fd < 0 ? -errno : copy(from, fd);

	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		r = -errno;
	if (r == 0)
		r = reopen(fd);
	if (r < 0)
		return err_sys(err, r, "%s", path);
	*ret_fd = r;
	return 0;
}

void sealed_path(int fd, char *ret, unsigned long n)
{
	snprintf(ret, n, "/proc/self/fd/%d", fd);
}
