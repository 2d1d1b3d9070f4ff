/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes; see volume.h. */
#include "runtime/volume.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/macro.h"
#include "runtime/env.h"

#define DATA "..data"
#define DATA_NEW "..data_tmp"

const struct volume *volume_find(const struct pod_spec *s, const char *name)
{
	for (uint32_t i = 0; i < s->volumes.n; i++)
		if (streq(s->volumes.v[i].name, name))
			return &s->volumes.v[i];
	return NULL;
}

bool volume_is_config(const struct volume *v)
{
	return v->config_map || v->secret;
}

bool volume_is_memory(const struct volume *v)
{
	return v->empty_dir && v->empty_dir->medium && streq(v->empty_dir->medium, "Memory");
}

bool volume_keeps_devices(const struct volume *v)
{
	return v->host_path && (v->host_path->type == HOST_PATH_CHAR_DEVICE ||
				v->host_path->type == HOST_PATH_BLOCK_DEVICE);
}

const char *volume_source(struct arena *a, const struct volume_in *in, const struct volume *v)
{
	bool below_run = volume_is_config(v) || volume_is_memory(v);

	if (v->host_path)
		return v->host_path->path;
	return arena_printf(a, "%s/volumes/%s", below_run ? in->run_dir : in->state_dir, v->name);
}

/* ---- ConfigMaps and Secrets ---- */

/* A hash of everything a reader could see, so that the same content is not written again. */
static uint64_t files_hash(const struct volume_files *l)
{
	uint64_t h = FNV64_INIT;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct volume_file *f = &l->v[i];

		h = fnv64_str(h, f->path);
		h = fnv64(h, &f->mode, sizeof(f->mode));
		h = fnv64(h, &f->content.len, sizeof(f->content.len));
		h = fnv64(h, f->content.data, f->content.len);
	}
	return h;
}

/* "..2026_11_21_12_00_00.123456789-HASH" */
static void data_name(int64_t now, uint64_t hash, char *ret, size_t n)
{
	time_t seconds = (time_t)(now / NSEC);
	struct tm tm;
	char stamp[32];

	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y_%m_%d_%H_%M_%S", &tm);
	snprintf(ret, n, "..%s.%09lld-%016llx", stamp, (long long)(now % NSEC),
		 (unsigned long long)hash);
}

static bool same_hash(const char *a, const char *b)
{
	const char *x = strrchr(a, '-'), *y = strrchr(b, '-');

	return x && y && streq(x, y);
}

static int write_file(const char *dir, const struct volume_file *f, struct err *err)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, f->path) >= sizeof(path))
		return err_sys(err, -ENAMETOOLONG, "%s/%s", dir, f->path);
	char *slash = strrchr(path, '/');
	if (strchr(f->path, '/')) {
		*slash = '\0';
		int r = file_mkdir_p(path, 0755, err);
		*slash = '/';
		if (r < 0)
			return r;
	}
	return file_write(path, f->content.data, f->content.len, f->mode, err);
}

static size_t first_component(const char *path)
{
	return strcspn(path, "/");
}

/* A link NAME -> ..data/NAME for the first component of every path. */
static int link_names(int dir, const struct volume_files *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const char *p = l->v[i].path;
		int n = (int)first_component(p);
		char name[NAME_MAX + 1], target[NAME_MAX + sizeof(DATA) + 2];

		snprintf(name, sizeof(name), "%.*s", n, p);
		snprintf(target, sizeof(target), DATA "/%s", name);
		if (symlinkat(target, dir, name) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static bool has_name(const struct volume_files *l, const char *name)
{
	for (uint32_t i = 0; i < l->n; i++) {
		size_t n = first_component(l->v[i].path);

		if (n == strlen(name) && memcmp(l->v[i].path, name, n) == 0)
			return true;
	}
	return false;
}

static void unlink_stale_names(int dir, const struct volume_files *l)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d));)
		if (strncmp(e->d_name, "..", 2) != 0 && !streq(e->d_name, ".") &&
		    !has_name(l, e->d_name))
			unlinkat(dir, e->d_name, 0);
	closedir(d);
}

static int swap_data(int dir, const char *name)
{
	unlinkat(dir, DATA_NEW, 0);
	if (symlinkat(name, dir, DATA_NEW) < 0 || renameat(dir, DATA_NEW, dir, DATA) < 0)
		return -errno;
	return 0;
}

static int write_data(const char *path, const struct volume_files *files, struct err *err)
{
	int r = file_mkdir_p(path, 0755, err);

	for (uint32_t i = 0; r == 0 && i < files->n; i++)
		r = write_file(path, &files->v[i], err);
	return r;
}

/* The directory that ..data leads to, "" when there is none. */
static void current_data(int dir, char ret[NAME_MAX + 1])
{
	ssize_t n = readlinkat(dir, DATA, ret, NAME_MAX);

	ret[n > 0 ? n : 0] = '\0';
}

static int put_in_place(int dir, const char *name, const struct volume_files *files)
{
	int r = swap_data(dir, name);

	if (r == 0)
		r = link_names(dir, files);
	if (r == 0)
		unlink_stale_names(dir, files);
	return r;
}

