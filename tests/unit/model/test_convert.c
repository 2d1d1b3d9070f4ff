/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removed API versions: what is written in them is the same object as what is written in today's
 * version beside it, and is told where the file has the old version.
 */
#include <string.h>

#include "fixture.h"

#define BOX "{spec: {containers: [{name: a, image: 'rootfs:/'}]}, metadata: {labels: {app: x}}}"
#define ONCE                                                                                   \
	"{spec: {restartPolicy: Never, containers: [{name: a, image: 'rootfs:/'}]}}"
#define OLD(api, kind) "apiVersion: " api "\nkind: " kind "\n"
#define HPA_NOW OLD("autoscaling/v2", "HorizontalPodAutoscaler") "metadata: {name: h}\n"
#define HPA_SPEC "scaleTargetRef: {kind: Deployment, name: d}, maxReplicas: 3"

static const struct { const char *old, *now, *warning; } cases[] = {
	{
		OLD("extensions/v1beta1", "Deployment")
		"metadata: {name: d}\n"
		"spec: {template: " BOX "}\n",
		OLD("apps/v1", "Deployment")
		"metadata: {name: d, labels: {app: x}}\n"
		"spec:\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: " BOX "\n"
		"  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}\n"
		"  revisionHistoryLimit: 2147483647\n"
		"  progressDeadlineSeconds: 2147483647\n",
		"Kubernetes has Deployment of extensions/v1beta1 no more; read as apps/v1"
	},
	{
		OLD("extensions/v1beta1", "Deployment")
		"metadata: {name: d, labels: {a: b}}\n"
		"spec:\n"
		"  strategy: {type: Recreate}\n"
		"  revisionHistoryLimit: 3\n"
		"  progressDeadlineSeconds: 60\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: " BOX "\n",
		OLD("apps/v1", "Deployment")
		"metadata: {name: d, labels: {a: b}}\n"
		"spec:\n"
		"  strategy: {type: Recreate}\n"
		"  revisionHistoryLimit: 3\n"
		"  progressDeadlineSeconds: 60\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: " BOX "\n",
		"Kubernetes has Deployment of extensions/v1beta1 no more; read as apps/v1"
	},
	{
		OLD("apps/v1beta1", "Deployment")
		"metadata: {name: d}\n"
		"spec: {template: " BOX "}\n",
		OLD("apps/v1", "Deployment")
		"metadata: {name: d, labels: {app: x}}\n"
		"spec: {template: " BOX ", selector: {matchLabels: {app: x}}, revisionHistoryLimit: 2}\n",
		"Kubernetes has Deployment of apps/v1beta1 no more; read as apps/v1"
	},
	{
		OLD("apps/v1beta2", "ReplicaSet")
		"metadata: {name: d}\n"
		"spec: {template: " BOX ", selector: {matchLabels: {app: x}}}\n",
		OLD("apps/v1", "ReplicaSet")
		"metadata: {name: d}\n"
		"spec: {template: " BOX ", selector: {matchLabels: {app: x}}}\n",
		"Kubernetes has ReplicaSet of apps/v1beta2 no more; read as apps/v1"
	},
	{
		OLD("extensions/v1beta1", "DaemonSet")
		"metadata: {name: d}\n"
		"spec: {template: " BOX "}\n",
		OLD("apps/v1", "DaemonSet")
		"metadata: {name: d, labels: {app: x}}\n"
		"spec: {template: " BOX ", selector: {matchLabels: {app: x}}, updateStrategy: {type: OnDelete}}\n",
		"Kubernetes has DaemonSet of extensions/v1beta1 no more; read as apps/v1"
	},
	{
		OLD("apps/v1beta1", "StatefulSet")
		"metadata: {name: d}\n"
		"spec: {template: " BOX ", updateStrategy: {type: RollingUpdate}}\n",
		OLD("apps/v1", "StatefulSet")
		"metadata: {name: d, labels: {app: x}}\n"
		"spec: {template: " BOX ", selector: {matchLabels: {app: x}}, updateStrategy: {type: RollingUpdate}}\n",
		"Kubernetes has StatefulSet of apps/v1beta1 no more; read as apps/v1"
	},
	{
		OLD("batch/v1beta1", "CronJob")
		"metadata: {name: c}\n"
		"spec: {schedule: '* * * * *', jobTemplate: {spec: {template: " ONCE "}}}\n",
		OLD("batch/v1", "CronJob")
		"metadata: {name: c}\n"
		"spec: {schedule: '* * * * *', jobTemplate: {spec: {template: " ONCE "}}}\n",
		"Kubernetes has CronJob of batch/v1beta1 no more; read as batch/v1"
	},
	{
		OLD("autoscaling/v1", "HorizontalPodAutoscaler")
		"metadata: {name: h}\n"
		"spec: {" HPA_SPEC ", targetCPUUtilizationPercentage: 60}\n",
		HPA_NOW
		"spec: {" HPA_SPEC ", metrics: [{type: Resource, resource: {name: cpu,\n"
		"  target: {type: Utilization, averageUtilization: 60}}}]}\n",
		NULL
	},
	{
		OLD("autoscaling/v1", "HorizontalPodAutoscaler")
		"metadata:\n"
		"  name: h\n"
		"  annotations:\n"
		"    autoscaling.alpha.kubernetes.io/metrics: '[{\"type\":\"Resource\",\"resource\":\n"
		"      {\"name\":\"memory\",\"targetAverageValue\":\"1Gi\"}}]'\n"
		"    autoscaling.alpha.kubernetes.io/behavior: '{\"scaleUp\":{\"selectPolicy\":\"Disabled\"}}'\n"
		"spec: {" HPA_SPEC "}\n",
		HPA_NOW
		"spec: {" HPA_SPEC ", metrics: [{type: Resource, resource: {name: memory,\n"
		"  target: {type: AverageValue, averageValue: 1Gi}}}],\n"
		"  behavior: {scaleUp: {selectPolicy: Disabled}}}\n",
		NULL
	},
	{
		OLD("autoscaling/v2beta1", "HorizontalPodAutoscaler")
		"metadata: {name: h}\n"
		"spec:\n"
		"  scaleTargetRef: {kind: Deployment, name: d}\n"
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: cpu, targetAverageUtilization: 50}}\n"
		"  - type: Pods\n"
		"    pods: {metricName: qps, selector: {matchLabels: {a: b}}, targetAverageValue: 10}\n"
		"  - type: Object\n"
		"    object: {metricName: hits, targetValue: 5, target: {kind: Ingress, name: i}}\n"
		"  - {type: External, external: {metricName: queue, targetValue: 30}}\n",
		HPA_NOW
		"spec:\n"
		"  scaleTargetRef: {kind: Deployment, name: d}\n"
		"  maxReplicas: 3\n"
		"  metrics:\n"
		"  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}\n"
		"  - type: Pods\n"
		"    pods:\n"
		"      metric: {name: qps, selector: {matchLabels: {a: b}}}\n"
		"      target: {type: AverageValue, averageValue: 10}\n"
		"  - type: Object\n"
		"    object:\n"
		"      metric: {name: hits}\n"
		"      describedObject: {kind: Ingress, name: i}\n"
		"      target: {type: Value, value: 5}\n"
		"  - type: External\n"
		"    external: {metric: {name: queue}, target: {type: Value, value: 30}}\n",
		"Kubernetes has HorizontalPodAutoscaler of autoscaling/v2beta1 no more; read as autoscaling/v2"
	},
	{
		OLD("autoscaling/v2beta2", "HorizontalPodAutoscaler")
		"metadata: {name: h}\n"
		"spec: {" HPA_SPEC "}\n",
		HPA_NOW
		"spec: {" HPA_SPEC "}\n",
		"Kubernetes has HorizontalPodAutoscaler of autoscaling/v2beta2 no more; read as autoscaling/v2"
	},
	{
		OLD("policy/v1beta1", "PodDisruptionBudget")
		"metadata: {name: p}\n"
		"spec: {minAvailable: 1, selector: {}}\n",
		OLD("policy/v1", "PodDisruptionBudget")
		"metadata: {name: p}\n"
		"spec: {minAvailable: 1}\n",
		"Kubernetes has PodDisruptionBudget of policy/v1beta1 no more; read as policy/v1"
	},
	{
		OLD("extensions/v1beta1", "Ingress")
		"metadata: {name: i}\n"
		"spec:\n"
		"  backend: {serviceName: web, servicePort: 80}\n"
		"  rules:\n"
		"  - http: {paths: [{path: /a, backend: {serviceName: web, servicePort: http}}]}\n"
		"  - host: b.example\n"
		"    http: {paths: [{path: /, pathType: Prefix, backend: {serviceName: b, servicePort: 8080}}]}\n",
		OLD("networking.k8s.io/v1", "Ingress")
		"metadata: {name: i}\n"
		"spec:\n"
		"  defaultBackend: {service: {name: web, port: {number: 80}}}\n"
		"  rules:\n"
		"  - http:\n"
		"      paths:\n"
		"      - path: /a\n"
		"        pathType: ImplementationSpecific\n"
		"        backend: {service: {name: web, port: {name: http}}}\n"
		"  - host: b.example\n"
		"    http:\n"
		"      paths:\n"
		"      - path: /\n"
		"        pathType: Prefix\n"
		"        backend: {service: {name: b, port: {number: 8080}}}\n",
		"Kubernetes has Ingress of extensions/v1beta1 no more; read as networking.k8s.io/v1"
	},
	{
		OLD("storage.k8s.io/v1beta1", "StorageClass")
		"metadata: {name: s}\n"
		"provisioner: example.com/disk\n",
		OLD("storage.k8s.io/v1", "StorageClass")
		"metadata: {name: s}\n"
		"provisioner: example.com/disk\n",
		"Kubernetes has StorageClass of storage.k8s.io/v1beta1 no more; read as storage.k8s.io/v1"
	},
	{
		OLD("node.k8s.io/v1alpha1", "RuntimeClass")
		"metadata: {name: r}\n"
		"spec: {runtimeHandler: crun}\n",
		OLD("node.k8s.io/v1", "RuntimeClass")
		"metadata: {name: r}\n"
		"handler: crun\n",
		"Kubernetes has RuntimeClass of node.k8s.io/v1alpha1 no more; read as node.k8s.io/v1"
	},
};

