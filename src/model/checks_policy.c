/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of LimitRanges, ResourceQuotas, PriorityClasses and Nodes. */
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/types.h"
#include "schema/schema.h"

/* ---- names of resources ---- */

static bool listed(const char *const *words, const char *word)
{
	for (; *words; words++) {
		if (streq(*words, word))
			return true;
	}
	return false;
}

/* Things of which there are so many: no fractions. */
static const char *const counts[] = {
	"pods", "services", "services.nodeports", "services.loadbalancers", "configmaps",
	"secrets", "replicationcontrollers", "resourcequotas", "persistentvolumeclaims", NULL,
};

static const char *const amounts[] = {
	"cpu", "memory", "ephemeral-storage", "storage", "requests.cpu", "requests.memory",
	"requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
	"limits.ephemeral-storage", NULL,
};

static bool huge_pages(const char *name)
{
	if (strncmp(name, "requests.", 9) == 0)
		name += 9;
	return strncmp(name, "hugepages-", 10) == 0 && name[10];
}

void check_quota_value(struct check *c, const void *value)
{
	const struct qtypair *p = value;

	if (p->v.milli < 0)
		check_fail(c, "%s is less than 0", p->v.text);
}

void check_quota(struct check *c, const void *value)
{
	const struct qtypair *p = value;
	bool count = listed(counts, p->k) || strncmp(p->k, "count/", 6) == 0;
	const char *all[ARRAY_SIZE(counts) + ARRAY_SIZE(amounts)] = { NULL };
	size_t n = 0;

	check_quota_value(c, value);
	if (count && p->v.milli % 1000)
		check_fail(c, "%s is no whole number", p->v.text);
	if (count || listed(amounts, p->k) || huge_pages(p->k))
		return;
	if (strchr(p->k, '/')) {
		const char *problem = name_problem(NAME_QUALIFIED, p->k);
		if (problem)
			check_fail(c, "resource \"%.100s\" %s", p->k, problem);
		return;
	}
	for (size_t i = 0; counts[i]; i++)
		all[n++] = counts[i];
	for (size_t i = 0; amounts[i]; i++)
		all[n++] = amounts[i];
	const char *near = suggest(p->k, all);
	check_fail(c, "unknown resource \"%.60s\"%s%s%s", p->k, near ? "; did you mean \"" : "",
		   near ? near : "", near ? "\"?" : "");
}

/* ---- LimitRange ---- */

/* The bounds of one resource from the least to the most; each must not be more than the next. */
struct bound { const char *field; const struct qtymap *of; };

static void check_order(struct check *c, const struct bound *bounds, size_t n)
{
	char child[320];

	for (size_t i = 1; i < n; i++) {
		for (uint32_t k = 0; k < bounds[i].of->n; k++) {
			const struct qtypair *p = &bounds[i].of->v[k];

			for (size_t below = 0; below < i; below++) {
				const struct quantity *q = qtymap_get(bounds[below].of, p->k);
				if (!q || q->milli <= p->v.milli)
					continue;
				snprintf(child, sizeof(child), "%s[%.253s]", bounds[below].field,
					 p->k);
				check_fail_at(c, child, "%s is more than %s, %s", q->text,
					      bounds[i].field, p->v.text);
			}
		}
	}
}

static void check_ratios(struct check *c, const struct limit_range_item *item)
{
	char child[320];

	for (uint32_t i = 0; i < item->max_limit_request_ratio.n; i++) {
		const struct qtypair *p = &item->max_limit_request_ratio.v[i];
		const struct quantity *min = qtymap_get(&item->min, p->k);
		const struct quantity *max = qtymap_get(&item->max, p->k);

		snprintf(child, sizeof(child), "maxLimitRequestRatio[%.253s]", p->k);
		if (p->v.milli < 1000)
			check_fail_at(c, child, "%s is less than 1", p->v.text);
		else if (min && max && min->milli > 0 &&
			 (double)p->v.milli / 1000 > (double)max->milli / (double)min->milli)
			check_fail_at(c, child, "%s is more than max / min, %s / %s", p->v.text,
				      max->text, min->text);
	}
}

