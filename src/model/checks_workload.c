/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of what keeps pods running: Deployments, ReplicaSets, ReplicationControllers,
 * StatefulSets, DaemonSets. What they have in common is that a selector matches the labels of the
 * template, and that their pods have no end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/object.h"
#include "schema/schema.h"

void check_int_or_percent(struct check *c, const void *value)
{
	const struct intstr *v = value;

	if (!v->str && v->num < 0)
		check_fail(c, "%d is less than 0", v->num);
	else if (v->str && *v->str && !v->str[strspn(v->str, "0123456789")])
		check_fail(c, "\"%.60s\" is a string; remove the quotes, or append %%", v->str);
	else if (v->str)
		check_name(c, "", NAME_PERCENT, v->str);
}

void check_max_unavailable(struct check *c, const void *value)
{
	const struct intstr *v = value;

	check_int_or_percent(c, value);
	if (v->str && name_ok(NAME_PERCENT, v->str) && strtol(v->str, NULL, 10) > 100)
		check_fail(c, "\"%.60s\" is more than 100%%", v->str);
}

static bool zero(const struct intstr *v)
{
	return v->str ? strtol(v->str, NULL, 10) == 0 : v->num == 0;
}

void check_some_unavailable(struct check *c, const void *value)
{
	const struct intstr *v = value;

	check_max_unavailable(c, value);
	if (!v->str ? v->num == 0 : name_ok(NAME_PERCENT, v->str) && zero(v))
		check_fail(c, "must not be 0");
}

void check_service_name(struct check *c, const void *value)
{
	const char *name = *(const char *const *)value;

	if (*name)
		check_name(c, "", NAME_SUBDOMAIN, name);
}

void check_strategy(struct check *c, const void *obj)
{
	const struct deployment_strategy *s = obj;
	const struct rolling_update *r = s->rolling_update;

	if (r && s->type == STRATEGY_RECREATE)
		check_fail_at(c, "rollingUpdate", "is possible with type RollingUpdate only");
	else if (r && zero(&r->max_surge) && zero(&r->max_unavailable))
		check_fail_at(c, "rollingUpdate.maxUnavailable",
			      "must not be 0 while maxSurge is 0");
}

static void check_selector(struct check *c, const struct label_selector *s,
			   const struct pod_template *t)
{
	if (!s->match_labels.n && !s->match_expressions.n)
		check_fail_at(c, "selector", "must not be empty");
	else if (!selector_matches(s, &t->metadata.labels))
		check_fail_at(c, "template.metadata.labels", "do not match the selector");
}

/* Of pods that are replaced when they end. */
static void check_template(struct check *c, const struct pod_template *t, const struct strs *claims)
{
	const struct pod_spec *s = &t->spec;

	if (s->restart_policy != RESTART_ALWAYS)
		check_fail_at(c, "template.spec.restartPolicy", "must be Always here, not %s",
			      restart_policy_values.values[s->restart_policy]);
	if (HAS(s, pod_spec, active_deadline_seconds))
		check_fail_at(c, "template.spec.activeDeadlineSeconds",
			      "is possible for Pods and Jobs only");
	check_volume_mounts(c, "template.spec", s, claims);
}

void check_replicaset_spec(struct check *c, const void *obj)
{
	const struct replicaset_spec *s = obj;

	check_selector(c, s->selector, s->template);
	check_template(c, s->template, NULL);
}

void check_deployment_spec(struct check *c, const void *obj)
{
	const struct deployment_spec *s = obj;

	check_selector(c, s->selector, s->template);
	check_template(c, s->template, NULL);
	if (s->progress_deadline_seconds <= s->min_ready_seconds)
		check_fail_at(c, "progressDeadlineSeconds",
			      "%d must be more than minReadySeconds, %d",
			      s->progress_deadline_seconds, s->min_ready_seconds);
}

/* A selector that is absent is the template's labels. */
void check_replication_controller_spec(struct check *c, const void *obj)
{
	const struct replication_controller_spec *s = obj;
	const struct strmap *labels = &s->template->metadata.labels;

	if (!s->selector.n && !labels->n)
		check_fail_at(c, "selector",
			      "missing; it, or labels of the template, must tell the pods");
	else if (!strmap_contains(labels, &s->selector))
		check_fail_at(c, "template.metadata.labels", "do not match the selector");
	check_template(c, s->template, NULL);
}

void check_statefulset_strategy(struct check *c, const void *obj)
{
	const struct statefulset_update_strategy *s = obj;

	if (s->rolling_update && s->type == UPDATE_ON_DELETE)
		check_fail_at(c, "rollingUpdate", "is possible with type RollingUpdate only");
}

/* Claims take their names from the templates: each needs one of its own. */
static void check_claims(struct check *c, const struct claim_template_list *l, struct strs *names)
{
	char child[64];

	for (uint32_t i = 0; i < l->n; i++) {
		const char *name = l->v[i].metadata.name;

		snprintf(child, sizeof(child), "volumeClaimTemplates[%u].metadata.name", i);
		if (name)
			check_name(c, child, NAME_LABEL, name);
		else
			check_fail_at(c, child, "missing; it is required");
		for (uint32_t k = 0; name && k < names->n; k++) {
			if (streq(names->v[k], name))
				check_fail_at(c, child, "duplicate name \"%s\"", name);
		}
		if (name)
			names->v[names->n++] = name;
	}
}

void check_statefulset_spec(struct check *c, const void *obj)
{
	const struct statefulset_spec *s = obj;
	struct strs claims = { calloc(s->volume_claim_templates.n + 1, sizeof(char *)), 0 };

	if (!claims.v)
		abort();
	check_selector(c, s->selector, s->template);
	check_claims(c, &s->volume_claim_templates, &claims);
	check_template(c, s->template, &claims);
	free(claims.v);
}

/* On one node there is one or the other: the old pod goes first, or the new one comes first. */
void check_daemonset_rolling_update(struct check *c, const void *obj)
{
	const struct daemonset_rolling_update *r = obj;

	if (zero(&r->max_surge) && zero(&r->max_unavailable))
		check_fail_at(c, "maxUnavailable", "must not be 0 while maxSurge is 0");
	else if (!zero(&r->max_surge) && !zero(&r->max_unavailable))
		check_fail_at(c, "maxSurge", "must be 0 unless maxUnavailable is 0%s",
			      HAS(r, daemonset_rolling_update, max_unavailable) ?
				      "" : "; it is 1 when absent");
}

void check_daemonset_spec(struct check *c, const void *obj)
{
	const struct daemonset_spec *s = obj;

	check_selector(c, s->selector, s->template);
	check_template(c, s->template, NULL);
}

void check_pod_template_object(struct check *c, const void *obj)
{
	const struct pod_template_object *t = obj;

	check_volume_mounts(c, "template.spec", &t->template->spec, NULL);
}
