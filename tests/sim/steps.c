/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of steps, each with what it does, how it is invented and what a trace says of it. */
#include "run.h"

#define SECOND 1000u		/* waits are in milliseconds */

static uint32_t pick(struct sim *s, uint32_t n)
{
	return (uint32_t)(sim_random(s) % n);
}

/* ---- edits ---- */

uint32_t step_file(const struct step *s)
{
	return s->n[0] % world_nfiles();
}

static void run_edit(struct run *r, const struct step *s)
{
	uint32_t file = step_file(s);
	char letter = world_letter(file, s->n[1] % world_nletters(file));

	world_set(&r->world, file, letter, s->n[2] % world_nwords(letter));
	world_declare(&r->world, file, true);
}

static void run_add(struct run *r, const struct step *s)
{
	world_declare(&r->world, step_file(s), true);
}

static void run_drop(struct run *r, const struct step *s)
{
	world_declare(&r->world, step_file(s), false);
}

/* ---- what happens to pods ---- */

static struct sim_pod *pod_of(struct run *r, const struct step *s)
{
	sim_sort(&r->sim);
	return r->sim.pods.n ? r->sim.pods.v[s->n[0] % r->sim.pods.n] : NULL;
}

/* A container that runs; NULL: none does. */
static struct sim_container *running(struct run *r, const struct step *s)
{
	struct sim_pod *p = pod_of(r, s);
	struct sim_container *c = p && p->n ? &p->containers[0] : NULL;

	return c && p->stage == POD_UP && c->c.phase == RUN_RUNNING ? c : NULL;
}

static void run_end(struct run *r, const struct step *s)
{
	struct sim_container *c = running(r, s);

	if (c)
		sim_container_end(pod_of(r, s), c, r->sim.now, (int)(s->n[1] % 2), 0, false);
}

static void run_oom(struct run *r, const struct step *s)
{
	struct sim_container *c = running(r, s);

	if (c)
		sim_container_end(pod_of(r, s), c, r->sim.now, 0, 9, true);
}

static void run_flap(struct run *r, const struct step *s)
{
	struct sim_container *c = running(r, s);

	if (!c || !c->ready_at)
		return;
	c->c.passed[PROBE_READINESS] = false;
	c->ready_at = r->sim.now + (int64_t)(s->n[1] % (120 * SECOND)) * MSEC;
}

static void run_sick(struct run *r, const struct step *s)
{
	struct sim_container *c = running(r, s);

	if (!c || !c->c.configured[PROBE_LIVENESS])
		return;
	c->c.decided[PROBE_LIVENESS] = true;
	c->c.passed[PROBE_LIVENESS] = false;
}

static void run_lose(struct run *r, const struct step *s)
{
	struct sim_pod *p = pod_of(r, s);

	if (p && p->stage <= POD_UP)
		sim_lose(p, "its shim died");
}

static void run_reboot(struct run *r, const struct step *s)
{
	(void)s;
	sim_reboot(&r->sim);
}

/* ---- what happens to orchd and its machine ---- */

static void run_die(struct run *r, const struct step *s)
{
	r->sim.dies_after = (int32_t)(s->n[0] % 8);
}

static void run_fail(struct run *r, const struct step *s)
{
	r->sim.fail_percent = s->n[0] % 101;
}

static void run_disk(struct run *r, const struct step *s)
{
	r->sim.disk_full = s->n[0] % 2;
}

static void comment_disk(const struct step *s, struct buf *out)
{
	buf_puts(out, s->n[0] % 2 ? "full" : "has room again");
}

static void run_deaf(struct run *r, const struct step *s)
{
	r->deaf = s->n[0] % 6;
}

static void run_jump(struct run *r, const struct step *s)
{
	int64_t by = (int64_t)(s->n[0] % 7200 + 1) * NSEC;

	if (s->n[1] % 2)
		oracle_clock_back(&r->oracle);
	sim_jump(&r->sim, s->n[1] % 2 ? -by : by);
}

static void comment_jump(const struct step *s, struct buf *out)
{
	buf_printf(out, "%u s %s", s->n[0] % 7200 + 1, s->n[1] % 2 ? "back" : "forth");
}

static void run_flush(struct run *r, const struct step *s)
{
	(void)s;
	r->sim.services_known = false;
	r->sim.nservices = 0;
}

static void run_room(struct run *r, const struct step *s)
{
	r->sim.room = s->n[0] % 12;
}

static void comment_room(const struct step *s, struct buf *out)
{
	buf_printf(out, s->n[0] % 12 ? "for %u pods" : "for any number of pods", s->n[0] % 12);
}

static void run_load(struct run *r, const struct step *s)
{
	r->sim.demand = s->n[0] % 600;
}

