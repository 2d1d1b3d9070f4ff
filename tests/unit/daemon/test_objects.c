/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list, get and watch: what a request asks for, and what a watch tells when. */
#include "fixture.h"

#define POD(name, labels)                                                                      \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name ", labels: {" labels "}}\n"     \
	"spec: {containers: [{name: main, image: 'rootfs:/', command: [x]}]}\n"
#define CM(name, ns, value)                                                                    \
	"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name ", namespace: " ns "}\n"  \
	"data: {k: '" value "'}\n"

/* "a b": names of the items in their order. */
static void names(struct fixture *f, const char *target, char *out, size_t size)
{
	json_t *list = fixture_get(f, target, "", 200), *o;
	size_t i;

	*out = '\0';
	json_array_foreach(json_object_get(list, "items"), i, o) {
		snprintf(out + strlen(out), size - strlen(out), "%s%s", *out ? " " : "",
			 text_at(o, "metadata", "name"));
	}
	json_decref(list);
}

static const struct { const char *query, *names; } selections[] = {
	{ "", "a b c" },
	{ "?labelSelector=app=web", "a b" },
	{ "?labelSelector=app!=web", "c" },
	{ "?labelSelector=app in (web,db),tier", "b" },
	{ "?labelSelector=!tier", "a c" },
	{ "?fieldSelector=metadata.name=b", "b" },
	{ "?fieldSelector=metadata.name==b", "b" },
	{ "?fieldSelector=metadata.name!=b", "a c" },
	{ "?fieldSelector=metadata.namespace=default,metadata.name!=a", "b c" },
	{ "?fieldSelector=spec.restartPolicy=Always", "a b c" },
	{ "?fieldSelector=spec.restartPolicy=Never", "" },
	{ "?fieldSelector=status.phase=", "a b c" },
	{ "?fieldSelector=status.phase=Running", "" },
	{ "?labelSelector=app=web&fieldSelector=metadata.name!=a", "b" },
};

static void selectors_choose(void **state)
{
	struct fixture *f = *state;
	char target[200], found[100];

	fixture_show(f, POD("b", "app: web, tier: front") POD("a", "app: web") POD("c", "app: db"));
	for (size_t i = 0; i < ARRAY_SIZE(selections); i++) {
		snprintf(target, sizeof(target), "/api/v1/namespaces/default/pods%s",
			 selections[i].query);
		names(f, target, found, sizeof(found));
		assert_string_equal(found, selections[i].names);
	}
}

static void namespaces_are_kept_apart(void **state)
{
	struct fixture *f = *state;
	char found[100];

	fixture_show(f, CM("one", "default", "1") CM("two", "shop", "1"));
	names(f, "/api/v1/configmaps", found, sizeof(found));
	assert_string_equal(found, "one two");
	names(f, "/api/v1/namespaces/shop/configmaps", found, sizeof(found));
	assert_string_equal(found, "two");
	json_decref(fixture_get(f, "/api/v1/namespaces/shop/configmaps/one", "", 404));
	json_decref(fixture_get(f, "/api/v1/namespaces/shop/configmaps/two", "", 200));
	json_decref(fixture_get(f, "/api/v1/configmaps/two", "", 404));
}

static void an_object_is_complete(void **state)
{
	struct fixture *f = *state;
	json_t *j;

	fixture_show(f, CM("one", "default", "1"));
	j = fixture_get(f, "/api/v1/namespaces/default/configmaps/one", "", 200);
	assert_string_equal(text_at(j, "kind", NULL), "ConfigMap");
	assert_string_equal(text_at(j, "apiVersion", NULL), "v1");
	assert_string_equal(text_at(j, "data", "k"), "1");
	assert_string_equal(text_at(j, "metadata", "resourceVersion"), "1001");
	json_decref(j);
	j = fixture_get(f, "/api/v1/configmaps", "", 200);
	assert_string_equal(text_at(j, "metadata", "resourceVersion"), "1001");
	json_decref(j);
}

