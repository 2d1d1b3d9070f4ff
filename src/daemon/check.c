/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Validation without a daemon: the directory is walked by the same watch, on a loop that never runs. */
#include "daemon/check.h"

#include "daemon/watch.h"

static void ignore(void *data)
{
	(void)data;
}

bool check_directory(const char *dir, struct msgs *m)
{
	struct watch_events ev = { ignore, NULL };
	struct manifest **good, **broken;
	uint32_t ngood, nbroken;
	struct loop *loop;
	struct watch *w;
	struct err err = { 0 };

	if (loop_new(&loop) < 0)
		return false;
	if (watch_new(loop, dir, 0, NULL, 0, ev, &w, &err) < 0) {
		msgs_add(m, false, dir, 0, 0, "", "%s", err.msg);
		loop_free(loop);
		return false;
	}
	if (watch_warning(w))
		msgs_add(m, false, dir, 0, 0, "", "the directory can't be read");
	watch_manifests(w, &good, &ngood, &broken, &nbroken);
	struct set *s = set_build(good, ngood, broken, nbroken, NULL, NULL);
	for (uint32_t i = 0; i < s->msgs.n; i++) {
		const struct msg *g = &s->msgs.v[i];

		msgs_add(m, g->warning, arena_strdup(m->arena, g->file), g->line, g->col,
			 arena_strdup(m->arena, g->path), "%s", g->text);
	}
	set_unref(s);
	watch_free(w);
	loop_free(loop);
	return m->errors == 0;
}
