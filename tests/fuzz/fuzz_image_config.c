/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configurations of images: the first byte is the number of layers, the rest JSON. What is
 * accepted can be written as a record, and that record reads back as it was written.
 */
#include "base/macro.h"
#include "fuzz.h"
#include "image/config.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void check_record(struct arena *a, struct image_record *r)
{
	struct image_record back;
	struct err err = { 0 };
	BUF_AUTO text = { 0 };
	BUF_AUTO again = { 0 };

	for (uint32_t i = 0; i < r->layers.n; i++) {
		r->layers.v[i].digest = DIGEST;
		r->layers.v[i].media_type = "application/octet-stream";
	}
	r->ref = "docker.io/library/x:1";
	r->digest = r->config = DIGEST;
	r->media_type = "application/json";
	r->index = r->ids = "";
	fuzz_check(record_format(r, &text, &err) == 0 || text.len > IMAGE_RECORD_MAX, "%s", err.msg);
	if (text.len > IMAGE_RECORD_MAX)
		return;
	fuzz_check(record_parse(a, text.data, text.len, &back, &err) == 0, "%s", err.msg);
	fuzz_check(record_format(&back, &again, &err) == 0, "%s", err.msg);
	fuzz_check(streq(text.data, again.data), "%s", text.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_record r = { 0 };
	struct arena a = { 0 };
	struct err err = { 0 };

	if (size == 0)
		return 0;
	for (int i = data[0] % 8; i; i--)
		arena_push(&a, &r.layers);
	if (image_config_parse(&a, (const char *)data + 1, size - 1, &r, &err) == 0)
		check_record(&a, &r);
	else
		fuzz_check(err.msg[0], "no message");
	arena_release(&a);
	return 0;
}
