/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volumes as files and directories of the host that containers bind. What orchd writes itself
 * (volume_files.h) is below RUN/pods/UID/volumes/NAME, as are mount points of Memory volumes; emptyDirs
 * are below STATE/pods/UID/volumes/NAME; where a claim leads was decided by control.
 */
#pragma once

#include <sys/types.h>

#include "model/wanted.h"
#include "runtime/downward.h"
#include "runtime/volume_files.h"

struct volume_in {
	const struct object *pod;
	const char *run_dir, *state_dir;	/* of the pod */
	uint32_t ids;				/* as in struct sandbox */
	struct node_size node;
	const struct wanted_volume *claims;	/* NULL: not needed */
	uint32_t nclaims;
};

const struct volume *volume_find(const struct pod_spec *s, const char *name);
/* An emptyDir of medium HugePages: "2M" or "1G"; NULL: it is something else. */
const char *volume_huge(const struct pod_spec *s, const struct volume *v);
bool volume_is_memory(const struct volume *v);
bool volume_is_files(const struct volume *v);	/* that orchd writes */
bool volume_keeps_devices(const struct volume *v);
/* Where its content is; from a. NULL: a claim that leads nowhere. */
const char *volume_source(struct arena *a, const struct volume_in *in, const struct volume *v);
const struct wanted_volume *volume_claim(const struct volume_in *in, const struct volume *v);
/* The pod's fsGroup; false: none. */
bool volume_group(const struct object *pod, gid_t *ret);
/*
 * Its files belong to nobody but the pod, so they have ids of the pod's user namespace. The ids of
 * others are mapped when they are mounted, and mean the same in every pod.
 */
bool volume_is_own(const struct volume *v);
/* The pod's root, and its fsGroup or the group of root, as the node knows them; -1: no change. */
struct volume_owner { uid_t uid; gid_t gid; };
struct volume_owner volume_owner(const struct volume_in *in);

/* Directories of emptyDirs and of what orchd writes, with its content. */
int volumes_make(const struct volume_in *in, const struct set *set, struct err *err);
/*
 * Content as it is now. What is missing stays as it was. Directories of the content before are
 * added to old, to be removed a little later: a reader may be on its way through the link that led
 * there.
 */
int volumes_write(const struct volume_in *in, const struct set *set, struct arena *a,
		  struct strs *old, struct err *err);

/* Whether a container of the specification shares what it mounts in a volume with the node. */
bool volume_any_shared(const struct pod_spec *s);
/* Whether mounts made at path can be seen by others, as the node has mounted it. */
int volume_check_shared(const struct volume *v, const char *path, struct err *err);

/* Before a container starts: a path of the host is what its type says, or is made. */
int volume_check_host_path(const struct host_path_volume *h, struct err *err);
