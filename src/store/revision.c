/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revisions: DIR/revisions/N.zst is one zstd frame (with its checksum) of one line of JSON
 *
 *	{"revision":N,"time":"...","cause":"...","files":[{"path","stack","sha256","size"}]}
 *
 * and the bytes of all files, one after the other. A listing decompresses no further than the
 * first newline. Files never change once written; what is read is held against its digests.
 */
#include "store/state.h"

#include <dirent.h>
#include <stdio.h>
#include <zstd.h>

#include "base/file.h"
#include "base/macro.h"

#define ZSTD_LEVEL 3
#define REVISION_MAX (1024u << 20)	/* bytes when unpacked; larger ones were not made by us */

struct numbers { uint32_t *v; uint32_t n; };

static void revision_path(const struct store *s, uint32_t number, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/revisions/%u.zst", s->dir, number);
}

/* N of "N.zst" as we write it, 0 for any other name. */
static uint32_t revision_number(const char *name)
{
	char again[32];
	unsigned long n = strtoul(name, NULL, 10);

	snprintf(again, sizeof(again), "%u.zst", (uint32_t)n);
	return streq(again, name) ? (uint32_t)n : 0;
}

static int number_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int revision_numbers(const struct store *s, struct arena *a, struct numbers *ret,
			    struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/revisions", s->dir);
	DIR *dir = opendir(path);
	if (!dir)
		return err_sys(err, -errno, "%s", path);
	for (struct dirent *e; (e = readdir(dir));) {
		uint32_t number = revision_number(e->d_name);
		if (number)
			*arena_push(a, ret) = number;
	}
	closedir(dir);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), number_cmp);
	return 0;
}

int revisions_open(struct store *s, struct err *err)
{
	struct numbers numbers = { 0 };
	char path[PATH_MAX];
	struct arena a;
	int r;

	snprintf(path, sizeof(path), "%s/revisions", s->dir);
	r = file_mkdir_p(path, 0700, err);
	if (r < 0)
		return r;
	arena_init(&a);
	r = revision_numbers(s, &a, &numbers, err);
	if (r == 0 && numbers.n)
		s->last_revision = numbers.v[numbers.n - 1];
	arena_release(&a);
	return r;
}

uint32_t store_revision_last(const struct store *s)
{
	return s->last_revision;
}

static void header_write(struct buf *out, const struct set *set, uint32_t number, const char *cause,
			 int64_t now)
{
	struct json j;

	json_init(&j, out, false);
	json_begin_object(&j);
	json_kint(&j, "revision", number);
	state_time_write(&j, "time", now);
	json_kstr(&j, "cause", cause);
	json_key(&j, "files");
	json_begin_array(&j);
	for (uint32_t i = 0; i < set->nmanifests; i++) {
		const struct manifest *m = set->manifests[i];

		json_begin_object(&j);
		json_kstr(&j, "path", m->path);
		json_kstr(&j, "stack", m->stack);
		json_kstr(&j, "sha256", m->digest);
		json_kint(&j, "size", (int64_t)m->size);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	buf_putc(out, '\n');
}

static int compress(const struct buf *in, struct buf *out, struct err *err)
{
	size_t room = ZSTD_compressBound(in->len);
	FREE_AUTO void *packed = malloc(room);
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	size_t n = 0;

	if (packed && ctx) {
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, ZSTD_LEVEL);
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
		n = ZSTD_compress2(ctx, packed, room, in->data, in->len);
	}
	ZSTD_freeCCtx(ctx);
	if (!packed || !ctx)
		return err_sys(err, -ENOMEM, "compressing a revision");
	if (ZSTD_isError(n))
		return err_set(err, -EIO, "compressing a revision: %s", ZSTD_getErrorName(n));
	buf_add(out, packed, n);
	return 0;
}

