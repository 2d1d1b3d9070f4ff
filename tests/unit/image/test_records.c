/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records, configurations, users and the collector's choice: what is pure of the image store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "base/macro.h"
#include "image/config.h"
#include "image/gc.h"
#include "image/image.h"
#include "image/user.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static const char *const none[] = { NULL };

static struct image_record sample(struct image_layer *layer)
{
	static const char *const env[] = { "PATH=/bin", "TEXT=two\nlines \\ and a backslash", NULL };
	static const char *const cmd[] = { "sh", "-c", "", "echo \"x\"", NULL };

	*layer = (struct image_layer){ D1, D2, "application/x", 77 };
	return (struct image_record){
		.ref = "docker.io/library/x:1", .digest = D1, .media_type = "application/y",
		.manifest_size = 5, .index = "", .config = D2, .config_size = 6,
		.platform = "linux/amd64", .created_at = 7, .pulled_at = 8, .layers = { layer, 1 },
		.entrypoint = none, .cmd = cmd, .env = env, .workdir = "/w", .user = "web",
		.ids = "1:2,3", .stop_signal = "SIGQUIT", .ports = none, .volumes = none,
		.labels = none,
	};
}

static void test_record_round_trip(void **state)
{
	struct image_layer layer;
	struct image_record r = sample(&layer), back;
	struct arena a = { 0 };
	struct err err = { 0 };
	BUF_AUTO text = { 0 };
	BUF_AUTO again = { 0 };

	(void)state;
	assert_int_equal(record_format(&r, &text, &err), 0);
	assert_int_equal(record_parse(&a, text.data, text.len, &back, &err), 0);
	assert_string_equal(back.env[1], r.env[1]);
	assert_string_equal(back.cmd[2], "");
	assert_null(back.cmd[4]);
	assert_int_equal(back.layers.n, 1);
	assert_int_equal(back.layers.v[0].size, 77);
	assert_string_equal(back.layers.v[0].diff, D2);
	assert_int_equal(record_format(&back, &again, &err), 0);
	assert_string_equal(text.data, again.data);
	for (size_t n = 0; n < text.len; n++)	/* no part of it is a record */
		assert_int_equal(record_parse(&a, text.data, n, &back, NULL), -EBADMSG);
	arena_release(&a);
}

/* One change of a good record each. */
static void test_record_refused(void **state)
{
	static const struct { const char *from, *to; } rows[] = {
		{ "orch-image 1", "orch-image 2" }, { "digest " D1, "digest sha256:11" },
		{ "config " D2, "config " }, { "size 5", "size -5" },
		{ "size 5", "size 5000000000000000000" }, { "size 5", "size 05" },
		{ "workdir /w", "workdir w" }, { "ids 1:2,3", "ids root" }, { "end\n", "end\nend\n" },
		{ "layer " D1, "layer x" }, { "env PATH=/bin", "env PATH" },
		{ "env PATH=/bin", "env =x" },
		{ "cmd sh", "cmd s\\h" }, { "ref docker.io", "ref docker io" }, { "user web\n", "" },
		{ "user web\n", "user web\nuser web\n" }, { "linux/amd64", "linux\"" },
	};
	struct image_layer layer;
	struct image_record r = sample(&layer);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena a = { 0 };
		BUF_AUTO text = { 0 };
		BUF_AUTO changed = { 0 };

		assert_int_equal(record_format(&r, &text, NULL), 0);
		const char *at = strstr(text.data, rows[i].from);
		assert_non_null(at);
		buf_add(&changed, text.data, (size_t)(at - text.data));
		buf_puts(&changed, rows[i].to);
		buf_puts(&changed, at + strlen(rows[i].from));
		assert_int_equal(record_parse(&a, changed.data, changed.len, &r, NULL), -EBADMSG);
		r = sample(&layer);
		arena_release(&a);
	}
}

static int parse(struct arena *a, const char *json, unsigned layers, struct image_record *ret,
		 struct err *err)
{
	*ret = (struct image_record){ 0 };
	for (unsigned i = 0; i < layers; i++)
		arena_push(a, &ret->layers);
	return image_config_parse(a, json, strlen(json), ret, err);
}

static void test_config(void **state)
{
	static const char json[] =
		"{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\","
		"\"created\":\"2020-01-02T03:04:05.678901234+01:00\",\"author\":{\"ignored\":1},"
		"\"config\":{\"Entrypoint\":[\"/init\"],\"Cmd\":null,\"Env\":[\"A=1\",\"EMPTY\"],"
		"\"User\":\"web:log\",\"WorkingDir\":\"srv\",\"StopSignal\":\"SIGINT\","
		"\"ExposedPorts\":{\"80/tcp\":{}},\"Volumes\":{\"/data\":{}},"
		"\"Labels\":{\"k\":\"v=w\"}},\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"" D1 "\"]}}";
	struct arena a = { 0 };
	struct image_record r;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse(&a, json, 1, &r, &err), 0);
	assert_string_equal(r.platform, "linux/arm64/v8");
	assert_int_equal(r.created_at, 1577930645);
	assert_string_equal(r.entrypoint[0], "/init");
	assert_null(r.cmd[0]);
	assert_string_equal(r.env[1], "EMPTY=");
	assert_string_equal(r.user, "web:log");
	assert_string_equal(r.workdir, "/srv");
	assert_string_equal(r.ports[0], "80/tcp");
	assert_string_equal(r.volumes[0], "/data");
	assert_string_equal(r.labels[0], "k=v=w");
	assert_string_equal(r.layers.v[0].diff, D1);
	assert_int_equal(parse(&a, "{\"rootfs\":{\"diff_ids\":[]}}", 0, &r, &err), 0);
	assert_string_equal(r.workdir, "/");
	arena_release(&a);
}

