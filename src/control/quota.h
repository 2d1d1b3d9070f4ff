/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ResourceQuotas in a pass: counted before anything is made, asked for each pod, shown in the end. */
#pragma once

#include "control/pass.h"

struct quota {
	const struct object *object;
	const struct resource_quota_spec *spec;
	struct qtymap used;		/* of each bounded resource */
};

void quotas_begin(struct pass *p);
/* Why a pod that is to be made is too much; NULL: it is not, and counts from now on. */
const char *quotas_admit(struct pass *p, const struct object *pod);
/* A pod is stopped: if that leaves nothing of it, it counts no more. */
void quotas_release(struct pass *p, const struct member *m);
/* Why a pod that is there may not have another specification; NULL: it may, and counts with it. */
const char *quotas_admit_change(struct pass *p, const struct object *pod,
				const struct pod_spec *spec);
/* The same of an object of another kind, in full words. */
const char *quotas_admit_object(struct pass *p, const struct object *o);
void quotas_show(struct pass *p);
