/* SPDX-License-Identifier: GPL-2.0-or-later */
/* orchd's settings: from flags, from the file, from both, and what is wrong with them. */
#include "fixture.h"

#include "daemon/settings.h"

struct loaded {
	struct msgs m;
	struct invocation in;
	int r;
};

/* Flags are blank-separated; --config is the fixture's. */
static struct loaded load(struct fixture *f, const char *flags)
{
	struct loaded l = { .m = { .arena = &f->arena } };
	char *argv[20] = { (char *)"orchd", (char *)"--config", f->config };
	int argc = 3;

	for (char *w, *rest = arena_strdup(&f->arena, flags); (w = strtok_r(rest, " ", &rest));)
		argv[argc++] = w;
	l.r = settings_load(&f->arena, argc, argv, &l.in, &l.m);
	return l;
}

static void defaults_are_those_of_the_rows(void **state)
{
	struct fixture *f = *state;
	struct loaded l = load(f, "");
	const struct settings *s = l.in.settings;

	assert_int_equal(l.r, 0);
	assert_string_equal(s->config_dir, f->config);
	assert_string_equal(s->run_dir, "/run/orch");
	assert_string_equal(s->state_dir, "/var/lib/orch");
	assert_string_equal(s->log_dir, "/var/log/pods");
	assert_string_equal(s->cluster_domain, "cluster.local");
	assert_int_equal(s->sync, SYNC_AUTO);
	assert_false(l.in.check || l.in.stop_pods || l.in.help || l.in.version);
}

static void flags_count(void **state)
{
	struct loaded l = load(*state, "--run /r --sync=manual --settle 20 --pod-cidr 10.1.0.0/16 "
				       "--stop-pods --check --node-name n1");
	const struct settings *s = l.in.settings;

	assert_int_equal(l.r, 0);
	assert_string_equal(s->run_dir, "/r");
	assert_string_equal(s->pod_cidr, "10.1.0.0/16");
	assert_string_equal(s->node_name, "n1");
	assert_int_equal(s->sync, SYNC_MANUAL);
	assert_int_equal(s->settle_ms, 20);
	assert_true(l.in.check && l.in.stop_pods);
}

#define HEAD "apiVersion: orch/v1\nkind: OrchdConfiguration\n"

static void flags_win_over_the_file(void **state)
{
	struct fixture *f = *state;
	struct loaded l;

	fixture_write(f, "orchd.yaml", HEAD "runDir: /from/file\nsettleMilliseconds: 77\n");
	l = load(f, "--run /from/flag");
	assert_int_equal(l.r, 0);
	assert_string_equal(l.in.settings->run_dir, "/from/flag");
	assert_int_equal(l.in.settings->settle_ms, 77);
	assert_int_equal(load(f, "").r, 0);
	assert_string_equal(load(f, "").in.settings->run_dir, "/from/file");
}

/* As kubelet's flags have them; one replaces what the file says. */
static void pairs_are_flags_too(void **state)
{
	struct fixture *f = *state;
	struct loaded l;

	fixture_write(f, "orchd.yaml", HEAD "evictionHard: {pid.available: 10%}\n");
	l = load(f, "--eviction-hard memory.available<1Gi,nodefs.available<5%");
	assert_int_equal(l.r, 0);
	const struct strmap *m = &l.in.settings->eviction_hard;
	assert_int_equal(m->n, 2);
	assert_string_equal(strmap_get(m, "memory.available"), "1Gi");
	assert_string_equal(strmap_get(m, "nodefs.available"), "5%");
	assert_int_equal(load(f, "--eviction-hard=").in.settings->eviction_hard.n, 0);
}

static const struct { const char *flags, *file, *message; } wrong[] = {
	{ "--colour", NULL, "unknown flag" },
	{ "--runner x", NULL, "unknown flag" },
	{ "--check=yes", NULL, "unknown flag" },
	{ "--run", NULL, "needs a value" },
	{ "extra", NULL, "unknown flag" },
	{ "--sync sometimes", NULL, "sometimes" },
	{ "--settle soon", NULL, "soon" },
	{ "--settle -1", NULL, "-1" },
	{ "--pod-cidr 10.1.0.0/99", NULL, "10.1.0.0/99" },
	{ "--run relative", NULL, "relative" },
	{ "--eviction-hard memory.free<1Gi", NULL, "unknown signal \"memory.free\"" },
	{ "--eviction-soft pid.available<1,pid.available", NULL, "pid.available" },
	{ "", HEAD "colour: red\n", "colour" },
	{ "", HEAD "sync: sometimes\n", "sometimes" },
	{ "", "apiVersion: orch/v1\nkind: Settings\n", "OrchdConfiguration" },
	{ "", "runDir: /r\n", "OrchdConfiguration" },
	{ "", HEAD "---\n" HEAD, "one document" },
	{ "", HEAD "runDir: [", "" },
};

static void mistakes_are_told(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		BUF_AUTO text = { 0 };
		struct loaded l;

		fixture_write(f, "orchd.yaml", wrong[i].file ? wrong[i].file : HEAD);
		l = load(f, wrong[i].flags);
		for (uint32_t k = 0; k < l.m.n; k++)
			msg_print(&l.m.v[k], &text);
		if (l.r != -EINVAL || !l.m.errors || !strstr(buf_str(&text), wrong[i].message))
			fail_msg("%s %s: %d %s", wrong[i].flags, wrong[i].file ? wrong[i].file : "",
				 l.r, buf_str(&text));
		if (wrong[i].file)	/* says where */
			assert_non_null(strstr(buf_str(&text), "orchd.yaml:"));
		else
			assert_non_null(strstr(buf_str(&text), "command line"));
	}
}

static void several_mistakes_are_told_at_once(void **state)
{
	struct loaded l = load(*state, "--colour --shape --run");

	assert_int_equal(l.r, -EINVAL);
	assert_int_equal(l.m.errors, 3);
}

static void help_asks_for_nothing_else(void **state)
{
	struct fixture *f = *state;
	BUF_AUTO text = { 0 };

	fixture_write(f, "orchd.yaml", "]");
	assert_true(load(f, "--help").in.help);
	assert_int_equal(load(f, "--help").r, 0);
	assert_int_equal(load(f, "--version").r, 0);
	settings_usage(&text);
	assert_non_null(strstr(buf_str(&text), "--sync auto|manual"));
	assert_non_null(strstr(buf_str(&text), "(/run/orch)"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_the_rows),
		TEST(flags_count),
		TEST(flags_win_over_the_file),
		TEST(pairs_are_flags_too),
		TEST(mistakes_are_told),
		TEST(several_mistakes_are_told_at_once),
		TEST(help_asks_for_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
