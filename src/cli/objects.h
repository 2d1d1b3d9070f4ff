/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects in the formats of -o: json, yaml, name, jsonpath=, custom-columns=. */
#pragma once

#include "cli/cli.h"

bool format_is_table(const struct cli *c);
int format_check(const struct cli *c);	/* EXIT_DONE, or EXIT_ERROR after naming the formats */
/* items: an array; one: print its first element itself, not a List. */
int objects_print(struct cli *c, json_t *items, bool one);
