/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of wrong Jobs and CronJobs, to the column. The grammar of schedules and the names of time
 * zones have tests of their own (tests/unit/base).
 */
#include "messages.h"

#define ONCE "template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'rootfs:/'}]}}"
#define BOX "containers: [{name: a, image: 'rootfs:/'}]"
#define JOB "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\nspec:\n"
#define CRONJOB "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec:\n"

static const struct message_case cases[] = {
	/* Job */
	{
		JOB
		"  " ONCE "\n",
		""
	},
	{
		JOB
		"  template: {spec: {" BOX "}}\n",
		"t.yaml:5:20: spec.template.spec.restartPolicy: missing; here it must be OnFailure or Never\n"
	},
	{
		JOB
		"  template: {spec: {restartPolicy: Always, " BOX "}}\n",
		"t.yaml:5:36: spec.template.spec.restartPolicy: must be OnFailure or Never here, not Always\n"
	},
	{
		JOB
		"  template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'rootfs:/', volumeMounts: [{name: d, mountPath: /d}]}]}}\n",
		"t.yaml:5:107: spec.template.spec.containers[0].volumeMounts[0].name: the pod has no volume \"d\"\n"
	},
	{
		JOB
		"  parallelism: -1\n"
		"  completions: -1\n"
		"  backoffLimit: -1\n"
		"  activeDeadlineSeconds: -1\n"
		"  ttlSecondsAfterFinished: -1\n"
		"  " ONCE "\n",
		"t.yaml:5:16: spec.parallelism: -1 is less than 0\n"
		"t.yaml:6:16: spec.completions: -1 is less than 0\n"
		"t.yaml:7:17: spec.backoffLimit: -1 is less than 0\n"
		"t.yaml:8:26: spec.activeDeadlineSeconds: -1 is less than 0\n"
		"t.yaml:9:28: spec.ttlSecondsAfterFinished: -1 is less than 0\n"
	},
	{
		JOB
		"  completionMode: indexed\n"
		"  podReplacementPolicy: failed\n"
		"  suspend: \"true\"\n"
		"  " ONCE "\n",
		"t.yaml:5:19: spec.completionMode: \"indexed\" is not NonIndexed or Indexed; did you mean \"Indexed\"?\n"
		"t.yaml:6:25: spec.podReplacementPolicy: \"failed\" is not TerminatingOrFailed or Failed; did you mean \"Failed\"?\n"
		"t.yaml:7:12: spec.suspend: expected true or false, not the string \"true\"; remove the quotes\n"
	},
	{
		JOB
		"  selector: {matchLabels: {a: b}}\n"
		"  " ONCE "\n",
		"t.yaml:5:13: spec.selector: is made by orch; to set it, set manualSelector: true\n"
	},
	{
		JOB
		"  manualSelector: true\n"
		"  " ONCE "\n",
		"t.yaml:5:3: spec.selector: must not be empty with manualSelector: true\n"
	},
	{
		JOB
		"  manualSelector: true\n"
		"  selector: {matchLabels: {a: b}}\n"
		"  " ONCE "\n",
		"t.yaml:7:13: spec.template.metadata.labels: do not match the selector\n"
	},
	{
		JOB
		"  managedBy: me\n"
		"  " ONCE "\n",
		"t.yaml:5:14: spec.managedBy: \"me\" is no path with a domain like example.com/controller\n"
	},
	{
		JOB
		"  managedBy: example.com/me\n"
		"  " ONCE "\n",
		""
	},
	/* indexed Jobs */
	{
		JOB
		"  completionMode: Indexed\n"
		"  " ONCE "\n",
		"t.yaml:5:3: spec.completions: missing; completionMode Indexed needs it\n"
	},
	{
		JOB
		"  completionMode: Indexed\n"
		"  completions: 5\n"
		"  parallelism: 100001\n"
		"  maxFailedIndexes: 6\n"
		"  " ONCE "\n",
		"t.yaml:7:16: spec.parallelism: 100001 is more than 100000, the most of an indexed Job\n"
		"t.yaml:8:21: spec.maxFailedIndexes: 6 is more than completions, 5\n"
	},
	{
		JOB
		"  backoffLimitPerIndex: 1\n"
		"  " ONCE "\n",
		"t.yaml:5:25: spec.backoffLimitPerIndex: needs completionMode Indexed\n"
	},
	{
		JOB
		"  maxFailedIndexes: 1\n"
		"  " ONCE "\n",
		"t.yaml:5:21: spec.maxFailedIndexes: needs backoffLimitPerIndex\n"
	},
	{
		JOB
		"  completionMode: Indexed\n"
		"  completions: 100001\n"
		"  backoffLimitPerIndex: 1\n"
		"  parallelism: 10001\n"
		"  " ONCE "\n",
		"t.yaml:5:3: spec.maxFailedIndexes: must be at most 10000 with more than 100000 completions and backoffLimitPerIndex\n"
		"t.yaml:8:16: spec.parallelism: must be at most 10000 with more than 100000 completions and backoffLimitPerIndex\n"
	},
	{
		"apiVersion: batch/v1\n"
		"kind: Job\n"
		"metadata: {name: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}\n"
		"spec:\n"
		"  completionMode: Indexed\n"
		"  completions: 5\n"
		"  " ONCE "\n",
		"t.yaml:3:18: metadata.name: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" is too long: with the index, at most 63 characters are possible\n"
	},
	/* podFailurePolicy */
	{
		JOB
		"  podFailurePolicy:\n"
		"    rules:\n"
		"    - {action: FailJob}\n"
		"  " ONCE "\n",
		"t.yaml:7:7: spec.podFailurePolicy.rules[0]: a rule has one of onExitCodes and onPodConditions\n"
	},
	{
		JOB
		"  podFailurePolicy:\n"
		"    rules:\n"
		"    - {action: Stop, onExitCodes: {operator: In, values: [1]}}\n"
		"  " ONCE "\n",
		"t.yaml:7:16: spec.podFailurePolicy.rules[0].action: \"Stop\" is not FailJob, FailIndex, Ignore or Count\n"
	},
	{
		JOB
		"  podFailurePolicy:\n"
		"    rules:\n"
		"    - {action: Ignore, onExitCodes: {operator: In, values: [1]}, onPodConditions: [{type: DisruptionTarget}]}\n"
		"  " ONCE "\n",
		"t.yaml:7:7: spec.podFailurePolicy.rules[0]: a rule has one of onExitCodes and onPodConditions\n"
	},
	{
		JOB
		"  podFailurePolicy:\n"
		"    rules:\n"
		"    - {action: Count, onExitCodes: {operator: In, values: [3, 3, 0]}}\n"
		"  " ONCE "\n",
		"t.yaml:7:63: spec.podFailurePolicy.rules[0].onExitCodes.values[1]: codes must be in rising order, each once\n"
		"t.yaml:7:66: spec.podFailurePolicy.rules[0].onExitCodes.values[2]: 0 is no failure; it cannot be listed with In\n"
	},
	{
		JOB
		"  podFailurePolicy:\n"
		"    rules:\n"
		"    - {action: Count, onExitCodes: {operator: NotIn, values: [0, 1]}}\n"
		"  " ONCE "\n",
		""
	},
	{
		JOB
		"  podFailurePolicy:\n"
		"    rules:\n"
		"    - {action: Count, onExitCodes: {operator: NotIn, values: []}}\n"
		"  " ONCE "\n",
		"t.yaml:7:62: spec.podFailurePolicy.rules[0].onExitCodes.values: 0 codes; 1 to 255 are possible\n"
	},
	{
		JOB
		"  podFailurePolicy:\n"
		"    rules:\n"
		"    - {action: FailIndex, onExitCodes: {containerName: b, operator: In, values: [1]}}\n"
		"  " ONCE "\n",
		"t.yaml:7:16: spec.podFailurePolicy.rules[0].action: FailIndex needs backoffLimitPerIndex\n"
		"t.yaml:7:56: spec.podFailurePolicy.rules[0].onExitCodes.containerName: the pod has no container \"b\"\n"
	},
	{
		JOB
		"  podFailurePolicy:\n"
		"    rules:\n"
		"    - {action: FailJob, onPodConditions: [{type: a b, status: \"true\"}]}\n"
		"  " ONCE "\n",
		"t.yaml:7:50: spec.podFailurePolicy.rules[0].onPodConditions[0].type: \"a b\" must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an optional DNS domain and \"/\"\n"
		"t.yaml:7:63: spec.podFailurePolicy.rules[0].onPodConditions[0].status: \"true\" is not True, False or Unknown; did you mean \"True\"?\n"
	},
	{
		JOB
		"  podReplacementPolicy: TerminatingOrFailed\n"
		"  podFailurePolicy:\n"
		"    rules:\n"
		"    - {action: FailJob, onPodConditions: [{type: DisruptionTarget}]}\n"
		"  template: {spec: {restartPolicy: OnFailure, " BOX "}}\n",
		"t.yaml:5:25: spec.podReplacementPolicy: must be Failed with podFailurePolicy\n"
		"t.yaml:9:36: spec.template.spec.restartPolicy: must be Never with podFailurePolicy\n"
	},
	{
		JOB
		"  podFailurePolicy: {}\n"
		"  " ONCE "\n",
		"t.yaml:5:21: spec.podFailurePolicy.rules: missing; it is required\n"
	},
	/* successPolicy */
	{
		JOB
		"  successPolicy: {rules: [{succeededCount: 1}]}\n"
		"  " ONCE "\n",
		"t.yaml:5:18: spec.successPolicy: needs completionMode Indexed\n"
	},
	{
		JOB
		"  completionMode: Indexed\n"
		"  completions: 5\n"
		"  successPolicy: {rules: []}\n"
		"  " ONCE "\n",
		"t.yaml:7:26: spec.successPolicy.rules: 0 rules; 1 to 20 are possible\n"
	},
	{
		JOB
		"  completionMode: Indexed\n"
		"  completions: 5\n"
		"  successPolicy: {rules: [{}]}\n"
		"  " ONCE "\n",
		"t.yaml:7:27: spec.successPolicy.rules[0]: a rule has succeededCount, succeededIndexes, or both\n"
	},
	{
		JOB
		"  completionMode: Indexed\n"
		"  completions: 5\n"
		"  successPolicy: {rules: [{succeededCount: 0}, {succeededCount: 6}]}\n"
		"  " ONCE "\n",
		"t.yaml:7:44: spec.successPolicy.rules[0].succeededCount: 0 is not in 1-2147483647\n"
	},
	{
		JOB
		"  completionMode: Indexed\n"
		"  completions: 5\n"
		"  successPolicy: {rules: [{succeededIndexes: '3-1'}, {succeededIndexes: '0,2-4'}, {succeededIndexes: '1,1'}, {succeededIndexes: ''}]}\n"
		"  " ONCE "\n",
		"t.yaml:7:46: spec.successPolicy.rules[0].succeededIndexes: \"3-1\" is no list of rising numbers like 0,2-4,7\n"
		"t.yaml:7:102: spec.successPolicy.rules[2].succeededIndexes: \"1,1\" is no list of rising numbers like 0,2-4,7\n"
		"t.yaml:7:129: spec.successPolicy.rules[3].succeededIndexes: \"\" is no list of rising numbers like 0,2-4,7\n"
	},
	{
		JOB
		"  completionMode: Indexed\n"
		"  completions: 5\n"
		"  successPolicy: {rules: [{succeededIndexes: '0,5'}, {succeededIndexes: 0-1, succeededCount: 3}]}\n"
		"  " ONCE "\n",
		"t.yaml:7:46: spec.successPolicy.rules[0].succeededIndexes: 5 is no index below completions, 5\n"
		"t.yaml:7:94: spec.successPolicy.rules[1].succeededCount: 3 is more than the 2 indexes there are\n"
	},
	/* CronJob */
	{
		CRONJOB
		"  schedule: '*/5 * * * *'\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		""
	},
	{
		CRONJOB
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:5:3: spec.schedule: missing; it is required\n"
	},
	{
		CRONJOB
		"  schedule: '* * * *'\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:5:13: spec.schedule: \"* * * *\": expected 5 fields (minute, hour, day of month, month, day of week) or a word like @daily, found 4 fields\n"
	},
	{
		CRONJOB
		"  schedule: '60 * * * 7'\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:5:13: spec.schedule: \"60 * * * 7\": minute \"60\": expected a number from 0 to 59\n"
	},
	{
		CRONJOB
		"  schedule: '1-0 24 * * *'\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:5:13: spec.schedule: \"1-0 24 * * *\": minute \"1-0\": expected a range whose first number is not above its last\n"
	},
	{
		CRONJOB
		"  schedule: '*/0 * 32 13 *'\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:5:13: spec.schedule: \"*/0 * 32 13 *\": minute \"*/0\": expected a number above 0 behind /\n"
	},
	{
		CRONJOB
		"  schedule: '@reboot'\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:5:13: spec.schedule: \"@reboot\": \"@reboot\": expected @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or \"@every DURATION\"\n"
	},
	{
		CRONJOB
		"  schedule: '@every 1h30m'\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		""
	},
	{
		CRONJOB
		"  schedule: TZ=UTC * * * * *\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:5:13: spec.schedule: a time zone belongs in timeZone\n"
	},
	{
		CRONJOB
		"  schedule: CRON_TZ=UTC 0 0 * * *\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:5:13: spec.schedule: a time zone belongs in timeZone\n"
	},
	{
		CRONJOB
		"  schedule: '@daily'\n"
		"  timeZone: Europe/Berlin\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		""
	},
	{
		CRONJOB
		"  schedule: '@daily'\n"
		"  timeZone: Europe/Atlantis\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:6:13: spec.timeZone: there is no time zone \"Europe/Atlantis\" in /usr/share/zoneinfo\n"
	},
	{
		CRONJOB
		"  schedule: '@daily'\n"
		"  timeZone: Local\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:6:13: spec.timeZone: \"Local\": expected the name of a time zone like Europe/Berlin, \"Local\" is none\n"
	},
	{
		CRONJOB
		"  schedule: '@daily'\n"
		"  timeZone: ''\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:6:13: spec.timeZone: \"\": expected the name of a time zone like Europe/Berlin\n"
	},
	{
		CRONJOB
		"  schedule: '@daily'\n"
		"  timeZone: ../etc/passwd\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:6:13: spec.timeZone: \"../etc/passwd\": expected the name of a time zone like Europe/Berlin\n"
	},
	{
		CRONJOB
		"  schedule: '@daily'\n"
		"  concurrencyPolicy: allow\n"
		"  startingDeadlineSeconds: -1\n"
		"  successfulJobsHistoryLimit: -1\n"
		"  failedJobsHistoryLimit: -1\n"
		"  jobTemplate: {spec: {" ONCE "}}\n",
		"t.yaml:6:22: spec.concurrencyPolicy: \"allow\" is not Allow, Forbid or Replace; did you mean \"Allow\"?\n"
		"t.yaml:7:28: spec.startingDeadlineSeconds: -1 is less than 0\n"
		"t.yaml:8:31: spec.successfulJobsHistoryLimit: -1 is less than 0\n"
		"t.yaml:9:27: spec.failedJobsHistoryLimit: -1 is less than 0\n"
	},
	{
		CRONJOB
		"  schedule: '@daily'\n"
		"  jobTemplate: {spec: {manualSelector: true, selector: {matchLabels: {a: b}}, " ONCE "}}\n",
		"t.yaml:6:40: spec.jobTemplate.spec.manualSelector: cannot be true: each Job gets its own selector\n"
		"t.yaml:6:56: spec.jobTemplate.spec.selector: cannot be set: each Job gets its own\n"
	},
	{
		CRONJOB
		"  schedule: '@daily'\n"
		"  jobTemplate: {spec: {template: {spec: {restartPolicy: Always, " BOX "}}}}\n",
		"t.yaml:6:57: spec.jobTemplate.spec.template.spec.restartPolicy: must be OnFailure or Never here, not Always\n"
	},
	{
		CRONJOB
		"  schedule: '@daily'\n"
		"  jobTemplate: {}\n",
		"t.yaml:6:16: spec.jobTemplate.spec: missing; it is required\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
