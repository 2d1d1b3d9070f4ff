/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes; see volume.h. */
#include "runtime/volume.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"

#define MOUNTS_MAX (16u << 20)		/* of the table of all mounts */

const struct volume *volume_find(const struct pod_spec *s, const char *name)
{
	for (uint32_t i = 0; i < s->volumes.n; i++)
		if (streq(s->volumes.v[i].name, name))
			return &s->volumes.v[i];
	return NULL;
}

bool volume_is_files(const struct volume *v)
{
	return v->config_map || v->secret || v->downward_api || v->projected;
}

static bool is_huge(const struct volume *v)
{
	return v->empty_dir && v->empty_dir->medium &&
	       strncmp(v->empty_dir->medium, "HugePages", 9) == 0;
}

bool volume_is_memory(const struct volume *v)
{
	return is_huge(v) ||
	       (v->empty_dir && v->empty_dir->medium && streq(v->empty_dir->medium, "Memory"));
}

/* Without a size, the pages are those that the pod asks for; a pod that asks for both names one. */
const char *volume_huge(const struct pod_spec *s, const struct volume *v)
{
	bool large = false;

	if (!is_huge(v))
		return NULL;
	for (uint32_t i = 0; i < pod_container_count(s); i++)
		large |= container_resources(pod_container(s, i)).huge_1g > 0;
	return streq(v->empty_dir->medium, "HugePages-1Gi") ||
	       (large && streq(v->empty_dir->medium, "HugePages")) ? "1G" : "2M";
}

bool volume_keeps_devices(const struct volume *v)
{
	return v->host_path && (v->host_path->type == HOST_PATH_CHAR_DEVICE ||
				v->host_path->type == HOST_PATH_BLOCK_DEVICE);
}

const struct wanted_volume *volume_claim(const struct volume_in *in, const struct volume *v)
{
	for (uint32_t i = 0; i < in->nclaims; i++)
		if (streq(in->claims[i].name, v->name))
			return &in->claims[i];
	return NULL;
}

const char *volume_source(struct arena *a, const struct volume_in *in, const struct volume *v)
{
	const struct wanted_volume *claim = volume_claim(in, v);
	bool below_run = volume_is_files(v) || volume_is_memory(v);

	if (v->host_path)
		return v->host_path->path;
	if (!below_run && !v->empty_dir)
		return claim ? claim->path : NULL;
	return arena_printf(a, "%s/volumes/%s", below_run ? in->run_dir : in->state_dir, v->name);
}

bool volume_group(const struct object *pod, gid_t *ret)
{
	const struct pod_security_context *c = pod->pod->spec.security_context;

	if (!c || !HAS(c, pod_security_context, fs_group))
		return false;
	*ret = (gid_t)c->fs_group;
	return true;
}

bool volume_is_own(const struct volume *v)
{
	return volume_is_files(v) || v->empty_dir;
}

struct volume_owner volume_owner(const struct volume_in *in)
{
	struct volume_owner o = { in->ids ? in->ids : (uid_t)-1, in->ids ? in->ids : (gid_t)-1 };
	gid_t group;

	if (volume_group(in->pod, &group))
		o.gid = in->ids + group;
	return o;
}

/* ---- content ---- */

int volumes_write(const struct volume_in *in, const struct set *set, struct arena *a,
		  struct strs *old, struct err *err)
{
	const struct pod_spec *spec = &in->pod->pod->spec;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < spec->volumes.n; i++) {
		const struct volume *v = &spec->volumes.v[i];
		struct volume_files files;
		const char *before;

		if (!volume_is_files(v) || !volume_files(a, in, set, v, &files))
			continue;
		r = volume_swap(volume_source(a, in, v), &files, time_now(), a, &before, err);
		if (before)
			*arena_push(a, old) = before;
	}
	return r;
}

/* ---- directories ---- */

static int make_directory(const struct volume_in *in, const char *path, mode_t mode,
			  struct err *err)
{
	struct volume_owner owner = volume_owner(in);
	int r = file_mkdir_p(path, mode, err);
	gid_t group;

	if (volume_group(in->pod, &group))
		mode |= S_ISGID;
	if (r == 0 && owner.gid != (gid_t)-1 && chown(path, owner.uid, owner.gid) < 0)
		r = err_sys(err, -errno, "%s", path);
	if (r == 0 && chmod(path, mode) < 0)	/* whatever the umask is */
		r = err_sys(err, -errno, "%s", path);
	return r;
}

