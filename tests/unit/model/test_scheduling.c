/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of affinity, tolerations and spread.
 */
#include "messages.h"

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
#define BOX POD "  containers:\n  - name: a\n    image: rootfs:/\n"

static const struct message_case cases[] = {
	{
		BOX
		"  affinity:\n"
		"    nodeAffinity:\n"
		"      requiredDuringSchedulingIgnoredDuringExecution:\n"
		"        nodeSelectorTerms:\n"
		"        - matchExpressions:\n"
		"          - {key: a, operator: In}\n"
		"          - {key: b, operator: Exists, values: [x]}\n"
		"          - {key: c, operator: Gt, values: [x]}\n"
		"          - {key: d, operator: Lt, values: ['1', '2']}\n"
		"          - {key: e, operator: Gt, values: ['-5']}\n"
		"          matchFields:\n"
		"          - {key: metadata.name, operator: In, values: [n1]}\n",
		"t.yaml:13:13: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: operator In needs at least one value\n"
		"t.yaml:14:48: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].values: operator Exists takes no values\n"
		"t.yaml:15:45: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[2].values[0]: \"x\" is no integer, which operator Gt needs\n"
		"t.yaml:16:44: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[3].values: operator Lt needs exactly one value\n"
	},
	{
		BOX
		"  affinity:\n"
		"    nodeAffinity:\n"
		"      requiredDuringSchedulingIgnoredDuringExecution:\n"
		"        nodeSelectorTerms:\n"
		"        - matchExpressions: [{key: a b, operator: Exists}]\n"
		"          matchFields:\n"
		"          - {key: spec.name, operator: In, values: [n1]}\n"
		"          - {key: metadata.name, operator: Exists}\n"
		"        - matchExpressions: [{key: a, operator: Exists}]\n"
		"      preferredDuringSchedulingIgnoredDuringExecution:\n"
		"      - {weight: 0, preference: {}}\n"
		"      - {weight: 101, preference: {}}\n"
		"      - {weight: 1}\n",
		"t.yaml:12:36: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: \"a b\" must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an optional DNS domain and \"/\"\n"
		"t.yaml:14:19: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: \"spec.name\" is no field that nodes are chosen by; expected metadata.name\n"
		"t.yaml:15:13: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[1]: a field needs operator In or NotIn with one value\n"
		"t.yaml:18:18: spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: 0 is not in 1-100\n"
		"t.yaml:19:18: spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[1].weight: 101 is not in 1-100\n"
		"t.yaml:20:9: spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[2].preference: missing; it is required\n"
	},
	{
		BOX
		"  affinity:\n"
		"    nodeAffinity:\n"
		"      requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}\n"
		"    podAffinity:\n"
		"      requiredDuringSchedulingIgnoredDuringExecution:\n"
		"      - {labelSelector: {matchLabels: {a: b}}}\n"
		"      - {topologyKey: 'a b', namespaces: [A]}\n"
		"    podAntiAffinity:\n"
		"      preferredDuringSchedulingIgnoredDuringExecution:\n"
		"      - weight: 200\n"
		"        podAffinityTerm: {topologyKey: kubernetes.io/hostname}\n",
		"t.yaml:10:75: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: must not be empty\n"
		"t.yaml:13:9: spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: missing; it is required\n"
		"t.yaml:14:23: spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1].topologyKey: \"a b\" must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an optional DNS domain and \"/\"\n"
		"t.yaml:14:43: spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1].namespaces[0]: \"A\" must consist of lower-case letters, digits and \"-\", and begin and end with a letter or digit\n"
		"t.yaml:17:17: spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: 200 is not in 1-100\n"
	},
	{
		BOX
		"  affinity:\n"
		"    podAntiAffinity:\n"
		"      requiredDuringSchedulingIgnoredDuringExecution:\n"
		"      - {topologyKey: h, matchLabelKeys: [a]}\n"
		"      - {topologyKey: h, labelSelector: {}, matchLabelKeys: [a], mismatchLabelKeys: [b, a]}\n",
		"t.yaml:11:42: spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: needs labelSelector\n"
		"t.yaml:12:89: spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[1].mismatchLabelKeys[1]: \"a\" is in matchLabelKeys, too\n"
	},
	{
		BOX
		"  tolerations:\n"
		"  - {operator: Exists}\n"
		"  - {key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 0}\n"
		"  - {key: a, value: b, effect: ''}\n",
		""
	},
	{
		BOX
		"  tolerations:\n"
		"  - {key: a, operator: Exists, value: x}\n"
		"  - {value: x}\n"
		"  - {key: a b, value: x}\n"
		"  - {key: a, value: x y}\n"
		"  - {key: a, effect: NoSchedule, tolerationSeconds: 5}\n"
		"  - {key: a, operator: Gt, value: x}\n",
		"t.yaml:9:39: spec.tolerations[0].value: operator Exists takes no value\n"
		"t.yaml:10:5: spec.tolerations[1].operator: must be Exists when there is no key\n"
		"t.yaml:11:11: spec.tolerations[2].key: \"a b\" must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an optional DNS domain and \"/\"\n"
		"t.yaml:12:21: spec.tolerations[3].value: \"x y\" must consist of letters, digits, \"-\", \"_\" and \".\", and begin and end with a letter or digit\n"
		"t.yaml:13:22: spec.tolerations[4].effect: must be NoExecute when tolerationSeconds is set\n"
		"t.yaml:14:35: spec.tolerations[5].value: \"x\" is no integer, which operator Gt needs\n"
	},
	{
		BOX
		"  tolerations:\n"
		"  - {key: a, operator: equal, effect: Noexecute, tolerationSeconds: '5'}\n",
		"t.yaml:9:24: spec.tolerations[0].operator: \"equal\" is not Equal, Exists, Lt or Gt; did you mean \"Equal\"?\n"
		"t.yaml:9:39: spec.tolerations[0].effect: \"Noexecute\" is not NoSchedule, PreferNoSchedule or NoExecute; did you mean \"NoExecute\"?\n"
		"t.yaml:9:69: spec.tolerations[0].tolerationSeconds: expected an integer, not the string \"5\"; remove the quotes\n"
	},
	{
		BOX
		"  topologySpreadConstraints:\n"
		"  - {maxSkew: 0, topologyKey: z, whenUnsatisfiable: Never}\n"
		"  - {topologyKey: ''}\n"
		"  - {maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, minDomains: 0, nodeAffinityPolicy: honor}\n",
		"t.yaml:9:15: spec.topologySpreadConstraints[0].maxSkew: 0 is not in 1-2147483647\n"
		"t.yaml:9:53: spec.topologySpreadConstraints[0].whenUnsatisfiable: \"Never\" is not DoNotSchedule or ScheduleAnyway\n"
		"t.yaml:10:5: spec.topologySpreadConstraints[1].maxSkew: missing; it is required\n"
		"t.yaml:10:5: spec.topologySpreadConstraints[1].whenUnsatisfiable: missing; it is required\n"
		"t.yaml:10:19: spec.topologySpreadConstraints[1].topologyKey: must not be empty\n"
		"t.yaml:11:80: spec.topologySpreadConstraints[2].minDomains: 0 is not in 1-2147483647\n"
		"t.yaml:11:103: spec.topologySpreadConstraints[2].nodeAffinityPolicy: \"honor\" is not Honor or Ignore; did you mean \"Honor\"?\n"
	},
	{
		BOX
		"  topologySpreadConstraints:\n"
		"  - {maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway, minDomains: 2}\n"
		"  - {maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, matchLabelKeys: [a]}\n"
		"  - {maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, minDomains: 2, labelSelector: {}}\n",
		"t.yaml:9:81: spec.topologySpreadConstraints[0].minDomains: is possible with DoNotSchedule only\n"
		"t.yaml:10:84: spec.topologySpreadConstraints[1].matchLabelKeys: needs labelSelector\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
