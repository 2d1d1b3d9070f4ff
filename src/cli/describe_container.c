/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe of containers, with their state (pods) or without (pod templates). */
#include <stdio.h>

#include "base/macro.h"
#include "cli/describe.h"

static void put_command(struct describe *d, unsigned level, const char *label, json_t *words)
{
	json_t *w;
	size_t i;

	if (!json_array_size(words))
		return;
	for (unsigned k = 0; k < level; k++)
		buf_puts(&d->out, "  ");
	buf_printf(&d->out, "%s\n", label);
	json_array_foreach(words, i, w) {
		const char *p = json_any(&d->c->arena, w);

		/* a script stands below, line by line */
		do {
			size_t n = strcspn(p, "\n");

			for (unsigned k = 0; k < level + 1; k++)
				buf_puts(&d->out, "  ");
			buf_printf(&d->out, "%.*s\n", (int)n, p);
			p += n + (p[n] == '\n');
		} while (*p);
	}
}

static void put_ports(struct describe *d, unsigned level, json_t *ports)
{
	BUF_AUTO own = { 0 };
	BUF_AUTO host = { 0 };
	const char *s = json_array_size(ports) > 1 ? "s" : "";
	json_t *p;
	size_t i;

	json_array_foreach(ports, i, p) {
		const char *sep = i ? ", " : "", *protocol = text_or(d, p, "protocol", "TCP");

		buf_printf(&own, "%s%lld/%s", sep, json_number(p, "containerPort"), protocol);
		buf_printf(&host, "%s%lld/%s", sep, json_number(p, "hostPort"), protocol);
	}
	put_line(d, level, arena_printf(&d->c->arena, "Port%s:", s), "%s",
		 own.len ? own.data : "<none>");
	put_line(d, level, arena_printf(&d->c->arena, "Host Port%s:", s), "%s",
		 host.len ? host.data : "<none>");
}

static void put_state(struct describe *d, unsigned level, const char *label, json_t *state)
{
	json_t *s;

	if ((s = json_object_get(state, "running"))) {
		put_line(d, level, label, "Running");
		put_line(d, level + 1, "Started:", "%s", long_time(d, json_text(s, "startedAt")));
	} else if ((s = json_object_get(state, "terminated"))) {
		put_line(d, level, label, "Terminated");
		if (*json_text(s, "reason"))
			put_line(d, level + 1, "Reason:", "%s", json_text(s, "reason"));
		if (*json_text(s, "message"))
			put_line(d, level + 1, "Message:", "%s", json_text(s, "message"));
		put_line(d, level + 1, "Exit Code:", "%lld", json_number(s, "exitCode"));
		if (json_number(s, "signal"))
			put_line(d, level + 1, "Signal:", "%lld", json_number(s, "signal"));
		put_line(d, level + 1, "Started:", "%s", long_time(d, json_text(s, "startedAt")));
		put_line(d, level + 1, "Finished:", "%s", long_time(d, json_text(s, "finishedAt")));
	} else if ((s = json_object_get(state, "waiting"))) {
		put_line(d, level, label, "Waiting");
		if (*json_text(s, "reason"))
			put_line(d, level + 1, "Reason:", "%s", json_text(s, "reason"));
		if (*json_text(s, "message"))
			put_line(d, level + 1, "Message:", "%s", json_text(s, "message"));
	} else if (streq(label, "State:")) {
		put_line(d, level, label, "Waiting");
	}
}

static void put_status(struct describe *d, unsigned level, json_t *s)
{
	put_state(d, level, "State:", json_object_get(s, "state"));
	put_state(d, level, "Last State:", json_object_get(s, "lastState"));
	put_line(d, level, "Ready:", "%s",
		 json_is_true(json_object_get(s, "ready")) ? "True" : "False");
	put_line(d, level, "Restart Count:", "%lld", json_number(s, "restartCount"));
}

