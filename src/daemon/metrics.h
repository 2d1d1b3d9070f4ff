/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pods use, measured at a period for HorizontalPodAutoscalers, and only while there are any. */
#pragma once

#include "daemon/daemon.h"

/* Begins or ends to measure, and fills in what was measured last. */
void metrics_observe(struct daemon *d, struct observed *o);
void metrics_free(struct daemon *d);
