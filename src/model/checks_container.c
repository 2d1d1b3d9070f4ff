/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of one container: its environment, probes, hooks, ports, mounts. */
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/reference.h"
#include "model/checks.h"
#include "model/types.h"
#include "schema/schema.h"

/* Is s PREFIX['KEY'], with a valid key? */
static bool subscript(const char *s, const char *prefix, enum name_rule rule)
{
	size_t n = strlen(prefix);
	char key[320];

	if (strncmp(s, prefix, n) != 0 || strncmp(s + n, "['", 2) != 0)
		return false;
	const char *from = s + n + 2, *end = strstr(from, "']");
	if (!end || end[2] || (size_t)(end - from) >= sizeof(key))
		return false;
	memcpy(key, from, (size_t)(end - from));
	key[end - from] = 0;
	return name_ok(rule, key);
}

/* Paths that both variables and files can have, those of variables, those of files. */
static const char *const both[] = { "metadata.name", "metadata.namespace", "metadata.uid" };
static const char *const variables[] = {
	"spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs",
	"status.podIP", "status.podIPs",
};
static const char *const files[] = { "metadata.labels", "metadata.annotations" };

static unsigned append(const char **to, unsigned n, const char *const *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[n++] = from[i];
	return n;
}

/* As in Kubernetes, the key of an annotation may have capitals in its domain. */
static bool has_subscript(const char *path)
{
	char lower[400];
	size_t n = 0;

	for (; path[n] && n + 1 < sizeof(lower); n++)
		lower[n] = (char)tolower((unsigned char)path[n]);
	lower[n] = 0;
	return subscript(path, "metadata.labels", NAME_QUALIFIED) ||
	       subscript(lower, "metadata.annotations", NAME_QUALIFIED);
}

void check_field_path(struct check *c, const char *child, const char *path, bool file)
{
	const char *paths[16] = { "metadata.labels['KEY']", "metadata.annotations['KEY']" };
	unsigned n = append(paths, 2, both, ARRAY_SIZE(both));

	n = file ? append(paths, n, files, ARRAY_SIZE(files)) :
		   append(paths, n, variables, ARRAY_SIZE(variables));
	paths[n] = NULL;
	for (unsigned i = 2; i < n; i++) {
		if (streq(paths[i], path))
			return;
	}
	if (has_subscript(path))
		return;
	const char *what = file ? "file" : "variable", *near = suggest(path, paths);
	if (near)
		check_fail_at(c, child,
			      "\"%.100s\" is no field that a %s can have; did you mean \"%s\"?",
			      path, what, near);
	else
		check_fail_at(c, child,
			      "\"%.100s\" is no field that a %s can have; expected metadata.name, "
			      ".namespace, .uid, metadata.labels['KEY'], "
			      "metadata.annotations['KEY'], %s",
			      path, what,
			      file ? "metadata.labels or metadata.annotations" :
				     "spec.nodeName, spec.serviceAccountName, status.hostIP, "
				     ".hostIPs, .podIP or .podIPs");
}

void check_v1(struct check *c, const void *value)
{
	const char *version = *(const char *const *)value;

	if (!streq(version, "v1"))
		check_fail(c, "\"%.60s\" is not v1", version);
}

void check_resource_field(struct check *c, const void *value)
{
	static const char *const names[] = {
		"limits.cpu", "limits.memory", "limits.ephemeral-storage",
		"requests.cpu", "requests.memory", "requests.ephemeral-storage", NULL,
	};
	const char *name = *(const char *const *)value;

	for (size_t i = 0; names[i]; i++) {
		if (streq(names[i], name))
			return;
	}
	if (strncmp(name, "limits.hugepages-", 17) == 0 ||
	    strncmp(name, "requests.hugepages-", 19) == 0)
		return;
	const char *near = suggest(name, names);
	check_fail(c,
		   "\"%.60s\" is not limits. or requests. and cpu, memory, ephemeral-storage or "
		   "hugepages-SIZE%s%s%s", name, near ? "; did you mean \"" : "",
		   near ? near : "", near ? "\"?" : "");
}

void check_resource_selector(struct check *c, const void *obj)
{
	static const char *const units[] = {
		"0",  "1",   "1k",  "1M",  "1G",  "1T",  "1P",
		"1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
	};
	const struct resource_field_selector *s = obj;
	const char *unit = s->divisor.text;

	if (!unit)
		return;
	if (strstr(s->resource, ".cpu")) {
		if (!streq(unit, "0") && !streq(unit, "1") && !streq(unit, "1m"))
			check_fail_at(c, "divisor", "%s is not 1 or 1m", unit);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (streq(units[i], unit))
			return;
	}
	check_fail_at(c, "divisor", "%s is not 1, 1k to 1E or 1Ki to 1Ei", unit);
}

