/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop. One turn: wait; serve the batch of ready descriptors (the timerfd and the
 * signalfd are two of them); fire the timers that are due; run what was deferred until now.
 * A source that is removed while its event still waits in the batch has its entry cleared, so a
 * callback may free the owners of others. What a callback arms or defers waits for a later turn,
 * hence no callback can keep the others from their turn.
 */
#include "base/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "base/macro.h"
#include "base/units.h"

#define BATCH 256

struct defer_queue {
	struct loop_defer *head, **tail;
};

struct loop {
	int epoll;
	struct loop_io timer_io, signal_io;
	struct epoll_event batch[BATCH];
	int n_batch, at_batch;		/* events from at_batch on are not served yet */
	struct loop_timer **heap;	/* least due first */
	unsigned n_heap, cap_heap;
	int64_t armed;			/* what the timerfd is set to, 0 when it is not */
	int64_t firing;			/* timers due until then fire in this turn; 0 outside */
	struct defer_queue waiting, running;
	struct loop_signal *signals;
	sigset_t mask;
	bool in_turn, stopped;
};

/* ---- descriptors ---- */

static int control(struct loop *l, int op, struct loop_io *io)
{
	struct epoll_event ev = { .events = io->events, .data.ptr = io };

	return epoll_ctl(l->epoll, op, io->fd, &ev) < 0 ? -errno : 0;
}

int loop_io_add(struct loop *l, struct loop_io *io, int fd, uint32_t events,
		void (*cb)(struct loop_io *, uint32_t))
{
	loop_io_remove(l, io);
	*io = (struct loop_io){ .cb = cb, .fd = fd, .events = events };
	int r = control(l, EPOLL_CTL_ADD, io);
	io->active = r == 0;
	return r;
}

int loop_io_events(struct loop *l, struct loop_io *io, uint32_t events)
{
	if (!io->active)
		return -EINVAL;
	if (io->events == events)
		return 0;
	io->events = events;
	return control(l, EPOLL_CTL_MOD, io);
}

void loop_io_remove(struct loop *l, struct loop_io *io)
{
	if (!io->active)
		return;
	io->active = false;
	control(l, EPOLL_CTL_DEL, io);
	for (int i = l->at_batch; i < l->n_batch; i++) {
		if (l->batch[i].data.ptr == io)
			l->batch[i].data.ptr = NULL;
	}
}

static void serve_batch(struct loop *l)
{
	while (l->at_batch < l->n_batch) {
		struct epoll_event *ev = &l->batch[l->at_batch++];
		struct loop_io *io = ev->data.ptr;
		if (!io)
			continue;
		uint32_t events = ev->events & (io->events | EPOLLERR | EPOLLHUP);
		if (events)
			io->cb(io, events);
	}
	l->n_batch = l->at_batch = 0;
}

/* ---- timers ---- */

static void place(struct loop *l, unsigned i, struct loop_timer *t)
{
	l->heap[i] = t;
	t->slot = i + 1;
}

