/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the store keeps of an image: where it came from, its layers, and the defaults it brings.
 * A record is made in a sandboxed process from the manifest's and the configuration's JSON, and
 * crosses to the privileged side as text: one "key value" per line in a fixed order, values with
 * \n and \\ escaped, "end" last. record_parse() takes nothing else, so whoever has privileges
 * reads this and never JSON; the same text is the file in the store.
 *
 * Everything in a record but ref is the image author's word: bounded and free of control
 * characters where it matters, but not to be believed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/reference.h"

#define IMAGE_DIGEST_MAX DIGEST_TEXT
#define IMAGE_LAYERS_MAX 127		/* the most that overlayfs is asked to stack */
#define IMAGE_RECORD_MAX (1 << 20)	/* bytes of a record's text */

struct image_layer {
	const char *digest;	/* of the blob; names the layer in the store */
	const char *diff;	/* of its uncompressed tar, checked while unpacking */
	const char *media_type;	/* as in the manifest */
	uint64_t size;		/* of the blob */
};
struct image_layers { struct image_layer *v; uint32_t n; };

/* Lists are NULL-terminated, never NULL. */
struct image_record {
	const char *ref;		/* as asked for: "docker.io/library/nginx:1.25" */
	const char *digest;		/* of the manifest; the image's identity */
	const char *media_type;		/* of the manifest */
	uint64_t manifest_size;
	const char *index;		/* digest of the index it was chosen from, or "" */
	const char *config;		/* digest of the configuration: docker's image id */
	uint64_t config_size;
	const char *platform;		/* "linux/amd64" */
	int64_t created_at;		/* by its author's word, seconds; 0 unknown */
	int64_t pulled_at;
	struct image_layers layers;	/* bottom first, as in the manifest */
	const char *const *entrypoint, *const *cmd, *const *env;
	const char *workdir;		/* "/" when the image names none */
	const char *user;		/* "", or as the image says: name or number, ":group" */
	const char *ids;		/* user as numbers, "UID:GID[,GID...]"; "" when user is */
	const char *stop_signal;	/* "SIGQUIT", "3", "SIGRTMIN+3"; "" when it names none */
	const char *const *ports;	/* "80/tcp" */
	const char *const *volumes;	/* absolute paths */
	const char *const *labels;	/* NAME=VALUE */
};

/* The text of r, appended. -EINVAL for what record_parse() would refuse. */
int record_format(const struct image_record *r, struct buf *out, struct err *err);
/* Strict; everything is copied into a. -EBADMSG. */
int record_parse(struct arena *a, const char *text, size_t n, struct image_record *ret,
		 struct err *err);
