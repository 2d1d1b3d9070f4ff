/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of the pod as a whole: what its parts say of each other. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/object.h"

#define NAMESERVERS_MAX 3
#define SEARCHES_MAX 32
#define SEARCHES_BYTES 2048
#define HOST_NAME_LENGTH 64	/* what the kernel takes */

/* A search domain may end with a dot, or be one. */
static void check_search(struct check *c, const char *domain, uint32_t i)
{
	size_t n = strlen(domain);
	const char *problem = NULL;
	char bare[256], child[64];

	if (streq(domain, "."))
		return;
	if (n < sizeof(bare)) {
		memcpy(bare, domain, n + 1);
		if (n && bare[n - 1] == '.')
			bare[n - 1] = 0;
		problem = name_problem(NAME_SUBDOMAIN, bare);
	} else {
		problem = name_problem(NAME_SUBDOMAIN, domain);
	}
	snprintf(child, sizeof(child), "searches[%u]", i);
	if (problem)
		check_fail_at(c, child, "\"%.100s\" %s", domain, problem);
}

void check_dns_config(struct check *c, const void *obj)
{
	const struct dns_config *d = obj;
	size_t bytes = 0;

	for (uint32_t i = 0; i < d->searches.n; i++) {
		bytes += strlen(d->searches.v[i]) + 1;
		check_search(c, d->searches.v[i], i);
	}
	if (d->nameservers.n > NAMESERVERS_MAX)
		check_fail_at(c, "nameservers", "%u name servers; at most %d are possible",
			      d->nameservers.n, NAMESERVERS_MAX);
	if (d->searches.n > SEARCHES_MAX || bytes > SEARCHES_BYTES)
		check_fail_at(c, "searches", "at most %d domains of %d bytes in all are possible",
			      SEARCHES_MAX, SEARCHES_BYTES);
}

void check_pod_os(struct check *c, const void *obj)
{
	if (((const struct pod_os *)obj)->name == OS_WINDOWS)
		check_warn_at(c, "name", "a pod for windows cannot run here: orch runs on Linux");
}

void check_readiness_gate(struct check *c, const void *value)
{
	const char *type = *(const char *const *)value;

	check_label_key(c, value);
	if (!pod_condition_is_own(type))
		check_warn_at(c, "", "nothing here sets the condition \"%s\": the pod is never ready",
			      type);
}

void check_pod_claim(struct check *c, const void *obj)
{
	const struct pod_resource_claim *r = obj;

	if (!r->resource_claim_name == !r->resource_claim_template_name)
		check_fail_at(c, "", "exactly one of resourceClaimName and "
			      "resourceClaimTemplateName is needed");
}

void check_host_override(struct check *c, const void *value)
{
	const char *name = *(const char *const *)value;

	check_optional_subdomain(c, value);
	if (strlen(name) > HOST_NAME_LENGTH)
		check_fail(c, "must be at most %d characters", HOST_NAME_LENGTH);
}

void check_ephemeral(struct check *c, const void *value)
{
	if (((const struct list *)value)->n)
		check_fail(c, "is not possible in a manifest: ephemeral containers are added to "
			      "pods that run");
}

/* The place of container i: "containers[0]" and what follows. */
static const char *place(char ret[96], const struct pod_spec *s, uint32_t i, const char *below)
{
	uint32_t first = s->init_containers.n;

	if (i < first)
		snprintf(ret, 96, "initContainers[%u]%s", i, below);
	else
		snprintf(ret, 96, "containers[%u]%s", i - first, below);
	return ret;
}

/* ---- names ---- */

static void check_container_names(struct check *c, const struct pod_spec *s)
{
	char child[96];

	for (uint32_t i = 1; i < pod_container_count(s); i++) {
		const char *name = pod_container(s, i)->name;

		if (pod_container_find(s, name) < (int)i)
			check_fail_at(c, place(child, s, i, ".name"), "duplicate name \"%s\"",
				      name);
	}
}

static void check_volume_names(struct check *c, const struct pod_spec *s)
{
	char child[64];

	for (uint32_t i = 0; i < s->volumes.n; i++) {
		for (uint32_t k = i + 1; k < s->volumes.n; k++) {
			snprintf(child, sizeof(child), "volumes[%u].name", k);
			if (streq(s->volumes.v[i].name, s->volumes.v[k].name))
				check_fail_at(c, child, "duplicate name \"%s\"",
					      s->volumes.v[k].name);
		}
	}
}

