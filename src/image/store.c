/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening, locking, blobs and layers of the store; see store.h. Everything is reached from the
 * store's own descriptor. The lock file is held shared by pullers; each flock(2) is on an open
 * file of its own, so that one process can hold the store and find itself busy, too.
 */
#include "image/store_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/macro.h"
#include "base/reference.h"

static const char *const directories[] = {
	"blobs", "partial", "layers", "chains", "new", "names", "pins",
};

/* ---- names ---- */

int store_name(const char *kind, const char *digest, char ret[STORE_NAME_MAX], struct err *err)
{
	if (!digest_valid(digest))
		return err_set(err, -EINVAL, "\"%.100s\" is no SHA-256 digest", digest);
	snprintf(ret, STORE_NAME_MAX, "%s/%s", kind, digest + sizeof("sha256:") - 1);
	return 0;
}

void store_ref_name(const char *ref, char ret[STORE_NAME_MAX])
{
	char hex[DIGEST_HEX];

	digest_hex(ref, strlen(ref), hex);
	snprintf(ret, STORE_NAME_MAX, "names/%.32s", hex);
}

/* ---- locks ---- */

static int lock_file(struct image_store *s, int how, struct err *err)
{
	FD_AUTO fd = openat(s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, -errno, "%s/lock", s->path);
	while (flock(fd, how) < 0) {
		if (errno == EWOULDBLOCK)
			return err_set(err, -EBUSY, "images are being pulled");
		if (errno != EINTR)
			return err_sys(err, -errno, "%s/lock", s->path);
	}
	return fd_take(&fd);
}

int store_lock(struct image_store *s, int *ret_fd, struct err *err)
{
	int fd = lock_file(s, LOCK_EX | LOCK_NB, err);

	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int image_store_hold(struct image_store *s, struct err *err)
{
	if (s->held < 0)
		s->held = lock_file(s, LOCK_SH, err);
	return MIN(s->held, 0);
}

void image_store_release(struct image_store *s)
{
	fd_cleanup(&s->held);
	s->held = -1;
}

/* ---- directories ---- */

static int open_sub(struct image_store *s, const char *sub, DIR **ret, struct err *err)
{
	FD_AUTO fd = openat(s->dir, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return err_sys(err, -errno, "%s/%s", s->path, sub);
	fd_take(&fd);
	*ret = d;
	return 0;
}

int store_each(struct image_store *s, const char *sub,
	       int (*visit)(struct image_store *s, const char *name, void *data, struct err *err),
	       void *data, struct err *err)
{
	char name[STORE_NAME_MAX + NAME_MAX];
	DIR *d = NULL;
	int r = open_sub(s, sub, &d, err);

	if (r < 0)
		return r;
	for (struct dirent *e; r >= 0 && (e = readdir(d));) {
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", sub, e->d_name);
		r = visit(s, name, data, err);
	}
	closedir(d);
	return MIN(r, 0);
}

static int remove_at(struct image_store *s, const char *name, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", s->path, name);
	return file_rm_rf(path, err);
}

int store_discard(struct image_store *s, const char *name, struct err *err)
{
	char gone[STORE_NAME_MAX];
	const char *slash = strchr(name, '/');

	snprintf(gone, sizeof(gone), "new/gone.%.70s", slash ? slash + 1 : name);
	int r = remove_at(s, gone, err);
	if (r == 0 && renameat(s->dir, name, s->dir, gone) < 0)
		return errno == ENOENT ? 0 : err_sys(err, -errno, "%s/%s", s->path, name);
	return r < 0 ? r : remove_at(s, gone, err);
}

/* ---- opening ---- */

static int sweep_any(struct image_store *s, const char *name, void *data, struct err *err)
{
	(void)data;
	return remove_at(s, name, err);
}

static int sweep_unsettled(struct image_store *s, const char *name, void *data, struct err *err)
{
	struct stat st;

	(void)data;
	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !(st.st_mode & S_IWUSR))
		return 0;
	return store_discard(s, name, err);
}

/* Whole or half, a file of the same name as one being written is of a writer that is gone. */
static int sweep_temporary(struct image_store *s, const char *name, void *data, struct err *err)
{
	const char *base = strchr(name, '/') + 1;

	(void)data;
	return *base == '.' ? remove_at(s, name, err) : 0;
}

/* What a power failure may have left half on the disk. A killed process leaves nothing such. */
static int sweep_after_boot(struct image_store *s, struct err *err)
{
	BUF_AUTO now = { 0 };
	BUF_AUTO then = { 0 };
	char path[PATH_MAX];
	int r = file_read("/proc/sys/kernel/random/boot_id", 64, &now, err);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/boot", s->path);
	if (file_read(path, 64, &then, NULL) == 0 && streq(buf_str(&now), buf_str(&then)))
		return 0;
	static const char *const subs[] = { "blobs", "layers", "chains" };
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(subs); i++)
		r = store_each(s, subs[i], sweep_unsettled, NULL, err);
	if (r == 0)
		r = store_each(s, "partial", sweep_any, NULL, err);
	return r < 0 ? r : file_write_atomic(path, now.data, now.len, 0600, true, err);
}