/* What the old text says beyond what the new one is told, too. */
static const char *first_warning(const struct manifest *old)
{
	static const char prefix[] = "Kubernetes has ";

	for (uint32_t i = 0; i < old->msgs.n; i++) {
		if (strncmp(old->msgs.v[i].text, prefix, strlen(prefix)) == 0) {
			assert_int_equal(old->msgs.v[i].line, 1);
			assert_int_equal(old->msgs.v[i].col, 13);
			assert_true(old->msgs.v[i].warning);
			return old->msgs.v[i].text;
		}
	}
	return NULL;
}

static void check_case(size_t i)
{
	struct fixture f = { 0 };
	struct manifest *old = good(&f, "old.yaml", cases[i].old);
	struct manifest *now = good(&f, "now.yaml", cases[i].now);
	const char *warning = first_warning(old);

	assert_int_equal(old->objects.n, 1);
	assert_int_equal(now->objects.n, 1);
	const char *text = arena_strdup(&f.arena, json_of(&f, &old->objects.v[0], DUMP_WRITTEN));
	assert_string_equal(text, json_of(&f, &now->objects.v[0], DUMP_WRITTEN));
	assert_true(old->objects.v[0].digest == now->objects.v[0].digest);
	assert_int_equal(old->msgs.n, now->msgs.n + (cases[i].warning ? 1 : 0));
	assert_int_equal(!warning, !cases[i].warning);
	if (warning)
		assert_string_equal(warning, cases[i].warning);
	manifest_unref(old);
	manifest_unref(now);
	arena_release(&f.arena);
	buf_release(&f.text);
}

