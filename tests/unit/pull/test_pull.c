/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fetcher reads: challenges, credentials, manifests; and jobs, as they cross the pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "image/job.h"
#include "pull/challenge.h"
#include "pull/credentials.h"
#include "pull/manifest.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "sha256:3333333333333333333333333333333333333333333333333333333333333333"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define CONFIG "\"config\":{\"mediaType\":\"c\",\"digest\":\"" D1 "\",\"size\":10}"
#define LAYER "{\"mediaType\":\"l\",\"digest\":\"" D2 "\",\"size\":20}"

static void test_challenges(void **state)
{
	static const struct {
		const char *text;
		struct challenge want;
	} rows[] = {
		{ "Basic realm=\"x\"", { CHALLENGE_BASIC, "x", "", "" } },
		{ "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull\"",
		  { CHALLENGE_BEARER, "https://a/t", "s", "repository:x:pull" } },
		{ "bearer  Realm=u , SERVICE=\"a,b\\\"c\"", { CHALLENGE_BEARER, "u", "a,b\"c", "" } },
		{ "Negotiate, Basic realm=x", { CHALLENGE_BASIC, "x", "", "" } },
		{ "Digest realm=\"d\", nonce=\"n\", Bearer realm=r", { CHALLENGE_BEARER, "r", "", "" } },
		{ "Bearer service=\"s\"", { CHALLENGE_NONE, "", "", "" } },
		{ "Bearer realm=\"unterminated", { CHALLENGE_BEARER, "unterminated", "", "" } },
		{ "", { CHALLENGE_NONE, "", "", "" } },
		{ ", ,", { CHALLENGE_NONE, "", "", "" } },
		{ "=\"", { CHALLENGE_NONE, "", "", "" } },
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct challenge c = challenge_parse(&a, rows[i].text);

		assert_int_equal(c.scheme, rows[i].want.scheme);
		assert_string_equal(c.realm, rows[i].want.realm);
		assert_string_equal(c.service, rows[i].want.service);
		assert_string_equal(c.scope, rows[i].want.scope);
	}
	arena_release(&a);
}

/* The users that match, in their order, joined by blanks. */
static const char *users(struct arena *a, const char *text, const char *host, const char *path)
{
	const struct reference r = { .host = host, .path = path };
	struct credentials l = { 0 };
	const char *all = "";

	credentials_add(a, text, &r, &l);
	for (uint32_t i = 0; i < l.n; i++)
		all = arena_printf(a, "%s%s%s", all, i ? " " : "", l.v[i].user);
	return all;
}

static void test_credentials(void **state)
{
	static const char auths[] =
		"{\"auths\":{"
		"\"https://index.docker.io/v1/\":{\"auth\":\"aHViOng6eQ==\"},"
		"\"ghcr.io\":{\"username\":\"all\",\"password\":\"p\"},"
		"\"ghcr.io/team/app\":{\"username\":\"app\",\"password\":\"p\"},"
		"\"ghcr.io/team\":{\"username\":\"team\",\"password\":\"p\"},"
		"\"*.example.com\":{\"username\":\"star\",\"password\":\"p\"},"
		"\"localhost:5000\":{\"auth\":\"bm9jb2xvbg==\"},"
		"\"quay.io\":{\"auth\":\"***\"}}}";
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(users(&a, auths, "docker.io", "library/nginx"), "hub");
	assert_string_equal(users(&a, auths, "ghcr.io", "team/app"), "app team all");
	assert_string_equal(users(&a, auths, "ghcr.io", "team/app2"), "team all");
	assert_string_equal(users(&a, auths, "ghcr.io", "teams"), "all");
	assert_string_equal(users(&a, auths, "r.example.com", "x"), "star");
	assert_string_equal(users(&a, auths, "a.b.example.com", "x"), "");
	assert_string_equal(users(&a, auths, "example.com", "x"), "");
	assert_string_equal(users(&a, auths, "localhost:5000", "x"), "");
	assert_string_equal(users(&a, auths, "quay.io", "x"), "");
	assert_string_equal(users(&a, "{\"q.io\":{\"auth\":\"am9lOnM=\"}}", "q.io", "x"), "joe");
	assert_string_equal(users(&a, "[1]", "q.io", "x"), "");
	assert_string_equal(users(&a, "{", "q.io", "x"), "");
	arena_release(&a);
}