int store_revision_add(struct store *s, const struct set *set, const char *cause, int64_t now,
		       uint32_t *ret, struct err *err)
{
	BUF_AUTO plain = { 0 };
	BUF_AUTO packed = { 0 };
	char path[PATH_MAX];
	uint32_t number = s->last_revision + 1;
	int r;

	header_write(&plain, set, number, cause, now);
	for (uint32_t i = 0; i < set->nmanifests; i++)
		buf_add(&plain, set->manifests[i]->text, set->manifests[i]->size);
	r = compress(&plain, &packed, err);
	if (r < 0)
		return r;
	revision_path(s, number, path);
	r = file_write_atomic(path, packed.data, packed.len, 0600, true, err);
	if (r < 0)
		return r;
	s->last_revision = number;
	*ret = number;
	return 0;
}

static int damaged(const char *path, struct err *err, const char *why)
{
	return err_set(err, -EBADMSG, "%s: damaged: %s", path, why);
}

/* Unpacks all of it, or (whole false) until there is a newline in out. */
static int decompress(const char *path, const struct buf *packed, bool whole, struct buf *out,
		      struct err *err)
{
	ZSTD_DCtx *ctx = ZSTD_createDCtx();
	ZSTD_inBuffer in = { packed->data, packed->len, 0 };
	size_t left = 1;
	int r = 0;

	if (!ctx)
		return err_sys(err, -ENOMEM, "%s", path);
	while (r == 0 && left) {
		char chunk[16384];
		ZSTD_outBuffer part = { chunk, sizeof(chunk), 0 };

		left = ZSTD_decompressStream(ctx, &part, &in);
		if (ZSTD_isError(left))
			r = damaged(path, err, ZSTD_getErrorName(left));
		else if (left && in.pos == in.size && part.pos == 0)
			r = damaged(path, err, "it ends too early");
		else if (out->len + part.pos > REVISION_MAX)
			r = damaged(path, err, "it is too large");
		else
			buf_add(out, chunk, part.pos);
		if (!whole && r == 0 && memchr(chunk, '\n', part.pos))
			break;
	}
	ZSTD_freeDCtx(ctx);
	return r;
}

static int files_read(struct arena *a, const char *path, json_t *list, struct revision *ret,
		      struct err *err)
{
	json_error_t why;
	json_t *item;
	size_t i;

	ret->nfiles = (uint32_t)json_array_size(list);
	ret->files = arena_array(a, struct revision_file, ret->nfiles);
	json_array_foreach(list, i, item) {
		struct revision_file *f = &ret->files[i];
		const char *name, *stack, *digest;
		json_int_t size;

		if (json_unpack_ex(item, &why, 0, "{s:s, s:s, s:s, s:I}", "path", &name, "stack", &stack,
				   "sha256", &digest, "size", &size) < 0)
			return damaged(path, err, why.text);
		if (strlen(digest) != DIGEST_HEX - 1 || size < 0)
			return damaged(path, err, "a digest or size is none");
		f->path = arena_strdup(a, name);
		f->stack = arena_strdup(a, stack);
		memcpy(f->digest, digest, DIGEST_HEX);
		f->size = (size_t)size;
	}
	return 0;
}

static int header_read(struct arena *a, const char *path, const char *line, size_t n,
		       struct revision *ret, struct err *err)
{
	const char *time, *cause;
	json_int_t number;
	json_error_t why;
	json_t *files;
	JSON_AUTO *header = json_loadb(line, n, 0, &why);

	if (!header || json_unpack_ex(header, &why, 0, "{s:I, s:s, s:s, s:o}", "revision", &number,
				      "time", &time, "cause", &cause, "files", &files) < 0)
		return damaged(path, err, why.text);
	if (time_parse(time, &ret->time) < 0)
		return damaged(path, err, "its time is none");
	ret->number = (uint32_t)number;
	ret->cause = arena_strdup(a, cause);
	return files_read(a, path, files, ret, err);
}

