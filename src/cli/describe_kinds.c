/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe of workloads, services, configuration and namespaces, each in kubectl's order. */
#include <stdio.h>

#include "base/macro.h"
#include "cli/describe.h"

#define REVISION "deployment.kubernetes.io/revision"

void put_template(struct describe *d, json_t *template)
{
	json_t *annotations = json_path(template, "metadata.annotations");
	json_t *spec = json_object_get(template, "spec");

	buf_puts(&d->out, "Pod Template:\n");
	put_map(d, 1, "Labels:", json_path(template, "metadata.labels"), "=");
	if (json_object_size(annotations))
		put_map(d, 1, "Annotations:", annotations, ": ");
	put_containers(d, 1, spec, NULL);
	put_volumes(d, 1, spec);
	put_line(d, 1, "Node-Selectors:", "%s",
		 labels_line(d, json_object_get(spec, "nodeSelector")));
	put_line(d, 1, "Tolerations:", "<none>");
}

static void put_conditions(struct describe *d, json_t *list)
{
	json_t *k;
	size_t i;

	if (!json_array_size(list))
		return;
	buf_puts(&d->out, "Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------\n");
	json_array_foreach(list, i, k)
		buf_printf(&d->out, "  %s\t%s\t%s\n", json_text(k, "type"), json_text(k, "status"),
			   json_text(k, "reason"));
}

static json_t *list_in(struct describe *d, enum kind_id kind, json_t *o)
{
	struct target t = { &kinds[kind], NULL,
			    json_text(json_object_get(o, "metadata"), "namespace") };
	int status;

	return fetch(d->c, "GET", target_path(d->c, &t), NULL, &status);
}

static bool is_owned(json_t *o, json_t *owner)
{
	json_t *ref;
	size_t i;

	json_array_foreach(json_path(o, "metadata.ownerReferences"), i, ref)
		if (streq(json_text(ref, "uid"),
			  json_text(json_object_get(owner, "metadata"), "uid")))
			return true;
	return false;
}

static long long revision_of(json_t *o)
{
	return strtoll(json_text(json_path(o, "metadata.annotations"), REVISION), NULL, 10);
}

static long long last_revision(json_t *list, json_t *o)
{
	long long last = 0;
	json_t *rs;
	size_t i;

	json_array_foreach(json_object_get(list, "items"), i, rs)
		if (is_owned(rs, o))
			last = MAX(last, revision_of(rs));
	return last;
}

/* "web-abc (3/3 replicas created)" of the newest, or of the others that still have pods. */
static const char *replicasets(struct describe *d, json_t *list, json_t *o, bool newest)
{
	long long last = last_revision(list, o);
	BUF_AUTO b = { 0 };
	json_t *rs;
	size_t i;

	json_array_foreach(json_object_get(list, "items"), i, rs) {
		long long wanted = json_number(json_object_get(rs, "spec"), "replicas");
		long long made = json_number(json_object_get(rs, "status"), "replicas");

		if (!is_owned(rs, o) || (revision_of(rs) == last) != newest ||
		    (!newest && !wanted && !made))
			continue;
		buf_printf(&b, "%s%s (%lld/%lld replicas created)", b.len ? ", " : "",
			   json_text(json_object_get(rs, "metadata"), "name"), made, wanted);
	}
	return b.len ? arena_strdup(&d->c->arena, buf_str(&b)) : "<none>";
}

void put_deployment(struct describe *d, json_t *o)
{
	json_t *spec = json_object_get(o, "spec"), *status = json_object_get(o, "status");
	json_t *rolling = json_path(spec, "strategy.rollingUpdate");

	put_line(d, 0, "Selector:", "%s", labels_line(d, json_path(spec, "selector.matchLabels")));
	put_line(d, 0, "Replicas:",
		 "%lld desired | %lld updated | %lld total | %lld available | %lld unavailable",
		 json_number(spec, "replicas"), json_number(status, "updatedReplicas"),
		 json_number(status, "replicas"), json_number(status, "availableReplicas"),
		 json_number(status, "unavailableReplicas"));
	put_line(d, 0, "StrategyType:", "%s", text_or(d, spec, "strategy.type", "RollingUpdate"));
	put_line(d, 0, "MinReadySeconds:", "%lld", json_number(spec, "minReadySeconds"));
	if (rolling)
		put_line(d, 0, "RollingUpdateStrategy:", "%s max unavailable, %s max surge",
			 text_or(d, rolling, "maxUnavailable", "25%"),
			 text_or(d, rolling, "maxSurge", "25%"));
	if (json_is_true(json_object_get(spec, "paused")))
		put_line(d, 0, "Paused:", "True");
	put_template(d, json_object_get(spec, "template"));
	put_conditions(d, json_object_get(status, "conditions"));
	json_t *list = list_in(d, KIND_REPLICASET, o);
	put_line(d, 0, "OldReplicaSets:", "%s", replicasets(d, list, o, false));
	put_line(d, 0, "NewReplicaSet:", "%s", replicasets(d, list, o, true));
	json_decref(list);
}

