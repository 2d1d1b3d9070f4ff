/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop with real descriptors, timers and signals. What callbacks did is recorded as
 * one letter each, so that a test reads as the order in which things happened.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/macro.h"
#include "base/units.h"

/* A source of each sort; what it does when it is called depends on the test. */
struct actor {
	char name;
	struct world *w;
	struct loop_io io;
	struct loop_timer timer;
	struct loop_defer defer;
	struct loop_signal sig;
	int pipe[2];
	void (*act)(struct actor *);
	struct actor *other;
};

struct world {
	struct loop *l;
	struct buf seen;
	struct actor *actors[300];
	unsigned n;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	return loop_new(&w->l);
}

static void actor_free(struct actor *a)
{
	loop_io_remove(a->w->l, &a->io);
	loop_timer_cancel(a->w->l, &a->timer);
	loop_defer_cancel(a->w->l, &a->defer);
	fd_cleanup(&a->pipe[0]);
	fd_cleanup(&a->pipe[1]);
	for (unsigned i = 0; i < a->w->n; i++) {
		if (a->w->actors[i] == a)
			a->w->actors[i] = NULL;
	}
	free(a);
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < w->n; i++) {
		if (w->actors[i])
			actor_free(w->actors[i]);
	}
	loop_free(w->l);
	buf_release(&w->seen);
	free(w);
	return 0;
}

static struct actor *actor_new(struct world *w, char name)
{
	struct actor *a = calloc(1, sizeof(*a));

	a->name = name;
	a->w = w;
	assert_int_equal(pipe2(a->pipe, O_CLOEXEC | O_NONBLOCK), 0);
	w->actors[w->n++] = a;
	return a;
}

static void called(struct actor *a)
{
	buf_putc(&a->w->seen, a->name);
	if (a->act)
		a->act(a);
}

static void on_io(struct loop_io *io, uint32_t events)
{
	(void)events;
	called(container_of(io, struct actor, io));
}

static void on_timer(struct loop_timer *t)
{
	called(container_of(t, struct actor, timer));
}

static void on_defer(struct loop_defer *d)
{
	called(container_of(d, struct actor, defer));
}

static void on_signal(struct loop_signal *s, int signo)
{
	struct actor *a = container_of(s, struct actor, sig);

	assert_int_equal(signo, s->signo);
	called(a);
}

static void turn(struct world *w)
{
	assert_int_equal(loop_turn(w->l, 0), 0);
}

static void expect_seen(struct world *w, const char *seen)
{
	assert_string_equal(buf_str(&w->seen), seen);
	buf_reset(&w->seen);
}

static void watch(struct actor *a)
{
	assert_int_equal(loop_io_add(a->w->l, &a->io, a->pipe[0], EPOLLIN, on_io), 0);
}

static void make_ready(struct actor *a)
{
	assert_int_equal(write(a->pipe[1], "x", 1), 1);
}

static void drain(struct actor *a)
{
	char c;

	while (read(a->pipe[0], &c, 1) == 1)
		;
}

static void test_io(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a');

	a->act = drain;
	watch(a);
	turn(w);
	expect_seen(w, "");
	make_ready(a);
	turn(w);
	turn(w);
	expect_seen(w, "a");
	assert_int_equal(loop_io_events(w->l, &a->io, 0), 0);
	make_ready(a);
	turn(w);
	expect_seen(w, "");
	assert_int_equal(loop_io_events(w->l, &a->io, EPOLLIN), 0);
	turn(w);
	expect_seen(w, "a");
	loop_io_remove(w->l, &a->io);
	loop_io_remove(w->l, &a->io);
	assert_false(a->io.active);
	make_ready(a);
	turn(w);
	expect_seen(w, "");
	assert_true(loop_io_events(w->l, &a->io, EPOLLIN) < 0);
}

static void test_io_refused(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a');
	FD_AUTO fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_int_equal(loop_io_add(w->l, &a->io, fd, EPOLLIN, on_io), -EPERM);
	assert_false(a->io.active);
	assert_int_equal(loop_io_add(w->l, &a->io, -1, EPOLLIN, on_io), -EBADF);
	loop_io_remove(w->l, &a->io);
}

static void test_io_hangup(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a');

	assert_int_equal(loop_io_add(w->l, &a->io, a->pipe[0], 0, on_io), 0);
	close(a->pipe[1]);
	a->pipe[1] = -1;
	turn(w);
	expect_seen(w, "a");
}

static void free_other(struct actor *a)
{
	drain(a);
	if (a->other)
		actor_free(a->other);
	a->other = NULL;
}

/* Whichever is served first frees the other: its event waits in the batch and must be dropped. */
static void test_io_freed_in_batch(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b');

	a->other = b;
	b->other = a;
	a->act = b->act = free_other;
	watch(a);
	watch(b);
	make_ready(a);
	make_ready(b);
	turn(w);
	assert_int_equal(w->seen.len, 1);
	turn(w);
	assert_int_equal(w->seen.len, 1);
}

