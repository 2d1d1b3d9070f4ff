/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runtime handlers: OCI runtimes of the kind of crun, which make the containers of pods whose
 * RuntimeClass says so. The container's program (shim/program.h) mounts its root with all that
 * belongs there, as for any other, and then becomes the runtime, which is given a bundle below
 * RUN/pods/UID/oci/CONTAINER: who the container runs as, what it may, its command. It is not asked
 * to know control groups, network or volumes: what it starts is in the pod's already.
 */
#pragma once

#include "runtime/builder.h"

/* The pod's, by its RuntimeClass; none is fine. Errors are in kubelet's words. */
int handler_choose(struct sandbox *p, const struct set *set, struct err *err);
/* The end of a container's program: writes the bundle, becomes the runtime. */
int handler_program(struct builder *b, uint32_t attempt, enum shim_pids pids, struct err *err);
/* Relative to the pod's directory. */
const char *handler_dir(struct arena *a, const struct container *c);
/* What the runtime says of a container that it could not make. */
void handler_fail_text(const struct sandbox *p, const struct container *c, char *ret, size_t n);

/* bundle.c: config.json */
struct bundle {
	const char *work_dir;
	enum shim_pids pids;
};
void bundle_config(struct builder *b, const struct bundle *x, struct buf *out);
