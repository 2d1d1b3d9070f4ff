/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of images: what they mean in full, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/reference.h"

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA "sha256:" HEX

static const struct {
	const char *text, *name, *host, *path, *tag, *digest;
} good[] = {
	{ "nginx", "docker.io/library/nginx:latest", "docker.io", "library/nginx", "latest", NULL },
	{ "nginx:1.25", "docker.io/library/nginx:1.25", "docker.io", "library/nginx", "1.25", NULL },
	{ "docker://nginx", "docker.io/library/nginx:latest", "docker.io", "library/nginx", "latest",
	  NULL },
	{ "a/b", "docker.io/a/b:latest", "docker.io", "a/b", "latest", NULL },
	{ "index.docker.io/x", "docker.io/library/x:latest", "docker.io", "library/x", "latest",
	  NULL },
	{ "docker.io/x/y/z:t", "docker.io/x/y/z:t", "docker.io", "x/y/z", "t", NULL },
	{ "ghcr.io/x/y:v1", "ghcr.io/x/y:v1", "ghcr.io", "x/y", "v1", NULL },
	{ "localhost/x", "localhost/x:latest", "localhost", "x", "latest", NULL },
	{ "localhost:5000/x", "localhost:5000/x:latest", "localhost:5000", "x", "latest", NULL },
	{ "127.0.0.1:5000/x/y:T_1.2-3", "127.0.0.1:5000/x/y:T_1.2-3", "127.0.0.1:5000", "x/y",
	  "T_1.2-3", NULL },
	{ "[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000", "x", "latest", NULL },
	{ "Registry/x", "Registry/x:latest", "Registry", "x", "latest", NULL },
	{ "x@" SHA, "docker.io/library/x@" SHA, "docker.io", "library/x", NULL, SHA },
	{ "q.io/x:tag@" SHA, "q.io/x@" SHA, "q.io", "x", NULL, SHA },
	{ "a__b/c-d---e.f_g", "docker.io/a__b/c-d---e.f_g:latest", "docker.io", "a__b/c-d---e.f_g",
	  "latest", NULL },
	{ "docker://rootfs:5000/x", "rootfs:5000/x:latest", "rootfs:5000", "x", "latest", NULL },
	{ "oci:1.2", "docker.io/library/oci:1.2", "docker.io", "library/oci", "1.2", NULL },
	{ "x:" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "docker.io/library/x:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "docker.io", "library/x",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
};

static void assert_text(const char *is, const char *want)
{
	if (!want)
		assert_null(is);
	else
		assert_string_equal(is ? is : "(null)", want);
}

static void test_registry(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct reference r;
		struct err err = { 0 };

		if (reference_parse(&a, good[i].text, &r, &err) < 0)
			fail_msg("%s: %s", good[i].text, err.msg);
		assert_int_equal(r.transport, TRANSPORT_REGISTRY);
		assert_text(r.name, good[i].name);
		assert_text(r.host, good[i].host);
		assert_text(r.path, good[i].path);
		assert_text(r.tag, good[i].tag);
		assert_text(r.digest, good[i].digest);
	}
	arena_release(&a);
}

static void test_name_is_stable(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct reference r, again;

		assert_int_equal(reference_parse(&a, good[i].text, &r, NULL), 0);
		assert_int_equal(reference_parse(&a, r.name, &again, NULL), 0);
		assert_string_equal(again.name, r.name);
	}
	arena_release(&a);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"", " ", "x ", " x", "x y", "X", "a/B", "x:", ":x", "x:-t", "x:t t", "x/", "/x", "a//b",
		"x:y:z", "-x", "x-", "x..y", "x._y", "x___y", "_x", "x@", "x@sha256:", "x@sha256:abc",
		"x@md5:0123456789abcdef0123456789abcdef", "x@" SHA "0", "x@SHA256:" HEX, HEX,
		"localhost:port/x", "localhost:99999/x", "host.io:/x", "ho st.io/x",
		"-h.io/x", "h-.io/x", "h..io/x", "[::1/x", "[]:5000/x", "[::1]x/y", "a@b@c", "x\n",
		"\xc3\xa9", "docker://", "docker://docker://x", "https://x.io/y", "rootfs:",
		"rootfs:x", "rootfs:5",
		"rootfs:/a/../b", "rootfs:/a/.", "oci:./x", "oci:../x", "oci:/", "oci:/x:",
		"oci-archive:/a/../b", "docker-archive:/", "x:"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct reference r;
		struct err err = { 0 };

		if (reference_parse(&a, bad[i], &r, &err) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_true(err.msg[0] != '\0');
	}
	arena_release(&a);
}

static void test_long_name(void **state)
{
	struct arena a = { 0 };
	char text[300];
	struct reference r;
	struct err err = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text));
	text[255 - sizeof("docker.io/library/") + 1] = '\0';
	assert_int_equal(reference_parse(&a, text, &r, NULL), 0);
	text[strlen(text)] = 'a';
	text[255 - sizeof("docker.io/library/") + 2] = '\0';
	assert_int_equal(reference_parse(&a, text, &r, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "255 characters"));
	arena_release(&a);
}

static void test_files(void **state)
{
	static const struct {
		const char *text, *path, *tag;
		enum transport transport;
	} files[] = {
		{ "rootfs:/", "/", NULL, TRANSPORT_ROOTFS },
		{ "rootfs:/srv/x y", "/srv/x y", NULL, TRANSPORT_ROOTFS },
		{ "oci:/srv/image", "/srv/image", NULL, TRANSPORT_OCI },
		{ "oci:/srv/image:1.0", "/srv/image", "1.0", TRANSPORT_OCI },
		{ "oci-archive:/srv/x.tar", "/srv/x.tar", NULL, TRANSPORT_OCI_ARCHIVE },
		{ "docker-archive:/x.tar:reg.io/x:1", "/x.tar", "reg.io/x:1",
		  TRANSPORT_DOCKER_ARCHIVE },
		{ "oci:/srv/..x/.y", "/srv/..x/.y", NULL, TRANSPORT_OCI },
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct reference r;
		struct err err = { 0 };

		if (reference_parse(&a, files[i].text, &r, &err) < 0)
			fail_msg("%s: %s", files[i].text, err.msg);
		assert_int_equal(r.transport, files[i].transport);
		assert_string_equal(r.name, files[i].text);
		assert_text(r.path, files[i].path);
		assert_text(r.tag, files[i].tag);
		assert_null(r.host);
	}
	arena_release(&a);
}

static void test_floats(void **state)
{
	(void)state;
	assert_true(reference_floats("nginx"));
	assert_true(reference_floats("ghcr.io/x/y:latest"));
	assert_false(reference_floats("nginx:1.25"));
	assert_false(reference_floats("nginx:latest@" SHA));
	assert_false(reference_floats("rootfs:/"));
	assert_false(reference_floats("oci:/x"));
	assert_false(reference_floats("No Image"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registry), cmocka_unit_test(test_name_is_stable),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_files),	 cmocka_unit_test(test_floats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
