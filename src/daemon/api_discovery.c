/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a Kubernetes client asks first: version, groups and resources.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#api-discovery (unaggregated form)
 */
#include "base/macro.h"
#include "daemon/request.h"

static void begin(struct json *j, struct reply *r, const char *kind, const char *api_version)
{
	json_init(j, &r->body, false);
	json_begin_object(j);
	json_kstr(j, "kind", kind);
	json_kstr(j, "apiVersion", api_version);
}

void api_version(struct request *q, struct reply *r)
{
	struct json j;

	(void)q;
	json_init(&j, &r->body, true);
	json_begin_object(&j);
	json_kstr(&j, "major", "1");
	json_kstr(&j, "minor", "32");
	json_kstr(&j, "gitVersion", "v1.32.0+orch.0.1.0");
	json_kstr(&j, "gitCommit", "");
	json_kstr(&j, "gitTreeState", "clean");
	json_kstr(&j, "buildDate", "1970-01-01T00:00:00Z");
	json_kstr(&j, "goVersion", "none");
	json_kstr(&j, "compiler", "gcc");
	json_kstr(&j, "platform", "linux/amd64");
	json_end_object(&j);
}

void api_healthy(struct request *q, struct reply *r)
{
	(void)q;
	r->type = "text/plain; charset=utf-8";
	buf_puts(&r->body, "ok");
}

void api_versions(struct request *q, struct reply *r)
{
	struct json j;

	(void)q;
	begin(&j, r, "APIVersions", "v1");
	json_key(&j, "versions");
	json_begin_array(&j);
	json_str(&j, "v1");
	json_end_array(&j);
	json_key(&j, "serverAddressByClientCIDRs");
	json_raw(&j, "[]");
	json_end_object(&j);
}

/* Is this the first of its group version among the kinds? The core group has no name. */
static bool first_of_version(size_t k)
{
	for (size_t i = 0; i < k; i++)
		if (streq(kinds[i].api_version, kinds[k].api_version))
			return false;
	return strchr(kinds[k].api_version, '/') != NULL;
}

static void group_version(struct json *j, const char *version)
{
	json_begin_object(j);
	json_kstr(j, "groupVersion", version);
	json_kstr(j, "version", strchr(version, '/') + 1);
	json_end_object(j);
}

/* Every group has one version here. */
static void group_body(struct json *j, const char *version)
{
	json_key(j, "name");
	json_strn(j, version, strcspn(version, "/"));
	json_key(j, "versions");
	json_begin_array(j);
	group_version(j, version);
	json_end_array(j);
	json_key(j, "preferredVersion");
	group_version(j, version);
}

/* The n-th group's version: those of the kinds, then that of metrics, which are no objects. */
static const char *nth_group(size_t n)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (first_of_version(i) && n-- == 0)
			return kinds[i].api_version;
	return n == 0 ? METRICS_VERSION : NULL;
}

void api_groups(struct request *q, struct reply *r)
{
	struct json j;

	(void)q;
	begin(&j, r, "APIGroupList", "v1");
	json_key(&j, "groups");
	json_begin_array(&j);
	for (size_t i = 0; nth_group(i); i++) {
		json_begin_object(&j);
		group_body(&j, nth_group(i));
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
}

void api_group(struct request *q, struct reply *r)
{
	size_t n = strlen(q->args[0]);
	struct json j;

	for (size_t i = 0; nth_group(i); i++) {
		const char *version = nth_group(i);

		if (strncmp(version, q->args[0], n) != 0 || version[n] != '/')
			continue;
		begin(&j, r, "APIGroup", "v1");
		group_body(&j, version);
		json_end_object(&j);
		return;
	}
	reply_status(r, 404, "NotFound", "the server could not find the requested resource");
}

static void short_names(struct json *j, const char *words)
{
	if (!*words)
		return;
	json_key(j, "shortNames");
	json_begin_array(j);
	while (*words) {
		size_t n = strcspn(words, " ");

		json_strn(j, words, n);
		words += n + strspn(words + n, " ");
	}
	json_end_array(j);
}

/* What `kubectl get all` shows. */
static bool in_all(enum kind_id k)
{
	static const enum kind_id all[] = {
		KIND_POD, KIND_SERVICE, KIND_DEPLOYMENT, KIND_REPLICASET, KIND_STATEFULSET,
		KIND_DAEMONSET, KIND_REPLICATIONCONTROLLER, KIND_JOB, KIND_CRONJOB, KIND_HPA,
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] == k)
			return true;
	return false;
}

static void resource(struct json *j, const struct kind *k)
{
	json_begin_object(j);
	json_kstr(j, "name", k->plural);
	json_kstr(j, "singularName", k->singular);
	json_kbool(j, "namespaced", k->namespaced);
	json_kstr(j, "kind", k->name);
	json_key(j, "verbs");
	json_raw(j, "[\"get\",\"list\",\"watch\"]");
	short_names(j, k->short_names);
	if (in_all(k->id)) {
		json_key(j, "categories");
		json_raw(j, "[\"all\"]");
	}
	json_end_object(j);
}

/* What is no object of its own. */
static const struct {
	const char *version, *name, *kind, *verbs;
	bool namespaced;
} others[] = {
	{ "v1", "pods/log", "Pod", "[\"get\"]", true },
	{ METRICS_VERSION, "nodes", "NodeMetrics", "[\"get\",\"list\"]", false },
	{ METRICS_VERSION, "pods", "PodMetrics", "[\"get\",\"list\"]", true },
};

static void other_resources(struct json *j, const char *version)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (!streq(others[i].version, version))
			continue;
		json_begin_object(j);
		json_kstr(j, "name", others[i].name);
		json_kstr(j, "singularName", "");
		json_kbool(j, "namespaced", others[i].namespaced);
		json_kstr(j, "kind", others[i].kind);
		json_key(j, "verbs");
		json_raw(j, others[i].verbs);
		json_end_object(j);
	}
}

/* /api/v1 has one argument, /apis/GROUP/VERSION two. */
void api_resources(struct request *q, struct reply *r)
{
	const char *version = q->args[1] ? arena_printf(&q->arena, "%s/%s", q->args[0], q->args[1]) :
					   q->args[0];
	bool known = streq(version, METRICS_VERSION);
	struct json j;

	for (size_t i = 0; i < KIND_COUNT; i++)
		known |= streq(version, kinds[i].api_version);
	if (!known) {
		reply_status(r, 404, "NotFound", "the server could not find the requested resource");
		return;
	}
	begin(&j, r, "APIResourceList", "v1");
	json_kstr(&j, "groupVersion", version);
	json_key(&j, "resources");
	json_begin_array(&j);
	for (int k = 0; k < KIND_COUNT; k++)
		if (streq(kinds[k].api_version, version))
			resource(&j, &kinds[k]);
	other_resources(&j, version);
	json_end_array(&j);
	json_end_object(&j);
}
