/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of the world. Every letter after a $ in a text stands for one of its words; the first
 * one is what a file begins with. A file that is about another one names it at the end of the words
 * of its first letter.
 */
#include "world.h"

#define SERVICE(name) \
	"---\n" \
	"apiVersion: v1\n" \
	"kind: Service\n" \
	"metadata: {name: " name "}\n" \
	"spec: {selector: {app: " name "}, ports: [{port: 80}]}\n"
#define CONTAINERS(image) \
	"    spec:\n" \
	"      volumes: [{name: cfg, configMap: {name: cfg, optional: true}}]\n" \
	"      containers:\n" \
	"      - name: main\n" \
	"        image: '" image "'\n" \
	"        readinessProbe: {tcpSocket: {port: 80}}\n" \
	"        livenessProbe: {tcpSocket: {port: 80}}\n" \
	"        env: [{name: E, value: x}$E]\n" \
	"        resources: $r\n"
#define TEMPLATE(name) \
	"  selector: {matchLabels: {app: " name "}}\n" \
	"  template:\n" \
	"    metadata: {labels: {app: " name "}}\n" \
	CONTAINERS("$I") \
	"      priorityClassName: $Y\n"
#define DEPLOYMENT(name) \
	"apiVersion: apps/v1\n" \
	"kind: Deployment\n" \
	"metadata: {name: " name "}\n" \
	"spec:\n" \
	"  replicas: $R\n" \
	"  minReadySeconds: $M\n" \
	"  revisionHistoryLimit: $H\n" \
	"  paused: $P\n" \
	"  strategy: $S\n" \
	TEMPLATE(name) SERVICE(name)
#define JOB_POD \
	"    spec:\n" \
	"      restartPolicy: $N\n" \
	"      containers: [{name: main, image: 'rootfs:/$J'}]\n"
#define JOB(name, more) \
	"apiVersion: batch/v1\n" \
	"kind: Job\n" \
	"metadata: {name: " name "}\n" \
	"spec:\n" \
	"  parallelism: $L\n" \
	"  completions: $K\n" \
	"  backoffLimit: $B\n" \
	"  suspend: $P\n" \
	"  podReplacementPolicy: $Z\n" \
	more \
	"  template:\n" JOB_POD
#define PRIORITY_CLASS(name, value, more) \
	"apiVersion: scheduling.k8s.io/v1\n" \
	"kind: PriorityClass\n" \
	"metadata: {name: " name "}\n" \
	"value: " value "\n" more "\n"
#define RESOURCE(name, target) "{type: Resource, resource: {name: " name ", target: {" target "}}}"

