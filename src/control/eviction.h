/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is evicted, in the words of kubelet: https://kubernetes.io/docs/concepts/scheduling-eviction/
 * Pure, as all of control. What a look at the node's signals has to know of the looks before is in
 * struct eviction_state, which the caller keeps.
 */
#pragma once

#include "model/eviction.h"
#include "model/observed.h"

enum node_pressure { PRESSURE_MEMORY, PRESSURE_DISK, PRESSURE_PID, PRESSURES };

struct eviction_state {			/* all zero before the first look */
	int64_t hard_since[SIGNALS], soft_since[SIGNALS];	/* met since; 0: not */
	int64_t seen[PRESSURES];	/* a threshold of it was met, last */
	int64_t since[PRESSURES];	/* the condition is as it is */
	bool on[PRESSURES];		/* the condition */
	bool reclaiming;		/* something has to be gained now: */
	enum node_signal signal;	/* what */
	bool hard;			/* at once */
	int64_t cleaned_at;		/* what nobody uses was removed, last */
	int64_t evicted_at;		/* a pod was chosen, last */
};

/* Takes in what was measured at n->at. */
void eviction_look(const struct eviction_rules *r, const struct observed_node *n,
		   struct eviction_state *s);
enum node_pressure eviction_pressure(enum node_signal s);

/* The pod has more on disk than its limits of ephemeral-storage and its emptyDirs allow: which;
 * NULL: it has not, or it was not measured. */
const char *eviction_over_limit(struct arena *a, const struct observed_pod *p);

/* Bytes of all that a pod has on disk; it was measured. */
int64_t eviction_pod_bytes(const struct observed_pod *p);
const char *eviction_bytes_text(struct arena *a, int64_t n);	/* 100Mi, 1536Ki, 1000 */
