/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root of a container: an overlay of the image and a writable layer of this attempt's own, and
 * the kernel's file systems in it. No file system of a container but its /dev and what a volume of
 * a device type names honours device nodes, so that CAP_MKNOD, which images rely on, gives nobody
 * the disks of the host.
 */
#include <dirent.h>

#include "base/macro.h"
#include "runtime/builder.h"

#define OPTIONS_MAX 4096		/* of mount(2), with the NUL */
#define TTY_GROUP 5

/* In options of overlayfs a colon separates directories and a comma options. */
static void option_path(struct buf *out, const char *path)
{
	for (; *path; path++) {
		if (strchr("\\:,", *path))
			buf_putc(out, '\\');
		buf_putc(out, *path);
	}
}

/* path as seen from lower, NULL when it is not below. */
static const char *below(const char *path, const char *lower)
{
	size_t n = streq(lower, "/") ? 0 : strlen(lower);

	return strncmp(path, lower, n) == 0 && path[n] == '/' ? path + n : NULL;
}

/* overlayfs refuses a layer inside another one; an image that holds it is a host's root. */
static bool wants_skeleton(const struct builder *b)
{
	for (const char *const *l = b->image.lowers; *l; l++)
		if (below(b->p->rt->skeleton, *l))
			return false;
	return true;
}

/* The lowers of an image, as options name them from its directory. */
static void image_lowers(const struct image *img, struct buf *data)
{
	for (const char *const *l = img->lowers; *l; l++) {
		const char *inside = below(*l, img->dir);

		if (l != img->lowers)
			buf_putc(data, ':');
		option_path(data, inside && inside[1] ? inside + 1 : *l);
	}
}

/*
 * Layers and root directories belong to the node's users and are shared; a pod with its own has
 * them mounted once more, with its ids. The skeleton may lie where the kernel can't do that: then
 * what only it has belongs to nobody.
 */
static void map_lowers(struct builder *b)
{
	const char *dir = arena_printf(b->a, "%s/lower", b->p->rt->scratch);
	uint32_t n = 0;

	for (const char *const *l = b->image.lowers; *l; l++)
		prog_add(b->out, OP_BIND, MS_RDONLY, BIND_IDMAP,
			 PROG_S(*l, arena_printf(b->a, "%s/%u", dir, n++)), NULL, 0);
	if (wants_skeleton(b))
		prog_add(b->out, OP_BIND, MS_RDONLY, BIND_TRY_IDMAP,
			 PROG_S(b->p->rt->skeleton, arena_printf(b->a, "%s/%u", dir, n)), NULL, 0);
	builder_op1(b, OP_CHDIR, 0, 0, dir);
}

/* The names of what map_lowers() has mounted, from where it has gone to. */
static void mapped_lowers(struct builder *b, struct buf *data)
{
	uint32_t n = wants_skeleton(b);

	for (const char *const *l = b->image.lowers; *l; l++)
		n++;
	for (uint32_t i = 0; i < n; i++)
		buf_printf(data, "%s%u", i ? ":" : "", i);
}

static void plain_lowers(struct builder *b, struct buf *data)
{
	image_lowers(&b->image, data);
	if (wants_skeleton(b)) {
		buf_putc(data, ':');
		option_path(data, b->p->rt->skeleton);
	}
}

/*
 * volatile: what is written does not outlive the attempt, so nobody waits for a disk. All options
 * must fit into one page (mount(2) cuts off the rest), and an image may have 127 layers: so they
 * are named from the directory that they are in.
 */
static int overlay(struct builder *b, struct err *err)
{
	BUF_AUTO data = { 0 };

	buf_puts(&data, "lowerdir=");
	if (b->p->ids) {
		map_lowers(b);
		mapped_lowers(b, &data);
	} else {
		builder_op1(b, OP_CHDIR, 0, 0, b->image.dir);
		plain_lowers(b, &data);
	}
	buf_puts(&data, ",upperdir=");
	option_path(&data, b->layer);
	buf_puts(&data, ".upper,workdir=");
	option_path(&data, b->layer);
	buf_puts(&data, ".work,volatile");
	if (data.len >= OPTIONS_MAX)
		return err_set(err, -E2BIG, "the image has too many layers");
	prog_add(b->out, OP_MOUNT, b->id.privileged ? 0 : MS_NODEV, 0,
		 PROG_S("overlay", b->root, "overlay", buf_str(&data)), NULL, 0);
	return 0;
}

