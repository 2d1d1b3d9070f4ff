/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at the node; see pressure.h. */
#include "daemon/pressure.h"

#include <stdio.h>

#include "base/macro.h"
#include "daemon/daemon.h"
#include "sys/node.h"

#define PERIOD (10 * NSEC)		/* as kubelet */
#define URGENT (1 * NSEC)
#define PATIENCE (30 * NSEC)		/* with what was evicted to be gone; as kubelet */

static void put(struct pressure *p, enum node_signal s, uint64_t available, uint64_t capacity)
{
	p->node.available[s] = (int64_t)available;
	p->node.capacity[s] = (int64_t)capacity;
}

static void put_disk(struct pressure *p, const char *path, enum node_signal bytes,
		     enum node_signal inodes)
{
	struct node_disk disk;

	if (node_disk(path, &disk, NULL) < 0)
		return;
	put(p, bytes, disk.free, disk.size);
	put(p, inodes, disk.free_inodes, disk.inodes);
}

static void measure(struct pressure *p)
{
	const char *state_dir = p->d->settings->state_dir;
	struct node_usage u;
	uint64_t used, most;
	char images[4096];

	p->node.at = time_now();
	if (node_usage(&u, NULL) == 0)
		put(p, SIGNAL_MEMORY, u.memory_total - u.memory, u.memory_total);
	put_disk(p, state_dir, SIGNAL_NODEFS, SIGNAL_NODEFS_INODES);
	snprintf(images, sizeof(images), "%s/images", state_dir);
	put_disk(p, images, SIGNAL_IMAGEFS, SIGNAL_IMAGEFS_INODES);
	if (node_processes(&used, &most, NULL) == 0)
		put(p, SIGNAL_PID, most - MIN(used, most), most);
}

/* ---- what nobody uses ---- */

static bool is_disk(const struct eviction_state *s)
{
	return s->reclaiming && eviction_pressure(s->signal) == PRESSURE_DISK;
}

/* Once each time that the disk gets short. True: it is being done. */
static bool clean(struct pressure *p)
{
	struct eviction_state *s = &p->state;
	int64_t since = s->hard ? s->hard_since[s->signal] : s->soft_since[s->signal];

	if (p->cleaning && !images_collecting(p->d->images)) {
		p->cleaning = false;
		s->cleaned_at = time_now();
	} else if (!p->cleaning && is_disk(s) && s->cleaned_at < since) {
		images_collect_unused(p->d->images);
		runtime_clear_ended(p->d->runtime);
		p->cleaning = true;
	}
	return p->cleaning;
}

/* ---- looks ---- */

/* What is on its way out would be counted as used. */
static bool wait_for_pods(struct pressure *p, int64_t now)
{
	if (!runtime_clearing(p->d->runtime))
		p->waits_since = 0;
	else if (!p->waits_since)
		p->waits_since = now;
	return p->waits_since && now - p->waits_since < PATIENCE;
}

static void on_time(struct loop_timer *t)
{
	struct pressure *p = container_of(t, struct pressure, timer);
	struct eviction_state before = p->state;
	bool wait = p->state.reclaiming && (clean(p) || wait_for_pods(p, time_mono()));

	if (!wait) {
		measure(p);
		eviction_look(&p->rules, &p->node, &p->state);
		if (p->state.reclaiming || memcmp(before.on, p->state.on, sizeof(before.on)) != 0)
			daemon_dirty(p->d);
	}
	loop_timer_at(p->d->loop, t, time_mono() + (p->state.reclaiming ? URGENT : PERIOD),
		      on_time);
}

void pressure_start(struct daemon *d)
{
	struct pressure *p = &d->pressure;

	p->d = d;
	eviction_rules(d->settings, &p->rules);
	on_time(&p->timer);
}

void pressure_end(struct daemon *d)
{
	if (d->pressure.d)
		loop_timer_cancel(d->loop, &d->pressure.timer);
}

void pressure_observe(struct daemon *d, struct observed *ret)
{
	const struct pressure *p = &d->pressure;

	if (!p->d)
		return;
	runtime_measure(d->runtime, p->state.reclaiming && !is_disk(&p->state), is_disk(&p->state));
	ret->node = &p->node;
}

void pressure_decided(struct daemon *d, const struct wanted *w)
{
	for (uint32_t i = 0; i < w->pods.n; i++)
		if (w->pods.v[i].evict)
			d->pressure.state.evicted_at = time_now();
}
