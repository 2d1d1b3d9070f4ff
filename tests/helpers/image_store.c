/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image store from a command line, for the integration tests: what orch-pull does with an
 * OCI layout, without the network and without its processes, and the questions that tests have.
 *
 *	image_store STORE load LAYOUT TAG REF	put its blobs in, unpack, name it
 *	image_store STORE blob FILE		put one blob in; prints its digest
 *	image_store STORE sized HEX-FILE	commit what there is of it, of its size
 *	image_store STORE unpack DIGEST		make the layer of a blob; prints bytes and entries
 *	image_store STORE lowers REF [OWNER]	the directories, topmost first
 *	image_store STORE show REF		the record
 *	image_store STORE ls | usage | settle
 *	image_store STORE rm REF | pin REF OWNER | unpin OWNER | export REF FILE
 *	image_store STORE gc all|orphans|HIGH:LOW [REF-IN-USE...]
 *	image_store STORE idmapped REF FIRST-ID DIR	mounts the image on DIR/merged, owned by others
 *	image_store STORE archive FILE DIR	unpack what is no layer
 */
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/macro.h"
#include "image/config.h"
#include "image/store.h"
#include "image/unpack.h"
#include "sys/idmap.h"

#define READER_UID 61000

struct tool {
	struct image_store *s;
	struct arena a;
	struct err err;
	char **args;
};

static int need(int r, const struct tool *t)
{
	if (r < 0) {
		fprintf(stderr, "image_store: %s (%d)\n", t->err.msg, r);
		exit(1);
	}
	return r;
}

static void put_blob(struct tool *t, const char *digest, const char *file)
{
	struct image_blob b;
	uint64_t offset, size = 0;
	FREE_AUTO char *chunk = malloc(1 << 20);
	int r = image_store_begin_blob(t->s, digest, &b, &offset, &t->err);

	if (r == -EEXIST)
		return;
	need(r, t);
	FD_AUTO from = open(file, O_RDONLY | O_CLOEXEC);
	if (from < 0 || lseek(from, (off_t)offset, SEEK_SET) < 0) {
		perror(file);
		exit(1);
	}
	for (ssize_t n; (n = read(from, chunk, 1 << 20)) > 0; size += (size_t)n)
		if (write(b.fd, chunk, (size_t)n) != n)
			exit(1);
	need(image_store_commit_blob(t->s, &b, offset + size, &t->err), t);
}

static void unpack(struct tool *t, const char *digest, const char *diff, struct unpack_done *ret)
{
	const struct unpack_want want = {
		.digest = digest, .diff = diff, .limits = unpack_limits_default, .uid = READER_UID,
	};
	struct unpack u;

	need(unpack_begin(t->s, &want, &u, &t->err), t);
	need(unpack_end(&u, ret, &t->err), t);
}

/* ---- load ---- */

static const char *blob_file(struct tool *t, const char *layout, const char *digest)
{
	return arena_printf(&t->a, "%s/blobs/sha256/%s", layout, digest + 7);
}

static json_t *json_of(struct tool *t, const char *file)
{
	json_error_t e;
	json_t *v = json_load_file(file, 0, &e);

	(void)t;
	if (!v) {
		fprintf(stderr, "%s: %s\n", file, e.text);
		exit(1);
	}
	return v;
}

static const char *member(const json_t *v, const char *key)
{
	const char *s = json_string_value(json_object_get(v, key));

	return s ? s : "";
}

static const json_t *tagged(const json_t *index, const char *tag)
{
	const json_t *all = json_object_get(index, "manifests"), *m;
	size_t i;

	json_array_foreach(all, i, m) {
		if (streq(member(json_object_get(m, "annotations"),
				 "org.opencontainers.image.ref.name"), tag))
			return m;
	}
	fprintf(stderr, "no tag %s\n", tag);
	exit(1);
}

static void load_layers(struct tool *t, const char *layout, const json_t *manifest,
			struct image_record *r)
{
	const json_t *layers = json_object_get(manifest, "layers"), *l;
	size_t i;

	json_array_foreach(layers, i, l) {
		*arena_push(&t->a, &r->layers) = (struct image_layer){
			.digest = arena_strdup(&t->a, member(l, "digest")),
			.media_type = arena_strdup(&t->a, member(l, "mediaType")),
			.size = (uint64_t)json_integer_value(json_object_get(l, "size")),
		};
		put_blob(t, member(l, "digest"), blob_file(t, layout, member(l, "digest")));
	}
}

