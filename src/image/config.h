/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration of an image (application/vnd.oci.image.config.v1+json, or Docker's) as the
 * fields of a record. Runs in the sandboxed process only: this is where the JSON is parsed.
 */
#pragma once

#include "image/record.h"

#define IMAGE_CONFIG_MAX (4 << 20)	/* bytes of JSON */

/*
 * Fills what the configuration knows: entrypoint ... labels, platform, created_at, and the diff
 * of each of the layers that the manifest named (their number must agree). -EBADMSG.
 */
int image_config_parse(struct arena *a, const char *json, size_t n, struct image_record *io,
		       struct err *err);
