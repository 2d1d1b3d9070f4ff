/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images from a directory: an OCI layout (index.json, blobs/sha256/HEX), or what `docker save` makes
 * (manifest.json, which names a configuration and the tar of each layer). The keeper opens the files
 * and sees to it that they are in there; an archive was unpacked to such a directory before.
 */
#include <jansson.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"
#include "pull/fetcher.h"

#define COPY (256 * 1024)
#define LISTED_MAX (MANIFEST_MAX)

static int open_file(struct fetcher *f, const char *path, int *ret, struct err *err)
{
	struct fetch_msg m = { .op = FETCH_FILE };
	int r;

	if (strlen(path) >= sizeof(m.text))
		return err_set(err, -ENAMETOOLONG, "%.100s...", path);
	snprintf(m.text, sizeof(m.text), "%s", path);
	r = fetcher_ask(f, &m, ret, err);
	return r == 0 && *ret < 0 ? err_set(err, -EPROTO, "the keeper sent no descriptor") : r;
}

static int read_text(struct fetcher *f, const char *path, struct buf *out, struct err *err)
{
	FD_AUTO fd = -1;
	int r = open_file(f, path, &fd, err);

	return r < 0 ? r : file_read_fd(fd, path, LISTED_MAX, out, err);
}

static json_t *read_json(struct fetcher *f, const char *path, struct err *err)
{
	BUF_AUTO text = { 0 };
	json_error_t why;
	json_t *root;

	if (read_text(f, path, &text, err) < 0)
		return NULL;
	root = json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		err_set(err, -EBADMSG, "%s: %s", path, why.text);
	return root;
}

/* ---- copying ---- */

static int copy(struct fetcher *f, int from, struct part *p, struct err *err)
{
	uint64_t have = (uint64_t)MAX(lseek(p->fd, 0, SEEK_END), 0), left = p->d.size - have;
	char *bytes = arena_alloc(&f->arena, COPY);

	while (left > 0) {
		ssize_t n = pread(from, bytes, MIN(left, (uint64_t)COPY), (off_t)have);

		if (n <= 0)
			return err_set(err, -EIO, "truncated: got %llu of %llu bytes",
				       (unsigned long long)have, (unsigned long long)p->d.size);
		if (write(p->fd, bytes, (size_t)n) != n)
			return err_sys(err, errno ? -errno : -ENOSPC, "writing");
		have += (uint64_t)n;
		left -= (uint64_t)n;
		f->http.received += (uint64_t)n;
		fetcher_progress(f, f->http.received);
	}
	return 0;
}

static int get_part(struct fetcher *f, const char *path, struct part *p, struct err *err)
{
	FD_AUTO from = -1;
	int r = path ? open_file(f, path, &from, err) :
		       err_set(err, -ENOENT, "it is not in the archive");

	if (r == 0 && p->fd < 0)
		r = file_read_fd(from, path, p->d.size, &p->text, err);
	else if (r == 0)
		r = copy(f, from, p, err);
	return r < 0 ? err_prefix(err, "%s %s", p->what, p->d.digest) : fetcher_arrived(f, p, err);
}

/* ---- OCI layout ---- */

static const char *blob_path(struct fetcher *f, const char *digest)
{
	return arena_printf(&f->arena, "blobs/sha256/%s", digest + strlen("sha256:"));
}

static const struct descriptor *choose(const struct manifest_doc *doc, const char *tag,
				       struct err *err)
{
	for (uint32_t i = 0; i < doc->manifests.n; i++) {
		const struct descriptor *d = &doc->manifests.v[i];

		if (tag ? d->name && streq(d->name, tag) : doc->manifests.n == 1)
			return d;
	}
	err_set(err, -ENOENT, tag ? "no image is named \"%s\" there" :
		"there is more than one image; say which by :TAG", tag);
	return NULL;
}

static int oci_manifest(struct fetcher *f, const char *which, struct buf *out,
			const char **ret_type, struct err *err)
{
	BUF_AUTO index = { 0 };
	struct manifest_doc doc;
	const struct descriptor *d;
	int r;

	*ret_type = "";
	if (which && digest_valid(which))
		return read_text(f, blob_path(f, which), out, err);
	r = read_text(f, "index.json", &index, err);
	if (r == 0)
		r = manifest_doc_parse(&f->arena, buf_str(&index), index.len, "", NULL, &doc, err);
	if (r < 0)
		return r;
	d = choose(&doc, which, err);
	if (!d)
		return -ENOENT;
	*ret_type = d->type;
	r = read_text(f, blob_path(f, d->digest), out, err);
	char digest[DIGEST_TEXT];
	digest_of(buf_str(out), out->len, digest);
	if (r == 0 && !streq(digest, d->digest))
		r = err_set(err, -EBADMSG, "manifest: its digest should be %s and is %s", d->digest,
			    digest);
	return r;
}

static int oci_parts(struct fetcher *f, struct part *v, unsigned n, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++)
		if (!v[i].arrived)
			r = get_part(f, blob_path(f, v[i].d.digest), &v[i], err);
	return r;
}

const struct source oci_source = { .manifest = oci_manifest, .parts = oci_parts };

