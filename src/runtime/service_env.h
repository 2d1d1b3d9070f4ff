/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Variables that name the addresses of Services, as kubelet and Docker's links write them, of those
 * that there are when a container starts. What becomes of them later changes nothing in it.
 */
#pragma once

#include "model/set.h"

/*
 * Those of the Services with an address in the pod's namespace, if it wants them, all or none: more
 * than SERVICE_ENV_MAX bytes would keep it from starting. In any case those of default/kubernetes,
 * when there is such a Service. Sorted by name; read-only.
 */
#define SERVICE_ENV_MAX (64 * 1024)

struct strmap service_env(struct arena *a, const struct set *set, const struct object *pod);
