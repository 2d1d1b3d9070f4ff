/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces: invented from a seed, read and printed, run with every rule looked at, shrunk. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "run.h"

static uint32_t pick(struct sim *s, uint32_t n)
{
	return (uint32_t)(sim_random(s) % n);
}

static const struct step_kind *kind_named(const char *name)
{
	for (size_t i = 0; i < step_nkinds; i++)
		if (streq(step_kinds[i].name, name))
			return &step_kinds[i];
	return NULL;
}

static const struct step_kind *invent_kind(struct sim *s)
{
	unsigned all = 0, at;

	for (size_t i = 0; i < step_nkinds; i++)
		all += step_kinds[i].weight;
	at = pick(s, all);
	for (size_t i = 0; i < step_nkinds; i++) {
		if (at < step_kinds[i].weight)
			return &step_kinds[i];
		at -= step_kinds[i].weight;
	}
	return &step_kinds[0];
}

struct files { uint32_t v[10], n; };

/* Edits stay within the few files of this trace, so that much happens to each. */
static void invent_step(struct sim *s, const struct files *mine, struct step *step)
{
	step->kind = invent_kind(s);
	if (step->kind->invent) {
		step->kind->invent(s, step);
		return;
	}
	for (unsigned i = 0; i < step->kind->numbers; i++)
		step->n[i] = pick(s, 1000000);
	if (step->kind->edits)
		step->n[0] = mine->v[pick(s, mine->n)];
	if (step->kind->edits && step->kind->numbers > 1) {
		step->n[1] %= world_nletters(step->n[0]);
		step->n[2] %= world_nwords(world_letter(step->n[0], step->n[1]));
	}
}

static void add_file(struct trace *t, uint32_t file, struct files *mine)
{
	for (uint32_t i = 0; i < mine->n; i++)
		if (mine->v[i] == file)
			return;
	mine->v[mine->n++] = file;
	*arena_push(&t->arena, t) = (struct step){ kind_named("add"), { file } };
}

/* With one of the words of a letter. Returns that one. */
static const char *add_edited(struct sim *s, struct trace *t, uint32_t file, uint32_t letter,
			      struct files *mine)
{
	char c = world_letter(file, letter);
	uint32_t word = pick(s, world_nwords(c));

	add_file(t, file, mine);
	*arena_push(&t->arena, t) = (struct step){ kind_named("edit"), { file, letter, word } };
	return world_word(c, word);
}

/* Budgets and autoscalers are about another file, which is there, too. */
static void add_aimed(struct sim *s, struct trace *t, const char *name, struct files *mine)
{
	const char *at = add_edited(s, t, world_find(name), 0, mine);

	add_file(t, world_find(strrchr(at, ' ') + 1), mine);
}

/* More than there is room for, and not all of it as important. */
static void add_crowd(struct sim *s, struct trace *t, struct files *mine)
{
	static const char *const words[] = { "web", "api", "set", "old", "db", "agent", "bare" };

	for (int i = 0; i < 2; i++) {
		uint32_t file = world_find(words[pick(s, ARRAY_SIZE(words))]);

		for (uint32_t k = 0; k < world_nletters(file); k++)
			if (streq(world_letter_name(world_letter(file, k)), "priority"))
				add_edited(s, t, file, k, mine);
	}
	add_file(t, world_find("class"), mine);
	*arena_push(&t->arena, t) = (struct step){ kind_named("room"), { 3 + pick(s, 6) } };
}

/* Most of a Job can't be changed once it is there: all words are chosen before that is so. */
static void add_chosen(struct sim *s, struct trace *t, const char *name, struct files *mine)
{
	uint32_t file = world_find(name);

	*arena_push(&t->arena, t) = (struct step){ kind_named("disk"), { 1 } };
	for (uint32_t k = 0; k < world_nletters(file); k++)
		add_edited(s, t, file, k, mine);
	*arena_push(&t->arena, t) = (struct step){ kind_named("disk"), { 0 } };
}