static void test_password_with_colon(void **state)
{
	const struct reference r = { .host = "q.io", .path = "x" };
	struct credentials l = { 0 };
	struct arena a = { 0 };

	(void)state;
	credentials_add(&a, "{\"auths\":{\"q.io/v2/\":{\"auth\":\"am9lOmE6Yg==\"}}}", &r, &l);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].password, "a:b");
	assert_string_equal(credential_basic(&a, &l.v[0]), "Basic am9lOmE6Yg==");
	arena_release(&a);
}

static int parse(struct arena *a, const char *json, const char *type, const struct platform *p,
		 struct manifest_doc *ret, struct err *err)
{
	return manifest_doc_parse(a, json, strlen(json), type, p, ret, err);
}

static void test_manifest(void **state)
{
	static const char json[] = "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER "]}";
	struct manifest_doc doc;
	struct err err = { 0 };
	struct arena a = { 0 };

	(void)state;
	assert_int_equal(parse(&a, json, OCI_MANIFEST, NULL, &doc, &err), 0);
	assert_false(doc.is_index);
	assert_string_equal(doc.config.digest, D1);
	assert_int_equal(doc.layers.n, 1);
	assert_string_equal(doc.layers.v[0].digest, D2);
	assert_int_equal(doc.layers.v[0].size, 20);
	arena_release(&a);
}

static void test_platforms(void **state)
{
	static const char json[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\",\"manifests\":["
		"{\"mediaType\":\"m\",\"digest\":\"" D3 "\",\"size\":1,\"platform\":"
		"{\"os\":\"unknown\",\"architecture\":\"unknown\"}},"
		"{\"mediaType\":\"m\",\"digest\":\"" D1 "\",\"size\":1,\"platform\":"
		"{\"os\":\"linux\",\"architecture\":\"arm64\"}},"
		"{\"mediaType\":\"m\",\"digest\":\"" D2 "\",\"size\":1,\"platform\":"
		"{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}}]}";
	const struct platform v8 = { "arm64", "v8" }, plain = { "arm64", "" }, other = { "s390x", "" };
	struct manifest_doc doc;
	struct err err = { 0 };
	struct arena a = { 0 };

	(void)state;
	assert_int_equal(parse(&a, json, "", &v8, &doc, &err), 0);
	assert_string_equal(doc.manifests.v[0].digest, D2);
	assert_int_equal(parse(&a, json, "", &plain, &doc, &err), 0);
	assert_string_equal(doc.manifests.v[0].digest, D1);
	assert_int_equal(parse(&a, json, "", &other, &doc, &err), -ENOENT);
	assert_string_equal(err.msg, "no match for platform in manifest: linux/s390x not found");
	assert_int_equal(parse(&a, json, "", NULL, &doc, &err), 0);
	assert_int_equal(doc.manifests.n, 3);
	arena_release(&a);
}

static void test_no_manifests(void **state)
{
	static const struct { const char *json, *type, *says; } rows[] = {
		{ "", "", "no JSON object" },
		{ "[]", "", "no JSON object" },
		{ "{\"schemaVersion\":1}", "", "schema 1" },
		{ "{\"schemaVersion\":2}", "text/html", "shape" },
		{ "{\"mediaType\":\"application/vnd.oci.artifact.manifest.v1+json\"}", OCI_MANIFEST,
		  "no manifest of an image" },
		{ "{\"mediaType\":\"" OCI_MANIFEST "\",\"manifests\":[]}", OCI_MANIFEST, "shape" },
		{ "{\"manifests\":[],\"layers\":[]," CONFIG "}", "", "shape" },
		{ "{\"layers\":[]," CONFIG "," CONFIG "}", "", "no JSON object" },
		{ "{\"layers\":[]}", "", "config" },
		{ "{\"layers\":[{\"digest\":\"sha256:x\",\"size\":1}]," CONFIG "}", "", "layer" },
		{ "{\"layers\":[{\"digest\":\"" D1 "\"}]," CONFIG "}", "", "size" },
		{ "{\"layers\":[{\"digest\":\"" D1 "\",\"size\":-1}]," CONFIG "}", "", "size" },
		{ "{\"layers\":[{\"digest\":\"" D1 "\",\"size\":9e30}]," CONFIG "}", "", "size" },
		{ "{\"layers\":[],\"config\":{\"digest\":\"" D1 "\",\"size\":99999999}}", "", "size" },
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct manifest_doc doc;
		struct err err = { 0 };

		assert_int_equal(parse(&a, rows[i].json, rows[i].type, NULL, &doc, &err), -EBADMSG);
		if (!strstr(err.msg, rows[i].says))
			fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].json, err.msg, rows[i].says);
	}
	arena_release(&a);
}

