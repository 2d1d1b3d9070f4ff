/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes and hooks of the specification as the orders that the shim understands. */
#pragma once

#include "runtime/ask.h"

/* The command of an exec probe is not part of it. -E2BIG: the request does not fit. */
int probe_order(struct arena *a, const struct container *c, enum shim_probe_kind kind, uint32_t ip,
		struct shim_probe *ret, struct ask *ret_ask, struct err *err);
const struct probe *probe_of(const struct container *c, enum shim_probe_kind kind);

/* The same for a hook; without one the order has no handler. */
int hook_order(struct arena *a, const struct container *c, enum shim_hook_kind kind, uint32_t ip,
	       struct shim_hook *ret, struct ask *ret_ask, struct err *err);
const struct lifecycle_handler *hook_of(const struct container *c, enum shim_hook_kind kind);
