/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pass: observe, decide, plan, execute, show. */
#pragma once

#include "daemon/daemon.h"
#include "daemon/generation.h"

/* What control and plan see and say about a set, all in one arena. */
struct outlook {
	struct observed observed;
	struct wanted wanted;
};
/* memo: d->memo in a pass; NULL: nothing is kept, which is for looking only. */
void reconcile_outlook(struct daemon *d, const struct set *set, struct memo *memo, struct arena *a,
		       struct outlook *ret);

void reconcile(struct daemon *d);
