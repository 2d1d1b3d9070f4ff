/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the two halves of orch-pull: the fetcher, which speaks with registries and has no
 * rights, and the keeper, which has the store and parses nothing. Messages of one fixed size on a
 * SOCK_SEQPACKET pair. The fetcher asks and the keeper checks every word; what has no answer here
 * ends the pull when it fails.
 */
#pragma once

#include <stdint.h>

#include "image/record.h"

enum fetch_op {
	FETCH_BLOB,	/* digest -> state; FETCH_WANTED: a descriptor, of which done bytes are there */
	FETCH_COMMIT,	/* digest, total: its size. Everything is there and closed. No answer */
	FETCH_LAYER,	/* digest, diff: unpack that blob. No answer */
	FETCH_FILE,	/* text: path below the directory that the image is in -> a descriptor */
	FETCH_PROGRESS,	/* done, total. No answer */
	FETCH_RECORD,	/* the image, as the text in the shared memory, total bytes. The end */
	FETCH_FAIL,	/* reason, retry_after, text. The end */
	FETCH_LOGIN,	/* the credentials are good. The end */
};

enum fetch_state {
	FETCH_WANTED,	/* fill the descriptor */
	FETCH_PRESENT,	/* the blob is in the store */
	FETCH_UNPACKED,	/* so is the layer made from it */
};

struct fetch_msg {
	uint32_t op;
	int32_t status;			/* of an answer: enum fetch_state, or -errno and text */
	uint64_t done, total;
	uint32_t retry_after;
	char digest[IMAGE_DIGEST_MAX], diff[IMAGE_DIGEST_MAX];
	char reason[40];
	char text[1024];
};