static void put_resources(struct describe *d, unsigned level, const char *label, json_t *map)
{
	const char *k;
	json_t *v;

	if (!json_object_size(map))
		return;
	for (unsigned i = 0; i < level; i++)
		buf_puts(&d->out, "  ");
	buf_printf(&d->out, "%s\n", label);
	json_object_foreach(map, k, v)
		put_line(d, level + 1, arena_printf(&d->c->arena, "%s:", k), "%s",
			 json_any(&d->c->arena, v));
}

static const char *http_probe(struct describe *d, json_t *get)
{
	const char *scheme = text_or(d, get, "scheme", "HTTP");

	return arena_printf(&d->c->arena, "http-get %s://%s:%s%s",
			    streq(scheme, "HTTPS") ? "https" : "http", text_at(d, get, "host"),
			    text_at(d, get, "port"), text_or(d, get, "path", "/"));
}

static const char *exec_probe(struct describe *d, json_t *words)
{
	BUF_AUTO b = { 0 };
	json_t *w;
	size_t i;

	json_array_foreach(words, i, w)
		buf_printf(&b, "%s%s", i ? " " : "", json_any(&d->c->arena, w));
	return arena_printf(&d->c->arena, "exec [%s]", buf_str(&b));
}

static const char *probe_action(struct describe *d, json_t *p)
{
	json_t *a;

	if ((a = json_object_get(p, "exec")))
		return exec_probe(d, json_object_get(a, "command"));
	if ((a = json_object_get(p, "httpGet")))
		return http_probe(d, a);
	if ((a = json_object_get(p, "tcpSocket")))
		return arena_printf(&d->c->arena, "tcp-socket %s:%s", text_at(d, a, "host"),
				    text_at(d, a, "port"));
	return "unknown";
}

static void put_probe(struct describe *d, unsigned level, const char *label, json_t *p)
{
	if (!p)
		return;
	put_line(d, level, label, "%s delay=%ss timeout=%ss period=%ss #success=%s #failure=%s",
		 probe_action(d, p), text_or(d, p, "initialDelaySeconds", "0"),
		 text_or(d, p, "timeoutSeconds", "1"), text_or(d, p, "periodSeconds", "10"),
		 text_or(d, p, "successThreshold", "1"), text_or(d, p, "failureThreshold", "3"));
}

/* Where a value comes from, or the value itself. */
static const char *env_value(struct describe *d, json_t *e)
{
	static const struct { const char *key, *kind; } sources[] = {
		{ "configMapKeyRef", "config map" }, { "secretKeyRef", "secret" },
	};
	json_t *from = json_object_get(e, "valueFrom"), *ref;

	if (!from)
		return text_at(d, e, "value");
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if ((ref = json_object_get(from, sources[i].key)))
			return arena_printf(
				&d->c->arena, "<set to the key '%s' in %s '%s'>\tOptional: %s",
				json_text(ref, "key"), sources[i].kind, json_text(ref, "name"),
				json_is_true(json_object_get(ref, "optional")) ? "true" : "false");
	if ((ref = json_object_get(from, "fieldRef")))
		return arena_printf(&d->c->arena, " (%s:%s)", text_or(d, ref, "apiVersion", "v1"),
				    json_text(ref, "fieldPath"));
	ref = json_object_get(from, "resourceFieldRef");
	return arena_printf(&d->c->arena, " (%s)", ref ? json_text(ref, "resource") : "");
}

static void put_env_from(struct describe *d, unsigned level, json_t *list)
{
	json_t *e;
	size_t i;

	if (!json_array_size(list))
		return;
	for (unsigned k = 0; k < level; k++)
		buf_puts(&d->out, "  ");
	buf_puts(&d->out, "Environment Variables from:\n");
	json_array_foreach(list, i, e) {
		json_t *map = json_object_get(e, "configMapRef");
		json_t *ref = map ? map : json_object_get(e, "secretRef");

		put_line(d, level + 1, json_text(ref, "name"), "%s\tOptional: %s",
			 map ? "ConfigMap" : "Secret",
			 json_is_true(json_object_get(ref, "optional")) ? "true" : "false");
	}
}

