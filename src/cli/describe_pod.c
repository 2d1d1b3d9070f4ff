/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe of pods, and their volumes, which pod templates have, too. */
#include "base/macro.h"
#include "cli/describe.h"

static const char *hint_of(const char *type)
{
	static const struct { const char *type, *hint; } hints[] = {
		{ "configMap", "ConfigMap (a volume populated by a ConfigMap)" },
		{ "secret", "Secret (a volume populated by a Secret)" },
		{ "emptyDir", "EmptyDir (a temporary directory that shares a pod's lifetime)" },
		{ "hostPath", "HostPath (bare host directory volume)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (streq(hints[i].type, type))
			return hints[i].hint;
	return type;
}

/* The details of one source; rows of {source, label, path, what stands there without}. */
static void put_source(struct describe *d, unsigned level, const char *type, json_t *source)
{
	static const struct { const char *type, *label, *key, *otherwise; } rows[] = {
		{ "configMap", "Name:", "name", "" },
		{ "configMap", "Optional:", "optional", "false" },
		{ "secret", "SecretName:", "secretName", "" },
		{ "secret", "Optional:", "optional", "false" },
		{ "emptyDir", "Medium:", "medium", "" },
		{ "emptyDir", "SizeLimit:", "sizeLimit", "<unset>" },
		{ "hostPath", "Path:", "path", "" },
		{ "hostPath", "HostPathType:", "type", "" },
	};

	put_line(d, level, "Type:", "%s", hint_of(type));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (streq(rows[i].type, type))
			put_line(d, level, rows[i].label, "%s",
				 text_or(d, source, rows[i].key, rows[i].otherwise));
}

void put_volumes(struct describe *d, unsigned level, json_t *spec)
{
	json_t *list = json_object_get(spec, "volumes"), *v, *source;
	const char *type;
	size_t i;

	if (!json_array_size(list)) {
		put_line(d, level, "Volumes:", "<none>");
		return;
	}
	buf_printf(&d->out, "%sVolumes:\n", level ? "  " : "");
	json_array_foreach(list, i, v) {
		buf_printf(&d->out, "%s%s:\n", level ? "   " : "  ", json_text(v, "name"));
		json_object_foreach(v, type, source)
			if (!streq(type, "name"))
				put_source(d, 2, type, source);
	}
}

static void put_conditions(struct describe *d, json_t *list)
{
	json_t *k;
	size_t i;

	if (!json_array_size(list))
		return;
	buf_puts(&d->out, "Conditions:\n  Type\tStatus\n");
	json_array_foreach(list, i, k)
		buf_printf(&d->out, "  %s\t%s \n", json_text(k, "type"), json_text(k, "status"));
}

static void put_pod_head(struct describe *d, json_t *o)
{
	json_t *owner = json_array_get(json_path(o, "metadata.ownerReferences"), 0);
	json_t *status = json_object_get(o, "status"), *ip;
	size_t i;

	put_line(d, 0, "Service Account:", "%s",
		 text_or(d, o, "spec.serviceAccountName", "default"));
	put_line(d, 0, "Node:", "%s/%s", text_or(d, o, "spec.nodeName", "<none>"),
		 json_text(status, "hostIP"));
	if (*json_text(status, "startTime"))
		put_line(d, 0, "Start Time:", "%s", long_time(d, json_text(status, "startTime")));
	put_map(d, 0, "Labels:", json_path(o, "metadata.labels"), "=");
	put_map(d, 0, "Annotations:", json_path(o, "metadata.annotations"), ": ");
	if (*text_at(d, o, "metadata.deletionTimestamp"))
		put_line(d, 0, "Status:", "Terminating (since %s)",
			 long_time(d, text_at(d, o, "metadata.deletionTimestamp")));
	else
		put_line(d, 0, "Status:", "%s", json_text(status, "phase"));
	if (*json_text(status, "reason"))
		put_line(d, 0, "Reason:", "%s", json_text(status, "reason"));
	if (*json_text(status, "message"))
		put_line(d, 0, "Message:", "%s", json_text(status, "message"));
	put_line(d, 0, "IP:", "%s", json_text(status, "podIP"));
	buf_puts(&d->out,
		 json_array_size(json_object_get(status, "podIPs")) ? "IPs:\n" : "IPs:\t<none>\n");
	json_array_foreach(json_object_get(status, "podIPs"), i, ip)
		put_line(d, 1, "IP:", "%s", json_text(ip, "ip"));
	if (owner)
		put_line(d, 0, "Controlled By:", "%s/%s", json_text(owner, "kind"),
			 json_text(owner, "name"));
}

void put_pod(struct describe *d, json_t *o)
{
	json_t *spec = json_object_get(o, "spec");

	put_pod_head(d, o);
	put_containers(d, 0, spec, json_object_get(o, "status"));
	put_conditions(d, json_path(o, "status.conditions"));
	put_volumes(d, 0, spec);
	put_line(d, 0, "QoS Class:", "%s", text_or(d, o, "status.qosClass", "<none>"));
	put_line(d, 0, "Node-Selectors:", "%s",
		 labels_line(d, json_object_get(spec, "nodeSelector")));
	put_line(d, 0, "Tolerations:", "<none>");
}
