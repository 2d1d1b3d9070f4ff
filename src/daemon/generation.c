/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generations. What the prune guard keeps becomes a manifest of its own, STACK/.kept.json (a name
 * that no file of the directory can have), so that revisions hold it and a restart still knows it.
 */
#include "daemon/generation.h"

#include <stdio.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/macro.h"
#include "schema/schema.h"

#define NODE_PORT_MIN 30000
#define NODE_PORT_MAX 32767

/* The kept objects of one stack as the text of a manifest. */
static struct manifest *kept_manifest(const struct object_list *keep, const char *stack)
{
	BUF_AUTO text = { 0 };
	char path[512];

	for (uint32_t i = 0; i < keep->n; i++) {
		struct json j;

		if (!streq(keep->v[i].stack, stack))
			continue;
		buf_puts(&text, "---\n");
		json_init(&j, &text, false);
		object_json(&j, &keep->v[i], DUMP_WRITTEN);
		buf_putc(&text, '\n');
	}
	if (streq(stack, "default"))
		snprintf(path, sizeof(path), KEPT_FILE);
	else
		snprintf(path, sizeof(path), "%s/" KEPT_FILE, stack);
	return manifest_load(path, buf_str(&text), text.len);
}

static bool first_of_stack(const struct object_list *keep, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (streq(keep->v[k].stack, keep->v[i].stack))
			return false;
	return true;
}

/* The manifests that a generation is made from. */
struct files {
	struct arena arena;
	struct { struct manifest **v; uint32_t n; } good, broken;
};

/* What the directory says; with a stack only of that one, and of the others what is in force. */
static void files_collect(struct daemon *d, const char *stack, struct files *ret)
{
	struct manifest **good, **broken;
	uint32_t ngood, nbroken;

	*ret = (struct files){ 0 };
	for (uint32_t i = 0; stack && d->applied && i < d->applied->nmanifests; i++)
		if (!streq(d->applied->manifests[i]->stack, stack))
			*arena_push(&ret->arena, &ret->good) = d->applied->manifests[i];
	watch_manifests(d->watch, &good, &ngood, &broken, &nbroken);
	for (uint32_t i = 0; i < ngood; i++)
		if (!stack || streq(good[i]->stack, stack))
			*arena_push(&ret->arena, &ret->good) = good[i];
	for (uint32_t i = 0; i < nbroken; i++)
		if (!stack || streq(broken[i]->stack, stack))
			*arena_push(&ret->arena, &ret->broken) = broken[i];
}

static struct set *build(struct daemon *d, const struct files *f)
{
	return set_build(f->good.v, f->good.n, f->broken.v, f->broken.n, store_holds(d->store),
			 d->applied);
}

/* The same, together with what is kept. */
static struct set *with_kept(struct daemon *d, struct files *f, const struct object_list *keep)
{
	uint32_t ngood = f->good.n;

	for (uint32_t i = 0; i < keep->n; i++)
		if (first_of_stack(keep, i))
			*arena_push(&f->arena, &f->good) = kept_manifest(keep, keep->v[i].stack);
	struct set *set = build(d, f);
	for (uint32_t i = ngood; i < f->good.n; i++)
		manifest_unref(f->good.v[i]);
	return set;
}

void generation_build(struct daemon *d, const struct plan_options *o, struct generation *ret)
{
	struct object_list keep = { 0 };
	struct files files;
	const char *why = NULL;

	files_collect(d, o->stack, &files);
	*ret = (struct generation){ .said = build(d, &files) };
	if (d->applied)
		plan_guard(&files.arena, d->applied, ret->said, o->allow_delete, &keep, &why);
	if (keep.n) {
		ret->guard = strdup(why ? why : "deletions wait for orchctl apply --allow-delete");
		ret->set = with_kept(d, &files, &keep);
	} else {
		ret->set = set_ref(ret->said);
	}
	arena_release(&files.arena);
}

void generation_of_applied(struct daemon *d, struct generation *ret)
{
	const struct set *now = d->applied;

	ret->set = set_build(now->manifests, now->nmanifests, NULL, 0, store_holds(d->store), now);
	ret->said = set_ref(d->candidate ? d->candidate : ret->set);
	ret->guard = d->guard ? strdup(d->guard) : NULL;
}

struct set *generation_of_revision(const struct revision *r)
{
	struct manifest **m = calloc(r->nfiles + 1, sizeof(*m));

	if (!m)
		abort();
	for (uint32_t i = 0; i < r->nfiles; i++)
		m[i] = manifest_load(r->files[i].path, r->files[i].text, r->files[i].size);
	struct set *set = set_build(m, r->nfiles, NULL, 0, NULL, NULL);
	for (uint32_t i = 0; i < r->nfiles; i++)
		manifest_unref(m[i]);
	free(m);
	return set;
}