/* ---- volumes ---- */

/* What mounts may name: volumes, and claims that are made for the pods. block: only what can be
 * a block device. NULL ends them. */
static const char **volume_names(const struct pod_spec *s, const struct strs *claims, bool block)
{
	uint32_t n = 0, nclaims = claims ? claims->n : 0;
	const char **names = calloc(s->volumes.n + nclaims + 1, sizeof(*names));

	if (!names)
		abort();
	for (uint32_t i = 0; i < s->volumes.n; i++) {
		const struct volume *v = &s->volumes.v[i];

		if (!block || v->persistent_volume_claim || v->ephemeral)
			names[n++] = v->name;
	}
	for (uint32_t i = 0; i < nclaims; i++)
		names[n++] = claims->v[i];
	return names;
}

static bool listed(const char *const *names, const char *name)
{
	for (; *names; names++) {
		if (streq(*names, name))
			return true;
	}
	return false;
}

static void check_volume_use(struct check *c, const char *child, const char *const *names,
			     const char *name, const char *what)
{
	if (listed(names, name))
		return;
	const char *near = suggest(name, names);
	if (near)
		check_fail_at(c, child, "the pod has no %s \"%s\"; did you mean \"%s\"?", what,
			      name, near);
	else
		check_fail_at(c, child, "the pod has no %s \"%s\"", what, name);
}

void check_volume_mounts(struct check *c, const char *path, const struct pod_spec *s,
			 const struct strs *claims)
{
	const char **all = volume_names(s, claims, false), **block = volume_names(s, claims, true);
	char at[96], child[192];

	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const struct container *k = pod_container(s, i);

		place(at, s, i, "");
		for (uint32_t n = 0; n < k->volume_mounts.n; n++) {
			snprintf(child, sizeof(child), "%s.%s.volumeMounts[%u].name", path, at, n);
			check_volume_use(c, child, all, k->volume_mounts.v[n].name, "volume");
		}
		for (uint32_t n = 0; n < k->volume_devices.n; n++) {
			snprintf(child, sizeof(child), "%s.%s.volumeDevices[%u].name", path, at, n);
			check_volume_use(c, child, block, k->volume_devices.v[n].name, "claim");
		}
	}
	free(all);
	free(block);
}

static bool has_outer_blank(const char *s)
{
	return isspace((unsigned char)*s) || isspace((unsigned char)s[strlen(s) - 1]);
}

/* Kubernetes trims the images of templates, not those of pods. */
void check_pod(struct check *c, const void *obj)
{
	const struct pod_spec *s = &((const struct pod *)obj)->spec;
	char child[96];

	check_volume_mounts(c, "spec", s, NULL);
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		const char *image = pod_container(s, i)->image;
		char path[128];

		snprintf(path, sizeof(path), "spec.%s", place(child, s, i, ".image"));
		if (*image && has_outer_blank(image))
			check_fail_at(c, path, "\"%.100s\" must not begin or end with blanks",
				      image);
	}
}

/* ---- containers ---- */

/* The container's own words win over the pod's. What user an image names is not known here. */
static void check_user(struct check *c, const struct pod_spec *s, uint32_t i)
{
	const struct pod_security_context *p = s->security_context;
	const struct security_context *k = pod_container(s, i)->security_context;
	bool own_user = k && HAS(k, security_context, run_as_user);
	bool own_rule = k && HAS(k, security_context, run_as_non_root);
	bool set = own_user || (p && HAS(p, pod_security_context, run_as_user));
	bool root = set && !(own_user ? k->run_as_user : p->run_as_user);
	bool non_root = own_rule ? k->run_as_non_root : p && p->run_as_non_root;
	bool directory = strncmp(pod_container(s, i)->image, "rootfs:/", 8) == 0;
	char child[96];

	if (non_root && (root || (!set && directory)))
		check_warn_at(c, place(child, s, i, ""),
			      "runAsNonRoot is true, but nothing says another user than root; "
			      "runAsUser does: the container will not be started");
}

static void check_resource_names(struct check *c, const struct pod_spec *s, uint32_t i)
{
	const struct env_var_list *env = &pod_container(s, i)->env;
	char child[96], below[64];

	for (uint32_t k = 0; k < env->n; k++) {
		const struct env_source *from = env->v[k].value_from;
		const char *name = from && from->resource_field_ref ?
				   from->resource_field_ref->container_name : NULL;

		snprintf(below, sizeof(below),
			 ".env[%u].valueFrom.resourceFieldRef.containerName", k);
		if (name && *name && pod_container_find(s, name) < 0)
			check_fail_at(c, place(child, s, i, below),
				      "the pod has no container \"%s\"", name);
	}
}

