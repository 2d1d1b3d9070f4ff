/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An action names its object by namespace and name; the same pair keys the back-off, so that a pod
 * that can't be created is neither started nor retried in a tight loop.
 */
#include "daemon/carry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"

#define RETRY_MIN (1 * NSEC)
#define RETRY_MAX (60 * NSEC)

struct retry {
	struct retry *next;
	int64_t due, delay;
	char key[];			/* "NS/NAME" */
};

static struct retry **retry_find(struct retry **r, const struct action *a)
{
	char key[600];

	snprintf(key, sizeof(key), "%s/%s", a->namespace, a->name);
	while (*r && !streq((*r)->key, key))
		r = &(*r)->next;
	return r;
}

static void retry_forget(struct retry **r)
{
	struct retry *gone = *r;

	*r = gone->next;
	free(gone);
}

/* Not when the clock went back since: it would be waited for. */
static bool waits(const struct retry *r, int64_t now)
{
	return r->due > now && r->due - now <= r->delay;
}

static void retry_later(struct retry **retries, const struct action *a, int64_t now)
{
	struct retry **at = retry_find(retries, a);

	if (!*at) {
		char key[600];

		snprintf(key, sizeof(key), "%s/%s", a->namespace, a->name);
		*at = calloc(1, sizeof(**at) + strlen(key) + 1);
		if (!*at)
			abort();
		memcpy((*at)->key, key, strlen(key) + 1);
	}
	(*at)->delay = MIN(MAX((*at)->delay * 2, RETRY_MIN), RETRY_MAX);
	(*at)->due = now + (*at)->delay;
}

static int64_t first_due(const struct retry *r)
{
	int64_t due = 0;

	for (; r; r = r->next)
		due = due ? MIN(due, r->due) : r->due;
	return due;
}

/* What is still due was tried and went well, or has no action any more: its next failure starts
 * afresh. */
static void retry_expire(struct retry **r, int64_t now)
{
	while (*r) {
		if (waits(*r, now))
			r = &(*r)->next;
		else
			retry_forget(r);
	}
}

static int save(const struct carrier *c, struct err *err)
{
	int r = c->save(c->data, err);

	if (r < 0)
		c->failed(c->data, NULL, err);
	return r;
}

/* What pods are made from is durable before the first of them exists: else a crash would leave them
 * without an owner, and a Job would run again. */
static int act(const struct carrier *c, const struct action *a, const struct err *unsaved,
	       struct err *err)
{
	if (a->kind != ACTION_POD_CREATE || !*unsaved->msg)
		return c->act(c->data, a, err);
	*err = *unsaved;
	return -EIO;
}

int64_t carry_out(struct retry **retries, const struct action_list *actions,
		  const struct carrier *c, int64_t now)
{
	struct err unsaved = { 0 };
	bool saved = false;

	for (uint32_t i = 0; i < actions->n; i++) {
		const struct action *a = &actions->v[i];
		const struct retry *back_off = *retry_find(retries, a);
		struct err err = { 0 };

		if (!saved && a->kind != ACTION_OBJECT_PUT) {
			saved = true;
			save(c, &unsaved);
		}
		if (back_off && waits(back_off, now))
			continue;
		if (act(c, a, &unsaved, &err) < 0) {
			c->failed(c->data, a, &err);
			retry_later(retries, a, now);
		}
	}
	save(c, &unsaved);	/* what needed no action, and what was forgotten; nothing when nothing changed */
	retry_expire(retries, now);
	return first_due(*retries);
}

void carry_forget(struct retry **retries)
{
	while (*retries)
		retry_forget(retries);
}
