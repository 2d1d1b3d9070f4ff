/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of ConfigMaps, Secrets and the daemon's own settings. */
#include <string.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/reference.h"
#include "base/units.h"
#include "model/checks.h"
#include "model/types.h"
#include "schema/schema.h"

#define CONFIG_MAX 1048576	/* bytes of all values of an object */

static void check_key(struct check *c, const char *key)
{
	const char *problem = name_problem(NAME_CONFIG_KEY, key);

	if (problem)
		check_fail(c, "key \"%.100s\" %s", key, *key ? problem : "must not be empty");
}

void check_config_pair(struct check *c, const void *value)
{
	check_key(c, ((const struct strpair *)value)->k);
}

void check_config_bytes(struct check *c, const void *value)
{
	check_key(c, ((const struct bytepair *)value)->k);
}

static size_t text_size(const struct strmap *m)
{
	size_t n = 0;

	for (uint32_t i = 0; i < m->n; i++)
		n += strlen(m->v[i].v);
	return n;
}

static size_t bytes_size(const struct bytemap *m)
{
	size_t n = 0;

	for (uint32_t i = 0; i < m->n; i++)
		n += m->v[i].v.len;
	return n;
}

static const struct bytes *bytes_get(const struct bytemap *m, const char *key)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (streq(m->v[i].k, key))
			return &m->v[i].v;
	}
	return NULL;
}

void check_configmap(struct check *c, const void *obj)
{
	const struct configmap *o = obj;
	size_t n = text_size(&o->data) + bytes_size(&o->binary_data);
	char child[300];

	for (uint32_t i = 0; i < o->binary_data.n; i++) {
		const char *key = o->binary_data.v[i].k;

		if (!strmap_get(&o->data, key))
			continue;
		snprintf(child, sizeof(child), "binaryData[%s]", key);
		check_fail_at(c, child, "the key is in data, too; it must be in one of them");
	}
	if (n > CONFIG_MAX)
		check_fail_at(c, "data", "%zu bytes in all; at most %d are possible", n,
			      CONFIG_MAX);
}

/* The value of a key as it will be; stringData wins. Length in *ret_n; NULL: absent. */
static const char *secret_value(const struct secret *o, const char *key, size_t *ret_n)
{
	const char *s = strmap_get(&o->string_data, key);
	const struct bytes *b = bytes_get(&o->data, key);

	*ret_n = s ? strlen(s) : b ? b->len : 0;
	return s ? s : b ? b->data : NULL;
}

/* What Kubernetes wants of the types it knows; with any: one of the keys is enough. */
static const struct {
	const char *type, *keys[2];
	bool any, json;
} secret_types[] = {
	{ "kubernetes.io/tls", { "tls.crt", "tls.key" }, false, false },
	{ "kubernetes.io/dockerconfigjson", { ".dockerconfigjson" }, false, true },
	{ "kubernetes.io/dockercfg", { ".dockercfg" }, false, true },
	{ "kubernetes.io/ssh-auth", { "ssh-privatekey" }, false, false },
	{ "kubernetes.io/basic-auth", { "username", "password" }, true, false },
};

static bool json_mapping(const char *s, size_t n)
{
	struct arena a = { 0 };
	struct msgs m = { .arena = &a };
	struct yaml_docs docs = { 0 };
	size_t blank = 0;

	while (blank < n && strchr(" \t\r\n", s[blank]) && s[blank])
		blank++;
	bool ok = blank < n && s[blank] == '{' && yaml_parse(&a, "", s, n, &docs, &m) == 0 &&
		  docs.n == 1 && docs.v[0].root->kind == Y_MAP;
	arena_release(&a);
	return ok;
}

static void check_secret_type(struct check *c, const struct secret *o, size_t row)
{
	const char *const *keys = secret_types[row].keys;
	bool found[2] = { false, !keys[1] };
	char child[64];
	size_t n;

	for (size_t i = 0; i < 2 && keys[i]; i++) {
		const char *v = secret_value(o, keys[i], &n);

		found[i] = v && (n || secret_types[row].any || keys[1]);
		if (!found[i] && !secret_types[row].any)
			check_fail_at(c, "data", "a Secret of type %s needs the key \"%s\"",
				      o->type, keys[i]);
		snprintf(child, sizeof(child), "data[%s]", keys[i]);
		if (found[i] && secret_types[row].json && !json_mapping(v, n))
			check_fail_at(c, child, "must be a JSON object");
	}
	if (secret_types[row].any && !found[0] && !found[1])
		check_fail_at(c, "data", "a Secret of type %s needs the key \"%s\" or \"%s\"",
			      o->type, keys[0], keys[1]);
}

