/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ResourceQuotas: what an object or a pod counts for, in the names of resources that quotas use.
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
#pragma once

#include "model/set.h"

/* Does it count pods with this specification? */
bool quota_counts_pod(const struct resource_quota_spec *q, const struct pod_spec *spec);
/* Which of the bounded resources a pod uses, and how much of each. */
struct qtymap quota_of_pod(struct arena *a, const struct resource_quota_spec *q,
			   const struct pod_spec *spec);
/* "must specify limits.cpu for: main"; NULL: every container says what the quota bounds. */
const char *quota_unspecified(struct arena *a, const struct resource_quota_spec *q,
			      const struct pod_spec *spec);
/* The same of any object but a pod; the quota has to be of its namespace. */
struct qtymap quota_of_object(struct arena *a, const struct resource_quota_spec *q,
			      const struct object *o);
/* What would be too much: "exceeded quota: ..."; NULL: nothing. */
const char *quota_exceeded(struct arena *a, const struct object *quota, const struct qtymap *used,
			   const struct qtymap *more);
/* used grows by what is in more. */
void quota_charge(struct arena *a, struct qtymap *used, const struct qtymap *more);
