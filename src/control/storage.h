/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Persistent storage in one pass. A claim is a PersistentVolumeClaim, declared or made by control;
 * a volume is a PersistentVolume, declared or provisioned. They belong together when the volume's
 * claimRef has the uid of the claim: that, in a stored copy of the volume, is all that is remembered,
 * so that a claim that was removed and comes back is another one and gets no old data by accident.
 */
#pragma once

#include "control/pass.h"

#define DEFAULT_CLASS_ANNOTATION "storageclass.kubernetes.io/is-default-class"
#define PROVISIONED_ANNOTATION "pv.kubernetes.io/provisioned-by"

struct storage_volume {
	struct object o;		/* a private copy */
	struct pv_spec *spec;
	const struct object *stored;	/* what the store has; NULL: nothing */
	bool declared;
	bool provisioned;		/* by us: its directory is ours */
	struct storage_claim *claim;
};

struct storage_claim {
	struct object o;		/* a private copy */
	struct pvc_spec *spec;
	bool derived;			/* made by control, and kept in the store */
	const char *class;		/* its name; "": none, only declared volumes */
	bool used;			/* a pod that is to run names it */
	bool mounted;			/* a pod that is still there names it */
	struct storage_volume *volume;
};

struct storage {
	struct { struct storage_volume **v; uint32_t n; } volumes;
	struct { struct storage_claim **v; uint32_t n; } claims;
	struct object builtin;		/* the class that is there without being declared */
	const char *default_class;
};

struct storage_claim *storage_find(const struct storage *s, const char *ns, const char *name);
/* The claim that a volume of a pod names; from a. NULL: it is no claim. */
const char *storage_claim_name(struct arena *a, const struct object *pod, const struct volume *v);
/* class.c */
struct storage_class_info {
	const struct storage_class *body;	/* NULL: there is no such class */
	bool ours;			/* its provisioner is */
	bool waits;			/* for the first pod of a claim */
	enum pv_reclaim_policy reclaim;
};
void storage_classes(struct pass *p, struct storage *s);
struct storage_class_info storage_class(struct pass *p, const struct storage *s, const char *name);
bool storage_reaches(struct pass *p, const struct pv_spec *v);	/* by its node affinity, this node */
/* bind.c */
void storage_bind(struct pass *p, struct storage *s);
