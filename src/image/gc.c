/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collecting what nothing needs, and counting what there is. Who needs what is counted over all
 * records, by name and by pin; a thing whose count is zero goes. What no record ever named is of a
 * pull that was killed: it is kept for an hour, since the next attempt takes up from there.
 */
#include "image/gc.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include <fcntl.h>

#include "base/macro.h"
#include "image/store_dir.h"

#define ORPHAN_S 3600
#define PATIENCE 30		/* tenths of a second */

/* "blobs/HEX", "layers/ID", "chains/ID" that records need, sorted by name. */
struct need {
	char name[STORE_NAME_MAX];
	unsigned count;
};

struct collection {
	struct arena a;
	struct { struct need *v; uint32_t n; } needs;
	struct { struct gc_image *v; uint32_t n; } images;
	const struct image_gc *gc;
	struct gc_rules rules;
	struct image_gc_result done;
	uint64_t unused;		/* usage: what no record needs */
	struct image_store_usage *usage;
	bool forced;			/* orphans go whatever their age */
};

/* ---- counting ---- */

static void need(struct collection *c, const char *kind, const char *id)
{
	struct need *n = arena_push(&c->a, &c->needs);

	snprintf(n->name, sizeof(n->name), "%s/%s", kind, id);
	n->count = 1;
}

static void need_blob(struct collection *c, const char *digest)
{
	if (*digest)
		need(c, "blobs", digest + sizeof("sha256:") - 1);
}

static void need_all_of(struct collection *c, const struct image_record *r)
{
	char id[LAYER_ID];

	need_blob(c, r->digest);
	need_blob(c, r->index);
	need_blob(c, r->config);
	for (uint32_t i = 0; i < r->layers.n; i++) {
		layer_id(r->layers.v[i].digest, id);
		need_blob(c, r->layers.v[i].digest);
		need(c, "layers", id);
	}
	chain_id(r, id);
	need(c, "chains", id);
}

static int count_record(struct image_store *s, const char *name, void *data, struct err *err)
{
	struct collection *c = data;
	struct image_record r;

	(void)err;
	if (store_read_record(s, name, &c->a, &r, NULL) == 0)
		need_all_of(c, &r);
	return 0;
}

/* What a container runs from is not guessed: with a pin that cannot be read nothing is collected. */
static int count_pin(struct image_store *s, const char *name, void *data, struct err *err)
{
	struct collection *c = data;
	struct image_record r;
	int k = store_read_record(s, name, &c->a, &r, err);

	if (k == -ENOENT)
		return 0;
	if (k < 0)
		return err_prefix(err, "%s/%s", s->path, name);
	need_all_of(c, &r);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct need *)a)->name, ((const struct need *)b)->name);
}

/* Sorted, each name once. */
static void merge(struct collection *c)
{
	uint32_t n = 0;

	if (c->needs.n)
		qsort(c->needs.v, c->needs.n, sizeof(*c->needs.v), by_name);
	for (uint32_t i = 0; i < c->needs.n; i++) {
		if (n && streq(c->needs.v[n - 1].name, c->needs.v[i].name))
			c->needs.v[n - 1].count++;
		else
			c->needs.v[n++] = c->needs.v[i];
	}
	c->needs.n = n;
}

static int count(struct image_store *s, struct collection *c, struct err *err)
{
	c->needs.v = NULL;
	c->needs.n = 0;
	int r = store_each(s, "names", count_record, c, err);
	if (r == 0)
		r = store_each(s, "pins", count_pin, c, err);
	merge(c);
	return r;
}

static bool is_needed(const struct collection *c, const char *name)
{
	struct need key;

	snprintf(key.name, sizeof(key.name), "%.95s", name);
	return c->needs.n && bsearch(&key, c->needs.v, c->needs.n, sizeof(key), by_name);
}

/* ---- sizes ---- */

static uint64_t size_of(struct image_store *s, const char *name, const struct stat *st)
{
	struct layer l;
	FD_AUTO fd = S_ISDIR(st->st_mode) ?
		     openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		return (uint64_t)st->st_size;
	/* half a block is lost for each file */
	return layer_read(fd, &l, NULL) == 0 ? l.bytes + l.entries * 2048 : 0;
}

/* ---- removing ---- */

static int collect(struct image_store *s, const char *name, void *data, struct err *err)
{
	struct collection *c = data;
	struct stat st;

	if (is_needed(c, name) || fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!c->forced && c->rules.now - st.st_mtime < ORPHAN_S))
		return 0;
	uint64_t bytes = size_of(s, name, &st);
	int r = store_discard(s, name, err);
	if (r < 0)
		return r;
	c->done.bytes += bytes;
	c->done.layers += strncmp(name, "layers/", 7) == 0;
	c->done.blobs += strncmp(name, "blobs/", 6) == 0;
	return 0;
}

static int collect_all(struct image_store *s, struct collection *c, struct err *err)
{
	static const char *const subs[] = { "partial", "blobs", "layers", "chains" };
	int r = count(s, c, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(subs); i++)
		r = store_each(s, subs[i], collect, c, err);
	return r;
}

static bool is_wanted(const struct collection *c, const char *ref)
{
	for (const char *const *u = c->gc->in_use; u && *u; u++)
		if (streq(*u, ref))
			return true;
	return false;
}

/* A record that cannot be read names nothing: it goes at once. */
static int add_image(struct image_store *s, const char *name, void *data, struct err *err)
{
	struct collection *c = data;
	struct image_record r;
	struct stat st;

	(void)err;
	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (store_read_record(s, name, &c->a, &r, NULL) < 0) {
		unlinkat(s->dir, name, 0);
		return 0;
	}
	*arena_push(&c->a, &c->images) = (struct gc_image){
		.ref = r.ref, .used_at = st.st_mtime, .in_use = st.st_nlink > 1 || is_wanted(c, r.ref),
	};
	return 0;
}

