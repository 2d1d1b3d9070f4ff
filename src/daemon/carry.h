/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying out the actions of a plan: their order, what has to be durable before what, and the
 * back-off of what failed. Who does the actions is given: exec.c, or the simulator.
 */
#pragma once

#include "base/err.h"
#include "plan/plan.h"

struct retry;			/* an object whose last action failed */

struct carrier {
	int (*act)(void *data, const struct action *a, struct err *err);
	int (*save)(void *data, struct err *err);	/* the store, durably; nothing changed: 0 */
	void (*failed)(void *data, const struct action *a, const struct err *err);
	void *data;
};

/* An action that fails stops nothing else; a due one is tried again with a longer wait. When the store
 * can't be saved, no pod is made. Returns when the first of what failed is due, 0: nothing failed. */
int64_t carry_out(struct retry **retries, const struct action_list *actions,
		  const struct carrier *c, int64_t now);
void carry_forget(struct retry **retries);
