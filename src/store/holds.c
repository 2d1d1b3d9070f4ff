/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds: what overrides declared objects. Few and rarely changed, so that each change writes the
 * whole list at once, durably, before memory changes. Each hold has an arena of its own: its strings
 * stay where they are until this very hold is changed.
 */
#include "store/state.h"

#include "base/macro.h"

static void hold_write(struct json *j, const struct hold *h)
{
	char digest[17];

	snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)h->digest);
	json_begin_object(j);
	state_key_write(j, &h->key);
	json_kstr(j, "content", h->content);
	json_kstr(j, "digest", digest);
	json_kint(j, "revision", h->revision);
	json_kbool(j, "failed", h->failed);
	json_kbool(j, "paused", h->paused);
	json_kbool(j, "resumed", h->resumed);
	json_kstr(j, "restartedAt", h->restarted_at);
	state_time_write(j, "time", h->time);
	json_end_object(j);
}

/* A member that hold_write gave a string or null. */
static const char *string_or_null(struct arena *a, json_t *record, const char *key)
{
	return arena_strdup(a, json_string_value(json_object_get(record, key)));
}

static int hold_read(struct arena *a, const struct state_file *f, size_t i, json_t *record,
		     struct hold *ret, struct err *err)
{
	const char *digest, *time;
	json_t *content, *restarted;
	json_int_t revision;
	json_error_t why;
	int failed = false, paused, resumed;
	int r = state_key_read(a, f, i, record, &ret->key, err);

	if (r < 0)
		return r;
	if (json_unpack_ex(record, &why, 0, "{s:o, s:s, s:I, s?b, s:b, s:b, s:o, s:s}", "content",
			   &content, "digest", &digest, "revision", &revision, "failed", &failed,
			   "paused", &paused, "resumed", &resumed, "restartedAt", &restarted, "time", &time) < 0)
		return state_bad(f, i, err, "%s", why.text);
	if (time_parse(time, &ret->time) < 0)
		return state_bad(f, i, err, "\"%s\" is not a time", time);
	ret->content = string_or_null(a, record, "content");
	ret->restarted_at = string_or_null(a, record, "restartedAt");
	ret->digest = strtoull(digest, NULL, 16);
	ret->revision = (uint32_t)revision;
	ret->failed = failed;
	ret->paused = paused;
	ret->resumed = resumed;
	return 0;
}

/* The table with room for one more. */
static struct hold_table table_new(uint32_t n)
{
	struct hold_table t = { .arenas = calloc(n + 1, sizeof(*t.arenas)) };

	t.list.v = calloc(n + 1, sizeof(*t.list.v));
	if (!t.arenas || !t.list.v)
		abort();	/* as arenas do */
	return t;
}

static void table_add(struct hold_table *t, struct hold h, struct arena a)
{
	t->arenas[t->list.n] = a;
	t->list.v[t->list.n++] = h;
}

static void table_free(struct hold_table *t)
{
	free(t->arenas);
	free(t->list.v);
}

void holds_release(struct store *s)
{
	for (uint32_t i = 0; i < s->holds.list.n; i++)
		arena_release(&s->holds.arenas[i]);
	table_free(&s->holds);
}

int holds_load(struct store *s, struct err *err)
{
	JSON_AUTO *list = NULL;
	int r = state_file_read(&s->holds_file, &list, err);

	s->holds = table_new((uint32_t)json_array_size(list));
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		struct arena a = { 0 };
		struct hold h = { 0 };

		r = hold_read(&a, &s->holds_file, i, json_array_get(list, i), &h, err);
		table_add(&s->holds, h, a);
	}
	return r;
}

static int holds_save(struct store *s, const struct hold_list *list, struct err *err)
{
	BUF_AUTO out = { 0 };
	struct json j;

	json_init(&j, &out, true);
	json_begin_array(&j);
	for (uint32_t i = 0; i < list->n; i++)
		hold_write(&j, &list->v[i]);
	json_end_array(&j);
	buf_putc(&out, '\n');
	return state_file_write(&s->holds_file, &out, err);
}

/* Puts put (NULL: nothing) in the place of key. */
static int holds_change(struct store *s, const struct object_key *key, const struct hold *put,
			struct err *err)
{
	const struct hold_table *old = &s->holds;
	struct hold_table next = table_new(old->list.n);
	struct arena added = { 0 }, removed = { 0 };
	uint32_t i = 0;

	for (; i < old->list.n && object_key_cmp(&old->list.v[i].key, key) < 0; i++)
		table_add(&next, old->list.v[i], old->arenas[i]);
	if (put) {
		struct hold h = hold_copy(&added, put);
		table_add(&next, h, added);
	}
	if (i < old->list.n && object_key_cmp(&old->list.v[i].key, key) == 0)
		removed = old->arenas[i++];
	for (; i < old->list.n; i++)
		table_add(&next, old->list.v[i], old->arenas[i]);

	int r = holds_save(s, &next.list, err);
	arena_release(r < 0 ? &added : &removed);
	table_free(r < 0 ? &next : &s->holds);
	if (r == 0)
		s->holds = next;
	return r;
}

int store_hold_put(struct store *s, const struct hold *h, struct err *err)
{
	return holds_change(s, &h->key, h, err);
}

int store_hold_del(struct store *s, const struct object_key *key, struct err *err)
{
	for (uint32_t i = 0; i < s->holds.list.n; i++) {
		if (object_key_cmp(&s->holds.list.v[i].key, key) == 0)
			return holds_change(s, key, NULL, err);
	}
	return 0;
}

const struct hold_list *store_holds(const struct store *s)
{
	return &s->holds.list;
}
