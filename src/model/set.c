/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets. All definitions of all files are sorted together; each run of one key gives at most one
 * object. A definition is refused when there is another one, when it changes what cannot change,
 * or when its namespace is not declared: then what is in force stays. What stays is added to the
 * set's manifests as files named STAYS, which no directory can hold, so that a revision knows it.
 */
#include "model/set.h"

#include <string.h>

#include "base/macro.h"
#include "model/build.h"
#include "schema/schema.h"

#define STAYS ".stays.json"

struct build {
	struct clash_context clashes;
	struct set *s;
	const struct set *previous;
	uint32_t near;			/* where in previous the next object probably is */
	struct object_list stays;	/* what stayed in an earlier set, as its revision has it */
	struct object_list all;		/* every definition, sorted by key, file and place */
	struct arena scratch;		/* of all */
	struct object_list kept;	/* copies of what stays */
};

/* Definitions of one key stand in the order of files and lines. */
static int definition_cmp(const void *a, const void *b)
{
	const struct object *x = a, *y = b;
	int r = object_cmp(a, b);

	if (r == 0)
		r = strcmp(x->file, y->file);
	return r ? r : x->line < y->line ? -1 : x->line > y->line;
}

static int cmp_key(const struct object *o, const struct object_key *key)
{
	if (o->kind != key->kind)
		return o->kind->id < key->kind->id ? -1 : 1;
	int r = o->kind->namespaced ? strcmp(o->meta->namespace, key->namespace) : 0;
	return r ? r : strcmp(o->meta->name, key->name);
}

static struct object *find(const struct object_list *l, const struct object_key *key)
{
	uint32_t lo = 0, hi = l->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int r = cmp_key(&l->v[mid], key);

