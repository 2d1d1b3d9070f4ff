/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about what runs. */
#include "model/observed.h"

#include <string.h>

const struct observed_pod *observed_find(const struct observed *o, const char *ns, const char *name)
{
	struct object_key key = { &kinds[KIND_POD], ns, name };
	uint32_t lo = 0, hi = o->npods;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct object_key k = object_key(o->pods[mid].object);
		int r = object_key_cmp(&k, &key);

		if (r == 0)
			return &o->pods[mid];
		if (r < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct observed_image *observed_image(const struct observed *o, const char *image,
					    uint64_t credentials)
{
	for (uint32_t i = 0; i < o->nimages; i++)
		if (o->images[i].credentials == credentials && !strcmp(o->images[i].image, image))
			return &o->images[i];
	return NULL;
}

static bool passes(const struct observed_container *c, enum probe_kind k)
{
	return !c->configured[k] || (c->decided[k] && c->passed[k]);
}

bool observed_container_failed(const struct observed_container *c)
{
	return c->phase == RUN_FAILED || c->end.exit_code || c->end.signal || c->end.oom_killed;
}

bool observed_container_started(const struct observed_container *c)
{
	return c->phase == RUN_RUNNING && !c->hook_runs && !c->hook_failed &&
	       passes(c, PROBE_STARTUP);
}

bool observed_container_ready(const struct observed_container *c)
{
	return observed_container_started(c) && passes(c, PROBE_READINESS);
}
