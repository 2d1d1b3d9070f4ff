/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cron schedules as CronJobs have them: "MINUTE HOUR DAY-OF-MONTH MONTH DAY-OF-WEEK", "@daily" and
 * its like, "@every 1h30m".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/zone.h"

struct cron {
	int64_t every;		/* ns between two times; 0: the sets say when, bit i for i */
	uint64_t minutes;
	uint32_t hours, days, months, weekdays;
	bool both;		/* day of month and of week must match; else one of them is enough */
};

/* 0 or -EINVAL with the field and what was expected there. */
int cron_parse(const char *s, struct cron *ret, struct err *err);
/*
 * The first time after that one, in ns; 0 when none comes within 12 years, which is never. It is
 * the first second of a minute whose local time matches: a time of day that is skipped when clocks
 * go forward does not come on that day, one that is repeated comes twice. @every counts from after.
 */
int64_t cron_next(const struct cron *c, const struct zone *z, int64_t after);
