/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of wrong PersistentVolumes and StorageClasses. */
#include "messages.h"

static const struct message_case cases[] = {
	/* PersistentVolumes */
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n"
		"spec:\n"
		"  capacity: {storage: 1Gi}\n"
		"  accessModes: [ReadWriteOnce, ReadOnlyMany]\n"
		"  persistentVolumeReclaimPolicy: Recycle\n"
		"  storageClassName: \"\"\n"
		"  hostPath: {path: /data}\n",
		""
	},
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n",
		"t.yaml:1:1: spec: missing; it is required\n"
	},
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n"
		"spec:\n"
		"  capacity: {storage: 0, cpu: 1}\n"
		"  accessModes: []\n"
		"  volumeMode: Blocks\n"
		"  persistentVolumeReclaimPolicy: recycle\n",
		"t.yaml:7:15: spec.volumeMode: \"Blocks\" is not Filesystem or Block; did you mean \"Block\"?\n"
		"t.yaml:8:34: spec.persistentVolumeReclaimPolicy: \"recycle\" is not Retain, Delete or Recycle; did you mean \"Recycle\"?\n"
	},
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n"
		"spec:\n"
		"  capacity: {storage: 0, cpu: 1}\n"
		"  accessModes: [ReadWriteOnce, ReadWriteOncePod, ReadWriteMost]\n"
		"  storageClassName: a_b\n",
		"t.yaml:5:3: spec: a source is missing, like hostPath, local or nfs\n"
		"t.yaml:5:23: spec.capacity.storage: 0 is not more than 0\n"
		"t.yaml:5:31: spec.capacity[cpu]: only storage is possible\n"
		"t.yaml:6:16: spec.accessModes: ReadWriteOncePod stands alone\n"
		"t.yaml:6:50: spec.accessModes[2]: \"ReadWriteMost\" is not ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod; did you mean \"ReadWriteMany\"?\n"
		"t.yaml:7:21: spec.storageClassName: \"a_b\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
	},
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n"
		"spec:\n"
		"  capacity: {cpu: 1}\n"
		"  accessModes: [ReadWriteOnce, ReadWriteOncePod]\n",
		"t.yaml:5:3: spec: a source is missing, like hostPath, local or nfs\n"
		"t.yaml:5:13: spec.capacity.storage: missing; it is required\n"
		"t.yaml:5:19: spec.capacity[cpu]: only storage is possible\n"
		"t.yaml:6:16: spec.accessModes: ReadWriteOncePod stands alone\n"
	},
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n"
		"spec:\n"
		"  capacity: {storage: 1Gi}\n"
		"  accessModes: [ReadWriteOnce]\n"
		"  persistentVolumeReclaimPolicy: Recycle\n"
		"  hostPath: {path: /}\n"
		"  local: {path: /a/../b}\n"
		"  nfs: {server: s, path: /}\n",
		"t.yaml:5:3: spec.nodeAffinity: missing; a local volume needs it\n"
		"t.yaml:7:34: spec.persistentVolumeReclaimPolicy: Recycle is not possible with the hostPath /\n"
		"t.yaml:9:10: spec.local: a volume has one source, and hostPath is there, too\n"
		"t.yaml:9:17: spec.local.path: \"/a/../b\" must not contain \"..\"\n"
		"t.yaml:10:8: spec.nfs: a volume has one source, and hostPath is there, too\n"
	},
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n"
		"spec:\n"
		"  capacity: {storage: -1}\n"
		"  accessModes: [ReadWriteOnce]\n"
		"  persistentVolumeReclaimPolicy: Recycle\n"
		"  hostPath: {path: /}\n",
		"t.yaml:5:23: spec.capacity.storage: -1 is not more than 0\n"
		"t.yaml:7:34: spec.persistentVolumeReclaimPolicy: Recycle is not possible with the hostPath /\n"
	},
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n"
		"spec:\n"
		"  capacity: {storage: 1Gi}\n"
		"  accessModes: [ReadWriteOnce]\n"
		"  local: {path: /data}\n",
		"t.yaml:5:3: spec.nodeAffinity: missing; a local volume needs it\n"
	},
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n"
		"spec:\n"
		"  capacity: {storage: 1Gi}\n"
		"  accessModes: [ReadWriteOnce]\n"
		"  nodeAffinity: {}\n"
		"  csi: {driver: a_b}\n",
		"t.yaml:7:17: spec.nodeAffinity.required: missing; it is required\n"
		"t.yaml:8:8: spec.csi.volumeHandle: missing; it is required\n"
		"t.yaml:8:17: spec.csi.driver: \"a_b\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
	},
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n"
		"spec:\n"
		"  capacity: {storage: 1Gi}\n"
		"  accessModes: [ReadWriteOnce]\n"
		"  iscsi: {targetPortal: 10.0.0.1, iqn: x, lun: 300, chapAuthSession: true}\n",
		"t.yaml:7:48: spec.iscsi.lun: 300 is not in 0-255\n"
	},
	{
		"apiVersion: v1\n"
		"kind: PersistentVolume\n"
		"metadata: {name: v}\n"
		"spec:\n"
		"  capacity: {storage: 1Gi}\n"
		"  accessModes: [ReadWriteOnce]\n"
		"  iscsi: {targetPortal: 10.0.0.1, iqn: x, lun: 3, chapAuthSession: true}\n",
		"t.yaml:7:10: spec.iscsi.secretRef: missing; CHAP needs it\n"
		"t.yaml:7:40: spec.iscsi.iqn: \"x\" must begin with \"iqn.\", \"eui.\" or \"naa.\"\n"
	},
	/* StorageClasses */
	{
		"apiVersion: storage.k8s.io/v1\n"
		"kind: StorageClass\n"
		"metadata: {name: c, annotations: {storageclass.kubernetes.io/is-default-class: \"true\"}}\n"
		"provisioner: kubernetes.io/No-Provisioner\n"
		"volumeBindingMode: WaitForFirstConsumer\n"
		"allowedTopologies: [{matchLabelExpressions: [{key: zone, values: [a]}]}]\n",
		""
	},
	{
		"apiVersion: storage.k8s.io/v1\n"
		"kind: StorageClass\n"
		"metadata: {name: c_d}\n"
		"provisioner: a b\n"
		"parameters: {\"\": x, a: 5}\n"
		"reclaimPolicy: Recycle\n"
		"volumeBindingMode: immediate\n"
		"allowedTopologies: [{matchLabelExpressions: [{key: zone, values: []}]}]\n",
		"t.yaml:3:18: metadata.name: \"c_d\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:4:14: provisioner: \"a b\" must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an optional DNS domain and \"/\"\n"
		"t.yaml:5:18: parameters[]: the key must not be empty\n"
		"t.yaml:5:24: parameters[a]: expected a string, not the number 5; quote it: \"5\"\n"
		"t.yaml:6:16: reclaimPolicy: \"Recycle\" is not Retain or Delete\n"
		"t.yaml:7:20: volumeBindingMode: \"immediate\" is not Immediate or WaitForFirstConsumer; did you mean \"Immediate\"?\n"
		"t.yaml:8:66: allowedTopologies[0].matchLabelExpressions[0].values: must have at least one value\n"
	},
	{
		"apiVersion: storage.k8s.io/v1\n"
		"kind: StorageClass\n"
		"metadata: {name: c}\n"
		"parameters: {\"\": x}\n",
		"t.yaml:1:1: provisioner: missing; it is required\n"
		"t.yaml:4:18: parameters[]: the key must not be empty\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
