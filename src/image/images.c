/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images of the store: records by name and by pin, and what they resolve to. The time of a record's
 * file is when the image was last used; a pin is the same file under a second name, so whether
 * an image is pinned is its number of links.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"
#include "image/store_dir.h"

/* ---- records ---- */

int store_read_record(struct image_store *s, const char *name, struct arena *a,
		      struct image_record *ret, struct err *err)
{
	BUF_AUTO text = { 0 };
	FD_AUTO fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_sys(err, -errno, "%s/%s", s->path, name);
	int r = file_read_fd(fd, name, IMAGE_RECORD_MAX, &text, err);
	return r < 0 ? r : record_parse(a, buf_str(&text), text.len, ret, err);
}

static int is_there(bool there, const char *what, const char *digest, struct err *err)
{
	return there ? 0 : err_set(err, -ENOENT, "%s %s is not in the store", what, digest);
}

int store_complete(struct image_store *s, const struct image_record *r, struct err *err)
{
	int k = is_there(image_store_has_blob(s, r->digest), "manifest", r->digest, err);

	if (k == 0)
		k = is_there(image_store_has_blob(s, r->config), "configuration", r->config, err);
	for (uint32_t i = 0; k == 0 && i < r->layers.n; i++)
		k = is_there(image_store_has_layer(s, r->layers.v[i].digest), "layer",
			     r->layers.v[i].digest, err);
	return k;
}

int image_store_add(struct image_store *s, const struct image_record *r, struct err *err)
{
	char name[STORE_NAME_MAX];
	BUF_AUTO text = { 0 };
	BUF_AUTO path = { 0 };
	int k = record_format(r, &text, err);

	if (k == 0)
		k = store_complete(s, r, err);
	if (k == 0)
		k = chain_make(s, r, err);
	if (k < 0)
		return k;
	store_ref_name(r->ref, name);
	buf_printf(&path, "%s/%s", s->path, name);
	return file_write_atomic(buf_str(&path), text.data, text.len, 0600, true, err);
}

/* The hash is of the reference; that it is the same one is checked all the same. */
int image_store_find(struct image_store *s, const char *ref, struct arena *a,
		     struct image_record *ret, struct err *err)
{
	char name[STORE_NAME_MAX];
	struct image_record r;

	store_ref_name(ref, name);
	if (faccessat(s->dir, name, F_OK, 0) < 0)
		return err_set(err, -ENOENT, "image \"%s\" is not in the store", ref);
	int k = store_read_record(s, name, a, &r, err);
	if (k < 0)
		return k == -EBADMSG ? err_set(err, -ENOENT, "the record of image \"%s\" is broken",
					       ref) : k;
	if (!streq(r.ref, ref))
		return err_set(err, -ENOENT, "image \"%s\" is not in the store", ref);
	k = store_complete(s, &r, err);
	if (k == 0)
		*ret = r;
	return k;
}

struct listing {
	struct arena *a;
	struct image_records *to;
};

static int list_one(struct image_store *s, const char *name, void *data, struct err *err)
{
	struct listing *l = data;
	struct image_record r;

	(void)err;
	if (store_read_record(s, name, l->a, &r, NULL) == 0 && store_complete(s, &r, NULL) == 0)
		*arena_push(l->a, l->to) = r;
	return 0;
}

static int by_ref(const void *a, const void *b)
{
	return strcmp(((const struct image_record *)a)->ref, ((const struct image_record *)b)->ref);
}

int image_store_list(struct image_store *s, struct arena *a, struct image_records *ret,
		     struct err *err)
{
	struct listing l = { a, ret };

	*ret = (struct image_records){ 0 };
	int r = store_each(s, "names", list_one, &l, err);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_ref);
	return r;
}

/*
 * So old that the collector takes it for no leftover of a pull: what other images need is not
 * looked at by its age.
 */
static void age(struct image_store *s, const char *kind, const char *digest)
{
	static const struct timespec long_ago[2];
	char name[STORE_NAME_MAX], id[LAYER_ID];

	if (store_name(kind, digest, name, NULL) < 0)
		return;
	if (streq(kind, "layers")) {
		layer_id(digest, id);
		snprintf(name, sizeof(name), "layers/%s", id);
	}
	utimensat(s->dir, name, long_ago, AT_SYMLINK_NOFOLLOW);
}

