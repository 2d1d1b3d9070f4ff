/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privileged half of unpacking; see unpack_apply.h. The directory that the last path was in is
 * kept open: archives list what is in a directory together. A directory that no entry made is
 * marked by an attribute until the end, so that an entry that comes later can take the mark away.
 */
#include "image/unpack_apply.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/reference.h"
#include "base/within.h"
#include "image/unpack_ops.h"

#define IN_SIZE (256 * 1024)
#define OVERLAY_OPAQUE "trusted.overlay.opaque"
#define IMPLIED "trusted.orch.implied"
#define IMPLIED_MAX (8 << 20)

struct applier {
	int in, root;
	const struct unpack_limits *limits;
	bool plain;
	struct applied *done;
	struct err *err;
	int dir;				/* open on dir_path, -1: none */
	char dir_path[UNPACK_NAME_MAX + 1];
	int object;				/* what XATTR and DATA are about, -1: base in dir */
	char base[NAME_MAX + 1];		/* "": nothing was made yet */
	bool is_file, root_listed;
	uint64_t size, written;			/* of the file: as it must be, as it is */
	struct timespec times[2];
	/* the record at hand */
	struct unpack_op op;
	char name[UNPACK_NAME_MAX + 1];
	const char *data;
	size_t pos, len;
	char buffer[IN_SIZE];
};

bool unpack_keeps_xattr(const char *name)
{
	static const char *const not[] = { "user.overlay.", "trusted.overlay.", "trusted.orch." };
	static const char *const spaces[] = {
		"user.", "trusted.", "security.capability", "system.posix_acl_",
	};

	for (size_t i = 0; i < ARRAY_SIZE(not); i++)
		if (strncmp(name, not[i], strlen(not[i])) == 0)
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (strncmp(name, spaces[i], strlen(spaces[i])) == 0)
			return true;
	return false;
}

static int fail(struct applier *a, int r, const char *what)
{
	return err_sys(a->err, r, "%s \"%.200s\"", what, a->name);
}

static int refuse(struct applier *a, const char *what)
{
	return err_set(a->err, -EBADMSG, "\"%.200s\": %s", a->name, what);
}

/* Relative, and no component that is empty, too long, "." or "..". */
static bool path_valid(const char *p)
{
	if (!*p)
		return true;
	for (;;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || n > NAME_MAX || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!p[n])
			return true;
		p += n + 1;
	}
}

/* ---- directories ---- */

