/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reconcile of a machine on which everything runs that is wanted, on paper: 1,000, 10,000 and
 * 100,000 pods, ten to a Deployment with a Service. Control and plan when nothing changed and after
 * the edit of one Deployment, against one walk over everything that is declared and runs. What
 * runs is made from what control wanted; that nothing is then left to do is checked. Each figure is
 * the best of some rounds.
 *
 *	reconcile [PODS...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/macro.h"
#include "control/control.h"
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

/* What the store does at admission, as far as control needs it. */
static void build(struct world *w)
{
	static const struct hold_list none;
	struct set *s = set_build(w->files, w->n, NULL, 0, &none, w->set);

	for (uint32_t i = 0; i < s->objects.n; i++)
		s->objects.v[i].meta->uid = arena_printf(&s->arena, "%s-%s",
							 s->objects.v[i].kind->singular,
							 s->objects.v[i].meta->name);
	set_unref(w->set);
	w->set = s;
}

/* ---- what runs ---- */

static void run_pod(struct world *w, const struct object *pod, struct observed_pod *ret)
{
	struct observed_container *c = arena_new(&w->arena, struct observed_container);
	uint32_t number = (uint32_t)(ret - w->observed.pods);

	c->name = "web";
	c->phase = RUN_RUNNING;
	c->started_at = NOW - 3600 * NSEC;
	c->configured[PROBE_READINESS] = c->decided[PROBE_READINESS] = true;
	c->passed[PROBE_READINESS] = true;
	*ret = (struct observed_pod){
		.object = pod, .stage = POD_UP, .ip = 0x0a000002 + number, .containers = c,
		.ncontainers = 1, .created_at = c->started_at, .ready_since = c->started_at,
	};
}

static void control(struct world *w, struct arena *a, struct wanted *ret)
{
	struct control_in in = { .set = w->set, .observed = &w->observed, .node_name = "node",
				 .node_ip = 0x0a000001, .now = NOW, .seed = 1 };

	control_run(a, &in, ret);
}

/* What the first pass wants is there, and what it is recorded by. */
static void run_everything(struct world *w)
{
	struct wanted wanted;

	control(w, &w->arena, &wanted);
	w->observed.derived = wanted.derived;
	w->observed.pods = arena_array(&w->arena, struct observed_pod, wanted.pods.n + 1);
	w->observed.npods = wanted.pods.n;
	for (uint32_t i = 0; i < wanted.pods.n; i++) {
		run_pod(w, &wanted.pods.v[i].object, &w->observed.pods[i]);
		w->observed.pods[i].config_digest = wanted.pods.v[i].config_digest;
	}
	for (int i = 0; i < 3; i++) {	/* completions are noted, services lead to the pods */
		control(w, &w->arena, &wanted);
		w->observed.derived = wanted.derived;
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

static double reconcile(struct world *w, uint32_t *ret_actions)
{
	struct action_list l;
	struct arena a = { 0 };
	struct wanted wanted;
	double began = cpu_ms(), took;

	control(w, &a, &wanted);
	plan_actions(&a, &w->observed, &wanted, &l);
	took = cpu_ms() - began;
	*ret_actions = l.n;
	arena_release(&a);
	return took;
}

static void measure(uint32_t pods)
{
	struct world w = { .n = pods / REPLICAS };
	double best[3] = { 1e9, 1e9, 1e9 };
	uint32_t actions;

	w.files = calloc(w.n + 1, sizeof(*w.files));
	for (uint32_t i = 0; i < w.n; i++)
		write_file(&w, i, 1);
	build(&w);
	run_everything(&w);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		best[0] = MIN(best[0], walk(&w));
		best[1] = MIN(best[1], reconcile(&w, &actions));
		if (actions)
			die("what runs is not what is wanted");
	}
	write_file(&w, w.n / 2, 2);
	build(&w);
	for (uint32_t i = 0; i < ROUNDS; i++)
		best[2] = MIN(best[2], reconcile(&w, &actions));
	if (!actions)
		die("an edit changes nothing");
	printf("%7u pods: walk %8.3f ms, nothing changed %8.3f ms, one Deployment changed %8.3f ms "
	       "(%u actions), %.2f us a pod\n", pods, best[0], best[1], best[2], actions,
	       best[2] * 1000 / pods);
	for (uint32_t i = 0; i < w.n; i++)
		manifest_unref(w.files[i]);
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
