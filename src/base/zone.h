/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time zones of the system's tz database (TZif files, RFC 9636), without the C library's one zone
 * per process. A zone is immutable and lives in the arena it was loaded into; NULL is UTC.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define ZONE_DIR "/usr/share/zoneinfo"

struct zone;

/* What is wrong with a name like "Europe/Berlin", NULL when it may be looked up. */
const char *zone_name_problem(const char *name);
/* -EINVAL for a bad name or file, -ENOENT for a zone that dir does not have. */
int zone_load(struct arena *a, const char *name, const char *dir, const struct zone **ret,
	      struct err *err);
/* From the bytes of a TZif file, which may be anything. 0 or -EINVAL. */
int zone_parse(struct arena *a, const void *data, size_t n, const struct zone **ret,
	       struct err *err);

/* Local time is UTC plus offset, before the second until. */
struct zone_span {
	int32_t offset;		/* seconds east of Greenwich */
	int64_t until;		/* seconds since the epoch; INT64_MAX: for ever */
};
struct zone_span zone_at(const struct zone *z, int64_t seconds);