void check_env_source(struct check *c, const void *obj)
{
	const struct env_source *s = obj;
	int n = !!s->field_ref + !!s->resource_field_ref + !!s->config_map_key_ref +
		!!s->secret_key_ref + !!s->file_key_ref;

	if (n != 1)
		check_fail_at(c, "",
			      "exactly one of fieldRef, resourceFieldRef, configMapKeyRef and "
			      "secretKeyRef is needed, not %d",
			      n);
	if (s->field_ref)
		check_field_path(c, "fieldRef.fieldPath", s->field_ref->field_path, false);
}

void check_env_var(struct check *c, const void *obj)
{
	const struct env_var *v = obj;

	if (v->value_from && v->value && *v->value)
		check_fail_at(c, "valueFrom", "is not possible together with value");
}

void check_env_from(struct check *c, const void *obj)
{
	const struct env_from *e = obj;

	if (!e->config_map_ref == !e->secret_ref)
		check_fail_at(c, "", "exactly one of configMapRef and secretRef is needed");
}

void check_exec(struct check *c, const void *obj)
{
	if (!((const struct exec_action *)obj)->command.n)
		check_fail_at(c, "command", "must not be empty");
}

void check_lifecycle_handler(struct check *c, const void *obj)
{
	const struct lifecycle_handler *h = obj;
	int n = !!h->exec + !!h->http_get + !!h->sleep + !!h->tcp_socket;

	if (n != 1)
		check_fail_at(c, "",
			      "exactly one of exec, httpGet, tcpSocket and sleep is needed, not %d",
			      n);
	else if (h->tcp_socket)
		check_warn_at(c, "tcpSocket", "a hook of this kind always fails, with Kubernetes, too");
}

/* SIGRTMIN+1 to +15, SIGRTMAX-1 to -14: the kernel's are 34 to 64. */
static bool real_time(const char *name, const char *base, char sign, long most)
{
	size_t n = strlen(base);
	char *end;

	if (strncmp(name, base, n) != 0 || name[n] != sign || name[n + 1] < '1')
		return false;
	long i = strtol(name + n + 1, &end, 10);
	return !*end && i <= most;
}

static bool is_signal(const char *name)
{
	if (strncmp(name, "SIG", 3) != 0)
		return false;
	for (int i = 1; i < 32; i++) {
		const char *known = sigabbrev_np(i);
		if (known && streq(known, name + 3))
			return true;
	}
	return streq(name, "SIGRTMIN") || streq(name, "SIGRTMAX") ||
	       real_time(name, "SIGRTMIN", '+', 15) || real_time(name, "SIGRTMAX", '-', 14);
}

void check_stop_signal(struct check *c, const void *value)
{
	const char *name = *(const char *const *)value;

	if (*name && !is_signal(name))
		check_fail(c, "\"%.60s\" is no signal like SIGTERM, SIGINT or SIGRTMIN+3", name);
}

void check_probe(struct check *c, const void *obj)
{
	const struct probe *p = obj;
	int n = !!p->exec + !!p->http_get + !!p->tcp_socket + !!p->grpc;

	if (n != 1)
		check_fail_at(c, "",
			      "exactly one of exec, httpGet, tcpSocket and grpc is needed, not %d",
			      n);
}

void check_restart_codes(struct check *c, const void *obj)
{
	const struct container_restart_rule_on_exit_codes *e = obj;

	if (!e->values.n || e->values.n > 255)
		check_fail_at(c, "values", "%u exit codes; 1 to 255 are needed", e->values.n);
}

/* A name that no registry could have is shown on the pod (InvalidImageName), as in Kubernetes. */
void check_image(struct check *c, const void *value)
{
	const char *image = *(const char *const *)value;
	struct arena a = { 0 };
	struct reference r;
	struct err err = { 0 };

	if (!*image)
		check_fail(c, "must not be empty");
	else if (reference_parse(&a, image, &r, &err) < 0 && strncmp(image, "rootfs:", 7) == 0)
		check_fail(c, "%s", err.msg);
	else if (err.code)
		check_warn_at(c, "", "%s", err.msg);
	arena_release(&a);
}

