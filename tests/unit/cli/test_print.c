/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jsonpath as scripts use it with kubectl, and options wherever they stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macro.h"
#include "cli/print.h"

static const char sample[] =
	"{\"items\":[{\"metadata\":{\"name\":\"a\",\"labels\":{\"app.kubernetes.io/name\":\"x\"}},\"n\":1},"
	"{\"metadata\":{\"name\":\"b\"},\"n\":2}],\"kind\":\"List\"}";

static void jsonpath_like_kubectl(void **state)
{
	static const struct { const char *template, *expected; } cases[] = {
		{ "{.kind}", "List" },
		{ ".kind", "List" },
		{ "{$.kind}", "List" },
		{ "{.items[*].metadata.name}", "a b" },
		{ "{.items[0].metadata.name}", "a" },
		{ "{.items[-1].metadata.name}", "b" },
		{ "{.items[0].n}", "1" },
		{ "{.items[0].metadata.labels.app\\.kubernetes\\.io/name}", "x" },
		{ "{.items[0].metadata.labels['app.kubernetes.io/name']}", "x" },
		{ "{range .items[*]}{.metadata.name}={.n}{\"\\n\"}{end}", "a=1\nb=2\n" },
		{ "{.nothing.here}", "" },
		{ "name: {.items[1].metadata.name}!", "name: b!" },
		{ "{.items[1].metadata}", "{\"name\":\"b\"}" },
	};
	json_t *o = json_loads(sample, 0, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cli c = { 0 };
		BUF_AUTO out = { 0 };

		assert_int_equal(jsonpath(&c, o, cases[i].template, &out), EXIT_DONE);
		assert_string_equal(buf_str(&out), cases[i].expected);
		arena_release(&c.arena);
	}
	json_decref(o);
}

static void bad_templates_are_refused(void **state)
{
	static const char *bad[] = { "{.items[0", "{range .items[*]}{.n}", "{.a", "{items}" };
	json_t *o = json_loads(sample, 0, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct cli c = { 0 };
		BUF_AUTO out = { 0 };

		assert_int_equal(jsonpath(&c, o, bad[i], &out), EXIT_ERROR);
		arena_release(&c.arena);
	}
	json_decref(o);
}

static int parse(struct cli *c, const char *verb, char **argv)
{
	int argc = 0;

	*c = (struct cli){ .verb = verb };
	while (argv[argc])
		argc++;
	return options_parse(c, argc, argv);
}
#define ARGV(...) (char **)(const char *[]){ __VA_ARGS__, NULL }

static void options_stand_anywhere(void **state)
{
	struct cli c;

	(void)state;
	assert_int_equal(
		parse(&c, "get", ARGV("pods", "-n", "shop", "web", "--output=json", "-Aw")), 0);
	assert_int_equal(c.nargs, 2);
	assert_string_equal(c.args[1], "web");
	assert_string_equal(c.opt.namespace, "shop");
	assert_string_equal(c.opt.output, "json");
	assert_true(c.opt.all_namespaces && c.opt.watch);
	arena_release(&c.arena);
}

static void a_letter_means_what_the_verb_says(void **state)
{
	struct cli c;

	(void)state;
	assert_int_equal(parse(&c, "logs", ARGV("-f", "web")), 0);
	assert_true(c.opt.follow);
	assert_int_equal(c.nargs, 1);
	arena_release(&c.arena);
	assert_int_equal(parse(&c, "validate", ARGV("-f", "web.yaml", "-fb.yaml")), 0);
	assert_int_equal(c.opt.nfiles, 2);
	assert_string_equal(c.opt.files[1], "b.yaml");
	arena_release(&c.arena);
}

static void a_value_only_after_equals(void **state)
{
	struct cli c;

	(void)state;
	assert_int_equal(parse(&c, "apply", ARGV("--allow-delete", "plan.json")), 0);
	assert_string_equal(c.opt.allow_delete, "-1");
	assert_int_equal(c.nargs, 1);
	arena_release(&c.arena);
	assert_int_equal(parse(&c, "apply", ARGV("--allow-delete=3")), 0);
	assert_string_equal(c.opt.allow_delete, "3");
	arena_release(&c.arena);
}

static void a_command_is_left_alone(void **state)
{
	struct cli c;

	(void)state;
	assert_int_equal(parse(&c, "exec", ARGV("-it", "web", "--", "ls", "-l", "--color")), 0);
	assert_true(c.opt.stdin_ && c.opt.tty);
	assert_int_equal(c.ncommand, 3);
	assert_string_equal(c.command[1], "-l");
	arena_release(&c.arena);
}

static void what_is_unknown_or_incomplete_is_refused(void **state)
{
	struct cli c;

	(void)state;
	assert_int_equal(parse(&c, "get", ARGV("--follow")), -EINVAL);
	arena_release(&c.arena);
	assert_int_equal(parse(&c, "get", ARGV("pods", "-n")), -EINVAL);
	arena_release(&c.arena);
	assert_int_equal(parse(&c, "status", ARGV("-Z")), -EINVAL);
	arena_release(&c.arena);
}

static void what_a_command_line_names(void **state)
{
	struct cli c;
	struct targets t;

	(void)state;
	parse(&c, "get", ARGV("po,svc"));
	assert_int_equal(targets_parse(&c, 0, &t), EXIT_DONE);
	assert_int_equal(t.n, 2);
	assert_string_equal(target_path(&c, &t.v[1]), "/api/v1/namespaces/default/services");
	arena_release(&c.arena);
	parse(&c, "get", ARGV("deploy/web", "cm/x y", "-n", "shop"));
	assert_int_equal(targets_parse(&c, 0, &t), EXIT_DONE);
	assert_string_equal(target_path(&c, &t.v[0]),
			    "/apis/apps/v1/namespaces/shop/deployments/web");
	assert_string_equal(target_path(&c, &t.v[1]), "/api/v1/namespaces/shop/configmaps/x%20y");
	arena_release(&c.arena);
	parse(&c, "get", ARGV("pod", "-A"));
	assert_int_equal(targets_parse(&c, 0, &t), EXIT_DONE);
	assert_string_equal(target_path(&c, &t.v[0]), "/api/v1/pods");
	arena_release(&c.arena);
	parse(&c, "get", ARGV("nonsense"));
	assert_int_equal(targets_parse(&c, 0, &t), EXIT_ERROR);
	arena_release(&c.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jsonpath_like_kubectl),
		cmocka_unit_test(bad_templates_are_refused),
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(a_letter_means_what_the_verb_says),
		cmocka_unit_test(a_value_only_after_equals),
		cmocka_unit_test(a_command_is_left_alone),
		cmocka_unit_test(what_is_unknown_or_incomplete_is_refused),
		cmocka_unit_test(what_a_command_line_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
