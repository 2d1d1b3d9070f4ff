/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source for tar readers: bytes in memory, given in pieces of a certain size, so that where a piece
 * ends can be seen not to matter. */
#pragma once

#include "base/macro.h"
#include "image/tar.h"

struct pieces {
	const unsigned char *data;
	size_t n, piece;
};

static inline int pieces_give(void *data, size_t max, const unsigned char **ret, size_t *ret_n,
			      struct err *err)
{
	struct pieces *s = data;

	(void)err;
	*ret = s->data;
	max = MIN(max, s->n);
	*ret_n = MIN(max, s->piece);
	s->data += *ret_n;
	s->n -= *ret_n;
	return 0;
}