void trace_invent(struct trace *t, uint64_t seed)
{
	static const char *const jobs[] = { "work", "index", "task", "task" };
	struct files mine = { 0 };
	struct sim dice;

	*t = (struct trace){ .seed = seed };
	sim_init(&dice, seed ^ 0x9e3779b97f4a7c15u);
	for (uint32_t n = 1 + pick(&dice, 3); n; n--)
		add_file(t, pick(&dice, world_nfiles()), &mine);
	switch (pick(&dice, 8)) {
	case 0: add_aimed(&dice, t, "budget", &mine); add_crowd(&dice, t, &mine); break;
	case 1: add_aimed(&dice, t, "scaler", &mine); break;
	case 2: add_edited(&dice, t, world_find("quota"), 0, &mine); break;
	case 3: add_edited(&dice, t, world_find("limits"), 0, &mine); break;
	case 4: add_chosen(&dice, t, jobs[pick(&dice, ARRAY_SIZE(jobs))], &mine); break;
	default: break;
	}
	for (uint32_t steps = 20 + pick(&dice, 60); steps; steps--)
		invent_step(&dice, &mine, arena_push(&t->arena, t));
	sim_release(&dice);
}

void trace_release(struct trace *t)
{
	arena_release(&t->arena);
}

/* "web", and of an edit "web replicas 3": the rest of the line is a word of the letter. */
static int parse_edit(struct step *step, char **save, struct err *err)
{
	const char *file = strtok_r(NULL, " \t\n", save), *name, *word;
	bool found = false;

	for (uint32_t i = 0; file && i < world_nfiles() && !found; i++) {
		found = streq(world_name(i), file);
		step->n[0] = i;
	}
	if (!found || step->kind->numbers == 1)
		return found ? 0 : err_set(err, -EINVAL, "no file \"%s\"", file ? file : "");
	name = strtok_r(NULL, " \t\n", save);
	word = strtok_r(NULL, "\n", save);
	for (uint32_t i = 0; name && i < world_nletters(step->n[0]); i++) {
		char letter = world_letter(step->n[0], i);

		step->n[1] = i;
		for (uint32_t k = 0; streq(world_letter_name(letter), name) &&
				     k < world_nwords(letter); k++) {
			step->n[2] = k;
			if (streq(world_word(letter, k), word ? word : ""))
				return 0;
		}
	}
	return err_set(err, -EINVAL, "no edit \"%s %s\"", name ? name : "", word ? word : "");
}

static int parse_line(struct trace *t, char *line, struct err *err)
{
	char *save = NULL;
	const char *word = strtok_r(line, " \t\n", &save);
	struct step step = { 0 };
	int r = 0;

	if (!word || *word == '#')
		return 0;
	step.kind = kind_named(word);
	if (!step.kind && !streq(word, "seed"))
		return err_set(err, -EINVAL, "unknown step \"%s\"", word);
	if (step.kind && step.kind->edits)
		r = parse_edit(&step, &save, err);
	for (unsigned i = 0; i < STEP_NUMBERS; i++) {
		const char *number = strtok_r(NULL, " \t\n", &save);

		if (!number || *number == '#')
			break;
		if (!step.kind)
			t->seed = strtoull(number, NULL, 10);
		step.n[i] = (uint32_t)strtoul(number, NULL, 10);
	}
	if (step.kind)
		*arena_push(&t->arena, t) = step;
	return r;
}

int trace_read(struct trace *t, const char *path, struct err *err)
{
	FILE *f = fopen(path, "re");
	char line[400];
	int r = 0;

	*t = (struct trace){ 0 };
	if (!f)
		return err_sys(err, -errno, "%s", path);
	while (r == 0 && fgets(line, sizeof(line), f))
		r = parse_line(t, line, err);
	fclose(f);
	return r;
}

static void print_edit(const struct step *s, struct buf *out)
{
	uint32_t file = step_file(s);
	char letter = world_letter(file, s->n[1] % world_nletters(file));

	buf_printf(out, " %s", world_name(file));
	if (s->kind->numbers > 1)
		buf_printf(out, " %s %s", world_letter_name(letter), world_word(letter, s->n[2]));
}

