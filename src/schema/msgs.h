/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diagnostics about manifests: all of a file are collected, never just the first. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

struct msg {
	bool warning;
	uint32_t line, col;
	const char *file;
	const char *path;	/* "spec.containers[0].ports[1].hostPort", "" for the document */
	const char *text;	/* "70000 is not in 1-65535" */
};

struct msgs {
	struct arena *arena;	/* where texts live */
	struct msg *v;
	uint32_t n;
	unsigned errors;	/* how many are no warnings */
};

void msgs_add(struct msgs *m, bool warning, const char *file, uint32_t line, uint32_t col,
	      const char *path, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/* "FILE:LINE:COL: path: text\n" ("warning: " before the path of a warning) */
void msg_print(const struct msg *m, struct buf *out);
/*
 * The line of the file's text that the message is about and a caret below its column, both
 * indented; nothing when the message has no place. Of a long line only what is around the column
 * is shown, and nothing that would steer a terminal.
 */
void msg_print_caret(const struct msg *m, const char *text, size_t n, struct buf *out);
/* An array of {file, line, column, severity, path, message}. */
void msgs_json(const struct msgs *m, struct json *j);

/*
 * The candidate nearest to word, NULL when none is near: for "did you mean". Nearest is the same
 * word in other letters (upper case, dashes), then the fewest edits, then the only candidate that
 * begins with the word.
 */
const char *suggest(const char *word, const char *const *candidates);
