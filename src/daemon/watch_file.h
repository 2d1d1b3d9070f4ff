/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file of the config directory: the stat it was last read at, its last good manifest and, while
 * the newest version does not parse, that version.
 */
#pragma once

#include <sys/stat.h>

#include "model/set.h"

struct file {
	char *path;			/* relative to the root */
	struct stat st;			/* when it was last read */
	int64_t read_at;
	int64_t cut_at;			/* CLOCK_MONOTONIC when it was found cut off; 0: it is not */
	struct manifest *good, *broken;
	bool seen;
};

enum file_news {
	FILE_SAME,
	FILE_CHANGED,		/* what is in force, or what is complained about */
	FILE_WAITS,		/* somebody writes it: to be looked at again soon */
	FILE_GONE,		/* between readdir(3) and open(2) */
};

/* Reads it when st says that it may have changed. force: a cut-off file counts as it is. */
enum file_news file_visit(struct file *f, const char *dir, const struct stat *st, bool force);
void file_release(struct file *f);
