/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unprivileged half of unpacking; see unpack_read.h. Names are normalised here, which is for
 * messages and the applier's cache; what keeps them inside the layer is the applier's way to
 * resolve them. The records are collected, since a layer is mostly small files.
 */
#include "image/unpack_read.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "base/macro.h"
#include "image/inflate.h"
#include "image/tar.h"
#include "image/unpack_ops.h"

#define OUT_SIZE (256 * 1024)
#define DIR_NAMES_MAX (24 << 20)

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define AUFS ".wh..wh."

struct dir_time {
	uint32_t name;		/* offset in names */
	uint32_t ns;
	int64_t s;
};

struct reader {
	int out;
	const struct unpack_limits *limits;
	bool plain;
	struct inflate *inflate;
	struct tar *tar;
	uint64_t entries, bytes;
	struct buf dirs;		/* struct dir_time[] */
	struct buf names;
	struct err err;
	size_t n;
	char buffer[OUT_SIZE];
};

/* ---- writing ---- */

static int flush(struct reader *r)
{
	for (size_t done = 0; done < r->n;) {
		ssize_t n = write(r->out, r->buffer + done, r->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(&r->err, -errno, "pipe");
		done += (size_t)n;
	}
	r->n = 0;
	return 0;
}

static int send(struct reader *r, struct unpack_op op, const char *name, const void *data, size_t n)
{
	size_t nname = strlen(name);

	op.nname = (uint32_t)nname;
	op.ndata = (uint32_t)n;
	if (r->n + sizeof(op) + nname + n > sizeof(r->buffer)) {
		int e = flush(r);

		if (e < 0)
			return e;
	}
	memcpy(r->buffer + r->n, &op, sizeof(op));
	memcpy(r->buffer + r->n + sizeof(op), name, nname);
	if (n)
		memcpy(r->buffer + r->n + sizeof(op) + nname, data, n);
	r->n += sizeof(op) + nname + n;
	return 0;
}

static int send_string(struct reader *r, struct unpack_op op, const char *name, const char *data)
{
	return send(r, op, name, data, strlen(data));
}

/* ---- names ---- */

/* Without a leading slash, empty and "." components; "..", and too long ones, are refused. */
static int normalise(struct reader *r, const char *from, char to[UNPACK_NAME_MAX + 1])
{
	size_t len = 0;

	for (const char *p = from; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_set(&r->err, -EBADMSG, "\"%.200s\" leads out of the layer", from);
		if (n > 255)
			return err_set(&r->err, -EBADMSG, "a name of %zu bytes in \"%.200s...\"", n,
				       from);
		if (n && !(n == 1 && p[0] == '.')) {
			if (len + 1 + n > UNPACK_NAME_MAX)
				return err_set(&r->err, -EBADMSG, "the path \"%.200s...\" is too long",
					       from);
			if (len)
				to[len++] = '/';
			memcpy(to + len, p, n);
			len += n;
		}
		p += n + (p[n] == '/');
	}
	to[len] = '\0';
	return 0;
}

/* ---- kinds of entries ---- */

static struct unpack_op op_of(const struct tar_entry *e, enum unpack_opcode op, mode_t type)
{
	return (struct unpack_op){
		.op = op, .mode = type | e->mode, .uid = e->uid, .gid = e->gid, .major = e->major,
		.minor = e->minor, .mtime = e->mtime, .mtime_ns = e->mtime_ns, .offset = e->size,
	};
}

static int on_dir(struct reader *r, const struct tar_entry *e, const char *path)
{
	struct dir_time t = { (uint32_t)r->names.len, e->mtime_ns, e->mtime };

	if (r->names.len > DIR_NAMES_MAX)
		return err_set(&r->err, -EFBIG, "the layer has too many directories");
	buf_add(&r->names, path, strlen(path) + 1);
	buf_add(&r->dirs, &t, sizeof(t));
	return send(r, op_of(e, UNPACK_DIR, S_IFDIR), path, NULL, 0);
}

static int on_file(struct reader *r, const struct tar_entry *e, const char *path)
{
	int k = send(r, op_of(e, UNPACK_FILE, S_IFREG), path, NULL, 0);

	while (k == 0) {
		const unsigned char *data;
		struct unpack_op op = { .op = UNPACK_DATA };
		size_t n;

		k = tar_data(r->tar, UNPACK_DATA_MAX, &data, &n, &op.offset, &r->err);
		if (k < 0 || n == 0)
			return k;
		r->bytes += n;
		if (r->bytes > r->limits->bytes)
			return err_set(&r->err, -EFBIG, "the layer holds more than %llu bytes",
				       (unsigned long long)r->limits->bytes);
		k = send(r, op, "", data, n);
	}
	return k;
}

static int on_symlink(struct reader *r, const struct tar_entry *e, const char *path)
{
	if (!*e->link)
		return err_set(&r->err, -EBADMSG, "the symbolic link \"%.200s\" is empty", path);
	return send_string(r, op_of(e, UNPACK_SYMLINK, S_IFLNK), path, e->link);
}

static int on_link(struct reader *r, const struct tar_entry *e, const char *path)
{
	char target[UNPACK_NAME_MAX + 1];
	int k = normalise(r, e->link, target);

	if (k == 0 && !*target)
		return err_set(&r->err, -EBADMSG, "the hard link \"%.200s\" is empty", path);
	return k < 0 ? k : send_string(r, op_of(e, UNPACK_LINK, 0), path, target);
}

static int on_char(struct reader *r, const struct tar_entry *e, const char *path)
{
	return send(r, op_of(e, UNPACK_NODE, S_IFCHR), path, NULL, 0);
}

static int on_block(struct reader *r, const struct tar_entry *e, const char *path)
{
	return send(r, op_of(e, UNPACK_NODE, S_IFBLK), path, NULL, 0);
}

static int on_fifo(struct reader *r, const struct tar_entry *e, const char *path)
{
	return send(r, op_of(e, UNPACK_NODE, S_IFIFO), path, NULL, 0);
}

static const struct {
	int (*add)(struct reader *r, const struct tar_entry *e, const char *path);
	bool plain;		/* may be in an archive that is no layer */
	bool root;		/* may be the root itself */
	bool xattrs;
} kinds[] = {
	[TAR_FILE] = { on_file, true, false, true },
	[TAR_LINK] = { on_link, false, false, false },
	[TAR_SYMLINK] = { on_symlink, false, false, true },
	[TAR_CHAR] = { on_char, false, false, true },
	[TAR_BLOCK] = { on_block, false, false, true },
	[TAR_DIR] = { on_dir, true, true, true },
	[TAR_FIFO] = { on_fifo, false, false, true },
};

static int send_xattrs(struct reader *r, const struct tar_entry *e)
{
	const struct unpack_op op = { .op = UNPACK_XATTR };
	int k = 0;

	for (size_t i = 0; k == 0 && !r->plain && i < e->nxattrs; i++) {
		if (unpack_keeps_xattr(e->xattrs[i].name))
			k = send(r, op, e->xattrs[i].name, e->xattrs[i].value, e->xattrs[i].n);
	}
	return k;
}

/* ".wh.NAME" hides NAME, ".wh..wh..opq" all its directory; other ".wh..wh.*" are aufs's own. */
static int whiteout(struct reader *r, char *path, char *base)
{
	if (streq(base, OPAQUE)) {
		base[base > path ? -1 : 0] = '\0';
		return send(r, (struct unpack_op){ .op = UNPACK_OPAQUE }, path, NULL, 0);
	}
	if (strncmp(base, AUFS, sizeof(AUFS) - 1) == 0)
		return 0;
	const char *name = base + sizeof(WHITEOUT) - 1;
	if (!*name || streq(name, ".") || streq(name, ".."))
		return err_set(&r->err, -EBADMSG, "the whiteout \"%.200s\" names nothing", path);
	memmove(base, name, strlen(name) + 1);
	return send(r, (struct unpack_op){ .op = UNPACK_WHITEOUT }, path, NULL, 0);
}

static int on_entry(struct reader *r, const struct tar_entry *e)
{
	char path[UNPACK_NAME_MAX + 1];
	int k = normalise(r, e->path, path);

	if (k < 0)
		return k;
	if (++r->entries > r->limits->entries)
		return err_set(&r->err, -EFBIG, "the layer has more than %llu entries",
			       (unsigned long long)r->limits->entries);
	char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	if (!r->plain && strncmp(base, WHITEOUT, sizeof(WHITEOUT) - 1) == 0)
		return whiteout(r, path, base);
	if (r->plain && e->type == TAR_SYMLINK)
		return 0;	/* second names of files, for docker before 1.10 */
	if ((r->plain && !kinds[e->type].plain) || (!*path && !kinds[e->type].root))
		return err_set(&r->err, -EBADMSG, "\"%.200s\" is of a kind that may not be there",
			       e->path);
	k = kinds[e->type].add(r, e, path);
	return k < 0 || !kinds[e->type].xattrs ? k : send_xattrs(r, e);
}

static int send_times(struct reader *r)
{
	const struct dir_time *t = (const struct dir_time *)r->dirs.data;
	int k = 0;

	for (size_t i = 0; k == 0 && i < r->dirs.len / sizeof(*t); i++) {
		const struct unpack_op op = {
			.op = UNPACK_TIME, .mtime = t[i].s, .mtime_ns = t[i].ns,
		};
		k = send(r, op, r->names.data + t[i].name, NULL, 0);
	}
	return k;
}

static int read_inflated(void *data, size_t max, const unsigned char **ret, size_t *ret_n,
			 struct err *err)
{
	return inflate_read(data, max, ret, ret_n, err);
}

static int read_archive(struct reader *r, int in)
{
	const struct inflate_limits l = {
		/* headers, padding and names come on top of what the files hold */
		.bytes = r->limits->bytes + r->limits->entries * 1024 + (64 << 20),
		.ratio = r->limits->ratio,
	};
	struct tar_entry e;
	int k = inflate_new(in, &l, &r->inflate, &r->err);

	if (k < 0)
		return k;
	r->tar = tar_new((struct tar_source){ read_inflated, r->inflate });
	do {
		k = tar_next(r->tar, &e, &r->err);
		if (k > 0)
			k = on_entry(r, &e) < 0 ? r->err.code : 1;
	} while (k > 0);
	if (k == 0)
		k = tar_drain(r->tar, &r->err);
	return k < 0 ? k : send_times(r);
}

static int finish(struct reader *r, int k)
{
	struct unpack_op op = { .op = UNPACK_END };
	char digest[IMAGE_DIGEST_MAX];

	if (k == 0) {
		inflate_digest(r->inflate, digest, sizeof(digest));
		k = send_string(r, op, "", digest);
	} else {
		op = (struct unpack_op){ .op = UNPACK_FAIL, .offset = (uint64_t)(int64_t)k };
		send_string(r, op, "", r->err.msg);
	}
	return flush(r) < 0 ? r->err.code : k;
}

int unpack_read(int in, int out, const struct unpack_limits *limits, bool plain)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->out = out;
	r->limits = limits;
	r->plain = plain;
	int k = finish(r, read_archive(r, in));
	tar_free(r->tar);
	inflate_free(r->inflate);
	buf_release(&r->dirs);
	buf_release(&r->names);
	free(r);
	return k;
}
