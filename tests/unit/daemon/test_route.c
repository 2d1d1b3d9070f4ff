/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which path leads where, and the Status objects of those that lead nowhere. */
#include "fixture.h"

static const struct {
	const char *method, *target;
	unsigned code;
	const char *reason, *message;
} refused[] = {
	{ "GET", "/", 404, "NotFound", "the server could not find the requested resource" },
	{ "GET", "/api/v2", 404, "NotFound", NULL },
	{ "GET", "/apis/batch/v2", 404, "NotFound", NULL },
	{ "GET", "/apis/nothing", 404, "NotFound", NULL },
	{ "GET", "/apis/orch/v1", 404, "NotFound", NULL },	/* no resources, hence no group */
	{ "GET", "/api/v1/jobs", 404, "NotFound", NULL },
	{ "GET", "/api/v1/deployments", 404, "NotFound", NULL },	/* of another group */
	{ "GET", "/apis/apps/v1/pods", 404, "NotFound", NULL },
	{ "GET", "/api/v1/namespaces/default/namespaces", 404, "NotFound", NULL },
	{ "GET", "/api/v1/namespaces//pods", 404, "NotFound", NULL },
	{ "GET", "/api/v1/namespaces/default/pods/x", 404, "NotFound", "pods \"x\" not found" },
	{ "GET", "/api/v1/namespaces/default/pods/x/log", 404, "NotFound", "pods \"x\" not found" },
	{ "GET", "/api/v1/namespaces/x", 404, "NotFound", "namespaces \"x\" not found" },
	{ "GET", "/apis/apps/v1/namespaces/default/deployments/x", 404, "NotFound",
	  "deployments.apps \"x\" not found" },
	{ "GET", "/apis/orch/v1/namespaces/default/deployments/x/rolloutstatus", 404, "NotFound",
	  "deployments.apps \"x\" not found" },
	{ "POST", "/apis/orch/v1/namespaces/default/pods/x/exec?command=a", 404, "NotFound", NULL },
	{ "POST", "/apis/orch/v1/namespaces/default/deployments/x/undo", 404, "NotFound",
	  "deployments.apps \"x\" not found" },
	{ "POST", "/apis/orch/v1/namespaces/default/deployments/x/explode", 400, "BadRequest", NULL },
	{ "GET", "/apis/orch/v1/revisions/first", 400, "BadRequest", NULL },
	{ "DELETE", "/api/v1/namespaces/default/pods/x", 405, "MethodNotAllowed", NULL },
	{ "POST", "/api/v1/namespaces/default/pods", 405, "MethodNotAllowed", NULL },
	{ "PATCH", "/apis/apps/v1/namespaces/default/deployments/x", 405, "MethodNotAllowed", NULL },
	{ "DELETE", "/nothing", 404, "NotFound", NULL },
	{ "GET", "/api/v1/pods?labelSelector=a+in+(", 400, "BadRequest", NULL },
	{ "GET", "/api/v1/pods?fieldSelector=spec.colour=red", 400, "BadRequest",
	  "field label not supported: spec.colour" },
	{ "GET", "/api/v1/pods?fieldSelector=spec.containers=x", 400, "BadRequest", NULL },
	{ "GET", "/api/v1/pods?fieldSelector=metadata.name", 400, "BadRequest", NULL },
	{ "GET", "/api/v1/pods?watch=true&sendInitialEvents=true", 422, "Invalid", NULL },
};

static void refuses_in_kubernetes_words(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct reply r = fixture_call(f, refused[i].method, refused[i].target, "");
		json_t *j = json_loads(buf_str(&r.body), 0, NULL);

		if (r.code != refused[i].code || !j)
			fail_msg("%s %s: %u %s", refused[i].method, refused[i].target, r.code,
				 buf_str(&r.body));
		assert_string_equal(text_at(j, "kind", NULL), "Status");
		assert_string_equal(text_at(j, "apiVersion", NULL), "v1");
		assert_string_equal(text_at(j, "status", NULL), "Failure");
		assert_string_equal(text_at(j, "reason", NULL), refused[i].reason);
		assert_int_equal(json_integer_value(json_object_get(j, "code")), refused[i].code);
		if (refused[i].message)
			assert_string_equal(text_at(j, "message", NULL), refused[i].message);
		json_decref(j);
		buf_release(&r.body);
	}
}

static void says_what_was_not_found(void **state)
{
	json_t *j = fixture_get(*state, "/apis/apps/v1/namespaces/default/deployments/x", "", 404);

	assert_string_equal(text_at(j, "details", "name"), "x");
	assert_string_equal(text_at(j, "details", "group"), "apps");
	assert_string_equal(text_at(j, "details", "kind"), "deployments");
	json_decref(j);
	j = fixture_get(*state, "/api/v1/namespaces/default/secrets/x", "", 404);
	assert_null(text_at(j, "details", "group"));
	json_decref(j);
}

static void says_where_objects_are_changed(void **state)
{
	struct fixture *f = *state;
	struct reply r = fixture_call(f, "DELETE", "/api/v1/namespaces/default/pods/x", "");

	assert_non_null(strstr(buf_str(&r.body), f->config));
	buf_release(&r.body);
}

static const struct { const char *target, *kind; } known[] = {
	{ "/api", "APIVersions" },
	{ "/apis", "APIGroupList" },
	{ "/apis/apps", "APIGroup" },
	{ "/api/v1", "APIResourceList" },
	{ "/apis/apps/v1", "APIResourceList" },
	{ "/api/v1/", "APIResourceList" },
	{ "/api/v1/pods", "PodList" },
	{ "/api/v1/namespaces", "NamespaceList" },
	{ "/api/v1/namespaces/default/pods", "PodList" },
	{ "/apis/apps/v1/namespaces/default/replicasets", "ReplicaSetList" },
	{ "/apis/apps/v1/deployments", "DeploymentList" },
	{ "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", "EndpointSliceList" },
};

static void finds_what_there_is(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		json_t *j = fixture_get(*state, known[i].target, "", 200);

		assert_string_equal(text_at(j, "kind", NULL), known[i].kind);
		json_decref(j);
	}
}

static bool has_word(const json_t *list, const char *word)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v) {
		if (streq(json_string_value(v), word))
			return true;
	}
	return false;
}

static void resources_have_short_names(void **state)
{
	json_t *list = fixture_get(*state, "/apis/apps/v1", "", 200), *r;
	bool found = false;
	size_t i;

	json_array_foreach(json_object_get(list, "resources"), i, r) {
		if (!streq(text_at(r, "name", NULL), "deployments"))
			continue;
		found = has_word(json_object_get(r, "shortNames"), "deploy") &&
			has_word(json_object_get(r, "verbs"), "watch") &&
			has_word(json_object_get(r, "categories"), "all");
		assert_true(json_is_true(json_object_get(r, "namespaced")));
	}
	assert_true(found);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_in_kubernetes_words, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(says_what_was_not_found, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(says_where_objects_are_changed, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(finds_what_there_is, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(resources_have_short_names, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
