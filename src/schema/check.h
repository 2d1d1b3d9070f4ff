/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What checks may use. The path and position are those of the value under check; a type's check
 * names the child it complains about ("" for the object itself).
 */
#pragma once

#include "schema/msgs.h"
#include "schema/type.h"
#include "schema/yaml.h"

struct check {
	struct msgs *msgs;
	const char *file;
	const struct ynode *node;	/* of the value, or of the struct's mapping */
	struct buf *path;
};

void check_fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_fail_at(struct check *c, const char *child, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void check_warn_at(struct check *c, const char *child, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