static void load_config(struct tool *t, const char *layout, const json_t *manifest,
			struct image_record *r)
{
	const char *digest = member(json_object_get(manifest, "config"), "digest");
	const char *file = blob_file(t, layout, digest);
	BUF_AUTO text = { 0 };

	need(file_read(file, 0, &text, &t->err), t);
	put_blob(t, digest, file);
	r->config = arena_strdup(&t->a, digest);
	r->config_size = text.len;
	need(image_config_parse(&t->a, buf_str(&text), text.len, r, &t->err), t);
}

static void load(struct tool *t)
{
	const char *layout = t->args[0], *ref = t->args[2];
	json_t *index = json_of(t, arena_printf(&t->a, "%s/index.json", layout));
	const json_t *m = tagged(index, t->args[1]);
	const char *digest = member(m, "digest");
	json_t *manifest = json_of(t, blob_file(t, layout, digest));
	struct image_record r = {
		.ref = ref, .digest = digest, .media_type = member(m, "mediaType"), .index = "",
		.manifest_size = (uint64_t)json_integer_value(json_object_get(m, "size")),
		.pulled_at = time(NULL),
	};
	char ids[512];

	need(image_store_hold(t->s, &t->err), t);
	put_blob(t, digest, blob_file(t, layout, digest));
	load_layers(t, layout, manifest, &r);
	load_config(t, layout, manifest, &r);
	for (uint32_t i = 0; i < r.layers.n; i++) {
		struct unpack_done done;

		unpack(t, r.layers.v[i].digest, r.layers.v[i].diff, &done);
	}
	need(unpack_user(t->s, &r.layers, r.user, READER_UID, ids, sizeof(ids), &t->err), t);
	r.ids = ids;
	need(image_store_add(t->s, &r, &t->err), t);
	image_store_release(t->s);
	json_decref(index);
	json_decref(manifest);
}

/* ---- the others ---- */

static void blob(struct tool *t)
{
	BUF_AUTO data = { 0 };
	char digest[IMAGE_DIGEST_MAX] = "sha256:";

	need(file_read(t->args[0], 0, &data, &t->err), t);
	digest_hex(buf_str(&data), data.len, digest + 7);
	put_blob(t, digest, t->args[0]);
	puts(digest);
}

/* As somebody who finds a partial file and knows how large the whole must be. */
static void sized(struct tool *t)
{
	struct image_blob b;
	uint64_t offset;
	struct stat st;
	const char *hex = strrchr(t->args[0], '/') + 1;

	need(image_store_begin_blob(t->s, arena_printf(&t->a, "sha256:%s", hex), &b, &offset, &t->err),
	     t);
	if (stat(t->args[0], &st) < 0)
		exit(2);
	need(image_store_commit_blob(t->s, &b, (uint64_t)st.st_size, &t->err), t);
}

static void unpack_one(struct tool *t)
{
	struct unpack_done done;

	unpack(t, t->args[0], NULL, &done);
	printf("%" PRIu64 " %" PRIu64 " %s\n", done.bytes, done.entries, done.diff);
}

static void lowers(struct tool *t)
{
	struct image i;

	need(image_store_resolve(t->s, &t->a, t->args[0], t->args[1], &i, &t->err), t);
	for (const char *const *l = i.lowers; *l; l++)
		puts(*l);
}

static void show(struct tool *t)
{
	struct image_record r;
	BUF_AUTO text = { 0 };

	need(image_store_find(t->s, t->args[0], &t->a, &r, &t->err), t);
	need(record_format(&r, &text, &t->err), t);
	fputs(text.data, stdout);
}

static void ls(struct tool *t)
{
	struct image_records l;

	need(image_store_list(t->s, &t->a, &l, &t->err), t);
	for (uint32_t i = 0; i < l.n; i++)
		puts(l.v[i].ref);
}

static void usage(struct tool *t)
{
	struct image_store_usage u;

	need(image_store_usage(t->s, &u, &t->err), t);
	printf("images %" PRIu64 "\nlayers %" PRIu64 " %" PRIu64 "\nblobs %" PRIu64 " %" PRIu64
	       "\npartial %" PRIu64 "\nunused %" PRIu64 "\n", u.images, u.layers, u.layer_bytes,
	       u.blobs, u.blob_bytes, u.partial_bytes, u.unused_bytes);
}