/* ---- docker save ---- */

struct saved {
	struct { struct saved_file { const char *path, *digest; uint64_t size; } *v; uint32_t n; } files;
};

static int digest_file(int fd, uint64_t *ret_size, char ret[DIGEST_TEXT])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	void *map = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	if (map == MAP_FAILED)
		return -errno;
	*ret_size = (uint64_t)st.st_size;
	if (EVP_Digest(map ? map : "", (size_t)st.st_size, md, NULL, EVP_sha256(), NULL) != 1)
		r = -EIO;
	snprintf(ret, DIGEST_TEXT, "sha256:");
	for (int i = 0; i < 32; i++)
		snprintf(ret + 7 + 2 * i, 3, "%02x", md[i]);
	if (map)
		munmap(map, (size_t)st.st_size);
	return r;
}

static int add_file(struct fetcher *f, struct saved *s, const char *path, struct err *err)
{
	char digest[DIGEST_TEXT];
	uint64_t size = 0;
	FD_AUTO fd = -1;
	int r = open_file(f, path, &fd, err);

	if (r < 0)
		return r;
	r = digest_file(fd, &size, digest);
	if (r < 0)
		return err_sys(err, r, "%s", path);
	*arena_push(&f->arena, &s->files) = (struct saved_file){
		arena_strdup(&f->arena, path), arena_strdup(&f->arena, digest), size,
	};
	return 0;
}

/* "x:1" and "docker.io/library/x:1" are the same name. */
static bool names(struct fetcher *f, json_t *entry, const char *name)
{
	struct reference want, is;
	json_t *tag;
	size_t i;

	if (reference_parse(&f->arena, name, &want, NULL) < 0)
		return false;
	json_array_foreach(json_object_get(entry, "RepoTags"), i, tag)
		if (json_is_string(tag) &&
		    reference_parse(&f->arena, json_string_value(tag), &is, NULL) == 0 &&
		    streq(is.name, want.name))
			return true;
	return false;
}

static json_t *choose_saved(struct fetcher *f, json_t *root, const char *name, struct err *err)
{
	json_t *entry;
	size_t i;

	json_array_foreach(root, i, entry)
		if (name ? names(f, entry, name) : json_array_size(root) == 1)
			return entry;
	err_set(err, -ENOENT, name ? "no image is named \"%s\" there" :
		"there is more than one image, or none; say which by :NAME:TAG", name);
	return NULL;
}

static int add_files(struct fetcher *f, json_t *entry, struct saved *s, struct err *err)
{
	const char *config = json_string_value(json_object_get(entry, "Config"));
	json_t *list = json_object_get(entry, "Layers"), *layer;
	size_t i;
	int r;

	if (!config || !json_is_array(list) || json_array_size(list) > IMAGE_LAYERS_MAX)
		return err_set(err, -EBADMSG, "manifest.json: no image of docker save");
	r = add_file(f, s, config, err);
	json_array_foreach(list, i, layer) {
		if (r == 0 && !json_is_string(layer))
			r = err_set(err, -EBADMSG, "manifest.json: a layer without name");
		if (r == 0)
			r = add_file(f, s, json_string_value(layer), err);
	}
	return r;
}

/* The manifest that a registry would have of it. */
static void write_manifest(const struct saved *s, struct buf *out)
{
	static const char kind[] = "application/vnd.docker.distribution.manifest.v2+json";

	buf_printf(out, "{\"schemaVersion\":2,\"mediaType\":\"%s\"", kind);
	for (uint32_t i = 0; i < s->files.n; i++)
		buf_printf(out, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}%s",
			   i == 0 ? ",\"config\":" : i == 1 ? "" : ",",
			   i == 0 ? "application/vnd.docker.container.image.v1+json" :
				    "application/vnd.docker.image.rootfs.diff.tar",
			   s->files.v[i].digest, (unsigned long long)s->files.v[i].size,
			   i == 0 ? ",\"layers\":[" : "");
	buf_puts(out, "]}");
}

static int docker_manifest(struct fetcher *f, const char *which, struct buf *out,
			   const char **ret_type, struct err *err)
{
	struct saved *s = arena_new(&f->arena, struct saved);
	json_t *root = read_json(f, "manifest.json", err), *entry;
	int r = root ? 0 : -EBADMSG;

	*ret_type = "";
	entry = root ? choose_saved(f, root, which, err) : NULL;
	if (entry)
		r = add_files(f, entry, s, err);
	else if (root)
		r = -ENOENT;
	if (r == 0)
		write_manifest(s, out);
	f->source_state = s;
	json_decref(root);
	return r;
}

static const char *saved_path(const struct saved *s, const char *digest)
{
	for (uint32_t i = 0; i < s->files.n; i++)
		if (streq(s->files.v[i].digest, digest))
			return s->files.v[i].path;
	return NULL;
}

static int docker_parts(struct fetcher *f, struct part *v, unsigned n, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++)
		if (!v[i].arrived)
			r = get_part(f, saved_path(f->source_state, v[i].d.digest), &v[i], err);
	return r;
}

const struct source docker_source = { .manifest = docker_manifest, .parts = docker_parts };