int volume_swap(const char *dir, const struct volume_files *files, int64_t now, struct arena *a,
		const char **ret_old, struct err *err)
{
	FD_AUTO fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[96], old[NAME_MAX + 1];

	*ret_old = NULL;
	if (fd < 0)
		return err_sys(err, -errno, "%s", dir);
	data_name(now, files_hash(files), name, sizeof(name));
	current_data(fd, old);
	if (same_hash(old, name))
		return 0;
	const char *path = arena_printf(a, "%s/%s", dir, name);
	int r = write_data(path, files, err);
	if (r < 0) {
		file_rm_rf(path, NULL);
		return r;
	}
	if ((r = put_in_place(fd, name, files)) < 0)
		return err_sys(err, r, "%s", dir);
	if (*old)
		*ret_old = arena_printf(a, "%s/%s", dir, old);
	return 0;
}

struct config_source {
	const struct object *o;
	const struct key_to_path_list *items;
	mode_t mode;
};

static void add_file(struct arena *a, struct volume_files *l, const char *path, struct bytes b,
		     mode_t mode)
{
	*arena_push(a, l) = (struct volume_file){ path, b, mode };
}

static void add_items(struct arena *a, const struct config_source *s, struct volume_files *l)
{
	for (uint32_t i = 0; i < s->items->n; i++) {
		const struct key_to_path *k = &s->items->v[i];
		struct bytes b;

		if (config_value(s->o, k->key, &b))
			add_file(a, l, k->path, b,
				 HAS(k, key_to_path, mode) ? (mode_t)k->mode : s->mode);
	}
}

/* Text wins over bytes of the same key, as stringData does over data. */
static void add_all(struct arena *a, const struct config_source *s, struct volume_files *l)
{
	bool secret = s->o->kind->id == KIND_SECRET;
	const struct strmap *text = secret ? &s->o->secret->string_data : &s->o->configmap->data;
	const struct bytemap *bytes = secret ? &s->o->secret->data : &s->o->configmap->binary_data;

	for (uint32_t i = 0; i < text->n; i++)
		add_file(a, l, text->v[i].k, (struct bytes){ text->v[i].v, strlen(text->v[i].v) },
			 s->mode);
	for (uint32_t i = 0; i < bytes->n; i++) {
		struct bytes b = bytes->v[i].v;

		if (config_value(s->o, bytes->v[i].k, &b) && b.data == bytes->v[i].v.data)
			add_file(a, l, bytes->v[i].k, b, s->mode);
	}
}

/* False when there is no such object. */
static bool config_source(const struct volume *v, const struct set *set, const char *ns,
			  struct config_source *ret)
{
	const struct config_map_volume *c = v->config_map;
	const struct secret_volume *s = v->secret;

	if (c)
		*ret = (struct config_source){ set_find(set, KIND_CONFIGMAP, ns, c->name),
					       &c->items, (mode_t)c->default_mode };
	else
		*ret = (struct config_source){ set_find(set, KIND_SECRET, ns, s->secret_name),
					       &s->items, (mode_t)s->default_mode };
	return ret->o != NULL;
}

int volumes_write(const struct volume_in *in, const struct set *set, struct arena *a,
		  struct strs *old, struct err *err)
{
	const struct pod_spec *spec = &in->pod->pod->spec;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < spec->volumes.n; i++) {
		const struct volume *v = &spec->volumes.v[i];
		struct volume_files files = { 0 };
		struct config_source s;
		const char *before;

		if (!volume_is_config(v) || !config_source(v, set, in->pod->meta->namespace, &s))
			continue;
		s.items->n ? add_items(a, &s, &files) : add_all(a, &s, &files);
		r = volume_swap(volume_source(a, in, v), &files, time_now(), a, &before, err);
		if (before)
			*arena_push(a, old) = before;
	}
	return r;
}

/* ---- directories ---- */

static int make_directory(const char *path, mode_t mode, struct err *err)
{
	int r = file_mkdir_p(path, mode, err);

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

		if (v->host_path)
			continue;
		r = make_directory(volume_source(&a, in, v), volume_is_config(v) ? 0755 : 0777,
				   err);
	}
	if (r == 0)
		r = volumes_write(in, set, &a, &none, err);
	arena_release(&a);
	return r;
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

int volume_check_host_path(const struct volume *v, struct err *err)
{
	const struct host_path_volume *h = v->host_path;
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

/* ---- subPath ---- */

static int open_inside(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* Makes the last component of path, whose parent is there. */
static int make_inside(int root, char *path)
{
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (slash)
		*slash = '\0';
	FD_AUTO parent = open_inside(root, slash ? path : ".");
	int r = parent < 0 ? parent : 0;
	if (r == 0 && mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		r = -errno;
	if (slash)
		*slash = '/';
	return r;
}

int volume_make_sub_path(const char *dir, const char *sub, struct err *err)
{
	FD_AUTO root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_MAX];
	struct stat st;
	int r = root < 0 ? -errno : 0;

	if (r == 0 && fstatat(root, sub, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	for (const char *end = sub; r == 0 && *end;) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		if ((size_t)(end - sub) >= sizeof(path))
			return err_sys(err, -ENAMETOOLONG, "subPath %s", sub);
		memcpy(path, sub, (size_t)(end - sub));
		path[end - sub] = '\0';
		FD_AUTO fd = open_inside(root, path);
		r = fd == -ENOENT ? make_inside(root, path) : fd < 0 ? fd : 0;
	}
	return r < 0 ? err_sys(err, r, "subPath %s of %s", sub, dir) : 0;
}