/* dir.0, dir.1...: the layers of an image with the pod's ids; data names them from beside dir. */
static void map_image(struct builder *b, const struct image *img, const char *dir, struct buf *data)
{
	const char *name = strrchr(dir, '/') + 1;
	uint32_t n = 0;

	for (const char *const *l = img->lowers; *l; l++, n++) {
		prog_add(b->out, OP_BIND, MS_RDONLY, BIND_IDMAP,
			 PROG_S(*l, arena_printf(b->a, "%s.%u", dir, n)), NULL, 0);
		buf_printf(data, "%s%s.%u", n ? ":" : "", name, n);
	}
	builder_op1(b, OP_CHDIR, 0, 0, arena_strndup(b->a, dir, (size_t)(name - dir - 1)));
}

/* Without a layer to write to overlayfs wants two at least, so one is bound as it is. */
int container_image(struct builder *b, const struct image *img, const char *dir, struct err *err)
{
	const uint64_t flags = MS_RDONLY | QUIET_MOUNT;
	BUF_AUTO data = { 0 };

	if (!img->lowers[0] || !img->lowers[1]) {
		prog_add(b->out, OP_BIND, flags, b->p->ids ? BIND_IDMAP : 0,
			 PROG_S(img->lowers[0] ? img->lowers[0] : img->dir, dir), NULL, 0);
		return 0;
	}
	buf_puts(&data, "lowerdir=");
	if (b->p->ids) {
		map_image(b, img, dir, &data);
	} else {
		builder_op1(b, OP_CHDIR, 0, 0, img->dir);
		image_lowers(img, &data);
	}
	if (data.len >= OPTIONS_MAX)
		return err_set(err, -E2BIG, "the image has too many layers");
	prog_add(b->out, OP_MOUNT, flags, 0, PROG_S("overlay", dir, "overlay", buf_str(&data)), NULL, 0);
	return 0;
}

/* Directories of orchd's own that are part of the image, as in rootfs:/. */
static void hide_own(struct builder *b)
{
	const struct strs *hidden = &b->p->rt->hidden;

	for (const char *const *l = b->image.lowers; *l; l++) {
		for (uint32_t i = 0; i < hidden->n; i++) {
			const char *inside = below(hidden->v[i], *l);

			if (inside)
				builder_op1(b, OP_MASK, 0, 0, builder_in_root(b, inside));
		}
	}
}

/* ---- file systems of the kernel ---- */

enum owner { OWNER_NONE, OWNER_ROOT, OWNER_TTY };	/* as options, of whom */

static const struct {
	const char *type, *path, *data;
	enum owner owner;
	uint64_t flags;
} mounts[] = {
	{ "proc", "/proc", "", OWNER_NONE, QUIET_MOUNT },
	{ "tmpfs", "/dev", "mode=0755,size=64k", OWNER_ROOT, MS_NOSUID | MS_NODEV | MS_STRICTATIME },
	{ "devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620", OWNER_TTY,
	  MS_NOSUID | MS_NOEXEC },
	{ "mqueue", "/dev/mqueue", "", OWNER_NONE, QUIET_MOUNT },
	{ "sysfs", "/sys", "", OWNER_NONE, QUIET_MOUNT | MS_RDONLY },
};

static const char *const devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
};

static const struct {
	const char *target, *path;
} links[] = {
	{ "/proc/self/fd", "/dev/fd" },
	{ "/proc/self/fd/0", "/dev/stdin" },
	{ "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" },
	{ "pts/ptmx", "/dev/ptmx" },
};