static unsigned count_phase(json_t *pods, json_t *o, const char *phase)
{
	unsigned n = 0;
	json_t *p;
	size_t i;

	json_array_foreach(json_object_get(pods, "items"), i, p)
		n += is_owned(p, o) &&
		     streq(json_text(json_object_get(p, "status"), "phase"), phase);
	return n;
}

void put_replicaset(struct describe *d, json_t *o)
{
	json_t *owner = json_array_get(json_path(o, "metadata.ownerReferences"), 0);
	json_t *pods = list_in(d, KIND_POD, o);

	if (owner)
		put_line(d, 0, "Controlled By:", "%s/%s", json_text(owner, "kind"),
			 json_text(owner, "name"));
	put_line(d, 0, "Replicas:", "%s current / %s desired",
		 text_or(d, o, "status.replicas", "0"), text_or(d, o, "spec.replicas", "0"));
	put_line(d, 0, "Pods Status:", "%u Running / %u Waiting / %u Succeeded / %u Failed",
		 count_phase(pods, o, "Running"), count_phase(pods, o, "Pending"),
		 count_phase(pods, o, "Succeeded"), count_phase(pods, o, "Failed"));
	put_template(d, json_path(o, "spec.template"));
	put_conditions(d, json_path(o, "status.conditions"));
	json_decref(pods);
}

static bool same_port(json_t *endpoint_port, json_t *service_port)
{
	return streq(json_text(endpoint_port, "name"), json_text(service_port, "name"));
}

/* "10.244.0.2:8080,10.244.0.3:8080" for one port of the Service. */
static const char *endpoints_of(struct describe *d, json_t *endpoints, json_t *port)
{
	BUF_AUTO b = { 0 };
	json_t *subset, *p, *address;
	size_t i, j, k;

	json_array_foreach(json_object_get(endpoints, "subsets"), i, subset) {
		json_array_foreach(json_object_get(subset, "ports"), j, p) {
			if (!same_port(p, port))
				continue;
			json_array_foreach(json_object_get(subset, "addresses"), k, address)
				buf_printf(&b, "%s%s:%lld", b.len ? "," : "",
					   json_text(address, "ip"), json_number(p, "port"));
		}
	}
	return arena_strdup(&d->c->arena, buf_str(&b));
}

static void put_service_port(struct describe *d, json_t *p, json_t *endpoints)
{
	const char *name = text_or(d, p, "name", "<unset>"),
		   *protocol = text_or(d, p, "protocol", "TCP");

	put_line(d, 0, "Port:", "%s\t%lld/%s", name, json_number(p, "port"), protocol);
	put_line(d, 0, "TargetPort:", "%s/%s", text_or(d, p, "targetPort", text_at(d, p, "port")),
		 protocol);
	if (json_number(p, "nodePort"))
		put_line(d, 0, "NodePort:", "%s\t%lld/%s", name, json_number(p, "nodePort"),
			 protocol);
	put_line(d, 0, "Endpoints:", "%s", endpoints_of(d, endpoints, p));
}

/* What leads to the Service, or where it leads, beside its own address. */
static void put_external(struct describe *d, json_t *spec)
{
	BUF_AUTO b = { 0 };
	json_t *ip;
	size_t i;

	json_array_foreach(json_object_get(spec, "externalIPs"), i, ip)
		buf_printf(&b, "%s%s", i ? "," : "", json_string_value(ip));
	if (b.len)
		put_line(d, 0, "External IPs:", "%s", buf_str(&b));
	if (*text_at(d, spec, "externalName"))
		put_line(d, 0, "External Name:", "%s", text_at(d, spec, "externalName"));
}

