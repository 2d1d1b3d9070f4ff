/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the whole machine uses, from proc(5). */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct node_usage {
	uint64_t cpu_ns;		/* busy, of all CPUs, since the boot; in steps of a clock tick */
	uint64_t memory;		/* working set: neither free nor inactive pages of files */
	uint64_t memory_total;
};

int node_usage(struct node_usage *ret, struct err *err);