		if (r == 0)
			return &l->v[mid];
		if (r < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* The same; who asks for one key after the other finds the next one at *at. */
static struct object *find_near(const struct object_list *l, const struct object_key *key,
				uint32_t *at)
{
	struct object *o = *at < l->n && cmp_key(&l->v[*at], key) == 0 ? &l->v[*at] : find(l, key);

	if (o)
		*at = (uint32_t)(o - l->v) + 1;
	return o;
}

static struct object *find_unsorted(const struct object_list *l, const struct object_key *key)
{
	for (uint32_t i = 0; i < l->n; i++) {
		struct object_key k = object_key(&l->v[i]);

		if (object_key_cmp(&k, key) == 0)
			return &l->v[i];
	}
	return NULL;
}

struct object *set_find(const struct set *s, enum kind_id kind, const char *ns, const char *name)
{
	struct object_key key = { &kinds[kind], kinds[kind].namespaced ? ns : "", name };

	return find(&s->objects, &key);
}

static uint32_t first_of_kind(const struct object_list *l, unsigned kind)
{
	uint32_t lo = 0, hi = l->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if ((unsigned)l->v[mid].kind->id < kind)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct object_list set_kind(const struct set *s, enum kind_id kind)
{
	uint32_t first = first_of_kind(&s->objects, kind);
	struct object_list run = { .n = first_of_kind(&s->objects, kind + 1) - first };

	run.v = run.n ? &s->objects.v[first] : NULL;
	return run;
}

/* What is in force, as its file says it; NULL: nothing. */
static const struct object *in_force(struct build *b, const struct object_key *key)
{
	const struct object *o = NULL;

	if (b->previous) {
		o = find_unsorted(&b->previous->declared, key);
		o = o ? o : find_near(&b->previous->objects, key, &b->near);
	}
	return o ? o : find_unsorted(&b->stays, key);
}

static void complain(struct build *b, const struct object *o, const struct node *at,
		     const char *path, const char *text)
{
	bool known = at && at->line;

	msgs_add(&b->s->msgs, false, o->file, known ? at->line : o->line, known ? at->col : o->col,
		 path, "%s", text);
}

static void add(struct build *b, const struct object *o)
{
	*arena_push(&b->s->arena, &b->s->objects) = *o;
}

static void keep(struct build *b, const struct object_key *key)
{
	const struct object *o = in_force(b, key);

	if (!o)
		return;
	struct object copy = object_copy(&b->s->arena, o);
	add(b, &copy);
	*arena_push(&b->s->arena, &b->kept) = copy;
}

static void refuse_duplicates(struct build *b, const struct object *run, uint32_t n)
{
	struct arena *a = &b->s->arena;
	const char *name = object_name(a, run);

	for (uint32_t i = 0; i < n; i++) {
		const struct object *other = &run[i ? 0 : 1];

		complain(b, &run[i], NULL, "",
			 arena_printf(a, "%s is defined in %s:%u, too; what is in force stays",
				      name, other->file, other->line));
	}
}

/* What the file says of an object that is there and cannot be changed (model/frozen.c): each field
 * once. */
/* Is this very object in force, at the place that comes next? */
static bool is_next(struct build *b, const struct object *o)
{
	const struct object_list *l = b->previous ? &b->previous->objects : NULL;

	if (!l || b->near >= l->n || l->v[b->near].body != o->body)
		return false;
	b->near++;
	return true;
}

static bool refuse_frozen(struct build *b, const struct object *o, const struct object_key *key)
{
	const struct object *was = is_next(b, o) ? NULL : in_force(b, key);
	const char *last = NULL;
	struct diff d;

	if (!was || was->body == o->body || was->digest == o->digest)
		return false;
	schema_diff(&b->s->arena, o->kind->type, was->body, o->body, "", &d);
	for (uint32_t i = 0; i < d.n; i++) {
		const struct node at = { .line = d.v[i].line, .col = d.v[i].col };
		const char *path = object_frozen(&b->s->arena, was, o, &d.v[i]);

		if (!path || (last && streq(path, last)))
			continue;
		complain(b, o, &at, path,
			 "cannot be changed, what is in force stays; to replace the object, "
			 "remove it, apply, and add it again");
		last = path;
	}
	return last;
}

static bool refuse_namespace(struct build *b, const struct object *o, const struct object_key *key)
{
	struct object_key ns = { &kinds[KIND_NAMESPACE], "", key->namespace };

	if (!o->kind->namespaced || streq(key->namespace, "default") || find(&b->s->objects, &ns))
		return false;
	complain(b, o, &o->meta->node, "metadata.namespace",
		 arena_printf(&b->s->arena, "no file declares the namespace \"%s\"",
			      key->namespace));
	return true;
}

/* Namespaces are first in the order of kinds: they are all there when others are looked at. */
static void decide(struct build *b)
{
	struct object_list *all = &b->all;

	for (uint32_t i = 0, n; i < all->n; i += n) {
		struct object_key key = object_key(&all->v[i]);
		bool refused;

		for (n = 1; i + n < all->n && object_cmp(&all->v[i], &all->v[i + n]) == 0; n++)
			;
		refused = n > 1;
		if (refused)
			refuse_duplicates(b, &all->v[i], n);
		else
			refused = refuse_namespace(b, &all->v[i], &key) ||
				  refuse_frozen(b, &all->v[i], &key);
		if (refused)
			keep(b, &key);
		else
			add(b, &all->v[i]);
	}
}

static const struct object *in_force_before(const struct clash_context *c,
					    const struct object_key *key)
{
	return in_force(container_of(c, struct build, clashes), key);
}

/* Who claims what another has is as it was before, or is not there. */
static void decide_clashes(struct build *b)
{
	struct object_list *l = &b->s->objects, kept = { 0 };
	bool *refused = arena_array(&b->s->arena, bool, l->n + 1);

	b->clashes.in_force = in_force_before;
	if (!set_refuse_clashes(b->s, &b->clashes, refused))
		return;
	for (uint32_t i = 0; i < l->n; i++) {
		struct object_key key = object_key(&l->v[i]);
		const struct object *was = refused[i] ? in_force(b, &key) : NULL;

		if (was) {
			l->v[i] = object_copy(&b->s->arena, was);
			*arena_push(&b->s->arena, &b->kept) = l->v[i];
		}
		if (was || !refused[i])
			*arena_push(&b->s->arena, &kept) = l->v[i];
	}
	*l = kept;
}

/* Who is too much is not there. Who has one of the last places is remembered, so that a set that is
 * built from a revision knows who was first. */
static void decide_quotas(struct build *b)
{
	struct object_list *l = &b->s->objects, left = { 0 };
	bool *refused = arena_array(&b->scratch, bool, l->n + 1);
	bool *holds = arena_array(&b->scratch, bool, l->n + 1);

	if (!set_refuse_by_quota(b->s, &b->clashes, refused, holds))
		return;
	for (uint32_t i = 0; i < l->n; i++) {
		struct object_key key = object_key(&l->v[i]);

		if (refused[i])
			continue;
		*arena_push(&b->s->arena, &left) = l->v[i];
		if (holds[i] && !find_unsorted(&b->kept, &key))
			*arena_push(&b->s->arena, &b->kept) = l->v[i];
	}
	*l = left;
}

static bool is_stays(const struct manifest *m)
{
	const char *slash = strrchr(m->path, '/');

	return streq(slash ? slash + 1 : m->path, STAYS);
}

static void collect(struct build *b, struct manifest *const *good, uint32_t ngood)
{
	struct set *s = b->s;
	uint32_t n = 0;

	for (uint32_t i = 0; i < ngood; i++)
		n += good[i]->objects.n;
	b->all.v = arena_array(&b->scratch, struct object, n);
	s->manifests = arena_array(&s->arena, struct manifest *, ngood);
	for (uint32_t i = 0; i < ngood; i++) {
		const struct object_list *of = &good[i]->objects;

		for (uint32_t k = 0; is_stays(good[i]) && k < of->n; k++)
			*arena_push(&s->arena, &b->stays) = of->v[k];
		if (is_stays(good[i]))
			continue;
		for (uint32_t k = 0; k < of->n; k++)
			b->all.v[b->all.n++] = of->v[k];
		s->manifests[s->nmanifests++] = manifest_ref(good[i]);
	}
	if (b->all.n)
		qsort(b->all.v, b->all.n, sizeof(*b->all.v), definition_cmp);
}

/* What was kept of one stack, as a manifest. */
static struct manifest *stays_manifest(const struct object_list *kept, const char *stack)
{
	BUF_AUTO text = { 0 };
	BUF_AUTO path = { 0 };

	for (uint32_t i = 0; i < kept->n; i++) {
		struct json j;

		if (!streq(kept->v[i].stack, stack))
			continue;
		buf_puts(&text, "---\n");
		json_init(&j, &text, false);
		object_json(&j, &kept->v[i], DUMP_WRITTEN);
		buf_putc(&text, '\n');
	}
	buf_printf(&path, "%s%s" STAYS, streq(stack, "default") ? "" : stack,
		   streq(stack, "default") ? "" : "/");
	return manifest_load(buf_str(&path), buf_str(&text), text.len);
}

static bool first_of_stack(const struct object_list *kept, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++) {
		if (streq(kept->v[k].stack, kept->v[i].stack))
			return false;
	}
	return true;
}

static void add_stays(struct build *b)
{
	struct set *s = b->s;
	struct manifest **grown =
		arena_array(&s->arena, struct manifest *, s->nmanifests + b->kept.n);

	if (!b->kept.n)
		return;
	if (s->nmanifests)
		memcpy(grown, s->manifests, s->nmanifests * sizeof(*grown));
	s->manifests = grown;
	for (uint32_t i = 0; i < b->kept.n; i++) {
		if (first_of_stack(&b->kept, i))
			s->manifests[s->nmanifests++] =
				stays_manifest(&b->kept, b->kept.v[i].stack);
	}
}

bool manifests_have(struct manifest *const *list, uint32_t n, const char *path)
{
	for (uint32_t i = 0; i < n; i++) {
		if (streq(list[i]->path, path))
			return true;
	}
	return false;
}

static void take_messages(struct set *s, const struct manifest *m)
{
	for (uint32_t i = 0; i < m->msgs.n; i++) {
		const struct msg *g = &m->msgs.v[i];

		msgs_add(&s->msgs, g->warning, arena_strdup(&s->arena, g->file), g->line, g->col,
			 g->path, "%s", g->text);
	}
}

struct set *set_build(struct manifest *const *good, uint32_t ngood, struct manifest *const *broken,
		      uint32_t nbroken, const struct hold_list *holds, const struct set *previous)
{
	struct set *s = calloc(1, sizeof(*s));
	struct build b = { .s = s, .previous = previous };

	if (!s)
		abort();
	s->refs = 1;
	s->msgs.arena = &s->arena;
	collect(&b, good, ngood);
	decide(&b);
	decide_clashes(&b);
	decide_quotas(&b);
	add_stays(&b);
	for (uint32_t i = 0; i < nbroken; i++)
		take_messages(s, broken[i]);
	for (uint32_t i = 0; i < ngood; i++) {
		if (!manifests_have(broken, nbroken, good[i]->path))
			take_messages(s, good[i]);
	}
	set_check_references(s, broken, nbroken);
	set_check_admission(s, previous, broken, nbroken);
	if (holds)
		set_apply_holds(s, holds, &b.all, !nbroken);
	msgs_order(&s->msgs, true);
	arena_release(&b.scratch);
	return s;
}

struct set *set_ref(struct set *s)
{
	s->refs++;
	return s;
}

void set_unref(struct set *s)
{
	if (!s || --s->refs)
		return;
	for (uint32_t i = 0; i < s->nmanifests; i++)
		manifest_unref(s->manifests[i]);
	arena_release(&s->arena);
	free(s);
}