static void test_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_case(i);
}

/* Mistakes are shown where the file has them, with the path of today's version. */
static void test_positions(void **state)
{
	struct fixture *f = *state;
	struct manifest *m = load(f, "t.yaml",
		OLD("extensions/v1beta1", "Deployment")
		"metadata: {name: d}\n"
		"spec:\n"
		"  rollbackTo: {revision: 1}\n"
		"  template:\n"
		"    metadata: {labels: {app: x}}\n"
		"    spec: {containers: [{name: a, imag: b, image: 'rootfs:/'}]}\n");

	assert_string_equal(messages(f, &m->msgs),
		"t.yaml:1:13: warning: apiVersion: Kubernetes has Deployment of extensions/v1beta1 no "
		"more; read as apps/v1\n"
		"t.yaml:5:15: warning: spec.rollbackTo: Kubernetes has this no more; it is left out\n"
		"t.yaml:8:35: spec.template.spec.containers[0]: unknown field \"imag\"; did you mean "
		"\"image\"?\n");
}

static void test_broken_annotation(void **state)
{
	struct fixture *f = *state;
	struct manifest *m = load(f, "t.yaml",
		OLD("autoscaling/v1", "HorizontalPodAutoscaler")
		"metadata:\n"
		"  name: h\n"
		"  annotations:\n"
		"    autoscaling.alpha.kubernetes.io/metrics: '{'\n"
		"spec: {" HPA_SPEC "}\n");

	assert_string_equal(messages(f, &m->msgs),
		"t.yaml:6:46: metadata.annotations[autoscaling.alpha.kubernetes.io/metrics]: expected a "
		"list as JSON\n");
}

/* Aliases share their trees: a conversion must not change one through the other. */
static void test_shared_tree(void **state)
{
	struct fixture *f = *state;
	struct manifest *m = good(f, "t.yaml",
		"apiVersion: v1\n"
		"kind: List\n"
		"items:\n"
		"- apiVersion: extensions/v1beta1\n"
		"  kind: Deployment\n"
		"  metadata: {name: d}\n"
		"  spec: &spec {selector: {matchLabels: {app: x}}, template: " BOX "}\n"
		"- apiVersion: apps/v1\n"
		"  kind: Deployment\n"
		"  metadata: {name: e}\n"
		"  spec: *spec\n");

	assert_int_equal(m->objects.n, 2);
	assert_int_equal(m->objects.v[0].deployment->spec.strategy.rolling_update->max_surge.num, 1);
	assert_string_equal(m->objects.v[1].deployment->spec.strategy.rolling_update->max_surge.str,
			    "25%");
}

/* Items of a typed list have its version. */
static void test_list(void **state)
{
	struct fixture *f = *state;
	struct manifest *m = load(f, "t.yaml",
		OLD("extensions/v1beta1", "DeploymentList")
		"items:\n"
		"- metadata: {name: d}\n"
		"  spec: {template: " BOX "}\n");

	assert_string_equal(messages(f, &m->msgs),
		"t.yaml:1:13: warning: apiVersion: Kubernetes has Deployment of extensions/v1beta1 no "
		"more; read as apps/v1\n");
	assert_int_equal(m->objects.n, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_same), TEST(test_positions), TEST(test_broken_annotation),
		TEST(test_shared_tree), TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