static void test_config_refused(void **state)
{
#define ROOTFS "\"rootfs\":{\"diff_ids\":[\"" D1 "\"]}"
	static const struct { const char *json, *says; } rows[] = {
		{ "", "no JSON" }, { "{", "no JSON" }, { "[]", "all of it" },
		{ "{\"config\":[]," ROOTFS "}", "config is not" },
		{ "{\"config\":{\"Cmd\":\"sh\"}," ROOTFS "}", "Cmd is not" },
		{ "{\"config\":{\"Cmd\":[1]}," ROOTFS "}", "Cmd is not" },
		{ "{\"config\":{\"Env\":[\"=x\"]}," ROOTFS "}", "Env is not" },
		{ "{\"config\":{\"Env\":[\"a\\u0000=x\"]}," ROOTFS "}", "no JSON" },
		{ "{\"config\":{\"User\":0}," ROOTFS "}", "User is not" },
		{ "{\"config\":{\"Labels\":{\"a\":1}}," ROOTFS "}", "Labels is not" },
		{ "{\"os\":7," ROOTFS "}", "platform is not" },
		{ "{}", "has 0 layers, its manifest 1" },
		{ "{\"rootfs\":{\"diff_ids\":[\"sha256:1\"]}}", "diff_ids is not" },
		{ "{\"rootfs\":{\"diff_ids\":[\"" D1 "\",\"" D1 "\"]}}", "has 2 layers" },
	};
#undef ROOTFS

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena a = { 0 };
		struct image_record r;
		struct err err = { 0 };

		assert_int_equal(parse(&a, rows[i].json, 1, &r, &err), -EBADMSG);
		if (!strstr(err.msg, rows[i].says))
			fail_msg("%s: %s", rows[i].json, err.msg);
		arena_release(&a);
	}
}

static void test_users(void **state)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n#comment\nweb:x:101:102::/:\n"
		"broken:x\n1000:x:5:6::/:\nother:x:1000:1001::/:\nlast:x:7:8::/:/bin/sh";
	static const char group[] = "root:x:0:\nweb:x:102:\nlog:x:103:a,web\nno:x:104:webx,xweb\n"
		"adm:x:105:web,b\nown:x:102:web\n7:x:70:\n";
	static const struct { const char *user, *ids; } rows[] = {
		{ "", "" }, { "web", "101:102,103,105" }, { "101", "101:102,103,105" },
		{ "root", "0:0" }, { "0", "0:0" }, { "web:log", "101:103" }, { "web:7", "101:70" },
		{ "web:8", "101:8" }, { "1000", "5:6" },	/* a name first */
		{ "last", "7:8" }, { "99", "99:0" }, { "99:98", "99:98" }, { ":log", "0:103" },
		{ "web:", "101:102,103,105" }, { "nobody", NULL }, { "broken", NULL },
		{ "#comment", NULL }, { "web:none", NULL }, { "4294967295", NULL }, { "-1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char ids[USER_IDS_MAX];
		struct err err = { 0 };
		int r = user_resolve(rows[i].user, passwd, group, ids, sizeof(ids), &err);

		assert_int_equal(r, rows[i].ids ? 0 : -ENOENT);
		if (rows[i].ids)
			assert_string_equal(ids, rows[i].ids);
	}
}

static void test_signals(void **state)
{
	static const struct { const char *text; int n; } rows[] = {
		{ "SIGTERM", SIGTERM }, { "QUIT", SIGQUIT }, { "9", 9 }, { "SIGRTMIN+3", 37 },
		{ "RTMAX", 64 }, { "SIGRTMAX-1", 63 }, { "", 0 }, { "SIGRTMIN+90", 0 }, { "65", 0 },
		{ "SIGNONE", 0 }, { "-9", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(image_signal(rows[i].text), rows[i].n);
}

static void test_collector(void **state)
{
	struct gc_image v[] = {
		{ "new", 990, false }, { "used", 10, true }, { "b", 100, false }, { "a", 100, false },
		{ "old", 50, false },
	};
	struct gc_rules r = { .high = 85, .low = 80, .now = 1000, .min_age_s = 120 };

	(void)state;
	assert_int_equal(gc_excess(&r, 1000, 200), 0);
	assert_int_equal(gc_excess(&r, 1000, 150), 50);
	assert_int_equal(gc_excess(&r, 1000, 0), 200);
	assert_int_equal(gc_excess(&r, 0, 0), 0);
	assert_int_equal(gc_candidates(v, 5, &r), 3);
	assert_string_equal(v[0].ref, "old");
	assert_string_equal(v[1].ref, "a");
	assert_string_equal(v[2].ref, "b");
	r.all = true;
	assert_int_equal(gc_candidates(v, 5, &r), 4);
	r.high = 0;
	assert_int_equal(gc_excess(&r, 1000, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_round_trip),
		cmocka_unit_test(test_record_refused),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_refused),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_collector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
