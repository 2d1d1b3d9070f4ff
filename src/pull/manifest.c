/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading manifests with jansson; see manifest.h. */
#include "pull/manifest.h"

#include <jansson.h>

#include "base/macro.h"
#include "base/reference.h"

#define BLOB_MAX (UINT64_C(64) << 30)	/* of one layer, by its descriptor */

static const struct {
	const char *type;
	bool is_index;
} types[] = {
	{ "application/vnd.oci.image.index.v1+json", true },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", true },
	{ "application/vnd.oci.image.manifest.v1+json", false },
	{ "application/vnd.docker.distribution.manifest.v2+json", false },
};

static const char *text_of(struct arena *a, json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? arena_strdup(a, s) : NULL;
}

static int read_descriptor(struct arena *a, json_t *o, const char *what, struct descriptor *ret,
			   struct err *err)
{
	json_t *notes = json_object_get(o, "annotations");
	json_int_t size = json_integer_value(json_object_get(o, "size"));

	*ret = (struct descriptor){
		.type = text_of(a, o, "mediaType"),
		.digest = text_of(a, o, "digest"),
		.size = (uint64_t)size,
		.name = text_of(a, notes, "org.opencontainers.image.ref.name"),
		.signature = text_of(a, notes, "dev.cosignproject.cosign/signature"),
	};
	if (!ret->type)
		ret->type = "";
	if (!ret->digest || !digest_valid(ret->digest))
		return err_set(err, -EBADMSG, "%s: its digest is missing or not of sha256", what);
	if (!json_is_integer(json_object_get(o, "size")) || size < 0 ||
	    (uint64_t)size > BLOB_MAX)
		return err_set(err, -EBADMSG, "%s %s: its size is missing or too large", what,
			       ret->digest);
	return 0;
}

static int read_descriptors(struct arena *a, json_t *list, const char *what, size_t most,
			    struct descriptors *ret, struct err *err)
{
	size_t i;
	json_t *v;
	int r = 0;

	if (!json_is_array(list) || json_array_size(list) > most)
		return err_set(err, -EBADMSG, "%ss: missing, or more than %zu", what, most);
	json_array_foreach(list, i, v) {
		r = read_descriptor(a, v, what, arena_push(a, ret), err);
		if (r < 0)
			break;
	}
	return r;
}

/* ---- choosing ---- */

static const char *word_of(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* How well an entry of an index fits, 0: not at all. arm64 without a variant is v8. */
static unsigned fitness(json_t *entry, const struct platform *p)
{
	json_t *platform = json_object_get(entry, "platform");
	const char *variant = word_of(platform, "variant");

	if (!p)
		return 1;
	if (!json_is_object(platform))
		return 0;
	if (!streq(word_of(platform, "os"), "linux") ||
	    !streq(word_of(platform, "architecture"), p->architecture))
		return 0;
	if (streq(variant, p->variant))
		return 3;
	return !*variant || !*p->variant ? 2 : 1;
}

/* Attestations and the like stand in an index as manifests for "unknown". */
static int read_index(struct arena *a, json_t *root, const struct platform *p,
		      struct manifest_doc *ret, struct err *err)
{
	struct descriptors all = { 0 };
	json_t *list = json_object_get(root, "manifests");
	int r = read_descriptors(a, list, "manifest", INDEX_MAX, &all, err);

	if (r < 0)
		return r;
	for (unsigned fit = 3; fit > 0; fit--)
		for (uint32_t i = 0; i < all.n; i++)
			if (fitness(json_array_get(list, i), p) == fit)
				*arena_push(a, &ret->manifests) = all.v[i];
	if (ret->manifests.n)
		return 0;
	return err_set(err, -ENOENT, "no match for platform in manifest: linux/%s%s%s not found",
		       p ? p->architecture : "?", p && *p->variant ? "/" : "", p ? p->variant : "");
}

static int read_manifest(struct arena *a, json_t *root, struct manifest_doc *ret, struct err *err)
{
	int r = read_descriptor(a, json_object_get(root, "config"), "config", &ret->config, err);

	if (r == 0 && ret->config.size > MANIFEST_MAX)
		r = err_set(err, -EBADMSG, "config %s: its size is missing or too large",
			    ret->config.digest);
	return r < 0 ? r : read_descriptors(a, json_object_get(root, "layers"), "layer",
					    IMAGE_LAYERS_MAX, &ret->layers, err);
}

/* ---- what is it? ---- */

static int row_of(const char *type)
{
	size_t n = strcspn(type, "; ");		/* "; charset=utf-8" */

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strlen(types[i].type) == n && memcmp(types[i].type, type, n) == 0)
			return (int)i;
	return -1;
}

/* The document's own word first: a server that calls an index a manifest must not have us read
 * one set of bytes in two ways. Documents of OCI may say nothing; then their shape does. */
static int find_type(json_t *root, const char *said, struct err *err)
{
	const char *own = word_of(root, "mediaType");
	bool list = json_is_array(json_object_get(root, "manifests"));
	int row;

	if (json_integer_value(json_object_get(root, "schemaVersion")) == 1)
		return err_set(err, -EBADMSG, "Docker image manifest version 2, schema 1 is not "
			       "supported any more; push the image again");
	row = row_of(*own ? own : said);
	if (row < 0 && !*own)
		row = list ? 0 : 2;
	if (row < 0)
		return err_set(err, -EBADMSG, "\"%.100s\" is no manifest of an image",
			       *own ? own : said);
	if (list == json_is_array(json_object_get(root, "layers")) || list != types[row].is_index)
		return err_set(err, -EBADMSG, "a manifest is of one type and has the shape of "
			       "another");
	return row;
}

int manifest_doc_parse(struct arena *a, const char *json, size_t n, const char *type,
		       const struct platform *platform, struct manifest_doc *ret, struct err *err)
{
	json_error_t why;
	json_t *root;
	int r;

	*ret = (struct manifest_doc){ 0 };
	if (n > MANIFEST_MAX)
		return err_set(err, -EBADMSG, "a manifest of %zu bytes; at most %d are read", n,
			       MANIFEST_MAX);
	root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(err, -EBADMSG, "a manifest that is no JSON object: %s",
			       root ? "" : why.text);
	}
	r = find_type(root, type, err);
	if (r >= 0) {
		ret->type = types[r].type;
		ret->is_index = types[r].is_index;
		r = ret->is_index ? read_index(a, root, platform, ret, err) :
				    read_manifest(a, root, ret, err);
	}
	json_decref(root);
	return r;
}
