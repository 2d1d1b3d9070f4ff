/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User namespaces only live as long as something refers to them: a child makes one, waits until its
 * maps are written and its descriptor is open, and ends.
 */
#include "sys/idmap.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/macro.h"

/* The child does nothing but be there until the pipe is closed. */
static pid_t start_holder(int *ret_pipe)
{
	struct clone_args ca = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	int ends[2];
	char c;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = (pid_t)syscall(SYS_clone3, &ca, sizeof(ca));
	if (pid == 0) {
		close(ends[1]);
		_exit(read(ends[0], &c, 1) != 0);
	}
	int r = pid < 0 ? -errno : 0;
	close(ends[0]);
	if (r < 0) {
		close(ends[1]);
		return r;
	}
	*ret_pipe = ends[1];
	return pid;
}

static int write_maps(pid_t pid, uint32_t first, uint32_t count, struct err *err)
{
	static const char *const maps[] = { "uid_map", "gid_map" };
	char path[64], text[64];
	int r = 0;

	snprintf(text, sizeof(text), "0 %u %u\n", first, count);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(maps); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, maps[i]);
		r = file_write(path, text, strlen(text), 0, err);
	}
	return r;
}

int idmap_userns(uint32_t first, uint32_t count, int *ret_fd, struct err *err)
{
	char path[64];
	int end = -1, fd = -1;
	pid_t pid = start_holder(&end);

	if (pid < 0)
		return err_sys(err, pid, "user namespace");
	int r = write_maps(pid, first, count, err);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	if (r == 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? err_sys(err, -errno, "%s", path) : 0;
	}
	close(end);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (r == 0)
		*ret_fd = fd;
	return r;
}

int idmap_mount(const char *path, int userns, int *ret_fd, struct err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	FD_AUTO tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return err_sys(err, -errno, "%s", path);
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(err, -errno, "%s cannot be mapped to other ids", path);
	*ret_fd = fd_take(&tree);
	return 0;
}