static void age_all(struct image_store *s, const char *name)
{
	struct arena a = { 0 };
	struct image_record r;

	if (store_read_record(s, name, &a, &r, NULL) == 0) {
		age(s, "blobs", r.digest);
		age(s, "blobs", r.index);
		age(s, "blobs", r.config);
		for (uint32_t i = 0; i < r.layers.n; i++) {
			age(s, "blobs", r.layers.v[i].digest);
			age(s, "layers", r.layers.v[i].digest);
		}
	}
	arena_release(&a);
}

int image_store_remove(struct image_store *s, const char *ref, struct err *err)
{
	char name[STORE_NAME_MAX];

	store_ref_name(ref, name);
	age_all(s, name);
	if (unlinkat(s->dir, name, 0) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(err, -ENOENT, "image \"%s\" is not in the store", ref);
	return err_sys(err, -errno, "image \"%s\"", ref);
}

/* ---- pins ---- */

static int pin_name(const char *owner, char ret[STORE_NAME_MAX + 256], struct err *err)
{
	if (!*owner || *owner == '.' || strchr(owner, '/') || strlen(owner) > 255)
		return err_set(err, -EINVAL, "\"%.100s\" cannot own a pin", owner);
	snprintf(ret, STORE_NAME_MAX + 256, "pins/%s", owner);
	return 0;
}

int image_store_pin(struct image_store *s, const char *ref, const char *owner, struct err *err)
{
	char name[STORE_NAME_MAX], pin[STORE_NAME_MAX + 256];
	int r = pin_name(owner, pin, err);

	if (r < 0)
		return r;
	store_ref_name(ref, name);
	if ((unlinkat(s->dir, pin, 0) < 0 && errno != ENOENT) ||
	    linkat(s->dir, name, s->dir, pin, 0) < 0)
		return err_sys(err, -errno, "image \"%s\"", ref);
	utimensat(s->dir, name, NULL, 0);	/* of no more use than for the order of removal */
	return 0;
}

int image_store_unpin(struct image_store *s, const char *owner, struct err *err)
{
	char pin[STORE_NAME_MAX + 256];
	int r = pin_name(owner, pin, err);

	if (r < 0)
		return r;
	utimensat(s->dir, pin, NULL, 0);
	if (unlinkat(s->dir, pin, 0) < 0 && errno != ENOENT)
		return err_sys(err, -errno, "%s/%s", s->path, pin);
	return 0;
}

struct owners {
	struct arena *a;
	const char **v;
	uint32_t n;
};

static int list_owner(struct image_store *s, const char *name, void *data, struct err *err)
{
	struct owners *o = data;

	(void)s, (void)err;
	*arena_push(o->a, o) = arena_strdup(o->a, strchr(name, '/') + 1);
	return 0;
}

int image_store_pins(struct image_store *s, struct arena *a, const char *const **ret,
		     struct err *err)
{
	struct owners o = { .a = a };
	int r = store_each(s, "pins", list_owner, &o, err);

	arena_push(a, &o);	/* NULL */
	*ret = o.v;
	return r;
}

/* ---- what they stand for ---- */

/*
 * An image may have a layer twice, and overlayfs takes no directory twice. What the lower one has,
 * the upper one has, too: it alone is what both make.
 */
static bool is_above(const struct image_layers *l, uint32_t i)
{
	for (uint32_t k = i + 1; k < l->n; k++)
		if (streq(l->v[k].digest, l->v[i].digest))
			return true;
	return false;
}

/* Topmost first; nothing below a layer that hides all that is below it. */
static int lowers_of(struct image_store *s, struct arena *a, const struct image_record *r,
		     struct image *ret, struct err *err)
{
	struct { const char **v; uint32_t n; } l = { 0 };
	char id[LAYER_ID];
	struct layer layer = { 0 };
	bool flat;

	if (chain_find(s, r, id, &flat))
		*arena_push(a, &l) = arena_printf(a, "%s/chains/%s/tree", s->path, id);
	for (uint32_t i = flat ? 0 : r->layers.n; i > 0 && !layer.root_opaque; i--) {
		const char *digest = r->layers.v[i - 1].digest;

		if (is_above(&r->layers, i - 1))
			continue;
		int k = store_open_layer(s, digest, &layer, NULL, err);
		if (k < 0)
			return k;
		layer_id(digest, id);
		*arena_push(a, &l) = arena_printf(a, "%s/layers/%s/tree", s->path, id);
	}
	if (l.n == 0)
		return err_set(err, -EINVAL, "image \"%s\" has no layers", r->ref);
	arena_push(a, &l);	/* NULL */
	ret->lowers = l.v;
	ret->dir = arena_printf(a, "%s/layers", s->path);
	return 0;
}

/* "UID:GID[,GID...]": the first two stay text, as a user may say them. */
static void ids_of(struct arena *a, const char *ids, struct image *ret)
{
	struct { uint32_t *v, n; } l = { 0 };
	size_t n = strcspn(ids, ",");

	ret->user = arena_strndup(a, ids, n);
	while (ids[n] == ',') {
		*arena_push(a, &l) = (uint32_t)strtoul(ids + n + 1, NULL, 10);
		n += 1 + strcspn(ids + n + 1, ",");
	}
	ret->groups = l.v;
	ret->ngroups = l.n;
}

static const struct { const char *name; int number; } signals[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ILL", SIGILL },
	{ "TRAP", SIGTRAP }, { "ABRT", SIGABRT }, { "BUS", SIGBUS }, { "FPE", SIGFPE },
	{ "KILL", SIGKILL }, { "USR1", SIGUSR1 }, { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE }, { "ALRM", SIGALRM }, { "TERM", SIGTERM }, { "CHLD", SIGCHLD },
	{ "CONT", SIGCONT }, { "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU }, { "URG", SIGURG }, { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },
	{ "VTALRM", SIGVTALRM }, { "PROF", SIGPROF }, { "WINCH", SIGWINCH }, { "IO", SIGIO },
	{ "PWR", SIGPWR }, { "SYS", SIGSYS },
};

/* A name with or without SIG, or a number; containers number the real-time ones from 34 and 64. */
int image_signal(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (*s && !*end)
		return n > 0 && n <= 64 ? (int)n : 0;
	if (strncmp(s, "SIG", 3) == 0)
		s += 3;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (streq(s, signals[i].name))
			return signals[i].number;
	if (strncmp(s, "RTMIN", 5) == 0 && (s[5] == '+' || !s[5]))
		n = 34 + strtol(s + 5, &end, 10);
	else if (strncmp(s, "RTMAX", 5) == 0 && (s[5] == '-' || !s[5]))
		n = 64 + strtol(s + 5, &end, 10);
	else
		return 0;
	return n >= 34 && n <= 64 ? (int)n : 0;
}

static int image_of(struct image_store *s, struct arena *a, const struct image_record *r,
		    struct image *ret, struct err *err)
{
	struct image i = {
		.id = r->digest, .env = r->env, .entrypoint = r->entrypoint, .cmd = r->cmd,
		.workdir = r->workdir, .volumes = r->volumes,
		.stop_signal = image_signal(r->stop_signal),
	};
	int k = lowers_of(s, a, r, &i, err);

	if (k < 0)
		return k;
	ids_of(a, r->ids, &i);
	*ret = i;
	return 0;
}

int image_store_resolve(struct image_store *s, struct arena *a, const char *ref,
			const char *owner, struct image *ret, struct err *err)
{
	char pin[STORE_NAME_MAX + 256];
	struct image_record r;
	int k = owner ? pin_name(owner, pin, err) : -ENOENT;

	if (k == 0)
		k = store_read_record(s, pin, a, &r, err);
	if (k == -ENOENT)
		k = image_store_find(s, ref, a, &r, err);
	return k < 0 ? k : image_of(s, a, &r, ret, err);
}
