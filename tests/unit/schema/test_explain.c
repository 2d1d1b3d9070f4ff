/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explaining fields, messages as text and JSON, and the nearest word. */
#include "toy.h"

static const struct explain box = { .kind = "Box", .version = "toys/v1" };

static const char *explained(struct toy *t, const char *path)
{
	struct err err = { 0 };

	buf_reset(&t->text);
	if (schema_explain(&box_type, &box, path, &t->text, &err) < 0)
		fail_msg("%s", err.msg);
	return buf_str(&t->text);
}

static void fields(void **state)
{
	struct toy *t = *state;

	assert_string_equal(explained(t, "replicas"),
		"KIND:     Box\nVERSION:  toys/v1\nFIELD:    replicas <integer>\nDEFAULT:  1\nBOUNDS:   at least 0\n"
		"ACTED ON: yes\nCHANGE:   takes effect without a restart\n\nDESCRIPTION:\n    How many.\n");
	assert_string_equal(explained(t, "rolled.tools.ports[0].color"),
		"KIND:     Box\nVERSION:  toys/v1\nFIELD:    color <string>\nDEFAULT:  Red\nENUM:     Red, Green, Ultraviolet\n"
		"ACTED ON: yes\nCHANGE:   replaces the pods\n\nDESCRIPTION:\n    Color.\n");
	assert_string_equal(explained(t, "rolled.tools.ports"),
		"KIND:     Box\nVERSION:  toys/v1\nFIELD:    ports <[]Object>\nACTED ON: yes\nCHANGE:   replaces the pods\n\n"
		"DESCRIPTION:\n    Ports.\n    A port.\n\nFIELDS:\n  name\t<string>\n    Name.\n"
		"  number\t<integer> (required)\n    Number.\n  color\t<string> default: Red\n    Color.\n");
	assert_non_null(strstr(explained(t, "rolled.tools"),
			       "KEY:      name identifies an element\n"));
	assert_non_null(strstr(explained(t, "rolled.tools.ports.number"), "BOUNDS:   1-65535\n"));
	assert_non_null(strstr(explained(t, "status.count"), "<integer>"));
	assert_non_null(strstr(explained(t, "status"), "(set by orchd, ignored in manifests)"));
	assert_non_null(strstr(explained(t, "rolled.tools.hooks"),
			       "<any>\nACTED ON: no, refused\n"));
}

static void whole(void **state)
{
	const char *text = explained(*state, "");

	assert_non_null(strstr(text,
			       "KIND:     Box\nVERSION:  toys/v1\nACTED ON: yes\n\nDESCRIPTION:\n    A box of "
			       "everything. Its "));
	assert_non_null(strstr(text, "FIELDS:\n  apiVersion\t<string> (required)\n    Always toys/v1.\n  kind\t<string> "
			       "(required)\n    Always Box.\n  metadata\t<Object>\n    Identity.\n"));
	while (*text) {
		size_t len = strcspn(text, "\n");
		assert_in_range(len, 0, 78);
		text += len + 1;
	}
}

/* What stands above a field decides about it. */
static void in_place(void **state)
{
	struct toy *t = *state;
	struct explain unused = box;
	struct err err;

	assert_non_null(strstr(explained(t, "kept.tools.args"), "CHANGE:   takes effect without"));
	assert_non_null(strstr(explained(t, "rolled.tools.tty"),
			       "ACTED ON: no, accepted with a warning\nCHANGE:   no effect"));
	assert_null(strstr(explained(t, "status.count"), "ACTED ON"));
	unused.unused = "kept";
	buf_reset(&t->text);
	assert_int_equal(schema_explain(&box_type, &unused, "rolled", &t->text, &err), 0);
	assert_non_null(strstr(buf_str(&t->text), "ACTED ON: no, kept\nCHANGE:   no effect"));
	buf_reset(&t->text);
	assert_int_equal(schema_explain(&box_type, &unused, "metadata.name", &t->text, &err), 0);
	assert_non_null(strstr(buf_str(&t->text), "CHANGE:   is refused"));
}

static void tree(void **state)
{
	struct toy *t = *state;
	struct explain all = box;
	struct err err;

	all.recursive = true;
	buf_reset(&t->text);
	assert_int_equal(schema_explain(&box_type, &all, "rolled.tools", &t->text, &err), 0);
	assert_non_null(strstr(buf_str(&t->text),
			       "FIELDS:\n  name\t<string> (required)\n  args\t<[]string>\n"
			       "  ports\t<[]Object>\n    name\t<string>\n"
			       "    number\t<integer> (required)\n    color\t<string>\n"
			       "  limits\t<map[string]Quantity>\n"));
}

static const char *lower(field_check check, unsigned *ret_max)
{
	*ret_max = 8;
	return check == check_lower ? "^[^A-Z]*$" : NULL;
}

#define PORT_SCHEMA \
	"{\"description\":\"A port.\",\"type\":\"object\",\"properties\":{" \
	"\"name\":{\"description\":\"Name.\",\"type\":[\"string\",\"null\"]}," \
	"\"number\":{\"description\":\"Number.\",\"type\":\"integer\",\"minimum\":1," \
	"\"maximum\":65535},\"color\":{\"description\":\"Color.\",\"enum\":[\"Red\",\"Green\"," \
	"\"Ultraviolet\",\"\",null],\"default\":\"Red\"}},\"required\":[\"number\"]," \
	"\"additionalProperties\":false}"

/* Shapes in JSON Schema: a whole type, and what else there is. */
static void schema_for_editors(void **state)
{
	static const char *const fixed[] = { "kind", "Tool", NULL };
	static const struct type *const roots[] = { &tool_type };
	struct toy *t = *state;
	struct json j;

	json_init(&j, &t->text, false);
	json_begin_object(&j);
	json_schema_types(&j, roots, 1, lower);
	json_end_object(&j);
	assert_string_equal(buf_str(&t->text), "{\"port\":" PORT_SCHEMA "}");
	buf_reset(&t->text);
	json_init(&j, &t->text, false);
	json_begin_object(&j);
	json_schema_members(&j, &tool_type, fixed, lower);
	json_end_object(&j);
	const char *text = buf_str(&t->text);
	assert_non_null(strstr(text, "\"properties\":{\"kind\":{\"const\":\"Tool\"},\"name\":{"));
	assert_non_null(strstr(text, "\"name\":{\"description\":\"Name.\",\"type\":\"string\","
			       "\"pattern\":\"^[^A-Z]*$\",\"maxLength\":8}"));
	assert_non_null(strstr(text, "\"items\":{\"$ref\":\"#/definitions/port\"}"));
	assert_non_null(strstr(text, "\"anyOf\":[{\"$ref\":\"#/definitions/port\"},{\"type\":\"null\"}]"));
	assert_non_null(strstr(text, "A terminal. Not acted on by orch."));
	assert_non_null(strstr(text, "\"enum\":[null,\"\",[]]"));
	assert_non_null(strstr(text, "\"required\":[\"kind\",\"name\"],"));
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
		int r = schema_explain(&box_type, &box, table[i].path, &out, &err);
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
		toy_test(fields), toy_test(whole), toy_test(not_there), toy_test(in_place),
		toy_test(tree), toy_test(schema_for_editors), toy_test(messages),
		toy_test(suggestions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
