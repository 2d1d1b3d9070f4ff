/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of images that pods ask for; see images.h. */
#include "daemon/images.h"

#include "base/log.h"
#include "base/loop.h"
#include "base/macro.h"
#include "base/reference.h"
#include "base/units.h"
#include "control/container.h"
#include "daemon/image_job.h"
#include "daemon/puller.h"

#define KEEP (600 * NSEC)		/* an entry that nobody asks for */
#define SETTLE_PROGRESS (1 * NSEC)	/* between two looks at how far pulls are */
#define GC_EVERY (300 * NSEC)		/* as kubelet */

struct entry {
	struct entry *next;
	struct images *im;
	struct arena arena;		/* of image, name */
	struct arena found;		/* of seen.digest, */
	struct arena said;		/* and of why the last pull failed: begun anew with each */
	const char *name;		/* in full; NULL: it is no name */
	struct observed_image seen;
	struct arena job_arena;
	struct { const char **v; uint32_t n; } secrets;	/* texts, for the pull that waits */
	unsigned failures;
	int64_t wanted_at;		/* by a container, last */
	bool known;			/* present was found out */
	bool queued;			/* its turn has not come */
	struct puller *puller;
};

struct images {
	struct loop *loop;
	struct arena arena;
	const struct settings *settings;
	const char *program;
	struct image_store *store;
	struct images_events ev;
	struct entry *entries;
	unsigned running;
	int64_t shown_at;		/* progress, last */
	struct loop_timer collect;	/* the next look at disk space */
	struct puller *collector;
	bool litter;			/* names were removed whose contents are there */
};

static void begin_queued(struct images *im);

static void changed(struct images *im)
{
	im->ev.changed(im->ev.data);
}

/* ---- entries ---- */

static struct entry *find(struct images *im, const char *image, uint64_t credentials)
{
	struct entry *e = im->entries;

	while (e && (e->seen.credentials != credentials || !streq(e->seen.image, image)))
		e = e->next;
	return e;
}

static struct entry *entry_new(struct images *im, const char *image, uint64_t credentials)
{
	struct entry *e = calloc(1, sizeof(*e));
	struct reference r;

	if (!e)
		abort();
	e->im = im;
	e->seen.image = arena_strdup(&e->arena, image);
	e->seen.credentials = credentials;
	if (reference_parse(&e->arena, image, &r, NULL) == 0)
		e->name = r.name;
	e->next = im->entries;
	im->entries = e;
	return e;
}

static void entry_free(struct entry *e)
{
	puller_end(e->puller);
	arena_release(&e->arena);
	arena_release(&e->found);
	arena_release(&e->said);
	arena_release(&e->job_arena);
	free(e);
}

static bool is_pulling(const struct entry *e)
{
	return e->seen.pull == IMAGE_PULLING;
}

static void forget_old(struct images *im, int64_t now)
{
	for (struct entry **e = &im->entries; *e;) {
		struct entry *old = *e;

		if (is_pulling(old) || old->puller || now - old->wanted_at < KEEP) {
			e = &old->next;
			continue;
		}
		*e = old->next;
		entry_free(old);
	}
}

/* Is it in the store? */
static void look(struct entry *e)
{
	struct arena a = { 0 };
	struct image_record r;

	e->known = true;
	e->seen.present = e->name && image_store_find(e->im->store, e->name, &a, &r, NULL) == 0;
	arena_release(&e->found);
	e->seen.digest = NULL;
	if (e->seen.present) {
		e->seen.digest = arena_strdup(&e->found, r.digest);
		e->seen.size = 0;
		for (uint32_t i = 0; i < r.layers.n; i++)
			e->seen.size += r.layers.v[i].size;
	}
	arena_release(&a);
}

/* ---- one pull ---- */

static void say(struct entry *e, const char *reason, const char *message)
{
	struct arena old = e->said;

	e->said = (struct arena){ 0 };
	e->seen.reason = arena_strdup(&e->said, reason);
	e->seen.message = arena_strdup(&e->said, message);
	arena_release(&old);
}

static void pull_over(struct entry *e)
{
	e->im->running--;
	arena_release(&e->job_arena);
	e->secrets.n = 0;
	e->secrets.v = NULL;
	begin_queued(e->im);
	changed(e->im);
}

static void pulled(struct entry *e)
{
	e->failures = 0;
	e->seen.pull = IMAGE_IDLE;
	e->seen.pulled_at = time_now();
	say(e, NULL, NULL);
	look(e);
	log_info("pulled %s (%s)", e->seen.image, e->seen.digest ? e->seen.digest : "?");
	pull_over(e);
}

