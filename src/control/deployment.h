/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One Deployment in one pass: its ReplicaSets and the numbers that a rollout is made of.
 * deployment.c finds and records, rollout.c decides how many pods each gets, deployment_status.c
 * says how far it is.
 */
#pragma once

#include "control/pass.h"

#define DESIRED_ANNOTATION "deployment.kubernetes.io/desired-replicas"
#define MAX_ANNOTATION "deployment.kubernetes.io/max-replicas"
#define CURRENT_ANNOTATION "orch/current-since"
#define COMPLETE_ANNOTATION "orch/complete-since"
#define PAUSED_ANNOTATION "orch/paused"
#define ROLLBACK_ANNOTATION "orch/rollback-on-failure"
#define CREATE_ERROR "ReplicaSetCreateError"	/* reason: the current one is refused */

struct rollout {
	struct pass *p;
	const struct object *object;
	const struct deployment_spec *spec;
	struct rset_list sets;		/* oldest first; current is one of them */
	struct rset *current;		/* made from the present template; NULL: none (yet) */
	const char *refused;		/* why the current one is not made; NULL: it may be */
	int32_t surge, unavailable;	/* resolved */
	char hash[16];
	uint64_t config;
	bool recreate;
};

int64_t rollout_number(const struct rset *rs, const char *annotation);	/* -1: absent */
int64_t rollout_time(const struct rset *rs, const char *annotation);	/* 0: absent */
bool rset_is_current(const struct rollout *r, const struct rset *rs);
/* NULL: a quota has no room for it. */
struct rset *rset_make_current(struct rollout *r);

void rollout_bounds(struct rollout *r);
void rollout_scale(struct rollout *r);		/* in proportion, when replicas changed or paused */
void rollout_step(struct rollout *r);
void rollout_annotate(struct rollout *r);

bool rollout_complete(const struct rollout *r);
void deployment_status_make(struct rollout *r);

/* rollout status of a Deployment; both results are false before. */
void deployment_rollout(const struct object *deployment, struct buf *out, bool *ret_done,
			bool *ret_failed);
