/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * describe: what kubectl describe shows, from the object itself and its events. Each kind has a
 * list of lines: a label and the path of its value; pods and Deployments add sections of their own.
 */
#include <stdio.h>

#include "base/macro.h"
#include "base/units.h"
#include "cli/cli.h"

struct line { const char *label, *path; };

static const struct line deployment_lines[] = {
	{ "Replicas wanted:", "spec.replicas" }, { "Updated:", "status.updatedReplicas" },
	{ "Ready:", "status.readyReplicas" }, { "Available:", "status.availableReplicas" },
	{ "StrategyType:", "spec.strategy.type" }, { "MinReadySeconds:", "spec.minReadySeconds" },
	{ "Max unavailable:", "spec.strategy.rollingUpdate.maxUnavailable" },
	{ "Max surge:", "spec.strategy.rollingUpdate.maxSurge" },
	{ "Paused:", "spec.paused" }, { 0 },
};
static const struct line replicaset_lines[] = {
	{ "Replicas wanted:", "spec.replicas" }, { "Replicas:", "status.replicas" },
	{ "Ready:", "status.readyReplicas" }, { 0 },
};
static const struct line pod_lines[] = {
	{ "Node:", "spec.nodeName" }, { "Start Time:", "status.startTime" },
	{ "Status:", "status.phase" }, { "Reason:", "status.reason" },
	{ "Message:", "status.message" }, { "IP:", "status.podIP" },
	{ "QoS Class:", "status.qosClass" }, { "Restart Policy:", "spec.restartPolicy" }, { 0 },
};
static const struct line service_lines[] = {
	{ "Type:", "spec.type" }, { "IP:", "spec.clusterIP" },
	{ "Session Affinity:", "spec.sessionAffinity" }, { 0 },
};
static const struct line secret_lines[] = { { "Type:", "type" }, { 0 } };
static const struct line no_lines[] = { { 0 } };

static void put(const char *label, const char *text)
{
	printf("%-18s %s\n", label, text);
}

static const char *text_of(struct cli *c, const json_t *v)
{
	if (json_is_string(v))
		return json_string_value(v);
	char *t = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *kept = arena_strdup(&c->arena, t);
	free(t);
	return kept;
}

static void put_map(struct cli *c, const char *label, json_t *m)
{
	const char *k;
	json_t *v;
	bool first = true;

	if (!json_object_size(m)) {
		put(label, "<none>");
		return;
	}
	json_object_foreach(m, k, v) {
		put(first ? label : "", arena_printf(&c->arena, "%s=%s", k, text_of(c, v)));
		first = false;
	}
}

static void put_lines(struct cli *c, json_t *o, const struct line *l)
{
	for (; l->label; l++) {
		json_t *v = json_path(o, l->path);

		if (v)
			put(l->label, text_of(c, v));
	}
}

static void put_state(struct cli *c, const char *label, json_t *state)
{
	static const char *const words[] = { "waiting", "running", "terminated" };
	static const char *const details[] = { "reason", "message", "exitCode", "signal", "startedAt",
					       "finishedAt" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		json_t *s = json_object_get(state, words[i]);

		if (!s)
			continue;
		printf("    %-16s %s\n", label, words[i]);
		for (size_t d = 0; d < ARRAY_SIZE(details); d++) {
			json_t *v = json_object_get(s, details[d]);

			if (v)
				printf("      %-14s %s\n", details[d], text_of(c, v));
		}
	}
}

static json_t *find_named(json_t *list, const char *name)
{
	json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
		if (streq(json_text(o, "name"), name))
			return o;
	return NULL;
}

static void put_container(struct cli *c, json_t *k, json_t *status)
{
	static const char *const keys[] = { "image", "command", "args", "ports", "resources",
					    "livenessProbe", "readinessProbe", "env", "volumeMounts" };

	printf("  %s:\n", json_text(k, "name"));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *v = json_object_get(k, keys[i]);

		if (v)
			printf("    %-16s %s\n", keys[i], text_of(c, v));
	}
	if (!status)
		return;
	put_state(c, "State:", json_object_get(status, "state"));
	put_state(c, "Last State:", json_object_get(status, "lastState"));
	printf("    %-16s %s\n", "Ready:", json_is_true(json_object_get(status, "ready")) ? "True" : "False");
	printf("    %-16s %s\n", "Restart Count:", text_of(c, json_object_get(status, "restartCount")));
}

static void put_containers(struct cli *c, json_t *spec, json_t *statuses)
{
	json_t *k;
	size_t i;

	puts("Containers:");
	json_array_foreach(json_object_get(spec, "containers"), i, k)
		put_container(c, k, find_named(statuses, json_text(k, "name")));
}

static void put_conditions(json_t *o)
{
	json_t *list = json_path(o, "status.conditions"), *k;
	struct rows r = { 0 };
	size_t i;

	if (!json_array_size(list))
		return;
	puts("Conditions:");
	rows_add(&r, 4, (const char *const[]){ "  Type", "Status", "Reason", "Message" });
	json_array_foreach(list, i, k) {
		char type[80];

		snprintf(type, sizeof(type), "  %s", json_text(k, "type"));
		rows_add(&r, 4, (const char *const[]){ type, json_text(k, "status"),
						       json_text(k, "reason"), json_text(k, "message") });
	}
	rows_print(&r);
}

