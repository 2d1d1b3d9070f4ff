/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept from pass to pass, so that a pass works on what changed. control_run() without it is
 * the definition: with it the result is the same, whatever was kept.
 */
#pragma once

#include <stdint.h>

struct memo *memo_new(void);		/* keeps nothing yet */
void memo_free(struct memo *m);		/* NULL is fine */

/* Of the last pass: what was worked out in it, and how many owners and services were taken as they
 * were. */
struct memo_counts { uint32_t owners, pods, services, kept; };
struct memo_counts memo_counts(const struct memo *m);
