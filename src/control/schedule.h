/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A place on the node for each pod: schedule.c asks for it in the order of importance, room.c says
 * what is left of the node's resources, preempt.c looks for less important pods that can go.
 */
#pragma once

#include "control/budget.h"

/* What pods ask for; names of others as in their requests. */
struct room_need {
	int64_t cpu, memory;		/* milli, bytes */
	struct qtymap others;		/* further resources */
};
struct room_need room_need(struct pass *p, const struct pod_spec *s);

struct room { struct room_need used; int64_t pods; };	/* what is taken */
/* By pods that have a place and do not leave; all: nobody does. */
void room_measure(struct pass *p, bool all, struct room *ret);
void room_add(struct pass *p, struct room_need *sum, const struct pod_spec *s);
void room_take(struct pass *p, struct room *r, const struct room_need *n);
/* "Insufficient cpu", "Too many pods" ... that keep a pod from fitting in beside. */
void room_lacks(struct pass *p, const struct room *r, const struct room_need *n, struct strs *ret);

/* Reasons that pods which go may take away; none: the pod fits. */
void schedule_obstacles(struct pass *p, const struct member *m, const struct room *r,
			const struct room_need *n, struct strs *ret);

/*
 * Makes less important pods go, the least and fewest, so that m has a place when they are gone; then
 * m is nominated. What there is to say of it in the scheduler's words; NULL: nothing.
 */
const char *preempt_for(struct pass *p, struct member *m, const struct room_need *n,
			const struct budget_list *budgets);