void generation_release(struct generation *g)
{
	set_unref(g->said);
	set_unref(g->set);
	free(g->guard);
	*g = (struct generation){ 0 };
}

/* Two generations have their files in about the same order: the search goes round from *at, behind
 * the last one that was found. */
static const struct manifest *find_manifest(const struct set *s, const char *path, uint32_t *at)
{
	uint32_t n = s ? s->nmanifests : 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = (*at + i) % n;

		if (!streq(s->manifests[k]->path, path))
			continue;
		*at = k + 1;
		return s->manifests[k];
	}
	return NULL;
}

static void add_cause(struct buf *out, unsigned *n, const char *path, const char *what)
{
	if (++*n <= 5)
		buf_printf(out, "%s%s %s", *n > 1 ? ", " : "", path, what);
}

/* A file that no directory holds: what a guard or a refused change keeps. */
static bool invented(const struct manifest *m)
{
	const char *slash = strrchr(m->path, '/');

	return (slash ? slash[1] : m->path[0]) == '.';
}

static const char *difference(const struct set *before, const struct manifest *m, uint32_t *at)
{
	const struct manifest *old = find_manifest(before, m->path, at);

	return !old ? "added" : !streq(old->digest, m->digest) ? "changed" : NULL;
}

void generation_cause(const struct set *before, const struct set *after, struct buf *out)
{
	const char *kept = NULL;
	uint32_t at = 0;
	unsigned n = 0;

	for (uint32_t i = 0; i < after->nmanifests; i++) {
		const struct manifest *m = after->manifests[i];
		const char *what = difference(before, m, &at);

		if (what && invented(m))
			kept = "deletions wait";
		else if (what)
			add_cause(out, &n, m->path, what);
	}
	at = 0;
	for (uint32_t i = 0; before && i < before->nmanifests; i++) {
		const struct manifest *m = before->manifests[i];

		if (find_manifest(after, m->path, &at))
			continue;
		if (invented(m))
			kept = kept ? kept : "deletions allowed";
		else
			add_cause(out, &n, m->path, "removed");
	}
	if (n > 5)
		buf_printf(out, " and %u more", n - 5);
	if (!n && kept)
		buf_puts(out, kept);
}

/* Holds whose manifest was edited are over; what they said besides (paused, restarted) stays. */
static void end_holds(struct daemon *d, const struct set *set)
{
	struct err err = { 0 };

	for (uint32_t i = 0; i < set->ended.n; i++) {
		struct hold h = set->ended.v[i];
		bool more = h.paused || h.resumed || h.restarted_at;

		h.content = NULL;
		h.revision = 0;
		h.failed = false;
		log_info("hold of %s/%s/%s ended: its manifest was edited", h.key.kind->singular,
			 h.key.namespace, h.key.name);
		if ((more ? store_hold_put(d->store, &h, &err) :
			    store_hold_del(d->store, &h.key, &err)) < 0)
			log_error("%s", err.msg);
	}
}

static int admit(struct daemon *d, struct set *set, bool dry, struct err *err)
{
	struct store_ranges ranges = { d->service_cidr, NODE_PORT_MIN, NODE_PORT_MAX };
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) < 0)
		return err_sys(err, -errno, "getrandom");
	return store_admit(d->store, set, &ranges, time_now(), seed, dry, err);
}

/* First of all: when the disk is full, everything stays as it is. */
static int record(struct daemon *d, const struct set *set, const char *cause, struct err *err)
{
	BUF_AUTO files = { 0 };

	generation_cause(d->applied, set, &files);
	if (d->applied && !files.len && !cause)
		return 0;
	if (!cause)
		cause = files.len ? buf_str(&files) : "no manifests";
	int r = store_revision_add(d->store, set, cause, time_now(), &d->revision, err);
	if (r < 0)
		return r;
	if (d->revision > (uint32_t)d->settings->history_limit)
		store_revision_prune(d->store, d->settings->history_limit, NULL);
	log_info("revision %u: %s", d->revision, cause);
	return 0;
}

int generation_apply(struct daemon *d, struct generation *g, const char *cause, struct err *err)
{
	int r = record(d, g->set, cause, err);

	if (r == 0)
		r = admit(d, g->set, false, err);
	if (r < 0)
		return r;
	end_holds(d, g->set);
	set_unref(d->applied);
	set_unref(d->candidate);
	free(d->guard);
	d->applied = g->set;
	d->candidate = g->said;
	d->guard = g->guard;
	*g = (struct generation){ 0 };
	daemon_dirty(d);
	return 0;
}

int generation_admit_dry(struct daemon *d, struct generation *g, struct err *err)
{
	return admit(d, g->set, true, err);
}
