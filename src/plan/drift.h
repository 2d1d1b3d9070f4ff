/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan being made, as the files of this room share it. */
#pragma once

#include "plan/plan.h"

struct planning {
	struct arena *a;
	const struct plan_in *in;
	struct plan *plan;
	struct object_list keep;	/* deletions that the guard holds back */
	uint32_t walked;		/* so many changes are of the walk, sorted by key */
	struct object_list configs;	/* ConfigMaps and Secrets that are not what they were */
};

void plan_progress(struct planning *p);	/* rollouts under way that no change explains */
void plan_drift(struct planning *p);	/* actions that nothing explains so far */
