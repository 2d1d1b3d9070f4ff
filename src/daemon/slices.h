/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EndpointSlices (discovery.k8s.io/v1), for clients that read them instead of Endpoints. */
#pragma once

#include "daemon/view.h"

/* Puts one slice per subset of an Endpoints object into the view. */
void slices_put(struct view *v, struct arena *a, const struct object *endpoints);
