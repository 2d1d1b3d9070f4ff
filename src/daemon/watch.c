/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching the config directory. The model: one struct file (watch_file.h) per wanted path. A walk
 * visits every directory below the root, marks what it meets, reads what changed and drops what
 * it did not meet. inotify only arms the settle timer; a slow timer walks anyway.
 */
#include "daemon/watch.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "base/macro.h"
#include "base/units.h"
#include "daemon/watch_file.h"

#define SETTLE_MAX_NS (10 * NSEC)	/* an endless stream of events is read after that */
#define SAFETY_NS (60 * NSEC)		/* the walk that needs no event */
#define SOON_NS (2 * NSEC)		/* the same while something is missing or being written */
#define WALK_DEPTH 16

struct watch {
	struct loop *loop;
	char *dir;
	int64_t settle;
	struct watch_events ev;
	int inotify;
	struct loop_io io;
	struct loop_timer timer;	/* settle window or safety net */
	int64_t first_event;		/* of the window, 0: none is open */
	struct file *files;		/* sorted by path */
	uint32_t nfiles, cap;
	struct manifest **good, **broken;	/* what watch_manifests hands out */
	uint32_t ngood, nbroken;
	bool missing;
	bool waiting;			/* some file is open for writing or cut off */
	bool force;			/* somebody asked: a cut-off file counts as it is */
	bool news;			/* found, and not taken yet: changed() is still to come */
	char warning[256];
};

