/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What references stand for, against real directories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "image/image.h"

/* What is said of references before anything is looked at. */
static void test_refused(void **state)
{
	static const struct { const char *ref; int r; } rows[] = {
		{ "rootfs:", -EINVAL }, { "rootfs:srv/web", -EINVAL }, { "rootfs:/srv/../etc", -EINVAL },
		{ "", -EINVAL }, { "nginx:1.25", -ENOENT }, { "rootfs:/no/such/directory", -ENOENT },
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = { 0 };
		struct image image;

		assert_int_equal(image_resolve(&a, NULL, rows[i].ref, NULL, &image, &err), rows[i].r);
		assert_true(err.msg[0]);
	}
	arena_release(&a);
}

static void test_resolve(void **state)
{
	char dir[] = "/tmp/test-image-XXXXXX", ref[128], file[64];
	struct arena a = { 0 };
	struct err err = { 0 };
	struct image image;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(ref, sizeof(ref), "rootfs:%s", dir);
	assert_int_equal(image_resolve(&a, NULL, ref, NULL, &image, &err), 0);
	assert_string_equal(image.id, ref);
	assert_string_equal(image.lowers[0], dir);
	assert_null(image.lowers[1]);
	assert_string_equal(image.env[0],
			    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	assert_null(image.env[1]);
	assert_null(image.entrypoint[0]);
	assert_null(image.cmd[0]);
	assert_string_equal(image.workdir, "/");
	assert_string_equal(image.user, "");

	snprintf(file, sizeof(file), "%s/file", dir);
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	snprintf(ref, sizeof(ref), "rootfs:%s", file);
	assert_int_equal(image_resolve(&a, NULL, ref, NULL, &image, &err), -ENOTDIR);
	unlink(file);
	assert_int_equal(image_resolve(&a, NULL, ref, NULL, &image, &err), -ENOENT);
	assert_non_null(strstr(err.msg, file));
	rmdir(dir);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_resolve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
