/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users by an image's own passwd(5) and group(5). Pure: runs in the sandboxed reader. */
#pragma once

#include <stddef.h>

#include "base/err.h"

#define USER_IDS_MAX 512

/*
 * "", "USER" or "USER:GROUP", each a name or a number, as "UID:GID[,GID...]": the group of a user
 * that passwd knows is its own, and so are those that group lists it in; what is no name there
 * must be a number. -ENOENT.
 */
int user_resolve(const char *user, const char *passwd, const char *group, char *ret, size_t n,
		 struct err *err);
