/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is evicted, in the words of kubelet: https://kubernetes.io/docs/concepts/scheduling-eviction/
 * Pure, as all of control.
 */
#pragma once

#include "model/observed.h"

/* The pod has more on disk than its limits of ephemeral-storage and its emptyDirs allow: which; NULL: it
 * has not, or it was not measured. */
const char *eviction_over_limit(struct arena *a, const struct observed_pod *p);
