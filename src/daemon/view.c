/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The API's memory. Live entries stand in one array per kind, sorted by key; live entries and
 * tombstones together form one list in the order of their versions, so that "what changed after
 * X" is a walk from the newest end. Tombstones beyond a limit go, oldest first; forgotten
 * remembers the newest version lost that way.
 */
#include "daemon/view.h"

#include <stdio.h>

#include "base/macro.h"
#include "schema/schema.h"

#define TOMBSTONES_MAX 2000
#define EVENTS_MAX 1000
#define EVENTS_YOUNG (60 * NSEC)

struct table {
	struct view_entry **v;
	uint32_t n, cap;
	uint32_t near;			/* where what is put next probably stands: it comes in order */
};

struct view {
	struct table kinds[KIND_COUNT];
	struct view_entry *newest, *oldest;
	uint64_t version, forgotten;
	uint32_t tombstones;
	bool differs;			/* in this pass */
	void (*changed)(void *data);
	void *data;
};

struct view *view_new(uint64_t first, void (*changed)(void *data), void *data)
{
	struct view *v = calloc(1, sizeof(*v));

	if (!v)
		abort();
	v->version = v->forgotten = first;
	v->changed = changed;
	v->data = data;
	return v;
}

static void entry_free(struct view_entry *e)
{
	arena_release(&e->arena);
	free(e);
}

void view_free(struct view *v)
{
	if (!v)
		return;
	for (struct view_entry *e = v->oldest, *next; e; e = next) {
		next = e->newer;
		entry_free(e);
	}
	for (int k = 0; k < KIND_COUNT; k++)
		free(v->kinds[k].v);
	free(v);
}

static void unlink_entry(struct view *v, struct view_entry *e)
{
	if (e->older)
		e->older->newer = e->newer;
	else if (v->oldest == e)
		v->oldest = e->newer;
	if (e->newer)
		e->newer->older = e->older;
	else if (v->newest == e)
		v->newest = e->older;
	e->older = e->newer = NULL;
}

/* Gives the entry the next version and moves it to the newest end. */
static void touch(struct view *v, struct view_entry *e)
{
	unlink_entry(v, e);
	e->version = ++v->version;
	snprintf(e->text, sizeof(e->text), "%llu", (unsigned long long)e->version);
	e->object.meta->resource_version = e->text;
	e->older = v->newest;
	if (v->newest)
		v->newest->newer = e;
	else
		v->oldest = e;
	v->newest = e;
	v->differs = true;
}

/* Where key stands or would stand in the table. */
static uint32_t position(const struct table *t, const char *ns, const char *name, bool *ret_found)
{
	uint32_t lo = 0, hi = t->n;

	*ret_found = false;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		const struct meta *m = t->v[mid]->object.meta;
		int c = strcmp(m->namespace ? m->namespace : "", ns);

		if (!c)
			c = strcmp(m->name, name);
		if (!c) {
			*ret_found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_named(const struct view_entry *e, const char *ns, const char *name)
{
	const struct meta *m = e->object.meta;

	return streq(m->name, name) && streq(m->namespace ? m->namespace : "", ns);
}

static uint32_t position_near(struct table *t, const struct meta *m, bool *ret_found)
{
	const char *ns = m->namespace ? m->namespace : "";
	uint32_t at = t->near;

	*ret_found = at < t->n && is_named(t->v[at], ns, m->name);
	if (!*ret_found)
		at = position(t, ns, m->name, ret_found);
	t->near = at + 1;
	return at;
}

static struct view_entry *insert(struct table *t, uint32_t at)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 32;
		t->v = realloc(t->v, t->cap * sizeof(*t->v));
		if (!t->v)
			abort();
	}
	memmove(t->v + at + 1, t->v + at, (t->n - at) * sizeof(*t->v));
	t->v[at] = calloc(1, sizeof(**t->v));
	if (!t->v[at])
		abort();
	t->n++;
	return t->v[at];
}

