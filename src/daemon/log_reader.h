/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the log of one run of a container: ATTEMPT.log and, before it, what was rotated away
 * (ATTEMPT.log.*), in CRI format ("TIME stdout F text"; P for a part of a line that goes on). The
 * reader streams, keeps its place over rotations, and goes on where a file grew.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct log_query {
	bool timestamps;
	int64_t since;		/* ns since the epoch; 0: everything */
	int64_t tail;		/* only so many of the last lines; -1: all */
	int64_t limit;		/* bytes; -1: no limit */
};

struct log_reader;

struct log_reader *log_reader_new(const char *dir, uint32_t attempt, const struct log_query *q);
void log_reader_free(struct log_reader *r);

/* Appends to out what there is, some 64 KiB at a time; false when there is no more now. */
bool log_reader_read(struct log_reader *r, struct buf *out);
bool log_reader_ended(const struct log_reader *r);	/* at its limit: there never is more */