static void check_claim_names(struct check *c, const struct pod_spec *s, uint32_t i)
{
	const struct resource_requirements *r = pod_container(s, i)->resources;
	char child[96], below[48];

	for (uint32_t k = 0; r && k < r->claims.n; k++) {
		uint32_t at = 0;

		while (at < s->resource_claims.n &&
		       !streq(s->resource_claims.v[at].name, r->claims.v[k].name))
			at++;
		snprintf(below, sizeof(below), ".resources.claims[%u].name", k);
		if (at == s->resource_claims.n)
			check_fail_at(c, place(child, s, i, below),
				      "the pod has no resource claim \"%s\"", r->claims.v[k].name);
	}
}

static void check_sleep(struct check *c, const struct pod_spec *s, uint32_t i)
{
	const struct lifecycle *l = pod_container(s, i)->lifecycle;
	const struct {
		const char *name;
		const struct lifecycle_handler *handler;
	} hooks[] = {
		{ ".lifecycle.postStart.sleep.seconds", l ? l->post_start : NULL },
		{ ".lifecycle.preStop.sleep.seconds", l ? l->pre_stop : NULL },
	};
	int64_t grace = MAX(s->termination_grace_period_seconds, 1);
	char child[96];

	for (size_t k = 0; k < ARRAY_SIZE(hooks); k++) {
		const struct lifecycle_handler *h = hooks[k].handler;

		if (h && h->sleep && h->sleep->seconds > grace)
			check_fail_at(c, place(child, s, i, hooks[k].name),
				      "%lld is more than terminationGracePeriodSeconds, %lld",
				      (long long)h->sleep->seconds, (long long)grace);
	}
	if (l && l->stop_signal && *l->stop_signal && !s->os)
		check_fail_at(c, place(child, s, i, ".lifecycle.stopSignal"),
			      "needs spec.os.name: linux");
}

/* An init container has ended before the pod is ready: only a sidecar can be tested. */
static void check_init(struct check *c, const struct pod_spec *s, uint32_t i)
{
	const struct container *k = pod_container(s, i);
	const struct { const char *name; const void *value; } rows[] = {
		{ ".lifecycle", k->lifecycle }, { ".livenessProbe", k->liveness_probe },
		{ ".readinessProbe", k->readiness_probe }, { ".startupProbe", k->startup_probe },
	};
	enum container_role role = pod_container_role(s, i);
	char child[96];

	for (size_t n = 0; role == ROLE_INIT && n < ARRAY_SIZE(rows); n++) {
		if (rows[n].value)
			check_fail_at(c, place(child, s, i, rows[n].name),
				      "is possible for an init container with restartPolicy "
				      "Always only");
	}
	if (role != ROLE_SIDECAR && k->restart_policy && k->restart_policy != s->restart_policy)
		check_warn_at(c, place(child, s, i, ".restartPolicy"),
			      "not acted on by orch: the pod's restartPolicy, %s, is in force",
			      restart_policy_values.values[s->restart_policy]);
}

/* ---- the node ---- */

static bool same_host_port(const struct container_port *x, const struct container_port *y)
{
	const char *a = x->host_ip ? x->host_ip : "", *b = y->host_ip ? y->host_ip : "";

	return x->host_port && x->host_port == y->host_port && x->protocol == y->protocol &&
	       streq(a, b);
}

/* Is port n of container i of the node's already a port of this pod? */
static bool taken(const struct pod_spec *s, uint32_t i, uint32_t n)
{
	const struct container_port *p = &s->containers.v[i].ports.v[n];

	for (uint32_t k = 0; k <= i; k++) {
		const struct container_port_list *l = &s->containers.v[k].ports;

		for (uint32_t m = 0; m < (k == i ? n : l->n); m++) {
			if (same_host_port(&l->v[m], p))
				return true;
		}
	}
	return false;
}

