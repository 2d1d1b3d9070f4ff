/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Schedules: the time to start from in eight bytes, then the schedule. A refused one has a message;
 * the times of an accepted one ascend, are whole minutes of local time, and none is left out: the
 * next time after one second before a time is that time.
 */
#include "base/cron.h"
#include "base/macro.h"
#include "base/units.h"
#include "fuzz.h"

static void check_times(const struct cron *c, const struct zone *z, int64_t from)
{
	int64_t t = from;

	for (int i = 0; i < 4; i++) {
		int64_t next = cron_next(c, z, t);

		if (!next)
			return;
		fuzz_check(next > t, "%lld after %lld", (long long)next, (long long)t);
		if (c->every)
			return;
		int64_t s = floor_div(next, NSEC);
		fuzz_check((s + zone_at(z, s).offset) % 60 == 0, "%lld", (long long)next);
		fuzz_check(t > next - NSEC || cron_next(c, z, next - NSEC) == next, "%lld",
			   (long long)next);
		t = next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	const struct zone *z = NULL;
	struct cron c;
	struct err err = { 0 };
	int64_t from = 0;

	if (size < sizeof(from))
		return 0;
	memcpy(&from, data, sizeof(from));
	FREE_AUTO char *text = fuzz_string(data + sizeof(from), size - sizeof(from));
	if (cron_parse(text, &c, &err) == 0) {
		check_times(&c, NULL, from);
		if (zone_load(&a, "Europe/Berlin", ZONE_DIR, &z, NULL) == 0)
			check_times(&c, z, from);
	} else {
		fuzz_check(err.msg[0], "no message");
	}
	arena_release(&a);
	return 0;
}