static void put_environment(struct describe *d, unsigned level, json_t *k)
{
	json_t *list = json_object_get(k, "env"), *e;
	size_t i;

	put_env_from(d, level, json_object_get(k, "envFrom"));
	if (!json_array_size(list)) {
		put_line(d, level, "Environment:", "<none>");
		return;
	}
	for (unsigned n = 0; n < level; n++)
		buf_puts(&d->out, "  ");
	buf_puts(&d->out, "Environment:\n");
	json_array_foreach(list, i, e)
		put_line(d, level + 1, arena_printf(&d->c->arena, "%s:", json_text(e, "name")),
			 "%s", env_value(d, e));
}

static void put_mounts(struct describe *d, unsigned level, json_t *list)
{
	json_t *m;
	size_t i;

	if (!json_array_size(list)) {
		put_line(d, level, "Mounts:", "<none>");
		return;
	}
	for (unsigned k = 0; k < level; k++)
		buf_puts(&d->out, "  ");
	buf_puts(&d->out, "Mounts:\n");
	json_array_foreach(list, i, m) {
		const char *path = json_text(m, "subPath");

		for (unsigned k = 0; k < level + 1; k++)
			buf_puts(&d->out, "  ");
		buf_printf(&d->out, "%s from %s (%s%s%s)\n", json_text(m, "mountPath"),
			   json_text(m, "name"),
			   json_is_true(json_object_get(m, "readOnly")) ? "ro" : "rw",
			   *path ? ",path=" : "",
			   *path ? arena_printf(&d->c->arena, "\"%s\"", path) : "");
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

static void put_container(struct describe *d, unsigned level, json_t *k, json_t *status)
{
	json_t *resources = json_object_get(k, "resources");

	if (status)
		put_line(d, level, "Container ID:", "%s", json_text(status, "containerID"));
	put_line(d, level, "Image:", "%s", json_text(k, "image"));
	if (status)
		put_line(d, level, "Image ID:", "%s", json_text(status, "imageID"));
	put_ports(d, level, json_object_get(k, "ports"));
	put_command(d, level, "Command:", json_object_get(k, "command"));
	put_command(d, level, "Args:", json_object_get(k, "args"));
	if (status)
		put_status(d, level, status);
	put_resources(d, level, "Limits:", json_object_get(resources, "limits"));
	put_resources(d, level, "Requests:", json_object_get(resources, "requests"));
	put_probe(d, level, "Liveness:", json_object_get(k, "livenessProbe"));
	put_probe(d, level, "Readiness:", json_object_get(k, "readinessProbe"));
	put_probe(d, level, "Startup:", json_object_get(k, "startupProbe"));
	put_environment(d, level, k);
	put_mounts(d, level, json_object_get(k, "volumeMounts"));
}

void put_containers(struct describe *d, unsigned level, json_t *spec, json_t *status)
{
	static const struct { const char *key, *title, *statuses; } lists[] = {
		{ "initContainers", "Init Containers:", "initContainerStatuses" },
		{ "containers", "Containers:", "containerStatuses" },
		{ "ephemeralContainers", "Ephemeral Containers:", "ephemeralContainerStatuses" },
	};
	json_t *k;
	size_t i;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		json_t *statuses = json_object_get(status, lists[l].statuses);

		if (json_array_size(json_object_get(spec, lists[l].key)))
			buf_printf(&d->out, "%s%s\n", level ? "  " : "", lists[l].title);
		json_array_foreach(json_object_get(spec, lists[l].key), i, k) {
			buf_printf(&d->out, "%s%s:\n", level ? "   " : "  ", json_text(k, "name"));
			put_container(d, 2, k, find_named(statuses, json_text(k, "name")));
		}
	}
}
