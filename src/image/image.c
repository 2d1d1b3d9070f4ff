/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What references stand for; see image.h. rootfs:/PATH is a directory that becomes the read-only
 * root, with the defaults that an image without configuration has; all others are in the store.
 */
#include "image/image.h"

#include <sys/stat.h>

#include "base/macro.h"
#include "base/reference.h"
#include "image/store.h"

static int rootfs_resolve(struct arena *a, const struct reference *r, struct image *ret,
			  struct err *err)
{
	static const char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL,
	};
	static const char *const nothing[] = { NULL };
	struct stat st;

	if (stat(r->path, &st) < 0)
		return err_sys(err, -errno, "image \"%s\"", r->name);
	if (!S_ISDIR(st.st_mode))
		return err_sys(err, -ENOTDIR, "image \"%s\"", r->name);
	const char **lowers = arena_array(a, const char *, 2);
	lowers[0] = r->path;
	*ret = (struct image){
		.id = r->name, .lowers = lowers, .dir = "/", .env = env, .entrypoint = nothing,
		.cmd = nothing, .workdir = "/", .user = "", .volumes = nothing,
	};
	return 0;
}

int image_resolve(struct arena *a, struct image_store *store, const char *ref, const char *owner,
		  struct image *ret, struct err *err)
{
	struct reference r;
	int k = reference_parse(a, ref, &r, err);

	if (k < 0)
		return k;
	if (r.transport == TRANSPORT_ROOTFS)
		return rootfs_resolve(a, &r, ret, err);
	if (!store)
		return err_set(err, -ENOENT, "image \"%s\": there is no image store", ref);
	return image_store_resolve(store, a, r.name, owner, ret, err);
}
