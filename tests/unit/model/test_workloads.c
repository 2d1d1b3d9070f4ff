/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of wrong Deployments, ReplicaSets, ReplicationControllers, StatefulSets, DaemonSets
 * and PodTemplates, to the column.
 */
#include "messages.h"

#define LABELS "metadata: {labels: {app: x}}"
#define BOX "containers: [{name: a, image: 'rootfs:/'}]"
#define DEPLOYMENT "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n"
#define REPLICASET "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: x}\nspec:\n"
#define CONTROLLER "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: x}\nspec:\n"
#define STATEFULSET "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: x}\nspec:\n"
#define DAEMONSET "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: x}\nspec:\n"
#define POD_TEMPLATE "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: x}\n"

static const struct message_case cases[] = {
	/* all of them: counts, selectors, templates */
	{
		DEPLOYMENT
		"  replicas: -1\n"
		"  minReadySeconds: -1\n"
		"  revisionHistoryLimit: -1\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:13: spec.replicas: -1 is less than 0\n"
		"t.yaml:6:20: spec.minReadySeconds: -1 is less than 0\n"
		"t.yaml:7:25: spec.revisionHistoryLimit: -1 is less than 0\n"
	},
	{
		DEPLOYMENT
		"  replicas: \"3\"\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:13: spec.replicas: expected an integer, not the string \"3\"; remove the quotes\n"
	},
	{
		DEPLOYMENT
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:3: spec.selector: missing; it is required\n"
	},
	{
		REPLICASET
		"  selector: {}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:13: spec.selector: must not be empty\n"
	},
	{
		STATEFULSET
		"  selector: {matchLabels: {app: z}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:6:33: spec.template.metadata.labels: do not match the selector\n"
	},
	{
		DAEMONSET
		"  selector: {matchExpressions: [{key: app, operator: In}]}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:33: spec.selector.matchExpressions[0].values: operator In needs at least one value\n"
		"t.yaml:6:33: spec.template.metadata.labels: do not match the selector\n"
	},
	{
		DAEMONSET
		"  selector: {matchExpressions: [{key: app, operator: Exists, values: [a]}]}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:70: spec.selector.matchExpressions[0].values: operator Exists takes no values\n"
	},
	{
		REPLICASET
		"  selector: {matchExpressions: [{key: app, operator: in, values: [x]}]}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:54: spec.selector.matchExpressions[0].operator: \"in\" is not In, NotIn, Exists or DoesNotExist; did you mean \"In\"?\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchLabels: {app: x}}\n",
		"t.yaml:5:3: spec.template: missing; it is required\n"
	},
	{
		DAEMONSET
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {restartPolicy: Never, " BOX "}}\n",
		"t.yaml:6:66: spec.template.spec.restartPolicy: must be Always here, not Never\n"
	},
	{
		CONTROLLER
		"  template: {" LABELS ", spec: {restartPolicy: OnFailure, " BOX "}}\n",
		"t.yaml:5:66: spec.template.spec.restartPolicy: must be Always here, not OnFailure\n"
	},
	{
		STATEFULSET
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {activeDeadlineSeconds: 5, " BOX "}}\n",
		"t.yaml:6:74: spec.template.spec.activeDeadlineSeconds: is possible for Pods and Jobs only\n"
	},
	{
		REPLICASET
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {ephemeralContainers: [{name: b, image: c}], " BOX "}}\n",
		"t.yaml:6:72: spec.template.spec.ephemeralContainers: is not possible in a manifest: ephemeral containers are added to pods that run\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {containers: [{name: a, image: 'rootfs:/', volumeMounts: [{name: dat, mountPath: /d}]}], volumes: [{name: data}]}}\n",
		"t.yaml:6:115: spec.template.spec.containers[0].volumeMounts[0].name: the pod has no volume \"dat\"; did you mean \"data\"?\n"
	},
	{
		POD_TEMPLATE
		"template: {spec: {containers: [{name: a, image: 'rootfs:/', volumeMounts: [{name: data, mountPath: /d}]}]}}\n",
		"t.yaml:4:83: template.spec.containers[0].volumeMounts[0].name: the pod has no volume \"data\"\n"
	},
	{
		POD_TEMPLATE
		"template: {spec: {" BOX "}}\n",
		""
	},
	/* Deployment */
	{
		DEPLOYMENT
		"  strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:45: spec.strategy.rollingUpdate: is possible with type RollingUpdate only\n"
	},
	{
		DEPLOYMENT
		"  strategy: {type: Rolling}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:20: spec.strategy.type: \"Rolling\" is not RollingUpdate or Recreate; did you mean \"RollingUpdate\"?\n"
	},
	{
		DEPLOYMENT
		"  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:59: spec.strategy.rollingUpdate.maxUnavailable: must not be 0 while maxSurge is 0\n"
	},
	{
		DEPLOYMENT
		"  strategy: {rollingUpdate: {maxSurge: \"1\", maxUnavailable: 101%}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:40: spec.strategy.rollingUpdate.maxSurge: \"1\" is a string; remove the quotes, or append %\n"
		"t.yaml:5:61: spec.strategy.rollingUpdate.maxUnavailable: \"101%\" is more than 100%\n"
	},
	{
		DEPLOYMENT
		"  strategy: {rollingUpdate: {maxSurge: 200%, maxUnavailable: -1}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:62: spec.strategy.rollingUpdate.maxUnavailable: -1 is less than 0\n"
	},
	{
		DEPLOYMENT
		"  progressDeadlineSeconds: 10\n"
		"  minReadySeconds: 10\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:28: spec.progressDeadlineSeconds: 10 must be more than minReadySeconds, 10\n"
	},
	/* ReplicationController */
	{
		CONTROLLER
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		""
	},
	{
		CONTROLLER
		"  selector: {app: z}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:6:33: spec.template.metadata.labels: do not match the selector\n"
	},
	{
		CONTROLLER
		"  template: {spec: {" BOX "}}\n",
		"t.yaml:5:3: spec.selector: missing; it, or labels of the template, must tell the pods\n"
	},
	{
		CONTROLLER
		"  replicas: 2\n",
		"t.yaml:5:3: spec.template: missing; it is required\n"
	},
	/* StatefulSet */
	{
		STATEFULSET
		"  updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:51: spec.updateStrategy.rollingUpdate: is possible with type RollingUpdate only\n"
	},
	{
		STATEFULSET
		"  updateStrategy: {rollingUpdate: {partition: -1, maxUnavailable: 0}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:47: spec.updateStrategy.rollingUpdate.partition: -1 is less than 0\n"
		"t.yaml:5:67: spec.updateStrategy.rollingUpdate.maxUnavailable: must not be 0\n"
	},
	{
		STATEFULSET
		"  updateStrategy: {rollingUpdate: {maxUnavailable: 0%}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:52: spec.updateStrategy.rollingUpdate.maxUnavailable: must not be 0\n"
	},
	{
		STATEFULSET
		"  updateStrategy: {type: Recreate}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:26: spec.updateStrategy.type: \"Recreate\" is not RollingUpdate or OnDelete\n"
	},
	{
		STATEFULSET
		"  podManagementPolicy: parallel\n"
		"  persistentVolumeClaimRetentionPolicy: {whenScaled: Remove}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:24: spec.podManagementPolicy: \"parallel\" is not OrderedReady or Parallel; did you mean \"Parallel\"?\n"
		"t.yaml:6:54: spec.persistentVolumeClaimRetentionPolicy.whenScaled: \"Remove\" is not Retain or Delete\n"
	},
	{
		STATEFULSET
		"  ordinals: {start: -1}\n"
		"  serviceName: A_b\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:21: spec.ordinals.start: -1 is less than 0\n"
		"t.yaml:6:16: spec.serviceName: \"A_b\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
	},
	{
		STATEFULSET
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {containers: [{name: a, image: 'rootfs:/', volumeMounts: [{name: data, mountPath: /d}]}]}}\n"
		"  volumeClaimTemplates:\n"
		"  - metadata: {name: data}\n"
		"    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
		""
	},
	{
		STATEFULSET
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n"
		"  volumeClaimTemplates:\n"
		"  - metadata: {name: a.b}\n"
		"    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
		"  - spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
		"t.yaml:8:22: spec.volumeClaimTemplates[0].metadata.name: \"a.b\" must consist of lower-case letters, digits and \"-\", and begin and end with a letter or digit\n"
		"t.yaml:10:5: spec.volumeClaimTemplates[1].metadata.name: missing; it is required\n"
	},
	{
		STATEFULSET
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n"
		"  volumeClaimTemplates:\n"
		"  - metadata: {name: a}\n"
		"    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
		"  - metadata: {name: a}\n"
		"    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 0}}}\n",
		"t.yaml:10:22: spec.volumeClaimTemplates[1].metadata.name: duplicate name \"a\"\n"
		"t.yaml:11:74: spec.volumeClaimTemplates[1].spec.resources.requests.storage: 0 is not more than 0\n"
	},
	/* DaemonSet */
	{
		DAEMONSET
		"  updateStrategy: {rollingUpdate: {maxSurge: 1}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:46: spec.updateStrategy.rollingUpdate.maxSurge: must be 0 unless maxUnavailable is 0; it is 1 when absent\n"
	},
	{
		DAEMONSET
		"  updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 10%}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:46: spec.updateStrategy.rollingUpdate.maxSurge: must be 0 unless maxUnavailable is 0\n"
	},
	{
		DAEMONSET
		"  updateStrategy: {rollingUpdate: {maxSurge: 0%, maxUnavailable: 0}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:66: spec.updateStrategy.rollingUpdate.maxUnavailable: must not be 0 while maxSurge is 0\n"
	},
	{
		DAEMONSET
		"  updateStrategy: {rollingUpdate: {maxSurge: 101%, maxUnavailable: 0}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:46: spec.updateStrategy.rollingUpdate.maxSurge: \"101%\" is more than 100%\n"
	},
	{
		DAEMONSET
		"  updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		""
	},
	{
		DAEMONSET
		"  replicas: 2\n"
		"  updateStrategy: {type: onDelete}\n"
		"  selector: {matchLabels: {app: x}}\n"
		"  template: {" LABELS ", spec: {" BOX "}}\n",
		"t.yaml:5:3: spec: unknown field \"replicas\"\n"
		"t.yaml:6:26: spec.updateStrategy.type: \"onDelete\" is not RollingUpdate or OnDelete; did you mean \"OnDelete\"?\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
