/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of what containers may use. Resources with a "/" in their name are extended ones, like
 * devices: they are counted, and never promised beyond the limit.
 */
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/object.h"
#include "schema/schema.h"

static bool is_huge(const char *name)
{
	return strncmp(name, "hugepages-", 10) == 0 && name[10];
}

static bool is_extended(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash && !(slash - name >= 13 && strncmp(slash - 13, "kubernetes.io", 13) == 0);
}

/* Has it a name that Kubernetes takes? */
static bool check_resource_name(struct check *c, const char *name)
{
	static const char *const known[] = { "cpu", "memory", "ephemeral-storage", NULL };

	for (size_t i = 0; known[i]; i++) {
		if (streq(known[i], name))
			return true;
	}
	if (strchr(name, '/'))
		check_name(c, "", NAME_QUALIFIED, name);
	if (strchr(name, '/') || is_huge(name))
		return true;
	const char *near = suggest(name, known);
	check_fail(c, "unknown resource \"%.60s\"; %s%s%s", name,
		   near ? "did you mean \"" : "expected cpu, memory, ephemeral-storage, "
		   "hugepages-SIZE or a name with a domain", near ? near : "", near ? "\"?" : "");
	return false;
}

void check_resource(struct check *c, const void *value)
{
	const struct qtypair *p = value;
	bool memory = streq(p->k, "memory");
	bool acts = memory || streq(p->k, "cpu") || streq(p->k, "ephemeral-storage") ||
		    streq(p->k, "hugepages-2Mi") || streq(p->k, "hugepages-1Gi");

	if (!check_resource_name(c, p->k))
		return;
	if (p->v.milli < 0)
		check_fail(c, "%s is less than 0", p->v.text);
	else if (memory && p->v.milli % 1000)
		check_warn_at(c, "",
			      "%s is no whole number of bytes: m means thousandths, M millions",
			      p->v.text);
	else if (is_extended(p->k) && p->v.milli % 1000)
		check_fail(c, "%s is no whole number", p->v.text);
	if (!acts)
		check_warn_at(c, "", "known to Kubernetes, not acted on by orch");
}

void check_resize_resource(struct check *c, const void *value)
{
	const char *name = *(const char *const *)value;

	if (!streq(name, "cpu") && !streq(name, "memory"))
		check_fail(c, "\"%.60s\" is not cpu or memory", name);
}

/* A container that never restarts can't restart for its resources. */
void check_resize_policy(struct check *c, const char *at, const struct pod_spec *s, uint32_t i)
{
	const struct container_resize_policy_list *l = &pod_container(s, i)->resize_policy;
	char child[128];

	if (l->n && pod_container_role(s, i) == ROLE_INIT)
		check_fail_at(c, at, "is possible for an init container with restartPolicy "
				     "Always only");
	for (uint32_t n = 0; n < l->n; n++) {
		const struct container_resize_policy *p = &l->v[n];

		snprintf(child, sizeof(child), "%s[%u]", at, n);
		for (uint32_t k = 0; k < n; k++)
			if (streq(l->v[k].resource_name, p->resource_name))
				check_fail_at(c, child, "duplicate resource \"%s\"",
					      p->resource_name);
		if (s->restart_policy == RESTART_NEVER &&
		    p->restart_policy == RESIZE_RESTART_CONTAINER)
			check_fail_at(c, child, "must be NotRequired with restartPolicy Never");
	}
}

static void check_request(struct check *c, const struct qtypair *p, const struct quantity *limit)
{
	bool exact = is_extended(p->k) || is_huge(p->k);
	char child[64];

	snprintf(child, sizeof(child), "requests[%.40s]", p->k);
	if (!limit && exact)
		check_fail_at(c, child, "%.40s needs a limit, too", p->k);
	else if (limit && exact && p->v.milli != limit->milli)
		check_fail_at(c, child, "%s must be the limit, %s", p->v.text, limit->text);
	else if (limit && p->v.milli > limit->milli)
		check_fail_at(c, child, "%s is more than the limit, %s", p->v.text, limit->text);
}

/* Huge pages are used besides memory or CPU time. */
static void check_huge(struct check *c, const char *child, const struct qtymap *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (is_huge(m->v[i].k) && !qtymap_get(m, "cpu") && !qtymap_get(m, "memory")) {
			check_fail_at(c, child, "huge pages need cpu or memory as well");
			return;
		}
	}
}

static void check_claims(struct check *c, const struct resource_claim_list *l)
{
	char child[64];

	for (uint32_t i = 0; i < l->n; i++) {
		for (uint32_t k = i + 1; k < l->n; k++) {
			const char *x = l->v[i].request, *y = l->v[k].request;

			snprintf(child, sizeof(child), "claims[%u]", k);
			if (streq(l->v[i].name, l->v[k].name) && (!x || !y || streq(x, y)))
				check_fail_at(c, child, "duplicate claim \"%s\"", l->v[k].name);
		}
	}
}

void check_resources(struct check *c, const void *obj)
{
	const struct resource_requirements *r = obj;

	for (uint32_t i = 0; i < r->requests.n; i++)
		check_request(c, &r->requests.v[i], qtymap_get(&r->limits, r->requests.v[i].k));
	check_huge(c, r->limits.n ? "limits" : "requests", r->limits.n ? &r->limits : &r->requests);
	check_claims(c, &r->claims);
}
