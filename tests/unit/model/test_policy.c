/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of wrong LimitRanges, ResourceQuotas, classes, ServiceAccounts and Nodes. */
#include "messages.h"

static const struct message_case cases[] = {
	/* LimitRanges */
	{
		"apiVersion: v1\n"
		"kind: LimitRange\n"
		"metadata: {name: l}\n"
		"spec:\n"
		"  limits:\n"
		"  - {type: Container, min: {cpu: 100m}, max: {cpu: 2}, default: {cpu: 1}, defaultRequest: {cpu: 500m}, maxLimitRequestRatio: {cpu: 20}}\n"
		"  - {type: Pod, max: {memory: 1Gi}}\n"
		"  - {type: PersistentVolumeClaim, min: {storage: 1Gi}}\n",
		""
	},
	{
		"apiVersion: v1\n"
		"kind: LimitRange\n"
		"metadata: {name: l}\n"
		"spec:\n"
		"  limits:\n"
		"  - {type: Container, min: {cpu: 3}, max: {cpu: 2}, default: {cpu: 1}, defaultRequest: {cpu: -5m}, maxLimitRequestRatio: {cpu: 500m}}\n",
		"t.yaml:6:34: spec.limits[0].min[cpu]: 3 is more than default, 1\n"
		"t.yaml:6:34: spec.limits[0].min[cpu]: 3 is more than defaultRequest, -5m\n"
		"t.yaml:6:34: spec.limits[0].min[cpu]: 3 is more than max, 2\n"
		"t.yaml:6:94: spec.limits[0].defaultRequest[cpu]: -5m is less than 0\n"
		"t.yaml:6:128: spec.limits[0].maxLimitRequestRatio[cpu]: 500m is less than 1\n"
	},
	{
		"apiVersion: v1\n"
		"kind: LimitRange\n"
		"metadata: {name: l}\n"
		"spec:\n"
		"  limits:\n"
		"  - {type: Container, min: {memory: 1Gi}, max: {memory: 2Gi}, maxLimitRequestRatio: {memory: 3}}\n"
		"  - {type: Container}\n"
		"  - {type: Pod, default: {cpu: 1}, defaultRequest: {cpu: 1}}\n"
		"  - {type: PersistentVolumeClaim, min: {cpu: 1}}\n",
		"t.yaml:6:94: spec.limits[0].maxLimitRequestRatio[memory]: 3 is more than max / min, 2Gi / 1Gi\n"
		"t.yaml:7:12: spec.limits[1].type: Container is already there\n"
		"t.yaml:8:26: spec.limits[2].default: is not possible with type Pod\n"
		"t.yaml:8:52: spec.limits[2].defaultRequest: is not possible with type Pod\n"
		"t.yaml:9:5: spec.limits[3]: type PersistentVolumeClaim needs min or max of storage\n"
	},
	{
		"apiVersion: v1\n"
		"kind: LimitRange\n"
		"metadata: {name: l}\n"
		"spec: {limits: [{type: container}, {}]}\n",
		"t.yaml:4:24: spec.limits[0].type: \"container\" is not Container, Pod or PersistentVolumeClaim; did you mean \"Container\"?\n"
		"t.yaml:4:36: spec.limits[1].type: missing; it is required\n"
	},
	/* ResourceQuotas */
	{
		"apiVersion: v1\n"
		"kind: ResourceQuota\n"
		"metadata: {name: q}\n"
		"spec:\n"
		"  hard: {cpu: 1, requests.memory: 1Gi, pods: 5, count/deployments.apps: 2, gold.storageclass.storage.k8s.io/requests.storage: 5Gi, requests.nvidia.com/gpu: 4, hugepages-2Mi: 1Gi}\n"
		"  scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}\n",
		""
	},
	{
		"apiVersion: v1\n"
		"kind: ResourceQuota\n"
		"metadata: {name: q}\n"
		"spec:\n"
		"  hard: {pods: 1500m, cpus: 1, limit.cpu: 1, memory: -1Gi, \"a b/c\": 1}\n"
		"  scopes: [Terminating, NotTerminating, besteffort]\n",
		"t.yaml:5:16: spec.hard[pods]: 1500m is no whole number\n"
		"t.yaml:5:29: spec.hard[cpus]: unknown resource \"cpus\"; did you mean \"cpu\"?\n"
		"t.yaml:5:43: spec.hard[limit.cpu]: unknown resource \"limit.cpu\"; did you mean \"limits.cpu\"?\n"
		"t.yaml:5:54: spec.hard[memory]: -1Gi is less than 0\n"
		"t.yaml:5:69: spec.hard[a b/c]: resource \"a b/c\" must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an optional DNS domain and \"/\"\n"
		"t.yaml:6:11: spec.scopes: Terminating and NotTerminating exclude each other\n"
		"t.yaml:6:41: spec.scopes[2]: \"besteffort\" is not Terminating, NotTerminating, BestEffort, NotBestEffort, PriorityClass, CrossNamespacePodAffinity or VolumeAttributesClass; did you mean \"BestEffort\"?\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ResourceQuota\n"
		"metadata: {name: q}\n"
		"spec:\n"
		"  hard: {pods: 1, cpu: 2}\n"
		"  scopes: [BestEffort, NotBestEffort]\n"
		"  scopeSelector: {matchExpressions: [{scopeName: BestEffort, operator: In, values: [a]}, {scopeName: PriorityClass, operator: In}, {scopeName: PriorityClass, operator: Exists, values: [a]}, {scopeName: Prio, operator: Exist}]}\n",
		"t.yaml:7:72: spec.scopeSelector.matchExpressions[0].operator: scope BestEffort takes the operator Exists only\n"
		"t.yaml:7:90: spec.scopeSelector.matchExpressions[1].values: operator In needs at least one value\n"
		"t.yaml:7:185: spec.scopeSelector.matchExpressions[2].values: operator Exists takes no values\n"
		"t.yaml:7:203: spec.scopeSelector.matchExpressions[3].scopeName: \"Prio\" is not Terminating, NotTerminating, BestEffort, NotBestEffort, PriorityClass, CrossNamespacePodAffinity or VolumeAttributesClass; did you mean \"PriorityClass\"?\n"
		"t.yaml:7:219: spec.scopeSelector.matchExpressions[3].operator: \"Exist\" is not In, NotIn, Exists or DoesNotExist; did you mean \"Exists\"?\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ResourceQuota\n"
		"metadata: {name: q}\n"
		"spec:\n"
		"  scopeSelector: {matchExpressions: [{scopeName: BestEffort, operator: In, values: [a]}, {scopeName: PriorityClass, operator: In}, {scopeName: PriorityClass, operator: Exists, values: [a]}]}\n",
		"t.yaml:5:72: spec.scopeSelector.matchExpressions[0].operator: scope BestEffort takes the operator Exists only\n"
		"t.yaml:5:90: spec.scopeSelector.matchExpressions[1].values: operator In needs at least one value\n"
		"t.yaml:5:185: spec.scopeSelector.matchExpressions[2].values: operator Exists takes no values\n"
	},
	/* PriorityClasses */
	{
		"apiVersion: scheduling.k8s.io/v1\n"
		"kind: PriorityClass\n"
		"metadata: {name: system-x}\n"
		"value: 1000000001\n"
		"preemptionPolicy: Always\n",
		"t.yaml:4:8: value: 1000000001 is not in -2147483648-1000000000\n"
		"t.yaml:5:19: preemptionPolicy: \"Always\" is not PreemptLowerPriority or Never\n"
	},
	{
		"apiVersion: scheduling.k8s.io/v1\n"
		"kind: PriorityClass\n"
		"metadata: {name: system-x}\n"
		"value: -5\n",
		"t.yaml:3:18: metadata.name: \"system-x\" begins with \"system-\", which is Kubernetes' own\n"
	},
	{
		"apiVersion: scheduling.k8s.io/v1\n"
		"kind: PriorityClass\n"
		"metadata: {name: high}\n"
		"value: 1000000\n"
		"globalDefault: true\n"
		"preemptionPolicy: Never\n",
		""
	},
	/* RuntimeClasses */
	{
		"apiVersion: node.k8s.io/v1\n"
		"kind: RuntimeClass\n"
		"metadata: {name: r}\n"
		"handler: a.b\n"
		"overhead: {podFixed: {memory: -1}}\n",
		"t.yaml:4:10: handler: \"a.b\" must consist of lower-case letters, digits and \"-\", and begin and end with a letter or digit\n"
		"t.yaml:5:31: overhead.podFixed[memory]: -1 is less than 0\n"
	},
	{
		"apiVersion: node.k8s.io/v1\n"
		"kind: RuntimeClass\n"
		"metadata: {name: r}\n"
		"scheduling: {nodeSelector: {a: \"b c\"}}\n",
		"t.yaml:1:1: handler: missing; it is required\n"
		"t.yaml:4:32: scheduling.nodeSelector[a]: label value \"b c\" must consist of letters, digits, \"-\", \"_\" and \".\", and begin and end with a letter or digit\n"
	},
	/* ServiceAccounts */
	{
		"apiVersion: v1\n"
		"kind: ServiceAccount\n"
		"metadata: {name: a}\n"
		"imagePullSecrets: [{name: s}]\n"
		"automountServiceAccountToken: \"no\"\n",
		"t.yaml:5:31: automountServiceAccountToken: expected true or false, not the string \"no\"; remove the quotes\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ServiceAccount\n"
		"metadata: {name: a}\n"
		"imagePullSecrets: [{name: s}]\n"
		"secrets: [{name: t}]\n"
		"automountServiceAccountToken: true\n",
		"t.yaml:5:10: warning: secrets: known to Kubernetes, not acted on by orch\n"
		"t.yaml:6:31: warning: automountServiceAccountToken: known to Kubernetes, not acted on by orch\n"
	},
	/* Nodes */
	{
		"apiVersion: v1\n"
		"kind: Node\n"
		"metadata: {name: m, labels: {a: b}}\n"
		"spec:\n"
		"  podCIDR: 10.0.0.0\n"
		"  taints: [{key: a, effect: NoSchedule}, {key: a, value: x, effect: NoSchedule}, {key: a, effect: NoExecute}, {key: \"b c\", value: \"d e\", effect: noschedule}]\n",
		"t.yaml:5:12: spec.podCIDR: \"10.0.0.0\" is no network like 10.0.0.0/8\n"
		"t.yaml:6:117: spec.taints[3].key: \"b c\" must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an optional DNS domain and \"/\"\n"
		"t.yaml:6:131: spec.taints[3].value: \"d e\" must consist of letters, digits, \"-\", \"_\" and \".\", and begin and end with a letter or digit\n"
		"t.yaml:6:146: spec.taints[3].effect: \"noschedule\" is not NoSchedule, PreferNoSchedule or NoExecute; did you mean \"NoSchedule\"?\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Node\n"
		"metadata: {name: m}\n"
		"spec:\n"
		"  taints: [{key: a, effect: NoSchedule}, {key: a, value: x, effect: NoSchedule}, {key: a, effect: NoExecute}]\n",
		"t.yaml:5:42: spec.taints[1]: a with effect NoSchedule is already there\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
