/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image store: what pods wait for is pulled, one after the other takes its time; "nopull" fails
 * and is tried again after 10 s, doubling to 300 s.
 */
#include <stdio.h>

#include "machine.h"

static struct sim_image *image(struct sim *s, const char *name)
{
	for (uint32_t i = 0; i < s->images.n; i++)
		if (streq(s->images.v[i].image, name))
			return &s->images.v[i];
	struct sim_image *i = arena_push(&s->arena, &s->images);
	snprintf(i->image, sizeof(i->image), "%s", name);
	return i;
}

void sim_images_want(struct sim *s, const struct wanted *w)
{
	for (uint32_t i = 0; i < w->images.n; i++) {
		struct sim_image *m = image(s, w->images.v[i].image);

		if (!w->images.v[i].pull || m->o.pull == IMAGE_PULLING ||
		    (m->o.pull == IMAGE_FAILED && s->now < m->o.retry_at))
			continue;
		m->o.pull = IMAGE_PULLING;
		m->o.started_at = m->o.begun_at = s->now;
		m->done_at = s->now + sim_delay(s);
	}
}

static void end_pull(struct sim_image *m)
{
	bool fails = strstr(m->image, "nopull");
	int64_t delay = 10 * NSEC << MIN(m->failures, 5u);

	m->o.pull = fails ? IMAGE_FAILED : IMAGE_IDLE;
	m->failures = fails ? m->failures + 1 : 0;
	if (fails) {
		m->o.failed_at = m->done_at;
		m->o.retry_at = m->done_at + MIN(delay, 300 * NSEC);
		m->o.reason = "ErrImagePull";
		m->o.message = "not found";
	} else {
		m->o.present = true;
		m->o.digest = "sha256:0";
		m->o.pulled_at = m->done_at;
	}
	m->done_at = 0;
}

int64_t sim_images_tick(struct sim *s)
{
	int64_t next = 0;

	for (uint32_t i = 0; i < s->images.n; i++) {
		struct sim_image *m = &s->images.v[i];

		if (m->done_at && m->done_at <= s->now)
			end_pull(m);
		if (m->done_at && (!next || m->done_at < next))
			next = m->done_at;
	}
	return next;
}