static void a_table_is_asked_for_by_accept(void **state)
{
	struct fixture *f = *state;
	json_t *j, *row;

	fixture_show(f, CM("one", "default", "1"));
	j = fixture_get(f, "/api/v1/configmaps", AS_TABLE, 200);
	assert_string_equal(text_at(j, "kind", NULL), "Table");
	assert_string_equal(text_at(j, "apiVersion", NULL), "meta.k8s.io/v1");
	row = json_array_get(json_object_get(j, "rows"), 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(row, "cells"), 0)), "one");
	assert_string_equal(text_at(json_object_get(row, "object"), "kind", NULL),
			    "PartialObjectMetadata");
	json_decref(j);
	j = fixture_get(f, "/api/v1/namespaces/default/configmaps/one?includeObject=Object", AS_TABLE,
			200);
	row = json_array_get(json_object_get(j, "rows"), 0);
	assert_string_equal(text_at(json_object_get(row, "object"), "kind", NULL), "ConfigMap");
	json_decref(j);
}

/* ---- watches ---- */

static struct stream *watch(struct fixture *f, const char *target, const char *accept)
{
	struct reply r = fixture_call(f, "GET", target, accept);

	if (!r.stream)
		fail_msg("%s: %u %s", target, r.code, buf_str(&r.body));
	return r.stream;
}

/* "ADDED a, DELETED b": what a watch has to tell now; "!" behind it when it ended. */
static void news(struct stream *s, char *out, size_t size)
{
	struct buf text = { 0 };
	bool on = s->more(s, &text);
	char *rest = text.len ? text.data : NULL;

	*out = '\0';
	for (char *line; rest && (line = strtok_r(rest, "\n", &rest));) {
		json_t *j = json_loads(line, 0, NULL);
		const json_t *o = json_object_get(j, "object");
		const char *name = text_at(o, "metadata", "name");

		assert_non_null(j);
		snprintf(out + strlen(out), size - strlen(out), "%s%s %s", *out ? ", " : "",
			 text_at(j, "type", NULL), name ? name : text_at(o, "reason", NULL));
		json_decref(j);
	}
	if (!on)
		snprintf(out + strlen(out), size - strlen(out), "!");
	buf_release(&text);
}

static void a_watch_begins_with_what_there_is(void **state)
{
	struct fixture *f = *state;
	char told[200];

	fixture_show(f, CM("a", "default", "1") CM("b", "shop", "1"));
	struct stream *s = watch(f, "/api/v1/configmaps?watch=true", "");
	news(s, told, sizeof(told));
	assert_string_equal(told, "ADDED a, ADDED b");
	news(s, told, sizeof(told));
	assert_string_equal(told, "");
	fixture_show(f, CM("a", "default", "2") CM("c", "shop", "1"));
	news(s, told, sizeof(told));
	assert_string_equal(told, "MODIFIED a, ADDED c, DELETED b");
	s->free(s);
}

static void a_watch_goes_on_after_a_version(void **state)
{
	struct fixture *f = *state;
	char told[200];

	fixture_show(f, CM("a", "default", "1"));
	struct stream *s = watch(f, "/api/v1/configmaps?watch=1&resourceVersion=1001", "");
	news(s, told, sizeof(told));
	assert_string_equal(told, "");
	fixture_show(f, CM("a", "default", "1") CM("b", "default", "1"));
	news(s, told, sizeof(told));
	assert_string_equal(told, "ADDED b");
	s->free(s);
}

static void a_watch_tells_only_what_was_asked(void **state)
{
	struct fixture *f = *state;
	char told[200];

	struct stream *s = watch(f, "/api/v1/namespaces/shop/configmaps?watch=true"
				    "&fieldSelector=metadata.name=a", "");
	fixture_show(f, CM("a", "default", "1") CM("b", "shop", "1") CM("a", "shop", "1"));
	news(s, told, sizeof(told));
	assert_string_equal(told, "ADDED a");
	s->free(s);
}

/* Labels decide what belongs to a watch, and they change while objects live. */
static void a_watch_follows_labels(void **state)
{
	static const char target[] = "/api/v1/pods?watch=true&labelSelector=app=web";
	struct fixture *f = *state;
	char told[200];

	fixture_show(f, POD("a", "app: web") POD("b", "app: db"));
	struct stream *s = watch(f, target, "");
	news(s, told, sizeof(told));
	assert_string_equal(told, "ADDED a");
	fixture_show(f, POD("a", "app: db") POD("b", "app: web"));
	news(s, told, sizeof(told));
	assert_string_equal(told, "DELETED a, ADDED b");
	fixture_show(f, POD("a", "app: db, tier: x") POD("b", "app: web, tier: x"));
	news(s, told, sizeof(told));
	assert_string_equal(told, "MODIFIED b");
	fixture_show(f, POD("b", "app: web, tier: x"));
	news(s, told, sizeof(told));
	assert_string_equal(told, "");		/* a was none of it */
	s->free(s);
}

