/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of HorizontalPodAutoscalers and PodDisruptionBudgets. */
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/object.h"

void check_tolerance(struct check *c, const void *value)
{
	const struct quantity *q = value;

	if (q->milli < 0)
		check_fail(c, "%s is less than 0", q->text);
}

void check_metric_amount(struct check *c, const void *value)
{
	const struct quantity *q = value;

	if (q->milli <= 0)
		check_fail(c, "%s must be more than 0", q->text);
}

/* What may be one part of a URL's path. */
void check_metric_name(struct check *c, const void *value)
{
	const char *s = *(const char *const *)value;

	if (!*s)
		check_fail(c, "must not be empty");
	else if (streq(s, ".") || streq(s, ".."))
		check_fail(c, "must not be \"%s\"", s);
	else if (strpbrk(s, "/%"))
		check_fail(c, "\"%.100s\" must not contain \"/\" or \"%%\"", s);
}

void check_scaling_rules(struct check *c, const void *obj)
{
	const struct hpa_scaling_rules *r = obj;

	if (HAS(r, hpa_scaling_rules, policies) && !r->policies.n)
		check_fail_at(c, "policies", "must not be empty");
}

/* The members of a target, as bits. */
enum { HAS_UTILIZATION = 1, HAS_VALUE = 2, HAS_AVERAGE = 4 };

static unsigned target_has(const struct metric_target *t)
{
	return (HAS(t, metric_target, average_utilization) ? HAS_UTILIZATION : 0) |
	       (HAS(t, metric_target, value) ? HAS_VALUE : 0) |
	       (HAS(t, metric_target, average_value) ? HAS_AVERAGE : 0);
}

/* As in Kubernetes, what is given counts, whatever type says. */
void check_metric_target(struct check *c, const void *obj)
{
	static const struct { unsigned bit; const char *key; } members[] = {
		[TARGET_UTILIZATION] = { HAS_UTILIZATION, "averageUtilization" },
		[TARGET_VALUE] = { HAS_VALUE, "value" },
		[TARGET_AVERAGE_VALUE] = { HAS_AVERAGE, "averageValue" },
	};
	const struct metric_target *t = obj;
	unsigned has = target_has(t);

	if (has && !(has & members[t->type].bit))
		check_warn_at(c, "type", "%s names %s, which is not there; what is there counts",
			      metric_target_type_values.values[t->type], members[t->type].key);
}

/* possible: what the metric may be measured by; more: by several at once. */
static void check_target(struct check *c, const struct metric_target *t, unsigned possible,
			 const char *words, bool more)
{
	unsigned has = target_has(t) & possible;

	if (!has)
		check_fail_at(c, "target", "this kind of metric needs %s", words);
	else if (!more && (has & (has - 1)))
		check_fail_at(c, "target", "has more than one of %s", words);
}

void check_resource_metric(struct check *c, const void *obj)
{
	const struct resource_metric_source *m = obj;

	check_target(c, m->target, HAS_UTILIZATION | HAS_AVERAGE,
		     "averageUtilization or averageValue", false);
}

void check_container_resource_metric(struct check *c, const void *obj)
{
	const struct container_resource_metric_source *m = obj;

	check_target(c, m->target, HAS_UTILIZATION | HAS_AVERAGE,
		     "averageUtilization or averageValue", false);
}

void check_pods_metric(struct check *c, const void *obj)
{
	const struct pods_metric_source *m = obj;

	check_target(c, m->target, HAS_AVERAGE, "averageValue", false);
}

void check_object_metric(struct check *c, const void *obj)
{
	const struct object_metric_source *m = obj;

	check_target(c, m->target, HAS_VALUE | HAS_AVERAGE, "value or averageValue", true);
}

void check_external_metric(struct check *c, const void *obj)
{
	const struct external_metric_source *m = obj;

	check_target(c, m->target, HAS_VALUE | HAS_AVERAGE, "value or averageValue", false);
}

void check_metric_spec(struct check *c, const void *obj)
{
	const struct metric_spec *m = obj;
	const struct { const char *key; const void *source; } members[] = {
		[METRIC_OBJECT] = { "object", m->object },
		[METRIC_PODS] = { "pods", m->pods },
		[METRIC_RESOURCE] = { "resource", m->resource },
		[METRIC_EXTERNAL] = { "external", m->external },
		[METRIC_CONTAINER_RESOURCE] = { "containerResource", m->container_resource },
	};

	for (size_t i = METRIC_OBJECT; i < ARRAY_SIZE(members); i++) {
		if (i == m->type && !members[i].source)
			check_fail_at(c, members[i].key, "missing; type %s needs it",
				      metric_source_type_values.values[i]);
		else if (i != m->type && members[i].source)
			check_fail_at(c, members[i].key, "is not what type %s names",
				      metric_source_type_values.values[m->type]);
	}
}

void check_hpa_spec(struct check *c, const void *obj)
{
	const struct hpa_spec *s = obj;
	bool from_zero = false;

	for (uint32_t i = 0; i < s->metrics.n; i++)
		from_zero |= s->metrics.v[i].type == METRIC_OBJECT ||
			     s->metrics.v[i].type == METRIC_EXTERNAL;
	if (!s->min_replicas && !from_zero)
		check_fail_at(c, "minReplicas",
			      "must be at least 1 without an Object or External metric");
	else if (s->max_replicas < s->min_replicas)
		check_fail_at(c, "maxReplicas", "%d is less than minReplicas, %d",
			      s->max_replicas, s->min_replicas);
}

void check_pdb_spec(struct check *c, const void *obj)
{
	const struct pdb_spec *s = obj;

	if (HAS(s, pdb_spec, min_available) && HAS(s, pdb_spec, max_unavailable))
		check_fail_at(c, "maxUnavailable", "cannot be set together with minAvailable");
}
