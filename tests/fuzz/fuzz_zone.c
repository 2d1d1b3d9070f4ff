/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time zone files of any bytes: a refused one has a message; what an accepted one says holds for a
 * time after the one that was asked about, and for all of it.
 */
#include "base/macro.h"
#include "base/zone.h"
#include "fuzz.h"

static void check_from(const struct zone *z, int64_t t)
{
	for (int i = 0; i < 20; i++) {
		struct zone_span span = zone_at(z, t);

		fuzz_check(span.until > t, "%lld until %lld", (long long)t, (long long)span.until);
		fuzz_check(abs(span.offset) < 26 * 3600, "%d", span.offset);
		fuzz_check(zone_at(z, span.until - 1).offset == span.offset, "%lld to %lld",
			   (long long)t, (long long)span.until);
		if (span.until == INT64_MAX)
			return;
		t = span.until;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t times[] = {
		INT64_MIN, -9223372036, 0, 1800000000, 4000000000, 9223372036, INT64_MAX - 1,
	};
	struct arena a = { 0 };
	const struct zone *z;
	struct err err = { 0 };

	if (zone_parse(&a, data, size, &z, &err) == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			check_from(z, times[i]);
	} else {
		fuzz_check(err.msg[0], "no message");
	}
	arena_release(&a);
	return 0;
}