static const struct { const char *name, *text; } files[] = {
	{ "web", DEPLOYMENT("web") },
	{ "api", DEPLOYMENT("api") },
	{ "set", "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: set}\n"
		 "spec:\n  replicas: $R\n  minReadySeconds: $M\n" TEMPLATE("set") SERVICE("set") },
	{ "old", "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: old}\n"
		 "spec:\n  replicas: $R\n  selector: {app: old}\n  template:\n"
		 "    metadata: {labels: {app: old}}\n" CONTAINERS("$I") SERVICE("old") },
	{ "db", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\n"
		"spec:\n  serviceName: db\n  replicas: $R\n  minReadySeconds: $M\n"
		"  revisionHistoryLimit: $H\n  podManagementPolicy: $T\n  updateStrategy: $U\n"
		"  ordinals: {start: $O}\n  volumeClaimTemplates: $Q\n" TEMPLATE("db")
		SERVICE("db") },
	{ "agent", "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\n"
		   "spec:\n  minReadySeconds: $M\n  revisionHistoryLimit: $H\n"
		   "  updateStrategy: $D\n" TEMPLATE("agent") SERVICE("agent") },
	{ "work", JOB("work", "") },
	{ "index", JOB("index", "  completionMode: Indexed\n  $X\n") },
	{ "task", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: task}\nspec:\n"
		  "  parallelism: $L\n  completions: 6\n  suspend: $P\n  completionMode: Indexed\n"
		  "  backoffLimit: 6\n  backoffLimitPerIndex: $i\n  maxFailedIndexes: $j\n"
		  "  $y\n  $n\n"
		  "  podFailurePolicy: {rules: [$f]}\n  template:\n    spec:\n"
		  "      restartPolicy: Never\n"
		  "      containers: [{name: main, image: 'rootfs:/$J'}]\n" },
	{ "cron", "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: cron}\n"
		  "spec:\n  schedule: '$C'\n  concurrencyPolicy: $G\n  suspend: $P\n"
		  "  successfulJobsHistoryLimit: $H\n  failedJobsHistoryLimit: 1\n"
		  "  jobTemplate:\n    spec:\n      backoffLimit: $B\n      template:\n"
		  "        spec:\n          restartPolicy: $N\n"
		  "          containers: [{name: main, image: 'rootfs:/$J'}]\n" },
	{ "bare", "apiVersion: v1\nkind: Pod\nmetadata: {name: bare, labels: {app: bare, l: '$V'}}\n"
		  "spec:\n  restartPolicy: $A\n"
		  "  volumes: [{name: cfg, configMap: {name: cfg, optional: true}}]\n"
		  "  priorityClassName: $Y\n"
		  "  containers: [{name: main, image: '$I', env: [{name: E, value: x}$E], "
		  "resources: $r}]\n" SERVICE("bare") },
	{ "quota", "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: quota}\n"
		   "spec: {hard: $W, scopes: $s}\n" },
	{ "limits", "apiVersion: v1\nkind: LimitRange\nmetadata: {name: limits}\n"
		    "spec: {limits: [$d]}\n" },
	{ "class", PRIORITY_CLASS("high", "1000", "globalDefault: $g")
		   "---\n" PRIORITY_CLASS("patient", "2000", "preemptionPolicy: Never") },
	{ "node", "apiVersion: v1\nkind: Node\nmetadata: {name: node}\n"
		  "spec: {taints: [$z], unschedulable: $c}\n" },
	{ "budget", "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: budget}\n"
		    "spec: {selector: {matchLabels: {$a}}, unhealthyPodEvictionPolicy: $u, $l}\n" },
	{ "scaler", "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
		    "metadata: {name: scaler}\nspec:\n  scaleTargetRef: {$t}\n"
		    "  minReplicas: $m\n  maxReplicas: $x\n  metrics: [$k]\n  behavior: $b\n" },
	{ "cfg", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cfg}\ndata: {k: '$V'}\n" },
	{ "sized", "apiVersion: v1\nkind: Pod\nmetadata: {name: sized}\nspec:\n  containers:\n"
		   "  - {name: main, image: '$I', resources: {requests: {cpu: $F}}}\n"
		   "  - {name: side, image: 'rootfs:/v1', resources: {requests: {cpu: $F}},\n"
		   "     resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]}\n" },
};