static uint64_t excess(struct image_store *s, const struct collection *c)
{
	struct statvfs v;

	if (fstatvfs(s->dir, &v) < 0)
		return 0;
	return gc_excess(&c->rules, v.f_blocks * v.f_frsize, v.f_bavail * v.f_frsize);
}

static bool goes_on(const struct collection *c, uint64_t target)
{
	/* what was removed counts, since the file system frees it when it likes */
	return c->gc->all || c->done.bytes < target;
}

static int remove_images(struct image_store *s, struct collection *c, struct err *err)
{
	uint64_t target = c->done.bytes + excess(s, c);
	int r = goes_on(c, target) ? store_each(s, "names", add_image, c, err) : 0;
	unsigned n = gc_candidates(c->images.v, c->images.n, &c->rules);

	c->forced = true;
	for (unsigned i = 0; r == 0 && i < n && goes_on(c, target); i++) {
		r = image_store_remove(s, c->images.v[i].ref, err);
		c->done.images += r == 0;
		if (r == 0 && !c->gc->all)
			r = collect_all(s, c, err);
	}
	return r == 0 && c->gc->all ? collect_all(s, c, err) : r;
}

/* Another collector is soon done; a pull may go on for long. */
static int lock_patiently(struct image_store *s, int *ret_fd, struct err *err)
{
	int r = store_lock(s, ret_fd, err);

	for (int i = 0; r == -EBUSY && i < PATIENCE; i++) {
		usleep(100000);
		r = store_lock(s, ret_fd, err);
	}
	return r;
}

int image_store_gc(struct image_store *s, const struct image_gc *gc, struct image_gc_result *ret,
		   struct err *err)
{
	struct collection c = { .gc = gc };
	FD_AUTO lock = -1;
	int r = lock_patiently(s, &lock, err);

	if (r < 0)
		return r;
	c.rules = (struct gc_rules){
		.all = gc->all, .high = gc->high, .low = gc->low, .now = time(NULL),
		.min_age_s = gc->min_age_s,
	};
	c.forced = gc->all || excess(s, &c) > 0;
	r = collect_all(s, &c, err);
	if (r == 0)
		r = remove_images(s, &c, err);
	*ret = c.done;
	ret->enough = excess(s, &c) == 0;
	arena_release(&c.a);
	return r;
}

/* ---- usage ---- */

static int measure(struct image_store *s, const char *name, void *data, struct err *err)
{
	struct collection *c = data;
	struct image_store_usage *u = c->usage;
	struct stat st;

	(void)err;
	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	uint64_t bytes = size_of(s, name, &st);
	if (strncmp(name, "layers/", 7) == 0) {
		u->layers++;
		u->layer_bytes += bytes;
	} else if (strncmp(name, "blobs/", 6) == 0) {
		u->blobs++;
		u->blob_bytes += bytes;
	} else {
		u->partial_bytes += bytes;
	}
	if (!is_needed(c, name))
		u->unused_bytes += bytes;
	return 0;
}

static int count_pinned(struct image_store *s, const char *name, void *data, struct err *err)
{
	struct collection *c = data;
	struct stat st;

	c->usage->images++;
	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_nlink < 2)
		return 0;
	return count_record(s, name, data, err);
}

int image_store_usage(struct image_store *s, struct image_store_usage *ret, struct err *err)
{
	static const char *const subs[] = { "partial", "blobs", "layers" };
	struct image_store_usage u = { 0 };
	struct collection c = { .usage = &u };
	struct statvfs v;
	int r = store_each(s, "names", count_pinned, &c, err);

	if (r == 0)
		r = store_each(s, "pins", count_record, &c, err);
	merge(&c);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(subs); i++)
		r = store_each(s, subs[i], measure, &c, err);
	if (r == 0 && fstatvfs(s->dir, &v) < 0)
		r = err_sys(err, -errno, "%s", s->path);
	arena_release(&c.a);
	if (r < 0)
		return r;
	u.disk_bytes = v.f_blocks * v.f_frsize;
	u.disk_free = v.f_bavail * v.f_frsize;
	*ret = u;
	return 0;
}

/* ---- settling ---- */

struct unsettled {
	struct arena a;
	struct { const char **v; uint32_t n; } names;
};

static int add_unsettled(struct image_store *s, const char *name, void *data, struct err *err)
{
	struct unsettled *u = data;
	struct stat st;

	(void)err;
	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IWUSR))
		*arena_push(&u->a, &u->names) = arena_strdup(&u->a, name);
	return 0;
}

/* Only what was there before the sync is known to be on the disk after it. */
static int settle(struct image_store *s, struct unsettled *u, struct err *err)
{
	struct stat st;

	if (u->names.n == 0)
		return 0;
	if (syncfs(s->dir) < 0)
		return err_sys(err, -errno, "%s", s->path);
	for (uint32_t i = 0; i < u->names.n; i++) {
		const char *name = u->names.v[i];

		if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    fchmodat(s->dir, name, st.st_mode & 0555, 0) < 0)
			return err_sys(err, -errno, "%s/%s", s->path, name);
	}
	return 0;
}

int image_store_settle(struct image_store *s, struct err *err)
{
	static const char *const subs[] = { "blobs", "layers", "chains" };
	struct unsettled u = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(subs); i++)
		r = store_each(s, subs[i], add_unsettled, &u, err);
	if (r == 0)
		r = settle(s, &u, err);
	arena_release(&u.a);
	return r;
}