static int resolve(struct applier *a, const char *path)
{
	return open_within(a->root, *path ? path : ".", O_PATH | O_DIRECTORY,
			   RESOLVE_IN_ROOT | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
}

static void leave_dir(struct applier *a)
{
	fd_cleanup(&a->dir);
	a->dir = -1;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static int set_opaque(int fd)
{
	return fsetxattr(fd, OVERLAY_OPAQUE, "y", 1, 0) < 0 ? -errno : 0;
}

static int open_dir_at(int dir, const char *base)
{
	int fd = openat(dir, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int mark_implied(struct applier *a, int fd, const char *path, size_t n)
{
	if (a->plain)
		return 0;
	if (a->done->implied.len > IMPLIED_MAX)
		return -EFBIG;
	buf_add(&a->done->implied, path, n);
	buf_putc(&a->done->implied, '\0');
	return fsetxattr(fd, IMPLIED, "y", 1, 0) < 0 ? -errno : 0;
}

/* Makes the last component of the first n bytes of path; the directory it is in is there. */
static int imply(struct applier *a, const char *path, size_t n)
{
	char prefix[UNPACK_NAME_MAX + 1];
	struct stat st;

	snprintf(prefix, sizeof(prefix), "%.*s", (int)n, path);
	char *slash = strrchr(prefix, '/'), *base = slash ? slash + 1 : prefix;
	if (slash)
		*slash = '\0';
	FD_AUTO dir = resolve(a, slash ? prefix : "");
	if (dir < 0)
		return dir;
	bool hides = fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_whiteout(&st);
	if (hides && unlinkat(dir, base, 0) < 0)
		return -errno;
	if (mkdirat(dir, base, 0755) < 0)
		return errno == EEXIST ? -ENOTDIR : -errno;
	FD_AUTO fd = open_dir_at(dir, base);
	int r = fd < 0 ? fd : mark_implied(a, fd, path, n);
	return r == 0 && hides ? set_opaque(fd) : r;
}

static int ensure(struct applier *a, const char *path, size_t n)
{
	char prefix[UNPACK_NAME_MAX + 1];

	snprintf(prefix, sizeof(prefix), "%.*s", (int)n, path);
	FD_AUTO fd = resolve(a, prefix);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return imply(a, path, n);
	return MIN(fd, 0);
}

/* Opens path, making what is missing on the way. */
static int make_dirs(struct applier *a, const char *path)
{
	int fd = resolve(a, path);

	if (fd != -ENOENT && fd != -ENOTDIR)
		return fd;
	for (size_t n = 0; path[n]; n += path[n] == '/') {
		n += strcspn(path + n, "/");
		int r = ensure(a, path, n);
		if (r < 0)
			return r;
	}
	return resolve(a, path);
}

/* a->dir becomes the directory that name is in; its last component is returned. */
static const char *enter(struct applier *a, const char *name)
{
	const char *slash = strrchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : 0;

	if (a->dir >= 0 && strlen(a->dir_path) == n && memcmp(a->dir_path, name, n) == 0)
		return slash ? slash + 1 : name;
	leave_dir(a);
	snprintf(a->dir_path, sizeof(a->dir_path), "%.*s", (int)n, name);
	int fd = make_dirs(a, a->dir_path);
	if (fd < 0) {
		fail(a, fd, "the directory of");
		return NULL;
	}
	a->dir = fd;
	return slash ? slash + 1 : name;
}

/* ---- objects ---- */

/* What can be done only when all of a file is there. */
static int finish_object(struct applier *a)
{
	int r = 0;

	if (a->is_file) {
		if (a->written < a->size && ftruncate(a->object, (off_t)a->size) < 0)
			r = -errno;
		if (r == 0 && futimens(a->object, a->times) < 0)
			r = -errno;
	}
	fd_cleanup(&a->object);
	a->object = -1;
	a->is_file = false;
	return r < 0 ? fail(a, r, "the file before") : 0;
}

/* Whatever is there goes: a later entry of the same name replaces an earlier one. */
static int make_room(struct applier *a, const char *base)
{
	if (unlinkat(a->dir, base, 0) == 0)
		return 0;
	if (errno != EISDIR || fchdir(a->dir) < 0)
		return -errno;
	return file_rm_rf(base, NULL);
}

/* Runs make until nothing is in its way; twice is enough. */
static int make(struct applier *a, int (*how)(struct applier *a))
{
	const char *base = enter(a, a->name);

	if (!base)
		return a->err->code;
	if (!*base)
		return refuse(a, "the root of a layer is a directory");
	snprintf(a->base, sizeof(a->base), "%s", base);
	int r = how(a);
	if (r == -EEXIST) {
		r = make_room(a, base);
		if (r == 0)
			r = how(a);
	}
	return r < 0 ? fail(a, r, "cannot make") : 0;
}

static int own(struct applier *a)
{
	if (!a->plain && fchownat(a->dir, a->base, a->op.uid, a->op.gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return utimensat(a->dir, a->base, a->times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* The owner first: a change of it takes set-uid bits away. */
static int own_open(struct applier *a, mode_t plain_mode)
{
	mode_t mode = a->plain ? plain_mode : a->op.mode & 07777;

	if (!a->plain && fchown(a->object, a->op.uid, a->op.gid) < 0)
		return -errno;
	return fchmod(a->object, mode) < 0 ? -errno : 0;
}

static int make_file(struct applier *a)
{
	a->object = openat(a->dir, a->base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			   0600);
	if (a->object < 0)
		return -errno;
	a->is_file = true;
	a->size = a->op.offset;
	a->written = 0;
	return own_open(a, 0644);
}

static int on_file(struct applier *a)
{
	if (a->op.offset > a->limits->bytes)
		return err_set(a->err, -EFBIG, "\"%.200s\" is larger than a layer may be", a->name);
	return make(a, make_file);
}

static int on_data(struct applier *a)
{
	uint64_t offset = a->op.offset;
	size_t n = a->op.ndata;

	if (!a->is_file || offset > a->size || n > a->size - offset)
		return refuse(a, "contents where no file expects them");
	a->done->bytes += n;
	if (a->done->bytes > a->limits->bytes)
		return err_set(a->err, -EFBIG, "the layer is too large");
	for (size_t done = 0; done < n;) {
		ssize_t k = pwrite(a->object, a->data + done, n - done, (off_t)(offset + done));

		if (k < 0 && errno != EINTR)
			return fail(a, -errno, "cannot write");
		done += k > 0 ? (size_t)k : 0;
	}
	a->written = MAX(a->written, offset + n);
	return 0;
}

static int make_symlink(struct applier *a)
{
	char target[UNPACK_NAME_MAX + 1];

	snprintf(target, sizeof(target), "%.*s", (int)a->op.ndata, a->data);
	return symlinkat(target, a->dir, a->base) < 0 ? -errno : own(a);
}

static int make_node(struct applier *a)
{
	mode_t type = a->op.mode & S_IFMT;

	if (type != S_IFCHR && type != S_IFBLK && type != S_IFIFO)
		return -EBADMSG;
	if (mknodat(a->dir, a->base, a->op.mode, makedev(a->op.major, a->op.minor)) < 0)
		return -errno;
	int r = own(a);
	return r == 0 && fchmodat(a->dir, a->base, a->op.mode & 07777, 0) < 0 ? -errno : r;
}

/* Of the same layer only: what it links to may not be in a lower one. */
static int make_link(struct applier *a)
{
	char target[UNPACK_NAME_MAX + 1];
	struct stat from, to;

	snprintf(target, sizeof(target), "%.*s", (int)a->op.ndata, a->data);
	char *slash = strrchr(target, '/'), *base = slash ? slash + 1 : target;
	if (slash)
		*slash = '\0';
	FD_AUTO dir = resolve(a, slash ? target : "");
	if (dir < 0)
		return dir;
	if (linkat(dir, base, a->dir, a->base, 0) == 0)
		return 0;
	int r = -errno;
	if (r == -EEXIST && fstatat(dir, base, &from, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(a->dir, a->base, &to, AT_SYMLINK_NOFOLLOW) == 0 && from.st_ino == to.st_ino)
		return 0;
	return r;
}

static int on_symlink(struct applier *a) { return make(a, make_symlink); }
static int on_node(struct applier *a) { return make(a, make_node); }

static int on_link(struct applier *a)
{
	char target[UNPACK_NAME_MAX + 1];

	snprintf(target, sizeof(target), "%.*s", (int)a->op.ndata, a->data);
	if (!*target || !path_valid(target))
		return refuse(a, "a hard link that leads nowhere");
	return make(a, make_link);
}

/* An existing directory is kept, and a whiteout hides what lower layers have in it. */
static int make_dir(struct applier *a)
{
	struct stat st;
	bool hides = false, kept = false;

	if (mkdirat(a->dir, a->base, 0700) < 0) {
		if (errno != EEXIST || fstatat(a->dir, a->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		kept = S_ISDIR(st.st_mode);
		hides = is_whiteout(&st);
		if (!kept && (unlinkat(a->dir, a->base, 0) < 0 ||
			      mkdirat(a->dir, a->base, 0700) < 0))
			return -errno;
	}
	a->object = open_dir_at(a->dir, a->base);
	if (a->object < 0)
		return a->object;
	if (kept && !a->plain && fremovexattr(a->object, IMPLIED) < 0 && errno != ENODATA)
		return -errno;
	int r = hides ? set_opaque(a->object) : 0;
	return r < 0 ? r : own_open(a, 0755);
}

static int on_dir(struct applier *a)
{
	if (*a->name)
		return make(a, make_dir);
	snprintf(a->base, sizeof(a->base), ".");
	a->root_listed = true;
	a->object = open_dir_at(a->root, ".");
	if (a->object < 0)
		return fail(a, a->object, "the root");
	int r = own_open(a, 0755);
	return r < 0 ? fail(a, r, "the root") : 0;
}

/* File systems without them, and links, which cannot have those of users, do without. */
static int on_xattr(struct applier *a)
{
	int r;

	if (!*a->base || !unpack_keeps_xattr(a->name))
		return refuse(a, "an attribute that may not be set");
	if (a->object >= 0)
		r = fsetxattr(a->object, a->name, a->data, a->op.ndata, 0);
	else
		r = fchdir(a->dir) < 0 ? -1 : lsetxattr(a->base, a->name, a->data, a->op.ndata, 0);
	if (r == 0 || errno == ENOTSUP || (errno == EPERM && strncmp(a->name, "user.", 5) == 0))
		return 0;
	return fail(a, -errno, "attribute");
}

/* ---- what hides things of lower layers ---- */

/* What this layer itself has there stays; a directory then hides what the lower ones have in it. */
static int make_whiteout(struct applier *a)
{
	struct stat st;

	if (mknodat(a->dir, a->base, S_IFCHR, 0) == 0)
		return 0;
	if (errno != EEXIST || fstatat(a->dir, a->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return 0;
	FD_AUTO fd = open_dir_at(a->dir, a->base);
	return fd < 0 ? fd : set_opaque(fd);
}

static int on_whiteout(struct applier *a)
{
	return make(a, make_whiteout);
}

static int make_opaque(struct applier *a)
{
	FD_AUTO made = make_dirs(a, a->name);

	if (made < 0)
		return made;
	FD_AUTO fd = open_dir_at(a->dir, a->base);
	return fd < 0 ? fd : set_opaque(fd);
}

static int on_opaque(struct applier *a)
{
	if (*a->name)
		return make(a, make_opaque);
	a->done->root_opaque = true;
	return 0;
}

/* One that was replaced since keeps its own time. */
static int on_time(struct applier *a)
{
	struct stat st;

	if (!*a->name) {
		FD_AUTO fd = open_dir_at(a->root, ".");

		return fd < 0 || futimens(fd, a->times) < 0 ? fail(a, -errno, "the root") : 0;
	}
	const char *base = enter(a, a->name);
	if (!base)
		return a->err->code;
	if (fstatat(a->dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	return utimensat(a->dir, base, a->times, AT_SYMLINK_NOFOLLOW) < 0 ?
	       fail(a, -errno, "time of") : 0;
}

/* ---- records ---- */

static int on_end(struct applier *a)
{
	snprintf(a->done->diff, sizeof(a->done->diff), "%.*s", (int)a->op.ndata, a->data);
	return digest_valid(a->done->diff) ? 1 : refuse(a, "no digest at the end");
}

/* The reader's words: printable ones only, and an error in any case. */
static int on_fail(struct applier *a)
{
	int64_t code = (int64_t)a->op.offset;
	char text[512];
	size_t n = MIN((size_t)a->op.ndata, sizeof(text) - 1);

	for (size_t i = 0; i < n; i++)
		text[i] = a->data[i] >= ' ' && a->data[i] < 0x7f ? a->data[i] : '?';
	text[n] = '\0';
	return err_set(a->err, code < 0 && code > -4096 ? (int)code : -EBADMSG, "%s", text);
}

static const struct {
	int (*run)(struct applier *a);
	uint32_t max;		/* bytes of data */
	bool path;		/* name is a path */
	bool text;		/* data has no NUL */
	bool object;		/* ends the object before it */
	bool plain;
} handlers[] = {
	[UNPACK_DIR] = { on_dir, 0, true, false, true, true },
	[UNPACK_FILE] = { on_file, 0, true, false, true, true },
	[UNPACK_DATA] = { on_data, UNPACK_DATA_MAX, false, false, false, true },
	[UNPACK_SYMLINK] = { on_symlink, UNPACK_NAME_MAX, true, true, true, false },
	[UNPACK_LINK] = { on_link, UNPACK_NAME_MAX, true, true, true, false },
	[UNPACK_NODE] = { on_node, 0, true, false, true, false },
	[UNPACK_XATTR] = { on_xattr, UNPACK_DATA_MAX, false, false, false, false },
	[UNPACK_WHITEOUT] = { on_whiteout, 0, true, false, true, false },
	[UNPACK_OPAQUE] = { on_opaque, 0, true, false, true, false },
	[UNPACK_TIME] = { on_time, 0, true, false, true, true },
	[UNPACK_END] = { on_end, IMAGE_DIGEST_MAX, false, true, true, true },
	[UNPACK_FAIL] = { on_fail, UNPACK_NAME_MAX, false, true, true, true },
};

/* At least n bytes in the buffer; 1: the end came first. */
static int need(struct applier *a, size_t n)
{
	if (a->len - a->pos >= n)
		return 0;
	memmove(a->buffer, a->buffer + a->pos, a->len - a->pos);
	a->len -= a->pos;
	a->pos = 0;
	while (a->len < n) {
		ssize_t got = read(a->in, a->buffer + a->len, sizeof(a->buffer) - a->len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 1;
		a->len += (size_t)got;
	}
	return 0;
}

static int check(struct applier *a)
{
	const struct unpack_op *op = &a->op;

	if (op->op >= ARRAY_SIZE(handlers) || !handlers[op->op].run ||
	    (a->plain && !handlers[op->op].plain))
		return refuse(a, "no such operation");
	if (op->nname > UNPACK_NAME_MAX || op->ndata > handlers[op->op].max ||
	    op->mtime_ns > 999999999)
		return refuse(a, "an operation out of bounds");
	return 0;
}

/* 1 when the stream ended. */
static int next(struct applier *a)
{
	int r = need(a, sizeof(a->op));

	if (r != 0)
		return r;
	memcpy(&a->op, a->buffer + a->pos, sizeof(a->op));
	a->pos += sizeof(a->op);
	r = check(a);
	if (r == 0)
		r = need(a, a->op.nname + a->op.ndata);
	if (r != 0)
		return r;
	memcpy(a->name, a->buffer + a->pos, a->op.nname);
	a->name[a->op.nname] = '\0';
	a->data = a->buffer + a->pos + a->op.nname;
	a->pos += a->op.nname + a->op.ndata;
	if (strlen(a->name) != a->op.nname ||
	    (handlers[a->op.op].path && !path_valid(a->name)) ||
	    (handlers[a->op.op].text && memchr(a->data, '\0', a->op.ndata)))
		return refuse(a, "a bad name");
	return 0;
}

static int run(struct applier *a)
{
	if (handlers[a->op.op].object) {
		int r = finish_object(a);

		if (r < 0)
			return r;
		if (++a->done->entries > 2 * a->limits->entries)
			return err_set(a->err, -EFBIG, "the layer has too many entries");
		a->times[0] = a->times[1] = (struct timespec){ a->op.mtime, a->op.mtime_ns };
	}
	return handlers[a->op.op].run(a);
}

/* Those that no later entry made; the marks go. */
static void settle_implied(struct applier *a)
{
	BUF_AUTO all = a->done->implied;

	a->done->implied = (struct buf){ 0 };
	if (!a->root_listed)
		buf_putc(&a->done->implied, '\0');
	for (size_t i = 0; i < all.len; i += strlen(all.data + i) + 1) {
		FD_AUTO dir = resolve(a, all.data + i);
		FD_AUTO fd = dir < 0 ? -1 : open_dir_at(dir, ".");

		if (fd < 0 || fremovexattr(fd, IMPLIED) < 0)
			continue;
		buf_add(&a->done->implied, all.data + i, strlen(all.data + i) + 1);
	}
}

static int apply(struct applier *a)
{
	int r;

	do {
		r = next(a);
		if (r > 0)
			return err_set(a->err, -EPIPE, "the reader of the layer ended early");
		if (r == 0)
			r = run(a);
	} while (r == 0);
	if (r > 0 && !a->plain)
		settle_implied(a);
	return MIN(r, 0);
}

int unpack_apply(int in, int root, const struct unpack_limits *limits, bool plain,
		 struct applied *ret, struct err *err)
{
	struct applier *a = calloc(1, sizeof(*a));
	struct err own_err = { 0 };

	if (!a)
		return err_sys(err, -ENOMEM, "applier");
	*ret = (struct applied){ 0 };
	*a = (struct applier){
		.in = in, .root = root, .limits = limits, .plain = plain, .done = ret,
		.err = err ? err : &own_err, .dir = -1, .object = -1,
	};
	int r = apply(a);
	leave_dir(a);
	fd_cleanup(&a->object);
	free(a);
	return r;
}
