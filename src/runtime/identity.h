/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a container runs as and what it may: the container's securityContext over the pod's. */
#pragma once

#include <sys/types.h>

#include "image/image.h"
#include "model/object.h"

struct identity {
	uid_t uid;
	gid_t gid;
	const gid_t *groups;	/* all of them, gid first */
	uint32_t ngroups;
	uint64_t caps;		/* bounding set; a user other than root starts without any */
	bool read_only_root;
	bool privileged;	/* all capabilities, all devices, nothing hidden or read-only */
	bool all_proc;		/* nothing of /proc is hidden or read-only */
	bool may_gain;		/* setuid programs work: no no_new_privs */
	bool no_filter;		/* no seccomp */
	const char *profile;	/* seccomp: of the node, by its name; NULL: the default */
};

/* -EPERM with kubelet's words when runAsNonRoot forbids it. */
int identity_of(struct arena *a, const struct pod_spec *s, const struct container *c,
		const struct image *img, struct identity *ret, struct err *err);
/* -ERANGE when an id is not below count: nobody in the pod's user namespace. */
int identity_within(const struct identity *id, uint32_t count, struct err *err);
/* Does any container of the pod need what is kept from others? */
bool identity_any_privileged(const struct pod_spec *s);
/* As kubelet: how soon the kernel's OOM killer takes it. */
int64_t identity_oom_score(const struct pod_spec *s, const struct container *c,
			   int64_t node_memory);
