/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See loopdev.h. */
#include "sys/loopdev.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "base/file.h"
#include "base/macro.h"

#define TRIES 16		/* somebody else may have been faster with a free one */

/* The file that a device of /sys/block is of; false: of none. */
static bool backing_file(const char *name, char ret[PATH_MAX])
{
	BUF_AUTO text = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", name);
	if (strncmp(name, "loop", 4) != 0 || file_read(path, PATH_MAX, &text, NULL) < 0)
		return false;
	snprintf(ret, PATH_MAX, "%.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
	return true;
}

/* Calls each() with every device that has a file, until it returns true. */
static bool visit(bool (*each)(void *data, const char *device, const char *file), void *data)
{
	DIR *d = opendir("/sys/block");
	char device[LOOPDEV_NAME], file[PATH_MAX];
	bool found = false;

	for (struct dirent *e; d && !found && (e = readdir(d));) {
		if (strlen(e->d_name) > sizeof(device) - sizeof("/dev/") ||
		    !backing_file(e->d_name, file))
			continue;
		snprintf(device, sizeof(device), "/dev/%.26s", e->d_name);
		found = each(data, device, file);
	}
	if (d)
		closedir(d);
	return found;
}

struct search {
	const char *file;
	char *device;
};

static bool is_of(void *data, const char *device, const char *file)
{
	struct search *s = data;

	if (!streq(file, s->file))
		return false;
	snprintf(s->device, LOOPDEV_NAME, "%s", device);
	return true;
}

/* The file may have grown. */
static int resize(const char *device, struct err *err)
{
	FD_AUTO fd = open(device, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, LOOP_SET_CAPACITY, 0) < 0)
		return err_sys(err, -errno, "%s", device);
	return 0;
}

/* LOOP_CONFIGURE (Linux 5.8) does all at once; direct I/O is not possible on every file system. */
static int configure(int device, int file)
{
	struct loop_config c = { .fd = (uint32_t)file, .info.lo_flags = LO_FLAGS_DIRECT_IO };

	if (ioctl(device, LOOP_CONFIGURE, &c) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	c.info.lo_flags = 0;
	return ioctl(device, LOOP_CONFIGURE, &c) < 0 ? -errno : 0;
}

static int take_free(int control, int file, char ret[LOOPDEV_NAME])
{
	int r = -EBUSY;

	for (int i = 0; r == -EBUSY && i < TRIES; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE);

		if (n < 0)
			return -errno;
		snprintf(ret, LOOPDEV_NAME, "/dev/loop%d", n);
		FD_AUTO fd = open(ret, O_RDWR | O_CLOEXEC);
		r = fd < 0 ? -errno : configure(fd, file);
	}
	return r;
}

int loopdev_attach(const char *file, char ret[LOOPDEV_NAME], struct err *err)
{
	char real[PATH_MAX];
	struct search s = { real, ret };

	if (!realpath(file, real))
		return err_sys(err, -errno, "%s", file);
	if (visit(is_of, &s))
		return resize(ret, err);
	FD_AUTO control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return err_sys(err, -errno, "/dev/loop-control");
	FD_AUTO fd = open(file, O_RDWR | O_CLOEXEC);
	int r = fd < 0 ? -errno : take_free(control, fd, ret);
	return r < 0 ? err_sys(err, r, "a loop device for %s", file) : 0;
}

struct unused {
	char dir[PATH_MAX];
	bool (*used)(void *data, const char *file);
	void *data;
};

static bool detach_unused(void *data, const char *device, const char *file)
{
	const struct unused *u = data;
	size_t n = strlen(u->dir);

	if (strncmp(file, u->dir, n) != 0 || file[n] != '/' || u->used(u->data, file))
		return false;
	FD_AUTO fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		ioctl(fd, LOOP_CLR_FD, 0);
	return false;
}

void loopdev_detach(const char *dir, bool (*used)(void *data, const char *file), void *data)
{
	struct unused u = { .used = used, .data = data };

	if (realpath(dir, u.dir))
		visit(detach_unused, &u);
}
