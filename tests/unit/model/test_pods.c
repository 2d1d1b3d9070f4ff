/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of containers and pods: every rule of theirs, broken and kept.
 */
#include "messages.h"

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
#define BOX POD "  containers:\n  - name: a\n    image: rootfs:/\n"

static const struct message_case cases[] = {
	/* what asks for nothing is not spoken of */
	{
		BOX
		"    stdin: false\n"
		"    tty: false\n"
		"    terminationMessagePath: /dev/termination-log\n"
		"    securityContext: {procMount: Default, privileged: false}\n"
		"    volumeMounts: [{name: v, mountPath: /v, mountPropagation: None, recursiveReadOnly: Disabled}]\n"
		"  volumes: [{name: v}]\n"
		"  nodeSelector: {}\n"
		"  tolerations: []\n"
		"  affinity: {}\n"
		"  enableServiceLinks: true\n"
		"  hostUsers: true\n"
		"  schedulerName: default-scheduler\n"
		"  serviceAccountName: default\n"
		"  automountServiceAccountToken: false\n"
		"  nodeName: ''\n",
		""
	},
	{
		BOX
		"    stdin: true\n"
		"    tty: true\n"
		"  enableServiceLinks: false\n"
		"  schedulerName: mine\n"
		"  serviceAccountName: $NAME\n"
		"  automountServiceAccountToken: true\n"
		"  priorityClassName: High_1\n"
		"  runtimeClassName: gVisor\n"
		"  priority: 5\n"
		"  preemptionPolicy: never\n"
		"  readinessGates: [{conditionType: a b}]\n"
		"  schedulingGates: [{name: x.y/z}]\n"
		"  nodeName: other\n",
		"t.yaml:11:18: warning: spec.schedulerName: known to Kubernetes, not acted on by orch\n"
		"t.yaml:12:23: warning: spec.serviceAccountName: no object can be called \"$NAME\": a name must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:13:33: warning: spec.automountServiceAccountToken: known to Kubernetes, not acted on by orch\n"
		"t.yaml:14:22: spec.priorityClassName: \"High_1\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:15:21: spec.runtimeClassName: \"gVisor\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
		"t.yaml:17:21: spec.preemptionPolicy: \"never\" is not PreemptLowerPriority or Never; did you mean \"Never\"?\n"
		"t.yaml:18:36: spec.readinessGates[0].conditionType: \"a b\" must be a name of at most 63 letters, digits, \"-\", \"_\" and \".\", beginning and ending with a letter or digit, after an optional DNS domain and \"/\"\n"
		"t.yaml:18:36: warning: spec.readinessGates[0].conditionType: nothing here sets the condition \"a b\": the pod is never ready\n"
	},
	{
		BOX
		"  nodeName: Other\n",
		"t.yaml:8:13: spec.nodeName: \"Other\" must consist of lower-case letters, digits, \"-\" and \".\", and each part between dots begin and end with a letter or digit\n"
	},
	/* names */
	{
		BOX
		"  initContainers:\n"
		"  - {name: a, image: x}\n"
		"  - {name: b, image: x}\n"
		"  - {name: b, image: x}\n",
		"t.yaml:6:11: spec.containers[0].name: duplicate name \"a\"\n"
		"t.yaml:11:12: spec.initContainers[2].name: duplicate name \"b\"\n"
	},
	{
		POD
		"  containers:\n"
		"  - {name: a, image: ' x'}\n"
		"  - {name: b, image: 'x '}\n"
		"  ephemeralContainers: []\n",
		"t.yaml:6:22: spec.containers[0].image: \" x\" must not begin or end with blanks\n"
		"t.yaml:6:22: warning: spec.containers[0].image: couldn't parse image name \" x\": invalid reference format\n"
		"t.yaml:7:22: spec.containers[1].image: \"x \" must not begin or end with blanks\n"
		"t.yaml:7:22: warning: spec.containers[1].image: couldn't parse image name \"x \": invalid reference format\n"
	},
	{
		BOX
		"  ephemeralContainers: [{name: debug, image: x}]\n",
		"t.yaml:8:24: spec.ephemeralContainers: is not possible in a manifest: ephemeral containers are added to pods that run\n"
	},
	/* environment */
	{
		BOX
		"    env:\n"
		"    - {name: A, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}\n"
		"    - {name: B, valueFrom: {fieldRef: {fieldPath: status.hostIPs}}}\n"
		"    - {name: C, valueFrom: {fieldRef: {fieldPath: status.podIPs, apiVersion: v2}}}\n"
		"    - {name: D, valueFrom: {fieldRef: {fieldPath: metadata.labels}}}\n"
		"    - {name: E, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['X.io/y']\"}}}\n"
		"    - {name: F, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['X.io/y']\"}}}\n"
		"    - {name: G, valueFrom: {resourceFieldRef: {resource: limits.ephemeral-storage}}}\n"
		"    - {name: H, valueFrom: {resourceFieldRef: {resource: requests.hugepages-2Mi, divisor: 1Mi}}}\n"
		"    - {name: I, valueFrom: {resourceFieldRef: {resource: limit.cpu}}}\n"
		"    - {name: J, valueFrom: {fileKeyRef: {volumeName: v, path: ../x, key: K}}}\n"
		"    - {name: J, value: twice}\n"
		"    - {name: a b.c, value: x}\n"
		"    - {name: '', value: x}\n"
		"    envFrom: [{configMapRef: {name: ''}}]\n",
		"t.yaml:11:78: spec.containers[0].env[2].valueFrom.fieldRef.apiVersion: \"v2\" is not v1\n"
		"t.yaml:12:51: spec.containers[0].env[3].valueFrom.fieldRef.fieldPath: \"metadata.labels\" is no field that a variable can have; did you mean \"metadata.labels['KEY']\"?\n"
		"t.yaml:14:51: spec.containers[0].env[5].valueFrom.fieldRef.fieldPath: \"metadata.labels['X.io/y']\" is no field that a variable can have; expected metadata.name, .namespace, .uid, metadata.labels['KEY'], metadata.annotations['KEY'], spec.nodeName, spec.serviceAccountName, status.hostIP, .hostIPs, .podIP or .podIPs\n"
		"t.yaml:17:58: spec.containers[0].env[8].valueFrom.resourceFieldRef.resource: \"limit.cpu\" is not limits. or requests. and cpu, memory, ephemeral-storage or hugepages-SIZE; did you mean \"limits.cpu\"?\n"
		"t.yaml:18:63: spec.containers[0].env[9].valueFrom.fileKeyRef.path: \"../x\" must not begin with \"..\" nor contain it\n"
		"t.yaml:21:14: spec.containers[0].env[12].name: must not be empty\n"
		"t.yaml:22:37: spec.containers[0].envFrom[0].configMapRef.name: must not be empty\n"
	},
	/* probes and hooks */
	{
		BOX
		"    livenessProbe: {grpc: {port: 0}}\n"
		"    readinessProbe: {exec: {command: []}}\n"
		"    startupProbe: {httpGet: {port: web}, timeoutSeconds: 0, periodSeconds: 0, failureThreshold: 0, successThreshold: 0}\n",
		"t.yaml:8:34: spec.containers[0].livenessProbe.grpc.port: 0 is not in 1-65535\n"
		"t.yaml:9:38: spec.containers[0].readinessProbe.exec.command: must not be empty\n"
	},
	{
		BOX
		"    livenessProbe: {tcpSocket: {port: 70000}}\n"
		"    readinessProbe: {httpGet: {port: 1, scheme: https, host: 1.2.3.4, path: status}}\n"
		"    startupProbe: {exec: {command: [a]}, terminationGracePeriodSeconds: 0}\n",
		"t.yaml:8:39: spec.containers[0].livenessProbe.tcpSocket.port: 70000 is not in 1-65535\n"
		"t.yaml:9:49: spec.containers[0].readinessProbe.httpGet.scheme: \"https\" is not HTTP or HTTPS; did you mean \"HTTPS\"?\n"
		"t.yaml:10:73: spec.containers[0].startupProbe.terminationGracePeriodSeconds: 0 is not in 1-2147483647\n"
	},
	{
		BOX
		"    lifecycle:\n"
		"      postStart: {exec: {command: [a]}, sleep: {seconds: 1}}\n"
		"      preStop: {sleep: {seconds: 31}}\n"
		"      stopSignal: SIGUSER\n",
		"t.yaml:9:18: spec.containers[0].lifecycle.postStart: exactly one of exec, httpGet, tcpSocket and sleep is needed, not 2\n"
		"t.yaml:10:34: spec.containers[0].lifecycle.preStop.sleep.seconds: 31 is more than terminationGracePeriodSeconds, 30\n"
		"t.yaml:11:19: spec.containers[0].lifecycle.stopSignal: \"SIGUSER\" is no signal like SIGTERM, SIGINT or SIGRTMIN+3\n"
		"t.yaml:11:19: spec.containers[0].lifecycle.stopSignal: needs spec.os.name: linux\n"
	},
	{
		BOX
		"    lifecycle:\n"
		"      postStart: {sleep: {seconds: -1}}\n",
		"t.yaml:9:36: spec.containers[0].lifecycle.postStart.sleep.seconds: -1 is less than 0\n"
	},
	{
		BOX
		"    lifecycle:\n"
		"      postStart: {httpGet: {port: 80}}\n"
		"      preStop: {sleep: {seconds: 31}}\n"
		"      stopSignal: SIGRTMIN+16\n",
		"t.yaml:10:34: spec.containers[0].lifecycle.preStop.sleep.seconds: 31 is more than terminationGracePeriodSeconds, 30\n"
		"t.yaml:11:19: spec.containers[0].lifecycle.stopSignal: \"SIGRTMIN+16\" is no signal like SIGTERM, SIGINT or SIGRTMIN+3\n"
		"t.yaml:11:19: spec.containers[0].lifecycle.stopSignal: needs spec.os.name: linux\n"
	},
	{
		BOX
		"    lifecycle:\n"
		"      preStop: {sleep: {seconds: 31}}\n"
		"      stopSignal: SIGRTMIN+15\n",
		"t.yaml:9:34: spec.containers[0].lifecycle.preStop.sleep.seconds: 31 is more than terminationGracePeriodSeconds, 30\n"
		"t.yaml:10:19: spec.containers[0].lifecycle.stopSignal: needs spec.os.name: linux\n"
	},
	{
		BOX
		"    lifecycle: {stopSignal: SIGUSR1}\n"
		"  os: {name: linux}\n",
		""
	},
	{
		BOX
		"  os: {name: windows}\n"
		"  initContainers:\n"
		"  - name: i\n"
		"    image: x\n"
		"    livenessProbe: {tcpSocket: {port: 1}}\n"
		"    lifecycle: {preStop: {exec: {command: [a]}}}\n"
		"  - name: s\n"
		"    image: x\n"
		"    restartPolicy: Always\n"
		"    startupProbe: {tcpSocket: {port: 1}}\n",
		"t.yaml:8:14: warning: spec.os.name: a pod for windows cannot run here: orch runs on Linux\n"
		"t.yaml:12:20: spec.initContainers[0].livenessProbe: is possible for an init container with restartPolicy Always only\n"
		"t.yaml:13:16: spec.initContainers[0].lifecycle: is possible for an init container with restartPolicy Always only\n"
	},
	{
		BOX
		"    restartPolicy: Never\n"
		"    restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]\n"
		"  initContainers:\n"
		"  - name: i\n"
		"    image: x\n"
		"    restartPolicy: OnFailure\n",
		"t.yaml:8:20: warning: spec.containers[0].restartPolicy: not acted on by orch: the pod's restartPolicy, Always, is in force\n"
		"t.yaml:9:25: warning: spec.containers[0].restartPolicyRules: known to Kubernetes, not acted on by orch\n"
		"t.yaml:13:20: warning: spec.initContainers[0].restartPolicy: not acted on by orch: the pod's restartPolicy, Always, is in force\n"
	},
	{
		BOX
		"    restartPolicyRules: [{action: Stop, exitCodes: {operator: in, values: [256]}}]\n",
		"t.yaml:8:35: spec.containers[0].restartPolicyRules[0].action: \"Stop\" is not Restart or RestartAllContainers\n"
		"t.yaml:8:63: spec.containers[0].restartPolicyRules[0].exitCodes.operator: \"in\" is not In or NotIn; did you mean \"In\"?\n"
		"t.yaml:8:76: spec.containers[0].restartPolicyRules[0].exitCodes.values[0]: 256 is not in 0-255\n"
	},
	{
		BOX
		"    restartPolicyRules: [{action: Restart, exitCodes: {operator: In}}]\n",
		"t.yaml:8:25: spec.containers[0].restartPolicyRules: needs restartPolicy\n"
		"t.yaml:8:55: spec.containers[0].restartPolicyRules[0].exitCodes.values: 0 exit codes; 1 to 255 are needed\n"
	},
	{
		BOX
		"    restartPolicyRules: [{action: Restart, exitCodes: {operator: NotIn, values: [0]}}]\n",
		"t.yaml:8:25: warning: spec.containers[0].restartPolicyRules: known to Kubernetes, not acted on by orch\n"
		"t.yaml:8:25: spec.containers[0].restartPolicyRules: needs restartPolicy\n"
	},
	/* resources */
	{
		BOX
		"    resources:\n"
		"      requests: {example.com/a: 1, example.com/b: 2, hugepages-2Mi: 4Mi, pods: 1}\n"
		"      limits: {example.com/b: 3, example.com/c: 500m}\n",
		"t.yaml:9:33: spec.containers[0].resources.requests[example.com/a]: example.com/a needs a limit, too\n"
		"t.yaml:9:33: warning: spec.containers[0].resources.requests[example.com/a]: known to Kubernetes, not acted on by orch\n"
		"t.yaml:9:51: spec.containers[0].resources.requests[example.com/b]: 2 must be the limit, 3\n"
		"t.yaml:9:51: warning: spec.containers[0].resources.requests[example.com/b]: known to Kubernetes, not acted on by orch\n"
		"t.yaml:9:69: spec.containers[0].resources.requests[hugepages-2Mi]: hugepages-2Mi needs a limit, too\n"
		"t.yaml:9:80: spec.containers[0].resources.requests[pods]: unknown resource \"pods\"; expected cpu, memory, ephemeral-storage, hugepages-SIZE or a name with a domain\n"
		"t.yaml:10:31: warning: spec.containers[0].resources.limits[example.com/b]: known to Kubernetes, not acted on by orch\n"
		"t.yaml:10:49: spec.containers[0].resources.limits[example.com/c]: 500m is no whole number\n"
		"t.yaml:10:49: warning: spec.containers[0].resources.limits[example.com/c]: known to Kubernetes, not acted on by orch\n"
	},
	{
		BOX
		"    resources:\n"
		"      requests: {example.com/a: 1, example.com/b: 2, hugepages-2Mi: 4Mi}\n"
		"      limits: {example.com/b: 3}\n",
		"t.yaml:9:33: spec.containers[0].resources.requests[example.com/a]: example.com/a needs a limit, too\n"
		"t.yaml:9:33: warning: spec.containers[0].resources.requests[example.com/a]: known to Kubernetes, not acted on by orch\n"
		"t.yaml:9:51: spec.containers[0].resources.requests[example.com/b]: 2 must be the limit, 3\n"
		"t.yaml:9:51: warning: spec.containers[0].resources.requests[example.com/b]: known to Kubernetes, not acted on by orch\n"
		"t.yaml:9:69: spec.containers[0].resources.requests[hugepages-2Mi]: hugepages-2Mi needs a limit, too\n"
		"t.yaml:10:31: warning: spec.containers[0].resources.limits[example.com/b]: known to Kubernetes, not acted on by orch\n"
	},
	{
		BOX
		"    resources: {limits: {hugepages-1Gi: 1Gi}, claims: [{name: c}, {name: c, request: x}, {name: d}]}\n"
		"    resizePolicy: [{resourceName: disk, restartPolicy: Always}]\n"
		"  resourceClaims: [{name: d}, {name: e, resourceClaimName: x, resourceClaimTemplateName: z}]\n",
		"t.yaml:8:25: spec.containers[0].resources.limits: huge pages need cpu or memory as well\n"
		"t.yaml:8:55: warning: spec.containers[0].resources.claims: known to Kubernetes, not acted on by orch\n"
		"t.yaml:8:67: spec.containers[0].resources.claims[1]: duplicate claim \"c\"\n"
		"t.yaml:9:35: spec.containers[0].resizePolicy[0].resourceName: \"disk\" is not cpu or memory\n"
		"t.yaml:9:56: spec.containers[0].resizePolicy[0].restartPolicy: \"Always\" is not NotRequired or RestartContainer\n"
		"t.yaml:10:20: spec.resourceClaims[0]: exactly one of resourceClaimName and resourceClaimTemplateName is needed\n"
		"t.yaml:10:31: spec.resourceClaims[1]: exactly one of resourceClaimName and resourceClaimTemplateName is needed\n"
	},
	{
		BOX
		"    resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}, {resourceName: cpu, restartPolicy: NotRequired}]\n"
		"  - name: b\n"
		"    image: rootfs:/\n"
		"    resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]\n"
		"  initContainers:\n"
		"  - {name: c, image: i, resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]}\n"
		"  - {name: d, image: i, restartPolicy: Always, resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]}\n"
		"  restartPolicy: Never\n",
		"t.yaml:8:69: spec.containers[0].resizePolicy[1]: duplicate resource \"cpu\"\n"
		"t.yaml:11:20: spec.containers[1].resizePolicy[0]: must be NotRequired with restartPolicy Never\n"
		"t.yaml:13:39: spec.initContainers[0].resizePolicy: is possible for an init container with restartPolicy Always only\n"
	},
	{
		BOX
		"    resources: {claims: [{name: c}, {name: c, request: x}, {name: d}]}\n"
		"  resourceClaims: [{name: d, resourceClaimName: x}]\n"
		"  overhead: {cpu: -1}\n"
		"  resources: {limits: {cpu: 1}, requests: {cpu: 2}}\n",
		"t.yaml:8:25: warning: spec.containers[0].resources.claims: known to Kubernetes, not acted on by orch\n"
		"t.yaml:8:33: spec.containers[0].resources.claims[0].name: the pod has no resource claim \"c\"\n"
		"t.yaml:8:37: spec.containers[0].resources.claims[1]: duplicate claim \"c\"\n"
		"t.yaml:8:44: spec.containers[0].resources.claims[1].name: the pod has no resource claim \"c\"\n"
		"t.yaml:9:19: warning: spec.resourceClaims: known to Kubernetes, not acted on by orch\n"
		"t.yaml:10:19: spec.overhead[cpu]: -1 is less than 0\n"
		"t.yaml:11:49: spec.resources.requests[cpu]: 2 is more than the limit, 1\n"
	},
	/* privileges */
	{
		BOX
		"    securityContext:\n"
		"      privileged: true\n"
		"      allowPrivilegeEscalation: false\n"
		"      runAsUser: -1\n"
		"      seccompProfile: {type: Localhost}\n"
		"      appArmorProfile: {type: Unconfined, localhostProfile: x}\n",
		"t.yaml:11:18: spec.containers[0].securityContext.runAsUser: -1 is less than 0\n"
		"t.yaml:12:23: spec.containers[0].securityContext.seccompProfile.localhostProfile: missing; type Localhost needs it\n"
		"t.yaml:13:61: spec.containers[0].securityContext.appArmorProfile.localhostProfile: is possible with type Localhost only\n"
	},
	{
		BOX
		"    securityContext:\n"
		"      allowPrivilegeEscalation: false\n"
		"      capabilities: {add: [cap_sys_admin]}\n"
		"      seccompProfile: {type: Localhost, localhostProfile: /x/../y}\n"
		"      appArmorProfile: {type: Localhost, localhostProfile: x}\n",
		"t.yaml:9:33: spec.containers[0].securityContext.allowPrivilegeEscalation: false is not possible together with the capability SYS_ADMIN\n"
		"t.yaml:11:59: spec.containers[0].securityContext.seccompProfile.localhostProfile: \"/x/../y\" must be a relative path without \"..\"\n"
		"t.yaml:12:24: warning: spec.containers[0].securityContext.appArmorProfile: known to Kubernetes, not acted on by orch\n"
	},
	{
		BOX
		"    securityContext:\n"
		"      seccompProfile: {type: RuntimeDefault, localhostProfile: x}\n"
		"      procMount: Unmasked\n"
		"      runAsUser: 4294967296\n",
		"t.yaml:9:64: spec.containers[0].securityContext.seccompProfile.localhostProfile: is possible with type Localhost only\n"
		"t.yaml:11:18: spec.containers[0].securityContext.runAsUser: 4294967296 is not in 0-2147483647\n"
	},
	{
		BOX
		"    securityContext: {procMount: Unmasked}\n"
		"  hostUsers: false\n"
		"  hostPID: true\n"
		"  hostIPC: true\n",
		"t.yaml:10:12: spec.hostPID: is not possible with hostUsers: false\n"
		"t.yaml:11:12: spec.hostIPC: is not possible with hostUsers: false\n"
	},
	{
		BOX
		"  hostUsers: false\n"
		"  hostNetwork: true\n",
		"t.yaml:9:16: spec.hostNetwork: is not possible with hostUsers: false\n"
	},
	{
		BOX
		"  hostPID: true\n"
		"  shareProcessNamespace: true\n"
		"  hostNetwork: true\n"
		"  hostIPC: true\n"
		"  hostnameOverride: x\n"
		"  securityContext:\n"
		"    sysctls:\n"
		"    - {name: net.ipv4.ip_forward, value: '1'}\n"
		"    - {name: kernel.shmmax, value: '1'}\n"
		"    - {name: kernel.shmmax, value: '2'}\n"
		"    - {name: fs.mqueue.msg_max, value: '2'}\n"
		"    - {name: Bad..name, value: '2'}\n"
		"    - {name: net/core/somaxconn, value: 5}\n",
		"t.yaml:12:21: warning: spec.hostnameOverride: known to Kubernetes, not acted on by orch\n"
		"t.yaml:19:14: spec.securityContext.sysctls[4].name: \"Bad..name\" is no kernel parameter like net.core.somaxconn\n"
		"t.yaml:20:41: spec.securityContext.sysctls[5].value: expected a string, not the number 5; quote it: \"5\"\n"
	},
	{
		BOX
		"  hostPID: true\n"
		"  shareProcessNamespace: true\n"
		"  hostNetwork: true\n"
		"  hostIPC: true\n"
		"  hostnameOverride: x\n"
		"  securityContext:\n"
		"    sysctls:\n"
		"    - {name: net.ipv4.ip_forward, value: '1'}\n"
		"    - {name: kernel.shmmax, value: '1'}\n"
		"    - {name: kernel.shmmax, value: '2'}\n"
		"    - {name: fs.mqueue.msg_max, value: '2'}\n",
		"t.yaml:9:26: spec.shareProcessNamespace: is not possible with hostPID\n"
		"t.yaml:12:21: spec.hostnameOverride: is not possible with hostNetwork\n"
		"t.yaml:12:21: warning: spec.hostnameOverride: known to Kubernetes, not acted on by orch\n"
		"t.yaml:15:14: spec.securityContext.sysctls[0].name: \"net.ipv4.ip_forward\" is not possible with hostNetwork\n"
		"t.yaml:16:14: spec.securityContext.sysctls[1].name: \"kernel.shmmax\" is not possible with hostIPC\n"
		"t.yaml:17:14: spec.securityContext.sysctls[2].name: \"kernel.shmmax\" is not possible with hostIPC\n"
		"t.yaml:17:14: spec.securityContext.sysctls[2].name: duplicate name \"kernel.shmmax\"\n"
		"t.yaml:18:14: spec.securityContext.sysctls[3].name: \"fs.mqueue.msg_max\" is not possible with hostIPC\n"
	},
	{
		BOX
		"  securityContext:\n"
		"    fsGroup: -1\n"
		"    supplementalGroups: [1, 2147483648]\n"
		"    fsGroupChangePolicy: always\n"
		"    supplementalGroupsPolicy: strict\n"
		"    seLinuxChangePolicy: mount\n",
		"t.yaml:9:14: spec.securityContext.fsGroup: -1 is less than 0\n"
		"t.yaml:10:29: spec.securityContext.supplementalGroups[1]: 2147483648 is not in 0-2147483647\n"
		"t.yaml:11:26: spec.securityContext.fsGroupChangePolicy: \"always\" is not OnRootMismatch or Always; did you mean \"Always\"?\n"
		"t.yaml:12:31: spec.securityContext.supplementalGroupsPolicy: \"strict\" is not Merge or Strict; did you mean \"Strict\"?\n"
		"t.yaml:13:26: spec.securityContext.seLinuxChangePolicy: \"mount\" is not Recursive or MountOption; did you mean \"MountOption\"?\n"
	},
	/* ports */
	{
		BOX
		"    ports:\n"
		"    - {containerPort: 80, hostPort: 8080}\n"
		"    - {containerPort: 81, hostPort: 8080}\n"
		"    - {containerPort: 82, hostPort: 8080, protocol: UDP}\n"
		"    - {containerPort: 83, hostPort: 8080, hostIP: 127.0.0.1}\n"
		"    - {containerPort: 84, hostPort: 0}\n"
		"  - name: b\n"
		"    image: x\n"
		"    ports:\n"
		"    - {containerPort: 80, hostPort: 8080}\n"
		"    - {containerPort: 80, hostPort: 65536, hostIP: here, protocol: tcp}\n"
		"    - {name: a-very-long-name, containerPort: 1}\n"
		"    - {name: a--b, containerPort: 1}\n",
		"t.yaml:9:37: warning: spec.containers[0].ports[0].hostPort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:10:37: warning: spec.containers[0].ports[1].hostPort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:11:37: warning: spec.containers[0].ports[2].hostPort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:12:37: warning: spec.containers[0].ports[3].hostPort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:12:51: warning: spec.containers[0].ports[3].hostIP: known to Kubernetes, not acted on by orch\n"
		"t.yaml:17:37: warning: spec.containers[1].ports[0].hostPort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:18:37: spec.containers[1].ports[1].hostPort: 65536 is not in 0-65535\n"
		"t.yaml:18:52: spec.containers[1].ports[1].hostIP: \"here\" is no IP address\n"
		"t.yaml:18:52: warning: spec.containers[1].ports[1].hostIP: known to Kubernetes, not acted on by orch\n"
		"t.yaml:18:68: spec.containers[1].ports[1].protocol: \"tcp\" is not TCP, UDP or SCTP; did you mean \"TCP\"?\n"
		"t.yaml:19:14: spec.containers[1].ports[2].name: \"a-very-long-name\" must be at most 15 characters\n"
		"t.yaml:20:14: spec.containers[1].ports[3].name: \"a--b\" must consist of lower-case letters, digits and single \"-\" between them, with at least one letter\n"
	},
	{
		BOX
		"    ports:\n"
		"    - {containerPort: 80, hostPort: 8080}\n"
		"    - {containerPort: 81, hostPort: 8080}\n"
		"    - {containerPort: 82, hostPort: 8080, protocol: UDP}\n"
		"    - {containerPort: 83, hostPort: 8080, hostIP: 127.0.0.1}\n"
		"  - name: b\n"
		"    image: x\n"
		"    ports: [{containerPort: 80, hostPort: 8080}]\n",
		"t.yaml:9:37: warning: spec.containers[0].ports[0].hostPort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:10:37: spec.containers[0].ports[1].hostPort: 8080/TCP is already a port of this pod\n"
		"t.yaml:10:37: warning: spec.containers[0].ports[1].hostPort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:11:37: warning: spec.containers[0].ports[2].hostPort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:12:37: warning: spec.containers[0].ports[3].hostPort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:12:51: warning: spec.containers[0].ports[3].hostIP: known to Kubernetes, not acted on by orch\n"
		"t.yaml:15:43: spec.containers[1].ports[0].hostPort: 8080/TCP is already a port of this pod\n"
		"t.yaml:15:43: warning: spec.containers[1].ports[0].hostPort: known to Kubernetes, not acted on by orch\n"
	},
	{
		BOX
		"    ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 81}]\n"
		"  hostNetwork: true\n",
		"t.yaml:8:43: warning: spec.containers[0].ports[0].hostPort: known to Kubernetes, not acted on by orch\n"
		"t.yaml:8:43: spec.containers[0].ports[0].hostPort: must be containerPort, 80, with hostNetwork\n"
	},
	/* names of the host */
	{
		BOX
		"  hostname: ''\n"
		"  subdomain: ''\n"
		"  hostnameOverride: x23456789012345678901234567890123456789012345678901234567890.12345\n"
		"  setHostnameAsFQDN: true\n"
		"  dnsConfig: {options: [{name: ndots, value: 5}]}\n"
		"  activeDeadlineSeconds: 0\n",
		"t.yaml:10:21: warning: spec.hostnameOverride: known to Kubernetes, not acted on by orch\n"
		"t.yaml:10:21: spec.hostnameOverride: must be at most 64 characters\n"
		"t.yaml:12:46: spec.dnsConfig.options[0].value: expected a string, not the number 5; quote it: \"5\"\n"
		"t.yaml:13:26: spec.activeDeadlineSeconds: 0 is not in 1-2147483647\n"
	},
	{
		BOX
		"  hostnameOverride: a.b\n"
		"  setHostnameAsFQDN: true\n"
		"  dnsConfig: {options: []}\n",
		"t.yaml:8:21: spec.hostnameOverride: is not possible with setHostnameAsFQDN\n"
		"t.yaml:8:21: warning: spec.hostnameOverride: known to Kubernetes, not acted on by orch\n"
	},
};

MESSAGES_TEST(test_messages, cases, 1)

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