void check_limit_range_item(struct check *c, const void *obj)
{
	const struct limit_range_item *item = obj;
	const struct bound bounds[] = {
		{ "min", &item->min }, { "defaultRequest", &item->default_request },
		{ "default", &item->dflt }, { "max", &item->max },
	};

	if (item->type == LIMIT_POD && item->dflt.n)
		check_fail_at(c, "default", "is not possible with type Pod");
	if (item->type == LIMIT_POD && item->default_request.n)
		check_fail_at(c, "defaultRequest", "is not possible with type Pod");
	if (item->type == LIMIT_PVC && !qtymap_get(&item->min, "storage") &&
	    !qtymap_get(&item->max, "storage"))
		check_fail(c, "type PersistentVolumeClaim needs min or max of storage");
	check_order(c, bounds, ARRAY_SIZE(bounds));
	check_ratios(c, item);
}

void check_limit_range_spec(struct check *c, const void *obj)
{
	const struct limit_range_spec *s = obj;
	char child[64];

	for (uint32_t i = 0; i < s->limits.n; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (s->limits.v[i].type != s->limits.v[k].type)
				continue;
			snprintf(child, sizeof(child), "limits[%u].type", i);
			check_fail_at(c, child, "%s is already there",
				      limit_type_values.values[s->limits.v[i].type]);
		}
	}
}

/* ---- ResourceQuota ---- */

void check_scope_requirement(struct check *c, const void *obj)
{
	const struct scope_requirement *r = obj;
	bool values = r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN;
	bool named = r->scope_name == QUOTA_PRIORITY_CLASS ||
		     r->scope_name == QUOTA_VOLUME_ATTRIBUTES_CLASS;

	if (!named && r->op != SELECTOR_EXISTS)
		check_fail_at(c, "operator", "scope %s takes the operator Exists only",
			      quota_scope_values.values[r->scope_name]);
	else if (values && !r->values.n)
		check_fail_at(c, "values", "operator %s needs at least one value",
			      selector_operator_values.values[r->op]);
	else if (!values && r->values.n)
		check_fail_at(c, "values", "operator %s takes no values",
			      selector_operator_values.values[r->op]);
}

void check_quota_scope(struct check *c, const void *value)
{
	check_word(c, &quota_scope_values, *(const char *const *)value);
}

static bool has_scope(const struct resource_quota_spec *s, enum quota_scope scope)
{
	for (uint32_t i = 0; i < s->scopes.n; i++) {
		if (streq(s->scopes.v[i], quota_scope_values.values[scope]))
			return true;
	}
	return false;
}

/* BestEffort pods have no requests and limits, so that only their number can be bounded. */
static void check_best_effort(struct check *c, const struct resource_quota_spec *s)
{
	char child[320];

	for (uint32_t i = 0; has_scope(s, QUOTA_BEST_EFFORT) && i < s->hard.n; i++) {
		if (streq(s->hard.v[i].k, "pods"))
			continue;
		snprintf(child, sizeof(child), "hard[%.253s]", s->hard.v[i].k);
		check_fail_at(c, child, "scope BestEffort bounds pods only");
	}
}

void check_resource_quota_spec(struct check *c, const void *obj)
{
	static const enum quota_scope opposite[][2] = {
		{ QUOTA_TERMINATING, QUOTA_NOT_TERMINATING },
		{ QUOTA_BEST_EFFORT, QUOTA_NOT_BEST_EFFORT },
	};
	const struct resource_quota_spec *s = obj;

	for (size_t i = 0; i < ARRAY_SIZE(opposite); i++) {
		if (has_scope(s, opposite[i][0]) && has_scope(s, opposite[i][1]))
			check_fail_at(c, "scopes", "%s and %s exclude each other",
				      quota_scope_values.values[opposite[i][0]],
				      quota_scope_values.values[opposite[i][1]]);
	}
	check_best_effort(c, s);
}

/* ---- classes and nodes ---- */

void check_priority_class(struct check *c, const void *obj)
{
	static const char *const builtin[] = {
		"system-node-critical", "system-cluster-critical", NULL,
	};
	const char *name = ((const struct priority_class *)obj)->metadata.name;

	if (name && strncmp(name, "system-", 7) == 0 && !listed(builtin, name))
		check_fail_at(c, "metadata.name", "\"%.60s\" begins with \"system-\", which is "
						  "Kubernetes' own", name);
}

void check_node_spec(struct check *c, const void *obj)
{
	const struct node_spec *s = obj;
	char child[64];

	for (uint32_t i = 0; i < s->taints.n; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (s->taints.v[i].effect != s->taints.v[k].effect ||
			    !streq(s->taints.v[i].key, s->taints.v[k].key))
				continue;
			snprintf(child, sizeof(child), "taints[%u]", i);
			check_fail_at(c, child, "%.60s with effect %s is already there",
				      s->taints.v[i].key,
				      taint_effect_values.values[s->taints.v[i].effect]);
		}
	}
}