static void settle(struct tool *t) { need(image_store_settle(t->s, &t->err), t); }
static void rm(struct tool *t) { need(image_store_remove(t->s, t->args[0], &t->err), t); }

static void pin(struct tool *t)
{
	need(image_store_pin(t->s, t->args[0], t->args[1], &t->err), t);
}

static void unpin(struct tool *t) { need(image_store_unpin(t->s, t->args[0], &t->err), t); }

static void export(struct tool *t)
{
	FD_AUTO fd = open(t->args[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	need(image_store_export(t->s, t->args[0], fd, &t->err), t);
}

static void gc(struct tool *t)
{
	struct image_gc gc = {
		.all = streq(t->args[0], "all"), .in_use = (const char *const *)t->args + 1,
	};
	struct image_gc_result done;

	if (sscanf(t->args[0], "%u:%u", &gc.high, &gc.low) == 1)
		exit(2);
	need(image_store_gc(t->s, &gc, &done, &t->err), t);
	printf("%u %u %u\n", done.images, done.layers, done.blobs);
}

static void mount_on(struct tool *t, int tree, const char *target)
{
	need(file_mkdir_p(target, 0755, &t->err), t);
	if (move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		perror(target);
		exit(1);
	}
}

/* Every lower on a directory of its own, with the ids of a pod; then an overlay of those. */
static void idmapped(struct tool *t)
{
	const char *dir = t->args[2];
	struct image image;
	BUF_AUTO options = { 0 };
	FD_AUTO userns = -1;
	int n = 0;

	need(idmap_userns((uint32_t)atoi(t->args[1]), 65536, &userns, &t->err), t);
	need(image_store_resolve(t->s, &t->a, t->args[0], NULL, &image, &t->err), t);
	for (const char *const *l = image.lowers; *l; l++) {
		const char *target = arena_printf(&t->a, "%s/l%d", dir, n++);
		FD_AUTO tree = -1;

		need(idmap_mount(*l, userns, &tree, &t->err), t);
		mount_on(t, tree, target);
		buf_printf(&options, "%s%s", n > 1 ? ":" : "lowerdir=", target);
	}
	buf_printf(&options, ",upperdir=%s/upper,workdir=%s/work", dir, dir);
	if (mkdir(arena_printf(&t->a, "%s/upper", dir), 0755) < 0 ||
	    mkdir(arena_printf(&t->a, "%s/work", dir), 0755) < 0 ||
	    mkdir(arena_printf(&t->a, "%s/merged", dir), 0755) < 0 ||
	    mount("overlay", arena_printf(&t->a, "%s/merged", dir), "overlay", 0, options.data) < 0) {
		perror("overlay");
		exit(1);
	}
}

static void archive(struct tool *t)
{
	FD_AUTO fd = open(t->args[0], O_RDONLY | O_CLOEXEC);

	need(unpack_archive(fd, t->args[1], &unpack_limits_default, READER_UID, &t->err), t);
}

static const struct {
	const char *name;
	int args;
	void (*run)(struct tool *t);
} commands[] = {
	{ "load", 3, load }, { "blob", 1, blob }, { "sized", 1, sized },
	{ "unpack", 1, unpack_one }, { "lowers", 1, lowers },
	{ "show", 1, show }, { "ls", 0, ls }, { "usage", 0, usage }, { "settle", 0, settle },
	{ "rm", 1, rm }, { "pin", 2, pin }, { "unpin", 1, unpin }, { "export", 2, export },
	{ "gc", 1, gc }, { "idmapped", 3, idmapped }, { "archive", 2, archive },
};

int main(int argc, char **argv)
{
	struct tool t = { .args = argv + 3 };

	for (size_t i = 0; argc > 2 && i < ARRAY_SIZE(commands); i++) {
		if (!streq(argv[2], commands[i].name) || argc - 3 < commands[i].args)
			continue;
		need(image_store_open(argv[1], &t.s, &t.err), &t);
		commands[i].run(&t);
		image_store_close(t.s);
		arena_release(&t.a);
		return 0;
	}
	fprintf(stderr, "image_store: see the source\n");
	return 2;
}
