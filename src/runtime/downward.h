/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The downward API: what a pod says of itself, as text for variables and files. */
#pragma once

#include "model/object.h"

struct node_size {
	int64_t memory, disk;	/* bytes */
	int64_t cpu_milli;
};

/* metadata.name, .namespace, .uid, .labels['KEY'], .annotations['KEY']; whole maps as lines of
 * KEY="VALUE". NULL: another path. */
const char *downward_metadata(struct arena *a, const struct meta *m, const char *path);

/* Rounded up in units of the divisor. A limit that is not set is what the node has, a request that is
 * not set is the limit. False: c is NULL, or there is no such resource. */
bool downward_resource(const struct container *c, const struct resource_field_selector *s,
		       struct node_size node, int64_t *ret);
