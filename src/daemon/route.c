/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The paths of the API, first match wins, and the Status objects of everything that fails. */
#include <stdio.h>

#include "base/macro.h"
#include "daemon/request.h"

static const struct {
	const char *method, *pattern;
	handler run;
} routes[] = {
	{ "GET", "/version", api_version },
	{ "GET", "/healthz", api_healthy },
	{ "GET", "/livez", api_healthy },
	{ "GET", "/readyz", api_healthy },
	{ "GET", "/api", api_versions },
	{ "GET", "/apis", api_groups },
	{ "GET", "/apis/orch/v1/plan", api_plan },
	{ "POST", "/apis/orch/v1/apply", api_apply },
	{ "GET", "/apis/orch/v1/revisions", api_revisions },
	{ "GET", "/apis/orch/v1/revisions/:n", api_revision },
	{ "GET", "/apis/orch/v1/status", api_status },
	{ "GET", "/apis/orch/v1/images", api_images },
	{ "GET", "/apis/orch/v1/images/inspect", api_image_inspect },
	{ "POST", "/apis/orch/v1/images/pull", api_image_pull },
	{ "POST", "/apis/orch/v1/images/remove", api_image_remove },
	{ "POST", "/apis/orch/v1/images/prune", api_image_prune },
	{ "GET", "/apis/orch/v1/images/export", api_image_export },
	{ "POST", "/apis/orch/v1/images/login", api_image_login },
	{ "POST", "/apis/orch/v1/images/logout", api_image_logout },
	{ "POST", "/apis/orch/v1/namespaces/:ns/pods/:name/exec", api_exec },
	{ "POST", "/apis/orch/v1/namespaces/:ns/pods/:name/attach", api_attach },
	{ "POST", "/apis/orch/v1/namespaces/:ns/pods/:name/debug", api_debug },
	{ "POST", "/apis/orch/v1/namespaces/:ns/pods/:name/root", api_root },
	{ "POST", "/apis/orch/v1/namespaces/:ns/pods/:name/portforward", api_port_forward },
	{ "GET", "/apis/orch/v1/namespaces/:ns/:workloads/:name/rolloutstatus", api_rollout_status },
	{ "POST", "/apis/orch/v1/namespaces/:ns/:workloads/:name/:verb", api_rollout },
	{ "GET", "/api/v1/namespaces/:ns/pods/:name/log", api_log },
	{ "GET", "/apis/" METRICS_VERSION "/nodes", api_node_metrics },
	{ "GET", "/apis/" METRICS_VERSION "/nodes/:name", api_node_metrics },
	{ "GET", "/apis/" METRICS_VERSION "/pods", api_pod_metrics_list },
	{ "GET", "/apis/" METRICS_VERSION "/namespaces/:ns/pods", api_pod_metrics_list },
	{ "GET", "/apis/" METRICS_VERSION "/namespaces/:ns/pods/:name", api_pod_metrics },
	{ "GET", "/api/:version", api_resources },
	{ "GET", "/apis/:group", api_group },
	{ "GET", "/apis/:group/:version", api_resources },
	{ "GET", "/api/v1/namespaces/:ns/:plural", api_list },
	{ "GET", "/api/v1/namespaces/:ns/:plural/:name", api_get },
	{ "GET", "/api/v1/namespaces/:ns/:plural/:name/status", api_get },
	{ "GET", "/api/v1/:plural", api_list },
	{ "GET", "/api/v1/:plural/:name", api_get },
	{ "GET", "/api/v1/:plural/:name/status", api_get },
	{ "GET", "/apis/*/*/namespaces/:ns/:plural", api_list },
	{ "GET", "/apis/*/*/namespaces/:ns/:plural/:name", api_get },
	{ "GET", "/apis/*/*/namespaces/:ns/:plural/:name/status", api_get },
	{ "GET", "/apis/*/*/:plural", api_list },
	{ "GET", "/apis/*/*/:plural/:name", api_get },
	{ "GET", "/apis/*/*/:plural/:name/status", api_get },
};

/* Does path have the pattern's form? Copies what the :words stand for; * is any word. */
static bool match(struct request *q, const char *pattern)
{
	const char *p = q->path;
	unsigned n = 0;

	while (*pattern) {
		if (*pattern != ':' && *pattern != '*') {
			if (*pattern++ != *p++)
				return false;
			continue;
		}
		size_t len = strcspn(p, "/");
		if (!len || n == REQUEST_ARGS)
			return false;
		if (*pattern == ':')
			q->args[n++] = arena_strndup(&q->arena, p, len);
		p += len;
		pattern += strcspn(pattern, "/");
	}
	for (unsigned i = n; i < REQUEST_ARGS; i++)
		q->args[i] = NULL;
	return !*p || streq(p, "/");
}

void route(struct request *q, struct reply *r)
{
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (!match(q, routes[i].pattern))
			continue;
		if (streq(routes[i].method, q->method)) {
			routes[i].run(q, r);
			return;
		}
		known = true;
	}
	if (known)
		reply_status(r, 405, "MethodNotAllowed",
			     "orchd takes its objects from files: edit the manifest below %s",
			     q->d->settings->config_dir);
	else
		reply_status(r, 404, "NotFound", "the server could not find the requested resource");
}

static void status(struct reply *r, unsigned code, const char *reason, const char *message,
		   const struct kind *kind, const char *name)
{
	char group[64];
	struct json j;

	r->code = code;
	buf_reset(&r->body);
	json_init(&j, &r->body, false);
	json_begin_object(&j);
	json_kstr(&j, "kind", "Status");
	json_kstr(&j, "apiVersion", "v1");
	json_key(&j, "metadata");
	json_raw(&j, "{}");
	json_kstr(&j, "status", "Failure");
	json_kstr(&j, "message", message);
	json_kstr(&j, "reason", reason);
	if (kind) {
		json_key(&j, "details");
		json_begin_object(&j);
		json_kstr(&j, "name", name);
		if (*kind_group(kind, group))
			json_kstr(&j, "group", group);
		json_kstr(&j, "kind", kind->plural);
		json_end_object(&j);
	}
	json_kint(&j, "code", code);
	json_end_object(&j);
}

void reply_status(struct reply *r, unsigned code, const char *reason, const char *fmt, ...)
{
	BUF_AUTO text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	status(r, code, reason, buf_str(&text), NULL, NULL);
}

void reply_not_found(struct reply *r, const struct kind *kind, const char *name)
{
	char text[512], group[64];

	kind_group(kind, group);
	snprintf(text, sizeof(text), "%s%s%s \"%s\" not found", kind->plural, *group ? "." : "", group,
		 name);
	status(r, 404, "NotFound", text, kind, name);
}

void reply_error(struct reply *r, const struct err *err)
{
	static const struct { int code; unsigned http; const char *reason; } table[] = {
		{ -ENOENT, 404, "NotFound" }, { -EINVAL, 400, "BadRequest" },
		{ -ERANGE, 410, "Expired" }, { -EBUSY, 409, "Conflict" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].code == err->code) {
			reply_status(r, table[i].http, table[i].reason, "%s", err->msg);
			return;
		}
	}
	reply_status(r, 500, "InternalError", "%s", err->msg);
}
