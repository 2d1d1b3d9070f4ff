/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON text (RFC 8259) to a buffer. The writer keeps track of commas; with indent it
 * breaks lines (two spaces a level). Reading JSON is jansson's or the schema's task; no name here
 * is one of jansson's (json_object, json_array, json_null), so that a program may use both.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json {
	struct buf *out;
	unsigned depth;
	bool pretty, comma;
	bool after_key;		/* a key was written, its value comes next */
};

void json_init(struct json *j, struct buf *out, bool pretty);
void json_begin_object(struct json *j);	/* { */
void json_end_object(struct json *j);
void json_begin_array(struct json *j);	/* [ */
void json_end_array(struct json *j);
void json_key(struct json *j, const char *key);
void json_str(struct json *j, const char *s);	/* NULL writes null; invalid UTF-8 becomes U+FFFD */
void json_strn(struct json *j, const char *s, size_t n);
void json_int(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_put_null(struct json *j);
void json_raw(struct json *j, const char *text);	/* already JSON */

/* key and value in one call */
void json_kstr(struct json *j, const char *key, const char *s);
void json_kint(struct json *j, const char *key, int64_t v);
void json_kbool(struct json *j, const char *key, bool v);
