/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of wrong HorizontalPodAutoscalers and PodDisruptionBudgets, to the column.
 */
#include "messages.h"

#define HPA_OF "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\nspec:\n  scaleTargetRef: {kind: Deployment, name: d}\n"
#define HPA "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\nspec:\n"
#define PDB "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: x}\nspec:\n"

static const struct message_case cases[] = {
	/* bounds and what is scaled */
	{
		HPA_OF
		"  maxReplicas: 3\n",
		""
	},
	{
		HPA
		"  maxReplicas: 3\n",
		"t.yaml:5:3: spec.scaleTargetRef: missing; it is required\n"
	},
	{
		HPA
		"  scaleTargetRef: {name: \"\"}\n"
		"  minReplicas: 2\n",
		"t.yaml:5:3: spec.maxReplicas: missing; it is required\n"
		"t.yaml:5:19: spec.scaleTargetRef.kind: missing; it is required\n"
		"t.yaml:5:26: spec.scaleTargetRef.name: must not be empty\n"
	},
	{
		HPA
		"  scaleTargetRef: {kind: a/b, name: ..}\n"
		"  maxReplicas: 1\n",
		"t.yaml:5:26: spec.scaleTargetRef.kind: \"a/b\" must not contain \"/\" or \"%\"\n"
		"t.yaml:5:37: spec.scaleTargetRef.name: must not be \"..\"\n"
	},
	{
		HPA_OF
		"  maxReplicas: 0\n",
		"t.yaml:6:16: spec.maxReplicas: 0 is not in 1-2147483647\n"
	},
	{
		HPA_OF
		"  minReplicas: 3\n"
		"  maxReplicas: 2\n",
		"t.yaml:7:16: spec.maxReplicas: 2 is less than minReplicas, 3\n"
	},
	{
		HPA_OF
		"  minReplicas: 0\n"
		"  maxReplicas: 2\n",
		"t.yaml:6:16: spec.minReplicas: must be at least 1 without an Object or External metric\n"
	},
	{
		HPA_OF
		"  minReplicas: 0\n"
		"  maxReplicas: 2\n"
		"  metrics:\n"
		"  - {type: External, external: {metric: {name: q}, target: {type: Value, value: 5}}}\n",
		"t.yaml:9:32: warning: spec.metrics[0].external: known to Kubernetes, not acted on by orch\n"
	},
	/* metrics */
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}\n",
		""
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: ContainerResource, containerResource: {name: cpu, container: a, target: {type: Utilization, averageUtilization: 50}}}\n",
		""
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: cpu, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}\n",
		"t.yaml:8:12: spec.metrics[0].type: \"cpu\" is not Object, Pods, Resource, External or ContainerResource\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource}\n",
		"t.yaml:8:5: spec.metrics[0].resource: missing; type Resource needs it\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}, pods: {metric: {name: q}, target: {type: AverageValue, averageValue: 1}}}\n",
		"t.yaml:8:104: spec.metrics[0].pods: is not what type Resource names\n"
		"t.yaml:8:104: warning: spec.metrics[0].pods: known to Kubernetes, not acted on by orch\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: cpu}}\n",
		"t.yaml:8:32: spec.metrics[0].resource.target: missing; it is required\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: \"\", target: {type: Utilization, averageUtilization: 0}}}\n",
		"t.yaml:8:39: spec.metrics[0].resource.name: must not be empty\n"
		"t.yaml:8:91: spec.metrics[0].resource.target.averageUtilization: 0 is not in 1-2147483647\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: cpu, target: {type: utilization, averageUtilization: 5}}}\n",
		"t.yaml:8:59: spec.metrics[0].resource.target.type: \"utilization\" is not Utilization, Value or AverageValue; did you mean \"Utilization\"?\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: cpu, target: {type: Utilization}}}\n",
		"t.yaml:8:52: spec.metrics[0].resource.target: this kind of metric needs averageUtilization or averageValue\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageValue: 5}}}\n",
		"t.yaml:8:59: warning: spec.metrics[0].resource.target.type: Utilization names averageUtilization, which is not there; what is there counts\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: cpu, target: {type: Value, value: 5}}}\n",
		"t.yaml:8:52: spec.metrics[0].resource.target: this kind of metric needs averageUtilization or averageValue\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 5, averageUtilization: 5}}}\n",
		"t.yaml:8:52: spec.metrics[0].resource.target: has more than one of averageUtilization or averageValue\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Pods, pods: {metric: {name: q}, target: {type: AverageValue, averageValue: -1}}}\n",
		"t.yaml:8:87: spec.metrics[0].pods.target.averageValue: -1 must be more than 0\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Pods, pods: {metric: {name: a/b}, target: {type: Value, value: 1}}}\n",
		"t.yaml:8:40: spec.metrics[0].pods.metric.name: \"a/b\" must not contain \"/\" or \"%\"\n"
		"t.yaml:8:54: spec.metrics[0].pods.target: this kind of metric needs averageValue\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Object, object: {describedObject: {kind: Ingress, name: i}, metric: {name: q}, target: {type: Value, value: 0}}}\n",
		"t.yaml:8:120: spec.metrics[0].object.target.value: 0 must be more than 0\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Object, object: {metric: {name: q}, target: {type: Utilization, averageUtilization: 50}}}\n",
		"t.yaml:8:28: spec.metrics[0].object.describedObject: missing; it is required\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: External, external: {metric: {name: q}, target: {type: Value, value: 1, averageValue: 1}}}\n",
		"t.yaml:8:60: spec.metrics[0].external.target: has more than one of value or averageValue\n"
	},
	/* behavior */
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  behavior: {scaleUp: {stabilizationWindowSeconds: 3601, selectPolicy: max}}\n",
		"t.yaml:7:52: spec.behavior.scaleUp.stabilizationWindowSeconds: 3601 is not in 0-3600\n"
		"t.yaml:7:72: spec.behavior.scaleUp.selectPolicy: \"max\" is not Max, Min or Disabled; did you mean \"Max\"?\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  behavior: {scaleDown: {policies: []}}\n",
		"t.yaml:7:36: spec.behavior.scaleDown.policies: must not be empty\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  behavior: {scaleDown: {policies: [{type: Pods, value: 0, periodSeconds: 1801}]}}\n",
		"t.yaml:7:57: spec.behavior.scaleDown.policies[0].value: 0 is not in 1-2147483647\n"
		"t.yaml:7:75: spec.behavior.scaleDown.policies[0].periodSeconds: 1801 is not in 1-1800\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  behavior: {scaleDown: {policies: [{type: Node}]}}\n",
		"t.yaml:7:37: spec.behavior.scaleDown.policies[0].periodSeconds: missing; it is required\n"
		"t.yaml:7:37: spec.behavior.scaleDown.policies[0].value: missing; it is required\n"
		"t.yaml:7:44: spec.behavior.scaleDown.policies[0].type: \"Node\" is not Pods or Percent; did you mean \"Pods\"?\n"
	},
	{
		HPA_OF
		"  maxReplicas: 3\n"
		"  behavior: {scaleDown: {tolerance: -0.1, selectPolicy: Disabled}}\n",
		"t.yaml:7:37: spec.behavior.scaleDown.tolerance: -100m is less than 0\n"
	},
	/* PodDisruptionBudget */
	{
		PDB
		"  minAvailable: 1\n"
		"  selector: {matchLabels: {app: x}}\n",
		""
	},
	{
		PDB
		"  minAvailable: 1\n"
		"  maxUnavailable: 1\n",
		"t.yaml:6:19: spec.maxUnavailable: cannot be set together with minAvailable\n"
	},
	{
		PDB
		"  minAvailable: 101%\n",
		"t.yaml:5:17: spec.minAvailable: \"101%\" is more than 100%\n"
	},
	{
		PDB
		"  maxUnavailable: \"1\"\n",
		"t.yaml:5:19: spec.maxUnavailable: \"1\" is a string; remove the quotes, or append %\n"
	},
	{
		PDB
		"  maxUnavailable: -1\n",
		"t.yaml:5:19: spec.maxUnavailable: -1 is less than 0\n"
	},
	{
		PDB
		"  maxUnavailable: half\n"
		"  unhealthyPodEvictionPolicy: Always\n",
		"t.yaml:5:19: spec.maxUnavailable: \"half\" must be a number or a percentage like 25%\n"
		"t.yaml:6:31: spec.unhealthyPodEvictionPolicy: \"Always\" is not IfHealthyBudget or AlwaysAllow; did you mean \"AlwaysAllow\"?\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