static bool has_port(const struct container *k, const char *name)
{
	for (uint32_t i = 0; i < k->ports.n; i++) {
		if (k->ports.v[i].name && streq(k->ports.v[i].name, name))
			return true;
	}
	return false;
}

static void check_container_ports(struct check *c, const struct container *k)
{
	char child[64];

	for (uint32_t i = 0; i < k->ports.n; i++) {
		for (uint32_t n = i + 1; n < k->ports.n; n++) {
			const struct container_port *x = &k->ports.v[i], *y = &k->ports.v[n];

			snprintf(child, sizeof(child), "ports[%u].name", n);
			if (x->name && y->name && streq(x->name, y->name))
				check_fail_at(c, child, "duplicate name \"%s\"", y->name);
			snprintf(child, sizeof(child), "ports[%u].containerPort", n);
			if (x->container_port == y->container_port && x->protocol == y->protocol)
				check_warn_at(c, child, "%d/%s is already port %u",
					      y->container_port,
					      protocol_values.values[y->protocol], i);
		}
	}
}

static void check_mounts(struct check *c, const struct container *k)
{
	char child[64];

	for (uint32_t i = 0; i < k->volume_mounts.n; i++) {
		for (uint32_t n = i + 1; n < k->volume_mounts.n; n++) {
			const char *path = k->volume_mounts.v[n].mount_path;

			snprintf(child, sizeof(child), "volumeMounts[%u].mountPath", n);
			if (streq(k->volume_mounts.v[i].mount_path, path))
				check_fail_at(c, child, "duplicate path \"%s\"", path);
		}
	}
}

/* The rest of a probe's rules: those that depend on what it is for and on the container. */
static void check_one_probe(struct check *c, const struct container *k, const char *name,
			    const struct probe *p, bool readiness)
{
	char child[64];

	if (!p)
		return;
	snprintf(child, sizeof(child), "%s.successThreshold", name);
	if (!readiness && p->success_threshold > 1)
		check_fail_at(c, child, "must be 1 here, not %d", p->success_threshold);
	snprintf(child, sizeof(child), "%s.terminationGracePeriodSeconds", name);
	if (readiness && HAS(p, probe, termination_grace_period_seconds))
		check_fail_at(c, child,
			      "is not possible here: this probe never kills the container");
	const struct intstr *port = p->http_get ? &p->http_get->port :
				    p->tcp_socket ? &p->tcp_socket->port : NULL;
	snprintf(child, sizeof(child), "%s.%s.port", name, p->http_get ? "httpGet" : "tcpSocket");
	if (port && port->str && name_ok(NAME_PORT, port->str) && !has_port(k, port->str))
		check_warn_at(c, child, "the container has no port named \"%s\"", port->str);
}

static void check_propagation(struct check *c, const struct container *k)
{
	bool privileged = k->security_context && k->security_context->privileged;
	char child[64];

	for (uint32_t i = 0; i < k->volume_mounts.n; i++) {
		snprintf(child, sizeof(child), "volumeMounts[%u].mountPropagation", i);
		if (k->volume_mounts.v[i].mount_propagation == PROPAGATION_BIDIRECTIONAL && !privileged)
			check_fail_at(c, child,
				      "Bidirectional needs securityContext.privileged: true");
	}
}

static void check_devices(struct check *c, const struct container *k)
{
	const struct volume_device_list *l = &k->volume_devices;
	char child[64];

	for (uint32_t i = 0; i < l->n; i++) {
		const char *path = l->v[i].device_path;
		bool twice = false;

		for (uint32_t n = 0; n < i; n++)
			twice |= streq(l->v[n].device_path, path);
		for (uint32_t n = 0; n < k->volume_mounts.n; n++)
			twice |= streq(k->volume_mounts.v[n].mount_path, path);
		snprintf(child, sizeof(child), "volumeDevices[%u].devicePath", i);
		if (twice)
			check_fail_at(c, child, "duplicate path \"%s\"", path);
	}
}

void check_container(struct check *c, const void *obj)
{
	const struct container *k = obj;

	check_container_ports(c, k);
	check_mounts(c, k);
	check_devices(c, k);
	check_propagation(c, k);
	check_one_probe(c, k, "livenessProbe", k->liveness_probe, false);
	check_one_probe(c, k, "startupProbe", k->startup_probe, false);
	check_one_probe(c, k, "readinessProbe", k->readiness_probe, true);
	if (k->restart_policy_rules.n && !k->restart_policy)
		check_fail_at(c, "restartPolicyRules", "needs restartPolicy");
}
