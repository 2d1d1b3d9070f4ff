/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orchd's settings: the rows of settings_type (model/core.def), from orchd.yaml in the config
 * directory and from flags, which win.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "model/types.h"
#include "schema/msgs.h"

struct invocation {
	struct settings *settings;
	bool check;		/* --check: validate and exit */
	bool stop_pods;		/* --stop-pods: SIGTERM takes the pods down, too */
	bool help, version;
};

/* 0; or -EINVAL with what is wrong, in flags or file, added to m. */
int settings_load(struct arena *a, int argc, char **argv, struct invocation *ret, struct msgs *m);
void settings_usage(struct buf *out);
