/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The description of an unpacked layer; see layer.h. Written and read by orch itself. */
#include "image/layer.h"

#include <fcntl.h>
#include <inttypes.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/reference.h"

#define LAYER_MAX 4096
#define IMPLIED_MAX (16 << 20)

void layer_id(const char *digest, char ret[LAYER_ID])
{
	snprintf(ret, LAYER_ID, "%s", digest + sizeof("sha256:") - 1);
}

static int write_file(int dir, const char *name, const struct buf *text)
{
	FD_AUTO fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int layer_write(int dir, const struct layer *l, const struct buf *implied, struct err *err)
{
	BUF_AUTO text = { 0 };

	buf_printf(&text, "digest %s\ndiff %s\nbytes %" PRIu64 "\nentries %" PRIu64 "\nopaque %d\n"
		   "implies %d\nend\n", l->digest, l->diff, l->bytes, l->entries, l->root_opaque,
		   l->implies);
	int r = write_file(dir, "layer", &text);
	if (r == 0 && implied->len)
		r = write_file(dir, "implied", implied);
	return r < 0 ? err_sys(err, r, "cannot write down the layer") : 0;
}

static int read_file(int dir, const char *name, size_t max, struct buf *ret, struct err *err)
{
	FD_AUTO fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_sys(err, -errno, "%s", name);
	return file_read_fd(fd, name, max, ret, err);
}

int layer_read(int dir, struct layer *ret, struct err *err)
{
	BUF_AUTO text = { 0 };
	struct layer l = { 0 };
	int opaque, implies, end = 0;
	int r = read_file(dir, "layer", LAYER_MAX, &text, err);

	if (r < 0)
		return r;
	int n = sscanf(buf_str(&text), "digest %71s diff %71s bytes %" SCNu64 " entries %" SCNu64
		       " opaque %d implies %d end%n", l.digest, l.diff, &l.bytes, &l.entries, &opaque,
		       &implies, &end);
	if (n != 6 || end == 0 || !digest_valid(l.digest))
		return err_set(err, -EBADMSG, "a layer's description is broken");
	l.root_opaque = opaque;
	l.implies = implies;
	*ret = l;
	return 0;
}

int layer_read_implied(int dir, struct buf *ret, struct err *err)
{
	int r = read_file(dir, "implied", IMPLIED_MAX, ret, err);

	if (r == 0 && ret->len && ret->data[ret->len - 1])
		return err_set(err, -EBADMSG, "a layer's list of directories is broken");
	return r;
}
