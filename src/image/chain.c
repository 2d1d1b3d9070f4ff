/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Some tools make layers that list etc/motd without listing etc. Unpacked, such a layer has a
 * directory etc that nobody described, and as the upper one it would decide the owner, mode and
 * time of what lower layers described well. So an image may get one more layer on top, of nothing
 * but directories: for each implied one that a lower layer has, a copy of what that says.
 *
 * What would be found at a path is looked up layer by layer, as overlayfs does, without mounting:
 * a layer has a directory there, or something that hides the lower ones, or nothing.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/macro.h"
#include "base/within.h"
#include "image/flatten.h"
#include "image/store_dir.h"

struct paths { const char **v; uint32_t n; };

struct stacked {
	int tree;
	struct layer layer;
	struct paths implied;		/* sorted */
};

struct chain {
	struct image_store *s;
	struct arena a;
	struct stacked *layers;		/* topmost first */
	uint32_t n;
	struct paths wanted;		/* directories to make, sorted */
	bool root_wanted;
	bool flat;			/* the layers do not stack */
};

enum found { NOTHING, DIRECTORY, OPAQUE_DIRECTORY, HIDDEN };

void chain_id(const struct image_record *r, char ret_id[LAYER_ID])
{
	struct digest d;
	char hex[DIGEST_HEX];

	digest_init(&d);
	for (uint32_t i = 0; i < r->layers.n; i++)
		digest_add(&d, r->layers.v[i].digest, strlen(r->layers.v[i].digest) + 1);
	digest_end(&d, hex);
	snprintf(ret_id, LAYER_ID, "%.16s", hex);
}

static void chain_name(const struct image_record *r, char ret[STORE_NAME_MAX])
{
	char id[LAYER_ID];

	chain_id(r, id);
	snprintf(ret, STORE_NAME_MAX, "chains/%s", id);
}

bool chain_find(struct image_store *s, const struct image_record *r, char ret_id[LAYER_ID],
		bool *ret_flat)
{
	char name[STORE_NAME_MAX];

	chain_id(r, ret_id);
	chain_name(r, name);
	*ret_flat = false;
	if (faccessat(s->dir, name, F_OK, 0) < 0)
		return false;
	snprintf(name, sizeof(name), "chains/%s/flat", ret_id);
	*ret_flat = faccessat(s->dir, name, F_OK, 0) == 0;
	return true;
}

/* ---- looking up ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has(const struct paths *p, const char *path)
{
	return p->n && bsearch(&path, p->v, p->n, sizeof(*p->v), compare);
}

static int open_dir(int tree, const char *path)
{
	return open_within(tree, *path ? path : ".", O_RDONLY | O_DIRECTORY,
			   RESOLVE_IN_ROOT | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
}

/* Of a directory that is there or one on the way to where it would be. */
static enum found look_at(int tree, const char *path)
{
	FD_AUTO fd = open_dir(tree, path);
	char y;

	if (fd == -ENOENT)
		return NOTHING;
	if (fd < 0)
		return HIDDEN;
	return fgetxattr(fd, "trusted.overlay.opaque", &y, 1) == 1 ? OPAQUE_DIRECTORY : DIRECTORY;
}

/* An opaque directory on the way hides what lower layers have below it. */
static enum found look(struct arena *a, int tree, const char *path)
{
	enum found at = DIRECTORY;
	bool opaque = false;

	for (size_t n = 0; at != NOTHING && at != HIDDEN && path[n]; n += path[n] == '/') {
		n += strcspn(path + n, "/");
		at = look_at(tree, arena_strndup(a, path, n));
		opaque |= at == OPAQUE_DIRECTORY;
	}
	if (at == NOTHING)
		return opaque ? HIDDEN : NOTHING;
	return at == HIDDEN ? HIDDEN : opaque ? OPAQUE_DIRECTORY : DIRECTORY;
}

