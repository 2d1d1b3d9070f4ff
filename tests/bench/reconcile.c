/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reconcile of a machine on which everything runs that is wanted, on paper: 1,000, 10,000 and
 * 100,000 pods, ten to a Deployment with a Service. Control and plan with nothing kept from earlier
 * passes; and with a memo when nothing changed and after the edit of one Deployment, against one
 * walk over everything that is declared and runs. What runs is made from what control wanted; that
 * nothing is then left to do is checked. Each time is the best of some rounds; how much was worked
 * out after the edit is counted.
 *
 *	reconcile [PODS...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/macro.h"
#include "control/control.h"
#include "control/memo.h"
#include "plan/plan.h"

#define ROUNDS 5
#define REPLICAS 10
#define NOW (1764000000LL * NSEC)

static const char text[] =
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"metadata: {name: web-%1$u}\n"
	"spec:\n"
	"  replicas: 10\n"
	"  selector: {matchLabels: {app: web-%1$u}}\n"
	"  template:\n"
	"    metadata: {labels: {app: web-%1$u}}\n"
	"    spec:\n"
	"      containers:\n"
	"      - name: web\n"
	"        image: rootfs:/srv/web\n"
	"        args: [--version, '%2$u']\n"
	"        readinessProbe: {tcpSocket: {port: 8080}}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: web-%1$u}\n"
	"spec: {clusterIP: 10.%3$u.%4$u.%5$u, selector: {app: web-%1$u}, ports: [{port: 80}]}\n";

struct world {
	struct manifest **files;
	uint32_t n;
	struct set *set;
	struct arena arena;		/* of what runs */
	struct observed observed;
	struct memo *memo;
};

static void die(const char *why)
{
	fprintf(stderr, "reconcile: %s\n", why);
	exit(1);
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- what is declared ---- */

static void write_file(struct world *w, uint32_t i, uint32_t version)
{
	char path[40], yaml[2000];
	int n = snprintf(yaml, sizeof(yaml), text, i, version, 96 + (i >> 16), i >> 8 & 255, i & 255);

	snprintf(path, sizeof(path), "web-%u.yaml", i);
	manifest_unref(w->files[i]);
	w->files[i] = manifest_load(path, yaml, (size_t)n);
	if (w->files[i]->broken)
		die(w->files[i]->msgs.v[0].text);
}

/* Bodies of files that are not read again stay the same ones, as they do in the store. */
static void admit(struct world *w, struct object *o)
{
	if (!o->meta->uid)
		o->meta->uid = arena_printf(&w->arena, "%s-%s", o->kind->singular, o->meta->name);
}

/* What the store does at admission, as far as control needs it. */
static void build(struct world *w)
{
	static const struct hold_list none;
	struct set *s = set_build(w->files, w->n, NULL, 0, &none, w->set);

	for (uint32_t i = 0; i < s->objects.n; i++)
		admit(w, &s->objects.v[i]);
	set_unref(w->set);
	w->set = s;
}

/* ---- what runs ---- */

static void record_everything(struct world *w, const struct object_list *wanted)
{
	struct object_list records = { arena_array(&w->arena, struct object, wanted->n), wanted->n };

	for (uint32_t i = 0; i < wanted->n; i++) {
		records.v[i] = object_copy(&w->arena, &wanted->v[i]);
		records.v[i].stamp = i + 1;
	}
	w->observed.derived = records;
}

static void run_pod(struct world *w, const struct object *pod, struct observed_container *c,
		    struct observed_pod *ret)
{
	struct object *o = arena_new(&w->arena, struct object);
	uint32_t number = (uint32_t)(ret - w->observed.pods);

	*o = object_copy(&w->arena, pod);
	o->stamp = number + 1;

	c->name = "web";
	c->phase = RUN_RUNNING;
	c->started_at = NOW - 3600 * NSEC;
	c->configured[PROBE_READINESS] = c->decided[PROBE_READINESS] = true;
	c->passed[PROBE_READINESS] = true;
	*ret = (struct observed_pod){
		.object = o, .stamp = o->stamp, .stage = POD_UP, .ip = 0x0a000002 + number, .containers = c,
		.ncontainers = 1, .created_at = c->started_at, .ready_since = c->started_at,
	};
}

static void control(struct world *w, struct memo *memo, struct arena *a, struct wanted *ret)
{
	struct control_in in = { .set = w->set, .observed = &w->observed, .node_name = "node",
				 .node_ip = 0x0a000001, .now = NOW, .seed = 1, .memo = memo };

	control_run(a, &in, ret);
}

/* What the first pass wants is there, and what it is recorded by. */
static void run_everything(struct world *w)
{
	struct observed_container *containers;
	struct wanted wanted;

	control(w, NULL, &w->arena, &wanted);
	record_everything(w, &wanted.derived);
	w->observed.pods = arena_array(&w->arena, struct observed_pod, wanted.pods.n + 1);
	w->observed.npods = wanted.pods.n;
	containers = arena_array(&w->arena, struct observed_container, wanted.pods.n);
	for (uint32_t i = 0; i < wanted.pods.n; i++) {
		run_pod(w, &wanted.pods.v[i].object, &containers[i], &w->observed.pods[i]);
		w->observed.pods[i].config_digest = wanted.pods.v[i].config_digest;
	}
	for (int i = 0; i < 3; i++) {	/* completions are noted, services lead to the pods */
		control(w, NULL, &w->arena, &wanted);
		record_everything(w, &wanted.derived);
		w->observed.services = wanted.services.v;
		w->observed.nservices = wanted.services.n;
		w->observed.services_known = true;
	}
}

/* ---- measuring ---- */

static uint64_t walk_object(uint64_t h, const struct object *o)
{
	const struct strmap *l = &o->meta->labels;

	h = fnv64_str(fnv64_str(h, o->meta->namespace ? o->meta->namespace : ""), o->meta->name);
	for (uint32_t i = 0; i < l->n; i++)
		h = fnv64_str(fnv64_str(h, l->v[i].k), l->v[i].v);
	return h;
}

static double walk(const struct world *w)
{
	double began = cpu_ms();
	uint64_t h = FNV64_INIT;

	for (uint32_t i = 0; i < w->set->objects.n; i++)
		h = walk_object(h, &w->set->objects.v[i]);
	for (uint32_t i = 0; i < w->observed.derived.n; i++)
		h = walk_object(h, &w->observed.derived.v[i]);
	for (uint32_t i = 0; i < w->observed.npods; i++) {
		h = walk_object(h, w->observed.pods[i].object);
		for (uint32_t k = 0; k < w->observed.pods[i].ncontainers; k++)
			h += (uint64_t)w->observed.pods[i].containers[k].phase;
	}
	return cpu_ms() - began + (h == 0);
}

static double reconcile(struct world *w, struct memo *memo, uint32_t *ret_actions)
{
	struct action_list l;
	struct arena a = { 0 };
	struct wanted wanted;
	double began = cpu_ms(), took;

	control(w, memo, &a, &wanted);
	plan_actions(&a, &w->observed, &wanted, &l);
	took = cpu_ms() - began;
	*ret_actions = l.n;
	arena_release(&a);
	return took;
}

static double reconcile_idle(struct world *w, struct memo *memo)
{
	uint32_t actions;
	double took = reconcile(w, memo, &actions);

	if (actions)
		die("what runs is not what is wanted");
	return took;
}

/* An edit, the pass after it, and back. */
static double reconcile_edit(struct world *w, uint32_t version, struct memo_counts *ret)
{
	uint32_t actions;
	double took;

	write_file(w, w->n / 2, version);
	build(w);
	took = reconcile(w, w->memo, &actions);
	*ret = memo_counts(w->memo);
	if (!actions)
		die("an edit changes nothing");
	write_file(w, w->n / 2, 1);
	build(w);
	for (int i = 0; i < 3; i++)
		reconcile_idle(w, w->memo);
	return took;
}

static void measure(uint32_t pods)
{
	struct world w = { .n = pods / REPLICAS, .memo = memo_new() };
	double walked = 1e9, whole = 1e9, idle = 1e9, edit = 1e9;
	struct memo_counts c;

	w.files = calloc(w.n + 1, sizeof(*w.files));
	for (uint32_t i = 0; i < w.n; i++)
		write_file(&w, i, 1);
	build(&w);
	run_everything(&w);
	for (int i = 0; i < 3; i++)
		reconcile_idle(&w, w.memo);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		walked = MIN(walked, walk(&w));
		whole = MIN(whole, reconcile_idle(&w, NULL));
		idle = MIN(idle, reconcile_idle(&w, w.memo));
		edit = MIN(edit, reconcile_edit(&w, i + 2, &c));
	}
	printf("%7u pods: walk %8.3f ms, nothing kept %8.3f ms, nothing changed %8.3f ms, one "
	       "Deployment changed %8.3f ms (%.2f walks; worked on %u owners, %u pods, %u "
	       "services)\n", pods, walked, whole, idle, edit, edit / walked, c.owners, c.pods,
	       c.services);
	for (uint32_t i = 0; i < w.n; i++)
		manifest_unref(w.files[i]);
	memo_free(w.memo);
	set_unref(w.set);
	arena_release(&w.arena);
	free(w.files);
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = { 1000, 10000, 100000 };

	for (int i = 1; i < argc; i++)
		measure((uint32_t)strtoul(argv[i], NULL, 10));
	for (size_t i = 0; argc < 2 && i < ARRAY_SIZE(sizes); i++)
		measure(sizes[i]);
	return 0;
}
