/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * podFailurePolicy: the first rule that fits a pod that failed says what this leads to. A pod whose
 * sandbox was lost through no fault of its own has the condition DisruptionTarget, as those of
 * disruption.c have.
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
 */
#include "control/job.h"

static bool code_fits(const struct pod_failure_policy_on_exit_codes_requirement *q, int code)
{
	bool listed = false;

	for (uint32_t i = 0; i < q->values.n; i++)
		listed |= q->values.v[i] == code;
	return code && (q->op == EXIT_CODE_IN ? listed : !listed);
}

static int exit_code(const struct observed_container *c)
{
	if (c->phase == RUN_FAILED)
		return 128;	/* as its status says */
	return c->end.signal ? 128 + c->end.signal : c->end.exit_code;
}

/* The container that fits; NULL: none. */
static const struct observed_container *
codes_fit(const struct pod_failure_policy_on_exit_codes_requirement *q, const struct member *m)
{
	for (uint32_t i = 0; m->seen && i < m->seen->ncontainers; i++) {
		const struct observed_container *c = &m->seen->containers[i];

		if (c->phase != RUN_ENDED && c->phase != RUN_FAILED)
			continue;
		if (q->container_name && !streq(q->container_name, c->name))
			continue;
		if (code_fits(q, exit_code(c)))
			return c;
	}
	return NULL;
}

/* The status of a condition of a pod that failed. */
static enum pattern_status condition_of(const struct member *m, const char *type)
{
	const struct pod_spec *s = &m->want.object.pod->spec;
	bool initialized = true;

	for (uint32_t i = 0; i < s->init_containers.n; i++)
		initialized &= container_lets_pass(m, i);
	if (streq(type, "DisruptionTarget"))
		return m->disrupted || (m->lost && !m->finished) ? PATTERN_TRUE :
								  pattern_status_unset;
	if (streq(type, "PodScheduled"))
		return PATTERN_TRUE;
	if (streq(type, "Initialized"))
		return initialized ? PATTERN_TRUE : PATTERN_FALSE;
	if (streq(type, "Ready") || streq(type, "ContainersReady"))
		return PATTERN_FALSE;
	return pattern_status_unset;
}

static const char *conditions_fit(const struct pod_failure_policy_rule *rule,
				  const struct member *m)
{
	for (uint32_t i = 0; i < rule->on_pod_conditions.n; i++) {
		const struct pod_failure_policy_on_pod_conditions_pattern *q =
			&rule->on_pod_conditions.v[i];
		enum pattern_status wanted = q->status ? q->status : PATTERN_TRUE;

		if (condition_of(m, q->type) == wanted)
			return q->type;
	}
	return NULL;
}

static const char *action_word(enum failure_action action)
{
	return action == FAILURE_FAIL_JOB ? "FailJob" : action == FAILURE_FAIL_INDEX ?
		"FailIndex" : action == FAILURE_IGNORE ? "Ignore" : "Count";
}

/* Why the rule fits, in Kubernetes' words; NULL: it does not. */
static const char *rule_fits(struct job_run *r, const struct pod_failure_policy_rule *rule,
			     uint32_t number, const struct member *m)
{
	const struct meta *pod = m->want.object.meta;
	const struct observed_container *c;
	const char *type;

	if (rule->on_exit_codes && (c = codes_fit(rule->on_exit_codes, m)))
		return arena_printf(r->p->a, "Container %s for pod %s/%s failed with exit code %d "
				    "matching %s rule at index %u", c->name, pod->namespace,
				    pod->name, exit_code(c), action_word(rule->action), number);
	if ((type = conditions_fit(rule, m)))
		return arena_printf(r->p->a, "Pod %s/%s has condition %s matching %s rule at index %u",
				    pod->namespace, pod->name, type, action_word(rule->action),
				    number);
	return NULL;
}

enum failure_action job_failure_action(struct job_run *r, const struct member *m,
				       const char **ret_message)
{
	const struct pod_failure_policy *policy = r->spec->pod_failure_policy;

	for (uint32_t i = 0; policy && i < policy->rules.n; i++) {
		const char *why = rule_fits(r, &policy->rules.v[i], i, m);

		if (!why)
			continue;
		*ret_message = why;
		return policy->rules.v[i].action;
	}
	return FAILURE_COUNT;
}
