/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of one container: its environment, resources, probes, privileges, image. */
#include <string.h>
#include <strings.h>

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

void check_field_path(struct check *c, const void *value)
{
	static const char *const paths[] = {
		"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
		"spec.serviceAccountName", "status.hostIP", "status.podIP",
		"metadata.labels['KEY']", "metadata.annotations['KEY']", NULL,
	};
	const char *path = *(const char *const *)value;

	for (size_t i = 0; paths[i]; i++) {
		if (streq(paths[i], path) && !strchr(path, '['))
			return;
	}
	if (subscript(path, "metadata.labels", NAME_QUALIFIED) ||
	    subscript(path, "metadata.annotations", NAME_QUALIFIED))
		return;
	const char *near = suggest(path, paths);
	if (near)
		check_fail(c,
			   "\"%.100s\" is no field that a variable can have; did you mean \"%s\"?",
			   path, near);
	else
		check_fail(c,
			   "\"%.100s\" is no field that a variable can have; expected "
			   "metadata.name, .namespace, .uid, metadata.labels['KEY'], "
			   "metadata.annotations['KEY'], "
			   "spec.nodeName, spec.serviceAccountName, status.hostIP or status.podIP",
			   path);
}

void check_resource_field(struct check *c, const void *value)
{
	static const char *const names[] = {
		"limits.cpu", "limits.memory", "requests.cpu", "requests.memory", NULL,
	};
	const char *name = *(const char *const *)value;

	for (size_t i = 0; names[i]; i++) {
		if (streq(names[i], name))
			return;
	}
	check_fail(c, "\"%.60s\" is not limits.cpu, limits.memory, requests.cpu or requests.memory",
		   name);
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
	static const char *const sources[] = {
		"fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef",
	};
	unsigned n = 0;

	(void)obj;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		n += check_present(c, sources[i]);
	if (n != 1)
		check_fail_at(c, "",
			      "exactly one of fieldRef, resourceFieldRef, configMapKeyRef and "
			      "secretKeyRef is needed, not %u",
			      n);
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

void check_resource(struct check *c, const void *value)
{
	const struct qtypair *p = value;

	if (p->v.milli < 0)
		check_fail(c, "%s is less than 0", p->v.text);
	else if (streq(p->k, "memory") && p->v.milli % 1000)
		check_warn_at(c, "",
			      "%s is no whole number of bytes: m means thousandths, M millions",
			      p->v.text);
	if (streq(p->k, "cpu") || streq(p->k, "memory"))
		return;
	if (streq(p->k, "ephemeral-storage"))
		check_warn_at(c, "", "known to Kubernetes, not acted on by orch");
	else if (strncmp(p->k, "hugepages-", 10) == 0 || strchr(p->k, '/'))
		check_fail(c, "not supported by orch: only cpu and memory are");
	else
		check_fail(c, "unknown resource \"%.60s\"; expected cpu or memory", p->k);
}

void check_resources(struct check *c, const void *obj)
{
	const struct resource_requirements *r = obj;
	char child[64];

	for (uint32_t i = 0; i < r->requests.n; i++) {
		const struct qtypair *p = &r->requests.v[i];
		const struct quantity *limit = qtymap_get(&r->limits, p->k);

		if (!limit || p->v.milli <= limit->milli)
			continue;
		snprintf(child, sizeof(child), "requests[%.40s]", p->k);
		check_fail_at(c, child, "%s is more than the limit, %s", p->v.text, limit->text);
	}
}

void check_scheme(struct check *c, const void *value)
{
	if (*(const enum http_scheme *)value == SCHEME_HTTPS)
		check_fail(c, "HTTPS is not supported by orch; expected HTTP");
}

void check_probe(struct check *c, const void *obj)
{
	static const char *const handlers[] = { "exec", "httpGet", "tcpSocket", "grpc" };
	const struct probe *p = obj;
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		n += check_present(c, handlers[i]);
	if (n != 1)
		check_fail_at(c, "", "exactly one of exec, httpGet and tcpSocket is needed, not %u",
			      n);
	if (p->exec && !p->exec->command.n)
		check_fail_at(c, "exec.command", "must not be empty");
}

void check_capability(struct check *c, const void *value)
{
	static const char *const names[] = {
		"ALL", "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF",
		"CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",
		"FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE",
		"MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE",
		"NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
		"SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE",
		"SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME",
		"SYS_TTY_CONFIG", "WAKE_ALARM", NULL,
	};
	const char *name = *(const char *const *)value;
	const char *bare = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;

	for (size_t i = 0; names[i]; i++) {
		if (strcasecmp(names[i], bare) == 0)
			return;
	}
	const char *near = suggest(bare, names);
	if (near)
		check_fail(c, "unknown capability \"%.60s\"; did you mean \"%s\"?", name, near);
	else
		check_fail(c, "unknown capability \"%.60s\"", name);
}

void check_privileged(struct check *c, const void *value)
{
	if (*(const bool *)value)
		check_fail(c, "privileged containers are not supported by orch; add the "
			      "capabilities that are needed");
}

void check_seccomp_profile(struct check *c, const void *value)
{
	const struct ynode *type = c->node->kind == Y_MAP ? ynode_get(c->node, "type") : NULL;

	(void)value;
	if (!type || type->kind != Y_SCALAR)
		check_fail_at(c, "type", "missing; it is required");
	else if (!streq(type->text, "RuntimeDefault"))
		check_fail_at(c, "type",
			      "\"%.60s\" is not supported by orch; expected RuntimeDefault",
			      type->text);
}

void check_security_context(struct check *c, const void *obj)
{
	const struct security_context *s = obj;
	char child[64];

	for (uint32_t i = 0; s->capabilities && i < s->capabilities->add.n; i++) {
		snprintf(child, sizeof(child), "capabilities.add[%u]", i);
		if (strcasecmp(s->capabilities->add.v[i], "ALL") == 0)
			check_fail_at(c, child,
				      "ALL cannot be added; name the capabilities that are needed");
	}
	if (s->allow_privilege_escalation)
		check_warn_at(c, "allowPrivilegeEscalation",
			      "not acted on by orch: no_new_privs is set for every container");
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

void check_container(struct check *c, const void *obj)
{
	const struct container *k = obj;

	check_container_ports(c, k);
	check_mounts(c, k);
	check_one_probe(c, k, "livenessProbe", k->liveness_probe, false);
	check_one_probe(c, k, "startupProbe", k->startup_probe, false);
	check_one_probe(c, k, "readinessProbe", k->readiness_probe, true);
}
