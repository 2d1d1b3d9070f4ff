/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Header blocks of HTTP/2 (RFC 7541), for one that has announced a dynamic table of size 0: every
 * field is a literal or one of the static table. Of the latter only :status is understood, the
 * others have no name here. Texts are printable ASCII; what is anything else is an error.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* name is "" for one of the static table. */
typedef int hpack_field(void *data, const char *name, const char *value);

/* Each field of a whole block in its order. -EPROTO, or what field returned. */
int hpack_decode(const uint8_t *block, size_t n, hpack_field *field, void *data);

/* A literal with the name of the static table's entry, or (entry 0) one of its own. */
void hpack_literal(struct buf *out, unsigned entry, const char *name, const char *value);