int volumes_make(const struct volume_in *in, const struct set *set, struct err *err)
{
	const struct pod_spec *spec = &in->pod->pod->spec;
	struct strs none = { 0 };
	struct arena a = { 0 };
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < spec->volumes.n; i++) {
		const struct volume *v = &spec->volumes.v[i];

		if (volume_is_files(v) || v->empty_dir)
			r = make_directory(in, volume_source(&a, in, v),
					   v->empty_dir ? 0777 : 0755, err);
	}
	if (r == 0)
		r = volumes_write(in, set, &a, &none, err);
	arena_release(&a);
	return r;
}

/* ---- Bidirectional ---- */

static bool shares(const struct container *c)
{
	for (uint32_t i = 0; i < c->volume_mounts.n; i++)
		if (c->volume_mounts.v[i].mount_propagation == PROPAGATION_BIDIRECTIONAL)
			return true;
	return false;
}

bool volume_any_shared(const struct pod_spec *s)
{
	for (uint32_t i = 0; i < pod_container_count(s); i++)
		if (shares(pod_container(s, i)))
			return true;
	return false;
}

/* A line of /proc/self/mountinfo has "shared:GROUP" among the fields before " - ", proc(5). */
static bool line_is_shared(const char *line)
{
	const char *end = line + strcspn(line, "\n");
	const char *dash = memmem(line, (size_t)(end - line), " - ", 3);

	return dash && memmem(line, (size_t)(dash - line), " shared:", 8);
}

static const char *mount_line(const char *text, uint64_t id)
{
	for (const char *l = text; *l; l += strcspn(l, "\n"), l += *l == '\n')
		if (strtoull(l, NULL, 10) == id)
			return l;
	return NULL;
}

int volume_check_shared(const struct volume *v, const char *path, struct err *err)
{
	BUF_AUTO text = { 0 };
	struct statx st;

	if (volume_is_memory(v) || volume_is_files(v) || v->image)
		return err_set(err, -EINVAL, "mountPropagation Bidirectional: volume \"%s\" is not "
			       "mounted on the node", v->name);
	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &st) < 0)
		return err_sys(err, -errno, "%s", path);
	int r = file_read("/proc/self/mountinfo", MOUNTS_MAX, &text, err);
	if (r < 0)
		return r;
	const char *line = mount_line(buf_str(&text), st.stx_mnt_id);
	if (!line || !line_is_shared(line))
		return err_set(err, -EINVAL, "mountPropagation Bidirectional: \"%s\" is on a mount "
			       "of the node that is not a shared one", path);
	return 0;
}

/* ---- hostPath ---- */

enum make { MAKE_NOTHING, MAKE_DIRECTORY, MAKE_FILE };

static const struct {
	mode_t type;		/* S_IFMT; 0: anything */
	enum make make;		/* when it is missing */
	const char *words;
} path_types[] = {
	/* no check; runtimes make a directory of what is missing */
	[host_path_type_unset] = { 0, MAKE_DIRECTORY, "" },
	[HOST_PATH_DIRECTORY_OR_CREATE] = { S_IFDIR, MAKE_DIRECTORY, "a directory" },
	[HOST_PATH_DIRECTORY] = { S_IFDIR, MAKE_NOTHING, "a directory" },
	[HOST_PATH_FILE_OR_CREATE] = { S_IFREG, MAKE_FILE, "a file" },
	[HOST_PATH_FILE] = { S_IFREG, MAKE_NOTHING, "a file" },
	[HOST_PATH_SOCKET] = { S_IFSOCK, MAKE_NOTHING, "a socket file" },
	[HOST_PATH_CHAR_DEVICE] = { S_IFCHR, MAKE_NOTHING, "a character device" },
	[HOST_PATH_BLOCK_DEVICE] = { S_IFBLK, MAKE_NOTHING, "a block device" },
};

int volume_check_host_path(const struct host_path_volume *h, struct err *err)
{
	mode_t type = path_types[h->type].type;
	enum make make = path_types[h->type].make;
	struct stat st;

	if (stat(h->path, &st) == 0) {
		if (type && (st.st_mode & S_IFMT) != type)
			return err_set(err, -EINVAL, "hostPath type check failed: %s is not %s",
				       h->path, path_types[h->type].words);
		return 0;
	}
	if (errno != ENOENT || make == MAKE_NOTHING)
		return err_set(err, -errno, "hostPath type check failed: %s is not %s", h->path,
			       path_types[h->type].words);
	return make == MAKE_DIRECTORY ? file_mkdir_p(h->path, 0755, err) :
					file_write(h->path, "", 0, 0644, err);
}