/* Reads and unpacks N.zst, decodes its header; *ret_body is where the files begin in plain. */
static int revision_read(struct store *s, uint32_t number, bool whole, struct arena *a,
			 struct buf *plain, size_t *ret_body, struct revision *ret, struct err *err)
{
	BUF_AUTO packed = { 0 };
	char path[PATH_MAX];
	int r;

	revision_path(s, number, path);
	r = file_read(path, REVISION_MAX, &packed, NULL);
	if (r == -ENOENT)
		return err_set(err, r, "there is no revision %u", number);
	if (r < 0)
		return err_sys(err, r, "%s", path);
	r = decompress(path, &packed, whole, plain, err);
	if (r < 0)
		return r;
	const char *newline = memchr(buf_str(plain), '\n', plain->len);
	if (!newline)
		return damaged(path, err, "it has no header");
	*ret_body = (size_t)(newline - plain->data) + 1;
	return header_read(a, path, plain->data, *ret_body, ret, err);
}

/* Cuts the body into the files that the header names. */
static int bodies_read(struct arena *a, const char *path, const char *body, size_t n,
		       struct revision *rev, struct err *err)
{
	char digest[DIGEST_HEX];

	for (uint32_t i = 0; i < rev->nfiles; i++) {
		struct revision_file *f = &rev->files[i];

		if (f->size > n)
			return damaged(path, err, "it ends too early");
		digest_hex(body, f->size, digest);
		if (!streq(digest, f->digest))
			return err_set(err, -EBADMSG, "%s: damaged: %s is not what was recorded", path,
				       f->path);
		f->text = arena_strndup(a, body, f->size);
		body += f->size;
		n -= f->size;
	}
	return n ? damaged(path, err, "there is more than its files") : 0;
}

int store_revision_load(struct store *s, uint32_t number, struct arena *a, struct revision *ret,
			struct err *err)
{
	struct revision rev = { 0 };
	BUF_AUTO plain = { 0 };
	char path[PATH_MAX];
	size_t body;
	int r = revision_read(s, number, true, a, &plain, &body, &rev, err);

	if (r < 0)
		return r;
	revision_path(s, number, path);
	if (rev.number != number)
		return damaged(path, err, "it is another revision");
	r = bodies_read(a, path, plain.data + body, plain.len - body, &rev, err);
	if (r < 0)
		return r;
	*ret = rev;
	return 0;
}

static struct revision revision_header(struct store *s, uint32_t number, struct arena *a)
{
	struct revision rev = { 0 };
	BUF_AUTO plain = { 0 };
	struct err err = { 0 };
	size_t body;

	if (revision_read(s, number, false, a, &plain, &body, &rev, &err) < 0)
		rev = (struct revision){
			.cause = arena_printf(a, "unreadable: %s", err.msg), .unreadable = true,
		};
	rev.number = number;
	return rev;
}

int store_revision_list(struct store *s, struct arena *a, struct revision **ret, uint32_t *ret_n,
			struct err *err)
{
	struct numbers numbers = { 0 };
	int r = revision_numbers(s, a, &numbers, err);

	if (r < 0)
		return r;
	*ret = arena_array(a, struct revision, numbers.n);
	*ret_n = numbers.n;
	for (uint32_t i = 0; i < numbers.n; i++)
		(*ret)[i] = revision_header(s, numbers.v[i], a);
	return 0;
}

int store_revision_prune(struct store *s, uint32_t keep, struct err *err)
{
	struct numbers numbers = { 0 };
	char path[PATH_MAX];
	struct arena a;
	int r;

	arena_init(&a);
	r = revision_numbers(s, &a, &numbers, err);
	for (uint32_t i = 0; r == 0 && i + MAX(keep, 1u) < numbers.n; i++) {
		revision_path(s, numbers.v[i], path);
		if (unlink(path) < 0 && errno != ENOENT)
			r = err_sys(err, -errno, "%s", path);
	}
	arena_release(&a);
	return r;
}
