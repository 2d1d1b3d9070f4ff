/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Container logs in CRI format, one file per attempt:
 *
 *	2026-11-21T10:00:00.123456789Z stdout F text
 *
 * F ends a line, P is a part of one that is longer than LOG_LINE. When the stream ends inside a
 * line, the rest is written as F: whoever follows the log joins parts until an F comes, and would
 * otherwise glue this line to the next attempt's first. A file is cut between lines, unless a line
 * has no end in sight. A full disk loses log lines, it does not stop the container.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE 16384		/* bytes of text in one record */

struct log_file {
	int dir, fd;
	uint32_t attempt;
	uint64_t size, max_bytes;	/* max 0: no limit */
	uint32_t max_files;		/* with the one written; 0: no limit */
	int64_t rotated_at;		/* second of the last rotation, and which it was of those */
	unsigned rotations;
	unsigned open_lines;		/* streams whose last record was a part */
};

struct log_stream {
	struct log_file *file;
	const char *name;	/* "stdout", "stderr" */
	int fd;			/* read end, non-blocking; -1: ended */
	char *pending;		/* begin of a line, LOG_LINE bytes when there is one */
	size_t n_pending;
	bool in_line;		/* the last record was a part */
	bool wide;		/* its pipe was made larger */
	/* NULL, or who gets a copy of what is read, too; false: no more for now */
	bool (*tee)(struct log_stream *s, const char *data, size_t n);
};

/* Reading and writing memory, one for all streams of a shim; pages are used as needed. */
struct log_room;
struct log_room *log_room_new(void);
void log_room_free(struct log_room *room);

/* Opens ATTEMPT.log in dir for appending. 0 or -errno. */
int log_open(struct log_file *f, const char *dir, uint32_t attempt, uint64_t max_bytes,
	     uint32_t max_files);
void log_close(struct log_file *f);

void log_stream_init(struct log_stream *s, struct log_file *f, const char *name, int fd);
/* Moves what the pipe holds, at most max bytes of it; false when it has ended. */
bool log_pump(struct log_stream *s, struct log_room *room, size_t max);
/* Takes what is left, writes an unfinished line, closes the pipe. */
void log_finish(struct log_stream *s, struct log_room *room);
