/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volumes as directories of the host that containers bind. ConfigMaps and Secrets become files
 * below RUN/pods/UID/volumes/NAME as kubelet writes them: a directory named after the time, the
 * symbolic link ..data to it that is swapped in one rename, and links to the files, so that a
 * reader sees all of the old or all of the new.
 */
#pragma once

#include <sys/types.h>

#include "model/set.h"

struct volume_in {
	const struct object *pod;
	const char *run_dir, *state_dir;	/* of the pod */
};

const struct volume *volume_find(const struct pod_spec *s, const char *name);
bool volume_is_memory(const struct volume *v);
bool volume_is_config(const struct volume *v);
bool volume_keeps_devices(const struct volume *v);
/* Where its content is; from a. */
const char *volume_source(struct arena *a, const struct volume_in *in, const struct volume *v);

/* Directories of emptyDirs and of ConfigMaps and Secrets, with their content. */
int volumes_make(const struct volume_in *in, const struct set *set, struct err *err);
/*
 * Content of ConfigMaps and Secrets as they are now. What is missing stays as it was. Directories
 * of the content before are added to old, to be removed a little later: a reader may be on its
 * way through the link that led there.
 */
int volumes_write(const struct volume_in *in, const struct set *set, struct arena *a,
		  struct strs *old, struct err *err);

/* Before a container starts: a hostPath is what its type says, or is made. */
int volume_check_host_path(const struct volume *v, struct err *err);
/* Makes directory sub of an emptyDir or hostPath, inside of it whatever links are there. */
int volume_make_sub_path(const char *dir, const char *sub, struct err *err);

/* One ConfigMap or Secret volume; now names the directory. */
struct volume_file {
	const char *path;	/* in the volume */
	struct bytes content;
	mode_t mode;
};
struct volume_files { struct volume_file *v; uint32_t n; };
/* *ret_old: path of the content before, from a; NULL: there was none, or it is still right. */
int volume_swap(const char *dir, const struct volume_files *files, int64_t now, struct arena *a,
		const char **ret_old, struct err *err);
