/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written down beside the tree of an unpacked layer, layers/ID/layer: one "key value" per
 * line. The paths of implied directories (unpack.h) follow in layers/ID/implied, each with its NUL.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "image/record.h"

#define LAYER_ID 17			/* 16 hex digits and NUL */

struct layer {
	char digest[IMAGE_DIGEST_MAX], diff[IMAGE_DIGEST_MAX];
	uint64_t bytes, entries;
	bool root_opaque;		/* hides all lower layers */
	bool implies;			/* has implied directories */
};

void layer_id(const char *digest, char ret[LAYER_ID]);
/* dir is open on layers/ID or its like. */
int layer_write(int dir, const struct layer *l, const struct buf *implied, struct err *err);
int layer_read(int dir, struct layer *ret, struct err *err);
int layer_read_implied(int dir, struct buf *ret, struct err *err);
