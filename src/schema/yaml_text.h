/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes before libyaml sees them: its reader reports bad characters without a position, so
 * they are found here; a last line without LF gets one, as kubectl gives it; a BOM at the start of
 * a line is dropped. Text that needs none of this is not copied.
 *
 * Two escapes that Kubernetes' readers know and libyaml refuses, \' and JSON's surrogate pairs,
 * are replaced once libyaml has stumbled over one, for only then it is certain that it is an
 * escape. What takes its place has as many characters: positions stay right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct yaml_flaw {
	uint32_t line, col;
	char what[96];
};

struct yaml_text {
	const char *data;	/* not NUL-terminated */
	size_t n;
	bool ascii;		/* a character is a byte */
	bool repaired;		/* scalars may contain fillers */
	struct buf own;		/* data, when it is no longer the caller's */
};

int yaml_text_init(struct yaml_text *t, const char *text, size_t n, struct yaml_flaw *ret);
void yaml_text_release(struct yaml_text *t);

/*
 * Replaces such escapes in the double-quoted scalar that begins at a character, and when it stands
 * in so many collections in flow style (JSON), also in those that follow it there as long as the
 * text is certain to be JSON. False: there are none.
 */
bool yaml_text_repair(struct yaml_text *t, size_t start, unsigned flow);
/* Takes the fillers out of a scalar; gives its new length. */
size_t yaml_text_strip(char *scalar, size_t n);

/* libyaml's positions count characters; the cursor walks forward to the byte of one. */
struct char_cursor {
	const char *text;
	size_t n, byte, at;
	bool ascii;
};
void char_cursor_init(struct char_cursor *c, const char *text, size_t n, bool ascii);
uint32_t char_cursor_to(struct char_cursor *c, size_t index);
