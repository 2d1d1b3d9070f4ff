/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stat says "unchanged" only when the change time lies clearly before the walk that read it: two
 * writes within one tick of the kernel's clock look alike (the racy-clean problem).
 *
 * Half-written files: one that somebody has open for writing is not read at all (a read lease is
 * refused then, fcntl(2) F_SETLEASE); one that is the beginning of its last good version, as a
 * writer that died leaves it, counts only after it stayed so for CUT_NS.
 */
#include "daemon/watch_file.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/macro.h"
#include "base/units.h"
#include "schema/yaml.h"

#define RACY_NS (20 * MSEC)
#define CUT_NS (5 * NSEC)

void file_release(struct file *f)
{
	free(f->path);
	manifest_unref(f->good);
	manifest_unref(f->broken);
}

static bool same_stat(const struct file *f, const struct stat *st)
{
	int64_t ctime = st->st_ctim.tv_sec * NSEC + st->st_ctim.tv_nsec;

	return f->read_at && f->st.st_dev == st->st_dev && f->st.st_ino == st->st_ino &&
	       f->st.st_size == st->st_size &&
	       f->st.st_ctim.tv_sec == st->st_ctim.tv_sec &&
	       f->st.st_ctim.tv_nsec == st->st_ctim.tv_nsec && f->read_at - ctime > RACY_NS;
}

/* The digest of the newest version read, good or broken. */
static const char *file_digest(const struct file *f)
{
	return f->broken ? f->broken->digest : f->good ? f->good->digest : "";
}

/* Takes in a version; true when that changes what is in force or what is complained about. */
static bool file_take(struct file *f, const char *text, size_t n)
{
	char digest[DIGEST_HEX];

	digest_hex(text, n, digest);
	if (streq(digest, file_digest(f)))
		return false;
	struct manifest *m = manifest_load(f->path, text, n);
	manifest_unref(f->broken);
	f->broken = NULL;
	if (m->broken) {
		f->broken = m;
		return true;
	}
	manifest_unref(f->good);
	f->good = m;
	return true;
}

/* A file that can't be read is broken, too: it must not delete anything. */
static bool file_unreadable(struct file *f, const struct err *err)
{
	if (f->broken && !*f->broken->digest)
		return false;
	manifest_unref(f->broken);
	f->broken = manifest_failed(f->path, err->msg);
	return true;
}

static bool open_for_writing(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		fcntl(fd, F_SETLEASE, F_UNLCK);
		return false;
	}
	return errno == EAGAIN;		/* others: a file system without leases */
}

/* Is text only the beginning of what was there before, and not for long? */
static bool cut_off(struct file *f, const struct buf *text, bool force)
{
	int64_t now = time_mono();

	if (!f->good || text->len >= f->good->size ||
	    memcmp(buf_str(text), f->good->text, text->len) != 0) {
		f->cut_at = 0;
		return false;
	}
	if (!f->cut_at)
		f->cut_at = now;
	return !force && now - f->cut_at < CUT_NS;
}

/* Reads path: 0, -EAGAIN while it is being written, or another error. */
static int read_manifest(const char *dir, const char *path, struct buf *text, struct err *err)
{
	BUF_AUTO full = { 0 };

	buf_printf(&full, "%s/%s", dir, path);
	FD_AUTO fd = open(buf_str(&full), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && open_for_writing(fd))
		return -EAGAIN;
	return file_read(buf_str(&full), YAML_MAX_BYTES, text, err);
}

enum file_news file_visit(struct file *f, const char *dir, const struct stat *st, bool force)
{
	BUF_AUTO text = { 0 };
	struct err err = { 0 };
	int64_t now = time_now();

	if (same_stat(f, st))
		return FILE_SAME;
	int r = read_manifest(dir, f->path, &text, &err);
	if (r == -ENOENT)
		return FILE_GONE;
	if (r == -EAGAIN || (r == 0 && cut_off(f, &text, force)))
		return FILE_WAITS;
	f->st = *st;
	f->read_at = r ? 0 : now;
	bool changed = r ? file_unreadable(f, &err) : file_take(f, buf_str(&text), text.len);
	return changed ? FILE_CHANGED : FILE_SAME;
}