/* Words that come first are what a file begins with; images that work come more than once. */
static const struct { char letter; const char *name; const char *words[12]; } letters[] = {
	{ 'A', "restartPolicy", { "Always", "OnFailure", "Never" } },
	{ 'B', "backoffLimit", { "6", "0", "2" } },
	{ 'C', "schedule", { "*/10 * * * *", "* * * * *", "0 * * * *", "30 16 * * *" } },
	{ 'D', "update", { "{}", "{type: OnDelete}",
			   "{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}" } },
	{ 'E', "env", { "", ", {name: K, valueFrom: {configMapKeyRef: {name: cfg, key: k, optional: true}}}" } },
	{ 'F', "cpu", { "100m", "60m", "80m", "0" } },
	{ 'G', "concurrency", { "Allow", "Forbid", "Replace" } },
	{ 'H', "history", { "3", "0", "1", "10" } },
	{ 'I', "image", { "rootfs:/v1", "rootfs:/v2", "rootfs:/v3", "rootfs:/v4", "pulled/app:v1",
			  "rootfs:/v5", "pulled/app:v2", "rootfs:/never", "rootfs:/crash",
			  "rootfs:/nosandbox", "nopull/app:v1", "rootfs:/exit0" } },
	{ 'J', "image", { "exit0", "coin", "coin2", "exit1", "works" } },
	{ 'K', "completions", { "3", "1", "6", "2" } },
	{ 'L', "parallelism", { "2", "1", "3", "0" } },
	{ 'M', "minReadySeconds", { "0", "5", "60" } },
	{ 'N', "restartPolicy", { "Never", "OnFailure" } },
	{ 'O', "start", { "0", "3" } },
	{ 'P', "paused", { "false", "true" } },
	{ 'Q', "claims", { "[]", "[{metadata: {name: cfg}, spec: {accessModes: [ReadWriteOnce], "
				 "resources: {requests: {storage: 1Mi}}}}]" } },
	{ 'R', "replicas", { "3", "1", "2", "4", "5", "7", "0", "6" } },
	{ 'S', "strategy", { "{}", "{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}",
			     "{rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}",
			     "{rollingUpdate: {maxSurge: 3, maxUnavailable: 2}}",
			     "{rollingUpdate: {maxSurge: '100%', maxUnavailable: 0}}",
			     "{rollingUpdate: {maxSurge: '50%', maxUnavailable: '50%'}}",
			     "{type: Recreate}" } },
	{ 'T', "management", { "OrderedReady", "Parallel" } },
	{ 'U', "update", { "{}", "{rollingUpdate: {partition: 2}}", "{type: OnDelete}",
			   "{rollingUpdate: {maxUnavailable: 2}}" } },
	{ 'V', "value", { "a", "b", "c" } },
	{ 'W', "hard", { "{pods: 4}", "{pods: 2}", "{pods: 8}", "{pods: 0}", "{requests.cpu: 300m}",
			 "{limits.memory: 100Mi, pods: 6}", "{count/pods: 5}",
			 "{count/replicasets.apps: 2}", "{count/jobs.batch: 1}",
			 "{persistentvolumeclaims: 2}", "{requests.memory: 64Mi}" } },
	{ 'X', "perIndex", { "", "backoffLimitPerIndex: 1", "backoffLimitPerIndex: 0" } },
	{ 'Y', "priority", { "''", "system-cluster-critical", "system-node-critical", "high",
			     "patient" } },
	{ 'Z', "replacement", { "TerminatingOrFailed", "Failed" } },
	{ 'a', "of", { "app: web", "app: api", "app: set", "app: db", "app: old", "app: agent",
		       "app: bare" } },
	{ 'b', "behavior", { "{}", "{scaleDown: {stabilizationWindowSeconds: 0}}",
			     "{scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 60}]}}",
			     "{scaleDown: {selectPolicy: Disabled}}",
			     "{scaleDown: {stabilizationWindowSeconds: 60, policies: [{type: "
			     "Percent, value: 10, periodSeconds: 60}]}, "
			     "scaleUp: {stabilizationWindowSeconds: 120}}" } },
	{ 'c', "cordoned", { "false", "true" } },
	{ 'd', "limits", { "{type: Container, default: {cpu: 200m, memory: 64Mi}}",
			   "{type: Container, max: {memory: 32Mi}}",
			   "{type: Container, min: {cpu: 75m}}",
			   "{type: Container, defaultRequest: {cpu: 50m}}",
			   "{type: Pod, max: {cpu: 150m}}" } },
	{ 'f', "failure", { "", "{action: Ignore, onExitCodes: {operator: In, values: [1]}}",
			    "{action: FailJob, onExitCodes: {operator: NotIn, values: [2]}}",
			    "{action: FailIndex, onExitCodes: {operator: In, values: [1]}}",
			    "{action: Count, onExitCodes: {operator: In, values: [1]}}, "
			    "{action: FailJob, onExitCodes: {operator: In, values: [1]}}",
			    "{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}" } },
	{ 'g', "default", { "false", "true" } },
	{ 'i', "perIndex", { "1", "0", "2" } },
	{ 'j', "failedIndexes", { "6", "1", "0" } },
	{ 'k', "metric", { RESOURCE("cpu", "type: Utilization, averageUtilization: 50"),
			   RESOURCE("cpu", "type: AverageValue, averageValue: 60m"),
			   RESOURCE("memory", "type: AverageValue, averageValue: 40Mi"),
			   "{type: ContainerResource, containerResource: {name: cpu, container: "
			   "main, target: {type: Utilization, averageUtilization: 80}}}" } },
	{ 'l', "spares", { "maxUnavailable: 1", "minAvailable: 2", "maxUnavailable: 0",
			   "minAvailable: '50%'", "maxUnavailable: '50%'", "minAvailable: 1" } },
	{ 'm', "least", { "1", "2", "3" } },
	{ 'n', "time", { "", "activeDeadlineSeconds: 30", "ttlSecondsAfterFinished: 60" } },
	{ 'r', "resources", { "{}", "{requests: {cpu: 100m, memory: 32Mi}}",
			      "{limits: {cpu: 200m, memory: 64Mi}}", "{requests: {cpu: 50m}}" } },
	{ 's', "scopes", { "[]", "[NotTerminating]", "[NotBestEffort]" } },
	{ 't', "of", { "apiVersion: apps/v1, kind: Deployment, name: web",
		       "apiVersion: apps/v1, kind: Deployment, name: api",
		       "apiVersion: apps/v1, kind: StatefulSet, name: db",
		       "apiVersion: apps/v1, kind: ReplicaSet, name: set",
		       "apiVersion: v1, kind: ReplicationController, name: old" } },
	{ 'u', "unhealthy", { "IfHealthyBudget", "AlwaysAllow" } },
	{ 'x', "most", { "5", "3", "8" } },
	{ 'y', "success", { "", "successPolicy: {rules: [{succeededCount: 1}]}",
			    "successPolicy: {rules: [{succeededIndexes: '0'}, "
			    "{succeededIndexes: 1-5, succeededCount: 2}]}" } },
	{ 'z', "taints", { "{key: k, effect: NoExecute}", "", "{key: k, effect: NoSchedule}" } },
};

