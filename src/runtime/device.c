/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block volumes; see device.h. */
#include "runtime/device.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/volume.h"
#include "sys/loopdev.h"

#define SECTOR 512

bool device_wanted(const struct pod_spec *s)
{
	for (uint32_t i = 0; i < pod_container_count(s); i++)
		if (pod_container(s, i)->volume_devices.n)
			return true;
	return false;
}

/* Before the device is there: then it is nobody's for no moment. */
static int note(const struct sandbox *p, struct arena *a, const struct wanted_volume *claim,
		struct err *err)
{
	const char *dir = arena_printf(a, "%s/devices", p->run_dir);
	const char *link = arena_printf(a, "%s/%s", dir, claim->name);
	char real[PATH_MAX];
	int r = file_mkdir_p(dir, 0700, err);

	if (r < 0)
		return r;
	if (!realpath(claim->path, real) || (symlink(real, link) < 0 && errno != EEXIST))
		return err_sys(err, -errno, "%s", claim->path);
	return 0;
}

int device_path(struct sandbox *p, struct arena *a, const struct wanted_volume *claim,
		const char **ret, struct err *err)
{
	struct host_path_volume at = {
		.path = (char *)claim->path, .type = HOST_PATH_BLOCK_DEVICE,
	};
	char device[LOOPDEV_NAME];

	*ret = claim->path;
	if (!claim->file)
		return volume_check_host_path(&at, err);
	int r = note(p, a, claim, err);
	if (r == 0)
		r = loopdev_attach(claim->path, device, err);
	if (r == 0)
		*ret = arena_strdup(a, device);
	return r;
}

int device_make_file(const char *path, int64_t size, struct err *err)
{
	FD_AUTO fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	off_t whole = (size + SECTOR - 1) / SECTOR * SECTOR;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, -errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "%s is not a file", path);
	if (st.st_size < whole && ftruncate(fd, whole) < 0)
		return err_sys(err, -errno, "%s", path);
	return 0;
}

static bool pod_has(const struct sandbox *p, const char *file)
{
	char path[PATH_MAX], target[PATH_MAX];
	bool has = false;

	snprintf(path, sizeof(path), "%s/devices", p->run_dir);
	DIR *d = opendir(path);
	for (struct dirent *e; d && !has && (e = readdir(d));) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);

		target[MAX(n, (ssize_t)0)] = '\0';
		has = streq(target, file);
	}
	if (d)
		closedir(d);
	return has;
}

static bool any_pod_has(void *data, const char *file)
{
	const struct runtime *r = data;

	for (uint32_t i = 0; i < r->nsandboxes; i++)
		if (device_wanted(&r->sandboxes[i]->object.pod->spec) &&
		    pod_has(r->sandboxes[i], file))
			return true;
	return false;
}

void devices_release(struct runtime *r)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/volumes", r->s.state_dir);
	loopdev_detach(dir, any_pod_has, r);
}
