/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much is in emptyDirs on disk that have a sizeLimit, measured every 10 s and only where there are
 * any. Directories are walked in small steps between other events, as a large one would stop orchd.
 * What is over its limit is written down, so that it is known again after a restart before anything of
 * the pod may start.
 */
#pragma once

#include <dirent.h>

#include "base/loop.h"

struct arena;
struct observed_pod;
struct runtime;
struct sandbox;

#define USAGE_DEPTH 64		/* what lies deeper does not count */

struct usage {
	struct loop_timer timer;
	struct runtime *rt;
	bool armed;
	uint32_t pod, volume;		/* whose turn it is */
	char uid[37];			/* of the pod that is walked */
	DIR *dirs[USAGE_DEPTH];
	unsigned depth;
	int64_t bytes;
};

/* A pod has come: measure, if it has something to measure. */
void usage_watch(struct sandbox *p);
void usage_restore(struct sandbox *p);		/* of an adopted pod, what was written down */
void usage_observe(struct arena *a, const struct sandbox *p, struct observed_pod *ret);
void usage_release(struct usage *u);