static uint32_t letter_index(char letter)
{
	uint32_t i = 0;

	while (i + 1 < ARRAY_SIZE(letters) && letters[i].letter != letter)
		i++;
	return i;
}

uint32_t world_nfiles(void) { return ARRAY_SIZE(files); }
const char *world_name(uint32_t file) { return files[file].name; }
const char *world_letter_name(char letter) { return letters[letter_index(letter)].name; }

uint32_t world_find(const char *name)
{
	uint32_t i = 0;

	while (i + 1 < ARRAY_SIZE(files) && !streq(files[i].name, name))
		i++;
	return i;
}

const char *world_text(uint32_t file) { return files[file].text; }

static uint32_t letters_of(uint32_t file, uint32_t nth, char *ret)
{
	bool seen[WORLD_LETTERS] = { 0 };
	uint32_t n = 0;

	for (const char *p = files[file].text; (p = strchr(p, '$')); p++) {
		if (seen[p[1] - 'A'])
			continue;
		seen[p[1] - 'A'] = true;
		if (n++ == nth)
			*ret = p[1];
	}
	return n;
}

uint32_t world_nletters(uint32_t file)
{
	char unused;

	return letters_of(file, UINT32_MAX, &unused);
}

char world_letter(uint32_t file, uint32_t i)
{
	char letter = 'A';

	letters_of(file, i, &letter);
	return letter;
}

uint32_t world_nwords(char letter)
{
	const char *const *words = letters[letter_index(letter)].words;
	uint32_t n = 0;

	while (n < ARRAY_SIZE(letters[0].words) && words[n])
		n++;
	return n;
}

const char *world_word(char letter, uint32_t i)
{
	return letters[letter_index(letter)].words[i % world_nwords(letter)];
}
