/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What plan and apply share: the request, its answer, and how it is shown. */
#pragma once

#include "cli/print.h"

/* Which plan is asked for: the options of the command line, or those of a saved plan. */
struct plan_request {
	const char *stack;	/* NULL: all */
	const char *allow_delete;
};
struct plan_request plan_requested(const struct cli *c);
json_t *plan_fetch(struct cli *c, const char *method, const char *verb,
		   const struct plan_request *q, int *ret_status);
void plan_show(const struct cli *c, const json_t *answer);	/* the text, coloured */
/* EXIT_STALE (said) when it is not what apply would do now; *ret: what it was asked for with. */
int plan_check_saved(struct cli *c, const char *path, struct plan_request *ret);
