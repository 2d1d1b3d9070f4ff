/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files that changed to a generation in force: by itself (sync mode auto) or because
 * somebody asked (apply), and the same path stopped short of it (plan). A plan reads the directory
 * as it is now, but what it finds is still news to the watch, so that looking changes nothing.
 */
#include <string.h>

#include "base/log.h"
#include "base/macro.h"
#include "daemon/daemon.h"
#include "daemon/generation.h"
#include "daemon/reconcile.h"

static void log_messages(const struct set *s)
{
	for (uint32_t i = 0; i < s->msgs.n; i++) {
		BUF_AUTO line = { 0 };

		msg_print(&s->msgs.v[i], &line);
		line.data[strcspn(line.data, "\n")] = '\0';
		log_msg(s->msgs.v[i].warning ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "%s", line.data);
	}
}

static void take_candidate(struct daemon *d, struct set *said)
{
	set_unref(d->candidate);
	d->candidate = set_ref(said);
}

void daemon_files_changed(struct daemon *d)
{
	const struct plan_options all = { 0 };
	struct generation g;
	struct err err = { 0 };
	int r = 0;

	if (d->stopping)
		return;
	generation_build(d, &all, &g);
	take_candidate(d, g.said);
	if (watch_warning(d->watch))
		log_warning("%s", watch_warning(d->watch));
	if (g.guard)
		log_warning("%s", g.guard);
	if (d->settings->sync == SYNC_AUTO)
		r = generation_apply(d, &g, NULL, &err);
	if (r < 0)
		log_error("%s", err.msg);	/* the watch brings it up again */
	else
		watch_taken(d->watch);
	log_messages(d->candidate);
	generation_release(&g);
	daemon_dirty(d);
}

static void plan_from(struct daemon *d, struct arena *a, const struct plan_options *o,
		      const struct generation *g, struct plan *ret)
{
	struct outlook *outlook = arena_new(a, struct outlook);

	reconcile_outlook(d, g->set, NULL, a, outlook);
	struct plan_in in = {
		.applied = d->applied,
		.candidate = g->said,
		.observed = &outlook->observed,
		.wanted = &outlook->wanted,
		.allow_delete = o->allow_delete,
		.stack = o->stack,
	};
	plan_make(a, &in, ret);
}

/* The plan points into both sets, which live on until the next one is kept. */
static void keep_planned(struct daemon *d, const struct generation *g)
{
	generation_release(&d->planned);
	set_unref(d->planned_over);
	d->planned = *g;
	d->planned_over = d->applied ? set_ref(d->applied) : NULL;
}

void daemon_plan(struct daemon *d, struct arena *a, const struct plan_options *o, struct plan *ret)
{
	struct generation g;
	struct err err = { 0 };

	watch_scan(d->watch);
	generation_build(d, o, &g);
	if (generation_admit_dry(d, &g, &err) < 0)
		log_error("%s", err.msg);
	plan_from(d, a, o, &g, ret);
	keep_planned(d, &g);
}

/* After one stack was applied: what the other files say is still the candidate. */
static void look_at_all(struct daemon *d)
{
	const struct plan_options all = { 0 };
	struct generation g;

	generation_build(d, &all, &g);
	take_candidate(d, g.said);
	free(d->guard);
	d->guard = g.guard;
	g.guard = NULL;
	generation_release(&g);
}

int daemon_apply(struct daemon *d, struct arena *a, const struct plan_options *o,
		 struct plan *ret, uint32_t *ret_revision, struct err *err)
{
	struct generation g;

	if (d->stopping)
		return err_set(err, -EBUSY, "orchd is stopping");
	daemon_plan(d, a, o, ret);
	generation_build(d, o, &g);
	int r = generation_apply(d, &g, NULL, err);
	generation_release(&g);
	if (r == 0 && o->stack)
		look_at_all(d);
	else if (r == 0)
		watch_taken(d->watch);
	*ret_revision = d->revision;
	daemon_dirty(d);
	return r;
}
