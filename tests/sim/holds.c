/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's holds, and what rollout pause, resume, restart, undo and unhold put there, as the daemon
 * does it (daemon/rollout.c), but for the configuration that undo brings back.
 */
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"
#include "schema/schema.h"

static const struct object *declared(const struct set *set, const struct object *o)
{
	for (uint32_t i = 0; i < set->declared.n; i++)
		if (!object_cmp(&set->declared.v[i], o))
			return &set->declared.v[i];
	return o;
}

static struct hold *find(struct sim *s, const struct object_key *key)
{
	for (uint32_t i = 0; i < s->holds.n; i++)
		if (!object_key_cmp(&s->holds.v[i].key, key))
			return &s->holds.v[i];
	return NULL;
}

static void put(struct sim *s, const struct hold *h)
{
	struct hold *place = find(s, &h->key);
	bool needed = h->content || h->paused || h->resumed || h->restarted_at;

	if (needed && !place)
		place = arena_push(&s->arena, &s->holds);
	if (needed)
		*place = hold_copy(&s->arena, h);
	else if (place)
		*place = s->holds.v[--s->holds.n];
}

void sim_end_holds(struct sim *s, const struct set *set)
{
	for (uint32_t i = 0; i < set->ended.n; i++) {
		struct hold h = set->ended.v[i];

		h.content = NULL;
		h.revision = 0;
		put(s, &h);
	}
}

/* ---- undo ---- */

static void undo(struct sim *s, const struct object *o, struct hold *h)
{
	const struct object *said = declared(s->set, o);
	struct control_history past = { 0 };
	struct pod_template *t = NULL;
	struct object held;
	BUF_AUTO text = { 0 };
	struct json j;

	for (uint32_t i = 0; i < s->derived.n; i++)
		control_history_add(&past, o, &s->derived.v[i]->object);
	if (past.before)
		t = control_history_template(&s->arena, past.before);
	if (!t)
		return;
	h->content = NULL;
	h->restarted_at = NULL;
	h->revision = 0;
	if (schema_equal(&pod_template_type, t, object_template(said)))
		return;
	held = object_copy(&s->arena, said);
	*object_template(&held) = *t;
	json_init(&j, &text, false);
	object_json(&j, &held, DUMP_WRITTEN);
	h->content = arena_strdup(&s->arena, buf_str(&text));
	h->digest = said->digest;
	h->revision = control_history_revision(past.before);
}

/* ---- verbs ---- */

static bool paused(const struct object *o)
{
	return o->kind->id == KIND_DEPLOYMENT && o->deployment->spec.paused;
}

static bool change(struct sim *s, const struct object *o, enum sim_verb verb, struct hold *h)
{
	bool is = paused(o), said = paused(declared(s->set, o));
	char now[32];

	switch (verb) {
	case SIM_PAUSE:
	case SIM_RESUME:
		if (o->kind->id != KIND_DEPLOYMENT || is == (verb == SIM_PAUSE))
			return false;
		h->paused = verb == SIM_PAUSE && !said;
		h->resumed = verb == SIM_RESUME && said;
		return true;
	case SIM_RESTART:
		time_format(s->now, now);
		h->restarted_at = arena_strdup(&s->arena, now);
		return !is;
	case SIM_UNDO:
		undo(s, o, h);
		return !is;
	case SIM_UNHOLD:
		h->content = NULL;
		h->revision = 0;
		return true;
	}
	return false;
}

bool sim_rollout(struct sim *s, enum sim_verb verb, uint32_t which, struct hold *ret)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->set->objects.n; i++)
		n += kind_rolls(s->set->objects.v[i].kind);
	if (!n || s->disk_full)
		return false;
	which %= n;
	for (uint32_t i = 0; i < s->set->objects.n; i++) {
		const struct object *o = &s->set->objects.v[i];
		struct hold h = { .key = object_key(o) };

		if (!kind_rolls(o->kind) || which--)
			continue;
		if (find(s, &h.key))
			h = *find(s, &h.key);
		if (!change(s, o, verb, &h))
			return false;
		put(s, &h);
		*ret = hold_copy(&s->arena, &h);
		return true;
	}
	return false;
}
