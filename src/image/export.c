/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image as one tar: an OCI image layout whose files are the blobs as they were pulled, so its
 * digest is the same everywhere, and Docker's manifest.json beside it, which names the same blobs.
 * Nothing in the blobs is looked at.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "image/store_dir.h"

#define BLOCK 512

struct export {
	struct image_store *s;
	int to;
	const struct image_record *r;
	struct err *err;
};

static int put(struct export *x, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t k = write(x->to, p, n);

		if (k < 0 && errno != EINTR)
			return err_sys(x->err, -errno, "cannot write the archive");
		if (k > 0) {
			p += k;
			n -= (size_t)k;
		}
	}
	return 0;
}

/* A ustar header; sizes of 8 GiB and more in GNU's binary form. */
static int put_header(struct export *x, const char *name, uint64_t size)
{
	unsigned char h[BLOCK] = { 0 };
	unsigned sum = 0;
	char *p = (char *)h;

	snprintf(p, 100, "%s", name);
	snprintf(p + 100, 24, "0000644%c0000000%c0000000", 0, 0);
	if (size >> 33) {
		h[124] = 0x80;
		for (int i = 0; i < 8; i++)
			h[135 - i] = (unsigned char)(size >> (8 * i));
	} else {
		snprintf(p + 124, 12, "%011" PRIo64, size);
	}
	snprintf(p + 136, 12, "00000000000");
	memset(p + 148, ' ', 8);
	h[156] = '0';
	memcpy(p + 257, "ustar\00000", 8);
	for (int i = 0; i < BLOCK; i++)
		sum += h[i];
	snprintf(p + 148, 7, "%06o", sum);
	return put(x, h, BLOCK);
}

static int put_padding(struct export *x, uint64_t size)
{
	static const char zero[BLOCK];

	return put(x, zero, (BLOCK - size % BLOCK) % BLOCK);
}

static int put_text(struct export *x, const char *name, const struct buf *text)
{
	int r = put_header(x, name, text->len);

	if (r == 0)
		r = put(x, text->data, text->len);
	return r < 0 ? r : put_padding(x, text->len);
}

static int copy(struct export *x, int fd, uint64_t size)
{
	char chunk[64 * 1024];

	while (size) {
		ssize_t n = read(fd, chunk, MIN(size, (uint64_t)sizeof(chunk)));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(x->err, n < 0 ? -errno : -EIO, "cannot read a blob");
		int r = put(x, chunk, (size_t)n);
		if (r < 0)
			return r;
		size -= (size_t)n;
	}
	return 0;
}

static int put_blob(struct export *x, const char *digest)
{
	char name[STORE_NAME_MAX];
	FD_AUTO fd = -1;
	struct stat st;
	int r = image_store_open_blob(x->s, digest, &fd, x->err);

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return err_sys(x->err, -errno, "blob %s", digest);
	snprintf(name, sizeof(name), "blobs/sha256/%s", digest + sizeof("sha256:") - 1);
	r = put_header(x, name, (uint64_t)st.st_size);
	if (r == 0)
		r = copy(x, fd, (uint64_t)st.st_size);
	return r < 0 ? r : put_padding(x, (uint64_t)st.st_size);
}

/* Each blob once: images may have the same layer twice. */
static int put_blobs(struct export *x)
{
	const struct image_layers *l = &x->r->layers;
	int r = put_blob(x, x->r->digest);

	if (r == 0 && !streq(x->r->config, x->r->digest))
		r = put_blob(x, x->r->config);
	for (uint32_t i = 0; r == 0 && i < l->n; i++) {
		bool again = false;

		for (uint32_t k = 0; k < i; k++)
			again |= streq(l->v[k].digest, l->v[i].digest);
		r = again ? 0 : put_blob(x, l->v[i].digest);
	}
	return r;
}

/* "docker.io/library/nginx:1.25" is tagged "1.25"; references hold nothing that JSON escapes. */
static const char *tag_of(const char *ref)
{
	const char *slash = strrchr(ref, '/'), *colon = strrchr(slash ? slash : ref, ':');

	return strchr(ref, '@') || !colon ? "latest" : colon + 1;
}

static const char *hex_of(const char *digest)
{
	return digest + sizeof("sha256:") - 1;
}

static void docker_manifest(const struct image_record *r, struct buf *out)
{
	buf_printf(out, "[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[", hex_of(r->config));
	if (!strchr(r->ref, '@'))
		buf_printf(out, "\"%s\"", r->ref);
	buf_puts(out, "],\"Layers\":[");
	for (uint32_t i = 0; i < r->layers.n; i++)
		buf_printf(out, "%s\"blobs/sha256/%s\"", i ? "," : "",
			   hex_of(r->layers.v[i].digest));
	buf_puts(out, "]}]\n");
}

static int put_layout(struct export *x)
{
	BUF_AUTO layout = { 0 };
	BUF_AUTO index = { 0 };
	BUF_AUTO docker = { 0 };
	const struct image_record *r = x->r;

	buf_puts(&layout, "{\"imageLayoutVersion\":\"1.0.0\"}\n");
	buf_printf(&index, "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\","
		   "\"digest\":\"%s\",\"size\":%" PRIu64 ",\"annotations\":{"
		   "\"io.containerd.image.name\":\"%s\","
		   "\"org.opencontainers.image.ref.name\":\"%s\"}}]}\n",
		   r->media_type, r->digest, r->manifest_size, r->ref, tag_of(r->ref));
	docker_manifest(r, &docker);
	int k = put_text(x, "oci-layout", &layout);
	if (k == 0)
		k = put_text(x, "index.json", &index);
	return k < 0 ? k : put_text(x, "manifest.json", &docker);
}

int image_store_export(struct image_store *s, const char *ref, int fd, struct err *err)
{
	static const char end[2 * BLOCK];
	struct arena a = { 0 };
	struct image_record record;
	struct export x = { s, fd, &record, err };
	int r = image_store_find(s, ref, &a, &record, err);

	if (r == 0)
		r = put_layout(&x);
	if (r == 0)
		r = put_blobs(&x);
	if (r == 0)
		r = put(&x, end, sizeof(end));
	arena_release(&a);
	return r;
}