static int sweep(struct image_store *s, struct err *err)
{
	FD_AUTO lock = -1;
	int r = store_lock(s, &lock, NULL);

	if (r == -EBUSY)
		return 0;
	if (r < 0)
		return err_sys(err, r, "%s/lock", s->path);
	r = store_each(s, "new", sweep_any, NULL, err);
	if (r == 0)
		r = store_each(s, "names", sweep_temporary, NULL, err);
	return r < 0 ? r : sweep_after_boot(s, err);
}

static int prepare(struct image_store *s, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (mkdirat(s->dir, directories[i], 0700) < 0 && errno != EEXIST)
			return err_sys(err, -errno, "%s/%s", s->path, directories[i]);
	return sweep(s, err);
}

int image_store_open(const char *dir, struct image_store **ret, struct err *err)
{
	size_t n = strlen(dir) + 1;
	struct image_store *s = malloc(sizeof(*s) + n);
	int r = file_mkdir_p(dir, 0700, err);

	if (!s)
		abort();
	*s = (struct image_store){ .dir = -1, .held = -1 };
	memcpy(s->path, dir, n);
	if (r == 0) {
		s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = s->dir < 0 ? err_sys(err, -errno, "%s", dir) : prepare(s, err);
	}
	if (r < 0) {
		image_store_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void image_store_close(struct image_store *s)
{
	if (!s)
		return;
	fd_cleanup(&s->held);
	fd_cleanup(&s->dir);
	free(s);
}

/* ---- blobs ---- */

bool image_store_has_blob(struct image_store *s, const char *digest)
{
	char name[STORE_NAME_MAX];
	struct stat st;

	return store_name("blobs", digest, name, NULL) == 0 &&
	       fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int image_store_open_blob(struct image_store *s, const char *digest, int *ret_fd, struct err *err)
{
	char name[STORE_NAME_MAX];
	int r = store_name("blobs", digest, name, err);

	if (r < 0)
		return r;
	int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, -errno, "blob %s", digest);
	*ret_fd = fd;
	return 0;
}

/* Is what fd is open on still what name says? */
static bool is_same(struct image_store *s, int fd, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(s->dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_ino == b.st_ino;
}

/* Whoever had it open before may have finished and renamed it, or removed it. */
static int open_partial(struct image_store *s, const char *name)
{
	for (;;) {
		FD_AUTO fd = openat(s->dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
				    0600);

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? -EBUSY : -errno;
		if (is_same(s, fd, name))
			return fd_take(&fd);
	}
}

int image_store_begin_blob(struct image_store *s, const char *digest, struct image_blob *ret,
			   uint64_t *ret_offset, struct err *err)
{
	char name[STORE_NAME_MAX];
	int r = store_name("partial", digest, name, err);

	if (r < 0)
		return r;
	FD_AUTO fd = open_partial(s, name);
	if (fd < 0)
		return err_sys(err, fd, "blob %s", digest);
	if (image_store_has_blob(s, digest)) {
		unlinkat(s->dir, name, 0);
		return err_set(err, -EEXIST, "blob %s is there", digest);
	}
	off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return err_sys(err, -errno, "blob %s", digest);
	snprintf(ret->digest, sizeof(ret->digest), "%s", digest);
	ret->fd = fd_take(&fd);
	*ret_offset = (uint64_t)end;
	return 0;
}

void image_store_abort_blob(struct image_blob *b)
{
	fd_cleanup(&b->fd);
	b->fd = -1;
}

static int hash_file(int fd, char ret[DIGEST_HEX])
{
	enum { CHUNK = 256 * 1024 };
	FREE_AUTO char *chunk = malloc(CHUNK);
	struct digest d;

	if (!chunk)
		return -ENOMEM;
	digest_init(&d);
	for (;;) {
		ssize_t n = read(fd, chunk, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		digest_add(&d, chunk, (size_t)n);
	}
	digest_end(&d, ret);
	return 0;
}

/*
 * A read lease is granted only while nobody has the file open for writing, mappings included: so
 * whoever had a descriptor has none now, and nobody gets another who does not get the lock first.
 * Who opens the file in between waits for the lease to end; its signal is one that does nothing.
 */
static int open_unwritten(struct image_store *s, const char *name)
{
	FD_AUTO fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -ETXTBSY : -errno;
	if (fcntl(fd, F_SETSIG, SIGURG) < 0 || fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN ? -ETXTBSY : -errno;
	return fcntl(fd, F_SETLEASE, F_UNLCK) < 0 ? -errno : fd_take(&fd);
}

/* The size first: whoever downloads could have made a file of holes that takes days to read. */
static int verify(int fd, const struct image_blob *b, uint64_t expected, struct err *err)
{
	char hex[DIGEST_HEX];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "blob %s", b->digest);
	if (expected != UINT64_MAX && (uint64_t)st.st_size != expected)
		return err_set(err, -EBADMSG, "blob %s has %llu bytes instead of %llu", b->digest,
			       (unsigned long long)st.st_size, (unsigned long long)expected);
	int r = hash_file(fd, hex);
	if (r < 0)
		return err_sys(err, r, "blob %s", b->digest);
	if (!streq(hex, b->digest + sizeof("sha256:") - 1))
		return err_set(err, -EBADMSG, "blob %s: its contents are sha256:%s", b->digest, hex);
	return 0;
}

int image_store_commit_blob(struct image_store *s, struct image_blob *b, uint64_t size,
			    struct err *err)
{
	char from[STORE_NAME_MAX], to[STORE_NAME_MAX];
	int r = store_name("partial", b->digest, from, err);

	image_store_abort_blob(b);
	if (r == 0)
		r = store_name("blobs", b->digest, to, err);
	if (r < 0)
		return r;
	FD_AUTO fd = open_unwritten(s, from);
	if (fd < 0)
		return err_sys(err, fd, "blob %s", b->digest);
	r = verify(fd, b, size, err);
	if (r == -EBADMSG)
		unlinkat(s->dir, from, 0);
	if (r == 0 && renameat(s->dir, from, s->dir, to) < 0)
		r = err_sys(err, -errno, "blob %s", b->digest);
	return r;
}

/* ---- layers ---- */

int store_open_layer(struct image_store *s, const char *digest, struct layer *ret, int *ret_fd,
		     struct err *err)
{
	char id[LAYER_ID], name[STORE_NAME_MAX];

	if (!digest_valid(digest))
		return err_set(err, -EINVAL, "\"%.100s\" is no SHA-256 digest", digest);
	layer_id(digest, id);
	snprintf(name, sizeof(name), "layers/%s", id);
	FD_AUTO fd = openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, -errno, "layer %s", digest);
	int r = layer_read(fd, ret, err);
	if (r < 0)
		return r;
	if (!streq(ret->digest, digest))
		return err_set(err, -EEXIST, "layer %s: its place is taken by %s", digest, ret->digest);
	if (ret_fd)
		*ret_fd = fd_take(&fd);
	return 0;
}

bool image_store_has_layer(struct image_store *s, const char *digest)
{
	struct layer l;

	return store_open_layer(s, digest, &l, NULL, NULL) == 0;
}
