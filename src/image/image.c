/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Image references. A transport is a prefix of the reference and two functions: one looks at the
 * syntax, one at the machine. rootfs:/PATH is a directory that becomes the read-only root, with the
 * defaults that an image without configuration has.
 */
#include "image/image.h"

#include <sys/stat.h>

#include "base/macro.h"
#include "image/store.h"

struct transport {
	const char *prefix;
	int (*check)(const char *ref, const char *rest, struct err *err);
	int (*resolve)(struct arena *a, const char *ref, const char *rest, struct image *ret,
		       struct err *err);
};

/* Does path have a component that is "." or ".."? Where it leads would depend on links. */
static bool has_dots(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if ((n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}

static int rootfs_check(const char *ref, const char *path, struct err *err)
{
	if (path[0] != '/')
		return err_set(err, -EINVAL, "image \"%s\": the path does not begin with /", ref);
	if (has_dots(path))
		return err_set(err, -EINVAL, "image \"%s\": the path has . or .. in it", ref);
	return 0;
}

static int rootfs_resolve(struct arena *a, const char *ref, const char *path, struct image *ret,
			  struct err *err)
{
	static const char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL,
	};
	static const char *const nothing[] = { NULL };
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(err, -errno, "image \"%s\"", ref);
	if (!S_ISDIR(st.st_mode))
		return err_sys(err, -ENOTDIR, "image \"%s\"", ref);
	const char **lowers = arena_array(a, const char *, 2);
	lowers[0] = arena_strdup(a, path);
	*ret = (struct image){
		.id = arena_strdup(a, ref), .lowers = lowers, .dir = "/", .env = env, .entrypoint = nothing,
		.cmd = nothing, .workdir = "/", .user = "", .volumes = nothing,
	};
	return 0;
}

static const struct transport transports[] = {
	{ "rootfs:", rootfs_check, rootfs_resolve },
};

static int transport_of(const char *ref, const struct transport **ret, const char **ret_rest,
			struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
		size_t n = strlen(transports[i].prefix);

		if (strncmp(ref, transports[i].prefix, n) == 0) {
			*ret = &transports[i];
			*ret_rest = ref + n;
			return transports[i].check(ref, *ret_rest, err);
		}
	}
	return err_set(err, -EINVAL, "image \"%s\": this version runs rootfs:/PATH only, a directory of "
		       "this machine", ref);
}

int image_check(const char *ref, struct err *err)
{
	const struct transport *t;
	const char *rest;

	return transport_of(ref, &t, &rest, err);
}

int image_resolve(struct arena *a, struct image_store *store, const char *ref, const char *owner,
		  struct image *ret, struct err *err)
{
	const struct transport *t;
	const char *rest = ref;
	int r = transport_of(ref, &t, &rest, store ? NULL : err);

	if (r < 0)
		return store ? image_store_resolve(store, a, ref, owner, ret, err) : r;
	return t->resolve(a, ref, rest, ret, err);
}
