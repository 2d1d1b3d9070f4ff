/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of wrong manifests: a text, and every message that it gets, to the column. A rule
 * that is lost or fires where it should not shows here.
 */
#include "messages.h"

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
#define BOX POD "  containers:\n  - name: a\n    image: rootfs:/\n"
#define SERVICE                                                                                \
	"apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  selector: {app: x}\n"
#define DEPLOYMENT "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n"
#define CONFIGMAP "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
#define SECRET "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"

static const struct message_case cases[] = {
	/* headers */
	{
		"a: b\n",
		"t.yaml:1:1: apiVersion: missing; it is required, like v1 or apps/v1\n"
		"t.yaml:1:1: kind: missing; it is required, like Deployment\n"
	},
	{
		"- a\n"
		"- b\n",
		"t.yaml:1:1: expected a mapping with apiVersion and kind, not a list\n"
	},
	{
		"just text\n",
		"t.yaml:1:1: expected a mapping with apiVersion and kind, not a single value\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Deploymnt\n",
		"t.yaml:2:7: kind: unknown kind \"Deploymnt\"; did you mean \"Deployment\"?\n"
	},
	{
		"apiVersion: apps/v1\n"
		"kind: deployment\n",
		"t.yaml:2:7: kind: unknown kind \"deployment\"; did you mean \"Deployment\"?\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Deployment\n"
		"metadata: {name: a}\n",
		"t.yaml:1:13: apiVersion: Deployment is of apps/v1, not of v1\n"
	},
	{
		"apiVersion: apps/v1beta9\n"
		"kind: Deployment\n",
		"t.yaml:1:13: apiVersion: Deployment is of apps/v1, not of apps/v1beta9\n"
	},
	{
		"apiVersion: 1\n"
		"kind: Pod\n",
		"t.yaml:1:13: apiVersion: expected a string like v1 or apps/v1\n"
	},
	{
		"apiVersion: apps\n"
		"kind: Deployment\n",
		"t.yaml:1:13: apiVersion: \"apps\" is no API version like v1 or apps/v1\n"
	},
	{
		"apiVersion: v1\n"
		"kind: My Pod\n",
		"t.yaml:2:7: kind: \"My Pod\" is no kind like Deployment\n"
	},
	{
		"apiVersion: orch/v1\n"
		"kind: OrchdConfiguration\n",
		"t.yaml:2:7: kind: OrchdConfiguration of orch/v1 belongs in orchd.yaml\n"
	},
	{
		"{{ if x }}\n"
		"kind: Pod\n",
		"t.yaml:1:2: a key must be a string; if this was meant to be {{ ... }}, it looks like an unrendered template\n"
	},
	{
		"kind: {{ .Values.kind }}\n",
		"t.yaml:1:8: kind: a key must be a string; if this was meant to be {{ ... }}, it looks like an unrendered template\n"
	},
	/* metadata */
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata:\n",
		"t.yaml:1:1: metadata.name: missing; it is required\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: []\n",
		"t.yaml:3:11: metadata: expected a mapping, not a list\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {name: [a], generateName: ''}\n",
		"t.yaml:3:18: metadata.name: expected a string, not a list\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {name: ~, generateName: '', namespace: ''}\n",
		"t.yaml:3:11: metadata.name: missing; it is required\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {name: ''}\n",
		"t.yaml:3:18: metadata.name: must not be empty\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n",
		"t.yaml:1:1: metadata.name: missing; it is required\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata:\n"
		"  labels: {}\n",
		"t.yaml:4:3: metadata.name: missing; it is required\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {generateName: a-}\n",
		"t.yaml:3:26: warning: metadata.generateName: the name a-hn2ng is made from the contents, and changes with them\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {generateName: A-}\n",
		"t.yaml:3:11: metadata.name: generated from \"A-\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Namespace\n"
		"metadata: {generateName: a-}\n",
		"t.yaml:3:11: metadata.name: missing; a Namespace needs a fixed name\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {name: Web_1}\n",
		"t.yaml:3:18: metadata.name: \"Web_1\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Namespace\n"
		"metadata: {name: a.b, namespace: x}\n",
		"t.yaml:3:18: metadata.name: \"a.b\" must consist of lower-case letters, digits and \"-\", and begin and end with a letter or digit\n"
		"t.yaml:3:34: warning: metadata.namespace: ignored: Namespace is a kind without namespaces\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Service\n"
		"metadata: {name: 1st}\n"
		"spec: {clusterIP: None, selector: {a: b}}\n",
		"t.yaml:3:18: metadata.name: \"1st\" must consist of lower-case letters, digits and \"-\", begin with a letter and end with a letter or digit\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {name: 123}\n",
		"t.yaml:3:18: metadata.name: expected a string, not the number 123; quote it: \"123\"\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {name: c, labels: {'a b': c, d: 'e f'}, annotations: {Orch/x: 1}}\n",
		"t.yaml:3:37: metadata.labels[a b]: label key \"a b\" must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an optional DNS domain and \"/\"\n"
		"t.yaml:3:43: metadata.labels[d]: label value \"e f\" must consist of letters, digits, \"-\", \"_\" and \".\", and begin and end with a letter or digit\n"
		"t.yaml:3:73: metadata.annotations[Orch/x]: expected a string, not the number 1; quote it: \"1\"\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {name: c, annotations: {orch/config-change: rol, orch/prunes: disabled, orch/restart-backoff-max: soon, orch/pids-limit: \"0\"}}\n",
		"t.yaml:3:55: metadata.annotations[orch/config-change]: \"rol\" is not \"roll\" or \"live\"\n"
		"t.yaml:3:73: warning: metadata.annotations[orch/prunes]: orch knows no annotation \"orch/prunes\"; did you mean \"orch/prune\"?\n"
		"t.yaml:3:109: metadata.annotations[orch/restart-backoff-max]: \"soon\" is no duration like 30s or 2m\n"
		"t.yaml:3:132: metadata.annotations[orch/pids-limit]: \"0\" is no number above 0\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {name: c, annotations: {orch/reconcile: disabled}}\n",
		"t.yaml:3:51: warning: metadata.annotations[orch/reconcile]: \"orch/reconcile\" is not acted on in this version\n"
	},
	{
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata: {name: c, finalizers: [x], uid: [1], ownerReferences: 3}\n"
		"extra: 1\n"
		"metdata: {}\n",
		"t.yaml:3:33: warning: metadata.finalizers: known to Kubernetes, not acted on by orch\n"
		"t.yaml:4:1: unknown field \"extra\"\n"
		"t.yaml:5:1: unknown field \"metdata\"; did you mean \"metadata\"?\n"
	},
	/* container */
	{
		POD
		"  contaners: []\n",
		"t.yaml:5:3: spec: unknown field \"contaners\"; did you mean \"containers\"?\n"
		"t.yaml:5:3: spec.containers: missing; it is required\n"
	},
	{
		POD
		"  containers: []\n",
		"t.yaml:5:15: spec.containers: must not be empty\n"
	},
	{
		POD
		"  containers:\n"
		"  - {name: A, image: nginx}\n"
		"  - {name: e, image: 'Nginx:latest'}\n"
		"  - {name: b}\n"
		"  - {name: c, image: 'rootfs:x'}\n"
		"  - {name: d, image: 'rootfs:/a/../b'}\n",
		"t.yaml:6:12: spec.containers[0].name: \"A\" must consist of lower-case letters, digits and \"-\", and begin and end with a letter or digit\n"
		"t.yaml:7:22: warning: spec.containers[1].image: couldn't parse image name \"Nginx:latest\": invalid reference format: repository name must be lowercase\n"
		"t.yaml:8:5: spec.containers[2].image: missing; it is required\n"
		"t.yaml:9:22: spec.containers[3].image: image \"rootfs:x\": the path must begin with / and have no . or .. in it\n"
		"t.yaml:10:22: spec.containers[4].image: image \"rootfs:/a/../b\": the path must begin with / and have no . or .. in it\n"
	},
	{
		BOX
		"  - {name: a, image: 'rootfs:/'}\n"
		"  volumes: [{name: v}, {name: v}]\n",
		"t.yaml:8:12: spec.containers[1].name: duplicate name \"a\"\n"
		"t.yaml:9:31: spec.volumes[1].name: duplicate name \"v\"\n"
	},
	{
		BOX
		"    ports:\n"
		"    - {containerPort: 80}\n"
		"    - {containerPort: 70000}\n",
		"t.yaml:10:23: spec.containers[0].ports[1].containerPort: 70000 is not in 1-65535\n"
	},
	{
		BOX
		"    ports: [{containerPort: 80, name: http}, {containerPort: 81, name: http}, {containerPort: 80, name: '80'}, {containerPort: 5, hostPort: 5}]\n",
		"t.yaml:8:72: spec.containers[0].ports[1].name: duplicate name \"http\"\n"
		"t.yaml:8:95: warning: spec.containers[0].ports[2].containerPort: 80/TCP is already port 0\n"
		"t.yaml:8:105: spec.containers[0].ports[2].name: \"80\" must consist of lower-case letters, digits and single \"-\" between them, with at least one letter\n"
		"t.yaml:8:141: warning: spec.containers[0].ports[3].hostPort: known to Kubernetes, not acted on by orch\n"
	},
	{
		BOX
		"    env:\n"
		"    - {name: A, value: 5}\n"
		"    - {name: B, value: yes}\n"
		"    - {name: C=D, value: x}\n"
		"    - {name: E, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}\n"
		"    - {name: F, valueFrom: {}}\n"
		"    - {name: G, valueFrom: {fieldRef: {fieldPath: metadata.nam}, secretKeyRef: {name: s, key: k}}}\n"
		"    - {name: H, valueFrom: {fieldRef: {fieldPath: metadata.nam}}}\n"
		"    - {name: I, valueFrom: {fieldRef: {fieldPath: spec.restartPolicy}}}\n"
		"    - {name: J, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['a b']\"}}}\n",
		"t.yaml:9:24: spec.containers[0].env[0].value: expected a string, not the number 5; quote it: \"5\"\n"
		"t.yaml:10:24: spec.containers[0].env[1].value: expected a string, not the boolean yes; quote it: \"yes\"\n"
		"t.yaml:11:14: spec.containers[0].env[2].name: \"C=D\" must consist of printable ASCII characters other than \"=\"\n"
		"t.yaml:12:38: spec.containers[0].env[3].valueFrom: is not possible together with value\n"
		"t.yaml:13:28: spec.containers[0].env[4].valueFrom: exactly one of fieldRef, resourceFieldRef, configMapKeyRef and secretKeyRef is needed, not 0\n"
		"t.yaml:14:28: spec.containers[0].env[5].valueFrom: exactly one of fieldRef, resourceFieldRef, configMapKeyRef and secretKeyRef is needed, not 2\n"
		"t.yaml:14:51: spec.containers[0].env[5].valueFrom.fieldRef.fieldPath: \"metadata.nam\" is no field that a variable can have; did you mean \"metadata.name\"?\n"
		"t.yaml:15:51: spec.containers[0].env[6].valueFrom.fieldRef.fieldPath: \"metadata.nam\" is no field that a variable can have; did you mean \"metadata.name\"?\n"
		"t.yaml:16:51: spec.containers[0].env[7].valueFrom.fieldRef.fieldPath: \"spec.restartPolicy\" is no field that a variable can have; expected metadata.name, .namespace, .uid, metadata.labels['KEY'], metadata.annotations['KEY'], spec.nodeName, spec.serviceAccountName, status.hostIP, .hostIPs, .podIP or .podIPs\n"
		"t.yaml:17:51: spec.containers[0].env[8].valueFrom.fieldRef.fieldPath: \"metadata.labels['a b']\" is no field that a variable can have; did you mean \"metadata.labels['KEY']\"?\n"
	},
	{
		BOX
		"    env:\n"
		"    - {name: A, valueFrom: {resourceFieldRef: {resource: limits.disk}}}\n"
		"    - {name: B, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 3m}}}\n"
		"    - {name: C, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 2Mi}}}\n"
		"    - {name: D, valueFrom: {resourceFieldRef: {containerName: z, resource: limits.memory}}}\n"
		"    - {name: E, valueFrom: {configMapKeyRef: {name: x, key: ..y}}}\n"
		"    - {name: F, valueFrom: {fileKeyRef: {}}}\n",
		"t.yaml:9:58: spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: \"limits.disk\" is not limits. or requests. and cpu, memory, ephemeral-storage or hugepages-SIZE\n"
		"t.yaml:10:79: spec.containers[0].env[1].valueFrom.resourceFieldRef.divisor: 3m is not 1 or 1m\n"
		"t.yaml:11:82: spec.containers[0].env[2].valueFrom.resourceFieldRef.divisor: 2Mi is not 1, 1k to 1E or 1Ki to 1Ei\n"
		"t.yaml:13:61: spec.containers[0].env[4].valueFrom.configMapKeyRef.key: \"..y\" must consist of letters, digits, \"-\", \"_\" and \".\", and not begin with \"..\"\n"
		"t.yaml:14:41: spec.containers[0].env[5].valueFrom.fileKeyRef.key: missing; it is required\n"
		"t.yaml:14:41: spec.containers[0].env[5].valueFrom.fileKeyRef.path: missing; it is required\n"
		"t.yaml:14:41: spec.containers[0].env[5].valueFrom.fileKeyRef.volumeName: missing; it is required\n"
	},
	{
		BOX
		"    envFrom: [{}, {prefix: 'A=', configMapRef: {name: x}}, {configMapRef: {name: x}, secretRef: {name: y}}, {prefix: '', configMapRef: {name: x_y}}]\n",
		"t.yaml:8:15: spec.containers[0].envFrom[0]: exactly one of configMapRef and secretRef is needed\n"
		"t.yaml:8:28: spec.containers[0].envFrom[1].prefix: \"A=\" must consist of printable ASCII characters other than \"=\"\n"
		"t.yaml:8:104: spec.containers[0].envFrom[2].secretRef.name: expected a string, not the boolean y; quote it: \"y\"\n"
		"t.yaml:8:143: warning: spec.containers[0].envFrom[3].configMapRef.name: no object can be called \"x_y\": a name must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
	},
	{
		BOX
		"    resources:\n"
		"      limits: {cpu: 100m, memory: 64Mi, nvidia.com/gpu: 1, disk: 1}\n"
		"      requests: {cpu: 1, memory: -1, ephemeral-storage: 1Gi}\n",
		"t.yaml:9:57: warning: spec.containers[0].resources.limits[nvidia.com/gpu]: known to Kubernetes, not acted on by orch\n"
		"t.yaml:9:66: spec.containers[0].resources.limits[disk]: unknown resource \"disk\"; expected cpu, memory, ephemeral-storage, hugepages-SIZE or a name with a domain\n"
		"t.yaml:10:23: spec.containers[0].resources.requests[cpu]: 1 is more than the limit, 100m\n"
		"t.yaml:10:34: spec.containers[0].resources.requests[memory]: -1 is less than 0\n"
	},
	{
		BOX
		"    resources: {limits: {cpu: 1x, memory: 100m}}\n",
		"t.yaml:8:31: spec.containers[0].resources.limits[cpu]: \"1x\" is no quantity, like 500m, 2, 128Mi or 1G\n"
		"t.yaml:8:43: warning: spec.containers[0].resources.limits[memory]: 100m is no whole number of bytes: m means thousandths, M millions\n"
	},
	{
		BOX
		"    volumeMounts:\n"
		"    - {name: dta, mountPath: data}\n"
		"    - {name: data, mountPath: /data, subPath: ../x}\n"
		"    - {name: data, mountPath: /data}\n"
		"    - {name: data, mountPath: /}\n"
		"    - {name: data, mountPath: /proc/x}\n"
		"    - {name: data, mountPath: /a/../b, mountPropagation: Bidirectional}\n"
		"  volumes: [{name: data}]\n",
		"t.yaml:9:14: spec.containers[0].volumeMounts[0].name: the pod has no volume \"dta\"; did you mean \"data\"?\n"
		"t.yaml:9:30: warning: spec.containers[0].volumeMounts[0].mountPath: \"data\" is not an absolute path; /data is meant\n"
		"t.yaml:10:47: spec.containers[0].volumeMounts[1].subPath: \"../x\" must not begin with \"..\" nor contain it\n"
		"t.yaml:11:31: spec.containers[0].volumeMounts[2].mountPath: duplicate path \"/data\"\n"
		"t.yaml:12:31: spec.containers[0].volumeMounts[3].mountPath: a volume cannot replace the root of the container\n"
		"t.yaml:13:31: spec.containers[0].volumeMounts[4].mountPath: nothing can be mounted over /proc\n"
		"t.yaml:14:31: spec.containers[0].volumeMounts[5].mountPath: \"/a/../b\" must not contain \"..\"\n"
		"t.yaml:14:58: spec.containers[0].volumeMounts[5].mountPropagation: Bidirectional needs securityContext.privileged: true\n"
	},
	{
		BOX
		"    volumeMounts: [{name: dta, mountPath: /a}]\n"
		"  volumes: [{name: data}]\n",
		"t.yaml:8:27: spec.containers[0].volumeMounts[0].name: the pod has no volume \"dta\"; did you mean \"data\"?\n"
	},
	{
		BOX
		"    livenessProbe: {periodSeconds: 5}\n"
		"    readinessProbe: {tcpSocket: {port: 80}, exec: {command: [a]}}\n"
		"    startupProbe: {exec: {command: []}}\n",
		"t.yaml:8:20: spec.containers[0].livenessProbe: exactly one of exec, httpGet, tcpSocket and grpc is needed, not 0\n"
		"t.yaml:9:21: spec.containers[0].readinessProbe: exactly one of exec, httpGet, tcpSocket and grpc is needed, not 2\n"
		"t.yaml:10:36: spec.containers[0].startupProbe.exec.command: must not be empty\n"
	},
	{
		BOX
		"    livenessProbe: {tcpSocket: {port: '8080'}}\n"
		"    readinessProbe: {httpGet: {port: 0, scheme: HTTPS, path: 'a b', httpHeaders: [{name: 'a b', value: x}]}}\n"
		"    startupProbe: {grpc: {port: 1}}\n",
		"t.yaml:8:39: spec.containers[0].livenessProbe.tcpSocket.port: \"8080\" is the name of a port here; remove the quotes\n"
		"t.yaml:9:38: spec.containers[0].readinessProbe.httpGet.port: 0 is not in 1-65535\n"
		"t.yaml:9:62: spec.containers[0].readinessProbe.httpGet.path: \"a b\" must not contain blanks; write %20\n"
		"t.yaml:9:90: spec.containers[0].readinessProbe.httpGet.httpHeaders[0].name: \"a b\" must consist of letters, digits and \"-\"\n"
	},
	{
		BOX
		"    livenessProbe: {tcpSocket: {port: http}, successThreshold: 2}\n"
		"    readinessProbe: {tcpSocket: {port: 80}, successThreshold: 2, terminationGracePeriodSeconds: 3, failureThreshold: -1}\n",
		"t.yaml:9:118: spec.containers[0].readinessProbe.failureThreshold: -1 is less than 0\n"
	},
	{
		BOX
		"    readinessProbe: {tcpSocket: {port: http}, successThreshold: 2, terminationGracePeriodSeconds: 3}\n"
		"    livenessProbe: {tcpSocket: {port: 80}, successThreshold: 2}\n",
		"t.yaml:8:40: warning: spec.containers[0].readinessProbe.tcpSocket.port: the container has no port named \"http\"\n"
		"t.yaml:8:99: spec.containers[0].readinessProbe.terminationGracePeriodSeconds: is not possible here: this probe never kills the container\n"
		"t.yaml:9:62: spec.containers[0].livenessProbe.successThreshold: must be 1 here, not 2\n"
	},
	{
		BOX
		"    securityContext:\n"
		"      privileged: true\n"
		"      allowPrivilegeEscalation: true\n"
		"      capabilities: {add: [NET_ADMN, ALL, net_admin], drop: [all, CAP_CHOWN, FOO]}\n"
		"      seccompProfile: {type: Unconfined}\n"
		"      procMount: Unmasked\n",
		"t.yaml:11:28: warning: spec.containers[0].securityContext.capabilities.add[0]: unknown capability \"NET_ADMN\"; did you mean \"NET_ADMIN\"?\n"
		"t.yaml:11:78: warning: spec.containers[0].securityContext.capabilities.drop[2]: unknown capability \"FOO\"\n"
		"t.yaml:13:18: spec.containers[0].securityContext.procMount: Unmasked needs hostUsers: false\n"
	},
	{
		BOX
		"    securityContext: {runAsNonRoot: true}\n",
		"t.yaml:6:5: warning: spec.containers[0]: runAsNonRoot is true, but nothing says another user than root; runAsUser does: the container will not be started\n"
	},
	{
		POD
		"  securityContext: {runAsNonRoot: true, runAsUser: 1000}\n"
		"  containers:\n"
		"  - name: a\n"
		"    image: rootfs:/\n"
		"    securityContext: {runAsUser: 0}\n",
		"t.yaml:7:5: warning: spec.containers[0]: runAsNonRoot is true, but nothing says another user than root; runAsUser does: the container will not be started\n"
	},
	{
		BOX
		"    imagePullPolicy: always\n"
		"    stdin: true\n"
		"    lifecycle: {preStop: {}}\n"
		"    workingDir: tmp\n",
		"t.yaml:8:22: spec.containers[0].imagePullPolicy: \"always\" is not Always, IfNotPresent or Never; did you mean \"Always\"?\n"
		"t.yaml:10:26: spec.containers[0].lifecycle.preStop: exactly one of exec, httpGet, tcpSocket and sleep is needed, not 0\n"
		"t.yaml:11:17: warning: spec.containers[0].workingDir: \"tmp\" is not an absolute path; /tmp is meant\n"
	},
	{
		BOX
		"    lifecycle: {preStop: {tcpSocket: {port: 80}}}\n",
		"t.yaml:8:38: warning: spec.containers[0].lifecycle.preStop.tcpSocket: a hook of this kind always fails, with Kubernetes, too\n"
	},
	/* pod */
	{
		BOX
		"  restartPolicy: Sometimes\n"
		"  terminationGracePeriodSeconds: -5\n"
		"  hostNetwork: true\n"
		"  hostPID: false\n"
		"  hostUsers: false\n"
		"  initContainers: [{name: i}]\n"
		"  nodeSelector: {a: b}\n",
		"t.yaml:8:18: spec.restartPolicy: \"Sometimes\" is not Always, OnFailure or Never\n"
		"t.yaml:13:20: spec.initContainers[0].image: missing; it is required\n"
	},
	{
		BOX
		"  dnsPolicy: None\n",
		"t.yaml:8:14: spec.dnsPolicy: None needs dnsConfig.nameservers\n"
	},
	{
		BOX
		"  dnsConfig: {nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, one], searches: [a.b., ., A]}\n"
		"  hostAliases: [{ip: 1.2.3, hostnames: [a_b]}]\n",
		"t.yaml:8:28: spec.dnsConfig.nameservers: 4 name servers; at most 3 are possible\n"
		"t.yaml:8:56: spec.dnsConfig.nameservers[3]: \"one\" is no IP address\n"
		"t.yaml:8:82: spec.dnsConfig.searches[2]: \"A\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:9:22: spec.hostAliases[0].ip: \"1.2.3\" is no IP address\n"
		"t.yaml:9:41: spec.hostAliases[0].hostnames[0]: \"a_b\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
	},
	{
		BOX
		"  volumes:\n"
		"  - {name: a, emptyDir: {medium: Disk, sizeLimit: -1}}\n"
		"  - {name: b, emptyDir: {sizeLimit: 1Gi}}\n"
		"  - {name: c, hostPath: {path: a}}\n"
		"  - {name: d, hostPath: {path: /a/.., type: Dir}}\n"
		"  - {name: e, emptyDir: {}, hostPath: {path: /x}}\n"
		"  - {name: f, nfs: {server: x}}\n"
		"  - {name: g, configMap: {name: x, defaultMode: 0999}}\n"
		"  - {name: h, secret: {secretName: x, defaultMode: 1000, items: [{key: a b, path: /x}, {key: k, path: ''}]}}\n",
		"t.yaml:9:34: spec.volumes[0].emptyDir.medium: \"Disk\" is not Memory, HugePages or HugePages-SIZE, nor nothing for the disk\n"
		"t.yaml:9:51: spec.volumes[0].emptyDir.sizeLimit: -1 is less than 0\n"
		"t.yaml:11:32: warning: spec.volumes[2].hostPath.path: \"a\" is not an absolute path; /a is meant\n"
		"t.yaml:12:32: spec.volumes[3].hostPath.path: \"/a/..\" must not contain \"..\"\n"
		"t.yaml:12:45: spec.volumes[3].hostPath.type: \"Dir\" is not DirectoryOrCreate, Directory, FileOrCreate, File, Socket, CharDevice or BlockDevice\n"
		"t.yaml:13:5: spec.volumes[4]: a volume has one source; this one has 2\n"
		"t.yaml:14:20: spec.volumes[5].nfs.path: missing; it is required\n"
		"t.yaml:15:49: spec.volumes[6].configMap.defaultMode: expected an integer, not the number 0999: digits after a leading 0 are octal\n"
		"t.yaml:16:52: spec.volumes[7].secret.defaultMode: 1000 is not in 0-511\n"
		"t.yaml:16:72: spec.volumes[7].secret.items[0].key: \"a b\" must consist of letters, digits, \"-\", \"_\" and \".\", and not begin with \"..\"\n"
		"t.yaml:16:83: spec.volumes[7].secret.items[0].path: \"/x\" must be a relative path\n"
		"t.yaml:16:103: spec.volumes[7].secret.items[1].path: must not be empty\n"
	},
	{
		BOX
		"  hostname: A\n"
		"  subdomain: a.b\n"
		"  runtimeClassName: x\n"
		"  activeDeadlineSeconds: 3\n",
		"t.yaml:8:13: spec.hostname: \"A\" must consist of lower-case letters, digits and \"-\", and begin and end with a letter or digit\n"
		"t.yaml:9:14: spec.subdomain: \"a.b\" must consist of lower-case letters, digits and \"-\", and begin and end with a letter or digit\n"
	},
	/* workloads */
	{
		DEPLOYMENT,
		"t.yaml:1:1: spec: missing; it is required\n"
	},
	{
		DEPLOYMENT
		"  replicas: -1\n"
		"  paused: maybe\n"
		"  strategy: {type: Rolling}\n",
		"t.yaml:5:3: spec.selector: missing; it is required\n"
		"t.yaml:5:3: spec.template: missing; it is required\n"
		"t.yaml:5:13: spec.replicas: -1 is less than 0\n"
		"t.yaml:6:11: spec.paused: expected true or false, not the string \"maybe\"\n"
		"t.yaml:7:20: spec.strategy.type: \"Rolling\" is not RollingUpdate or Recreate; did you mean \"RollingUpdate\"?\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchLabels: {a: b}}\n"
		"  template:\n"
		"    metadata: {labels: {a: b}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n"
		"  replicas: '3'\n"
		"  revisionHistoryLimit: 1.5\n",
		"t.yaml:10:13: spec.replicas: expected an integer, not the string \"3\"; remove the quotes\n"
		"t.yaml:11:25: spec.revisionHistoryLimit: expected an integer, not the number 1.5\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchLabels: {a: b}}\n"
		"  template:\n"
		"    metadata: {labels: {a: c}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n",
		"t.yaml:7:24: spec.template.metadata.labels: do not match the selector\n"
	},
	{
		DEPLOYMENT
		"  selector: {}\n"
		"  template:\n"
		"    metadata: {labels: {a: b}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n",
		"t.yaml:5:13: spec.selector: must not be empty\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchExpressions: [{key: a, operator: In}, {key: b, operator: Exists, values: [x]}, {key: c, operator: Is}]}\n"
		"  template:\n"
		"    metadata: {labels: {a: b}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n",
		"t.yaml:5:117: spec.selector.matchExpressions[2].operator: \"Is\" is not In, NotIn, Exists or DoesNotExist; did you mean \"In\"?\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchLabels: {a: b}}\n"
		"  template:\n"
		"    metadata: {labels: {a: b}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n"
		"      restartPolicy: Never\n",
		"t.yaml:10:22: spec.template.spec.restartPolicy: must be Always here, not Never\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchLabels: {a: b}}\n"
		"  template:\n"
		"    metadata: {labels: {a: b}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n"
		"  strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}\n",
		"t.yaml:10:45: spec.strategy.rollingUpdate: is possible with type RollingUpdate only\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchLabels: {a: b}}\n"
		"  template:\n"
		"    metadata: {labels: {a: b}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n"
		"  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}\n",
		"t.yaml:10:59: spec.strategy.rollingUpdate.maxUnavailable: must not be 0 while maxSurge is 0\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchLabels: {a: b}}\n"
		"  template:\n"
		"    metadata: {labels: {a: b}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n"
		"  strategy: {rollingUpdate: {maxSurge: '1', maxUnavailable: 101%}}\n",
		"t.yaml:10:40: spec.strategy.rollingUpdate.maxSurge: \"1\" is a string; remove the quotes, or append %\n"
		"t.yaml:10:61: spec.strategy.rollingUpdate.maxUnavailable: \"101%\" is more than 100%\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchLabels: {a: b}}\n"
		"  template:\n"
		"    metadata: {labels: {a: b}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n"
		"  strategy: {rollingUpdate: {maxSurge: -1, maxUnavailable: many}}\n",
		"t.yaml:10:40: spec.strategy.rollingUpdate.maxSurge: -1 is less than 0\n"
		"t.yaml:10:60: spec.strategy.rollingUpdate.maxUnavailable: \"many\" must be a number or a percentage like 25%\n"
	},
	{
		DEPLOYMENT
		"  selector: {matchLabels: {a: b}}\n"
		"  template:\n"
		"    metadata: {labels: {a: b}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n"
		"  progressDeadlineSeconds: 10\n"
		"  minReadySeconds: 10\n",
		"t.yaml:10:28: spec.progressDeadlineSeconds: 10 must be more than minReadySeconds, 10\n"
	},
	{
		"apiVersion: apps/v1\n"
		"kind: ReplicaSet\n"
		"metadata: {name: d}\n"
		"spec:\n"
		"  selector: {matchLabels: {a: b}}\n"
		"  template:\n"
		"    metadata: {labels: {}}\n"
		"    spec:\n"
		"      containers: [{name: a, image: 'rootfs:/'}]\n"
		"  strategy: {}\n",
		"t.yaml:7:24: spec.template.metadata.labels: do not match the selector\n"
		"t.yaml:10:3: spec: unknown field \"strategy\"\n"
	},
	/* services */
	{
		SERVICE,
		"t.yaml:5:3: spec.ports: missing; a Service needs at least one port\n"
	},
	{
		SERVICE
		"  type: LoadBalancer\n"
		"  ports: [{port: 80}]\n",
		"t.yaml:6:9: warning: spec.type: there is no load balancer: it acts as NodePort, and its external address stays pending\n"
	},
	{
		SERVICE
		"  type: ExternalName\n"
		"  externalName: x.y\n",
		"t.yaml:6:9: warning: spec.type: there is no DNS server of orch yet that would answer with the name\n"
	},
	{
		SERVICE
		"  ports: [{port: 80}, {port: 80, name: a}, {port: 81, name: a, protocol: tcp}]\n",
		"t.yaml:6:74: spec.ports[2].protocol: \"tcp\" is not TCP, UDP or SCTP; did you mean \"TCP\"?\n"
	},
	{
		SERVICE
		"  ports: [{port: 80, name: b}, {port: 80, name: a}, {port: 81, name: a}, {port: 80, name: u, protocol: UDP}]\n",
		"t.yaml:6:39: spec.ports[1].port: 80/TCP is already port 0 of this Service\n"
		"t.yaml:6:70: spec.ports[2].name: duplicate name \"a\"\n"
	},
	{
		SERVICE
		"  ports: [{port: 0, targetPort: '80', nodePort: 30000}]\n",
		"t.yaml:6:18: spec.ports[0].port: 0 is not in 1-65535\n"
		"t.yaml:6:33: spec.ports[0].targetPort: \"80\" is the name of a port here; remove the quotes\n"
	},
	{
		SERVICE
		"  ports: [{port: 80, nodePort: 30000}]\n"
		"  externalTrafficPolicy: Local\n",
		"t.yaml:6:32: spec.ports[0].nodePort: a Service of type ClusterIP has no node port; type NodePort has\n"
		"t.yaml:7:26: spec.externalTrafficPolicy: is possible with type NodePort or LoadBalancer, or with externalIPs, only\n"
	},
	{
		SERVICE
		"  type: NodePort\n"
		"  clusterIP: None\n"
		"  ports: [{port: 80, nodePort: 29999}, {port: 81, name: b, nodePort: 30001}, {port: 82, name: c, nodePort: 30001}]\n",
		"t.yaml:7:14: spec.clusterIP: None is not possible with type NodePort\n"
		"t.yaml:8:11: spec.ports[0].name: missing; with several ports each needs a name\n"
		"t.yaml:8:32: spec.ports[0].nodePort: 29999 is not in 30000-32767\n"
		"t.yaml:8:108: spec.ports[2].nodePort: 30001 is already the node port of port 1\n"
	},
	{
		SERVICE
		"  clusterIP: 10.96.0\n"
		"  ports: [{port: 80}]\n"
		"  sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}\n",
		"t.yaml:6:14: spec.clusterIP: \"10.96.0\" is neither an IP address nor None\n"
		"t.yaml:8:54: spec.sessionAffinityConfig.clientIP.timeoutSeconds: 0 is not in 1-86400\n"
	},
	{
		SERVICE
		"  ports: [{port: 80}]\n"
		"  sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}\n"
		"  ipFamilies: [IPv6]\n"
		"  ipFamilyPolicy: RequireDualStack\n"
		"  externalIPs: [1.2.3.4]\n",
		"t.yaml:7:26: spec.sessionAffinityConfig: is possible with sessionAffinity ClientIP only\n"
		"t.yaml:8:16: warning: spec.ipFamilies[0]: services have IPv4 addresses only\n"
		"t.yaml:9:19: warning: spec.ipFamilyPolicy: services have IPv4 addresses only\n"
	},
	/* config */
	{
		CONFIGMAP
		"data:\n"
		"  a b: x\n"
		"  c: 5\n"
		"  ..d: x\n"
		"binaryData: {e: '%%%'}\n",
		"t.yaml:5:8: data[a b]: key \"a b\" must consist of letters, digits, \"-\", \"_\" and \".\", and not begin with \"..\"\n"
		"t.yaml:6:6: data[c]: expected a string, not the number 5; quote it: \"5\"\n"
		"t.yaml:7:8: data[..d]: key \"..d\" must consist of letters, digits, \"-\", \"_\" and \".\", and not begin with \"..\"\n"
		"t.yaml:8:17: binaryData[e]: not base64; plain text belongs in stringData or data\n"
	},
	{
		CONFIGMAP
		"data: {a: x}\n"
		"binaryData: {a: aGk=}\n",
		"t.yaml:5:17: binaryData[a]: the key is in data, too; it must be in one of them\n"
	},
	{
		SECRET
		"data: {a: hello world}\n",
		"t.yaml:4:11: data[a]: not base64; plain text belongs in stringData or data\n"
	},
	{
		SECRET
		"type: kubernetes.io/tls\n"
		"stringData: {tls.crt: x}\n",
		"t.yaml:1:1: data: a Secret of type kubernetes.io/tls needs the key \"tls.key\"\n"
	},
	{
		SECRET
		"type: kubernetes.io/basic-auth\n",
		"t.yaml:1:1: data: a Secret of type kubernetes.io/basic-auth needs the key \"username\" or \"password\"\n"
	},
	{
		SECRET
		"type: kubernetes.io/dockerconfigjson\n"
		"stringData: {.dockerconfigjson: 'no'}\n",
		"t.yaml:1:1: data[.dockerconfigjson]: must be a JSON object\n"
	},
	{
		SECRET
		"type: kubernetes.io/ssh-auth\n"
		"stringData: {ssh-privatekey: ''}\n",
		"t.yaml:1:1: data: a Secret of type kubernetes.io/ssh-auth needs the key \"ssh-privatekey\"\n"
	},
	{
		SECRET
		"type: kubernetes.io/service-account-token\n",
		"t.yaml:3:11: metadata.annotations: a Secret of type kubernetes.io/service-account-token needs the annotation kubernetes.io/service-account.name\n"
	},
};

/* What is passed over: no object comes of it. */
static const struct message_case passed_over[] = {
	{
		"apiVersion: policy/v1beta1\n"
		"kind: PodSecurityPolicy\n"
		"metadata: {name: x}\n",
		"t.yaml:2:7: warning: kind: kind PodSecurityPolicy of policy/v1beta1 is not acted on by orch\n"
	},
	{
		"apiVersion: example.com/v1alpha1\n"
		"kind: Deploymnt\n",
		"t.yaml:2:7: warning: kind: kind Deploymnt of example.com/v1alpha1 is not acted on by orch\n"
	},
	{
		"apiVersion: v1\n"
		"kind: Event\n"
		"metadata: {name: x}\n",
		"t.yaml:2:7: warning: kind: kind Event of v1 is made by orch and not read from files\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)
MESSAGES_TEST(test_passed_over, passed_over, 0)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
