/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A service on its way to what is behind it, as service.c and declared.c share it. */
#pragma once

#include "control/pass.h"
#include "model/label_index.h"

struct backend {
	const struct member *member;	/* NULL: declared */
	uint32_t ip;
	bool ready;
	const int *ports;	/* one per service port; 0: it has no such port */
};
struct backend_list { struct backend *v; uint32_t n; };

struct exposure {
	struct pass *p;
	const struct object *object;
	const struct service_spec *spec;
	const struct member_list *candidates;	/* all that its selector can select */
	struct backend_list backends;	/* sorted by address */
};

/* declared.c: EndpointSlices of the set by their labels, and what a service without selector has */
void slices_index(struct pass *p, struct label_index *ret);
void find_declared(struct exposure *x, const struct label_index *slices);