void put_service(struct describe *d, json_t *o)
{
	json_t *spec = json_object_get(o, "spec"), *meta = json_object_get(o, "metadata"), *p;
	struct target t = { &kinds[KIND_ENDPOINTS], NULL, json_text(meta, "namespace") };
	const char *query = arena_printf(&d->c->arena, "%s?fieldSelector=metadata.name%%3D%s",
					 target_path(d->c, &t), json_text(meta, "name"));
	int status;
	json_t *list = fetch(d->c, "GET", query, NULL, &status);
	size_t i;

	put_line(d, 0, "Selector:", "%s", labels_line(d, json_object_get(spec, "selector")));
	put_line(d, 0, "Type:", "%s", text_or(d, spec, "type", "ClusterIP"));
	put_line(d, 0, "IP Families:", "IPv4");
	put_line(d, 0, "IP:", "%s", text_at(d, spec, "clusterIP"));
	put_external(d, spec);
	json_array_foreach(json_object_get(spec, "ports"), i, p)
		put_service_port(d, p, json_array_get(json_object_get(list, "items"), 0));
	put_line(d, 0, "Session Affinity:", "%s", text_or(d, spec, "sessionAffinity", "None"));
	if (*text_at(d, spec, "externalTrafficPolicy"))
		put_line(d, 0, "External Traffic Policy:", "%s",
			 text_at(d, spec, "externalTrafficPolicy"));
	put_line(d, 0, "Internal Traffic Policy:", "%s",
		 text_or(d, spec, "internalTrafficPolicy", "Cluster"));
	json_decref(list);
}

static const char *addresses(struct describe *d, json_t *list)
{
	BUF_AUTO b = { 0 };
	json_t *a;
	size_t i;

	json_array_foreach(list, i, a)
		buf_printf(&b, "%s%s", i ? "," : "", json_text(a, "ip"));
	return b.len ? arena_strdup(&d->c->arena, buf_str(&b)) : "<none>";
}

void put_endpoints(struct describe *d, json_t *o)
{
	json_t *s, *p;
	size_t i, k;

	buf_puts(&d->out, "Subsets:\n");
	json_array_foreach(json_object_get(o, "subsets"), i, s) {
		put_line(d, 1, "Addresses:", "%s", addresses(d, json_object_get(s, "addresses")));
		put_line(d, 1, "NotReadyAddresses:", "%s",
			 addresses(d, json_object_get(s, "notReadyAddresses")));
		buf_puts(&d->out, "  Ports:\n    Name\tPort\tProtocol\n    ----\t----\t--------\n");
		json_array_foreach(json_object_get(s, "ports"), k, p)
			buf_printf(&d->out, "    %s\t%lld\t%s\n", text_or(d, p, "name", "<unset>"),
				   json_number(p, "port"), json_text(p, "protocol"));
	}
	buf_putc(&d->out, '\n');
}

/* How many bytes a base64 text stands for. */
static size_t decoded(const json_t *v)
{
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	size_t pad = n && s[n - 1] == '=' ? 1 + (n > 1 && s[n - 2] == '=') : 0;

	return n / 4 * 3 - pad;
}

void put_configmap(struct describe *d, json_t *o)
{
	const char *k;
	json_t *v;

	buf_puts(&d->out, "\nData\n====\n");
	json_object_foreach(json_object_get(o, "data"), k, v)
		put_raw(d, arena_printf(&d->c->arena, "%s:\n----\n%s\n\n", k,
					json_any(&d->c->arena, v)));
	buf_puts(&d->out, "\nBinaryData\n====\n");
	json_object_foreach(json_object_get(o, "binaryData"), k, v)
		buf_printf(&d->out, "%s: %zu bytes\n", k, decoded(v));
	buf_putc(&d->out, '\n');
}

void put_secret(struct describe *d, json_t *o)
{
	const char *k;
	json_t *v;

	buf_printf(&d->out, "\nType:\t%s\n\nData\n====\n", text_or(d, o, "type", "Opaque"));
	json_object_foreach(json_object_get(o, "data"), k, v)
		put_line(d, 0, arena_printf(&d->c->arena, "%s:", k), "%zu bytes", decoded(v));
}

void put_rest(struct describe *d, json_t *o)
{
	static const char *const said[] = { "apiVersion", "kind", "metadata" };
	json_t *rest = json_copy(o);
	BUF_AUTO yaml = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(said); i++)
		json_object_del(rest, said[i]);
	json_to_yaml(json_any(&d->c->arena, rest), &yaml);
	put_raw(d, buf_str(&yaml));
	json_decref(rest);
}

void put_event(struct describe *d, json_t *o)
{
	static const struct { const char *label, *path; } lines[] = {
		{ "Type:", "type" }, { "Reason:", "reason" }, { "Message:", "message" },
		{ "Count:", "count" }, { "First Timestamp:", "firstTimestamp" },
		{ "Last Timestamp:", "lastTimestamp" }, { "Source:", "source.component" },
		{ "Object:", "involvedObject.kind" }, { "Object Name:", "involvedObject.name" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		put_line(d, 0, lines[i].label, "%s", text_at(d, o, lines[i].path));
}
