/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: epoll over descriptors, one timerfd for all timers (a heap), one signalfd.
 * Single-threaded. A callback may add and remove any source, itself included. A source is
 * embedded in its owner, who finds itself with container_of; the loop never allocates for it.
 * "Deferred" sources run once, after all ready descriptors and timers of one turn were served:
 * that is how many events become one reconcile.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;

struct loop_io {
	void (*cb)(struct loop_io *io, uint32_t events);	/* EPOLLIN | EPOLLOUT | ... */
	int fd;			/* owned by the caller; remove before closing */
	uint32_t events;
	bool active;
};

struct loop_timer {
	void (*cb)(struct loop_timer *t);
	int64_t due;		/* CLOCK_MONOTONIC ns */
	unsigned slot;		/* heap position + 1; 0 when not armed */
};

struct loop_defer {
	void (*cb)(struct loop_defer *d);
	struct loop_defer *next;
	bool queued;
};

struct loop_signal {
	void (*cb)(struct loop_signal *s, int signo);
	struct loop_signal *next;
	int signo;
};

int loop_new(struct loop **ret);
void loop_free(struct loop *l);
int loop_run(struct loop *l);		/* until loop_stop, also one of before; 0 or -errno */
int loop_turn(struct loop *l, int timeout_ms);	/* one turn */
void loop_stop(struct loop *l);

int loop_io_add(struct loop *l, struct loop_io *io, int fd, uint32_t events,
		void (*cb)(struct loop_io *, uint32_t));
int loop_io_events(struct loop *l, struct loop_io *io, uint32_t events);
void loop_io_remove(struct loop *l, struct loop_io *io);	/* inactive is fine */

/* Arms or re-arms; a due time in the past fires in the next turn. */
void loop_timer_at(struct loop *l, struct loop_timer *t, int64_t due_mono,
		   void (*cb)(struct loop_timer *));
void loop_timer_cancel(struct loop *l, struct loop_timer *t);

void loop_defer(struct loop *l, struct loop_defer *d, void (*cb)(struct loop_defer *));
void loop_defer_cancel(struct loop *l, struct loop_defer *d);

/* Blocks signo in the process and delivers it here. */
int loop_signal_add(struct loop *l, struct loop_signal *s, int signo,
		    void (*cb)(struct loop_signal *, int));
