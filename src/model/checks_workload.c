/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of Deployments and ReplicaSets. */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "model/checks.h"
#include "model/object.h"

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

static void check_template(struct check *c, const struct pod_template *t)
{
	if (t->spec.restart_policy != RESTART_ALWAYS)
		check_fail_at(c, "template.spec.restartPolicy", "must be Always here, not %s",
			      restart_policy_values.values[t->spec.restart_policy]);
}

void check_workload_selector_rs(struct check *c, const void *obj)
{
	const struct replicaset_spec *s = obj;

	check_selector(c, s->selector, s->template);
	check_template(c, s->template);
}

void check_deployment_spec(struct check *c, const void *obj)
{
	const struct deployment_spec *s = obj;

	check_selector(c, s->selector, s->template);
	check_template(c, s->template);
	if (s->progress_deadline_seconds <= s->min_ready_seconds)
		check_fail_at(c, "progressDeadlineSeconds",
			      "%d must be more than minReadySeconds, %d",
			      s->progress_deadline_seconds, s->min_ready_seconds);
}
