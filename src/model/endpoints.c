/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/endpoints.h"

int endpoint_cmp(const void *x, const void *y)
{
	const struct endpoint *a = x, *b = y;

	if (a->ip != b->ip)
		return a->ip < b->ip ? -1 : 1;
	return a->port < b->port ? -1 : a->port > b->port;
}

int service_entry_cmp(const struct service_entry *x, const struct service_entry *y)
{
	if (x->ip != y->ip)
		return x->ip < y->ip ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	return x->port < y->port ? -1 : x->port > y->port;
}

bool service_entry_same(const struct service_entry *x, const struct service_entry *y)
{
	if (service_entry_cmp(x, y) || x->node_port != y->node_port ||
	    x->affinity_s != y->affinity_s || x->count != y->count)
		return false;
	for (uint32_t i = 0; i < x->count; i++)
		if (endpoint_cmp(&x->endpoints[i], &y->endpoints[i]))
			return false;
	return true;
}
