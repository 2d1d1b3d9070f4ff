/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block volumes: devices of the node, and files of orch/local that are attached to a loop device for
 * as long as there is a pod that has them. RUN/pods/UID/devices/VOLUME names such a file, so that an
 * orchd that was killed finds out which ones are in use.
 */
#pragma once

#include "runtime/sandbox.h"

/* The device that a claim leads to; from a. */
int device_path(struct sandbox *p, struct arena *a, const struct wanted_volume *claim,
		const char **ret, struct err *err);
/* A file of so many bytes at least, which is never made smaller. */
int device_make_file(const char *path, int64_t size, struct err *err);
/* A pod is gone: devices that no other one has. */
void devices_release(struct runtime *r);
bool device_wanted(const struct pod_spec *s);	/* by any container */
