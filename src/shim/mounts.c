/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on mounts. A bind is made as a detached tree (open_tree(2)), gets its flags while
 * nobody sees it (mount_setattr(2), recursively) and is then attached to the descriptor of its
 * target (move_mount(2)): nothing is resolved twice, so nothing can be swapped in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "shim/ops.h"
#include "shim/text.h"

#define PROPAGATION (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)

static const struct {
	uint64_t mount, attr;
} attrs[] = {
	{ MS_RDONLY, MOUNT_ATTR_RDONLY },
	{ MS_NOSUID, MOUNT_ATTR_NOSUID },
	{ MS_NODEV, MOUNT_ATTR_NODEV },
	{ MS_NOEXEC, MOUNT_ATTR_NOEXEC },
	{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
};

static uint64_t attrs_of(uint64_t flags)
{
	uint64_t r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		if (flags & attrs[i].mount)
			r |= attrs[i].attr;
	}
	return r;
}

/* A detached copy of the mount at fd, with flags; -errno. */
static int detached(int fd, uint64_t flags)
{
	unsigned recursive = flags & MS_REC ? AT_RECURSIVE : 0;
	int tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
	struct mount_attr attr = {
		.attr_set = attrs_of(flags),
		.propagation = flags & PROPAGATION ? flags & PROPAGATION : MS_PRIVATE,
	};

	if (tree < 0)
		return -errno;
	if (mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &attr, sizeof(attr)) < 0) {
		int r = -errno;
		close(tree);
		return r;
	}
	return tree;
}

/* Only the mount itself, not those below. */
static int read_only(int tree)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	return mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int attach(int tree, int target)
{
	return move_mount(tree, "", target, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}

int op_keep_mounts(struct prog_run *x, const struct step *st)
{
	(void)st;
	if (!x->in_shim || x->host_mounts >= 0)
		return -EINVAL;
	x->host_mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return x->host_mounts < 0 ? -errno : 0;
}

int op_slave(struct prog_run *x, const struct step *st)
{
	(void)x, (void)st;
	return mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ? -errno : 0;
}

/*
 * The target is named by descriptor: through /proc while that is the host's, later by standing in
 * it. The working directory has to stay before PIVOT, since overlay options may be relative to it.
 */
int op_mount(struct prog_run *x, const struct step *st)
{
	const char *data = *st->s[3] ? st->s[3] : NULL;
	FD_AUTO fd = tree_open(x, st->s[1], false, x->in_root || x->root ? TREE_DIR : TREE_EXISTING);
	char name[32];
	struct text t = TEXT(name);

	step_blame(x, st->s[1]);
	if (fd < 0)
		return fd;
	if (x->in_root) {
		if (fchdir(fd) < 0 || mount(st->s[0], ".", st->s[2], st->op->a, data) < 0 ||
		    chdir("/") < 0)
			return -errno;
		return 0;
	}
	text_num(text_put(&t, "/proc/self/fd/"), (uint64_t)fd);
	if (mount(st->s[0], name, st->s[2], st->op->a, data) < 0)
		return -errno;
	tree_forget_root(x);
	return 0;
}

/*
 * Ids as the pod's users have them. Devices and sockets keep their owners: they are no files whose
 * owner means much, and lie in file systems that can't map. EOPNOTSUPP is what others are told by.
 */
static int map_ids(const struct prog_run *x, int tree, const struct step *st, mode_t type)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)x->userns };
	unsigned recursive = st->op->a & MS_REC ? AT_RECURSIVE : 0;
	bool try = st->op->b & BIND_TRY_IDMAP || !(S_ISDIR(type) || S_ISREG(type));

	if (!(st->op->b & (BIND_IDMAP | BIND_TRY_IDMAP)))
		return 0;
	if (x->userns < 0)
		return -EBADF;
	if (mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &attr, sizeof(attr)) == 0 || try)
		return 0;
	return errno == EINVAL ? -EOPNOTSUPP : -errno;
}

