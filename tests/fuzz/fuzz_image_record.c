/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records, which the privileged side reads: what is accepted is written back byte for byte, so a
 * record has one form. Then the same bytes as passwd and group, for which numbers come out.
 */
#include "base/macro.h"
#include "fuzz.h"
#include "image/record.h"
#include "image/user.h"

static void check_user(const char *text)
{
	static const char *const users[] = { "web", "0:log", "1000", ":x" };
	size_t half = strlen(text) / 2;
	FREE_AUTO char *passwd = strndup(text, half);

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		char ids[USER_IDS_MAX];
		struct err err = { 0 };

		if (user_resolve(users[i], passwd, text + half, ids, sizeof(ids), &err) == 0)
			fuzz_check(strspn(ids, "0123456789:,") == strlen(ids) && strchr(ids, ':'),
				   "%s", ids);
		else
			fuzz_check(err.msg[0], "no message");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_record r;
	struct arena a = { 0 };
	struct err err = { 0 };
	BUF_AUTO text = { 0 };
	FREE_AUTO char *s = fuzz_string(data, size);

	if (record_parse(&a, (const char *)data, size, &r, &err) == 0) {
		fuzz_check(record_format(&r, &text, &err) == 0, "%s", err.msg);
		fuzz_check(text.len == size && memcmp(text.data, data, size) == 0, "%s", text.data);
	} else {
		fuzz_check(err.msg[0], "no message");
	}
	check_user(s);
	arena_release(&a);
	return 0;
}
