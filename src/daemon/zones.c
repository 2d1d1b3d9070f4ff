/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See zones.h. Names were checked when the manifests were read. */
#include "daemon/zones.h"

#include "base/log.h"
#include "base/macro.h"

#define LOCAL ""	/* the name of the machine's own */

static const struct zone *load(struct zones *z, const char *name)
{
	const struct zone *zone = NULL;
	struct err err = { 0 };
	int r = *name ? zone_load(z->arena, name, ZONE_DIR, &zone, &err) :
			zone_load(z->arena, "localtime", "/etc", &zone, &err);

	if (r < 0 && !(r == -ENOENT && !*name))
		log_warning("time zone: %s; UTC is used", err.msg);
	return r < 0 ? NULL : zone;
}

const struct zone *zones_find(void *data, const char *name)
{
	struct zones *z = data;
	struct known_zone *k;

	if (!name)
		name = LOCAL;
	for (uint32_t i = 0; i < z->known.n; i++)
		if (streq(z->known.v[i].name, name))
			return z->known.v[i].zone;
	k = arena_push(z->arena, &z->known);
	k->name = arena_strdup(z->arena, name);
	k->zone = load(z, name);
	return k->zone;
}