void check_secret(struct check *c, const void *obj)
{
	static const char account[] = "kubernetes.io/service-account.name";
	const struct secret *o = obj;
	size_t n = text_size(&o->string_data);

	for (uint32_t i = 0; i < o->data.n; i++) {
		if (!strmap_get(&o->string_data, o->data.v[i].k))
			n += o->data.v[i].v.len;
	}
	if (n > CONFIG_MAX)
		check_fail_at(c, "data", "%zu bytes in all; at most %d are possible", n,
			      CONFIG_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(secret_types); i++) {
		if (streq(secret_types[i].type, o->type))
			check_secret_type(c, o, i);
	}
	if (streq(o->type, "kubernetes.io/service-account-token") &&
	    !strmap_get(&o->metadata.annotations, account))
		check_fail_at(c, "metadata.annotations",
			      "a Secret of type %s needs the annotation %s", o->type, account);
}

void check_log_level(struct check *c, const void *value)
{
	enum log_level level;

	if (log_level_parse(*(const char *const *)value, &level) < 0)
		check_fail(c, "\"%.60s\" is not error, warning, info or debug",
			   *(const char *const *)value);
}

void check_reserved(struct check *c, const void *value)
{
	static const char *const known[] = { "cpu", "memory", "ephemeral-storage" };
	const struct qtypair *p = value;
	bool ok = false;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		ok |= streq(known[i], p->k);
	if (!ok)
		check_fail(c, "\"%.60s\" is not cpu, memory or ephemeral-storage", p->k);
	else if (p->v.milli < 0)
		check_fail(c, "%s is less than 0", p->v.text);
}

void check_cgroup_root(struct check *c, const void *value)
{
	const char *path = *(const char *const *)value;

	if (!*path || *path == '/' || path_has_dotdot(path))
		check_fail(c,
			   "\"%.100s\" is not a path below the mount point of the control groups",
			   path);
}

static bool names_image(const char *host, const char *rest)
{
	struct arena a = { 0 };
	struct reference r;
	bool ok = reference_parse(&a, arena_printf(&a, "%s%s", host, rest), &r, NULL) == 0 &&
		  r.transport == TRANSPORT_REGISTRY && strncmp(r.name, host, strlen(host)) == 0;

	arena_release(&a);
	return ok;
}

void check_registry_host(struct check *c, const void *value)
{
	const char *host = *(const char *const *)value;

	if (strchr(host, '/') || !names_image(host, "/x/y"))
		check_fail(c, "\"%.100s\" is not HOST[:PORT]", host);
}

void check_registry_mirror(struct check *c, const void *value)
{
	const char *mirror = *(const char *const *)value;

	if (!names_image(mirror, "/x/y"))
		check_fail(c, "\"%.100s\" is not HOST[:PORT][/PATH]", mirror);
}

void check_image_policy(struct check *c, const void *obj)
{
	const struct image_policy *p = obj;

	if ((p->verdict == VERDICT_SIGNED) != (p->key_file != NULL))
		check_fail_at(c, "keyFile", p->key_file ? "only verdict signed has a key" :
			      "missing: verdict signed needs it");
}

void check_image_settings(struct check *c, const void *obj)
{
	const struct image_settings *s = obj;

	if (s->gc_low > s->gc_high)
		check_fail_at(c, "gcLowThresholdPercent",
			      "%d is above gcHighThresholdPercent %d", s->gc_low, s->gc_high);
}

void check_userns_settings(struct check *c, const void *obj)
{
	const struct userns_settings *s = obj;

	if (s->first % 65536)
		check_fail_at(c, "first", "%lld is not a multiple of 65536", (long long)s->first);
	else if (s->first / 65536 + s->count > 65535)
		check_fail_at(c, "count", "%d ranges from %lld on are more ids than there are", s->count,
			      (long long)s->first);
}

static bool overlap(struct cidr4 a, struct cidr4 b)
{
	return cidr4_contains(a, b.base) || cidr4_contains(b, a.base);
}

void check_settings(struct check *c, const void *obj)
{
	const struct settings *s = obj;
	struct cidr4 pods, services;

	if (cidr4_parse(s->pod_cidr, &pods) < 0 || cidr4_parse(s->service_cidr, &services) < 0)
		return;
	if (pods.bits > 30)
		check_fail_at(c, "podCIDR", "%s is too small: at most /30 is possible",
			      s->pod_cidr);
	if (services.bits > 30)
		check_fail_at(c, "serviceCIDR", "%s is too small: at most /30 is possible",
			      s->service_cidr);
	if (overlap(pods, services))
		check_fail_at(c, "serviceCIDR", "%s overlaps podCIDR %s", s->service_cidr,
			      s->pod_cidr);
	check_eviction(c, s);
}

void check_throttling(struct check *c, const void *value)
{
	const struct quantity *q = value;

	if (q->milli <= 0 || q->milli > 1000)
		check_fail(c, "%s is not above 0 and at most 1", q->text);
}

void check_duration(struct check *c, const void *value)
{
	const char *s = *(const char *const *)value;
	int64_t ns;

	if (duration_parse(s, &ns) < 0 || ns < 0)
		check_fail(c, "\"%.60s\" is no duration like 30s or 2m", s);
}
