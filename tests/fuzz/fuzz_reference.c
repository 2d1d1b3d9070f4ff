/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of images: what is accepted has a name in full, which means the same and stays as it is. */
#include "base/macro.h"
#include "base/reference.h"
#include "fuzz.h"

static bool same(const char *x, const char *y)
{
	return (!x && !y) || (x && y && streq(x, y));
}

static void check_again(struct arena *a, const struct reference *r)
{
	struct reference again;
	struct err err = { 0 };

	fuzz_check(reference_parse(a, r->name, &again, &err) == 0, "\"%s\": %s", r->name, err.msg);
	fuzz_check(again.transport == r->transport, "%s", r->name);
	fuzz_check(streq(again.name, r->name), "\"%s\" \"%s\"", r->name, again.name);
	fuzz_check(same(again.host, r->host) && same(again.path, r->path) &&
		   same(again.tag, r->tag) && same(again.digest, r->digest), "%s", r->name);
	if (r->transport == TRANSPORT_REGISTRY)
		fuzz_check(!r->tag != !r->digest, "%s", r->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct reference r;
	struct err err = { 0 };
	FREE_AUTO char *text = fuzz_string(data, size);

	if (reference_parse(&a, text, &r, &err) == 0)
		check_again(&a, &r);
	else
		fuzz_check(err.msg[0], "no message");
	reference_floats(text);
	arena_release(&a);
	return 0;
}
