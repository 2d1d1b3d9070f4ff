/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From apiVersion and kind to one of our kinds. Every kind of Kubernetes' own groups is known, so
 * that a word which is none of them is a mistake. Any other group belongs to extensions; what they
 * define is passed over with a warning, as are kinds of Kubernetes that mean nothing here.
 */
#include "model/foreign.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "model/convert.h"
#include "model/names.h"
#include "schema/scalar.h"

/*
 * The groups of Kubernetes itself, and the kinds in them that orch has no rows for: those that
 * need an API server or a cluster, and those that were removed.
 */
static const struct { const char *group, *kinds[12]; } own_groups[] = {
	{ "", { "Binding", "ComponentStatus", "PodStatusResult", "RangeAllocation", "Status",
		"DeleteOptions" } },
	{ "apps", { "Scale" } },
	{ "autoscaling", { "Scale" } },
	{ "batch", { "JobTemplate" } },
	{ "policy", { "Eviction", "PodSecurityPolicy" } },
	{ "extensions",
	  { "PodSecurityPolicy", "Scale", "ThirdPartyResource", "DeploymentRollback" } },
	{ "rbac.authorization.k8s.io",
	  { "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding" } },
	{ "authentication.k8s.io", { "SelfSubjectReview", "TokenRequest", "TokenReview" } },
	{ "authorization.k8s.io",
	  { "LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview",
	    "SubjectAccessReview" } },
	{ "admissionregistration.k8s.io",
	  { "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
	    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
	    "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
	    "InitializerConfiguration", "ExternalAdmissionHookConfiguration" } },
	{ "apiextensions.k8s.io", { "CustomResourceDefinition" } },
	{ "apiregistration.k8s.io", { "APIService" } },
	{ "certificates.k8s.io",
	  { "CertificateSigningRequest", "ClusterTrustBundle", "PodCertificateRequest" } },
	{ "coordination.k8s.io", { "Lease", "LeaseCandidate" } },
	{ "discovery.k8s.io", { NULL } },
	{ "events.k8s.io", { "Event" } },
	{ "flowcontrol.apiserver.k8s.io", { "FlowSchema", "PriorityLevelConfiguration" } },
	{ "imagepolicy.k8s.io", { "ImageReview" } },
	{ "internal.apiserver.k8s.io", { "StorageVersion" } },
	{ "networking.k8s.io", { "ClusterCIDR", "IPAddress", "ServiceCIDR" } },
	{ "node.k8s.io", { NULL } },
	{ "resource.k8s.io",
	  { "DeviceClass", "DeviceTaintRule", "PodSchedulingContext", "ResourceClaim",
	    "ResourceClaimParameters", "ResourceClaimTemplate", "ResourceClass",
	    "ResourceClassParameters", "ResourcePoolStatusRequest", "ResourceSlice" } },
	{ "scheduling.k8s.io", { "PodGroup", "Workload" } },
	{ "settings.k8s.io", { "PodPreset" } },
	{ "storage.k8s.io",
	  { "CSIDriver", "CSINode", "CSIStorageCapacity", "VolumeAttachment",
	    "VolumeAttributesClass" } },
	{ "storagemigration.k8s.io", { "StorageVersionMigration" } },
};

struct header {
	const char *file;
	const struct ynode *doc;
	struct msgs *m;
	const char *api, *kind;		/* their texts */
	const struct ynode *api_node, *kind_node;
};

static int fail(const struct header *h, const struct ynode *at, const char *path,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int fail(const struct header *h, const struct ynode *at, const char *path,
		const char *fmt, ...)
{
	BUF_AUTO text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	msgs_add(h->m, false, h->file, at->line, at->col, path, "%s", buf_str(&text));
	return -EINVAL;
}

static int pass_over(const struct header *h, const char *why)
{
	msgs_add(h->m, true, h->file, h->kind_node->line, h->kind_node->col, "kind",
		 "kind %.60s of %.60s %s", h->kind, h->api, why);
	return 0;
}

static int take_word(struct header *h, const char *key, const char *example, const char **ret,
		     const struct ynode **ret_node)
{
	const struct ynode *n = ynode_get(h->doc, key);

	if (ynode_is_null(n))
		return fail(h, n ? n : h->doc, key, "missing; it is required, like %s", example);
	if (n->kind != Y_SCALAR || scalar_resolve(n).type != SCALAR_STR)
		return fail(h, n, key, "expected a string like %s", example);
	*ret = n->text;
	*ret_node = n;
	return 0;
}

static bool version_ok(const char *v)
{
	size_t n = strspn(v + (*v == 'v'), "0123456789") + 1;

	if (*v != 'v' || n == 1)
		return false;
	v += n;
	if (strncmp(v, "alpha", 5) == 0)
		v += 5;
	else if (strncmp(v, "beta", 4) == 0)
		v += 4;
	return !v[strspn(v, "0123456789")];
}

/* "group/version", or "version" of the group "". */
static bool split(const char *api, char *group, size_t size)
{
	const char *slash = strchr(api, '/');
	size_t n = slash ? (size_t)(slash - api) : 0;

	if (n >= size || (slash && !n))
		return false;
	memcpy(group, api, n);
	group[n] = 0;
	return version_ok(slash ? slash + 1 : api) && (!n || name_ok(NAME_SUBDOMAIN, group));
}

static bool kind_ok(const char *kind)
{
	const char *p = kind;

	while (isalnum((unsigned char)*p))
		p++;
	return isalpha((unsigned char)*kind) && !*p;
}

/* NULL when Kubernetes itself has no such group. */
static const char *const *group_kinds(const char *group)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_groups); i++) {
		if (streq(own_groups[i].group, group))
			return own_groups[i].kinds;
	}
	return NULL;
}

