/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Affinity between pods and their spread, on this node: reasons in the scheduler's words. */
#pragma once

#include "control/pass.h"

/* Why the pods that have a place here keep this one away; NULL: they do not. */
const char *affinity_reason(struct pass *p, const struct member *m);
/* Why it can't be spread as it asks; *ret_final: no pod that goes helps. */
const char *spread_reason(struct pass *p, const struct member *m, bool *ret_final);
