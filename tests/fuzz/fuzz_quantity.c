/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quantities: canonical text is read back as the same value and is its own canonical text; what
 * is made of the rounded milli units is such text, too.
 */
#include "base/macro.h"
#include "base/units.h"
#include "fuzz.h"

/* Text is canonical, so it must come back as it is. */
static void check_canonical(struct arena *a, const struct quantity *q)
{
	struct quantity again;

	fuzz_check(quantity_parse(a, q->text, &again) == 0, "%s is refused", q->text);
	fuzz_check(streq(again.text, q->text), "%s becomes %s", q->text, again.text);
	fuzz_check(again.milli == q->milli, "%s has %lld", q->text, (long long)again.milli);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct quantity q;
	FREE_AUTO char *text = fuzz_string(data, size);

	if (quantity_parse(&a, text, &q) == 0) {
		int64_t whole = quantity_value(&q);

		check_canonical(&a, &q);
		fuzz_check(whole == q.milli / 1000 || llabs(whole) == llabs(q.milli / 1000) + 1,
			   "%s is %lld", q.text, (long long)whole);
		struct quantity milli = quantity_from_milli(&a, q.milli);
		check_canonical(&a, &milli);
	}
	arena_release(&a);
	return 0;
}