static void free_self(struct actor *a)
{
	actor_free(a);
}

static void test_io_frees_itself(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a');

	a->act = free_self;
	watch(a);
	make_ready(a);
	turn(w);
	turn(w);
	expect_seen(w, "a");
}

/* The other's descriptor number is used again by a new source within the same batch. */
static void replace_other(struct actor *a)
{
	drain(a);
	if (!a->other)
		return;
	actor_free(a->other);
	a->other = NULL;
	watch(actor_new(a->w, 'n'));
}

static void test_io_replaced_in_batch(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b');

	a->other = b;
	b->other = a;
	a->act = b->act = replace_other;
	watch(a);
	watch(b);
	make_ready(a);
	make_ready(b);
	turn(w);
	turn(w);
	assert_int_equal(w->seen.len, 1);
	assert_null(strchr(buf_str(&w->seen), 'n'));
}

static void mute_other(struct actor *a)
{
	drain(a);
	loop_io_events(a->w->l, &a->other->io, 0);
}

static void test_io_muted_in_batch(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b');

	a->other = b;
	b->other = a;
	a->act = b->act = mute_other;
	watch(a);
	watch(b);
	make_ready(a);
	make_ready(b);
	turn(w);
	assert_int_equal(w->seen.len, 1);
}

static void test_timer_order(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b'), *c = actor_new(w, 'c');
	int64_t now = time_mono();

	loop_timer_at(w->l, &b->timer, now - 5, on_timer);
	loop_timer_at(w->l, &c->timer, now - 1, on_timer);
	loop_timer_at(w->l, &a->timer, now - 9, on_timer);
	turn(w);
	expect_seen(w, "abc");
	turn(w);
	expect_seen(w, "");
}

static void test_timer_waits(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a');
	int64_t start = time_mono();

	loop_timer_at(w->l, &a->timer, start + 20 * MSEC, on_timer);
	turn(w);
	expect_seen(w, "");
	while (!w->seen.len)
		assert_int_equal(loop_turn(w->l, 1000), 0);
	int64_t took = time_mono() - start;
	assert_true(took >= 20 * MSEC && took < 900 * MSEC);
	/* earlier than what the timerfd is set to, and after it was cancelled */
	start = time_mono();
	loop_timer_at(w->l, &a->timer, start + 3600 * NSEC, on_timer);
	turn(w);
	loop_timer_at(w->l, &a->timer, start + 10 * MSEC, on_timer);
	buf_reset(&w->seen);
	assert_int_equal(loop_turn(w->l, 2000), 0);
	expect_seen(w, "a");
	assert_true(time_mono() - start < 1900 * MSEC);
}

static void test_timer_cancel(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b');

	loop_timer_at(w->l, &a->timer, 0, on_timer);
	loop_timer_at(w->l, &b->timer, 0, on_timer);
	loop_timer_cancel(w->l, &a->timer);
	loop_timer_cancel(w->l, &a->timer);
	turn(w);
	expect_seen(w, "b");
	loop_timer_at(w->l, &a->timer, time_mono() + MSEC, on_timer);
	turn(w);
	loop_timer_cancel(w->l, &a->timer);
	int64_t start = time_mono();
	assert_int_equal(loop_turn(w->l, 30), 0);
	assert_true(time_mono() - start >= 29 * MSEC);
	expect_seen(w, "");
}

static void rearm(struct actor *a)
{
	loop_timer_at(a->w->l, &a->timer, 0, on_timer);
}

static void test_timer_rearms(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b');

	a->act = b->act = rearm;
	rearm(a);
	rearm(b);
	turn(w);
	assert_int_equal(w->seen.len, 2);
	turn(w);
	assert_int_equal(w->seen.len, 4);
	a->act = b->act = NULL;
	assert_int_equal(loop_turn(w->l, 1000), 0);
	assert_int_equal(w->seen.len, 6);
}

static void test_timer_frees_other(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b');

	a->act = free_other;
	a->other = b;
	loop_timer_at(w->l, &a->timer, 1, on_timer);
	loop_timer_at(w->l, &b->timer, 2, on_timer);
	turn(w);
	turn(w);
	expect_seen(w, "a");
}

/* Many timers armed, moved and cancelled at random fire sorted by their last due time. */
static void test_timer_heap(void **state)
{
	enum { N = 250 };
	struct world *w = *state;
	struct loop_timer t[N] = { 0 };
	unsigned seed = 7;

	for (int i = 0; i < 5000; i++) {
		unsigned k = (seed = seed * 1103515245 + 12345) >> 16;
		struct loop_timer *one = &t[k % N];
		if (k % 5 == 0)
			loop_timer_cancel(w->l, one);
		else
			loop_timer_at(w->l, one, 3600 * NSEC * 1000 + k, on_timer);
	}
	int64_t last = 0;
	for (;;) {
		struct loop_timer *first = NULL;
		for (unsigned i = 0; i < N; i++) {
			if (t[i].slot == 1) {
				assert_null(first);
				first = &t[i];
			}
		}
		if (!first)
			break;
		assert_true(first->due >= last);
		last = first->due;
		loop_timer_cancel(w->l, first);
	}
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(t[i].slot, 0);
}