static bool held_alike(const struct object *a, const struct object *b)
{
	return a->held == b->held && a->hold_revision == b->hold_revision &&
	       a->rolled_back == b->rolled_back;
}

/* resourceVersion is ours: it does not count as a difference. */
static bool equal(const struct view_entry *e, const struct object *o)
{
	const char *rv = o->meta->resource_version;

	o->meta->resource_version = e->object.meta->resource_version;
	bool same = schema_equal(o->kind->type, e->object.body, o->body);
	o->meta->resource_version = rv;
	return same;
}

static void store(struct view *v, struct view_entry *e, const struct object *o)
{
	struct arena measure = { 0 }, fresh = { 0 };

	/* there are many entries and they stay: each takes what it needs and no more */
	object_copy(&measure, o);
	arena_reserve(&fresh, measure.used);
	arena_release(&measure);
	e->object = object_copy(&fresh, o);
	arena_release(&e->arena);
	e->arena = fresh;
	touch(v, e);
}

void view_begin(struct view *v)
{
	v->differs = false;
	for (int k = 0; k < KIND_COUNT; k++) {
		v->kinds[k].near = 0;
		for (uint32_t i = 0; i < v->kinds[k].n; i++)
			v->kinds[k].v[i]->seen = k == KIND_EVENT;
	}
}

void view_put(struct view *v, const struct object *o)
{
	struct table *t = &v->kinds[o->kind->id];
	bool found;
	uint32_t at = position_near(t, o->meta, &found);
	struct view_entry *e = found ? t->v[at] : insert(t, at);

	e->seen = true;
	if (found && equal(e, o) && held_alike(&e->object, o))
		return;
	store(v, e, o);
	if (!found)
		e->created = e->version;
}

bool view_stays(struct view *v, const struct meta *m, enum kind_id kind)
{
	struct table *t = &v->kinds[kind];
	bool found;
	uint32_t at = position_near(t, m, &found);

	if (found)
		t->v[at]->seen = true;
	return found;
}

static void forget_tombstones(struct view *v)
{
	for (struct view_entry *e = v->oldest, *next; e && v->tombstones > TOMBSTONES_MAX; e = next) {
		next = e->newer;
		if (!e->deleted)
			continue;
		v->forgotten = e->version;
		v->tombstones--;
		unlink_entry(v, e);
		entry_free(e);
	}
}

static void bury(struct view *v, struct table *t, uint32_t at)
{
	struct view_entry *e = t->v[at];

	memmove(t->v + at, t->v + at + 1, (t->n - at - 1) * sizeof(*t->v));
	t->n--;
	e->deleted = true;
	v->tombstones++;
	touch(v, e);
}

void view_end(struct view *v)
{
	for (int k = 0; k < KIND_COUNT; k++) {
		struct table *t = &v->kinds[k];

		for (uint32_t i = t->n; i-- > 0;)
			if (!t->v[i]->seen)
				bury(v, t, i);
	}
	forget_tombstones(v);
	if (v->differs)
		v->changed(v->data);
}

static const char *event_namespace(const struct object_key *key)
{
	return *key->namespace ? key->namespace : "default";
}

static bool same_event(const struct event *e, const struct object_key *key, const char *uid,
		       const char *reason, const char *message)
{
	const struct object_reference *r = &e->involved_object;

	return streq(r->kind, key->kind->name) && streq(r->name, key->name) &&
	       streq(r->namespace ? r->namespace : "", key->namespace) &&
	       streq(r->uid ? r->uid : "", uid) && streq(e->reason, reason) &&
	       streq(e->message, message);
}

/* Events are named OBJECT.SERIAL: those of one object stand together. */
static struct view_entry *find_event(struct view *v, const struct object_key *key, const char *uid,
				     const char *reason, const char *message)
{
	struct table *t = &v->kinds[KIND_EVENT];
	char prefix[512];
	int n = snprintf(prefix, sizeof(prefix), "%s.", key->name);
	bool found;

	for (uint32_t i = position(t, event_namespace(key), prefix, &found); i < t->n; i++) {
		if (strncmp(t->v[i]->object.meta->name, prefix, (size_t)n))
			return NULL;
		if (same_event(t->v[i]->object.event, key, uid, reason, message))
			return t->v[i];
	}
	return NULL;
}