static void sift_up(struct loop *l, unsigned i, struct loop_timer *t)
{
	while (i > 0 && l->heap[(i - 1) / 2]->due > t->due) {
		place(l, i, l->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(l, i, t);
}

static void sift_down(struct loop *l, unsigned i, struct loop_timer *t)
{
	for (;;) {
		unsigned child = 2 * i + 1;
		if (child + 1 < l->n_heap && l->heap[child + 1]->due < l->heap[child]->due)
			child++;
		if (child >= l->n_heap || l->heap[child]->due >= t->due)
			break;
		place(l, i, l->heap[child]);
		i = child;
	}
	place(l, i, t);
}

static void settle(struct loop *l, unsigned i, struct loop_timer *t)
{
	if (i > 0 && l->heap[(i - 1) / 2]->due > t->due)
		sift_up(l, i, t);
	else
		sift_down(l, i, t);
}

static void heap_reserve(struct loop *l)
{
	if (l->n_heap < l->cap_heap)
		return;
	l->cap_heap = l->cap_heap ? 2 * l->cap_heap : 16;
	l->heap = reallocarray(l->heap, l->cap_heap, sizeof(*l->heap));
	if (!l->heap)
		abort();
}

void loop_timer_at(struct loop *l, struct loop_timer *t, int64_t due_mono,
		   void (*cb)(struct loop_timer *))
{
	t->cb = cb;
	/* a callback that arms a timer for the past must not see it fire in the same turn */
	t->due = l->firing && due_mono <= l->firing ? l->firing + 1 : due_mono;
	if (t->slot) {
		settle(l, t->slot - 1, t);
		return;
	}
	heap_reserve(l);
	sift_up(l, l->n_heap++, t);
}

void loop_timer_cancel(struct loop *l, struct loop_timer *t)
{
	if (!t->slot)
		return;
	unsigned i = t->slot - 1;
	struct loop_timer *last = l->heap[--l->n_heap];
	t->slot = 0;
	if (last != t)
		settle(l, i, last);
}

/* Sets the timerfd to the first timer; an absolute time of 0 would disarm it. */
static int arm(struct loop *l)
{
	int64_t due = l->n_heap ? MAX(l->heap[0]->due, (int64_t)1) : 0;
	struct itimerspec when = { .it_value = { due / NSEC, due % NSEC } };

	if (due == l->armed)
		return 0;
	if (timerfd_settime(l->timer_io.fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return -errno;
	l->armed = due;
	return 0;
}

static void fire_timers(struct loop *l)
{
	if (!l->n_heap)
		return;
	l->firing = time_mono();
	while (l->n_heap && l->heap[0]->due <= l->firing) {
		struct loop_timer *t = l->heap[0];
		loop_timer_cancel(l, t);
		t->cb(t);
	}
	l->firing = 0;
}

/* Only wakes the loop up: timers are compared with the clock in every turn. */
static void on_timerfd(struct loop_io *io, uint32_t events)
{
	struct loop *l = container_of(io, struct loop, timer_io);
	uint64_t expired;

	(void)events;
	if (read(io->fd, &expired, sizeof(expired)) == sizeof(expired))
		l->armed = 0;
}

/* ---- deferred ---- */

static void queue_init(struct defer_queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

static bool queue_remove(struct defer_queue *q, struct loop_defer *d)
{
	for (struct loop_defer **p = &q->head; *p; p = &(*p)->next) {
		if (*p != d)
			continue;
		*p = d->next;
		if (!d->next)
			q->tail = p;
		return true;
	}
	return false;
}

void loop_defer(struct loop *l, struct loop_defer *d, void (*cb)(struct loop_defer *))
{
	d->cb = cb;
	if (d->queued)
		return;
	d->queued = true;
	d->next = NULL;
	*l->waiting.tail = d;
	l->waiting.tail = &d->next;
}

void loop_defer_cancel(struct loop *l, struct loop_defer *d)
{
	if (!d->queued)
		return;
	d->queued = false;
	if (!queue_remove(&l->waiting, d))
		queue_remove(&l->running, d);
}

static void run_deferred(struct loop *l)
{
	if (!l->waiting.head)
		return;
	l->running = l->waiting;
	queue_init(&l->waiting);
	while (l->running.head) {
		struct loop_defer *d = l->running.head;
		l->running.head = d->next;
		d->queued = false;
		d->cb(d);
	}
	queue_init(&l->running);
}

/* ---- signals ---- */

static void on_signalfd(struct loop_io *io, uint32_t events)
{
	struct loop *l = container_of(io, struct loop, signal_io);
	struct signalfd_siginfo info;

	(void)events;
	while (read(io->fd, &info, sizeof(info)) == sizeof(info)) {
		for (struct loop_signal *s = l->signals; s; s = s->next) {
			if (s->signo == (int)info.ssi_signo)
				s->cb(s, s->signo);
		}
	}
}

int loop_signal_add(struct loop *l, struct loop_signal *s, int signo,
		    void (*cb)(struct loop_signal *, int))
{
	sigset_t one;

	if (sigemptyset(&one) < 0 || sigaddset(&one, signo) < 0 || sigaddset(&l->mask, signo) < 0)
		return -errno;
	if (sigprocmask(SIG_BLOCK, &one, NULL) < 0)
		return -errno;
	int fd = signalfd(l->signal_io.active ? l->signal_io.fd : -1, &l->mask,
			  SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (!l->signal_io.active) {
		int r = loop_io_add(l, &l->signal_io, fd, EPOLLIN, on_signalfd);
		if (r < 0) {
			close(fd);
			return r;
		}
	}
	*s = (struct loop_signal){ .cb = cb, .next = l->signals, .signo = signo };
	l->signals = s;
	return 0;
}

/* ---- the loop ---- */

static int set_up(struct loop *l)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		return -errno;
	FD_AUTO fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	int r = loop_io_add(l, &l->timer_io, fd, EPOLLIN, on_timerfd);
	if (r == 0)
		fd_take(&fd);
	return r;
}

int loop_new(struct loop **ret)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->epoll = -1;
	sigemptyset(&l->mask);
	queue_init(&l->waiting);
	queue_init(&l->running);
	int r = set_up(l);
	if (r < 0) {
		loop_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	if (l->timer_io.active)
		close(l->timer_io.fd);
	if (l->signal_io.active)
		close(l->signal_io.fd);
	fd_cleanup(&l->epoll);
	free(l->heap);
	free(l);
}

static int wait_events(struct loop *l, int timeout_ms)
{
	int r = arm(l);

	if (r < 0)
		return r;
	int n = epoll_wait(l->epoll, l->batch, BATCH, l->waiting.head ? 0 : timeout_ms);
	if (n < 0 && errno != EINTR)
		return -errno;
	l->n_batch = n < 0 ? 0 : n;
	l->at_batch = 0;
	return 0;
}

int loop_turn(struct loop *l, int timeout_ms)
{
	if (l->in_turn)
		return -EBUSY;
	int r = wait_events(l, timeout_ms);
	if (r < 0)
		return r;
	l->in_turn = true;
	serve_batch(l);
	fire_timers(l);
	run_deferred(l);
	l->in_turn = false;
	return 0;
}

int loop_run(struct loop *l)
{
	while (!l->stopped) {
		int r = loop_turn(l, -1);
		if (r < 0)
			return r;
	}
	l->stopped = false;
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}