static void failed(struct entry *e, const struct pull_news *n)
{
	int64_t asked = (int64_t)n->retry_after * NSEC;

	e->seen.pull = IMAGE_FAILED;
	e->seen.failed_at = time_now();
	e->seen.retry_at = e->seen.failed_at +
			   MAX(backoff_delay(++e->failures, BACKOFF_MAX), asked);
	say(e, n->reason, n->text);
	look(e);
	log_warning("%s: %s", e->seen.image, n->text);
	pull_over(e);
}

/* Is that worth telling at once? */
static bool progressed(struct entry *e, const struct pull_news *n)
{
	unsigned quarters = n->total ? (unsigned)(MIN(n->done, n->total) * 4 / n->total) : 0;

	e->seen.done = n->done;
	e->seen.total = n->total;
	if (quarters <= e->seen.quarters)
		return false;
	e->seen.quarters = quarters;
	e->seen.quarter_at = time_now();
	return true;
}

static void on_news(void *data, const struct pull_news *n)
{
	struct entry *e = data;
	int64_t now = time_mono();

	if (n->kind == PULL_DONE) {
		pulled(e);
	} else if (n->kind == PULL_FAILED) {
		failed(e, n);
	} else if (progressed(e, n) || now - e->im->shown_at >= SETTLE_PROGRESS) {
		e->im->shown_at = now;
		changed(e->im);
	}
}

static void on_ended(void *data)
{
	struct entry *e = data;

	e->puller = NULL;
	begin_queued(e->im);
}

static void begin(struct entry *e)
{
	struct images *im = e->im;
	struct pull_job job = { .image = e->name };
	struct err err = { 0 };

	e->queued = false;
	e->seen.begun_at = time_now();
	im->running++;
	for (uint32_t i = 0; i < e->secrets.n; i++)
		*arena_push(&e->job_arena, &job.auths) = e->secrets.v[i];
	int r = images_job(im, &e->job_arena, PULL_IMAGE, &job, &err);
	if (r == 0)
		r = puller_start(im->loop, im->program, &job, -1,
				 (struct puller_events){ on_news, on_ended, e }, &e->puller, &err);
	if (r < 0)
		failed(e, &(struct pull_news){ .reason = "ErrImagePull", .text = err.msg });
}

/* Those that wait longest first; a pull's process that has told its end may still settle. */
static void begin_queued(struct images *im)
{
	for (;;) {
		struct entry *next = NULL;

		for (struct entry *e = im->entries; e; e = e->next)
			if (e->queued && !e->puller &&
			    (!next || e->seen.started_at < next->seen.started_at))
				next = e;
		if (!next || im->running >= (unsigned)im->settings->images.parallel_pulls)
			return;
		begin(next);
	}
}

static void queue(struct entry *e, const struct wanted_image *w, int64_t now)
{
	e->seen.pull = IMAGE_PULLING;
	e->seen.started_at = now;
	e->seen.done = e->seen.total = 0;
	e->seen.quarters = 0;
	e->queued = true;
	for (uint32_t i = 0; i < w->secrets.n; i++) {
		const char *text = image_job_secret(&e->job_arena, w->secrets.v[i]);

		if (text)
			*arena_push(&e->job_arena, &e->secrets) = text;
	}
}

/* ---- what pods want ---- */

static bool want(struct images *im, const struct wanted_image *w, int64_t now)
{
	struct entry *e = find(im, w->image, w->credentials);
	bool was_known = e && e->known, was_present = e && e->seen.present;

	if (!e)
		e = entry_new(im, w->image, w->credentials);
	e->wanted_at = now;
	if (is_pulling(e))
		return false;
	look(e);
	if (e->name && w->pull && (w->refresh || !e->seen.present) &&
	    (e->seen.pull != IMAGE_FAILED || now >= e->seen.retry_at)) {
		queue(e, w, now);
		return true;
	}
	return !was_known || e->seen.present != was_present;
}

void images_want(struct images *im, const struct wanted *w)
{
	int64_t now = time_now();
	bool news = false;

	for (uint32_t i = 0; i < w->images.n; i++)
		news |= want(im, &w->images.v[i], now);
	forget_old(im, now);
	begin_queued(im);
	if (news)
		changed(im);
}

