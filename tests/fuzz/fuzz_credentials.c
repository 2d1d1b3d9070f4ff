/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a registry asks for (WWW-Authenticate) and what files of credentials say, one after the
 * other, a NUL byte in between. */
#include "base/macro.h"
#include "fuzz.h"
#include "pull/challenge.h"
#include "pull/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct reference r = { .host = "docker.io", .path = "library/nginx" };
	FREE_AUTO char *text = fuzz_string(data, size);
	size_t n = strlen(text);
	struct credentials l = { 0 };
	struct arena a = { 0 };
	struct challenge c = challenge_parse(&a, text);

	fuzz_check(c.realm && c.service && c.scope, "no text");
	fuzz_check(c.scheme != CHALLENGE_BEARER || *c.realm, "a token from nowhere");
	if (n < size)
		credentials_add(&a, text + n + 1, &r, &l);
	for (uint32_t i = 0; i < l.n; i++) {
		fuzz_check(!i || l.v[i - 1].weight >= l.v[i].weight, "order");
		fuzz_check(strncmp(credential_basic(&a, &l.v[i]), "Basic ", 6) == 0, "basic");
	}
	arena_release(&a);
	return 0;
}
