/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PodDisruptionBudgets in a pass: how many pods of each may be made to go by others. */
#pragma once

#include "control/pass.h"

struct budget {
	const struct object *object;
	int32_t allowed;		/* disruptions, now */
};
struct budget_list { struct budget *v; uint32_t n; };

/* Counts, and shows what was counted. */
void budgets_count(struct pass *p, struct budget_list *ret);
/* Takes one disruption of m from each budget that it is in; false: one of them had none left. */
bool budgets_spend(const struct budget_list *l, const struct member *m);
