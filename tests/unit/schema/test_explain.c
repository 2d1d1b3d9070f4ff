/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explaining fields, messages as text and JSON, and the nearest word. */
#include "toy.h"

static const char *explained(struct toy *t, const char *path)
{
	struct err err = { 0 };

	buf_reset(&t->text);
	if (schema_explain(&box_type, "Box", path, &t->text, &err) < 0)
		fail_msg("%s", err.msg);
	return buf_str(&t->text);
}

static void fields(void **state)
{
	struct toy *t = *state;

	assert_string_equal(explained(t, "replicas"),
		"KIND:     Box\nFIELD:    replicas <integer>\nDEFAULT:  1\nBOUNDS:   at least 0\n"
		"CHANGE:   takes effect without a restart\n\nDESCRIPTION:\n    How many.\n");
	assert_string_equal(explained(t, "rolled.tools.ports[0].color"),
		"KIND:     Box\nFIELD:    color <string>\nDEFAULT:  Red\nENUM:     Red, Green, Ultraviolet\n"
		"CHANGE:   replaces the pods\n\nDESCRIPTION:\n    Color.\n");
	assert_string_equal(explained(t, "rolled.tools.ports"),
		"KIND:     Box\nFIELD:    ports <[]Object>\nCHANGE:   replaces the pods\n\n"
		"DESCRIPTION:\n    Ports.\n    A port.\n\nFIELDS:\n  name\t<string>\n    Name.\n"
		"  number\t<integer> (required)\n    Number.\n  color\t<string> default: Red\n    Color.\n");
	assert_non_null(strstr(explained(t, "rolled.tools"),
			       "KEY:      name identifies an element\n"));
	assert_non_null(strstr(explained(t, "rolled.tools.ports.number"), "BOUNDS:   1-65535\n"));
	assert_non_null(strstr(explained(t, "status.count"), "<integer>"));
	assert_non_null(strstr(explained(t, "status"), "(set by orchd, ignored in manifests)"));
	assert_non_null(strstr(explained(t, "rolled.tools.hooks"),
			       "<any> (not supported by orch)"));
}

static void whole(void **state)
{
	const char *text = explained(*state, "");

	assert_non_null(strstr(text,
			       "KIND:     Box\n\nDESCRIPTION:\n    A box of everything. Its "));
	assert_non_null(strstr(text, "FIELDS:\n  metadata\t<Object>\n    Identity.\n"));
	while (*text) {
		size_t len = strcspn(text, "\n");
		assert_in_range(len, 0, 78);
		text += len + 1;
	}
}

static void not_there(void **state)
{
	static const struct { const char *path, *message; } table[] = {
		{ "replcas", "there is no field \"replcas\" in Box; did you mean \"replicas\"?" },
		{ "rolled.tools.nope",
		  "there is no field \"nope\" in Box.rolled.tools; did you mean \"name\"?" },
		{ "rolled.xyzzyxyz", "there is no field \"xyzzyxyz\" in Box.rolled" },
		{ "replicas.x", "Box.replicas has no fields" },
	};
	BUF_AUTO out = { 0 };
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int r = schema_explain(&box_type, "Box", table[i].path, &out, &err);
		assert_int_equal(r, -ENOENT);
		assert_string_equal(err.msg, table[i].message);
		assert_int_equal(out.len, 0);
	}
	assert_null(schema_field(&box_type, "nope"));
	assert_ptr_equal(schema_field(&box_type, "replicas"), &box_type.fields[box_replicas_row]);
}

static void messages(void **state)
{
	struct toy *t = *state;
	struct json j;

	msgs_add(&t->m, false, "a.yaml", 17, 9, "spec.x[0]", "%d is not in 1-2", 3);
	msgs_add(&t->m, true, "b.yaml", 0, 0, "", "odd");
	msgs_add(&t->m, false, NULL, 0, 0, NULL, "plain");
	assert_int_equal(t->m.errors, 2);
	buf_reset(&t->text);
	json_init(&j, &t->text, false);
	msgs_json(&t->m, &j);
	assert_string_equal(buf_str(&t->text),
		"[{\"file\":\"a.yaml\",\"line\":17,\"column\":9,\"severity\":\"error\",\"path\":\"spec.x[0]\","
		"\"message\":\"3 is not in 1-2\"},{\"file\":\"b.yaml\",\"line\":0,\"column\":0,"
		"\"severity\":\"warning\",\"path\":\"\",\"message\":\"odd\"},{\"file\":\"\",\"line\":0,"
		"\"column\":0,\"severity\":\"error\",\"path\":\"\",\"message\":\"plain\"}]");
	assert_string_equal(toy_messages(t),
		"a.yaml:17:9: spec.x[0]: 3 is not in 1-2\nb.yaml: warning: odd\nplain\n");
}

static void suggestions(void **state)
{
	static const char *const words[] = {
		"containers", "volumes", "restartPolicy", "hostname", "name", "tty", "", NULL,
	};
	static const struct { const char *word, *near; } table[] = {
		{ "contaners", "containers" }, { "contianers", "containers" },
		{ "container", "containers" }, { "CONTAINERS", "containers" },
		{ "volume", "volumes" }, { "restartpolicy", "restartPolicy" }, { "nmae", "name" },
		{ "hostName", "hostname" }, { "ty", "tty" }, { "zzz", NULL }, { "x", NULL },
		{ "", NULL }, { "completelyelse", NULL },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *near = suggest(table[i].word, words);
		if (table[i].near ? !near || !streq(near, table[i].near) : near != NULL)
			fail_msg("%s: %s", table[i].word, near ? near : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		toy_test(fields), toy_test(whole), toy_test(not_there), toy_test(messages),
		toy_test(suggestions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
