/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control: (desired, observed, clock) -> wanted. Pure: no clock, no random numbers, no I/O of its
 * own; the same input gives the same output. One file per kind; each kind's function reads the
 * set and what runs and appends to struct wanted. Semantics: Kubernetes' controllers, see the
 * comment of each file.
 */
#pragma once

#include "base/zone.h"
#include "control/eviction.h"
#include "model/observed.h"
#include "model/set.h"
#include "model/wanted.h"

#define STORAGE_PROVISIONER "orch/local"	/* of volumes that are directories */

struct memo;

struct control_in {
	const struct set *set;		/* admitted: uids, addresses and node ports are filled in */
	const struct observed *observed;
	const struct settings *settings;
	const struct eviction_rules *eviction_rules;	/* NULL: no pod is evicted for the node's sake */
	const struct eviction_state *eviction;
	const char *node_name;
	uint32_t node_ip;
	const char *volumes_dir;	/* where volumes are provisioned; NULL: nowhere */
	/* Of the node; resources that allocatable does not have are not bounded. */
	struct qtymap capacity, allocatable;
	const struct node_system_info *node_info;	/* NULL: unknown */
	int64_t started;		/* when orchd was */
	int64_t now;			/* ns since the epoch */
	uint64_t seed;			/* of names and uids made in this pass */
	/* A time zone by name, NULL for the machine's own; without a function, all are UTC. */
	const struct zone *(*zone)(void *data, const char *name);
	void *zone_data;
	/* What earlier passes gave, from which this one takes what can't have changed; NULL: none. What
	 * is wanted then lives until the next pass with it. */
	struct memo *memo;
};

void control_run(struct arena *a, const struct control_in *in, struct wanted *ret);

/* Rollout arithmetic and history, shared with the API handlers. */
#define REVISION_ANNOTATION "deployment.kubernetes.io/revision"
#define CHANGE_CAUSE_ANNOTATION "kubernetes.io/change-cause"
#define TEMPLATE_HASH_LABEL "pod-template-hash"
#define REVISION_HASH_LABEL "controller-revision-hash"
#define RESTARTED_AT_ANNOTATION "kubectl.kubernetes.io/restartedAt"
#define CONFIG_HASH_ANNOTATION "orch/config-hash"

/* The label value for a template and the configuration it uses: 8 to 10 safe characters. */
void control_template_hash(const struct set *s, const char *ns, const struct pod_template *t,
			   char ret[16]);
/* The template of a ControllerRevision; NULL when the record can't be understood. */
struct pod_template *control_revision_template(struct arena *a, const struct object *revision);
/* rollout status in kubectl's words; *ret_done: finished; *ret_failed: deadline exceeded. */
void control_rollout_status(const struct object *o, struct buf *out, bool *ret_done,
			    bool *ret_failed);

/* What an object's pods were made from, of the records that control_history_add() is shown. */
struct control_history {
	uint32_t to;				/* the revision that is looked for; 0: none */
	const struct object *newest, *before;	/* by their revisions; NULL: there is none */
	const struct object *asked;		/* with the revision to */
};
/* Records of others, and what is no history, are passed over. */
void control_history_add(struct control_history *h, const struct object *owner,
			 const struct object *record);
uint32_t control_history_revision(const struct object *past);
/* As the manifest wrote it; NULL when the record can't be understood. */
struct pod_template *control_history_template(struct arena *a, const struct object *past);
