/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The jobs of pullers, from the settings and from what the machine says: registries, policies,
 * files of credentials, proxies.
 */
#pragma once

#include "daemon/settings.h"
#include "image/job.h"
#include "model/object.h"

/* Fills *io; what it has already stays, and comes first. Everything is from a. */
int image_job_make(struct arena *a, const struct settings *s, enum pull_task task,
		   struct pull_job *io, struct err *err);
/* Text of a Secret of credentials; NULL: it has none. */
const char *image_job_secret(struct arena *a, const struct object *secret);
/* Is the file system of the store fuller than the settings want it? */
bool image_job_space_low(const struct settings *s);
int image_job_put_credentials(const struct settings *s, const char *registry, const char *user,
			      const char *password, struct err *err);
