/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Measuring emptyDirs; see usage.h. */
#include "runtime/usage.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"
#include "runtime/sandbox.h"
#include "runtime/volume.h"

#define PERIOD (10 * NSEC)
#define STEP 500		/* entries */
#define PAUSE (1 * MSEC)

static int64_t limit_of(const struct volume *v)
{
	return v->empty_dir && !volume_is_memory(v) ? quantity_value(&v->empty_dir->size_limit) : 0;
}

static bool has_limits(const struct sandbox *p)
{
	const struct pod_spec *s = &p->object.pod->spec;

	for (uint32_t i = 0; i < s->volumes.n; i++)
		if (limit_of(&s->volumes.v[i]) > 0)
			return true;
	return false;
}

/* ---- what was found ---- */

static void write_down(const struct sandbox *p)
{
	const struct pod_spec *s = &p->object.pod->spec;
	BUF_AUTO text = { 0 };
	char path[PATH_MAX];

	for (uint32_t i = 0; i < s->volumes.n; i++)
		buf_printf(&text, "%" PRId64 "\n", p->usage[i]);
	snprintf(path, sizeof(path), "%s/usage", p->run_dir);
	file_write_atomic(path, text.data, text.len, 0600, false, NULL);
}

void usage_restore(struct sandbox *p)
{
	const struct pod_spec *s = &p->object.pod->spec;
	BUF_AUTO text = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/usage", p->run_dir);
	if (!has_limits(p) || file_read(path, 65536, &text, NULL) < 0)
		return;
	char *at = text.data;
	for (uint32_t i = 0; at && i < s->volumes.n; i++)
		p->usage[i] = strtoll(at, &at, 10);
}

static void found(struct sandbox *p, uint32_t volume, int64_t bytes)
{
	int64_t limit = limit_of(&p->object.pod->spec.volumes.v[volume]);
	bool was = p->usage[volume] > limit, is = bytes > limit;

	p->usage[volume] = bytes;
	if (was == is)
		return;
	write_down(p);
	sandbox_changed(p);
}

void usage_observe(struct arena *a, const struct sandbox *p, struct observed_pod *ret)
{
	const struct pod_spec *s = &p->object.pod->spec;

	if (!has_limits(p))
		return;
	ret->usage = arena_array(a, int64_t, s->volumes.n);
	memcpy(ret->usage, p->usage, s->volumes.n * sizeof(*ret->usage));
}

/* ---- walking ---- */

static void push(struct usage *u, int fd)
{
	DIR *d = fd < 0 || u->depth == USAGE_DEPTH ? NULL : fdopendir(fd);

	if (d)
		u->dirs[u->depth++] = d;
	else if (fd >= 0)
		close(fd);
}

/* Links are counted, not followed. */
static void count(struct usage *u, DIR *d, const char *name)
{
	struct stat st;

	if (fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	u->bytes += st.st_blocks * 512;
	if (S_ISDIR(st.st_mode))
		push(u, openat(dirfd(d), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

static void step(struct usage *u)
{
	for (unsigned i = 0; u->depth && i < STEP; i++) {
		DIR *d = u->dirs[u->depth - 1];
		struct dirent *e = readdir(d);

		if (!e) {
			closedir(d);
			u->depth--;
		} else if (!streq(e->d_name, ".") && !streq(e->d_name, "..")) {
			count(u, d, e->d_name);
		}
	}
}

/* ---- rounds ---- */

static void walked(struct usage *u)
{
	struct sandbox *p = u->pod < u->rt->nsandboxes ? u->rt->sandboxes[u->pod] : NULL;

	if (p && streq(p->uid, u->uid))
		found(p, u->volume, u->bytes);
	u->uid[0] = '\0';
	u->volume++;
}

static void begin(struct usage *u, const struct sandbox *p)
{
	char path[PATH_MAX];

	snprintf(u->uid, sizeof(u->uid), "%s", p->uid);
	snprintf(path, sizeof(path), "%s/volumes/%s", p->state_dir,
		 p->object.pod->spec.volumes.v[u->volume].name);
	u->bytes = 0;
	push(u, open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* The next volume to walk; false: the round is over. */
static bool next(struct usage *u)
{
	for (; u->pod < u->rt->nsandboxes; u->pod++, u->volume = 0) {
		const struct sandbox *p = u->rt->sandboxes[u->pod];
		const struct volume_list *l = &p->object.pod->spec.volumes;

		for (; u->volume < l->n; u->volume++) {
			if (limit_of(&l->v[u->volume]) > 0) {
				begin(u, p);
				return true;
			}
		}
	}
	u->pod = u->volume = 0;
	return false;
}

static bool anything(const struct runtime *r)
{
	for (uint32_t i = 0; i < r->nsandboxes; i++)
		if (has_limits(r->sandboxes[i]))
			return true;
	return false;
}

static void on_time(struct loop_timer *t)
{
	struct usage *u = container_of(t, struct usage, timer);
	bool more = true;

	if (u->uid[0]) {
		step(u);
		if (!u->depth)
			walked(u);
	} else {
		more = next(u);
	}
	u->armed = more || anything(u->rt);
	if (u->armed)
		loop_timer_at(u->rt->loop, t, time_mono() + (more ? PAUSE : PERIOD), on_time);
}

void usage_watch(struct sandbox *p)
{
	struct usage *u = &p->rt->usage;

	if (u->armed || !has_limits(p))
		return;
	u->rt = p->rt;
	u->armed = true;
	loop_timer_at(p->rt->loop, &u->timer, time_mono() + PERIOD, on_time);
}

void usage_release(struct usage *u)
{
	while (u->depth)
		closedir(u->dirs[--u->depth]);
	if (u->armed)
		loop_timer_cancel(u->rt->loop, &u->timer);
}
