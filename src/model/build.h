/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share while objects, manifests and sets are made. */
#pragma once

#include "model/set.h"

/* Fills kind, body and meta. */
void object_set_body(struct object *o, const struct kind *kind, void *body);
/* schema_hash of all that was written, and of the kind. */
uint64_t object_digest(const struct object *o);
/* What the file leaves open and no row's default can say: values that depend on others. */
void object_complete(struct arena *a, struct object *o);

/* By file and position; with errors_first all errors stand before all warnings. */
void msgs_order(struct msgs *m, bool errors_first);

/* The pod specification that an object has or makes pods from, its labels, and the path of the
 * specification; NULL for other kinds. */
struct pod_spec *object_pod_spec(const struct object *o, const char **ret_path);
const struct strmap *object_pod_labels(const struct object *o);

/* One use of a ConfigMap or Secret by a pod. */
struct config_use {
	enum kind_id kind;
	const char *name, *key;		/* key NULL: all keys */
	bool optional;
	bool item;			/* names a key of a volume that is a use itself */
	bool fixed;			/* through env or subPath: a change needs a restart */
	bool mounted;			/* through a volume that is kept up to date */
	const struct node *at;		/* where it is written */
	const char *format;		/* of the path below the specification, for i and k */
	uint32_t i, k;
};
struct config_uses { struct config_use *v; uint32_t n; };
void config_uses(struct arena *a, const struct pod_spec *s, struct config_uses *ret);

/*
 * Tells of objects that claim what another one has (addresses, ports of the node), and marks them
 * in refused, one flag for each object of s; true: there are any. in_force gives the object that
 * a key means until now.
 */
struct clash_context {
	const struct object *(*in_force)(const struct clash_context *c,
					 const struct object_key *key);
};
bool set_refuse_clashes(struct set *s, const struct clash_context *context, bool *refused);

/*
 * Tells of declared objects that are too much for a ResourceQuota and marks them in refused; holds:
 * those that have a place of a quota that is full, to be remembered. False: there are no quotas.
 */
bool set_refuse_by_quota(struct set *s, const struct clash_context *context, bool *refused,
			 bool *holds);
/* Is one of them this file? */
bool manifests_have(struct manifest *const *list, uint32_t n, const char *path);
/* Warns of what objects of s say of each other and is not so; not of those of files in quiet. */
void set_check_references(struct set *s, struct manifest *const *quiet, uint32_t nquiet);
/* Tells of what admission will refuse to make; previous: what was admitted, NULL: nothing. */
void set_check_admission(struct set *s, const struct set *previous, struct manifest *const *quiet,
			 uint32_t nquiet);
/* Applies holds to the objects of s. defined: every definition, the refused ones, too; complete: no
 * file is broken, so that what is not defined is gone. */
void set_apply_holds(struct set *s, const struct hold_list *holds,
		     const struct object_list *defined, bool complete);
