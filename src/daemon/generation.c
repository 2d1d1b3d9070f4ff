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
#define KEPT ".kept.json"

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
		snprintf(path, sizeof(path), KEPT);
	else
		snprintf(path, sizeof(path), "%s/" KEPT, stack);
	return manifest_load(path, buf_str(&text), text.len);
}

static bool first_of_stack(const struct object_list *keep, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (streq(keep->v[k].stack, keep->v[i].stack))
			return false;
	return true;
}

/* said, together with what is kept. */
static struct set *with_kept(struct daemon *d, const struct object_list *keep)
{
	struct manifest **good, **broken, **all;
	uint32_t ngood, nbroken, n;

	watch_manifests(d->watch, &good, &ngood, &broken, &nbroken);
	all = calloc(ngood + keep->n + 1, sizeof(*all));
	if (!all)
		abort();
	if (ngood)
		memcpy(all, good, ngood * sizeof(*all));
	n = ngood;
	for (uint32_t i = 0; i < keep->n; i++)
		if (first_of_stack(keep, i))
			all[n++] = kept_manifest(keep, keep->v[i].stack);
	struct set *set = set_build(all, n, broken, nbroken, store_holds(d->store), d->applied);
	for (uint32_t i = ngood; i < n; i++)
		manifest_unref(all[i]);
	free(all);
	return set;
}

void generation_build(struct daemon *d, int allow_delete, struct generation *ret)
{
	struct manifest **good, **broken;
	uint32_t ngood, nbroken;
	struct object_list keep = { 0 };
	struct arena a = { 0 };
	const char *why = NULL;

	watch_manifests(d->watch, &good, &ngood, &broken, &nbroken);
	ret->said = set_build(good, ngood, broken, nbroken, store_holds(d->store), d->applied);
	ret->guard = NULL;
	if (d->applied)
		plan_guard(&a, d->applied, ret->said, allow_delete, &keep, &why);
	if (keep.n) {
		ret->guard = strdup(why ? why : "deletions wait for orchctl apply --allow-delete");
		ret->set = with_kept(d, &keep);
	} else {
		ret->set = set_ref(ret->said);
	}
	arena_release(&a);
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

static const struct manifest *find_manifest(const struct set *s, const char *path)
{
	for (uint32_t i = 0; s && i < s->nmanifests; i++)
		if (streq(s->manifests[i]->path, path))
			return s->manifests[i];
	return NULL;
}

static void add_cause(struct buf *out, unsigned *n, const char *path, const char *what)
{
	if (++*n <= 5)
		buf_printf(out, "%s%s %s", *n > 1 ? ", " : "", path, what);
}

void generation_cause(const struct set *before, const struct set *after, struct buf *out)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < after->nmanifests; i++) {
		const struct manifest *m = after->manifests[i];
		const struct manifest *old = find_manifest(before, m->path);

		if (!old)
			add_cause(out, &n, m->path, "added");
		else if (!streq(old->digest, m->digest))
			add_cause(out, &n, m->path, "changed");
	}
	for (uint32_t i = 0; before && i < before->nmanifests; i++)
		if (!find_manifest(after, before->manifests[i]->path))
			add_cause(out, &n, before->manifests[i]->path, "removed");
	if (n > 5)
		buf_printf(out, " and %u more", n - 5);
}

/* Holds whose manifest was edited are over; what they said besides (paused, restarted) stays. */
static void end_holds(struct daemon *d, const struct set *set)
{
	struct err err = { 0 };

	for (uint32_t i = 0; i < set->ended.n; i++) {
		struct hold h = set->ended.v[i];
		bool more = h.paused || h.resumed || h.restarted_at;

		h.content = NULL;
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

int generation_apply(struct daemon *d, struct generation *g, const char *cause, struct err *err)
{
	BUF_AUTO files = { 0 };

	int r = admit(d, g->set, false, err);
	if (r < 0)
		return r;
	generation_cause(d->applied, g->set, &files);
	if (!d->applied || files.len || cause) {
		r = store_revision_add(d->store, g->set, cause ? cause : buf_str(&files), time_now(),
				       &d->revision, err);
		if (r < 0)
			return r;
		if (d->revision > (uint32_t)d->settings->history_limit)
			store_revision_prune(d->store, d->settings->history_limit, NULL);
		log_info("revision %u: %s", d->revision, cause ? cause : buf_str(&files));
	}
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
