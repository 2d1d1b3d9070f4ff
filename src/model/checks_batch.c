/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of Jobs and CronJobs. */
#include <stdlib.h>
#include <string.h>

#include "base/cron.h"
#include "base/macro.h"
#include "base/zone.h"
#include "model/checks.h"
#include "model/object.h"

#define CODES_MAX 255			/* of one rule */
#define PATTERNS_MAX 20			/* likewise */
#define RULES_MAX 20			/* of one policy */
#define PARALLELISM_MAX 100000		/* of an indexed Job */
#define INDEXES_MANY 100000		/* above these completions, the next bound holds */
#define MANY_PARALLELISM_MAX 10000
#define INDEXES_TEXT_MAX 65536
#define LABEL_MAX 63

static const char *text(const void *value)
{
	return *(const char *const *)value;
}

void check_exit_codes(struct check *c, const void *obj)
{
	const struct pod_failure_policy_on_exit_codes_requirement *r = obj;
	char child[32];

	if (!r->values.n || r->values.n > CODES_MAX)
		check_fail_at(c, "values", "%u codes; 1 to %d are possible", r->values.n,
			      CODES_MAX);
	for (uint32_t i = 0; i < r->values.n; i++) {
		snprintf(child, sizeof(child), "values[%u]", i);
		if (r->values.v[i] == 0 && r->op == EXIT_CODE_IN)
			check_fail_at(c, child, "0 is no failure; it cannot be listed with In");
		else if (i && r->values.v[i] <= r->values.v[i - 1])
			check_fail_at(c, child, "codes must be in rising order, each once");
	}
}

void check_failure_rule(struct check *c, const void *obj)
{
	const struct pod_failure_policy_rule *r = obj;

	if (!r->on_exit_codes == !r->on_pod_conditions.n)
		check_fail_at(c, "", "a rule has one of onExitCodes and onPodConditions");
	if (r->on_pod_conditions.n > PATTERNS_MAX)
		check_fail_at(c, "onPodConditions", "%u patterns; at most %d are possible",
			      r->on_pod_conditions.n, PATTERNS_MAX);
}

void check_success_rule(struct check *c, const void *obj)
{
	const struct success_policy_rule *r = obj;

	if (!HAS(r, success_policy_rule, succeeded_count) &&
	    !HAS(r, success_policy_rule, succeeded_indexes))
		check_fail_at(c, "", "a rule has succeededCount, succeededIndexes, or both");
}

/* One number; *s moves behind it. -1: there is none. */
static long take_index(const char **s)
{
	size_t n = strspn(*s, "0123456789");
	long v = n && n < 10 ? strtol(*s, NULL, 10) : -1;

	*s += n;
	return v;
}

/* "0,2-4,7": rising, nothing twice. The number of indexes, the highest one in *ret_last; -1 when it
 * is no such list. */
static int64_t count_indexes(const char *s, long *ret_last)
{
	int64_t count = 0;
	long last = -1;

	for (;; s++) {
		long from = take_index(&s), to = from;

		if (*s == '-') {
			s++;
			to = take_index(&s);
			if (to <= from)
				return -1;
		}
		if (from <= last || (*s && *s != ','))
			return -1;
		count += to - from + 1;
		last = to;
		if (!*s)
			break;
	}
	*ret_last = last;
	return count;
}

void check_indexes(struct check *c, const void *value)
{
	long last;

	if (strlen(text(value)) > INDEXES_TEXT_MAX)
		check_fail(c, "%zu characters; at most %d are possible", strlen(text(value)),
			   INDEXES_TEXT_MAX);
	else if (count_indexes(text(value), &last) < 0)
		check_fail(c, "\"%.60s\" is no list of rising numbers like 0,2-4,7", text(value));
}

void check_managed_by(struct check *c, const void *value)
{
	const char *s = text(value), *slash = strchr(s, '/');

	if (strlen(s) > LABEL_MAX)
		check_fail(c, "must be at most %d characters", LABEL_MAX);
	else if (!slash || slash == s || !slash[1])
		check_fail(c, "\"%.100s\" is no path with a domain like example.com/controller", s);
}

