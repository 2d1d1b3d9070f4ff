/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the node is short of something, in kubelet's terms: signals, and from the settings the
 * thresholds of each, hard and soft:
 * https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* In the order in which they are dealt with. */
enum node_signal {
	SIGNAL_MEMORY, SIGNAL_NODEFS, SIGNAL_NODEFS_INODES, SIGNAL_IMAGEFS, SIGNAL_IMAGEFS_INODES,
	SIGNAL_PID, SIGNALS
};

struct eviction_amount {
	bool set;
	double share;		/* of the capacity; 0: */
	int64_t value;		/* bytes, files or processes */
};

struct eviction_rules {
	struct eviction_amount hard[SIGNALS], soft[SIGNALS];
	struct eviction_amount reclaim[SIGNALS];	/* to be gained above the threshold */
	int64_t grace[SIGNALS];		/* how long soft is borne, ns */
	int64_t transition;		/* how long a condition outlives what caused it, ns */
	uint32_t max_grace_s;		/* for pods that a soft threshold evicts */
};

struct settings;

const char *eviction_signal_name(enum node_signal s);		/* "memory.available" */
int64_t eviction_amount_of(const struct eviction_amount *x, int64_t capacity);
/* Of settings that were checked. */
void eviction_rules(const struct settings *s, struct eviction_rules *ret);