static void put_service(struct cli *c, json_t *o)
{
	json_t *p;
	size_t i;

	put_map(c, "Selector:", json_path(o, "spec.selector"));
	json_array_foreach(json_path(o, "spec.ports"), i, p) {
		put("Port:", arena_printf(&c->arena, "%s %s/%s", json_text(p, "name"),
					  text_of(c, json_object_get(p, "port")), json_text(p, "protocol")));
		put("TargetPort:", text_of(c, json_object_get(p, "targetPort")));
		if (json_object_get(p, "nodePort"))
			put("NodePort:", text_of(c, json_object_get(p, "nodePort")));
	}
	struct target t = { &kinds[KIND_ENDPOINTS], json_text(json_object_get(o, "metadata"), "name") };
	int status;
	json_t *e = fetch(c, "GET", target_path(c, &t), "application/json;as=Table;v=v1;g=meta.k8s.io",
			  &status);
	json_t *row = json_array_get(json_object_get(e, "rows"), 0);
	put("Endpoints:", row ? text_of(c, json_array_get(json_object_get(row, "cells"), 1)) : "<none>");
	json_decref(e);
}

static void put_data(json_t *o, bool hidden)
{
	const char *k;
	json_t *v;

	puts("\nData\n====");
	json_object_foreach(json_object_get(o, "data"), k, v) {
		if (hidden)
			printf("%s:  %zu bytes (base64)\n", k, json_string_length(v));
		else
			printf("%s:\n----\n%s\n\n", k, json_string_value(v));
	}
}

static void put_events(struct cli *c, json_t *o)
{
	json_t *meta = json_object_get(o, "metadata");
	BUF_AUTO p = { 0 };
	struct rows r = { 0 };
	int status;
	json_t *e;
	size_t i;

	buf_printf(&p, "/api/v1/events?fieldSelector=involvedObject.uid%%3D%s", json_text(meta, "uid"));
	json_t *list = fetch(c, "GET", buf_str(&p), NULL, &status);
	json_t *items = json_object_get(list, "items");
	if (!json_array_size(items))
		put("Events:", "<none>");
	else
		puts("Events:");
	json_array_foreach(items, i, e) {
		char type[80], age[16];
		int64_t when = 0;

		time_parse(json_text(e, "lastTimestamp"), &when);
		duration_human(time_now() - when, age);
		snprintf(type, sizeof(type), "  %s", json_text(e, "type"));
		if (!i)
			rows_add(&r, 4, (const char *const[]){ "  Type", "Reason", "Age", "Message" });
		rows_add(&r, 4, (const char *const[]){ type, json_text(e, "reason"), age,
						       json_text(e, "message") });
	}
	if (r.nrows)
		rows_print(&r);
	json_decref(list);
}

static const struct line *lines_of(enum kind_id kind)
{
	switch (kind) {
	case KIND_DEPLOYMENT: return deployment_lines;
	case KIND_REPLICASET: return replicaset_lines;
	case KIND_POD: return pod_lines;
	case KIND_SERVICE: return service_lines;
	case KIND_SECRET: return secret_lines;
	default: return no_lines;
	}
}

static void put_body(struct cli *c, enum kind_id kind, json_t *o)
{
	if (kind == KIND_DEPLOYMENT || kind == KIND_REPLICASET) {
		put_map(c, "Selector:", json_path(o, "spec.selector.matchLabels"));
		puts("Pod Template:");
		put_map(c, "  Labels:", json_path(o, "spec.template.metadata.labels"));
		put_containers(c, json_path(o, "spec.template.spec"), NULL);
	} else if (kind == KIND_POD) {
		put_containers(c, json_object_get(o, "spec"), json_path(o, "status.containerStatuses"));
	} else if (kind == KIND_SERVICE) {
		put_service(c, o);
	} else if (kind == KIND_CONFIGMAP || kind == KIND_SECRET) {
		put_data(o, kind == KIND_SECRET);
	}
}

static void describe(struct cli *c, const struct kind *k, json_t *o)
{
	json_t *meta = json_object_get(o, "metadata"), *owner;

	put("Name:", json_text(meta, "name"));
	if (k->namespaced)
		put("Namespace:", json_text(meta, "namespace"));
	put("CreationTimestamp:", json_text(meta, "creationTimestamp"));
	put_map(c, "Labels:", json_object_get(meta, "labels"));
	put_map(c, "Annotations:", json_object_get(meta, "annotations"));
	owner = json_array_get(json_object_get(meta, "ownerReferences"), 0);
	if (owner)
		put("Controlled By:", arena_printf(&c->arena, "%s/%s", json_text(owner, "kind"),
						   json_text(owner, "name")));
	put_lines(c, o, lines_of(k->id));
	put_body(c, k->id, o);
	put_conditions(o);
	put_events(c, o);
}

static int describe_target(struct cli *c, const struct target *t, unsigned *shown)
{
	int status;
	json_t *v = fetch(c, "GET", target_path(c, t), NULL, &status), *o;
	size_t i;

	if (!v)
		return status;
	if (t->name) {
		printf("%s", (*shown)++ ? "\n\n" : "");
		describe(c, t->kind, v);
	}
	json_array_foreach(json_object_get(v, "items"), i, o) {
		if (t->name)
			break;
		printf("%s", (*shown)++ ? "\n\n" : "");
		c->opt.namespace = t->kind->namespaced ?
			arena_strdup(&c->arena, json_text(json_object_get(o, "metadata"), "namespace")) :
			c->opt.namespace;
		describe(c, t->kind, o);
	}
	json_decref(v);
	return EXIT_DONE;
}

int verb_describe(struct cli *c)
{
	struct targets t;
	unsigned shown = 0;
	int status = targets_parse(c, 0, &t);

	for (uint32_t i = 0; i < t.n && !status; i++)
		status = describe_target(c, &t.v[i], &shown);
	return status;
}
