/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many pods what can be scaled wants: what its manifest says, or who scales it. */
#pragma once

#include "control/pass.h"

/* The object of a reference of any kind with replicas; NULL: there is none, or it has none. */
const struct object *scale_target(struct pass *p, const char *ns, const char *kind, const char *name);
/* Its replicas now: of who scales it, or of its manifest. */
int32_t scale_replicas(struct pass *p, const struct object *o);
int32_t scale_declared(const struct object *o);	/* of its manifest */
/* Its status, and its replicas when they are not those of the manifest. */
void scale_status(struct pass *p, const struct object *o, const void *status);
/* Of the controller of a pod, or of its own controller; false: it can't be scaled. */
bool scale_of_owner(struct pass *p, const char *ns, const struct owner_reference *r, int32_t *ret);
