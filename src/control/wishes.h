/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pods for services that have a selector: those with its first label, found for all services in one
 * walk. What is kept of pods (unit.h) is looked at only for labels of which something has changed.
 */
#pragma once

#include "control/unit.h"

struct wish {			/* for pods with one label */
	uint64_t label;
	bool open;		/* somebody looks at what is found */
	struct member_list found;
};
struct wishes { struct wish *v; uint32_t n; };	/* of services that have a selector, by label */

/* units: of the services, each NULL when nothing is kept */
void wishes_fulfil(struct pass *p, const struct object_list *services, struct unit *const *units,
		   struct wishes *ret);
struct wish *wish_find(const struct wishes *w, uint64_t label);
uint64_t wished_label(const struct object *service);