/* Where path stands or would stand. */
static uint32_t place(const struct watch *w, const char *path)
{
	uint32_t lo = 0, hi = w->nfiles;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (strcmp(w->files[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct file *file_ensure(struct watch *w, const char *path)
{
	uint32_t at = place(w, path);

	if (at < w->nfiles && streq(w->files[at].path, path))
		return &w->files[at];
	if (w->nfiles == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->files = realloc(w->files, w->cap * sizeof(*w->files));
		if (!w->files)
			abort();
	}
	memmove(w->files + at + 1, w->files + at, (w->nfiles - at) * sizeof(*w->files));
	w->files[at] = (struct file){ .path = strdup(path) };
	w->nfiles++;
	return &w->files[at];
}

static bool visit(struct watch *w, const char *path, const struct stat *st)
{
	struct file *f = file_ensure(w, path);
	enum file_news news = file_visit(f, w->dir, st, w->force);

	f->seen = news != FILE_GONE;
	w->waiting |= news == FILE_WAITS;
	return news == FILE_CHANGED;
}

static void watch_dir(struct watch *w, const char *full)
{
	/* adding the same directory again only renews the mask: inotify_add_watch(2) */
	inotify_add_watch(w->inotify, full,
			  IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE |
				  IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR);
}

/* Visits one directory; rel is "" for the root. False when the directory could not be read to its end:
 * what was not met is then not taken as deleted. */
static bool walk(struct watch *w, const char *rel, int depth, bool *changed)
{
	BUF_AUTO full = { 0 };
	struct dirent *e;
	bool complete = true;

	buf_printf(&full, "%s%s%s", w->dir, *rel ? "/" : "", rel);
	watch_dir(w, buf_str(&full));
	DIR *d = opendir(buf_str(&full));
	if (!d)
		return errno == ENOENT && *rel;
	while (errno = 0, (e = readdir(d))) {
		BUF_AUTO path = { 0 };
		struct stat st;

		if (e->d_name[0] == '.')
			continue;
		buf_printf(&path, "%s%s%s", rel, *rel ? "/" : "", e->d_name);
		if (fstatat(dirfd(d), e->d_name, &st, 0) < 0) {
			complete &= errno == ENOENT;
			continue;
		}
		if (S_ISDIR(st.st_mode) && depth < WALK_DEPTH)
			complete &= walk(w, buf_str(&path), depth + 1, changed);
		else if (S_ISREG(st.st_mode) && manifest_wanted(buf_str(&path)))
			*changed |= visit(w, buf_str(&path), &st);
	}
	complete &= errno == 0;
	closedir(d);
	return complete;
}

static bool drop_unseen(struct watch *w)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < w->nfiles; i++) {
		if (w->files[i].seen)
			w->files[kept++] = w->files[i];
		else
			file_release(&w->files[i]);
	}
	bool dropped = kept != w->nfiles;
	w->nfiles = kept;
	return dropped;
}

static void publish(struct watch *w)
{
	w->good = realloc(w->good, (w->nfiles + 1) * sizeof(*w->good));
	w->broken = realloc(w->broken, (w->nfiles + 1) * sizeof(*w->broken));
	if (!w->good || !w->broken)
		abort();
	w->ngood = w->nbroken = 0;
	for (uint32_t i = 0; i < w->nfiles; i++) {
		if (w->files[i].good)
			w->good[w->ngood++] = w->files[i].good;
		if (w->files[i].broken)
			w->broken[w->nbroken++] = w->files[i].broken;
	}
}

static bool warn(struct watch *w, const char *text)
{
	bool differs = !streq(w->warning, text);

	snprintf(w->warning, sizeof(w->warning), "%s", text);
	return differs;
}

static bool scan(struct watch *w)
{
	bool changed = false;
	uint32_t seen = 0;

	w->waiting = false;
	for (uint32_t i = 0; i < w->nfiles; i++)
		w->files[i].seen = false;
	bool complete = walk(w, "", 0, &changed);
	for (uint32_t i = 0; i < w->nfiles; i++)
		seen += w->files[i].seen;
	w->missing = !complete;
	if (!complete) {
		changed |= warn(w, "the config directory can't be read: everything stays as it is");
	} else if (!seen && w->nfiles) {
		changed |= warn(w, "the config directory holds no manifest: everything stays as it is");
	} else {
		changed |= warn(w, "");
		changed |= drop_unseen(w);
	}
	publish(w);
	w->news |= changed;
	return changed;
}

static void on_timer(struct loop_timer *t);

static void arm(struct watch *w)
{
	int64_t now = time_mono();

	if (w->first_event)
		loop_timer_at(w->loop, &w->timer,
			      MIN(now + w->settle, w->first_event + SETTLE_MAX_NS), on_timer);
	else
		loop_timer_at(w->loop, &w->timer,
			      now + (w->missing || w->waiting ? SOON_NS : SAFETY_NS), on_timer);
}

static void on_timer(struct loop_timer *t)
{
	struct watch *w = container_of(t, struct watch, timer);

	w->first_event = 0;
	scan(w);
	if (w->news)
		w->ev.changed(w->ev.data);
	arm(w);
}

static void open_window(struct watch *w)
{
	if (!w->first_event)
		w->first_event = time_mono();
	arm(w);
}

bool watch_scan(struct watch *w)
{
	w->force = true;
	bool changed = scan(w);
	w->force = false;
	if (w->news)
		open_window(w);
	return changed;
}

void watch_taken(struct watch *w)
{
	w->news = false;
}

/* Does this event speak of something we would read? Editors make many that do not. */
static bool relevant(const struct inotify_event *e)
{
	if (e->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
		return true;
	if (!e->len || e->name[0] == '.')
		return false;
	if (e->mask & IN_ISDIR)
		return true;
	/* a created file is complete only when it is closed */
	return !(e->mask & IN_CREATE) && manifest_wanted(e->name);
}

static void on_inotify(struct loop_io *io, uint32_t events)
{
	struct watch *w = container_of(io, struct watch, io);
	char buf[16384] __attribute__((aligned(8)));
	bool hit = false;
	ssize_t n;

	(void)events;
	while ((n = read(w->inotify, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (struct inotify_event *)p;

			hit |= relevant(e);
			p += sizeof(*e) + e->len;
		}
	}
	if (hit)
		open_window(w);
}

static void seed_files(struct watch *w, struct manifest *const *seed, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct file *f = file_ensure(w, seed[i]->path);

		if (!f->good)
			f->good = manifest_ref(seed[i]);
	}
}

int watch_new(struct loop *l, const char *dir, unsigned settle_ms, struct manifest *const *seed,
	      uint32_t nseed, struct watch_events ev, struct watch **ret, struct err *err)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->loop = l;
	w->dir = strdup(dir);
	w->settle = settle_ms * MSEC;
	w->ev = ev;
	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->inotify < 0) {
		int r = err_sys(err, -errno, "inotify");

		watch_free(w);
		return r;
	}
	seed_files(w, seed, nseed);
	scan(w);
	w->news = false;
	loop_io_add(l, &w->io, w->inotify, EPOLLIN, on_inotify);
	arm(w);
	*ret = w;
	return 0;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	loop_io_remove(w->loop, &w->io);
	loop_timer_cancel(w->loop, &w->timer);
	if (w->inotify >= 0)
		close(w->inotify);
	for (uint32_t i = 0; i < w->nfiles; i++)
		file_release(&w->files[i]);
	free(w->files);
	free(w->good);
	free(w->broken);
	free(w->dir);
	free(w);
}

void watch_manifests(const struct watch *w, struct manifest ***ret_good, uint32_t *ret_ngood,
		     struct manifest ***ret_broken, uint32_t *ret_nbroken)
{
	*ret_good = w->good;
	*ret_ngood = w->ngood;
	*ret_broken = w->broken;
	*ret_nbroken = w->nbroken;
}

const char *watch_warning(const struct watch *w)
{
	return *w->warning ? w->warning : NULL;
}
