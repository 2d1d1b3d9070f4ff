/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes before libyaml sees them: its reader reports bad characters without a position, so
 * they are found here; a last line without LF gets one, as kubectl gives it; a BOM is dropped; and
 * what JSON writes as a surrogate pair becomes the one escape that YAML knows.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct yaml_flaw {
	uint32_t line, col;
	char what[96];
};

int yaml_text_clean(const char *text, size_t n, struct buf *out, struct yaml_flaw *ret);

/* A guess at the real mistake behind a syntax error in a line (from 0) of the text, or NULL. */
const char *yaml_hint(const char *text, const char *problem, size_t line);

/* libyaml's positions count characters; the cursor walks forward to the byte of one. */
struct char_cursor {
	const char *text;
	size_t n, byte, at;
};
void char_cursor_init(struct char_cursor *c, const char *text, size_t n);
uint32_t char_cursor_to(struct char_cursor *c, size_t index);
