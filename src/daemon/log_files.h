/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of one run's log and the lines in them: ATTEMPT.log is the live one, ATTEMPT.log.* were
 * rotated away (shim/logs.c). A line is "TIME stdout F text"; P instead of F marks a part of a line
 * that goes on in the next one of that stream.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct log_files { char **v; uint32_t n; };

/* Their names, oldest first; the last is the live one, whether it is there or not. */
struct log_files log_files(const char *dir, uint32_t attempt, struct arena *a);

struct log_line {
	const char *stamp, *text;
	size_t stamp_len, len;
	bool partial;
};

/* One line without its end; -EINVAL for what is not CRI format. */
int log_line_parse(const char *s, size_t n, struct log_line *ret);

/*
 * Looks for the last n lines from the end backwards. A descriptor that stands where they begin,
 * which may be in a rotated file; -ENOENT: there are no more than n.
 */
int log_tail_open(const char *dir, uint32_t attempt, int64_t n);