static void defer_self(struct actor *a)
{
	drain(a);
	loop_defer(a->w->l, &a->defer, on_defer);
}

/* Many events, one deferred call, after descriptors and timers. */
static void test_defer(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b'), *d = actor_new(w, 'd');

	loop_defer(w->l, &d->defer, on_defer);
	loop_defer(w->l, &d->defer, on_defer);
	watch(a);
	make_ready(a);
	a->act = drain;
	loop_timer_at(w->l, &b->timer, 0, on_timer);
	turn(w);
	expect_seen(w, "abd");
	turn(w);
	expect_seen(w, "");
}

static void test_defer_again(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b');

	a->act = defer_self;
	loop_defer(w->l, &a->defer, on_defer);
	loop_defer(w->l, &b->defer, on_defer);
	turn(w);
	expect_seen(w, "ab");
	a->act = NULL;
	/* something is deferred: the next turn does not wait */
	assert_int_equal(loop_turn(w->l, 60000), 0);
	expect_seen(w, "a");
}

static void cancel_other(struct actor *a)
{
	loop_defer_cancel(a->w->l, &a->other->defer);
}

static void test_defer_cancel(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b'), *c = actor_new(w, 'c');

	a->act = cancel_other;
	a->other = c;
	loop_defer(w->l, &a->defer, on_defer);
	loop_defer(w->l, &b->defer, on_defer);
	loop_defer(w->l, &c->defer, on_defer);
	turn(w);
	expect_seen(w, "ab");
	loop_defer(w->l, &b->defer, on_defer);
	loop_defer(w->l, &c->defer, on_defer);
	loop_defer_cancel(w->l, &c->defer);
	loop_defer(w->l, &a->defer, on_defer);	/* the tail was the cancelled one */
	a->act = NULL;
	turn(w);
	expect_seen(w, "ba");
	assert_false(a->defer.queued || b->defer.queued || c->defer.queued);
}

static void test_signals(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b'), *c = actor_new(w, 'c');

	assert_int_equal(loop_signal_add(w->l, &a->sig, SIGUSR1, on_signal), 0);
	assert_int_equal(loop_signal_add(w->l, &b->sig, SIGUSR2, on_signal), 0);
	assert_int_equal(loop_signal_add(w->l, &c->sig, SIGUSR2, on_signal), 0);
	turn(w);
	expect_seen(w, "");
	kill(getpid(), SIGUSR1);
	turn(w);
	expect_seen(w, "a");
	kill(getpid(), SIGUSR2);
	turn(w);
	assert_int_equal(w->seen.len, 2);
	assert_non_null(strchr(buf_str(&w->seen), 'b'));
	assert_non_null(strchr(buf_str(&w->seen), 'c'));
	assert_int_equal(loop_signal_add(w->l, &a->sig, 4711, on_signal), -EINVAL);
}

static void stop(struct actor *a)
{
	loop_stop(a->w->l);
}

static void test_run(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a'), *b = actor_new(w, 'b');

	a->act = stop;
	loop_timer_at(w->l, &a->timer, time_mono() + 5 * MSEC, on_timer);
	loop_timer_at(w->l, &b->timer, time_mono() + MSEC, on_timer);
	assert_int_equal(loop_run(w->l), 0);
	expect_seen(w, "ba");
	loop_timer_at(w->l, &a->timer, 0, on_timer);
	assert_int_equal(loop_run(w->l), 0);	/* a stopped loop runs again */
	expect_seen(w, "a");
	loop_timer_at(w->l, &a->timer, 0, on_timer);
	turn(w);
	assert_int_equal(loop_run(w->l), 0);	/* stopped before it began */
	expect_seen(w, "a");
}

static void nest(struct actor *a)
{
	assert_int_equal(loop_turn(a->w->l, 0), -EBUSY);
}

static void test_nested(void **state)
{
	struct world *w = *state;
	struct actor *a = actor_new(w, 'a');

	a->act = nest;
	loop_defer(w->l, &a->defer, on_defer);
	turn(w);
	expect_seen(w, "a");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_io),
		TEST(test_io_refused),
		TEST(test_io_hangup),
		TEST(test_io_freed_in_batch),
		TEST(test_io_frees_itself),
		TEST(test_io_replaced_in_batch),
		TEST(test_io_muted_in_batch),
		TEST(test_timer_order),
		TEST(test_timer_waits),
		TEST(test_timer_cancel),
		TEST(test_timer_rearms),
		TEST(test_timer_frees_other),
		TEST(test_timer_heap),
		TEST(test_defer),
		TEST(test_defer_again),
		TEST(test_defer_cancel),
		TEST(test_signals),
		TEST(test_run),
		TEST(test_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