static void test_too_many_layers(void **state)
{
	struct arena a = { 0 };
	struct manifest_doc doc;
	struct err err = { 0 };

	(void)state;
	for (int n = IMAGE_LAYERS_MAX; n <= IMAGE_LAYERS_MAX + 1; n++) {
		BUF_AUTO json = { 0 };

		buf_puts(&json, "{" CONFIG ",\"layers\":[" LAYER);
		for (int i = 1; i < n; i++)
			buf_puts(&json, "," LAYER);
		buf_puts(&json, "]}");
		assert_int_equal(parse(&a, buf_str(&json), "", NULL, &doc, &err),
				 n > IMAGE_LAYERS_MAX ? -EBADMSG : 0);
	}
	arena_release(&a);
}

static void test_job(void **state)
{
	static const char *const auths[] = { "{\"a\":\n1}", "" };
	static const char *const mirrors[] = { "m1", "m2/x" };
	static const char *const in_use[] = { "docker.io/library/x:1" };
	struct pull_registry registries[] = {
		{ .host = "h1", .mirrors = { (const char **)mirrors, 2 } },
		{ .host = "h2", .insecure = true, .ca = "-----\npem" },
	};
	struct pull_rule policies[] = { { "", PULL_REJECT, NULL }, { "g", PULL_SIGNED, "key" } };
	const struct pull_job job = {
		.task = PULL_GC, .store = "/s", .image = "x", .architecture = "amd64",
		.gc = { true, 85, 80, 120, { (const char **)in_use, 1 } },
		.auths = { (const char **)auths, 2 }, .registries = { registries, 2 },
		.policies = { policies, 2 },
	};
	BUF_AUTO text = { 0 };
	BUF_AUTO again = { 0 };
	struct arena a = { 0 };
	struct pull_job back;
	struct err err = { 0 };

	(void)state;
	pull_job_format(&job, &text);
	assert_int_equal(pull_job_parse(&a, text.data, text.len, &back, &err), 0);
	pull_job_format(&back, &again);
	assert_string_equal(buf_str(&text), buf_str(&again));
	assert_string_equal(back.registries.v[1].ca, "-----\npem");
	assert_int_equal(back.policies.v[1].verdict, PULL_SIGNED);
	for (size_t n = 0; n < text.len; n++)	/* cut off anywhere it may be whole, never read beyond */
		pull_job_parse(&a, arena_strndup(&a, text.data, n), n, &back, NULL);
	assert_int_equal(pull_job_parse(&a, "x 1\ny\n", 6, &back, &err), -EBADMSG);
	assert_int_equal(pull_job_parse(&a, "image 9\ny\n", 10, &back, &err), -EBADMSG);
	assert_int_equal(pull_job_parse(&a, "mirror 1\ny\n", 11, &back, &err), -EBADMSG);
	arena_release(&a);
}

static void test_news(void **state)
{
	static const char *const bad[] = {
		"", "progress", "progress 1", "progress 1 x", "progress 1 2 3", "done x", "failed",
		"failed x y z", "failed 1 ErrImagePull", "cheers 1 2",
	};
	struct pull_news n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		FREE_AUTO char *line = strdup(bad[i]);

		assert_int_equal(pull_news_parse(line, &n), -EBADMSG);
	}
	const struct pull_news failed = { .kind = PULL_FAILED, .retry_after = 7, .reason = "ErrImagePull",
					  .text = "two\nlines \x1b[31m" };
	BUF_AUTO line = { 0 };
	pull_news_format(&failed, &line);
	assert_int_equal(line.data[line.len - 1], '\n');
	line.data[line.len - 1] = '\0';
	assert_null(strchr(line.data, '\n'));
	assert_null(strchr(line.data, '\x1b'));
	assert_int_equal(pull_news_parse(line.data, &n), 0);
	assert_int_equal(n.retry_after, 7);
	assert_string_equal(n.reason, "ErrImagePull");
	assert_string_equal(n.text, "two lines  [31m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_challenges),	  cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_password_with_colon), cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_platforms),	  cmocka_unit_test(test_no_manifests),
		cmocka_unit_test(test_too_many_layers),	  cmocka_unit_test(test_job),
		cmocka_unit_test(test_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
