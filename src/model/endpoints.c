/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/endpoints.h"

bool service_entry_same(const struct service_entry *x, const struct service_entry *y)
{
	if (x->ip != y->ip || x->proto != y->proto || x->port != y->port ||
	    x->node_port != y->node_port || x->affinity_s != y->affinity_s || x->count != y->count)
		return false;
	for (uint32_t i = 0; i < x->count; i++)
		if (x->endpoints[i].ip != y->endpoints[i].ip ||
		    x->endpoints[i].port != y->endpoints[i].port)
			return false;
	return true;
}
