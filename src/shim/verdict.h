/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a series of probe results means, as the kubelet sees it: a verdict changes once so many
 * results of the other kind have come in a row. Readiness starts as failed, liveness and startup
 * as undecided.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct verdict {
	uint32_t run;		/* results in a row like the last one */
	bool last;
	bool decided, passed;
};

/* Takes one result; true when the verdict changed. A threshold of 0 is 1. */
bool verdict_add(struct verdict *v, bool ok, uint32_t success_threshold, uint32_t failure_threshold);
