/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of the world. Every letter after a $ in a text stands for one of its words; the first one
 * is what a file begins with.
 */
#include "world.h"

#include <stdio.h>

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
	"        env: [{name: E, value: x}$E]\n"
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
		"  ordinals: {start: $O}\n  volumeClaimTemplates: $Q\n" TEMPLATE("db") SERVICE("db") },
	{ "agent", "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\n"
		   "spec:\n  minReadySeconds: $M\n  revisionHistoryLimit: $H\n"
		   "  updateStrategy: $D\n" TEMPLATE("agent") SERVICE("agent") },
	{ "work", JOB("work", "") },
	{ "index", JOB("index", "  completionMode: Indexed\n  $X\n") },
	{ "cron", "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: cron}\n"
		  "spec:\n  schedule: '$C'\n  concurrencyPolicy: $G\n  suspend: $P\n"
		  "  successfulJobsHistoryLimit: $H\n  failedJobsHistoryLimit: 1\n"
		  "  jobTemplate:\n    spec:\n      backoffLimit: $B\n      template:\n"
		  "        spec:\n          restartPolicy: $N\n"
		  "          containers: [{name: main, image: 'rootfs:/$J'}]\n" },
	{ "bare", "apiVersion: v1\nkind: Pod\nmetadata: {name: bare, labels: {app: bare, l: '$V'}}\n"
		  "spec:\n  restartPolicy: $A\n"
		  "  volumes: [{name: cfg, configMap: {name: cfg, optional: true}}]\n"
		  "  containers: [{name: main, image: '$I', env: [{name: E, value: x}$E]}]\n"
		  SERVICE("bare") },
	{ "quota", "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: quota}\n"
		   "spec: {hard: {pods: '$W'}}\n" },
	{ "cfg", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cfg}\ndata: {k: '$V'}\n" },
};

/* Words that come first are what a file begins with; images that work come more than once. */
static const struct { char letter; const char *name; const char *words[12]; } letters[] = {
	{ 'A', "restartPolicy", { "Always", "OnFailure", "Never" } },
	{ 'B', "backoffLimit", { "6", "0", "2" } },
	{ 'C', "schedule", { "*/10 * * * *", "* * * * *", "0 * * * *", "30 16 * * *" } },
	{ 'D', "update", { "{}", "{type: OnDelete}",
			   "{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}" } },
	{ 'E', "env", { "", ", {name: K, valueFrom: {configMapKeyRef: {name: cfg, key: k, optional: true}}}" } },
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
	{ 'W', "pods", { "4", "2", "8", "0" } },
	{ 'X', "perIndex", { "", "backoffLimitPerIndex: 1", "backoffLimitPerIndex: 0" } },
	{ 'Y', "priority", { "''", "system-cluster-critical", "system-node-critical" } },
	{ 'Z', "replacement", { "TerminatingOrFailed", "Failed" } },
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

uint32_t world_quota(void)
{
	uint32_t i = 0;

	while (!streq(files[i].name, "quota"))
		i++;
	return i;
}

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

static void forget(struct world_file *f)
{
	manifest_unref(f->manifest);
	f->manifest = NULL;
}

void world_set(struct world *w, uint32_t file, char letter, uint32_t word)
{
	w->files[file].v[letter - 'A'] = (uint8_t)word;
	w->pending = true;
	forget(&w->files[file]);
}

void world_declare(struct world *w, uint32_t file, bool there)
{
	w->files[file].there = there;
	w->pending = true;
}

static void render(const struct world *w, uint32_t file, struct buf *out)
{
	const char *p = files[file].text, *next;

	while ((next = strchr(p, '$'))) {
		buf_printf(out, "%.*s%s", (int)(next - p), p,
			   world_word(next[1], w->files[file].v[next[1] - 'A']));
		p = next + 2;
	}
	buf_puts(out, p);
}

static struct manifest *manifest_of(struct world *w, uint32_t file)
{
	BUF_AUTO text = { 0 };
	char path[40];

	if (!w->files[file].manifest) {
		render(w, file, &text);
		snprintf(path, sizeof(path), "%s.yaml", files[file].name);
		w->files[file].manifest = manifest_load(path, buf_str(&text), text.len);
	}
	return manifest_ref(w->files[file].manifest);
}

static void collect(struct world *w, struct sim *s, struct sim_files *f)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(files); i++)
		if (w->files[i].there)
			f->v[f->n++] = manifest_of(w, i);
	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i]->broken)
			sim_broken(s, "world", "%s", f->v[i]->msgs.v[0].text);
}

/* What the guard keeps is a file beside the others. */
static struct set *in_force(struct world *w, struct sim *s, const struct set *said)
{
	struct object_list keep = { 0 };
	struct arena a = { 0 };
	struct sim_files f = { 0 };
	BUF_AUTO text = { 0 };
	const char *why;

	collect(w, s, &f);
	if (s->set)
		plan_guard(&a, s->set, said, w->careful ? 0 : -1, &keep, &why);
	for (uint32_t i = 0; i < keep.n; i++) {
		struct json j;

		buf_puts(&text, "---\n");
		json_init(&j, &text, false);
		object_json(&j, &keep.v[i], DUMP_WRITTEN);
		buf_putc(&text, '\n');
	}
	if (keep.n)
		sim_files_add(&f, KEPT_FILE, buf_str(&text));
	arena_release(&a);
	return sim_set(s, &f, &s->holds);
}

/* As the daemon does it: what is said, what may be in force, the plan of that, and then it is so. */
void world_apply(struct world *w, struct sim *s)
{
	struct sim_files f = { 0 };
	struct arena a = { 0 };
	struct observed o = { 0 };
	struct wanted wanted;
	struct plan plan;

	if (!w->pending || (s->disk_full && s->set))
		return;
	w->pending = false;
	collect(w, s, &f);
	struct set *said = sim_set(s, &f, &s->holds), *set = in_force(w, s, said);
	struct set *was = s->set ? set_ref(s->set) : NULL;
	struct control_in in = sim_control_in(s, set, &o, s->passes);

	sim_observe(s, &a, &o);
	control_run(&a, &in, &wanted);
	plan_make(&a, &(struct plan_in){ .applied = was, .candidate = said, .observed = &o,
					 .wanted = &wanted,
					 .allow_delete = w->careful ? 0 : -1 }, &plan);
	sim_end_holds(s, set);
	sim_use(s, set);
	if (s->applied)
		s->applied(s, was, &plan);
	arena_release(&a);
	set_unref(said);
	set_unref(was);
}

void world_release(struct world *w)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(files); i++)
		forget(&w->files[i]);
}
