/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures as cosign puts them beside an image: the manifest with tag sha256-HEX.sig in the same
 * repository has one layer for each, its payload (a JSON document that names the image and its
 * digest) as the blob and the signature over the payload's bytes, in base64, as an annotation.
 * https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
 */
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/macro.h"
#include "base/units.h"
#include "pull/fetcher.h"

#define PAYLOAD_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define PAYLOAD_MAX (64 << 10)
#define SIGNATURES_MAX 32

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return key;
}

/* ECDSA or RSA over SHA-256; Ed25519 has a digest of its own. */
static bool verifies(EVP_PKEY *key, const struct buf *payload, const void *signature, size_t n)
{
	const EVP_MD *md = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, signature, n, (const unsigned char *)buf_str(payload),
				     payload->len) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

static const char *word_at(json_t *root, const char *a, const char *b)
{
	const char *s = json_string_value(json_object_get(json_object_get(root, a), b));

	return s ? s : "";
}

/* A good signature is of something: of this digest, in this repository. */
static bool is_about(struct fetcher *f, const struct buf *payload, const char *const *digests)
{
	json_t *root = json_loadb(buf_str(payload), payload->len, JSON_REJECT_DUPLICATES, NULL);
	json_t *critical = json_object_get(root, "critical");
	const char *digest = word_at(critical, "image", "docker-manifest-digest");
	const char *name = word_at(critical, "identity", "docker-reference");
	struct reference r;
	bool about = false;

	for (; !about && *digests; digests++)
		about = streq(digest, *digests);
	about = about && *name && reference_parse(&f->arena, name, &r, NULL) == 0 && r.host &&
		streq(r.host, f->ref.host) && streq(r.path, f->ref.path);
	json_decref(root);
	return about;
}

static bool layer_is_good(struct fetcher *f, EVP_PKEY *key, const struct descriptor *d,
			  const char *const *digests)
{
	BUF_AUTO payload = { 0 };
	void *signature;
	size_t n;

	if (!streq(d->type, PAYLOAD_TYPE) || !d->signature || d->size > PAYLOAD_MAX ||
	    base64_decode(&f->arena, d->signature, strlen(d->signature), &signature, &n) < 0)
		return false;
	return fetcher_text(f, "signature", d, false, &payload, NULL) == 0 &&
	       verifies(key, &payload, signature, n) && is_about(f, &payload, digests);
}

/* 1: good, 0: none that is, or -errno. */
static int check_digest(struct fetcher *f, EVP_PKEY *key, const char *digest,
			const char *const *digests, struct err *err)
{
	const char *tag = arena_printf(&f->arena, "sha256-%s.sig", digest + strlen("sha256:"));
	BUF_AUTO text = { 0 };
	struct manifest_doc doc;
	const char *type = "";
	int r = f->source->manifest(f, tag, &text, &type, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = manifest_doc_parse(&f->arena, buf_str(&text), text.len, type, NULL, &doc, err);
	if (r < 0 || doc.is_index)
		return r;
	for (uint32_t i = 0; i < MIN(doc.layers.n, (uint32_t)SIGNATURES_MAX); i++)
		if (layer_is_good(f, key, &doc.layers.v[i], digests))
			return 1;
	return 0;
}

int signature_check(struct fetcher *f, const char *pem, const char *const *digests,
		    struct err *err)
{
	EVP_PKEY *key;
	int r = 0;

	if (f->ref.transport != TRANSPORT_REGISTRY)
		return err_set(err, -EACCES, "its policy wants a signature, which only images of a "
			       "registry have");
	key = read_key(pem ? pem : "");
	if (!key)
		return err_set(err, -EINVAL, "the policy's key is no public key (PEM)");
	for (const char *const *d = digests; r == 0 && *d; d++)
		if (d == digests || !streq(*d, d[-1]))
			r = check_digest(f, key, *d, digests, err);
	EVP_PKEY_free(key);
	if (r < 0)
		return err_prefix(err, "its signature");
	return r ? 0 : err_set(err, -EACCES, "no signature by the policy's key was found");
}
