/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much pods have on disk: emptyDirs, writable layers, logs. Measured every 10 s, and only
 * where there is a limit, or where somebody wants to know it of all. Directories are walked in
 * small steps between other events, as a large one would stop orchd.
 */
#pragma once

#include <dirent.h>

#include "base/loop.h"

struct arena;
struct runtime;
struct sandbox;

#define USAGE_DEPTH 64		/* what lies deeper does not count */

struct usage {
	struct loop_timer timer;
	struct runtime *rt;
	bool armed;
	bool all;			/* of all pods */
	uint32_t pod, place;		/* whose turn it is, and what of it */
	char uid[37];			/* of the pod that is walked */
	bool walking;			/* one of its places */
	bool differs;			/* from what was found the last time */
	DIR *dirs[USAGE_DEPTH];
	unsigned depth;
	int64_t bytes, inodes;		/* of the place, of the pod */
	int64_t layer;			/* of the container whose logs come next */
};

/* A pod has come: measure, if it has something to measure. */
void usage_watch(struct sandbox *p);
void usage_of_all(struct runtime *r, bool all);
void usage_release(struct usage *u);