/* What the host has in its /dev, but what every container has one of its own. */
static void all_devices(struct builder *b)
{
	static const char *const own[] = {
		".", "..", "fd", "stdin", "stdout", "stderr", "ptmx", "pts", "shm", "mqueue",
		"null", "zero", "full", "random", "urandom", "tty", "console", "log", "core", NULL,
	};
	DIR *d = opendir("/dev");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		const char *const *o = own;

		while (*o && !streq(*o, e->d_name))
			o++;
		if (*o || (e->d_type != DT_CHR && e->d_type != DT_BLK && e->d_type != DT_DIR))
			continue;
		const char *path = arena_printf(b->a, "/dev/%s", e->d_name);
		builder_bind(b, path, builder_in_root(b, path), MS_REC | MS_NOSUID | MS_NOEXEC);
	}
	if (d)
		closedir(d);
}

/* Who mounts is the node's root, so ids are the node's. */
static const char *mount_data(struct builder *b, const char *data, enum owner owner)
{
	uint32_t ids = b->p->ids;

	if (owner == OWNER_TTY)
		return arena_printf(b->a, "%s,gid=%u", data, ids + TTY_GROUP);
	return owner == OWNER_ROOT && ids ? arena_printf(b->a, "%s,uid=%u,gid=%u", data, ids, ids) :
					    data;
}

static void kernel_mounts(struct builder *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		uint64_t writable = b->id.privileged ? MS_RDONLY : 0;

		if (b->p->handler && streq(mounts[i].type, "proc"))
			continue;	/* it belongs to processes that are not there yet */

		prog_add(b->out, OP_MOUNT, mounts[i].flags & ~writable, 0,
			 PROG_S(mounts[i].type, builder_in_root(b, mounts[i].path), mounts[i].type,
				mount_data(b, mounts[i].data, mounts[i].owner)), NULL, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		builder_bind(b, devices[i], builder_in_root(b, devices[i]), MS_NOSUID | MS_NOEXEC);
	if (b->id.privileged)
		all_devices(b);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		prog_add(b->out, OP_SYMLINK, 0, 0,
			 PROG_S(links[i].target, builder_in_root(b, links[i].path)), NULL, 0);
}

/* The container's own groups, under the names of their v1 hierarchies. */
static void cgroup_v1_mounts(struct builder *b, const struct cgroup_entry *entry)
{
	uint64_t read_only = b->id.privileged ? 0 : MS_RDONLY;
	static const char place[] = "/sys/fs/cgroup/";
	const size_t n = sizeof(place) - 1;

	prog_add(b->out, OP_MOUNT, QUIET_MOUNT, 0,
		 PROG_S("tmpfs", builder_in_root(b, "/sys/fs/cgroup"), "tmpfs", "mode=0755,size=64k"),
		 NULL, 0);
	for (unsigned i = 0; i < entry->ntasks; i++) {
		const char *tasks = entry->tasks[i];

		if (strncmp(tasks, place, n) != 0)
			continue;
		size_t dir = (size_t)(strrchr(tasks, '/') - tasks);
		const char *group = arena_strndup(b->a, tasks, dir);
		const char *name = arena_strndup(b->a, tasks, n + strcspn(tasks + n, "/"));
		builder_bind(b, group, builder_in_root(b, name), QUIET_MOUNT | read_only);
	}
}

static void cgroup_mounts(struct builder *b)
{
	struct cgroup_entry entry = builder_cgroup(b);

	if (entry.ntasks)
		cgroup_v1_mounts(b, &entry);
	else
		prog_add(b->out, OP_MOUNT, QUIET_MOUNT | (b->id.privileged ? 0 : MS_RDONLY), 0,
			 PROG_S("cgroup2", builder_in_root(b, "/sys/fs/cgroup"), "cgroup2", ""), NULL, 0);
}

int container_root(struct builder *b, struct err *err)
{
	int r = overlay(b, err);

	if (r < 0)
		return r;
	hide_own(b);
	kernel_mounts(b);
	cgroup_mounts(b);
	return 0;
}
