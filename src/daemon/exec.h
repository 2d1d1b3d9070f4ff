/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executing a plan: one function per action of plan/actions.def. When an action fails, the rest
 * of that object's chain is dropped and the object backs off, 1 s doubling to 60 s; the world is
 * observed again before the next try.
 */
#pragma once

#include "daemon/daemon.h"

/* Returns when the first backed-off object may be tried again (ns since the epoch), 0: none. */
int64_t exec_plan(struct daemon *d, const struct action_list *actions, const struct wanted *w,
		  int64_t now);
void exec_forget(struct daemon *d);
