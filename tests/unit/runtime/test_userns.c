/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pods have users of their own, and that no two have the same. */
#include "fixture.h"

#include "base/macro.h"
#include "runtime/userns.h"

#define FIRST (UINT32_C(1) << 30)

static bool wanted(const char *spec, bool by_default)
{
	struct userns u = { .pool = { FIRST, 3, by_default } };
	char text[1024];

	snprintf(text, sizeof(text), "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
		 "  containers: [{name: c, image: 'rootfs:/', command: [x]%s\n", spec);
	struct set *s = set_from(text);
	bool r = userns_wanted(&u, &pod_in(s, "p")->pod->spec);
	set_unref(s);
	return r;
}

static void test_who(void **state)
{
	static const char *const never[] = {
		"}]\n  hostUsers: true", "}]\n  hostNetwork: true", "}]\n  hostPID: true",
		"}]\n  hostIPC: true", ", securityContext: {privileged: true}}]",
		", securityContext: {runAsUser: 65536}}]", ", securityContext: {runAsGroup: 65536}}]",
		"}]\n  securityContext: {runAsUser: 65536}", "}]\n  securityContext: {fsGroup: 65536}",
		"}]\n  securityContext: {supplementalGroups: [1, 65536]}",
	};

	(void)state;
	assert_true(wanted("}]\n  hostUsers: false", false));
	assert_true(wanted(", securityContext: {privileged: true}}]\n  hostUsers: false", false));
	assert_false(wanted("}]", false));
	assert_true(wanted("}]", true));
	assert_true(wanted("}]\n  securityContext: {runAsUser: 65535}", true));
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (wanted(never[i], true))
			fail_msg("%s", never[i]);
}

static uint32_t take(struct userns *u)
{
	uint32_t first = 0;

	return userns_take(u, &first, NULL) == 0 ? first : 0;
}

static void test_which(void **state)
{
	struct userns u = { .pool = { FIRST, 3, false } };
	struct err err = { 0 };
	uint32_t none = 7;

	(void)state;
	userns_claim(&u, FIRST + 100);		/* of another pool: over the first two */
	assert_int_equal(take(&u), FIRST + 2 * USERNS_IDS);
	assert_int_equal(userns_take(&u, &none, &err), -ENOSPC);
	assert_int_equal(none, 7);
	assert_non_null(strstr(err.msg, "all 3 ranges"));
	userns_free(&u, FIRST + 100);
	assert_int_equal(take(&u), FIRST);
	userns_free(&u, FIRST);
	assert_int_equal(take(&u), FIRST + USERNS_IDS);	/* the one that rested longest */
	assert_int_equal(take(&u), FIRST);
	assert_int_equal(take(&u), 0);
	userns_release(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_who), cmocka_unit_test(test_which) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
