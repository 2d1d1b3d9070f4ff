/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ephemeral containers: added to a pod that runs, for debugging; never started again, and gone
 * with the pod. They are in the object that the pod has here, hence in its record, but in no
 * manifest and no plan. https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
 */
#pragma once

#include "runtime/sandbox.h"

/* Those of the object that a sandbox was made from. */
void ephemerals_restore(struct sandbox *p);
/* Another object took the place of the sandbox's: it has them, too. */
void ephemerals_show(struct sandbox *p);
