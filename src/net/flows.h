/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP has no end of a connection: a client that goes on sending keeps its conntrack entry, and
 * with it the endpoint that entry was translated to, alive or not. So the entries of endpoints
 * that went are deleted, and the next datagram is translated anew. TCP connections stay: they
 * end by themselves, and draining counts on that.
 */
#pragma once

#include <stdbool.h>

#include "base/units.h"
#include "net/services.h"
#include "sys/conntrack.h"

/* Has any UDP service of old lost an endpoint? With old NULL (unknown): is there any? */
bool flows_stale(const struct services *old, const struct services *next);
/* Does f go by a service to an endpoint that this service does not have (any more)? */
bool flow_is_stale(const struct services *next, struct cidr4 pods, struct cidr4 vips,
		   const struct flow *f);
