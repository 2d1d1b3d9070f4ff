/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of the user's as a path that orchd can open, for verbs that name files to it. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/*
 * "-" is standard input: what is no file is copied to one without a name, in $TMPDIR or /var/tmp,
 * and the path is one of this process, good for as long as it lives.
 */
int spool_path(struct arena *a, const char *file, const char **ret, struct err *err);
