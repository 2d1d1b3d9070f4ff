/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of volumes and of the pod as a whole: what its parts say of each other. */
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/types.h"

#define NAMESERVERS_MAX 3
#define SEARCHES_MAX 32
#define SEARCHES_BYTES 2048

void check_medium(struct check *c, const void *value)
{
	const char *medium = *(const char *const *)value;

	if (*medium && !streq(medium, "Memory"))
		check_fail(c,
			   "\"%.60s\" is not supported by orch; expected Memory, or nothing for "
			   "the disk",
			   medium);
}

void check_quantity_positive(struct check *c, const void *value)
{
	const struct quantity *q = value;

	if (q->milli < 0)
		check_fail(c, "%s is less than 0", q->text);
}

void check_empty_dir(struct check *c, const void *obj)
{
	const struct empty_dir_volume *v = obj;

	if (v->size_limit.milli > 0 && (!v->medium || !*v->medium))
		check_warn_at(c, "sizeLimit",
			      "not enforced by orch on disk; medium Memory has a size");
}

void check_volume(struct check *c, const void *obj)
{
	const struct volume *v = obj;
	unsigned n = !!v->empty_dir + !!v->host_path + !!v->config_map + !!v->secret;

	if (n > 1)
		check_fail_at(c, "", "a volume has one source; this one has %u", n);
}

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

/* By index: the names of volumes and of containers must differ. */
static void check_unique(struct check *c, const struct pod_spec *s)
{
	char child[64];

	for (uint32_t i = 0; i < s->containers.n; i++) {
		for (uint32_t k = i + 1; k < s->containers.n; k++) {
			snprintf(child, sizeof(child), "containers[%u].name", k);
			if (streq(s->containers.v[i].name, s->containers.v[k].name))
				check_fail_at(c, child, "duplicate name \"%s\"",
					      s->containers.v[k].name);
		}
	}
	for (uint32_t i = 0; i < s->volumes.n; i++) {
		for (uint32_t k = i + 1; k < s->volumes.n; k++) {
			snprintf(child, sizeof(child), "volumes[%u].name", k);
			if (streq(s->volumes.v[i].name, s->volumes.v[k].name))
				check_fail_at(c, child, "duplicate name \"%s\"",
					      s->volumes.v[k].name);
		}
	}
}

static bool has_volume(const struct pod_spec *s, const struct strs *claims, const char *name)
{
	for (uint32_t i = 0; i < s->volumes.n; i++) {
		if (streq(s->volumes.v[i].name, name))
			return true;
	}
	for (uint32_t i = 0; claims && i < claims->n; i++) {
		if (streq(claims->v[i], name))
			return true;
	}
	return false;
}

static void no_volume(struct check *c, const struct pod_spec *s, const char *child,
		      const char *name)
{
	const char **names = calloc(s->volumes.n + 1, sizeof(*names));

	if (!names)
		abort();
	for (uint32_t i = 0; i < s->volumes.n; i++)
		names[i] = s->volumes.v[i].name;
	const char *near = suggest(name, names);
	if (near)
		check_fail_at(c, child, "the pod has no volume \"%s\"; did you mean \"%s\"?", name,
			      near);
	else
		check_fail_at(c, child, "the pod has no volume \"%s\"", name);
	free(names);
}

static void check_mount_names(struct check *c, const char *list, const struct container_list *l,
			      const struct pod_spec *s, const struct strs *claims)
{
	char child[96];

	for (uint32_t i = 0; i < l->n; i++) {
		const struct volume_mount_list *mounts = &l->v[i].volume_mounts;

		for (uint32_t k = 0; k < mounts->n; k++) {
			snprintf(child, sizeof(child), "%s[%u].volumeMounts[%u].name", list, i, k);
			if (!has_volume(s, claims, mounts->v[k].name))
				no_volume(c, s, child, mounts->v[k].name);
		}
	}
}

void check_volume_mounts(struct check *c, const char *path, const struct pod_spec *s,
			 const struct strs *claims)
{
	char list[64];

	snprintf(list, sizeof(list), "%s.initContainers", path);
	check_mount_names(c, list, &s->init_containers, s, claims);
	snprintf(list, sizeof(list), "%s.containers", path);
	check_mount_names(c, list, &s->containers, s, claims);
}

void check_pod(struct check *c, const void *obj)
{
	const struct pod *p = obj;

	check_volume_mounts(c, "spec", &p->spec, NULL);
}

/* The container's own words win over the pod's. An image that is a directory names no user. */
static void check_users(struct check *c, const struct pod_spec *s)
{
	const struct pod_security_context *p = s->security_context;
	char child[64];

	for (uint32_t i = 0; i < s->containers.n; i++) {
		const struct security_context *k = s->containers.v[i].security_context;
		bool own_user = k && HAS(k, security_context, run_as_user);
		bool own_rule = k && HAS(k, security_context, run_as_non_root);
		bool user = own_user ? k->run_as_user : p && p->run_as_user;
		bool non_root = own_rule ? k->run_as_non_root : p && p->run_as_non_root;

		snprintf(child, sizeof(child), "containers[%u]", i);
		if (non_root && !user)
			check_fail_at(c, child,
				      "runAsNonRoot is true, but nothing says another user than "
				      "root; runAsUser does");
	}
}

static void check_resource_names(struct check *c, const struct pod_spec *s, uint32_t i)
{
	const struct env_var_list *env = &s->containers.v[i].env;
	char child[96];

	for (uint32_t k = 0; k < env->n; k++) {
		const struct env_source *from = env->v[k].value_from;
		const char *name = from && from->resource_field_ref ?
				   from->resource_field_ref->container_name : NULL;
		uint32_t at = 0;

		while (name && at < s->containers.n && !streq(s->containers.v[at].name, name))
			at++;
		snprintf(child, sizeof(child),
			 "containers[%u].env[%u].valueFrom.resourceFieldRef.containerName", i, k);
		if (name && at == s->containers.n)
			check_fail_at(c, child, "the pod has no container \"%s\"", name);
	}
}

void check_pod_spec(struct check *c, const void *obj)
{
	const struct pod_spec *s = obj;

	if (!s->containers.n)
		check_fail_at(c, "containers", "must not be empty");
	check_unique(c, s);
	check_users(c, s);
	for (uint32_t i = 0; i < s->containers.n; i++)
		check_resource_names(c, s, i);
	if (s->dns_policy == DNS_NONE && (!s->dns_config || !s->dns_config->nameservers.n))
		check_fail_at(c, "dnsPolicy", "None needs dnsConfig.nameservers");
}
