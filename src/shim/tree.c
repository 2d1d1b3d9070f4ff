/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on files, and how paths are found. An image decides what lies below the new root, and
 * a container what lies in its volumes, so both are walked with openat2(2) RESOLVE_IN_ROOT: a
 * symbolic link leads nowhere outside, "..", too, and magic links of /proc are refused. What is
 * missing is made by mkdirat(2) and mknodat(2) in a directory that was found this way, and these
 * never follow a link in their last component.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "base/within.h"
#include "shim/ops.h"
#include "shim/text.h"

#define MAX_STEPS 256

/* Where a path leads: through the host, below base and never out of it, or, once the new root is
 * the process's own, through that, which is cheaper than to name it. */
enum kind { HOST, BELOW, INSIDE };

static const uint64_t resolve[] = {
	[HOST] = 0,
	[BELOW] = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	[INSIDE] = RESOLVE_NO_MAGICLINKS,
};

struct place {
	enum kind kind;
	int base;		/* somebody else's to close */
	mode_t mode;		/* of directories that are made, not through links; 0: 0755 */
	char rel[PATH_MAX];
};

static int open_at(int base, enum kind kind, const char *rel, int flags)
{
	return open_within(base, rel, (uint64_t)flags, resolve[kind]);
}

/* Copies path without slashes at its end; below base it has none at its start, inside it has one.
 * "" becomes ".". */
static int place_path(struct place *p, const char *path)
{
	size_t lead = p->kind == INSIDE;

	while (p->kind != HOST && *path == '/')
		path++;
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (lead + n >= sizeof(p->rel))
		return -ENAMETOOLONG;
	memcpy(p->rel, "/", lead);
	memcpy(p->rel + lead, path, n);
	p->rel[lead + n] = '\0';
	if (!p->rel[0])
		TEXT_COPY(p->rel, ".");
	return 0;
}

