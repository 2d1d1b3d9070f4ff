/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is what two passes want the same, in every part and in order? */
#pragma once

#include "plan/plan.h"

/* The part that differs; NULL: none. */
const char *wanted_difference(const struct wanted *x, const struct wanted *y);
bool same_actions(const struct action_list *x, const struct action_list *y);
