/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Admission of pods that are to be made. */
#pragma once

#include "control/pass.h"

/* Completes the specification: what classes and LimitRanges say. Why that is not possible; NULL: it
 * was. */
const char *admit_complete(struct pass *p, const char *ns, struct pod_spec *s);
/* What LimitRanges forbid of a pod that is complete; NULL: nothing. */
const char *admit_limits(struct pass *p, const struct object *pod);
/* Completes a pod; why it may not be made, in Kubernetes' words; NULL: it may. */
const char *admit_pod(struct pass *p, struct object *pod);

/* priority.c: fills in what the class of the pod says */
const char *priority_admit(struct pass *p, struct pod_spec *s);
/* runtime_class.c: the same of its RuntimeClass */
const char *runtime_class_admit(struct pass *p, struct pod_spec *s);