static uint32_t oldest_event(const struct table *t)
{
	uint32_t at = 0;

	for (uint32_t i = 1; i < t->n; i++)
		if (t->v[i]->version < t->v[at]->version)
			at = i;
	return at;
}

/* A young one stays: the passes of its minute would only tell it again. */
static void drop_old_events(struct view *v, int64_t now)
{
	struct table *t = &v->kinds[KIND_EVENT];

	while (t->n >= EVENTS_MAX) {
		uint32_t at = oldest_event(t);

		if (now - t->v[at]->object.event->last_timestamp < EVENTS_YOUNG)
			return;
		bury(v, t, at);
	}
}

/* serial makes the name unique: many things happen to one object in one pass. */
static struct object make_event(struct arena *a, const struct object_key *key, const char *uid,
				bool warning, const char *reason, const char *message,
				const char *host, int64_t now, uint64_t serial)
{
	struct object o = object_new(a, KIND_EVENT, event_namespace(key),
				     arena_printf(a, "%s.%llx", key->name, (unsigned long long)serial));
	struct event *e = o.event;

	o.meta->uid = arena_printf(a, "%s-%llx", uid, (unsigned long long)serial);
	o.meta->creation_timestamp = now;
	e->involved_object.api_version = key->kind->api_version;
	e->involved_object.kind = key->kind->name;
	e->involved_object.namespace = *key->namespace ? key->namespace : NULL;
	e->involved_object.name = key->name;
	e->involved_object.uid = *uid ? uid : NULL;
	e->reason = reason;
	e->message = message;
	e->source.component = "orchd";
	e->source.host = host;
	e->first_timestamp = e->last_timestamp = now;
	e->count = 1;
	e->type = warning ? "Warning" : "Normal";
	e->reporting_component = "orchd";
	e->reporting_instance = host;
	return o;
}

void view_event(struct view *v, const struct object_key *key, const char *uid, bool warning,
		const char *reason, const char *message, const char *host, int64_t now)
{
	struct view_entry *e = find_event(v, key, uid ? uid : "", reason, message);

	if (e && e->object.event->last_timestamp >= now)
		return;
	if (e) {
		e->object.event->count++;
		e->object.event->last_timestamp = now;
		touch(v, e);
	} else {
		struct arena a = { 0 };
		struct object o = make_event(&a, key, uid ? uid : "", warning, reason, message, host,
					     now, v->version + 1);

		drop_old_events(v, now);
		view_put(v, &o);
		arena_release(&a);
	}
	v->changed(v->data);
}

uint64_t view_version(const struct view *v)
{
	return v->version;
}

struct view_entry **view_list(const struct view *v, enum kind_id kind, uint32_t *ret_n)
{
	*ret_n = v->kinds[kind].n;
	return v->kinds[kind].v;
}

const struct view_entry *view_get(const struct view *v, enum kind_id kind, const char *ns,
				  const char *name)
{
	bool found;
	uint32_t at = position(&v->kinds[kind], ns ? ns : "", name, &found);

	return found ? v->kinds[kind].v[at] : NULL;
}

int view_changes(const struct view *v, enum kind_id kind, uint64_t after, struct view_entry **ret)
{
	struct view_entry *first = NULL;

	if (after < v->forgotten || after > v->version)		/* or: from before the clock was set */
		return -ERANGE;
	for (struct view_entry *e = v->newest; e && e->version > after; e = e->older)
		if ((int)e->object.kind->id == (int)kind)
			first = e;
	*ret = first;
	return 0;
}

struct view_entry *view_next_change(const struct view *v, const struct view_entry *e, enum kind_id kind)
{
	(void)v;
	for (struct view_entry *n = e->newer; n; n = n->newer)
		if ((int)n->object.kind->id == (int)kind)
			return n;
	return NULL;
}
