/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * API versions that Kubernetes has removed, or keeps beside the one that orch has rows for. Their
 * documents are rewritten, as trees, to the version of the rows before anything else looks at them.
 */
#pragma once

#include <stdbool.h>

#include "schema/msgs.h"
#include "schema/yaml.h"

/*
 * The document to decode: doc itself, or a copy in a of today's version, which shares with doc what
 * did not change and keeps the positions of everything; then a warning names the new version
 * (unless the old one is still served). What the old version left open and meant otherwise than
 * today's is written out. -EINVAL with an error for what cannot be converted.
 */
int document_convert(struct arena *a, const char *file, const struct ynode *doc,
		     const struct ynode **ret, struct msgs *m);
/* Is this version of the kind converted? */
bool version_is_converted(const char *api, const char *kind);
/* The i-th version of the kind that is converted, NULL when there are no more. */
const char *version_converted(const char *kind, unsigned i);