/*
 * The layer whose word counts for the directory path: the topmost one that lists it, else the
 * topmost one that has it. NULL: the image has no such directory.
 */
static const struct stacked *who_says(struct chain *c, const char *path, bool *ret_topmost)
{
	const struct stacked *first = NULL;

	for (uint32_t i = 0; i < c->n; i++) {
		const struct stacked *l = &c->layers[i];
		enum found at = look(&c->a, l->tree, path);

		if (at == HIDDEN)
			break;
		if (at == NOTHING)
			continue;
		*ret_topmost = !first;
		first = first ? first : l;
		if (!has(&l->implied, path))
			return l;
		if (at == OPAQUE_DIRECTORY)
			break;
	}
	*ret_topmost = true;
	return first;
}

/* ---- which directories ---- */

static void want(struct chain *c, const char *path)
{
	for (size_t n = 0; path[n]; n += path[n] == '/') {
		n += strcspn(path + n, "/");
		*arena_push(&c->a, &c->wanted) = arena_strndup(&c->a, path, n);
	}
}

static void sort(struct paths *p)
{
	uint32_t n = 0;

	if (p->n)
		qsort(p->v, p->n, sizeof(*p->v), compare);
	for (uint32_t i = 0; i < p->n; i++)
		if (n == 0 || !streq(p->v[n - 1], p->v[i]))
			p->v[n++] = p->v[i];
	p->n = n;
}

/* Of what the layers below have at path: is it a link that overlayfs would hide? */
static bool hides_link(struct chain *c, uint32_t below, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	const char *parent = arena_strndup(&c->a, path, slash ? (size_t)(slash - path) : 0);
	struct stat st;

	for (uint32_t i = below; *path && i < c->n; i++) {
		enum found at = look(&c->a, c->layers[i].tree, parent);

		if (at == HIDDEN)
			return false;
		if (at == NOTHING)
			continue;
		FD_AUTO dir = open_dir(c->layers[i].tree, parent);
		if (dir >= 0 && fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return S_ISLNK(st.st_mode);
		if (at == OPAQUE_DIRECTORY)
			return false;
	}
	return false;
}

static void choose(struct chain *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		const struct paths *implied = &c->layers[i].implied;

		for (uint32_t k = 0; k < implied->n; k++) {
			bool topmost = true;

			c->flat |= hides_link(c, i + 1, implied->v[k]);
			if (!who_says(c, implied->v[k], &topmost) || topmost)
				continue;
			want(c, implied->v[k]);
			c->root_wanted |= !*implied->v[k];
		}
	}
	sort(&c->wanted);
}

/* ---- making them ---- */

static int open_original(struct chain *c, const char *path)
{
	bool topmost;
	const struct stacked *l = who_says(c, path, &topmost);

	return l ? open_dir(l->tree, path) : -ENOENT;
}

static int make_one(struct chain *c, int tree, const char *path)
{
	FD_AUTO from = open_original(c, path);

	if (from < 0)
		return from;
	if (*path && mkdirat(tree, path, 0700) < 0)
		return -errno;
	FD_AUTO to = open_dir(tree, path);
	return to < 0 ? to : flatten_copy_directory(from, to);
}

static int copy_time(struct chain *c, int tree, const char *path)
{
	FD_AUTO from = open_original(c, path);
	FD_AUTO to = open_dir(tree, path);
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return -errno;
	return futimens(to, (const struct timespec[]){ st.st_mtim, st.st_mtim }) < 0 ? -errno : 0;
}

/* Outer ones first; their times when nothing is made in them any more. */
static int make_all(struct chain *c, int tree)
{
	int r = make_one(c, tree, "");

	for (uint32_t i = 0; r == 0 && i < c->wanted.n; i++)
		r = make_one(c, tree, c->wanted.v[i]);
	for (uint32_t i = c->wanted.n; r == 0 && i > 0; i--)
		r = copy_time(c, tree, c->wanted.v[i - 1]);
	return r < 0 ? r : copy_time(c, tree, "");
}

