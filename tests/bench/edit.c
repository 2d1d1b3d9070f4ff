/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From 1,000 files with 10,000 objects to a plan, cold and after the edit of one file: reading,
 * the set, what control wants, the plan. Cold goes against libyaml alone, scanning the same bytes;
 * an edit against cold. The Deployments have their ReplicaSets and ask for no pods, so that only the
 * work on objects is measured. Each step counts by its fastest round.
 *
 *	edit		exit status 1 when a goal is missed
 */
#include <malloc.h>

#include "control/control.h"
#include "manifests.h"
#include "plan/plan.h"

#define ROUNDS 7

enum step { READ, SET, CONTROL, PLAN, STEPS };
static const char *const step_names[] = { "read", "set", "control", "plan" };

struct times { double step[STEPS]; };

struct world {
	struct input in;
	struct manifest *files[FILES];
	struct set *set;		/* in force */
	struct object_list derived;	/* that control made in the cold pass */
	struct arena arena;		/* of them */
};

static double scan_all(const struct input *in)
{
	double began = cpu_seconds();

	for (unsigned i = 0; i < in->n; i++)
		scan(&in->v[i]);
	return cpu_seconds() - began;
}

static void read_one(struct world *w, unsigned i)
{
	char path[32];

	snprintf(path, sizeof(path), "stack-%u/file-%u.yaml", i % 10, i);
	manifest_unref(w->files[i]);
	w->files[i] = manifest_load(path, w->in.v[i].data, w->in.v[i].len);
	if (w->files[i]->broken)
		die(w->files[i]->msgs.v[0].text);
}

/* What the store does at admission, as far as control needs it. */
static void give_uids(struct set *s)
{
	for (uint32_t i = 0; i < s->objects.n; i++)
		s->objects.v[i].meta->uid = arena_printf(&s->arena, "u%u", i);
}

static double lap(double *since)
{
	double now = cpu_seconds(), took = now - *since;

	*since = now;
	return took;
}

/* After reading: the rest of the way to a plan. changes is what the plan must have. */
static void make_plan(struct world *w, struct times *t, unsigned changes)
{
	struct observed seen = { .derived = w->derived };
	struct settings settings = { 0 };
	struct arena a = { 0 };
	struct wanted wanted;
	struct plan plan;
	double at = cpu_seconds();
	struct set *next = set_build(w->files, FILES, NULL, 0, NULL, w->set);

	t->step[SET] = lap(&at);
	give_uids(next);
	lap(&at);
	control_run(&a, &(struct control_in){ .set = next, .observed = &seen,
					      .settings = &settings, .node_name = "n", .now = 1 },
		    &wanted);
	t->step[CONTROL] = lap(&at);
	plan_make(&a, &(struct plan_in){ .applied = w->set, .candidate = next,
					 .observed = &seen, .wanted = &wanted }, &plan);
	t->step[PLAN] = lap(&at);
	if (plan.changes.n != changes)
		die("the plan is not what it should be");
	if (!w->set) {
		for (uint32_t i = 0; i < wanted.derived.n; i++)
			*arena_push(&w->arena, &w->derived) =
				object_copy(&w->arena, &wanted.derived.v[i]);
	}
	set_unref(w->set);
	w->set = next;
	arena_release(&a);
}

static void cold(struct world *w, struct times *t)
{
	double at = cpu_seconds();

	set_unref(w->set);
	w->set = NULL;
	arena_release(&w->arena);
	w->derived = (struct object_list){ 0 };
	for (unsigned i = 0; i < FILES; i++)
		read_one(w, i);
	t->step[READ] = lap(&at);
	make_plan(w, t, FILES * OBJECTS);
}

/* "fast" or "slow", in turn, in one ConfigMap of file 500 */
static void edit(struct world *w, struct times *t)
{
	char *at = memmem(w->in.v[500].data, w->in.v[500].len, "mode: \"", 7);
	bool fast = at && at[7] == 'f';

	if (!at)
		die("no ConfigMap");
	memcpy(at + 7, fast ? "slow" : "fast", 4);
	double began = cpu_seconds();
	read_one(w, 500);
	t->step[READ] = lap(&began);
	make_plan(w, t, 2);	/* the Deployment that uses it, too */
}

/* To know what an edit changes. What control wants is found out in every pass, edit or not. */
static double plan_cost(const struct times *t)
{
	return t->step[READ] + t->step[SET] + t->step[PLAN];
}

static void best_of(struct times *best, const struct times *t, bool first)
{
	for (int i = 0; i < STEPS; i++)
		best->step[i] = first ? t->step[i] : MIN(best->step[i], t->step[i]);
}

static void print(const char *name, const struct times *t)
{
	printf("%-8s", name);
	for (int i = 0; i < STEPS; i++)
		printf("  %s %7.2f ms", step_names[i], t->step[i] * 1000);
	putchar('\n');
}

static int goal(const char *what, double is, double most)
{
	printf("%-40s %6.3f  %s %.2f\n", what, is, is <= most ? "met: <=" : "MISSED: <=", most);
	return is > most;
}

int main(void)
{
	static struct world w;
	struct times cold_best = { 0 }, edit_best = { 0 }, t = { 0 };
	double floor = 0;
	size_t before = mallinfo2().uordblks;

	make_set(&w.in, 0);
	before = mallinfo2().uordblks;
	for (unsigned round = 0; round < ROUNDS; round++) {
		double took = scan_all(&w.in);
		floor = round ? MIN(floor, took) : took;
		cold(&w, &t);
		best_of(&cold_best, &t, round == 0);
		edit(&w, &t);
		best_of(&edit_best, &t, round == 0);
	}
	printf("libyaml alone %.1f ms\n", floor * 1000);
	print("cold", &cold_best);
	print("edit", &edit_best);
	printf("memory of the set in force: %.1f bytes an object\n",
	       (double)(mallinfo2().uordblks - before) / (FILES * OBJECTS));
	int missed = goal("cold load / libyaml", cold_best.step[READ] / floor, 2);
	missed += goal("read, set and plan of an edit / cold", plan_cost(&edit_best) / plan_cost(&cold_best), 0.1);
	set_unref(w.set);
	arena_release(&w.arena);
	for (unsigned i = 0; i < FILES; i++) {
		manifest_unref(w.files[i]);
		buf_release(&w.in.v[i]);
	}
	free(w.in.v);
	return missed ? 1 : 0;
}
