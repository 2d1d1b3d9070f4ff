/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time zones that CronJobs use, each read once while the daemon lives. */
#pragma once

#include "base/arena.h"
#include "base/zone.h"

struct zones {
	struct arena *arena;
	struct { struct known_zone { const char *name; const struct zone *zone; } *v; uint32_t n; } known;
};

/* data is a struct zones; name NULL: that of the machine, /etc/localtime. A zone that can't be read
 * is UTC. */
const struct zone *zones_find(void *data, const char *name);