void images_observe(struct images *im, struct arena *a, struct observed *ret)
{
	struct observed_image *v;
	uint32_t n = 0;

	for (const struct entry *e = im->entries; e; e = e->next)
		n++;
	v = arena_array(a, struct observed_image, n + 1);
	n = 0;
	for (const struct entry *e = im->entries; e; e = e->next) {
		struct observed_image *o = &v[n];

		if (!e->known)
			continue;
		*o = e->seen;
		o->image = arena_strdup(a, o->image);
		o->digest = arena_strdup(a, o->digest);
		o->reason = arena_strdup(a, o->reason);
		o->message = arena_strdup(a, o->message);
		n++;
	}
	ret->images = v;
	ret->nimages = n;
}

bool images_busy(const struct images *im)
{
	for (const struct entry *e = im->entries; e; e = e->next)
		if (is_pulling(e))
			return true;
	return false;
}

void images_forget(struct images *im)
{
	for (struct entry *e = im->entries; e; e = e->next)
		if (!is_pulling(e))
			look(e);
	changed(im);
}

/* ---- space ---- */

static void on_collected(void *data, const struct pull_news *n)
{
	struct images *im = data;

	if (n->kind != PULL_DONE)
		return;
	im->litter = false;
	if (n->total) {
		log_info("removed unused images: %llu MB", (unsigned long long)n->total / 1000000);
		images_forget(im);
	}
}

static void on_collector_ended(void *data)
{
	struct images *im = data;

	im->collector = NULL;
}

static void collect(struct images *im, bool all)
{
	struct pull_job job = { .gc.all = all };
	struct arena a = { 0 };
	struct err err = { 0 };

	if (im->collector)
		return;
	int r = images_job(im, &a, PULL_GC, &job, &err);
	if (r == 0)
		r = puller_start(im->loop, im->program, &job, -1,
				 (struct puller_events){ on_collected, on_collector_ended, im },
				 &im->collector, &err);
	if (r < 0)
		log_warning("removing unused images: %s", err.msg);
	arena_release(&a);
}

/* statfs(2) decides here; the walk over the store is the business of a process. */
static void on_collect(struct loop_timer *t)
{
	struct images *im = container_of(t, struct images, collect);

	loop_timer_at(im->loop, t, time_mono() + GC_EVERY, on_collect);
	if (im->litter || image_job_space_low(im->settings))
		collect(im, false);
}

void images_collect_unused(struct images *im)
{
	collect(im, true);
}

bool images_collecting(const struct images *im)
{
	return im->collector;
}

/* Nothing is collected while somebody pulls: then it is the timer's turn. */
void images_removed(struct images *im)
{
	im->litter = true;
	images_forget(im);
	collect(im, false);
}

/* ---- life ---- */

int images_new(struct loop *l, const struct settings *s, const char *program,
	       struct images_events ev, struct images **ret, struct err *err)
{
	struct images *im = calloc(1, sizeof(*im));
	int r;

	if (!im)
		abort();
	im->loop = l;
	im->settings = s;
	im->ev = ev;
	im->program = arena_strdup(&im->arena, program);
	r = image_store_open(arena_printf(&im->arena, "%s/images", s->state_dir), &im->store, err);
	if (r < 0) {
		images_free(im);
		return r;
	}
	loop_timer_at(l, &im->collect, time_mono() + GC_EVERY, on_collect);
	*ret = im;
	return 0;
}

void images_free(struct images *im)
{
	if (!im)
		return;
	loop_timer_cancel(im->loop, &im->collect);
	puller_end(im->collector);
	while (im->entries) {
		struct entry *e = im->entries;

		im->entries = e->next;
		entry_free(e);
	}
	image_store_close(im->store);
	arena_release(&im->arena);
	free(im);
}

struct image_store *images_store(struct images *im)
{
	return im->store;
}

const char *images_program(const struct images *im)
{
	return im->program;
}

int images_job(struct images *im, struct arena *a, enum pull_task task, struct pull_job *io,
	       struct err *err)
{
	return image_job_make(a, im->settings, task, io, err);
}

/* Who may come in now need not wait for the back-off of before. */
static void retry_failed(struct images *im)
{
	for (struct entry *e = im->entries; e; e = e->next)
		if (e->seen.pull == IMAGE_FAILED)
			e->seen.retry_at = time_now();
	changed(im);
}

int images_put_credentials(struct images *im, const char *registry, const char *user,
			   const char *password, struct err *err)
{
	int r = image_job_put_credentials(im->settings, registry, user, password, err);

	if (r == 0 && user)
		retry_failed(im);
	return r;
}