static bool listed(const char *const *words, const char *word)
{
	for (; words && *words; words++) {
		if (streq(*words, word))
			return true;
	}
	return false;
}

static const struct kind *same_name(const char *name)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (streq(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

static bool ours_in(const char *group, const char *name)
{
	const struct kind *k = same_name(name);
	char own[64];

	return k && streq(kind_group(k, own), group);
}

/* The group that has a foreign kind of this name; NULL: none. */
static const char *group_of_foreign(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_groups); i++) {
		if (listed(own_groups[i].kinds, name))
			return own_groups[i].group;
	}
	return NULL;
}

static int unknown_kind(const struct header *h)
{
	const char *names[KIND_COUNT + ARRAY_SIZE(own_groups) * 12 + 1] = { NULL };
	size_t n = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (kinds[i].use != KIND_MADE)
			names[n++] = kinds[i].name;
	}
	for (size_t i = 0; i < ARRAY_SIZE(own_groups); i++) {
		for (const char *const *w = own_groups[i].kinds; *w; w++)
			names[n++] = *w;
	}
	const char *near = suggest(h->kind, names);
	if (near)
		return fail(h, h->kind_node, "kind", "unknown kind \"%.60s\"; did you mean \"%s\"?",
			    h->kind, near);
	return fail(h, h->kind_node, "kind", "unknown kind \"%.60s\" of %s", h->kind, h->api);
}

static int wrong_group(const struct header *h, const struct kind *k)
{
	return fail(h, h->api_node, "apiVersion", "%s is of %s, not of %.60s", k->name,
		    k->api_version, h->api);
}

/* A kind that is not ours in a group of Kubernetes itself. */
static int classify_own(const struct header *h, const char *const *group)
{
	const struct kind *k = same_name(h->kind);
	const char *other = group_of_foreign(h->kind);

	if (listed(group, h->kind))
		return pass_over(h, "is not acted on by orch");
	if (k)
		return wrong_group(h, k);
	if (other)
		return fail(h, h->api_node, "apiVersion", "%s is of %s, not of %.60s", h->kind,
			    *other ? other : "v1", h->api);
	return unknown_kind(h);
}

/* A group that Kubernetes does not have: an extension's, or one that was misspelt. */
static int classify_foreign(const struct header *h, const char *group)
{
	const char *names[ARRAY_SIZE(own_groups) + 1] = { NULL };
	const struct kind *k = same_name(h->kind);

	if (streq(group, "orch"))
		return fail(h, h->kind_node, "kind", "%.60s of %.60s belongs in orchd.yaml",
			    h->kind, h->api);
	for (size_t i = 1; i < ARRAY_SIZE(own_groups); i++)
		names[i - 1] = own_groups[i].group;
	const char *near = suggest(group, names);
	if (near && ours_in(near, h->kind))
		return fail(h, h->api_node, "apiVersion",
			    "unknown group \"%.60s\"; did you mean \"%s\"?", group,
			    k->api_version);
	if (near && listed(group_kinds(near), h->kind))
		return fail(h, h->api_node, "apiVersion",
			    "unknown group \"%.60s\"; did you mean \"%s\"?", group, near);
	if (k && !strchr(group, '.'))
		return wrong_group(h, k);
	return pass_over(h, "is not acted on by orch");
}

static int classify(const struct header *h, const char *group, const struct kind **ret_kind)
{
	const struct kind *k = kind_find(h->api, h->kind);

	if (k && k->use == KIND_MADE)
		return pass_over(h, "is made by orch and not read from files");
	if (k) {
		*ret_kind = k;
		return k->use == KIND_KEPT ?
			       pass_over(h, "is kept and shown; nothing acts on it yet") : 0;
	}
	const char *const *own = group_kinds(group);
	return own ? classify_own(h, own) : classify_foreign(h, group);
}

/* What stands where a mapping should; key:value is read as one word. */
static const char *shape_of(const struct ynode *doc)
{
	if (doc->kind == Y_SEQ)
		return "a list";
	return doc->plain && strchr(doc->text, ':') ?
		"a single value; a colon needs a blank behind it: key: value" : "a single value";
}

int kind_of_document(const char *file, const struct ynode *doc, const struct kind **ret_kind,
		     struct msgs *m)
{
	struct header h = { .file = file, .doc = doc, .m = m };
	char group[254];

	*ret_kind = NULL;
	if (doc->kind != Y_MAP)
		return fail(&h, doc, "", "expected a mapping with apiVersion and kind, not %s",
			    shape_of(doc));
	int r = take_word(&h, "apiVersion", "v1 or apps/v1", &h.api, &h.api_node);
	int r2 = take_word(&h, "kind", "Deployment", &h.kind, &h.kind_node);
	if (r < 0 || r2 < 0)
		return -EINVAL;
	if (!split(h.api, group, sizeof(group)))
		return fail(&h, h.api_node, "apiVersion",
			    "\"%.60s\" is no API version like v1 or apps/v1", h.api);
	if (!kind_ok(h.kind))
		return fail(&h, h.kind_node, "kind", "\"%.60s\" is no kind like Deployment",
			    h.kind);
	return classify(&h, group, ret_kind);
}

const char *kind_of_list(struct arena *a, const char *api, const char *list)
{
	size_t n = strlen(list);
	char group[254];

	if (n < 5 || !streq(list + n - 4, "List") || !split(api, group, sizeof(group)))
		return NULL;
	const char *kind = arena_strndup(a, list, n - 4);
	const char *const *own = group_kinds(group);
	if (version_is_converted(api, kind))
		return kind;
	return own && (ours_in(group, kind) || listed(own, kind)) ? kind : NULL;
}
