/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manifests and indexes, OCI and Docker schema 2: JSON from a network, read with limits. What is
 * neither is refused in words, schema 1 and artifacts that are no images by name.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "image/record.h"

#define MANIFEST_MAX (4 << 20)		/* bytes */
#define INDEX_MAX 512			/* manifests in an index */
#define MANIFEST_TYPES                                                                         \
	"application/vnd.oci.image.index.v1+json, "                                            \
	"application/vnd.oci.image.manifest.v1+json, "                                         \
	"application/vnd.docker.distribution.manifest.list.v2+json, "                          \
	"application/vnd.docker.distribution.manifest.v2+json"

struct descriptor {
	const char *type, *digest;
	uint64_t size;
	const char *name;	/* annotation org.opencontainers.image.ref.name; NULL: none */
	const char *signature;	/* annotation dev.cosignproject.cosign/signature; NULL: none */
};
struct descriptors { struct descriptor *v; uint32_t n; };

struct manifest_doc {
	bool is_index;
	const char *type;
	/* of an index: the descriptors that may be meant, best first */
	struct descriptors manifests;
	/* of a manifest */
	struct descriptor config;
	struct descriptors layers;
};

struct platform {
	const char *architecture, *variant;	/* variant "": none asked for */
};

/*
 * type: what the server or the descriptor says, "" when nothing does. Of an index, manifests are
 * those for platform (NULL: all, in their order). -EBADMSG, -ENOENT: none is for the platform.
 */
int manifest_doc_parse(struct arena *a, const char *json, size_t n, const char *type,
		       const struct platform *platform, struct manifest_doc *ret, struct err *err);