static bool is_implied(const void *layer, const char *path)
{
	const struct stacked *l = layer;

	return has(&l->implied, path);
}

/* All layers, from the lowest on. */
static int flatten(struct chain *c, int tree)
{
	int r = 0;

	for (uint32_t i = c->n; r == 0 && i > 0; i--)
		r = flatten_layer(tree, c->layers[i - 1].tree, (struct flatten_implied){
				  is_implied, &c->layers[i - 1] });
	return r;
}

static int mark_flat(int s, const char *temporary)
{
	char name[STORE_NAME_MAX + 8];

	snprintf(name, sizeof(name), "%s/flat", temporary);
	FD_AUTO fd = openat(s, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : 0;
}

static int build(struct chain *c, const struct image_record *r, struct err *err)
{
	char name[STORE_NAME_MAX], temporary[STORE_NAME_MAX], tree_name[STORE_NAME_MAX + 8];
	int s = c->s->dir;

	chain_name(r, name);
	snprintf(temporary, sizeof(temporary), "new/chain.%d.%.16s", (int)getpid(),
		 strchr(name, '/') + 1);
	snprintf(tree_name, sizeof(tree_name), "%s/tree", temporary);
	int k = store_discard(c->s, temporary, err);
	if (k < 0)
		return k;
	if (mkdirat(s, temporary, 0700) < 0 || mkdirat(s, tree_name, 0755) < 0)
		return err_sys(err, -errno, "%s/%s", c->s->path, temporary);
	FD_AUTO tree = openat(s, tree_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	k = tree < 0 ? -errno : c->flat ? flatten(c, tree) : make_all(c, tree);
	if (k == 0 && c->flat)
		k = mark_flat(s, temporary);
	if (k == 0 && renameat(s, temporary, s, name) < 0 && errno != EEXIST && errno != ENOTEMPTY)
		k = -errno;
	store_discard(c->s, temporary, NULL);
	return k < 0 ? err_sys(err, k, "cannot make the directories that the layers imply") : 0;
}

/* ---- the layers ---- */

static int load_implied(struct chain *c, int dir, struct stacked *l, struct err *err)
{
	BUF_AUTO text = { 0 };
	int r = layer_read_implied(dir, &text, err);

	for (size_t i = 0; r == 0 && i < text.len; i += strlen(text.data + i) + 1)
		*arena_push(&c->a, &l->implied) = arena_strdup(&c->a, text.data + i);
	sort(&l->implied);
	return r;
}

static int load(struct chain *c, const struct image_record *r, struct err *err)
{
	int k = 0;

	c->layers = arena_array(&c->a, struct stacked, r->layers.n + 1);
	for (uint32_t i = r->layers.n; k == 0 && i > 0; i--) {
		struct stacked *l = &c->layers[c->n];
		FD_AUTO dir = -1;

		k = store_open_layer(c->s, r->layers.v[i - 1].digest, &l->layer, &dir, err);
		if (k < 0)
			break;
		l->tree = openat(dir, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (l->tree < 0)
			return err_sys(err, -errno, "layer %s", l->layer.digest);
		c->n++;
		k = l->layer.implies ? load_implied(c, dir, l, err) : 0;
		if (l->layer.root_opaque)
			break;
	}
	return k;
}

int chain_make(struct image_store *s, const struct image_record *r, struct err *err)
{
	struct chain c = { .s = s };
	char id[LAYER_ID];
	bool flat;

	if (chain_find(s, r, id, &flat))
		return 0;
	int k = load(&c, r, err);
	if (k == 0)
		choose(&c);
	if (k == 0 && (c.wanted.n || c.root_wanted || c.flat))
		k = build(&c, r, err);
	for (uint32_t i = 0; i < c.n; i++)
		close(c.layers[i].tree);
	arena_release(&c.a);
	return k;
}
