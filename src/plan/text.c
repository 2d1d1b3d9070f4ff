/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan for people and for programs. Both say the same; neither holds a time or anything random,
 * so that two plans of the same state are equal byte by byte.
 */
#include "base/macro.h"
#include "plan/plan.h"

#define VALUE_MAX 100		/* characters of a value in the text; JSON has all of it */

static const struct { const char *sign, *word; } ops[] = {
	[CHANGE_CREATE] = { "+", "create" },
	[CHANGE_UPDATE] = { "~", "update" },
	[CHANGE_DELETE] = { "-", "delete" },
	[CHANGE_HELD] = { "=", "held" },
	[CHANGE_DRIFT] = { "~", "drift" },
	[CHANGE_PROGRESS] = { "~", "progress" },
};

static void put_name(const struct object_key *k, struct buf *out)
{
	if (*k->namespace && !streq(k->namespace, "default"))
		buf_printf(out, "%s/", k->namespace);
	buf_printf(out, "%s/%s", k->kind->singular, k->name);
}

static void put_value(const char *v, struct buf *out)
{
	size_t n = v ? strlen(v) : 0;

	if (!v) {
		buf_puts(out, "(none)");
	} else if (n <= VALUE_MAX) {
		buf_puts(out, v);
	} else {
		for (n = VALUE_MAX; n && (v[n] & 0xc0) == 0x80;)
			n--;	/* not within a character */
		buf_add(out, v, n);
		buf_puts(out, "...");
	}
}

static void put_diff(const struct diff *d, struct buf *out)
{
	for (uint32_t i = 0; i < d->n; i++) {
		buf_printf(out, "      %s: ", d->v[i].path);
		put_value(d->v[i].old, out);
		buf_puts(out, " -> ");
		put_value(d->v[i].new, out);
		buf_putc(out, '\n');
	}
}

static void put_change(const struct change *c, struct buf *out)
{
	buf_printf(out, "\n%s ", ops[c->op].sign);
	put_name(&c->key, out);
	if (c->file)
		buf_printf(out, "  %s:%u", c->file, c->line);
	buf_printf(out, "\n    %s", c->effect);
	if (c->why)
		buf_printf(out, ": %s", c->why);
	if (c->restarts)
		buf_printf(out, " (%u container%s)", c->restarts,
			   c->restarts == 1 ? " restarts" : "s restart");
	buf_putc(out, '\n');
	put_diff(&c->diff, out);
}

static void put_header(const struct plan *p, struct buf *out)
{
	buf_printf(out, "Plan: %u to create, %u to update, %u to delete; %u container%s",
		   p->creates,
		   p->updates, p->deletes, p->restarts, p->restarts == 1 ?
			   " restarts" : "s restart");
	if (p->held)
		buf_printf(out, "; %u held", p->held);
	if (p->guarded)
		buf_printf(out, "; %u guarded", p->guarded);
	if (p->refused)
		buf_printf(out, "; %u refused", p->refused);
	buf_putc(out, '\n');
}

static void put_messages(const struct plan *p, struct buf *out)
{
	const struct msgs *m = p->msgs;

	if (!m || !m->n)
		return;
	buf_puts(out,
		 m->errors ? "\nErrors (the last good version of what they are about stays):\n" :
				  "\nWarnings:\n");
	for (uint32_t i = 0; i < m->n; i++)
		msg_print(&m->v[i], out);
}

void plan_text(const struct plan *p, struct buf *out)
{
	if (p->changes.n)
		put_header(p, out);
	else if (p->actions.n)
		buf_puts(out, "Nothing to change: only records are brought up to date.\n");
	else
		buf_puts(out, "Nothing to do: what runs is what the files say.\n");
	if (p->guard)
		buf_printf(out, "Guard: %s\n", p->guard);
	for (uint32_t i = 0; i < p->changes.n; i++)
		put_change(&p->changes.v[i], out);
	put_messages(p, out);
}

static void json_diff(const struct diff *d, struct json *j)
{
	json_key(j, "diff");
	json_begin_array(j);
	for (uint32_t i = 0; i < d->n; i++) {
		json_begin_object(j);
		json_kstr(j, "path", d->v[i].path);
		json_kstr(j, "old", d->v[i].old);
		json_kstr(j, "new", d->v[i].new);
		json_kstr(j, "effect", effect_name(d->v[i].effect));
		if (d->v[i].line)
			json_kint(j, "line", d->v[i].line);
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_change(const struct change *c, struct json *j)
{
	json_begin_object(j);
	json_kstr(j, "op", ops[c->op].word);
	json_kstr(j, "apiVersion", c->key.kind->api_version);
	json_kstr(j, "kind", c->key.kind->name);
	if (*c->key.namespace)
		json_kstr(j, "namespace", c->key.namespace);
	json_kstr(j, "name", c->key.name);
	if (c->stack)
		json_kstr(j, "stack", c->stack);
	if (c->file) {
		json_kstr(j, "file", c->file);
		json_kint(j, "line", c->line);
		json_kint(j, "column", c->col);
	}
	json_kstr(j, "effect", c->effect);
	if (c->why)
		json_kstr(j, "why", c->why);
	json_kint(j, "restarts", c->restarts);
	json_kbool(j, "guarded", c->guarded);
	json_kbool(j, "refused", c->refused);
	json_diff(&c->diff, j);
	json_end_object(j);
}

/* The name that the object has, or the fixed part of the one that it will get. */
static void json_name(const struct action *a, struct json *j)
{
	const char *prefix = a->fresh ? a->pod->object.meta->generate_name : NULL;

	json_kstr(j, prefix ? "generateName" : "name", prefix ? prefix : a->name);
}

static void json_action(const struct action *a, struct json *j)
{
	json_begin_object(j);
	json_kstr(j, "action", action_words(a->kind));
	if (*a->name) {
		json_kstr(j, "namespace", a->namespace);
		json_name(a, j);
	}
	if (a->container)
		json_kstr(j, "container", a->container);
	if (a->why)
		json_kstr(j, "why", a->why);
	json_end_object(j);
}

static void json_summary(const struct plan *p, struct json *j)
{
	json_key(j, "summary");
	json_begin_object(j);
	json_kint(j, "create", p->creates);
	json_kint(j, "update", p->updates);
	json_kint(j, "delete", p->deletes);
	json_kint(j, "held", p->held);
	json_kint(j, "guarded", p->guarded);
	json_kint(j, "refused", p->refused);
	json_kint(j, "restarts", p->restarts);
	json_end_object(j);
}

void plan_json(const struct plan *p, struct json *j)
{
	json_begin_object(j);
	json_kbool(j, "empty", plan_empty(p));
	json_summary(p, j);
	if (p->guard)
		json_kstr(j, "guard", p->guard);
	json_key(j, "changes");
	json_begin_array(j);
	for (uint32_t i = 0; i < p->changes.n; i++)
		json_change(&p->changes.v[i], j);
	json_end_array(j);
	json_key(j, "actions");
	json_begin_array(j);
	for (uint32_t i = 0; i < p->actions.n; i++)
		json_action(&p->actions.v[i], j);
	json_end_array(j);
	if (p->msgs) {
		json_key(j, "messages");
		msgs_json(p->msgs, j);
	}
	json_end_object(j);
}
