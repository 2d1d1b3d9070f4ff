/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syntax errors in words that help: the parser's own name the rule, not the mistake behind it. */
#pragma once

#include <stddef.h>

struct yaml_problem {
	const char *text;	/* all of it, not NUL-terminated */
	size_t n;
	const char *what;	/* libyaml's problem */
	size_t line, col;	/* where, from 0 */
};

/* What the mistake may be, or NULL. */
const char *yaml_hint(const struct yaml_problem *p);
