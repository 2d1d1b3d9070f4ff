/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writable layer of a container: LAYER.upper and LAYER.work below the pod's state directory, of
 * one attempt each, as overlayfs wants them.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "runtime/builder.h"

const char *layer_path(struct arena *a, const struct sandbox *p, const char *container,
		       uint32_t attempt)
{
	return arena_printf(a, "%s/%s.%u", p->state_dir, container, attempt);
}

static int make_directory(const char *path, struct err *err)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "%s", path);
	return 0;
}

/* An id of the image as the pod's own: one that is not in its range is its root's. */
static uint32_t own_id(const struct builder *b, uint32_t id)
{
	return b->p->ids ? b->p->ids + (id < USERNS_IDS ? id : 0) : id;
}

/* overlayfs shows upper's owner and mode as those of the root: they are the image's. */
static int make_upper(struct builder *b, const char *path, struct err *err)
{
	struct stat st;
	int r = make_directory(path, err);

	if (r < 0)
		return r;
	if (stat(b->image.lowers[0], &st) < 0)
		return err_sys(err, -errno, "%s", b->image.lowers[0]);
	uint32_t uid = own_id(b, st.st_uid), gid = own_id(b, st.st_gid);
	if (((uid || gid) && chown(path, uid, gid) < 0) || chmod(path, st.st_mode & 07777) < 0)
		return err_sys(err, -errno, "%s", path);
	return 0;
}

/* One that is there is left of an orchd that was killed before it could order the start. */
int container_layer(struct builder *b, uint32_t attempt, struct err *err)
{
	b->layer = layer_path(b->a, b->p, b->c->name, attempt);
	const char *upper = arena_printf(b->a, "%s.upper", b->layer);
	const char *work = arena_printf(b->a, "%s.work", b->layer);
	int r = 0;

	if (file_exists(work) && (r = file_rm_rf(upper, err)) == 0)
		r = file_rm_rf(work, err);
	if (r == 0)
		r = file_mkdir_p(b->p->state_dir, 0700, err);
	if (r == 0)
		r = make_directory(work, err);
	return r < 0 ? r : make_upper(b, upper, err);
}

void container_layer_sweep(struct builder *b, uint32_t attempt)
{
	const char *layer = layer_path(b->a, b->p, b->c->name, attempt);

	sweep_add(&b->p->rt->sweep, NULL, 0, 0, (const char *const[SWEEP_DIRS]){
		arena_printf(b->a, "%s.upper", layer), arena_printf(b->a, "%s.work", layer) });
}