/* The rest of path below root, or NULL. */
static const char *below(const char *path, const char *root)
{
	size_t n = root ? strlen(root) : 0;

	while (n && root[n - 1] == '/')
		n--;
	if (!n || strncmp(path, root, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path + n;
}

/* The directory of the new root is opened once, until something may be mounted on it. */
static int root_directory(struct prog_run *x)
{
	if (x->root_fd < 0)
		x->root_fd = open(x->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return x->root_fd < 0 ? -errno : x->root_fd;
}

void tree_forget_root(struct prog_run *x)
{
	if (x->root_fd >= 0)
		close(fd_take(&x->root_fd));
}

static int place_open(struct prog_run *x, struct place *p, const char *path, bool inner)
{
	const char *rest = x->in_root ? NULL : below(path, x->root);

	p->base = AT_FDCWD;
	p->mode = 0;
	p->kind = x->in_root ? INSIDE : rest || inner ? BELOW : HOST;
	if (p->kind == BELOW) {
		p->base = x->root ? root_directory(x) : -EINVAL;
		if (p->base < 0)
			return p->base;
	}
	return place_path(p, rest ? rest : path);
}

static int place_fd(const struct place *p, const char *rel, int flags)
{
	return open_at(p->base, p->kind, rel, flags);
}

/* Puts the target of a link in the place of its name, which ends at rel[end]. */
static int follow_link(struct place *p, const char *target, size_t start, size_t end)
{
	char rel[PATH_MAX];
	struct text t = TEXT(rel);

	rel[0] = '\0';
	if (*target != '/')
		text_putn(&t, p->rel, start);
	text_put(text_put(&t, target), p->rel + end);
	return t.len + 1 == t.cap ? -ENAMETOOLONG : place_path(p, rel);
}

/* Makes what is missing in parent; -ELOOP when a link that leads nowhere yet is in its place. */
static int make_one(int parent, const char *name, bool dir, mode_t mode)
{
	int r = dir ? mkdirat(parent, name, mode ? mode : 0755) :
		      mknodat(parent, name, S_IFREG | 0644, 0);

	if (r < 0 && errno != EEXIST)
		return -errno;
	r = open_at(parent, BELOW, name, O_PATH | O_NOFOLLOW | (dir ? O_DIRECTORY : 0));
	return r == -ENOTDIR ? -ELOOP : r;
}

/* Opens the component after rel[*at], made if it is missing; *at is moved over it. */
static int make_step(struct place *p, int parent, size_t *at, enum tree_make last, bool missing)
{
	size_t start = *at + strspn(p->rel + *at, "/"), end = start + strcspn(p->rel + start, "/");
	char kept = p->rel[end], target[PATH_MAX];

	p->rel[end] = '\0';
	int fd = missing ? -ENOENT : place_fd(p, p->rel, O_PATH);
	if (fd == -ENOENT) {
		ssize_t n = readlinkat(parent, p->rel + start, target, sizeof(target) - 1);
		if (n >= 0 && p->mode) {
			p->rel[end] = kept;
			return -ENOENT;
		}
		if (n < 0) {
			fd = make_one(parent, p->rel + start, kept || last == TREE_DIR, p->mode);
		} else {
			target[n] = '\0';
			p->rel[end] = kept;
			fd = follow_link(p, target, start, end);
			*at = 0;
			return fd < 0 ? fd : place_fd(p, p->rel[0] == '/' ? "/" : ".", O_PATH);
		}
	}
	p->rel[end] = kept;
	*at = end;
	return fd;
}

/* Mostly only the last component is missing: *at is where it begins, or where the path does. */
static int make_start(struct place *p, size_t *at)
{
	char *slash = strrchr(p->rel, '/');

	*at = slash ? (size_t)(slash - p->rel) : 0;
	if (*at) {
		*slash = '\0';
		int fd = place_fd(p, p->rel, O_PATH | O_DIRECTORY);
		*slash = '/';
		if (fd != -ENOENT)
			return fd;
		*at = 0;
	}
	return place_fd(p, p->rel[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY);
}

/*
 * Opens p's path, which is not there, and makes what is missing of it: directories, and at its end
 * what last says. Where an image has a link to something missing, that is made, inside the root, as
 * the link would have it; steps are counted, for links that lead to each other.
 */
static int make_path(struct place *p, enum tree_make last)
{
	size_t at;
	int fd = make_start(p, &at);
	bool missing = at > 0;

	for (int steps = 0; fd >= 0 && p->rel[at]; steps++, missing = false) {
		int next = steps < MAX_STEPS ? make_step(p, fd, &at, last, missing) : -ELOOP;
		close(fd);
		fd = next;
	}
	return fd;
}

/*
 * Opens the directory that path lies in and tells the last component, both in p's buffer.
 * make: directories that are missing are made.
 */
static int open_parent(struct place *p, bool make, char ret_name[NAME_MAX + 1])
{
	char *slash = strrchr(p->rel, '/');
	const char *name = slash ? slash + 1 : p->rel;

	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(ret_name, name, strlen(name) + 1);
	if (!slash)
		return place_fd(p, ".", O_PATH | O_DIRECTORY);
	if (slash == p->rel)
		return place_fd(p, "/", O_PATH | O_DIRECTORY);
	*slash = '\0';
	int fd = place_fd(p, p->rel, O_PATH | O_DIRECTORY);
	return fd == -ENOENT && make ? make_path(p, TREE_DIR) : fd;
}

int tree_open(struct prog_run *x, const char *path, bool inner, enum tree_make make)
{
	struct place p;
	int r = place_open(x, &p, path, inner);

	if (r == 0)
		r = place_fd(&p, p.rel, O_PATH);
	if (r == -ENOENT && make != TREE_EXISTING)
		r = make_path(&p, make);
	return r;
}

int tree_source(struct prog_run *x, const char *path, bool make)
{
	const char *sub = strstr(path, "//");
	struct place p = { .kind = BELOW };
	char dir[PATH_MAX];
	struct stat sb;

	if (!sub || x->in_root)
		return tree_open(x, path, false, TREE_EXISTING);
	if ((size_t)(sub - path) >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, (size_t)(sub - path));
	dir[sub - path] = '\0';
	FD_AUTO base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return -errno;
	p.base = base;
	int r = place_path(&p, sub);
	if (r == 0)
		r = place_fd(&p, p.rel, O_PATH);
	if (r != -ENOENT || !make)
		return r;
	if (fstat(p.base, &sb) < 0)
		return -errno;
	p.mode = sb.st_mode & 0777;
	return make_path(&p, TREE_DIR);
}

static int write_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t w = write(fd, data, n);
		if (w < 0)
			return -errno;
		data += w;
		n -= (size_t)w;
	}
	return 0;
}

static int set_user(uint64_t uid)
{
	return syscall(SYS_setresuid, -1, (uid_t)uid, -1) < 0 ? -errno : 0;
}

/* Parameters of an IPC namespace may be set by who is root in it, whatever else the host's may. */
int op_write(struct prog_run *x, const struct step *st)
{
	struct place p;
	int r = place_open(x, &p, st->s[0], false);

	if (r == 0 && st->op->b)
		r = set_user(st->op->b);
	if (r < 0)
		return r;
	FD_AUTO fd = place_fd(&p, p.rel, O_WRONLY | O_TRUNC);
	if (fd >= 0)
		r = write_all(fd, st->s[1], strlen(st->s[1]));
	else if (fd != -ENOENT || st->op->a != 1)
		r = fd;
	int back = st->op->b ? set_user(0) : 0;
	return r < 0 ? r : back;
}

int op_mkdir(struct prog_run *x, const struct step *st)
{
	struct place p;
	char name[NAME_MAX + 1];
	int r = place_open(x, &p, st->s[0], false);

	if (r < 0)
		return r;
	FD_AUTO parent = open_parent(&p, st->op->b == 1, name);
	if (parent < 0)
		return parent;
	return mkdirat(parent, name, (mode_t)st->op->a) < 0 && errno != EEXIST ? -errno : 0;
}

int op_mknod(struct prog_run *x, const struct step *st)
{
	struct place p;
	char name[NAME_MAX + 1];
	int r = place_open(x, &p, st->s[0], false);

	if (r < 0)
		return r;
	FD_AUTO parent = open_parent(&p, false, name);
	if (parent < 0)
		return parent;
	return mknodat(parent, name, (mode_t)st->op->a, (dev_t)st->op->b) < 0 ? -errno : 0;
}

int op_symlink(struct prog_run *x, const struct step *st)
{
	struct place p;
	char name[NAME_MAX + 1];
	int r = place_open(x, &p, st->s[1], false);

	step_blame(x, st->s[1]);
	if (r < 0)
		return r;
	FD_AUTO parent = open_parent(&p, false, name);
	if (parent < 0)
		return parent;
	return symlinkat(st->s[0], parent, name) < 0 && errno != EEXIST ? -errno : 0;
}

/* A symbolic link of the image in the place of the file is replaced, not followed. */
static int create_file(int parent, const char *name, mode_t mode)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(parent, name, flags, mode);

	if (fd < 0 && errno == ELOOP && unlinkat(parent, name, 0) == 0)
		fd = openat(parent, name, flags | O_EXCL, mode);
	return fd < 0 ? -errno : fd;
}

int op_file(struct prog_run *x, const struct step *st)
{
	struct place p;
	char name[NAME_MAX + 1];
	int r = place_open(x, &p, st->s[0], false);

	if (r < 0)
		return r;
	FD_AUTO parent = open_parent(&p, true, name);
	if (parent < 0)
		return parent;
	FD_AUTO fd = create_file(parent, name, (mode_t)st->op->a);
	if (fd < 0)
		return fd;
	if (fchmod(fd, (mode_t)st->op->a) < 0)
		return -errno;
	return write_all(fd, prog_bytes(st->op), st->op->nbytes);
}

int op_chdir(struct prog_run *x, const struct step *st)
{
	FD_AUTO fd = tree_open(x, st->s[0], false, st->op->b == 1 ? TREE_DIR : TREE_EXISTING);

	if (fd < 0)
		return fd;
	return fchdir(fd) < 0 ? -errno : 0;
}