static void comment_load(const struct step *s, struct buf *out)
{
	buf_printf(out, "%u thousandths of a processor for each app", s->n[0] % 600);
}

static void run_slow(struct run *r, const struct step *s)
{
	r->sim.slow = (int64_t)(s->n[0] % (60 * SECOND) + 1) * MSEC;
}

static void run_wait(struct run *r, const struct step *s)
{
	sim_run_until(&r->sim, r->sim.now + (int64_t)s->n[0] * MSEC);
}

static void comment_wait(const struct step *s, struct buf *out)
{
	buf_printf(out, "%u.%03u s", s->n[0] / SECOND, s->n[0] % SECOND);
}

/* ---- what people ask orchd for ---- */

static void rollout(struct run *r, const struct step *s, enum sim_verb verb)
{
	struct hold h;

	if (!sim_rollout(&r->sim, verb, s->n[0], &h))
		return;
	oracle_held(&r->oracle, &h);
	r->world.pending = true;
}

static void run_pause(struct run *r, const struct step *s) { rollout(r, s, SIM_PAUSE); }
static void run_resume(struct run *r, const struct step *s) { rollout(r, s, SIM_RESUME); }
static void run_restart(struct run *r, const struct step *s) { rollout(r, s, SIM_RESTART); }
static void run_undo(struct run *r, const struct step *s) { rollout(r, s, SIM_UNDO); }
static void run_unhold(struct run *r, const struct step *s) { rollout(r, s, SIM_UNHOLD); }

static void run_careful(struct run *r, const struct step *s)
{
	r->world.careful = s->n[0] % 2;
	r->world.pending = true;
}

static void comment_careful(const struct step *s, struct buf *out)
{
	buf_puts(out, s->n[0] % 2 ? "deletions wait" : "deletions are allowed");
}

static void invent_wait(struct sim *s, struct step *step)
{
	static const uint32_t most[] = { 10, SECOND, SECOND, 5 * SECOND, 5 * SECOND, 20 * SECOND,
					 60 * SECOND, 600 * SECOND };

	step->n[0] = 1 + pick(s, most[pick(s, ARRAY_SIZE(most))]);
}

static void invent_fail(struct sim *s, struct step *step)
{
	static const uint32_t percents[] = { 0, 0, 10, 30, 100 };

	step->n[0] = percents[pick(s, ARRAY_SIZE(percents))];
}

static void invent_disk(struct sim *s, struct step *step)
{
	step->n[0] = pick(s, 3) == 0;
}

static void invent_slow(struct sim *s, struct step *step)
{
	static const uint32_t most[] = { 10, SECOND, 5 * SECOND, 60 * SECOND };

	step->n[0] = most[pick(s, ARRAY_SIZE(most))] - 1;
}

const struct step_kind step_kinds[] = {
	{ "wait", 1, 60, run_wait, invent_wait, comment_wait, false, true },
	{ "edit", 3, 40, run_edit, NULL, NULL, true, false },
	{ "add", 1, 4, run_add, NULL, NULL, true, false },
	{ "drop", 1, 3, run_drop, NULL, NULL, true, false },
	{ "end", 2, 6, run_end, NULL, NULL, false, false },
	{ "oom", 1, 3, run_oom, NULL, NULL, false, false },
	{ "flap", 2, 8, run_flap, NULL, NULL, false, false },
	{ "sick", 1, 3, run_sick, NULL, NULL, false, false },
	{ "lose", 1, 5, run_lose, NULL, NULL, false, false },
	{ "reboot", 0, 1, run_reboot, NULL, NULL, false, false },
	{ "die", 1, 10, run_die, NULL, NULL, false, false },
	{ "fail", 1, 4, run_fail, invent_fail, NULL, false, false },
	{ "disk", 1, 3, run_disk, invent_disk, comment_disk, false, false },
	{ "deaf", 1, 3, run_deaf, NULL, NULL, false, false },
	{ "jump", 2, 2, run_jump, NULL, comment_jump, false, false },
	{ "flush", 0, 1, run_flush, NULL, NULL, false, false },
	{ "careful", 1, 3, run_careful, NULL, comment_careful, false, false },
	{ "pause", 1, 2, run_pause, NULL, NULL, false, false },
	{ "resume", 1, 2, run_resume, NULL, NULL, false, false },
	{ "restart", 1, 3, run_restart, NULL, NULL, false, false },
	{ "undo", 1, 6, run_undo, NULL, NULL, false, false },
	{ "unhold", 1, 2, run_unhold, NULL, NULL, false, false },
	{ "room", 1, 3, run_room, NULL, comment_room, false, false },
	{ "load", 1, 4, run_load, NULL, comment_load, false, false },
	{ "slow", 1, 4, run_slow, invent_slow, NULL, false, false },
};
const size_t step_nkinds = ARRAY_SIZE(step_kinds);