static void check_host_ports(struct check *c, const struct pod_spec *s, uint32_t i)
{
	const struct container_port_list *l = &s->containers.v[i].ports;
	char child[96];

	for (uint32_t n = 0; n < l->n; n++) {
		const struct container_port *p = &l->v[n];

		snprintf(child, sizeof(child), "containers[%u].ports[%u].hostPort", i, n);
		if (s->host_network && p->host_port && p->host_port != p->container_port)
			check_fail_at(c, child, "must be containerPort, %d, with hostNetwork",
				      p->container_port);
		else if (taken(s, i, n))
			check_fail_at(c, child, "%d/%s is already a port of this pod",
				      p->host_port, protocol_values.values[p->protocol]);
	}
}

static void check_sysctls(struct check *c, const struct pod_spec *s)
{
	static const char *const ipc[] = { "kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue." };
	const struct sysctl_list *l = &s->security_context->sysctls;
	char child[64];

	for (uint32_t i = 0; i < l->n; i++) {
		const char *name = l->v[i].name;
		bool is_ipc = false;

		for (size_t k = 0; k < ARRAY_SIZE(ipc); k++)
			is_ipc |= strncmp(name, ipc[k], strlen(ipc[k])) == 0;
		snprintf(child, sizeof(child), "securityContext.sysctls[%u].name", i);
		if (s->host_network && strncmp(name, "net.", 4) == 0)
			check_fail_at(c, child, "\"%.100s\" is not possible with hostNetwork", name);
		if (s->host_ipc && is_ipc)
			check_fail_at(c, child, "\"%.100s\" is not possible with hostIPC", name);
	}
}

static bool unmasks(const struct pod_spec *s, uint32_t i)
{
	const struct security_context *k = pod_container(s, i)->security_context;

	return k && k->proc_mount == PROC_UNMASKED;
}

static void check_host_users(struct check *c, const struct pod_spec *s)
{
	const struct { bool set; const char *name; } shared[] = {
		{ s->host_network, "hostNetwork" }, { s->host_pid, "hostPID" },
		{ s->host_ipc, "hostIPC" },
	};
	bool own = HAS(s, pod_spec, host_users) && !s->host_users;
	char child[96];

	for (uint32_t i = 0; !own && i < pod_container_count(s); i++) {
		if (unmasks(s, i))
			check_fail_at(c, place(child, s, i, ".securityContext.procMount"),
				      "Unmasked needs hostUsers: false");
	}
	for (size_t i = 0; own && i < ARRAY_SIZE(shared); i++)
		if (shared[i].set)
			check_fail_at(c, shared[i].name, "is not possible with hostUsers: false");
}

static void check_host(struct check *c, const struct pod_spec *s)
{
	bool override = s->hostname_override && *s->hostname_override;

	if (s->host_pid && s->share_process_namespace)
		check_fail_at(c, "shareProcessNamespace", "is not possible with hostPID");
	if (override && s->host_network)
		check_fail_at(c, "hostnameOverride", "is not possible with hostNetwork");
	if (override && s->set_hostname_as_fqdn)
		check_fail_at(c, "hostnameOverride", "is not possible with setHostnameAsFQDN");
	if (s->security_context)
		check_sysctls(c, s);
	check_host_users(c, s);
}

/* Read past by the decoder, because control writes it. */
static void check_node_name(struct check *c)
{
	const struct ynode *n = c->node->kind == Y_MAP ? ynode_get(c->node, "nodeName") : NULL;

	if (!n || n->kind != Y_SCALAR || !n->len || ynode_is_null(n))
		return;
	if (name_ok(NAME_SUBDOMAIN, n->text))
		check_warn_at(c, "nodeName", "not acted on by orch: there is one node");
	else
		check_name(c, "nodeName", NAME_SUBDOMAIN, n->text);
}

void check_pod_spec(struct check *c, const void *obj)
{
	const struct pod_spec *s = obj;
	char at[96];

	if (!s->containers.n)
		check_fail_at(c, "containers", "must not be empty");
	check_container_names(c, s);
	check_volume_names(c, s);
	for (uint32_t i = 0; i < pod_container_count(s); i++) {
		check_user(c, s, i);
		check_resource_names(c, s, i);
		check_claim_names(c, s, i);
		check_sleep(c, s, i);
		check_init(c, s, i);
		check_resize_policy(c, place(at, s, i, ".resizePolicy"), s, i);
	}
	for (uint32_t i = 0; i < s->containers.n; i++)
		check_host_ports(c, s, i);
	check_host(c, s);
	check_node_name(c);
	if (s->dns_policy == DNS_NONE && (!s->dns_config || !s->dns_config->nameservers.n))
		check_fail_at(c, "dnsPolicy", "None needs dnsConfig.nameservers");
}
