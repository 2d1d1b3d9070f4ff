/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening and closing the state directory, and its state files. A flock(2) on DIR/lock keeps a
 * second orchd out; the kernel drops it with the process, however that ends. A file that we cannot
 * understand is never replaced or skipped: it holds addresses and histories that nothing else
 * knows, so opening fails and names it.
 */
#include "store/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"

#define STATE_FILE_MAX (256u << 20)
#define LOCK_TRIES 50
#define LOCK_PAUSE_US 20000

int state_bad(const struct state_file *f, size_t i, struct err *err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, -EBADMSG, "%s: record %zu: %s", f->path, i + 1, text);
}

int state_file_read(struct state_file *f, json_t **ret, struct err *err)
{
	BUF_AUTO text = { 0 };
	json_error_t why;
	int r;

	r = file_read(f->path, STATE_FILE_MAX, &text, NULL);
	if (r == -ENOENT) {
		*ret = NULL;
		return 0;
	}
	if (r < 0)
		return err_sys(err, r, "%s", f->path);
	json_t *json = json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, &why);
	if (!json)
		return err_set(err, -EBADMSG, "%s:%d:%d: damaged: %s", f->path, why.line, why.column,
			       why.text);
	if (!json_is_array(json)) {
		json_decref(json);
		return err_set(err, -EBADMSG, "%s: damaged: a list was expected", f->path);
	}
	digest_hex(text.data, text.len, f->digest);
	*ret = json;
	return 0;
}

int state_file_write(struct state_file *f, const struct buf *content, struct err *err)
{
	char digest[DIGEST_HEX];
	int r;

	digest_hex(buf_str(content), content->len, digest);
	if (streq(digest, f->digest))
		return 0;
	r = file_write_atomic(f->path, buf_str(content), content->len, 0600, true, err);
	if (r < 0)
		return r;
	memcpy(f->digest, digest, sizeof(digest));
	return 0;
}

int state_key_read(struct arena *a, const struct state_file *f, size_t i, json_t *record,
		   struct object_key *ret, struct err *err)
{
	const char *api, *kind, *ns, *name;
	json_error_t why;

	if (json_unpack_ex(record, &why, 0, "{s:s, s:s, s:s, s:s}", "apiVersion", &api, "kind", &kind,
			   "namespace", &ns, "name", &name) < 0)
		return state_bad(f, i, err, "%s", why.text);
	ret->kind = kind_find(api, kind);
	if (!ret->kind)
		return state_bad(f, i, err, "%s %s is not a kind of this version", api, kind);
	ret->namespace = arena_strdup(a, ns);
	ret->name = arena_strdup(a, name);
	return 0;
}

void state_key_write(struct json *j, const struct object_key *key)
{
	json_kstr(j, "apiVersion", key->kind->api_version);
	json_kstr(j, "kind", key->kind->name);
	json_kstr(j, "namespace", key->namespace);
	json_kstr(j, "name", key->name);
}

void state_time_write(struct json *j, const char *key, int64_t ns)
{
	char text[40];

	time_format_nano(ns, text);
	json_kstr(j, key, text);
}

/* What is in it is for people: which process holds the lock. */
static void lock_write_pid(int fd)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) != n)
		(void)!ftruncate(fd, 0);
}

static int lock_busy(const char *dir, int fd, struct err *err)
{
	char text[16] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
	return err_set(err, -EBUSY, "%s is in use by another orchd%s%s", dir, *text ? ", process " : "",
		       text);
}

static int store_lock(struct store *s, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", s->dir);
	FD_AUTO fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, -errno, "%s", path);
	/* a daemon that was killed a moment ago still holds it until the kernel is done with it */
	for (int tries = LOCK_TRIES; flock(fd, LOCK_EX | LOCK_NB) < 0; tries--) {
		if (errno != EWOULDBLOCK)
			return err_sys(err, -errno, "%s", path);
		if (!tries)
			return lock_busy(s->dir, fd, err);
		usleep(LOCK_PAUSE_US);
	}
	lock_write_pid(fd);
	s->lock = fd_take(&fd);
	return 0;
}

/* Manifests and their revisions hold Secrets: a directory that was made wider is narrowed. */
static int store_mkdir(struct store *s, struct err *err)
{
	struct stat st;
	int r = file_mkdir_p(s->dir, 0700, err);

	if (r < 0)
		return r;
	if (stat(s->dir, &st) < 0 || ((st.st_mode & 077) && chmod(s->dir, 0700) < 0))
		return err_sys(err, -errno, "%s", s->dir);
	return 0;
}

static void state_file_init(struct state_file *f, const char *dir, const char *name)
{
	snprintf(f->path, sizeof(f->path), "%s/%s", dir, name);
}

static int store_load(struct store *s, struct err *err)
{
	static int (*const parts[])(struct store *, struct err *) = {
		store_mkdir, store_lock, revisions_open, inventory_load, holds_load, derived_load,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = parts[i](s, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int store_open(const char *dir, struct store **ret, struct err *err)
{
	struct store *s;
	int r;

	if (strlen(dir) > PATH_MAX - 64)
		return err_set(err, -ENAMETOOLONG, "the path of the state directory is too long");
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_sys(err, -ENOMEM, "%s", dir);
	s->lock = -1;
	s->dir = strdup(dir);
	state_file_init(&s->inventory_file, dir, "inventory");
	state_file_init(&s->holds_file, dir, "holds");
	state_file_init(&s->derived_file, dir, "derived");
	r = store_load(s, err);
	if (r < 0) {
		store_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	derived_release(s);
	holds_release(s);
	arena_release(&s->inventory.arena);
	fd_cleanup(&s->lock);
	free(s->dir);
	free(s);
}

int store_save(struct store *s, struct err *err)
{
	int r = 0;

	if (s->inventory_dirty)
		r = inventory_save(s, err);
	if (r == 0 && s->derived_dirty)
		r = derived_save(s, err);
	return r;
}
