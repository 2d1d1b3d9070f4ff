/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back-off of everything that is started again: first restart at once, then 10 s doubling to
 * 300 s; whatever ran for 10 minutes starts afresh (Kubernetes' curve).
 */
#pragma once

#include <stdint.h>

#include "base/units.h"

#define BACKOFF_FIRST (10 * NSEC)
#define BACKOFF_MAX (300 * NSEC)
#define BACKOFF_RESET (600 * NSEC)

/* Before the next start, after so many restarts since the last clean run. */
int64_t backoff_delay(unsigned restarts, int64_t max);
