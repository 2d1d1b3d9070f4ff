/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unpack_user(): finds passwd and group in the layers of an image, as an overlay of them would, and
 * has a sandboxed reader parse them. Here they are only copied, as bytes, into one memory file.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/within.h"
#include "image/confine.h"
#include "image/store_dir.h"
#include "image/unpack.h"
#include "image/user.h"

#define FILE_MAX (4 << 20)
#define CPU_S 10

static int open_in(int root, const char *path, uint64_t flags)
{
	return open_within(root, path, flags,
			   RESOLVE_IN_ROOT | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
}

/* Never opens what is no plain file: a device's driver would be asked. */
static int open_plain(int tree, const char *path)
{
	struct stat st;
	FD_AUTO fd = open_in(tree, path, O_PATH);
	char again[32];

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -ENOTDIR;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	int plain = open(again, O_RDONLY | O_CLOEXEC);
	return plain < 0 ? -errno : plain;
}

/* Does the layer say that nothing of etc is in lower ones? */
static bool hides_etc(int tree, const struct layer *l)
{
	FD_AUTO etc = open_in(tree, "etc", O_RDONLY | O_DIRECTORY);
	char y;

	return l->root_opaque || etc == -ENOTDIR ||
	       (etc >= 0 && fgetxattr(etc, "trusted.overlay.opaque", &y, 1) == 1);
}

/* -ENOENT: no layer has it. */
static int find_file(struct image_store *s, const struct image_layers *layers, const char *path,
		     struct err *err)
{
	for (uint32_t i = layers->n; i > 0; i--) {
		FD_AUTO dir = -1;
		struct layer l;
		int r = store_open_layer(s, layers->v[i - 1].digest, &l, &dir, err);

		if (r < 0)
			return r;
		FD_AUTO tree = openat(dir, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
		int fd = open_plain(tree, path);
		if (fd >= 0)
			return fd;
		if (fd != -ENOENT || hides_etc(tree, &l))
			break;
	}
	return -ENOENT;
}

/* With its NUL; nothing when there is none. */
static int copy_file(struct image_store *s, const struct image_layers *layers, const char *path,
		     struct buf *to, struct err *err)
{
	FD_AUTO fd = find_file(s, layers, path, err);
	int r = fd == -ENOENT ? 0 : fd < 0 ? fd : file_read_fd(fd, path, FILE_MAX, to, err);

	buf_putc(to, '\0');
	return r;
}

/* ---- the reader: two texts from 0, the answer or a message to 1 ---- */

struct answer {
	int code;
	char ids[USER_IDS_MAX];
	char message[256];
};

static int read_texts(char **ret_passwd, char **ret_group)
{
	BUF_AUTO all = { 0 };

	if (file_read_fd(0, "users", 2 * FILE_MAX + 2, &all, NULL) < 0)
		return -EIO;
	const char *end = all.len ? memchr(all.data, '\0', all.len) : NULL;
	if (!end)
		return -EIO;
	size_t n = (size_t)(end - all.data) + 1;
	*ret_group = strndup(all.data + n, all.len - n);
	*ret_passwd = strdup(all.data);
	return 0;
}

static _Noreturn void reader_main(int in, int out, uid_t uid, const char *user)
{
	struct answer a = { 0 };
	struct err err = { 0 };
	char *passwd, *group;
	int r = confine_reader(in, out, uid, CPU_S);

	if (r == 0)
		r = read_texts(&passwd, &group);
	if (r == 0)
		r = user_resolve(user, passwd, group, a.ids, sizeof(a.ids), &err);
	a.code = r;
	snprintf(a.message, sizeof(a.message), "%.255s", err.msg);
	_exit(write(1, &a, sizeof(a)) != sizeof(a));
}

static int ask(int in, uid_t uid, const char *user, struct answer *ret, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "pipe");
	pid_t pid = fork();
	if (pid == 0)
		reader_main(in, ends[1], uid, user);
	close(ends[1]);
	FD_AUTO from = ends[0];
	if (pid < 0)
		return err_sys(err, -errno, "fork");
	ssize_t n = read(from, ret, sizeof(*ret));
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return n == sizeof(*ret) ? 0 :
	       err_set(err, -EBADMSG, "the reader of the image's users was ended");
}

/* What the reader said is the image's word: numbers, or a message without anything odd in it. */
static int take(struct answer *a, char *ret, size_t n, struct err *err)
{
	a->message[sizeof(a->message) - 1] = a->ids[sizeof(a->ids) - 1] = '\0';
	for (char *p = a->message; *p; p++)
		if (*p < ' ' || *p >= 0x7f)
			*p = '?';
	if (a->code != 0)
		return err_set(err, a->code == -ENOENT ? -ENOENT : -EBADMSG, "%s", a->message);
	if (strspn(a->ids, "0123456789:,") != strlen(a->ids) || strlen(a->ids) >= n)
		return err_set(err, -EBADMSG, "the image's users cannot be read");
	snprintf(ret, n, "%s", a->ids);
	return 0;
}

int unpack_user(struct image_store *s, const struct image_layers *layers, const char *user,
		uid_t uid, char *ret, size_t n, struct err *err)
{
	BUF_AUTO both = { 0 };
	struct answer a = { 0 };
	int r = copy_file(s, layers, "etc/passwd", &both, err);

	if (r == 0)
		r = copy_file(s, layers, "etc/group", &both, err);
	if (r < 0)
		return r;
	FD_AUTO memory = memfd_create("users", MFD_CLOEXEC);
	if (memory < 0 || write(memory, both.data, both.len) != (ssize_t)both.len ||
	    lseek(memory, 0, SEEK_SET) < 0)
		return err_sys(err, -errno, "memory file");
	r = ask(memory, uid, user, &a, err);
	return r < 0 ? r : take(&a, ret, n, err);
}