static void a_watch_knows_what_the_list_had(void **state)
{
	struct fixture *f = *state;
	char told[200];

	fixture_show(f, POD("a", "app: web") POD("b", "app: web") POD("c", "app: web"));
	fixture_show(f, POD("b", "app: web, tier: x") POD("c", "app: web") POD("d", "app: web"));
	struct stream *s = watch(f, "/api/v1/pods?watch=true&labelSelector=app=web"
				    "&resourceVersion=1003", "");
	news(s, told, sizeof(told));
	assert_string_equal(told, "MODIFIED b, ADDED d, DELETED a");
	fixture_show(f, POD("b", "app: web, tier: x") POD("d", "app: web"));
	news(s, told, sizeof(told));
	assert_string_equal(told, "DELETED c");
	s->free(s);
}

/* What came and went between two looks is nothing to the client. */
static void a_watch_skips_what_was_never_told(void **state)
{
	struct fixture *f = *state;
	struct stream *s = watch(f, "/api/v1/pods?watch=true", "");
	char told[200];

	news(s, told, sizeof(told));
	fixture_show(f, POD("a", "app: web"));
	fixture_show(f, POD("b", "app: web"));
	news(s, told, sizeof(told));
	assert_string_equal(told, "ADDED b");
	s->free(s);
}

static void an_unknown_version_is_expired(void **state)
{
	static const char *const versions[] = { "1", "999999", "x" };
	struct fixture *f = *state;
	char target[100], told[200];

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		snprintf(target, sizeof(target), "/api/v1/configmaps?watch=true&resourceVersion=%s",
			 versions[i]);
		struct stream *s = watch(f, target, "");
		news(s, told, sizeof(told));
		assert_string_equal(told, "ERROR Expired!");
		s->free(s);
	}
}

/* More deletions of others than there are tombstones must not expire the watch of a quiet kind. */
static void a_quiet_watch_stays_young(void **state)
{
	struct fixture *f = *state;
	char told[200];

	fixture_show(f, CM("a", "default", "1"));
	struct stream *s = watch(f, "/api/v1/configmaps?watch=true&resourceVersion=1001", "");
	for (int i = 0; i < 2500; i++) {
		fixture_show(f, i % 2 ? CM("a", "default", "1") :
				CM("a", "default", "1")
				"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n");
		news(s, told, sizeof(told));
		assert_string_equal(told, "");
	}
	for (int i = 0; i < 5000; i++)
		fixture_show(f, i % 2 ? CM("a", "default", "1") :
				CM("a", "default", "1")
				"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n");
	news(s, told, sizeof(told));	/* who did not listen for so long has missed something */
	assert_string_equal(told, "ERROR Expired!");
	s->free(s);
}

static void a_watch_ends_when_its_time_is_up(void **state)
{
	struct fixture *f = *state;
	struct stream *s = watch(f, "/api/v1/configmaps?watch=true&timeoutSeconds=1", "");
	char told[200];

	for (int64_t until = time_mono() + 1200 * MSEC; time_mono() < until;)
		loop_turn(f->d.loop, 50);
	news(s, told, sizeof(told));
	assert_string_equal(told, "!");
	s->free(s);
}

static void a_watch_tells_tables(void **state)
{
	struct fixture *f = *state;
	struct stream *s = watch(f, "/api/v1/configmaps?watch=true", AS_TABLE);
	struct buf text = { 0 };

	fixture_show(f, CM("a", "default", "1"));
	assert_true(s->more(s, &text));
	json_t *j = json_loads(buf_str(&text), JSON_DISABLE_EOF_CHECK, NULL);
	assert_string_equal(text_at(j, "type", NULL), "ADDED");
	assert_string_equal(text_at(j, "object", "kind"), "Table");
	json_decref(j);
	buf_release(&text);
	s->free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(selectors_choose),
		TEST(namespaces_are_kept_apart),
		TEST(an_object_is_complete),
		TEST(a_table_is_asked_for_by_accept),
		TEST(a_watch_begins_with_what_there_is),
		TEST(a_watch_goes_on_after_a_version),
		TEST(a_watch_tells_only_what_was_asked),
		TEST(a_watch_follows_labels),
		TEST(a_watch_knows_what_the_list_had),
		TEST(a_watch_skips_what_was_never_told),
		TEST(an_unknown_version_is_expired),
		TEST(a_quiet_watch_stays_young),
		TEST(a_watch_ends_when_its_time_is_up),
		TEST(a_watch_tells_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
