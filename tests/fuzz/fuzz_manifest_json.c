/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manifests and indexes: the first byte says what the server calls it and whether a platform is
 * asked for, the rest is JSON. What is accepted keeps its limits, whatever it says.
 */
#include "base/macro.h"
#include "base/reference.h"
#include "fuzz.h"
#include "pull/manifest.h"

static void check_list(const struct descriptors *l, uint32_t most)
{
	fuzz_check(l->n <= most, "%u", l->n);
	for (uint32_t i = 0; i < l->n; i++) {
		fuzz_check(digest_valid(l->v[i].digest), "%s", l->v[i].digest);
		fuzz_check(l->v[i].type != NULL, "%u", i);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {
		"", "application/vnd.oci.image.index.v1+json",
		"application/vnd.docker.distribution.manifest.v2+json; charset=utf-8", "text/html",
	};
	const struct platform platform = { "arm64", "v8" };
	struct arena a = { 0 };
	struct manifest_doc doc;
	struct err err = { 0 };

	if (size == 0)
		return 0;
	if (manifest_doc_parse(&a, (const char *)data + 1, size - 1, types[data[0] & 3],
			       data[0] & 4 ? &platform : NULL, &doc, &err) < 0) {
		fuzz_check(err.msg[0], "no message");
	} else if (doc.is_index) {
		fuzz_check(doc.manifests.n > 0, "an index without choice");
		check_list(&doc.manifests, INDEX_MAX);
	} else {
		fuzz_check(digest_valid(doc.config.digest), "%s", doc.config.digest);
		check_list(&doc.layers, IMAGE_LAYERS_MAX);
	}
	arena_release(&a);
	return 0;
}
