/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a change means for what runs, in words and in containers. impact.c knows which pods belong
 * to which declared object; plan.c and drift.c ask it.
 */
#pragma once

#include "base/macro.h"
#include "plan/plan.h"

struct impact {
	const char *effect;
	const char *why;
	unsigned restarts;
};

/* The declared object that a pod or ReplicaSet belongs to in the end: itself, unless owned. */
struct object_key impact_owner(const struct plan_in *in, const struct object *o);
/* Its pods that run and are not being stopped. */
unsigned impact_pods(const struct plan_in *in, const struct object_key *key);

struct impact impact_create(struct arena *a, const struct object *o);
struct impact impact_delete(struct arena *a, const struct plan_in *in, const struct object *o);
struct impact impact_update(struct arena *a, const struct plan_in *in, const struct object *was,
			    const struct object *is, const struct diff *d);
/* "ConfigMap web-cfg changed": content reaching the pods of o through their environment differs
 * between the two sets; NULL: it does not. */
const char *impact_config(struct arena *a, const struct plan_in *in, const struct object *o);
/* A workload whose manifest did not change, but its configuration did. */
struct impact impact_of_config(struct arena *a, const struct plan_in *in, const struct object *o,
			       const char *why);
/* The effects "a, b": NULL for none yet. */
const char *impact_join(struct arena *a, const char *x, const char *y);
const struct pod_spec *impact_pod_spec(const struct object *o);	/* NULL: no workload */
