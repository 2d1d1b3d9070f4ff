/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks: one attempt after the start of a run, one before its stop. What follows from a failed
 * postStart is orchd's decision; a preStop that fails or takes too long changes nothing but time.
 */
#include <errno.h>

#include "base/macro.h"
#include "shim/shim.h"
#include "shim/text.h"

bool hook_pending(const struct container *c)
{
	return c->st.post_start == SHIM_HOOK_RUNS || c->st.post_start == SHIM_HOOK_FAILED;
}

static void post_started(struct attempt *a, bool passed, const char *why)
{
	struct container *c = a->container;

	c->st.post_start = passed ? SHIM_HOOK_PASSED : SHIM_HOOK_FAILED;
	TEXT_COPY(c->st.hook_message[SHIM_POST_START], passed ? "" : why);
	container_changed(c);
	probes_schedule(c);
}

static void pre_stopped(struct attempt *a, bool passed, const char *why)
{
	struct container *c = a->container;

	TEXT_COPY(c->st.hook_message[SHIM_PRE_STOP], passed ? "" : why);
	if (!passed)
		container_changed(c);
	stop_hook_ended(c);
}

int hook_set(struct container *c, const struct shim_hook *cfg, const void *prog, size_t n)
{
	static void (*const done[SHIM_HOOKS])(struct attempt *, bool, const char *) = {
		[SHIM_POST_START] = post_started, [SHIM_PRE_STOP] = pre_stopped,
	};

	if (cfg->kind >= SHIM_HOOKS || cfg->how.handler >= SHIM_HANDLERS)
		return -EINVAL;
	struct attempt *a = &c->hooks[cfg->kind];
	if (a->running)
		return 0;
	a->container = c;
	a->done = done[cfg->kind];
	return attempt_set(a, &cfg->how, prog, n);
}

void hooks_begin(struct container *c)
{
	struct attempt *a = &c->hooks[SHIM_POST_START];

	c->st.post_start = a->how.handler ? SHIM_HOOK_RUNS : SHIM_HOOK_NONE;
	for (int i = 0; i < SHIM_HOOKS; i++)
		c->st.hook_message[i][0] = '\0';
	if (a->how.handler)
		attempt_begin(a);
}

bool hook_before_stop(struct container *c)
{
	struct attempt *a = &c->hooks[SHIM_PRE_STOP];

	if (!a->how.handler)
		return false;
	attempt_begin(a);
	return true;
}

void hooks_end(struct container *c)
{
	for (int i = 0; i < SHIM_HOOKS; i++) {
		if (c->hooks[i].running)
			attempt_leave(&c->hooks[i]);
	}
}
