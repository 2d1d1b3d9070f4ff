/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A volume becomes a group's: fsGroup. What is below belongs to those who write in it, perhaps at
 * this moment, so every file is opened without following links before it is changed, and the way up
 * is the descriptors that led down, never "..". The top is changed last: when it is right, all is.
 * There is little stack and no memory to be had (shim/ops.h): one buffer serves all levels, and a
 * directory is read again from behind the entry that was gone into.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "shim/ops.h"
#include "shim/text.h"

#define DEPTH 200		/* descriptors that are open at once */
#define FILE_BITS 0660
#define DIR_BITS (S_ISGID | 0770)

struct entry {			/* getdents64(2) */
	uint64_t ino;
	int64_t next;
	uint16_t size;
	uint8_t type;
	char name[];
};

struct walk {
	gid_t group;
	int fds[DEPTH];
	unsigned depth;
	char buffer[4096] __attribute__((aligned(8)));
};

/* chown(2) takes the set-id bits of a file away, so the mode is written after it in any case. */
static int give(int fd, const struct stat *sb, gid_t group)
{
	mode_t bits = S_ISDIR(sb->st_mode) ? DIR_BITS : FILE_BITS;
	char path[32];
	struct text t = TEXT(path);

	if (fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH) < 0)
		return -errno;
	if (S_ISLNK(sb->st_mode))
		return 0;
	text_num(text_put(&t, "/proc/self/fd/"), (uint64_t)fd);
	return chmod(path, (sb->st_mode & 07777) | bits) < 0 ? -errno : 0;
}

/* A directory is gone into, anything else is given; what has vanished is nobody's. */
static int visit(struct walk *w, int dir, const char *name)
{
	FD_AUTO fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat sb;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &sb) < 0)
		return -errno;
	if (!S_ISDIR(sb.st_mode))
		return give(fd, &sb, w->group);
	if (w->depth == DEPTH)
		return -ELOOP;
	int r = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r < 0)
		return -errno;
	w->fds[w->depth++] = r;
	return 1;
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* Goes on in the innermost directory: 1 when there is more to do, in it or in one below. */
static int advance(struct walk *w)
{
	int dir = w->fds[w->depth - 1];
	long n = syscall(SYS_getdents64, dir, w->buffer, sizeof(w->buffer));

	if (n < 0)
		return -errno;
	for (long at = 0; at < n;) {
		const struct entry *e = (const struct entry *)(w->buffer + at);
		int r = is_dot(e->name) ? 0 : visit(w, dir, e->name);

		if (r < 0)
			return r;
		if (r > 0)
			return lseek(dir, e->next, SEEK_SET) < 0 ? -errno : 1;
		at += e->size;
	}
	return n > 0;
}

/* All that is in it was seen. */
static int leave(struct walk *w)
{
	FD_AUTO fd = w->fds[--w->depth];
	struct stat sb;

	return fstat(fd, &sb) < 0 ? -errno : give(fd, &sb, w->group);
}

static bool is_right(const struct stat *sb, gid_t group)
{
	return sb->st_gid == group && (sb->st_mode & DIR_BITS) == DIR_BITS;
}

int op_own(struct prog_run *x, const struct step *st)
{
	int top = tree_source(x, st->s[0], false);
	struct walk w = { .group = (gid_t)st->op->a };
	struct stat sb;
	int r = top < 0 ? top : 0;

	if (r == 0 && fstat(top, &sb) < 0)
		r = -errno;
	if (r == 0 && !S_ISDIR(sb.st_mode))
		r = give(top, &sb, w.group);
	else if (r == 0 && !(st->op->b == 1 && is_right(&sb, w.group)))
		r = visit(&w, top, ".");
	while (r >= 0 && w.depth)
		if ((r = advance(&w)) == 0)
			r = leave(&w);
	while (w.depth)
		close(w.fds[--w.depth]);
	if (top >= 0)
		close(top);
	return r < 0 ? r : 0;
}