/* What is to be bound, as a detached tree. */
static int bind_source(struct prog_run *x, const struct step *st)
{
	FD_AUTO source = tree_source(x, st->s[0], st->op->b & BIND_MAKE);
	bool top = st->op->b & BIND_TOP && st->op->a & MS_RDONLY;

	if (source < 0)
		return source;
	FD_AUTO tree = detached(source, top ? st->op->a & ~(uint64_t)MS_RDONLY : st->op->a);
	int r = tree < 0 ? tree : top ? read_only(tree) : 0;
	return r < 0 ? r : fd_take(&tree);
}

/*
 * Only a copy of a mount of the host's own namespace is its peer: those that the shim has got of
 * them are slaves. The way back leads to the root, so the working directory is put right.
 */
static int bind_source_of_host(struct prog_run *x, const struct step *st)
{
	FD_AUTO own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	FD_AUTO cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (own < 0 || cwd < 0)
		return -errno;
	if (setns(x->host_mounts, CLONE_NEWNS) < 0)
		return -errno;
	FD_AUTO tree = bind_source(x, st);
	if (setns(own, CLONE_NEWNS) < 0 || fchdir(cwd) < 0)
		return -errno;
	return tree < 0 ? tree : fd_take(&tree);
}

int op_bind(struct prog_run *x, const struct step *st)
{
	FD_AUTO tree = st->op->b & BIND_HOST ? bind_source_of_host(x, st) : bind_source(x, st);
	struct stat sb;

	if (tree < 0)
		return tree;
	if (fstat(tree, &sb) < 0)
		return -errno;
	FD_AUTO target = tree_open(x, st->s[1], st->op->b & BIND_INNER && !x->in_root,
				   S_ISDIR(sb.st_mode) ? TREE_DIR : TREE_FILE);
	step_blame(x, st->s[1]);
	if (target < 0)
		return target;
	int r = map_ids(x, tree, st, sb.st_mode);
	if (r == -EOPNOTSUPP)
		step_blame(x, st->s[0]);
	if (r == 0)
		r = attach(tree, target);
	if (S_ISDIR(sb.st_mode))
		tree_forget_root(x);
	return r;
}

/*
 * pivot_root(2) wants a mount point, so a plain directory is made one. With "." for both, the old root ends up mounted over the new
 * one, from where it is detached: no directory for it is needed.
 */
int op_pivot(struct prog_run *x, const struct step *st)
{
	tree_forget_root(x);
	if (chdir(st->s[0]) < 0)
		return -errno;
	if (syscall(SYS_pivot_root, ".", ".") < 0) {
		if ((errno != EINVAL && errno != EBUSY) || mount(".", st->s[0], NULL, MS_BIND | MS_REC, NULL) < 0 ||
		    chdir(st->s[0]) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
			return -errno;
	}
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	x->in_root = true;
	return 0;
}

static int empty_directory(void)
{
	FD_AUTO fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4096", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
			 MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

static int null_device(void)
{
	FD_AUTO fd = open("/dev/null", O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : detached(fd, 0);
}

/* Another one of what hides something already: no second file system is made for it. */
static int again(int mask)
{
	int r = mask < 0 ? -1 : open_tree(mask, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return r < 0 ? -errno : r;
}

int op_mask(struct prog_run *x, const struct step *st)
{
	FD_AUTO target = tree_open(x, st->s[0], false, TREE_EXISTING);
	struct stat sb;

	if (target < 0)
		return target == -ENOENT ? 0 : target;
	if (fstat(target, &sb) < 0)
		return -errno;
	bool dir = S_ISDIR(sb.st_mode);
	int *mask = &x->masks[!dir];
	FD_AUTO tree = again(*mask);
	if (tree < 0)
		tree = dir ? empty_directory() : null_device();
	int r = tree < 0 ? tree : attach(tree, target);
	if (r == 0 && *mask < 0)
		*mask = fd_take(&tree);
	return r;
}

int op_readonly(struct prog_run *x, const struct step *st)
{
	FD_AUTO target = tree_open(x, st->s[0], false, TREE_EXISTING);

	if (target < 0)
		return target == -ENOENT ? 0 : target;
	FD_AUTO tree = detached(target, MS_REC | MS_RDONLY);
	return tree < 0 ? tree : attach(tree, target);
}
