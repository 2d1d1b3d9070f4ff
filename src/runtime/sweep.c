/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leftovers; see sweep.h. */
#include "runtime/sweep.h"

#include <net/if.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/units.h"
#include "runtime/sandbox.h"

#define AT_ONCE (1 * MSEC)		/* also lets the events of new pods in between */
#define AGAIN (20 * MSEC)
#define LAST_ROUNDS 1500		/* of AGAIN, when orchd ends: a busy kernel may take its time */

struct leftover {
	struct leftover *next;
	char *cgroup;
	char *dirs[SWEEP_DIRS];
	uint32_t ip, ids;
	pid_t child;
	int64_t due;			/* CLOCK_MONOTONIC: not before */
};

struct retired {
	struct retired *next;
	struct arena arena;
	struct sandbox *sandbox;
};

void sweep_init(struct sweep *s, struct loop *l, struct net *net, struct cgroup_fs *cg,
		struct userns *userns)
{
	*s = (struct sweep){ .loop = l, .net = net, .cg = cg, .userns = userns };
	s->end = &s->first;
}

static void free_retired(struct sweep *s)
{
	while (s->retired) {
		struct retired *r = s->retired;

		s->retired = r->next;
		arena_release(&r->arena);
		if (r->sandbox)
			sandbox_free(r->sandbox);
		free(r);
	}
}

/* ---- one leftover ---- */

static bool cgroup_gone(struct sweep *s, struct leftover *l)
{
	if (l->cgroup && cgroup_remove(s->cg, l->cgroup, NULL) == 0) {
		free(l->cgroup);
		l->cgroup = NULL;
	} else if (l->cgroup) {
		cgroup_kill(s->cg, l->cgroup, NULL);
	}
	return !l->cgroup;
}

/* The next pod with this address would make an interface of the same name and number. */
static bool address_free(struct sweep *s, struct leftover *l)
{
	char name[IF_NAMESIZE];

	if (!l->ip)
		return true;
	net_pod_ifname(s->net, l->ip, name);
	if (if_nametoindex(name))
		return false;
	net_addr_free(s->net, l->ip);
	l->ip = 0;
	return true;
}

/* A shim that an earlier orchd started is no child of ours (ECHILD). */
static bool child_gone(struct leftover *l)
{
	if (l->child && waitpid(l->child, NULL, WNOHANG | __WALL) != 0)
		l->child = 0;
	return !l->child;
}

/* Directories last: nothing may run in them any more. A failure is not tried again. */
static bool try_leftover(struct sweep *s, struct leftover *l)
{
	bool done = time_mono() >= l->due && child_gone(l) && cgroup_gone(s, l);

	for (size_t i = 0; done && i < SWEEP_DIRS; i++) {
		if (l->dirs[i])
			file_rm_rf(l->dirs[i], NULL);
		free(l->dirs[i]);
		l->dirs[i] = NULL;
	}
	if (done && l->ids)		/* no file is left that belongs to them */
		userns_free(s->userns, l->ids);
	return address_free(s, l) && done;
}

static void free_leftover(struct leftover *l)
{
	free(l->cgroup);
	for (size_t i = 0; i < SWEEP_DIRS; i++)
		free(l->dirs[i]);
	free(l);
}

/* ---- the queue ---- */

static void append(struct sweep *s, struct leftover *l)
{
	l->next = NULL;
	*s->end = l;
	s->end = &l->next;
}

static struct leftover *take_first(struct sweep *s)
{
	struct leftover *l = s->first;

	s->first = l->next;
	if (!s->first)
		s->end = &s->first;
	return l;
}

static void turn(struct loop_timer *t)
{
	struct sweep *s = container_of(t, struct sweep, timer);
	bool done = true;

	free_retired(s);
	if (s->first) {
		struct leftover *l = take_first(s);

		done = try_leftover(s, l);
		done ? free_leftover(l) : append(s, l);
	}
	if (s->first)
		loop_timer_at(s->loop, t, time_mono() + (done ? AT_ONCE : AGAIN), turn);
}

static void arm(struct sweep *s)
{
	if (!s->timer.slot)
		loop_timer_at(s->loop, &s->timer, time_mono() + AT_ONCE, turn);
}

static char *copy(const char *s)
{
	char *r = s ? strdup(s) : NULL;

	if (s && !r)
		abort();
	return r;
}

static struct leftover *leftover_new(struct sweep *s)
{
	struct leftover *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	append(s, l);
	arm(s);
	return l;
}

void sweep_add(struct sweep *s, const char *cgroup, uint32_t ip, uint32_t ids,
	       const char *const dirs[SWEEP_DIRS])
{
	struct leftover *l = leftover_new(s);

	/* mostly nothing is in it any more, and nobody then sees a group without its pod */
	if (cgroup && cgroup_remove(s->cg, cgroup, NULL) < 0)
		l->cgroup = copy(cgroup);
	l->ip = ip;
	l->ids = ids;
	for (size_t i = 0; i < SWEEP_DIRS; i++)
		l->dirs[i] = copy(dirs[i]);
}

void sweep_later(struct sweep *s, const char *dir, int64_t due)
{
	struct leftover *l = leftover_new(s);

	l->dirs[0] = copy(dir);
	l->due = due;
}

void sweep_child(struct sweep *s, pid_t pid)
{
	leftover_new(s)->child = pid;
}

static struct retired *retire(struct sweep *s)
{
	struct retired *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->next = s->retired;
	s->retired = r;
	arm(s);
	return r;
}

void sweep_arena(struct sweep *s, struct arena *a)
{
	retire(s)->arena = *a;
	*a = (struct arena){ 0 };
}

void sweep_sandbox(struct sweep *s, struct sandbox *p)
{
	retire(s)->sandbox = p;
}

void sweep_finish(struct sweep *s)
{
	loop_timer_cancel(s->loop, &s->timer);
	free_retired(s);
	for (struct leftover *l = s->first; l; l = l->next)
		l->due = 0;
	for (int i = 0; s->first && i < LAST_ROUNDS; i++) {
		struct leftover *left = s->first;

		if (i)
			usleep(AGAIN / 1000);
		s->first = NULL;
		s->end = &s->first;
		while (left) {
			struct leftover *l = left;

			left = l->next;
			try_leftover(s, l) ? free_leftover(l) : append(s, l);
		}
	}
	while (s->first)
		free_leftover(take_first(s));
}