static bool has_container(const struct pod_spec *s, const char *name)
{
	return pod_container_find(s, name) >= 0;
}

static void check_failure_policy(struct check *c, const struct job_spec *s)
{
	const struct pod_failure_policy_rule_list *l = &s->pod_failure_policy->rules;
	const struct pod_spec *pods = &s->template->spec;
	char child[96];

	if (l->n > RULES_MAX)
		check_fail_at(c, "podFailurePolicy.rules", "%u rules; at most %d are possible",
			      l->n, RULES_MAX);
	if (pods->restart_policy != RESTART_NEVER)
		check_fail_at(c, "template.spec.restartPolicy",
			      "must be Never with podFailurePolicy");
	if (s->pod_replacement_policy == REPLACE_TERMINATING_OR_FAILED)
		check_fail_at(c, "podReplacementPolicy", "must be Failed with podFailurePolicy");
	for (uint32_t i = 0; i < l->n; i++) {
		const struct pod_failure_policy_rule *r = &l->v[i];
		const char *name = r->on_exit_codes ? r->on_exit_codes->container_name : NULL;

		snprintf(child, sizeof(child), "podFailurePolicy.rules[%u].action", i);
		if (r->action == FAILURE_FAIL_INDEX && !HAS(s, job_spec, backoff_limit_per_index))
			check_fail_at(c, child, "FailIndex needs backoffLimitPerIndex");
		snprintf(child, sizeof(child),
			 "podFailurePolicy.rules[%u].onExitCodes.containerName", i);
		if (name && !has_container(pods, name))
			check_fail_at(c, child, "the pod has no container \"%s\"", name);
	}
}

/* A rule asks for no more than there is. */
static void check_success_bounds(struct check *c, const struct job_spec *s, uint32_t i)
{
	const struct success_policy_rule *r = &s->success_policy->rules.v[i];
	int64_t most = s->completions;
	char child[64];
	long last = -1;

	if (r->succeeded_indexes)
		most = count_indexes(r->succeeded_indexes, &last);
	snprintf(child, sizeof(child), "successPolicy.rules[%u].succeededIndexes", i);
	if (last >= s->completions)
		check_fail_at(c, child, "%ld is no index below completions, %d", last,
			      s->completions);
	snprintf(child, sizeof(child), "successPolicy.rules[%u].succeededCount", i);
	if (most >= 0 && r->succeeded_count > most)
		check_fail_at(c, child, "%d is more than the %lld indexes there are",
			      r->succeeded_count, (long long)most);
}

static void check_success_policy(struct check *c, const struct job_spec *s)
{
	uint32_t n = s->success_policy->rules.n;

	if (s->completion_mode != COMPLETION_INDEXED) {
		check_fail_at(c, "successPolicy", "needs completionMode Indexed");
		return;
	}
	if (!n || n > RULES_MAX)
		check_fail_at(c, "successPolicy.rules", "%u rules; 1 to %d are possible", n,
			      RULES_MAX);
	for (uint32_t i = 0; i < n; i++)
		check_success_bounds(c, s, i);
}

static void check_indexed(struct check *c, const struct job_spec *s)
{
	bool per_index = HAS(s, job_spec, backoff_limit_per_index);

	if (!HAS(s, job_spec, completions))
		check_fail_at(c, "completions", "missing; completionMode Indexed needs it");
	if (s->parallelism > PARALLELISM_MAX)
		check_fail_at(c, "parallelism", "%d is more than %d, the most of an indexed Job",
			      s->parallelism, PARALLELISM_MAX);
	if (HAS(s, job_spec, max_failed_indexes) && s->max_failed_indexes > s->completions)
		check_fail_at(c, "maxFailedIndexes", "%d is more than completions, %d",
			      s->max_failed_indexes, s->completions);
	if (!per_index || s->completions <= INDEXES_MANY)
		return;
	if (!HAS(s, job_spec, max_failed_indexes) || s->max_failed_indexes > MANY_PARALLELISM_MAX)
		check_fail_at(c, "maxFailedIndexes",
			      "must be at most %d with more than %d completions and "
			      "backoffLimitPerIndex",
			      MANY_PARALLELISM_MAX, INDEXES_MANY);
	if (s->parallelism > MANY_PARALLELISM_MAX)
		check_fail_at(c, "parallelism",
			      "must be at most %d with more than %d completions and "
			      "backoffLimitPerIndex",
			      MANY_PARALLELISM_MAX, INDEXES_MANY);
}

