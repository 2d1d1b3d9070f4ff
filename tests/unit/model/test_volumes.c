/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of volumes, mounts and claims: every rule of theirs, broken and kept.
 */
#include "messages.h"

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
#define BOX POD "  containers:\n  - name: a\n    image: rootfs:/\n"
#define VOLUMES BOX "  volumes:\n"
#define CLAIM "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec:\n"

static const struct message_case cases[] = {
	/* mounts */
	{
		BOX
		"    volumeMounts:\n"
		"    - {name: data, mountPath: data/a, subPath: a, subPathExpr: $(A)}\n"
		"    - {name: data, mountPath: /b, subPathExpr: ../a}\n"
		"    - {name: data, mountPath: /c, recursiveReadOnly: Enabled}\n"
		"    - {name: data, mountPath: /d, readOnly: true, recursiveReadOnly: IfPossible, mountPropagation: HostToContainer}\n"
		"    - {name: data, mountPath: /e, mountPropagation: both}\n"
		"    - {name: data, mountPath: ''}\n"
		"    - {name: data, mountPath: proc}\n"
		"  volumes: [{name: data}]\n",
		"t.yaml:9:31: warning: spec.containers[0].volumeMounts[0].mountPath: \"data/a\" is not an absolute path; /data/a is meant\n"
		"t.yaml:9:64: spec.containers[0].volumeMounts[0].subPathExpr: is not possible together with subPath\n"
		"t.yaml:10:48: spec.containers[0].volumeMounts[1].subPathExpr: \"../a\" must not begin with \"..\" nor contain it\n"
		"t.yaml:11:54: spec.containers[0].volumeMounts[2].recursiveReadOnly: needs readOnly: true\n"
		"t.yaml:12:70: spec.containers[0].volumeMounts[3].recursiveReadOnly: needs mountPropagation None\n"
		"t.yaml:13:53: spec.containers[0].volumeMounts[4].mountPropagation: \"both\" is not None, HostToContainer or Bidirectional\n"
		"t.yaml:14:31: spec.containers[0].volumeMounts[5].mountPath: must not be empty\n"
		"t.yaml:15:31: spec.containers[0].volumeMounts[6].mountPath: nothing can be mounted over /proc\n"
	},
	{
		BOX
		"    volumeMounts:\n"
		"    - {name: data, mountPath: data/a, subPath: a, subPathExpr: $(A)}\n"
		"    - {name: data, mountPath: /c, recursiveReadOnly: Enabled}\n"
		"    - {name: data, mountPath: /d, readOnly: true, recursiveReadOnly: IfPossible, mountPropagation: HostToContainer}\n"
		"    - {name: data, mountPath: /e, mountPropagation: Bidirectional}\n"
		"  volumes: [{name: data}]\n",
		"t.yaml:9:31: warning: spec.containers[0].volumeMounts[0].mountPath: \"data/a\" is not an absolute path; /data/a is meant\n"
		"t.yaml:9:64: spec.containers[0].volumeMounts[0].subPathExpr: is not possible together with subPath\n"
		"t.yaml:10:54: spec.containers[0].volumeMounts[1].recursiveReadOnly: needs readOnly: true\n"
		"t.yaml:11:70: spec.containers[0].volumeMounts[2].recursiveReadOnly: needs mountPropagation None\n"
		"t.yaml:12:53: spec.containers[0].volumeMounts[3].mountPropagation: Bidirectional needs securityContext.privileged: true\n"
	},
	{
		BOX
		"    securityContext: {privileged: true}\n"
		"    volumeMounts: [{name: data, mountPath: /e, mountPropagation: Bidirectional}]\n"
		"    volumeDevices:\n"
		"    - {name: data, devicePath: /dev/a}\n"
		"    - {name: block, devicePath: /dev/a}\n"
		"    - {name: block, devicePath: /e}\n"
		"    - {name: block, devicePath: /dev/../b}\n"
		"  initContainers:\n"
		"  - {name: i, image: x, volumeMounts: [{name: dat, mountPath: /x}]}\n"
		"  volumes: [{name: data}, {name: block, persistentVolumeClaim: {claimName: c}}]\n",
		"t.yaml:11:14: spec.containers[0].volumeDevices[0].name: the pod has no claim \"data\"\n"
		"t.yaml:12:33: spec.containers[0].volumeDevices[1].devicePath: duplicate path \"/dev/a\"\n"
		"t.yaml:13:33: spec.containers[0].volumeDevices[2].devicePath: duplicate path \"/e\"\n"
		"t.yaml:14:33: spec.containers[0].volumeDevices[3].devicePath: \"/dev/../b\" must not contain \"..\"\n"
		"t.yaml:16:47: spec.initContainers[0].volumeMounts[0].name: the pod has no volume \"dat\"; did you mean \"data\"?\n"
	},
	/* sources */
	{
		VOLUMES
		"  - {name: a, hostPath: {path: ''}}\n"
		"  - {name: b, hostPath: {path: /a/../b}}\n"
		"  - {name: c, emptyDir: {medium: HugePages-2Mi}}\n"
		"  - {name: d, emptyDir: {medium: HugePagesX}}\n"
		"  - {name: e, configMap: {name: ''}}\n"
		"  - {name: f, configMap: {items: [{key: k}]}}\n"
		"  - {name: g, secret: {secretName: a_b, items: [{key: k, path: ../x, mode: 512}]}}\n"
		"  - {name: h, persistentVolumeClaim: {claimName: ''}}\n"
		"  - {name: i, configMap: {name: x}, secret: {secretName: s}, nfs: {server: z, path: /}}\n",
		"t.yaml:9:32: spec.volumes[0].hostPath.path: must not be empty\n"
		"t.yaml:10:32: spec.volumes[1].hostPath.path: \"/a/../b\" must not contain \"..\"\n"
		"t.yaml:12:34: spec.volumes[3].emptyDir.medium: \"HugePagesX\" is not Memory, HugePages or HugePages-SIZE, nor nothing for the disk\n"
		"t.yaml:13:33: spec.volumes[4].configMap.name: must not be empty\n"
		"t.yaml:14:26: spec.volumes[5].configMap.name: missing; it is required\n"
		"t.yaml:14:35: spec.volumes[5].configMap.items[0].path: missing; it is required\n"
		"t.yaml:15:36: warning: spec.volumes[6].secret.secretName: no object can be called \"a_b\": a name must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:15:64: spec.volumes[6].secret.items[0].path: \"../x\" must not begin with \"..\" nor contain it\n"
		"t.yaml:15:76: spec.volumes[6].secret.items[0].mode: 512 is not in 0-511\n"
		"t.yaml:16:50: spec.volumes[7].persistentVolumeClaim.claimName: must not be empty\n"
		"t.yaml:17:5: spec.volumes[8]: a volume has one source; this one has 3\n"
		"t.yaml:17:67: warning: spec.volumes[8].nfs: known to Kubernetes, not acted on by orch\n"
	},
	{
		VOLUMES
		"  - {name: a, persistentVolumeClaim: {claimName: A}}\n"
		"  - {name: b, image: {reference: x, pullPolicy: Sometimes}}\n"
		"  - {name: c, csi: {driver: x}}\n"
		"  - {name: d, emptyDir: null}\n",
		"t.yaml:9:50: warning: spec.volumes[0].persistentVolumeClaim.claimName: no object can be called \"A\": a name must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:10:49: spec.volumes[1].image.pullPolicy: \"Sometimes\" is not Always, IfNotPresent or Never\n"
		"t.yaml:11:20: warning: spec.volumes[2].csi: known to Kubernetes, not acted on by orch\n"
	},
	{
		VOLUMES
		"  - name: a\n"
		"    downwardAPI:\n"
		"      items:\n"
		"      - {path: a, fieldRef: {fieldPath: metadata.labels}}\n"
		"      - {path: b, fieldRef: {fieldPath: spec.nodeName}}\n"
		"      - {path: c, resourceFieldRef: {resource: limits.cpu}}\n"
		"      - {path: d}\n"
		"      - {path: /e, fieldRef: {fieldPath: metadata.name}, resourceFieldRef: {resource: limits.cpu, containerName: a}}\n"
		"      - {path: f, mode: 0777, resourceFieldRef: {resource: limits.cpu, containerName: a, divisor: 1m}}\n",
		"t.yaml:13:41: spec.volumes[0].downwardAPI.items[1].fieldRef.fieldPath: \"spec.nodeName\" is no field that a file can have; expected metadata.name, .namespace, .uid, metadata.labels['KEY'], metadata.annotations['KEY'], metadata.labels or metadata.annotations\n"
		"t.yaml:14:37: spec.volumes[0].downwardAPI.items[2].resourceFieldRef.containerName: missing; a volume is of no container\n"
		"t.yaml:15:9: spec.volumes[0].downwardAPI.items[3]: exactly one of fieldRef and resourceFieldRef is needed\n"
		"t.yaml:16:9: spec.volumes[0].downwardAPI.items[4]: exactly one of fieldRef and resourceFieldRef is needed\n"
		"t.yaml:16:16: spec.volumes[0].downwardAPI.items[4].path: \"/e\" must be a relative path\n"
	},
	{
		VOLUMES
		"  - name: a\n"
		"    projected:\n"
		"      defaultMode: 0400\n"
		"      sources:\n"
		"      - configMap: {name: x}\n"
		"        secret: {name: s}\n"
		"      - secret: {items: [{key: k, path: p}]}\n"
		"      - serviceAccountToken: {path: token, expirationSeconds: 599}\n"
		"      - serviceAccountToken: {path: ../token}\n"
		"      - clusterTrustBundle: {path: x, name: a, signerName: b}\n"
		"      - podCertificate: {signerName: x, keyType: RSA1024}\n",
		"t.yaml:13:9: spec.volumes[0].projected.sources[0]: an entry has one source; this one has 2\n"
		"t.yaml:15:17: spec.volumes[0].projected.sources[1].secret.name: missing; it is required\n"
		"t.yaml:16:63: spec.volumes[0].projected.sources[2].serviceAccountToken.expirationSeconds: 599 is not in 600-4294967296\n"
		"t.yaml:17:37: spec.volumes[0].projected.sources[3].serviceAccountToken.path: \"../token\" must not begin with \"..\" nor contain it\n"
		"t.yaml:18:29: spec.volumes[0].projected.sources[4].clusterTrustBundle: exactly one of name and signerName is needed\n"
		"t.yaml:19:50: spec.volumes[0].projected.sources[5].podCertificate.keyType: \"RSA1024\" is not RSA3072, RSA4096, ECDSAP256, ECDSAP384, ECDSAP521 or ED25519; did you mean \"RSA3072\"?\n"
	},
	{
		VOLUMES
		"  - name: a\n"
		"    projected:\n"
		"      sources:\n"
		"      - clusterTrustBundle: {path: x, name: a, labelSelector: {}}\n"
		"      - podCertificate: {signerName: x, keyType: RSA4096}\n"
		"      - podCertificate: {signerName: x, keyType: ED25519, keyPath: k, maxExpirationSeconds: 60}\n",
		"t.yaml:12:63: spec.volumes[0].projected.sources[0].clusterTrustBundle.labelSelector: is possible with signerName only\n"
		"t.yaml:13:25: spec.volumes[0].projected.sources[1].podCertificate: one of credentialBundlePath, keyPath and certificateChainPath is needed\n"
		"t.yaml:14:93: spec.volumes[0].projected.sources[2].podCertificate.maxExpirationSeconds: 60 is not in 3600-7862400\n"
	},
	{
		VOLUMES
		"  - {name: a, nfs: {server: '', path: x}}\n"
		"  - {name: b, iscsi: {targetPortal: x, iqn: z, lun: 256}}\n"
		"  - {name: c, iscsi: {targetPortal: x, iqn: iqn.2001-04.com.example:a, lun: 0, chapAuthSession: true}}\n"
		"  - {name: d, fc: {targetWWNs: [a]}}\n"
		"  - {name: e, fc: {}}\n"
		"  - {name: f, flocker: {datasetName: a/b}}\n"
		"  - {name: g, flocker: {}}\n"
		"  - {name: h, rbd: {image: x, monitors: []}}\n"
		"  - {name: i, cephfs: {monitors: []}}\n"
		"  - {name: j, gitRepo: {repository: x, directory: ../x}}\n"
		"  - {name: k, gcePersistentDisk: {pdName: x, partition: 256}}\n"
		"  - {name: l, azureDisk: {diskName: x, diskURI: z, cachingMode: none, kind: managed}}\n"
		"  - {name: m, glusterfs: {endpoints: x, path: ''}}\n",
		"t.yaml:9:29: spec.volumes[0].nfs.server: must not be empty\n"
		"t.yaml:9:39: spec.volumes[0].nfs.path: \"x\" is not an absolute path\n"
		"t.yaml:10:45: spec.volumes[1].iscsi.iqn: \"z\" must begin with iqn, eui or naa, and a dot\n"
		"t.yaml:10:53: spec.volumes[1].iscsi.lun: 256 is not in 0-255\n"
		"t.yaml:11:22: spec.volumes[2].iscsi.secretRef: missing; authentication needs it\n"
		"t.yaml:12:19: spec.volumes[3].fc.lun: missing; targetWWNs needs it\n"
		"t.yaml:13:19: spec.volumes[4].fc: exactly one of targetWWNs and wwids is needed\n"
		"t.yaml:14:38: spec.volumes[5].flocker.datasetName: \"a/b\" must not contain \"/\"\n"
		"t.yaml:15:24: spec.volumes[6].flocker: exactly one of datasetName and datasetUUID is needed\n"
		"t.yaml:16:41: spec.volumes[7].rbd.monitors: must not be empty\n"
		"t.yaml:17:34: spec.volumes[8].cephfs.monitors: must not be empty\n"
		"t.yaml:18:51: spec.volumes[9].gitRepo.directory: \"../x\" must not begin with \"..\" nor contain it\n"
		"t.yaml:19:57: spec.volumes[10].gcePersistentDisk.partition: 256 is not in 0-255\n"
		"t.yaml:20:65: spec.volumes[11].azureDisk.cachingMode: \"none\" is not None, ReadOnly or ReadWrite; did you mean \"None\"?\n"
		"t.yaml:20:77: spec.volumes[11].azureDisk.kind: \"managed\" is not Shared, Dedicated or Managed; did you mean \"Managed\"?\n"
		"t.yaml:21:47: spec.volumes[12].glusterfs.path: must not be empty\n"
	},
	/* claims */
	{
		CLAIM
		"  accessModes: [ReadWriteOnce]\n"
		"  resources: {requests: {storage: 1Gi}, limits: {storage: 2Gi}}\n"
		"  volumeMode: Block\n"
		"  storageClassName: ''\n",
		""
	},
	{
		CLAIM
		"  accessModes: [ReadWriteOnces, ReadWriteOncePod]\n"
		"  resources: {requests: {storage: -1, cpu: 1}}\n"
		"  volumeMode: File\n"
		"  storageClassName: Fast\n"
		"  dataSource: {kind: PersistentVolumeClaim}\n",
		"t.yaml:5:17: spec.accessModes[0]: \"ReadWriteOnces\" is not ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod; did you mean \"ReadWriteOnce\"?\n"
		"t.yaml:6:35: spec.resources.requests[storage]: -1 is less than 0\n"
		"t.yaml:6:44: spec.resources.requests[cpu]: unknown resource \"cpu\"; expected storage\n"
		"t.yaml:7:15: spec.volumeMode: \"File\" is not Filesystem or Block; did you mean \"Filesystem\"?\n"
		"t.yaml:8:21: spec.storageClassName: \"Fast\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:9:15: spec.dataSource.name: missing; it is required\n"
	},
	{
		CLAIM
		"  accessModes: [ReadWriteOnce, ReadWriteOncePod]\n"
		"  resources: {requests: {storage: 0}}\n",
		"t.yaml:5:16: spec.accessModes: ReadWriteOncePod stands alone\n"
		"t.yaml:6:35: spec.resources.requests.storage: 0 is not more than 0\n"
	},
	{
		CLAIM
		"  resources: {requests: {storage: 3Gi}, limits: {storage: 2Gi}}\n",
		"t.yaml:5:3: spec.accessModes: must have at least one mode\n"
		"t.yaml:5:35: spec.resources.requests.storage: 3Gi is more than the limit, 2Gi\n"
	},
	{
		CLAIM
		"  accessModes: []\n",
		"t.yaml:5:3: spec.resources.requests.storage: missing; it is required\n"
		"t.yaml:5:16: spec.accessModes: must have at least one mode\n"
	},
	{
		VOLUMES
		"  - {name: a, ephemeral: {}}\n"
		"  - {name: b, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteMany]}}}}\n",
		"t.yaml:9:26: spec.volumes[0].ephemeral.volumeClaimTemplate: missing; it is required\n"
		"t.yaml:10:55: spec.volumes[1].ephemeral.volumeClaimTemplate.spec.resources.requests.storage: missing; it is required\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