void trace_print(const struct trace *t, struct buf *out)
{
	buf_printf(out, "seed %llu\n", (unsigned long long)t->seed);
	for (uint32_t i = 0; i < t->n; i++) {
		const struct step *s = &t->v[i];

		buf_puts(out, s->kind->name);
		if (s->kind->edits)
			print_edit(s, out);
		for (unsigned k = 0; !s->kind->edits && k < s->kind->numbers; k++)
			buf_printf(out, " %u", s->n[k]);
		if (s->kind->comment) {
			buf_puts(out, "\t# ");
			s->kind->comment(s, out);
		}
		buf_putc(out, '\n');
	}
}

/* ---- running ---- */

/* The news of a step leads to a pass, unless it is lost; a later one looks at everything anyway. */
static void tell_orchd(struct run *r)
{
	if (r->deaf) {
		r->deaf--;
		return;
	}
	sim_tick(&r->sim);
	sim_pass(&r->sim);
	if (!r->sim.wake)
		return;
	sim_tick(&r->sim);
}

static void heal(struct run *r)
{
	r->sim.fail_percent = 0;
	r->sim.disk_full = false;
	r->sim.dies_after = -1;
	r->deaf = 0;
	r->sim.room = 0;
	world_declare(&r->world, world_find("quota"), false);
	world_declare(&r->world, world_find("limits"), false);
	world_declare(&r->world, world_find("node"), false);
	world_declare(&r->world, world_find("class"), true);
	r->world.careful = false;
	r->world.pending = true;	/* what waits is allowed */
	world_apply(&r->world, &r->sim);
}

void trace_run(const struct trace *t, struct outcome *ret)
{
	struct run r = { 0 };

	sim_init(&r.sim, t->seed);
	oracle_init(&r.oracle, &r.sim);
	r.world.pending = true;
	world_apply(&r.world, &r.sim);
	for (ret->at = 0; ret->at < t->n && !r.sim.rule; ret->at++) {
		const struct step *s = &t->v[ret->at];

		if (!s->kind->time)
			oracle_disturbed(&r.oracle);
		s->kind->run(&r, s);
		world_apply(&r.world, &r.sim);
		if (!s->kind->time && !r.sim.rule)
			tell_orchd(&r);
	}
	if (!r.sim.rule) {
		oracle_disturbed(&r.oracle);
		heal(&r);
		oracle_rest(&r.oracle);
	} else {
		ret->at--;
	}
	ret->rule = r.sim.rule;
	memcpy(ret->what, r.sim.what, sizeof(ret->what));
	ret->passes = r.sim.passes;
	ret->actions = r.sim.actions;
	ret->kept = r.sim.kept;
	ret->simulated = r.sim.now - SIM_START - r.sim.jumped;
	oracle_release(&r.oracle);
	world_release(&r.world);
	sim_release(&r.sim);
}

/* Without the steps from..to-1; true when the same rule breaks. */
static bool breaks_without(const struct trace *t, uint32_t from, uint32_t to, const char *rule,
			   struct outcome *o)
{
	struct trace less = { .seed = t->seed };

	for (uint32_t i = 0; i < t->n; i++)
		if (i < from || i >= to)
			*arena_push(&less.arena, &less) = t->v[i];
	trace_run(&less, o);
	trace_release(&less);
	return o->rule && streq(o->rule, rule);
}

void trace_shrink(struct trace *t, struct outcome *o)
{
	const char *rule = o->rule;
	struct outcome last = *o, now;

	if (o->at + 1 < t->n)
		t->n = o->at + 1;
	for (uint32_t size = MAX(t->n / 2, 1u); size; size /= 2) {
		for (uint32_t from = 0; from < t->n;) {
			uint32_t to = MIN(from + size, t->n);

			if (!breaks_without(t, from, to, rule, &now)) {
				from += size;
				continue;
			}
			memmove(t->v + from, t->v + to, (t->n - to) * sizeof(*t->v));
			t->n -= to - from;
			last = now;
		}
	}
	*o = last;
}