static void check_not_indexed(struct check *c, const struct job_spec *s)
{
	if (HAS(s, job_spec, backoff_limit_per_index))
		check_fail_at(c, "backoffLimitPerIndex", "needs completionMode Indexed");
	else if (HAS(s, job_spec, max_failed_indexes))
		check_fail_at(c, "maxFailedIndexes", "needs backoffLimitPerIndex");
}

static void check_job_template(struct check *c, const struct pod_template *t)
{
	const struct pod_spec *s = &t->spec;

	if (!HAS(s, pod_spec, restart_policy))
		check_fail_at(c, "template.spec.restartPolicy",
			      "missing; here it must be OnFailure or Never");
	else if (s->restart_policy == RESTART_ALWAYS)
		check_fail_at(c, "template.spec.restartPolicy",
			      "must be OnFailure or Never here, not Always");
	check_volume_mounts(c, "template.spec", s, NULL);
}

void check_job_spec(struct check *c, const void *obj)
{
	const struct job_spec *s = obj;

	check_job_template(c, s->template);
	if (s->completion_mode == COMPLETION_INDEXED)
		check_indexed(c, s);
	else
		check_not_indexed(c, s);
	if (s->pod_failure_policy)
		check_failure_policy(c, s);
	if (s->success_policy)
		check_success_policy(c, s);
}

static void check_own_selector(struct check *c, const struct job_spec *s)
{
	const struct label_selector *l = s->selector;

	if (!s->manual_selector && l)
		check_fail_at(c, "spec.selector",
			      "is made by orch; to set it, set manualSelector: true");
	else if (s->manual_selector && (!l || (!l->match_labels.n && !l->match_expressions.n)))
		check_fail_at(c, "spec.selector", "must not be empty with manualSelector: true");
	else if (s->manual_selector && !selector_matches(l, &s->template->metadata.labels))
		check_fail_at(c, "spec.template.metadata.labels", "do not match the selector");
}

/* Pods of an indexed Job have the name of the Job and their number as a host name. */
static void check_host_names(struct check *c, const struct job *j)
{
	char host[320];

	snprintf(host, sizeof(host), "%.280s-%d", j->metadata.name, j->spec.completions - 1);
	if (strlen(host) > LABEL_MAX)
		check_fail_at(c, "metadata.name",
			      "\"%.100s\" is too long: with the index, at most %d characters are "
			      "possible",
			      j->metadata.name, LABEL_MAX);
}

void check_job(struct check *c, const void *obj)
{
	const struct job *j = obj;

	check_own_selector(c, &j->spec);
	if (j->spec.completion_mode == COMPLETION_INDEXED && j->spec.completions > 0 &&
	    j->metadata.name)
		check_host_names(c, j);
}

void check_schedule(struct check *c, const void *value)
{
	const char *s = text(value);
	struct cron cron;
	struct err err = { 0 };

	if (strncmp(s, "TZ=", 3) == 0 || strncmp(s, "CRON_TZ=", 8) == 0)
		check_fail(c, "a time zone belongs in timeZone");
	else if (cron_parse(s, &cron, &err) < 0)
		check_fail(c, "\"%.100s\": %s", s, err.msg);
}

void check_time_zone(struct check *c, const void *value)
{
	struct arena scratch = { 0 };
	const struct zone *zone;
	struct err err = { 0 };

	if (zone_load(&scratch, text(value), ZONE_DIR, &zone, &err) < 0)
		check_fail(c, "%s", err.msg);
	arena_release(&scratch);
}

void check_cronjob_spec(struct check *c, const void *obj)
{
	const struct cronjob_spec *s = obj;

	if (s->job_template->spec.selector)
		check_fail_at(c, "jobTemplate.spec.selector",
			      "cannot be set: each Job gets its own");
	if (s->job_template->spec.manual_selector)
		check_fail_at(c, "jobTemplate.spec.manualSelector",
			      "cannot be true: each Job gets its own selector");
}
