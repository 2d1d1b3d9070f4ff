/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ControllerRevisions of a StatefulSet or DaemonSet, as one pass sees and changes them. */
#pragma once

#include "control/pass.h"

struct revision {
	struct object object;		/* shared with the store until own */
	const char *hash;		/* that its pods carry in REVISION_HASH_LABEL */
	bool own;
	bool used;			/* some pod is made from it: stays whatever the limit */
};

struct revisions {
	struct revision *v;		/* oldest first */
	uint32_t n;
	const struct object *owner;
	struct revision *update;	/* has the declared template */
	struct revision *current;	/* the newest whose rollout was completed; else the oldest */
};

/* Those of the store, and a new one when none has this template. */
void revisions_load(struct pass *p, const struct object *owner, const struct pod_template *t,
		    struct revisions *ret);
/* All pods are of the update revision and available. */
void revisions_complete(struct pass *p, struct revisions *l);
/* Into what the store keeps, but for history beyond the limit. */
void revisions_put(struct pass *p, struct revisions *l, int32_t limit);
