/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What containers are made from. The image of a container that was started is pinned in the store
 * until the pod is removed, so that neither a new pull nor a clean-up takes it from under it.
 */
#pragma once

#include "runtime/sandbox.h"

/* start: as the name has it now, and pinned; else what it was started from. */
int images_resolve(struct sandbox *p, struct container_run *run, bool start, struct arena *a,
		   struct image *ret, struct err *err);
/* What a volume is made from, pinned. */
int images_resolve_volume(struct sandbox *p, const struct volume *v, struct arena *a,
			  struct image *ret, struct err *err);
void images_unpin(struct sandbox *p);		/* of a pod that goes */
void images_unpin_unknown(struct runtime *r);	/* of pods that nobody knows any more */
/* "rootfs:/PATH" or "HOST/PATH@sha256:..." of what it was started from; NULL: not known. */
const char *images_id(struct sandbox *p, struct container_run *run);
